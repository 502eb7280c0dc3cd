"""A terminal that is closed, or an ssh connection that is cut: nothing is lost, nothing is left."""

import asyncio
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot import hangup
from tests.console import PATIENCE, Terminal, at_a_terminal
from tests.hosting import finished
from tests.test_host import Host, host
from tests.test_train_main import SMALL, STEPS
from training.checkpoints import read_about

__all__ = ["host"]

HANGUP = 128 + signal.SIGHUP  # as shells have it


@pytest.fixture(scope="module")
def text(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "story.txt"
    path.write_text((root / "data" / "sample.txt").read_text("utf-8")[:3000])
    return path


def training(text: Path, folder: Path, *flags: str) -> list[str]:
    """The command of a training whose files go to a folder."""
    command = [sys.executable, "-m", "training.train", "--text", str(text), *flags]
    return [*command, "--output", str(folder), "--checkpoints", str(folder)]


def wait_for_step(terminal: Terminal, step: int) -> None:
    """Surely before the last one: what nobody reads stops at the terminal's buffer, of 4096."""
    assert "Traceback" not in terminal.wait_until_shown(f"step {step}/{STEPS}")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_training_saves_when_its_terminal_is_gone(root: Path, text: Path, tmp_path: Path) -> None:
    command = training(text, tmp_path, *SMALL, "--save-every", "1000")
    with at_a_terminal(command, cwd=root, TERM="xterm") as terminal:  # with a bar
        wait_for_step(terminal, 20)
        terminal.hang_up()
        # The shell passes on what the system sends to it, and the system sends another.
        for _ in range(2):
            terminal.process.send_signal(signal.SIGHUP)
        assert terminal.process.wait(PATIENCE) == HANGUP
    assert names(tmp_path) == ["story.checkpoint.safetensors"]
    about = read_about(tmp_path / "story.checkpoint.safetensors")
    assert 20 <= int(about["step"]) < STEPS and "finished" not in about
    done = subprocess.run(
        training(text, tmp_path, "--resume"), cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"step {STEPS}/{STEPS}" in done.stderr
    assert (tmp_path / "weights" / "story.safetensors").is_file()


def test_a_hangup_is_told_how_to_go_on_where_somebody_reads(
    root: Path, text: Path, tmp_path: Path
) -> None:
    command = training(text, tmp_path, *SMALL)
    with at_a_terminal(command, cwd=root) as terminal:
        wait_for_step(terminal, 20)
        terminal.process.send_signal(signal.SIGHUP)
        shown = terminal.wait_until_shown("; go on with --resume")
        assert "\nstopping after this step\r\n" in shown  # not "once more: at once"
        assert terminal.end() == HANGUP


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_training_that_ends_before_its_first_step_leaves_nothing(
    number: signal.Signals, root: Path, text: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(training(text, out, *SMALL), cwd=root, stderr=subprocess.PIPE)
    while not (out / "story.checkpoint.lock").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    errors = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 128 + number, errors
    if b"--resume" not in errors:  # else the first step was quicker
        assert errors == b"" and not out.exists()


def test_what_nohup_protects_goes_on_without_its_terminal(
    root: Path, text: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    command = training(text, tmp_path / "out", *SMALL, "--save-every", "1000")
    protected = f'trap "" HUP; exec {" ".join(command)} > {log} 2>&1'
    with at_a_terminal(["sh", "-c", f"echo begun; {protected}"], cwd=root) as terminal:
        terminal.wait_for("begun\r\n")
        while f"step 20/{STEPS}" not in (log.read_text() if log.exists() else ""):
            assert terminal.process.poll() is None, log.read_text()
        terminal.hang_up()
        terminal.process.send_signal(signal.SIGHUP)
        assert terminal.process.wait(PATIENCE) == 0
    assert f"step {STEPS}/{STEPS}" in log.read_text()
    assert (tmp_path / "out" / "weights" / "story.safetensors").is_file()


@pytest.mark.parametrize("nohup", [False, True])
async def test_a_bot_whose_terminal_is_gone_ends_its_stories_but_under_nohup_goes_on(
    nohup: bool, host: Host
) -> None:
    ours, theirs = pty.openpty()
    protected = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"] if nohup else []
    process = await host.start(before=protected, terminal=theirs)
    os.close(theirs)
    ann = host.discord.person("Ann")
    use = ann.command("pooh", prompt="The mill", length=200)
    await host.discord.until(lambda: use.original, "its promise")
    os.close(ours)
    await host.says("settings read again" if nohup else "stopping")
    process.send_signal(signal.SIGHUP)  # the system's and the shell's; a second SIGTERM cuts short
    if nohup:
        later = ann.command("pooh", prompt="The mill", length=50)
        await host.discord.until(lambda: finished(later.original), "another story")
        process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        assert await process.wait() == 0
    assert use.original is not None and finished(use.original)
    assert use.original.content.startswith("**The mill**")
    assert "Traceback" not in host.logs[0]


async def test_only_a_terminal_that_has_just_gone_is_an_end() -> None:
    loop, heard = asyncio.get_running_loop(), list[str]()
    loop.add_signal_handler(signal.SIGTERM, heard.append, "end")
    is_there = True
    handler = signal.getsignal(signal.SIGHUP)

    async def hang_up_twice() -> list[str]:
        heard.clear()
        for _ in range(2):
            signal.raise_signal(signal.SIGHUP)
            for _ in range(10):  # turns of the loop
                await asyncio.sleep(0)
        return heard.copy()

    def listen(look_every: float = 1000.0) -> None:
        hangup.listen(
            lambda: heard.append("read"),
            has_terminal=lambda: is_there,
            look_every=look_every,
            moment=0.01,
        )

    try:
        listen()
        assert await hang_up_twice() == ["read", "read"], "somebody typed kill -HUP"
        is_there = False
        assert await hang_up_twice() == ["end"], "once, as a second one would cut stories short"
        is_there = True
        listen()
        assert await hang_up_twice() == ["read", "read"]
        is_there = False  # a moment after it was told
        while "end" not in heard:
            await asyncio.sleep(0.01)
        assert await hang_up_twice() == []
        is_there = True
        listen(look_every=0.001)
        is_there = False
        await asyncio.sleep(0.1)
        assert await hang_up_twice() == ["read", "read"], "it went long ago without a word"
        is_there = True
        listen(look_every=0.01)
        is_there = False
        time.sleep(0.1)  # as a job that was stopped: it is told when it goes on
        assert await hang_up_twice() == ["end"]
        listen()
        assert await hang_up_twice() == ["read", "read"], "a service has no terminal"
        is_there = True
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        listen()
        is_there = False
        assert await hang_up_twice() == ["read", "read"], "nohup"
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, handler)


def test_a_story_at_a_terminal_that_is_gone_ends_and_leaves_nothing(
    root: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "model", "--length", "1000", "The"]
    with at_a_terminal(command, cwd=tmp_path, PYTHONPATH=str(root)) as terminal:
        terminal.wait_until_shown("The")
        terminal.hang_up()
        assert terminal.process.wait(PATIENCE) == -signal.SIGHUP
    assert names(tmp_path) == []
