"""An output that is closed, or fails, loses the telling and nothing else."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TextIO

import pytest
import torch
import torch._inductor.config
from torch import Tensor

import bot.__main__
import training.chain
import training.corpus
import training.evaluate
import training.fingerprint
import training.train
from model.console import tell
from training.signals import catch_signals, end_cleanly
from training.trainer import Trainer

FULL = Path("/dev/full")  # every write to it fails as on a full disk
TINY = (
    *("--context-length", "16", "--n-layer", "1", "--n-head", "2", "--n-embd", "16"),
    *("--batch-size", "2", "--steps", "30", "--evaluate-every", "1", "--no-compile"),
)


@pytest.fixture
def full() -> Iterator[TextIO]:
    """A stream on a full disk, line by line as Python's own; closing it fails, too."""
    stream = FULL.open("w", buffering=1)
    yield stream
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    stream.close()


@pytest.fixture
def broken() -> Iterator[TextIO]:
    """A pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w", buffering=1)
    yield stream
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    stream.close()


def train(folder: Path, *flags: str) -> int:
    """Train a little; everything goes to the folder."""
    text = Path(__file__).resolve().parents[1] / "data" / "sample.txt"
    folders = ("--output", str(folder), "--checkpoints", str(folder))
    return training.train.main(["--text", str(text), *TINY, *folders, *flags])


@pytest.mark.parametrize("errors", ["full", "broken", "closed"])
def test_a_training_nobody_can_watch_goes_on(
    errors: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stream = None if errors == "closed" else request.getfixturevalue(errors)
    monkeypatch.setattr(sys, "stderr", stream)
    assert train(tmp_path) == 0
    assert (tmp_path / "weights" / "sample.summary.txt").is_file()
    output = capsys.readouterr().out
    assert "try them: python -m model" in output and "step 30/30" not in output


@pytest.mark.parametrize(("output", "code"), [("full", 1), ("broken", 1), ("closed", 0)])
def test_a_training_that_cannot_tell_its_end_has_written_all(
    output: str,
    code: int,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stream = None if output == "closed" else request.getfixturevalue(output)
    monkeypatch.setattr(sys, "stdout", stream)
    assert train(tmp_path) == code
    assert (tmp_path / "weights" / "sample.summary.txt").is_file()
    last = capsys.readouterr().err.splitlines()[-1]
    full = output == "full"
    assert last.startswith("training: cannot write the text" if full else "step 30/30")


def test_a_path_that_the_shell_would_part_is_quoted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(tmp_path / "my models") == 0
    assert capsys.readouterr().out.endswith(
        f"--model '{tmp_path}/my models/weights/sample.safetensors'\n"
    )


def test_ctrl_c_is_noted_whether_or_not_it_can_be_told(
    monkeypatch: pytest.MonkeyPatch, broken: TextIO
) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [(number, signal.getsignal(number)) for number in numbers]
    try:
        for stream, number in ((None, -1), (sys.stderr, broken.fileno())):
            written: list[int] = []

            def write(_: int, text: bytes, number: int = number, to: list[int] = written) -> int:
                to.append(number)
                return os.writev(number, [text])

            monkeypatch.setattr(sys, "stderr", stream)
            monkeypatch.setattr(os, "write", write)
            caught = catch_signals()
            signal.raise_signal(signal.SIGINT)
            assert caught == [signal.SIGINT]
            # Where stderr is closed, 2 may be a file that was opened since.
            assert written == ([] if stream is None else [number])
    finally:
        for signal_number, handler in before:
            signal.signal(signal_number, handler)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of PyTorch's own
@pytest.mark.parametrize("step", [1, 3])
def test_a_signal_that_the_compiler_hears_too_is_no_traceback(
    step: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = [
        (number, signal.getsignal(number))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    ]
    train_step = Trainer._train_step

    def interrupted(self: Trainer) -> Tensor:
        if self.step + 1 == step:
            signal.raise_signal(signal.SIGINT)
            with torch._inductor.config.patch({"cpp.cxx": ("false",)}):
                torch.compile(lambda x: (3 * x).cos())(torch.ones(8))
        return train_step(self)

    monkeypatch.setattr(Trainer, "_train_step", interrupted)
    try:
        assert train(tmp_path) == 128 + signal.SIGINT
    finally:
        torch.compiler.reset()
        for number, handler in before:
            signal.signal(number, handler)
    errors = capsys.readouterr().err
    assert f"stopped while compiling, at step {step - 1}; nothing new is saved" in errors
    assert list(tmp_path.iterdir()) == []


def test_a_second_hangup_does_not_end_what_the_first_has_removed() -> None:
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [(number, signal.getsignal(number)) for number in numbers]
    removed = False
    try:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may have ignored it
        end_cleanly()
        with pytest.raises(SystemExit) as ended:
            try:
                signal.raise_signal(signal.SIGHUP)  # the system's
            finally:
                signal.raise_signal(signal.SIGHUP)  # and the shell's
                removed = True
        assert removed and ended.value.code == 128 + signal.SIGHUP
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@pytest.mark.parametrize("module", [training.evaluate, training.chain, training.fingerprint])
def test_ctrl_c_while_something_is_measured_is_no_traceback(
    module: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "load_texts", interrupted)
    assert module.main(["--output", str(tmp_path / "out")]) == 130
    assert capsys.readouterr() == ("", "")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_told_is_not_told(
    monkeypatch: pytest.MonkeyPatch, full: TextIO, broken: TextIO
) -> None:
    for stream in (full, broken, None):
        monkeypatch.setattr(sys, "stderr", stream)
        tell("nobody hears this")


@pytest.mark.parametrize(
    ("main", "arguments", "code"),
    [(training.corpus.main, ["--list"], 1), (bot.__main__.main, ["check"], 2)],
)
def test_a_list_that_nobody_can_read_is_no_traceback(
    main: Callable[[Sequence[str]], int],
    arguments: list[str],
    code: int,
    tmp_path: Path,
    broken: TextIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for stream in (None, broken):
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(arguments) == (0 if stream and main is bot.__main__.main else code)


@pytest.mark.parametrize("asked", [["--text", "no.txt"], ["--text", ""]])
def test_errors_never_come_among_the_output(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    try:
        assert training.train.main(asked) == 2
    except SystemExit as ended:
        assert ended.code == 2
    assert capsys.readouterr().out == ""


def test_weights_that_cannot_be_written_are_not_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "weights" / "sample.safetensors"
    weights.mkdir(parents=True)  # what cannot be replaced by a file
    assert train(tmp_path, "--overwrite") == 2
    output, errors = capsys.readouterr()
    assert output == "" and errors.splitlines()[-1] == (
        f"training: {weights}: cannot be written: not a file; what was saved last is in "
        f"{tmp_path}/sample.checkpoint.safetensors: make room, and --resume"
    )
    weights.rmdir()
    assert train(tmp_path, "--resume") == 0
    assert weights.is_file()
