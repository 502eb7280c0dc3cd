"""`python -m bot`: what a host calls, and what it says when something is wrong."""

import asyncio
import contextlib
import io
import json
import logging
import math
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot import __main__ as front
from bot import logs, pictures
from bot.settings import Settings
from model import __version__
from model.decoder import Decoder
from model.tensors import open_tensors, read_header, read_tensors, write
from tests.fake_discord import DiscordServer
from tests.hosting import save_small_network
from tests.test_settings import TOKEN
from tests.test_terminal import bot

PNG = b"\x89PNG\r\n\x1a\n"
SUMMARY = {
    "parameters": 1234567,
    "read": {"characters": 5000000, "texts": 12},
    "train_loss": {"nats": 0.5, "bits": 0.72},
    "validation_loss": {"nats": 1.234, "bits": 1.78},
    "history": [
        {"characters": 0, "train": 4.2, "validation": None},
        {"characters": 1000, "train": 2.0, "validation": 2.1},
    ],
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return save_small_network(tmp_path)


@pytest.mark.parametrize("command", [(), ("run",), ("sync",), ("invite",)])
def test_without_a_token_one_line_says_how_to_get_one(
    command: tuple[str, ...], root: Path, small: Path
) -> None:
    done = bot(root, small, *command)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "DISCORD_TOKEN is not set" in done.stderr and "discord.com/developers" in done.stderr


def test_a_model_that_is_not_there_is_one_line(root: Path, small: Path) -> None:
    done = bot(root, small, "run", POOH_MODEL="heffalump", DISCORD_TOKEN=TOKEN)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "heffalump" in done.stderr


def test_check_lists_what_is_right_and_wrong(root: Path, small: Path) -> None:
    done = bot(root, small, "check")
    assert done.returncode == 2 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("WRONG token: DISCORD_TOKEN")]
    assert [line for line in lines if line.startswith("ok    writing: 'Here is")]
    done = bot(root, small, "check", DISCORD_TOKEN=TOKEN)
    assert done.returncode == 0, done.stdout
    assert "ok    /about: no figures, small.summary.json is missing" in done.stdout
    assert "123456789012345678" in done.stdout and TOKEN not in done.stdout
    done = bot(root, small, "check", POOH_MODEL=str(small.with_name("none.safetensors")))
    assert done.returncode == 2 and "WRONG model:" in done.stdout
    done = bot(root, small, "check", "--online")
    assert done.returncode == 2 and "WRONG login: not tried" in done.stdout


def overwrite(small: Path, name: str, value: float) -> None:
    """Put one number everywhere in a matrix of the small network, as no training would."""
    with open_tensors(small) as file:
        header = read_header(file)
        weights = read_tensors(file, header)
    weights[name][:] = value
    write(small, weights, header.about)


def without_digest(small: Path) -> None:
    """As weights were saved before there was one."""
    raw = small.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    del header["__metadata__"]["digest"]
    text = json.dumps(header).encode()
    small.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + size :])


def test_a_full_house_that_compares_candidates_needs_no_more_memory(small: Path) -> None:
    settings = Settings(token=TOKEN, model=str(small), slots=2, candidates=3)
    decoder = front._writer(settings, front._words(settings)).decoder
    assert isinstance(decoder, Decoder)
    for _ in range(2 + 1):  # two stories, of which one has two candidates
        decoder.join()
    capacity = decoder._cache.capacity
    decoder.log_likelihoods([0], [[0], [0, 1]])
    assert decoder._cache.capacity == capacity


def test_check_says_whether_damage_can_be_seen(root: Path, small: Path) -> None:
    done = bot(root, small, "check", DISCORD_TOKEN=TOKEN)
    assert "ok    weights: as they were saved" in done.stdout and done.returncode == 0
    without_digest(small)
    done = bot(root, small, "check", DISCORD_TOKEN=TOKEN)
    assert "ok    weights: saved without a digest" in done.stdout and done.returncode == 0


def test_check_calls_weights_wrong_that_write_no_words(root: Path, small: Path) -> None:
    overwrite(small, "head.weight", 0.0)  # every character is as likely: the first is a newline
    done = bot(root, small, "check", DISCORD_TOKEN=TOKEN)
    assert done.returncode == 2 and done.stderr == ""
    assert re.search(r"WRONG writing: 'Here is.*: no letter", done.stdout)
    for value, what in (
        (math.nan, "WRONG model: .* not finite"),
        (3e38, "WRONG writing: .*finite"),
    ):
        overwrite(small, "head.weight", value)
        done = bot(root, small, "check", DISCORD_TOKEN=TOKEN)
        assert done.returncode == 2 and done.stderr == "" and re.search(what, done.stdout)


def test_check_tells_about_damaged_weights(root: Path, small: Path) -> None:
    small.write_bytes(small.read_bytes()[:-100])
    done = bot(root, small, "check", DISCORD_TOKEN=TOKEN)
    assert done.returncode == 2 and "WRONG model:" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_invite_prints_a_link_for_servers_and_one_for_people(root: Path, small: Path) -> None:
    done = bot(root, small, "invite", DISCORD_TOKEN=TOKEN)
    assert done.returncode == 0
    server, person = done.stdout.splitlines()
    for line, kind in ((server, "0"), (person, "1")):
        assert "client_id=123456789012345678" in line and line.endswith(f"integration_type={kind}")
    assert "scope=bot+applications.commands&permissions=" in server
    assert "scope=applications.commands&" in person and "permissions" not in person


def test_help_names_every_command(root: Path, small: Path) -> None:
    done = bot(root, small, "--help")
    assert done.returncode == 0
    for command in ("run", "terminal", "check", "sync", "invite"):
        assert re.search(rf"^    {command} ", done.stdout, re.M)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An empty folder to work in, and an environment without settings."""
    for name in list(os.environ):
        if name.startswith(("DISCORD_", "POOH_")):
            monkeypatch.delenv(name)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return monkeypatch


async def call(root: Path, small: Path, discord: DiscordServer, *arguments: str) -> tuple[int, str]:
    """Run `python -m bot` against the stand-in; exit code and output."""
    process = await begin(root, small, discord, *arguments)
    async with asyncio.timeout(300):
        output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def begin(
    root: Path, small: Path, discord: DiscordServer, *arguments: str, token: str = ""
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        cwd=small.parent,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith(("DISCORD_", "POOH_"))},
            "PYTHONPATH": str(root),
            "POOH_MODEL": str(small),
            "DISCORD_TOKEN": token or discord.token,
            "DISCORD_API_BASE": discord.api_base,
            "DISCORD_GATEWAY": discord.gateway_url,
            "POOH_LOG_LEVEL": "DEBUG",  # even then nothing private may be logged
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_sync_sends_the_commands_once_and_check_sees_it(root: Path, small: Path) -> None:
    async with DiscordServer() as discord:
        code, output = await call(root, small, discord, "check", "--online")
        assert code == 0 and "login: as pooh" in output and "will be sent" in output
        assert not discord.commands
        assert await call(root, small, discord, "sync") == (0, "The commands were sent.\n")
        assert {c["name"] for c in discord.commands.values()} >= {"pooh", "about", "help"}
        sent = len(discord.requests("PUT"))
        code, output = await call(root, small, discord, "sync")
        assert (code, output) == (0, "Discord has these commands already.\n")
        code, output = await call(root, small, discord, "check", "--online")
        assert code == 0 and "commands: there" in output
        assert len(discord.requests("PUT")) == sent


async def test_a_token_that_discord_refuses_is_one_line(root: Path, small: Path) -> None:
    async with DiscordServer() as discord:
        for command in (("run",), ("sync",)):
            process = await begin(root, small, discord, *command, token=TOKEN)
            async with asyncio.timeout(300):
                output = (await process.communicate())[0].decode()
            assert process.returncode == 2
            assert "Discord does not accept it" in output.splitlines()[-1]
            assert "Traceback" not in output and TOKEN not in output


async def test_check_logs_in_whatever_else_is_wrong(root: Path, small: Path) -> None:
    small.unlink()
    async with DiscordServer() as discord:
        code, output = await call(root, small, discord, "check", "--online")
    assert code == 2 and "WRONG model:" in output and "ok    login: as pooh" in output


@pytest.mark.parametrize(("code", "reason"), [(4004, "does not accept it"), (4013, "code 4013")])
async def test_a_connection_that_discord_closes_for_good_is_one_line(
    code: int, reason: str, root: Path, small: Path
) -> None:
    async with DiscordServer() as discord:
        process = await begin(root, small, discord)
        await discord.until(lambda: discord.gateway.connected, "the bot", patience=120)
        discord.gateway.close(code)
        async with asyncio.timeout(300):
            output = (await process.communicate())[0].decode()
    assert process.returncode == 2 and reason in output.splitlines()[-1]
    assert "Traceback" not in output


async def test_a_discord_that_is_not_there_is_one_line(root: Path, small: Path) -> None:
    async with DiscordServer() as discord:
        pass  # its port is free again
    code, output = await call(root, small, discord, "sync")
    assert code == 75 and "cannot be reached" in output and len(output.splitlines()) == 1
    code, output = await call(root, small, discord, "check", "--online")
    lines = output.splitlines()
    assert code == 75 and lines[0] == "ok    settings: read" and len(lines) > 5
    assert [line[:12] for line in lines if line.startswith("WRONG")] == ["WRONG login:"]
    assert "cannot be reached" in lines[-1]


async def test_what_is_wrong_here_outweighs_what_is_wrong_there(root: Path, small: Path) -> None:
    async with DiscordServer() as discord:
        pass
    small.write_bytes(small.read_bytes()[:-100])
    code, output = await call(root, small, discord, "check", "--online")
    assert code == 2 and output.count("WRONG") == 2


async def test_a_start_without_network_waits_and_ends_when_it_is_told_to(
    root: Path, small: Path
) -> None:
    async with DiscordServer() as discord:
        pass
    process = await begin(root, small, discord)
    assert process.stdout is not None
    async with asyncio.timeout(300):
        line = b""
        while b"trying again" not in line:
            line = await process.stdout.readline()
            assert line, "it ended"
        assert b"cannot be reached" in line and b"trying again in 5 seconds" in line
        assert b"\x1b" not in line, "colours are for terminals"
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ((TOKEN,), {}),
        (("terminal", "--seed", TOKEN), {}),
        (("terminal", "--length", "5", f"My token is {TOKEN}"), {}),
        (("check",), {"POOH_SLOTS": TOKEN}),
        (("check",), {"POOH_MODEL": TOKEN}),
        (("check",), {"POOH_GUILDS": f"1, {TOKEN}"}),
        (("check",), {"POOH_LOG_LEVEL": f"Bot {TOKEN}"}),
        (("check",), {f"POOH_{TOKEN}": "x"}),
        (("invite",), {"DISCORD_TOKEN": f'"{TOKEN}"'}),
    ],
)
def test_a_token_in_the_wrong_place_is_not_printed(
    arguments: tuple[str, ...],
    environment: dict[str, str],
    small: Path,
    host: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {"POOH_MODEL": str(small), **environment}.items():
        host.setenv(name, value)
    with contextlib.suppress(SystemExit):
        front.main(arguments)
    printed = "".join(capsys.readouterr())
    assert printed and TOKEN.split(".")[2][:10] not in printed


@pytest.mark.parametrize(
    "variable",
    ["POOH_SOURCE", "POOH_METRICS_PORT", "DISCORD_API_BASE", "POOH_DATABASE", "POOH_MODEL"],
)
def test_a_password_in_the_wrong_place_is_not_printed(
    variable: str, small: Path, host: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    host.setenv("POOH_MODEL", str(small))
    host.setenv(variable, "redis://:bumblebee@valkey:6379")
    front.main(["check"])
    printed = "".join(capsys.readouterr())
    assert "@valkey" in printed and "bumblebee" not in printed


def test_a_fault_of_the_program_tells_no_secret(
    small: Path, host: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(settings: Settings) -> None:
        raise RuntimeError(f"{settings.token} and bumble bee, which it was told")

    host.setenv("POOH_MODEL", str(small))
    host.setenv("DISCORD_TOKEN", TOKEN)
    host.setenv("POOH_VALKEY", "redis://:bumble%20bee@valkey")
    host.setattr("bot.checks.offline", fail)
    assert front.main(["check"]) == 1
    printed = capsys.readouterr().err
    assert printed.endswith("RuntimeError: <hidden> and <hidden>, which it was told\n")


@pytest.mark.parametrize("command", ["terminal", "check"])
@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + ".safetensors", "a folder", "no/such"])
def test_only_what_talks_to_discord_says_discord(
    name: str, command: str, host: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a folder.safetensors").mkdir()
    host.setenv("POOH_MODEL", f"{name}.safetensors" if name == "a folder" else name)
    host.setenv("DISCORD_TOKEN", TOKEN)
    assert front.main([command]) == 2
    printed = "".join(capsys.readouterr())
    assert "model" in printed or "weights" in printed
    assert "Discord" not in printed
    assert ("Is a directory" in printed) == (name == "a folder")


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    handlers, level, ours = root.handlers[:], root.level, logging.getLogger("bot").level

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def logged(stream: io.StringIO, **environment: str) -> str:
        for name in ("NO_COLOR", "TERM"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stderr", stream)
        logs.set_up(Settings(token=TOKEN))
        logging.getLogger("bot").warning("hello, %s", TOKEN)
        root.handlers[:] = handlers
        assert "hello, <hidden>" in stream.getvalue()
        return stream.getvalue()

    try:
        assert "\x1b[" in logged(Terminal(), TERM="xterm")
        assert "\x1b[" in logged(Terminal(), NO_COLOR="")
        for stream, environment in (
            (Terminal(), {"NO_COLOR": "1"}),
            (Terminal(), {"TERM": "dumb"}),
            (io.StringIO(), {}),
        ):
            assert "\x1b" not in logged(stream, **environment)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.getLogger("bot").setLevel(ours)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_the_story_end_and_ends_the_process(
    number: signal.Signals, root: Path, small: Path
) -> None:
    async with DiscordServer() as discord:
        process = await begin(root, small, discord)
        try:
            await discord.until(lambda: discord.gateway.connected, "the bot", patience=120)
            await discord.until(lambda: discord.commands, "its commands", patience=120)
            use = discord.person().command("pooh", prompt="The mill", length=200)
            await discord.until(lambda: use.original, "its promise", patience=120)
            process.send_signal(number)
            async with asyncio.timeout(300):
                output = (await process.communicate())[0].decode()
            assert process.returncode == 0, output
            assert use.original is not None
            assert "Again" in use.original.buttons
            assert use.original.content.startswith("**The mill**")
        finally:
            if process.returncode is None:
                process.kill()
    assert "The mill" not in output and discord.token not in output
    assert use.token not in output
    assert discord.violations() == []


def test_debug_is_for_the_bot_and_not_for_what_its_libraries_hear(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    handlers, level, ours = root.handlers[:], root.level, logging.getLogger("bot").level
    try:
        logs.set_up(Settings(log_level="DEBUG"))
        event = {
            "t": "INTERACTION_CREATE",
            "d": {"token": "aW50ZXJh", "value": "Something private"},
        }
        for library in ("discord.gateway", "discord.http", "aiohttp.client"):
            logging.getLogger(library).debug("WebSocket Event: %s", event)
        logging.getLogger("bot.writer").debug("this is for the host")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.getLogger("bot").setLevel(ours)
    logged = capsys.readouterr().err
    assert "this is for the host" in logged
    assert "private" not in logged and "aW50ZXJh" not in logged


def test_the_picture_is_the_one_training_left_or_drawn_from_the_summary(tmp_path: Path) -> None:
    weights = tmp_path / "x.safetensors"
    assert pictures.loss_plot(weights) is None and pictures.read_summary(weights) == {}
    weights.with_suffix(".summary.json").write_text(json.dumps(SUMMARY))
    drawn = pictures.loss_plot(weights)
    assert drawn is not None and drawn.startswith(PNG) and len(drawn) > 5000
    weights.with_suffix(".loss.png").write_bytes(PNG)
    assert pictures.loss_plot(weights) == PNG


@pytest.mark.parametrize("content", ["", "[]", '{"history": 3, "read": 1}', '{"history": [1, {}]}'])
def test_a_summary_that_is_damaged_hurts_nobody(content: str, tmp_path: Path) -> None:
    weights = tmp_path / "x.safetensors"
    weights.with_suffix(".summary.json").write_text(content)
    assert pictures.loss_plot(weights) is None
    assert "`x`" in pictures.describe("x", pictures.read_summary(weights))


def test_about_tells_the_figures() -> None:
    text = pictures.describe("pooh", SUMMARY)
    for figure in ("`pooh`", "1,234,567", "5,000,000", "12 texts", "0.50", "1.23", __version__):
        assert figure in text


def test_one_thread_multiplies_unless_the_host_says_otherwise(root: Path) -> None:
    code = "import os, bot.__main__; print(os.environ['OPENBLAS_NUM_THREADS'])"
    clean = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    for given, threads in (({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env={**clean, **given},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == threads
