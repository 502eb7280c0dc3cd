"""The bot in a terminal: the same stories, the same refusals, no Discord and no token."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import Refusal
from bot.prompts import read_prompt
from model.decoder import Decoder
from model.sampling import Sampling
from model.vocab import Vocab
from model.words import WordFilter
from model.writing import generate
from tests.console import Terminal, at_a_terminal
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
    with conversation(root, small) as terminal:
        terminal.wait_for("> ")
        terminal.type("The bee\n")
        terminal.wait_for("]\r\n\r\n> ")  # it waits for the next line now
        # Between the sign and the wait for a key, Python's readline misses one until the next.
        while terminal.process.poll() is None:
            terminal.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                terminal.process.wait(20)  # a second one, while it ends, would be another end
        terminal.wait_for("\r\n")  # the shell's prompt comes on a line of its own
        assert terminal.end() == 130


def conversation(
    root: Path, small: Path, *options: str
) -> contextlib.AbstractContextManager[Terminal]:
    command = [sys.executable, *WARNINGS, "-m", "bot", "terminal", *options]
    return at_a_terminal(command, cwd=small.parent, PYTHONPATH=str(root), POOH_MODEL=str(small))


@pytest.mark.parametrize("farewell", ["quit\n", "/Quit\n", "\x04"])
def test_a_line_is_edited_and_called_back_and_quit_ends_it(
    root: Path, small: Path, farewell: str
) -> None:
    with conversation(root, small, "--seed=4", "--length=40") as terminal:
        terminal.wait_for("> ")
        terminal.type("he bee\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[DT\n")
        first = terminal.wait_for("]\r\n\r\n> ").rpartition("\nThe bee")
        terminal.type("\x1b[A\n")
        second = terminal.wait_for("]\r\n\r\n> ").rpartition("\nThe bee")
        assert first[1] and first[2] == second[2]
        terminal.type(farewell)
        assert terminal.end() == 0


def test_the_buttons_verbs_are_there(root: Path, small: Path) -> None:
    lines = "again\nThe bee\n/again\nWILDER\ncalmer\ncalmer\ncontinue\n"
    lines += "/POOH again\n/ pooh dances\n/help\nquit\nSo"
    done = bot(root, small, "terminal", "--length=60", "--seed=3", "--top-p=0.8", stdin=lines)
    assert (done.returncode, done.stderr) == (0, "")
    early, told, again, wilder, calmer, calmest, more, word, unknown, helped, rest = re.split(
        r"\n\n(?=no story|The bee|again|Pooh|Type|There|$)|(?<=\])\n\n", done.stdout
    )
    assert "no story yet" in early and "does not know that one" in unknown and not rest
    assert all(verb in helped for verb in ("again", "continue", "wilder", "calmer", "quit"))
    assert told.endswith("[small, temperature 0.8, top-p 0.8, seed 3]")
    for story, temperature in ((again, 0.8), (wilder, 1.0), (calmer, 0.8), (calmest, 0.6)):
        assert story.startswith("The bee") and f"temperature {temperature:g}, top-p" in story
    assert not again.endswith("seed 3]"), "another story"
    assert not more.startswith("The bee") and "temperature 0.6" in more
    assert word.startswith("again") and word.endswith("temperature 0.8, top-p 0.8, seed 3]")


def test_refusals_are_those_of_discord(root: Path, small: Path) -> None:
    done = bot(root, small, "terminal", stdin="\u2603\nthe mill \u2603-\nThe bee-\n")
    vocab, words = Vocab(CHARACTERS), WordFilter()
    with pytest.raises(Refusal) as refusal:
        read_prompt("\u2603", vocab, words)
    assert done.stdout.startswith(f"{refusal.value}\n\n")
    assert "1 unknown character" in done.stdout
    assert done.stdout.partition("The bee")[2][0].isalpha(), "the word was asked to go on"


def test_bytes_that_are_no_text_and_a_closed_input_are_no_error(root: Path, small: Path) -> None:
    done = raw(root, small, "", stdin=b"The \xff\xfe bee\n")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"The bee") or done.stdout.startswith(b"The  bee")
    done = raw(root, small, "<&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    ("end", "complaint"),
    [
        (">/dev/full", b"python -m bot: cannot write the text: No space left on device\n"),
        (">&-", b"python -m bot: cannot write the text: standard output is closed\n"),
        ("2>&- >&-", b""),
    ],
)
def test_an_output_that_fails_is_one_line_and_not_discords_fault(
    root: Path, small: Path, end: str, complaint: bytes
) -> None:
    done = raw(root, small, f"The bee {end}")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", complaint)


def raw(
    root: Path, small: Path, end: str, stdin: bytes = b""
) -> "subprocess.CompletedProcess[bytes]":
    """Run the terminal by a shell, which closes or redirects what it is told to."""
    return subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m bot terminal --length 40 {end}'],
        cwd=small.parent,
        env={**os.environ, "PYTHONPATH": str(root), "POOH_MODEL": str(small)},
        input=stdin,
        capture_output=True,
        timeout=300,
        check=False,
    )


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
