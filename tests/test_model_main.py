"""`python -m model`, as it is called in a terminal."""

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.sampling import Sampling
from model.sentences import SENTENCE_END, ending
from model.vocab import Vocab
from model.weights import load_decoder, save
from model.words import WordFilter
from model.writing import CANDIDATES, generate
from tests.console import at_a_terminal
from tests.networks import PLAIN, random_gpt, tensors

VOCAB = Vocab("\n abcdefghi")  # as many as PLAIN has
WAIT = 300  # seconds; only a hanging program is ever waited for so long


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    VOCAB.save(folder / "small.json")
    path = folder / "small.safetensors"
    save(path, PLAIN, VOCAB, tensors(random_gpt(PLAIN)))
    return path


def call(
    root: Path, *arguments: str | Path, before: str = "", **options: object
) -> "subprocess.CompletedProcess[str]":
    """Run the program with a line of Python before it."""
    code = f"{before}\nimport runpy; runpy.run_module('model', run_name='__main__')"
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **options}
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        cwd=root,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=WAIT,
        **options,
    )


def wanted(small: Path, prompt: str, **settings: int | float) -> str:
    decoder, vocab = load_decoder(small)
    sampling = Sampling(candidates=CANDIDATES, **settings)  # type: ignore[arg-type]
    story, cut = ending("".join(generate(decoder, vocab, prompt, sampling)), sampling.length)
    return f"{prompt}{story}{'...' * cut}\n"


def test_it_writes_prompt_and_continuation_and_nothing_else(root: Path, small: Path) -> None:
    settings = {"temperature": 1.5, "length": 40, "top_k": 5, "top_p": 0.9, "seed": 3}
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    done = call(root, "bad egg", "--model", small, *flags)
    assert (done.stdout, done.stderr, done.returncode) == (
        wanted(small, "bad egg", **settings),
        "",
        0,
    )


def test_it_needs_no_torch_and_imports_none(root: Path, small: Path) -> None:
    blocked = "import sys; sys.modules['torch'] = None"
    done = call(root, "a", "--model", small, "--temperature", "0", before=blocked)
    assert done.stdout == wanted(small, "a", temperature=0)
    assert (done.stderr, done.returncode) == ("", 0)


def test_what_it_cannot_say_is_told_on_stderr(root: Path, small: Path) -> None:
    done = call(root, "bé😀d\ta", "--model", small, "--length", "5", "--seed", "1")
    assert done.stdout == wanted(small, "bed a", length=5, seed=1)
    assert done.stderr == "the model cannot say, so dropped: '\\U0001f600'\n"
    assert done.returncode == 0


def test_without_a_prompt_each_line_starts_a_story(root: Path, small: Path) -> None:
    done = call(
        root,
        "--model",
        small,
        "--length",
        "9",
        "--seed",
        "2",
        stdin=None,
        input="abc\r\n\n\x1b[Ad\x1b[1;5D",
    )
    stories = [wanted(small, prompt, length=9, seed=2) for prompt in ("abc", "", "d")]
    assert (done.stdout, done.stderr, done.returncode) == ("".join(stories), "", 0)


def test_bytes_that_are_no_text_are_dropped(root: Path, small: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "model", "--model", small, "--length", "4", "--seed", "2"],
        cwd=root,
        input=b"a\xff\xfeb\n",
        capture_output=True,
        timeout=WAIT,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert done.stdout.decode() == wanted(small, "ab", length=4, seed=2)
    assert done.returncode == 0


def test_somebody_at_a_terminal_is_asked_for_a_line(root: Path, small: Path) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, b"abc\n\x04")  # a line, then the end
    done = call(root, "--model", small, "--length", "9", "--seed", "2", stdin=theirs)
    os.close(ours)
    os.close(theirs)
    assert done.stdout == wanted(small, "abc", length=9, seed=2)
    assert (done.stderr, done.returncode) == ("> > ", 0)


def test_words_without_quotes_are_one_prompt(root: Path, small: Path) -> None:
    done = call(root, "bad", "--seed=3", "egg", "--model", small, "--length", "20", "a")
    assert done.stdout == wanted(small, "bad egg a", length=20, seed=3)
    done = call(root, "--model", small, "--length", "20", "--seed", "3", "")
    assert done.stdout == wanted(small, "", length=20, seed=3)
    # Behind "--" all are words; this vocabulary has no hyphens.
    done = call(root, "bad", "--model", small, "--length=20", "--seed=3", "--", "-egg", "--seed")
    assert done.stdout == wanted(small, "bad egg eed", length=20, seed=3)


def test_a_hyphen_at_the_end_lets_the_last_word_go_on(root: Path, small: Path) -> None:
    done = call(root, "bad-", "--model", small, "--length", "20", "--seed", "3")
    assert done.stdout == wanted(small, "bad", length=20, seed=3, whole_word=False)
    assert done.stdout[3] in "abcdefghi" and not wanted(small, "bad", length=20)[3].isalnum()
    assert done.stderr == ""  # this vocabulary has no hyphen, and needs none


def test_a_word_of_the_list_is_neither_taken_nor_written(root: Path, small: Path) -> None:
    done = call(root, "bad fag", "--model", small)
    assert (done.stdout, done.returncode) == ("", 1) and "--no-word-filter" in done.stderr
    decoder, vocab = load_decoder(small)

    def written(seed: int) -> str:
        sampling = Sampling(length=30, temperature=1.5, top_p=1.0, seed=seed, whole_word=False)
        return "".join(generate(decoder, vocab, "bad fa", sampling))

    seed = next(seed for seed in range(5000) if re.match(r"g\s", written(seed)))
    how = ["--model", str(small), "--length=30", "--temperature=1.5", "--top-p=1", f"--seed={seed}"]
    free = call(root, "bad fa-", *how, "--no-word-filter")
    assert re.match(r"bad fag\s", free.stdout)
    kept = call(root, "bad fa-", *how)
    assert kept.returncode == 0 and kept.stdout.startswith("bad fa")
    assert not WordFilter().refuses(kept.stdout)


def test_a_text_with_a_word_of_the_list_is_not_explained(root: Path, small: Path) -> None:
    lines = "bad fag\nbad egg had a bad head\n"
    done = call(root, "--how", "--model", small, stdin=None, input=lines)
    assert "fag" not in done.stdout and "egg" in done.stdout
    assert done.stderr.startswith("refused: ") and done.returncode == 0  # the next line is taken


def test_a_prompt_of_which_nothing_is_left_begins_no_text(root: Path, small: Path) -> None:
    done = call(root, "😀", "--model", small)
    assert "refused: no character of it" in done.stderr
    assert (done.stdout, done.returncode) == ("", 1)


def test_the_shipped_model_ends_with_a_sentence(root: Path) -> None:
    done = call(root, "Rabbit", "found", "a", "car", "--model", "classic", "--seed", "2")
    assert done.stdout.startswith("Rabbit found a car")
    assert not done.stdout[len("Rabbit found a car")].isalnum()
    assert SENTENCE_END.search(done.stdout[-5:].rstrip("\n"))


def test_a_line_in_a_terminal_can_be_edited(root: Path, small: Path) -> None:
    command = [sys.executable, "-m", "model", "--model", str(small), "--length=9", "--seed=2"]
    with at_a_terminal(command, cwd=root) as terminal:
        story = wanted(small, "bcad", length=9, seed=2).replace("\n", "\r\n")
        terminal.wait_for("> ")
        terminal.type("bx\x7fad\x1b[D\x1b[Dc\n")  # b, x, rubbed out, ad, two to the left, c
        assert story in terminal.wait_for("\n> ")
        terminal.type("\x1b[A\n")  # the line before
        assert story in terminal.wait_for("\n> ")
        terminal.type("\x04")
        assert terminal.end() == 0


def test_an_input_that_cannot_be_read_is_one_line(root: Path, small: Path) -> None:
    unreadable = os.open(os.devnull, os.O_WRONLY)
    done = call(root, "--model", small, stdin=unreadable)
    os.close(unreadable)
    assert done.stderr == "python -m model: cannot read the input: Bad file descriptor\n"
    assert (done.stdout, done.returncode) == ("", 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--temperature", "2.5"], "temperature = 2.5: must be a number from 0 to 2.0"),
        (["--temperature", "hot"], "argument --temperature: invalid float value: 'hot'"),
        (["--length", "0"], "length = 0: must be a whole number from 1"),
        (["--top-k", "-1"], "top_k = -1"),
        (["--top-p", "0"], "top_p = 0.0"),
        (["--seed", "-1"], "seed = -1"),
        (["--colour", "red"], "unrecognized arguments: --colour red"),
        (["--model", "nobody"], "no model is named 'nobody'"),
        (["--model", "/nowhere/x.safetensors"], "/nowhere/x.safetensors: cannot read the weights"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    root: Path, small: Path, arguments: list[str], message: str
) -> None:
    done = call(root, "a", "--model", small, *arguments)
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("python -m model: ")
    assert (done.stdout, done.returncode) == ("", 2)


def test_a_vocabulary_in_which_no_story_starts_is_one_line(root: Path, tmp_path: Path) -> None:
    path, vocab = tmp_path / "odd.safetensors", Vocab("abcdefghijk")
    vocab.save(path.with_suffix(".json"))
    save(path, PLAIN, vocab, tensors(random_gpt(PLAIN)))
    done = call(root, "", "--model", path)
    assert done.stderr.startswith("python -m model: character '\\n' at position 0 is not in")
    assert (done.stderr.count("\n"), done.stdout, done.returncode) == (1, "", 2)


def test_weights_that_answer_with_nonsense_are_one_line(root: Path, tmp_path: Path) -> None:
    path, held = tmp_path / "odd.safetensors", tensors(random_gpt(PLAIN))
    held["head.weight"] = np.full_like(held["head.weight"], 3e38)  # finite, but its sums are not
    VOCAB.save(path.with_suffix(".json"))
    save(path, PLAIN, VOCAB, held)
    done = call(root, "", "--model", path)
    assert done.stderr.startswith("python -m model: the network's logits are not finite")
    assert (done.stderr.count("\n"), done.stdout, done.returncode) == (1, "", 2)


def test_a_reader_who_leaves_early_is_no_error(root: Path, small: Path) -> None:
    code = "import runpy; runpy.run_module('model', run_name='__main__')"
    with subprocess.Popen(
        [sys.executable, "-c", code, "abc", "--model", small, "--length", "1000000"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(10)[:3] == b"abc"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(WAIT) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(root: Path, small: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = call(root, "a", "--model", small, stdout=full)
    assert done.stderr == "python -m model: cannot write the text: No space left on device\n"
    assert done.returncode == 1


def test_closed_streams_are_no_traceback(root: Path, small: Path) -> None:
    shell = f"{sys.executable} -m model --model {small} --length 3"
    ends = [("a <&- >&-", 1), ("<&-", 0), ("a 2>&-", 0), ("'a😀' 2>&-", 0)]
    for end, code in ends:
        done = subprocess.run(
            ["sh", "-c", f"{shell} {end}"], cwd=root, capture_output=True, text=True, timeout=WAIT
        )
        assert "Traceback" not in done.stderr
        assert "dropped" not in done.stdout
        assert done.returncode == code


def test_one_thread_multiplies_unless_the_environment_says_otherwise(
    root: Path, small: Path
) -> None:
    code = (
        "import os; from model.__main__ import main; main();"
        "print(os.environ['OPENBLAS_NUM_THREADS'], len(os.listdir('/proc/self/task')))"
    )
    clean = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    for given, told in (({}, "1 1"), ({"OPENBLAS_NUM_THREADS": "2"}, "2 ")):
        done = subprocess.run(
            [sys.executable, "-c", code, "abc", "--model", small, "--length", "3"],
            cwd=root,
            env={**clean, **given},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines()[-1].startswith(told)


def test_ctrl_c_is_no_traceback(root: Path, small: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "model", "abc", "--model", small, "--length", "1000000"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(20)[:3] == b"abc"  # each character comes as it is written
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.stderr.read() == b""
        assert process.wait(WAIT) == 130
