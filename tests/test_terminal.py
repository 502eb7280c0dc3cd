"""The bot in a terminal: the same stories, the same refusals, no Discord and no token."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from model.decoder import Decoder
from model.sampling import Sampling, generate
from model.vocab import Vocab
from tests.hosting import CHARACTERS, save_small_network, small_weights

# discord.py imports audioop, which is deprecated, for voice, which is not used.
WARNINGS = ("-W", "error", "-W", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_network(tmp_path_factory.mktemp("small"))


def bot(
    root: Path, small: Path, *arguments: str, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `python -m bot` in an empty folder, as a host does."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DISCORD_", "POOH_"))}
    return subprocess.run(
        [sys.executable, *WARNINGS, "-m", "bot", *arguments],
        cwd=small.parent,
        env={**clean, "PYTHONPATH": str(root), "POOH_MODEL": str(small), **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_it_tells_what_the_network_writes(root: Path, small: Path) -> None:
    wish = ("--length", "90", "--seed", "5", "--temperature", "0.7")
    done = bot(root, small, "terminal", "The", "bee", *wish)
    assert (done.returncode, done.stderr) == (0, "")
    story, note, rest = done.stdout.rsplit("\n", 2)
    assert note == "[small, temperature 0.7, seed 5]" and rest == ""
    sampling = Sampling(length=90, temperature=0.7, seed=5)
    network = Decoder(*small_weights(Vocab(CHARACTERS)))
    alone = "The bee" + "".join(generate(network, Vocab(CHARACTERS), "The bee", sampling))
    assert story.endswith((".", "!", "?", '"'))
    assert alone.startswith(story.removesuffix("..."))
    assert len(story) > 7 + 60
    assert bot(root, small, "terminal", "The bee", *wish).stdout == done.stdout


def test_without_a_prompt_each_line_is_one(root: Path, small: Path) -> None:
    lines = "/pooh The mill\n\nyou nigger\n\u2603\U0001f43b\nSo\n"
    done = bot(root, small, "terminal", "--length", "30", stdin=lines)
    assert (done.returncode, done.stderr) == (0, "")
    stories = done.stdout.split("\n\n")
    assert stories[0].startswith("The mill")
    assert sum("temperature 0.8" in story for story in stories) == 3
    assert "would rather not" in done.stdout and "none of these characters" in done.stdout
    assert "nigger" not in done.stdout


def test_ctrl_c_ends_it_at_once(root: Path, small: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *WARNINGS, "-m", "bot", "terminal"],
        cwd=small.parent,
        env={**os.environ, "PYTHONPATH": str(root), "POOH_MODEL": str(small)},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert b"How does the story begin?" in os.read(ours, 1000)
        os.write(ours, b"The bee\n")
        output = b""
        while not output.endswith(b"]\r\n\r\n"):  # it waits for the next line now
            output += os.read(ours, 1000)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[1] == ""
        assert process.returncode == 130
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)


def test_the_word_filter_is_the_hosts(root: Path, small: Path) -> None:
    wish = ("terminal", "The bee", "--length", "40", "--seed", "1")
    assert bot(root, small, *wish, POOH_WORDS_REFUSED="bee").returncode == 1
    done = bot(root, small, *wish, POOH_WORDS_REFUSED="bee", POOH_WORD_FILTER="off")
    assert done.returncode == 0 and done.stdout.startswith("The bee")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--length", "0"), "--length: 0 is not from 1 to 1500"),
        (("--temperature", "3"), "--temperature: 3 is not from 0"),
        (("--temperature", "nan"), "--temperature: nan is not from 0"),
        (("--seed", "x"), "--seed"),
    ],
)
def test_a_wrong_option_is_one_line(
    arguments: tuple[str, str], complaint: str, root: Path, small: Path
) -> None:
    done = bot(root, small, "terminal", "The", *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert complaint in done.stderr.splitlines()[-1]


def test_it_needs_no_torch_and_no_training(root: Path, small: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = sys.modules['training'] = None\n"
        "from bot.__main__ import main; sys.exit(main(['terminal', 'The', '--length', '9']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=small.parent,
        env={**os.environ, "PYTHONPATH": str(root), "POOH_MODEL": str(small)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_who_reads_only_the_beginning_hears_no_complaint(root: Path, small: Path) -> None:
    command = f'"{sys.executable}" -m bot terminal The --length 1500 | head -c 5'
    done = subprocess.run(
        command,
        shell=True,
        cwd=small.parent,
        env={**os.environ, "PYTHONPATH": str(root), "POOH_MODEL": str(small)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.stdout[:3], done.stderr) == ("The", "")
