"""`python -m training.train` as a user calls it, and as a power cut ends it."""

import fcntl
import hashlib
import json
import math
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import torch

from model.vocab import Vocab
from model.weights import load_decoder, load_gpt
from training.config import TrainingConfig, all_fields
from training.measures import losses
from training.texts import read
from training.train import main

ROOT = Path(__file__).resolve().parents[1]
STEPS = 150
SMALL = (
    "--context-length 16 --attention-window 8 --far-blocks 0 --n-layer 1 --n-head 2 --n-embd 16 "
    "--batch-size 8 --dropout 0.1 "
    "--ngram-orders 2,3 --ngram-words 1 --ngram-rows 300 --ngram-width 4 --ngram-least 2 "
    f"--steps {STEPS} --evaluate-every 1 --no-compile --device cpu --dtype float32"
).split()


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of the sample, for short trainings."""
    path = tmp_path_factory.mktemp("texts") / "story.txt"
    path.write_text((ROOT / "data" / "sample.txt").read_text("utf-8")[:3000])
    return path


def start(folder: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start a training whose files go to `folder`, its progress to a pipe."""
    command = [sys.executable, "-m", "training.train", *map(str, arguments)]
    command += ["--output", str(folder), "--checkpoints", str(folder)]
    return subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    """Wait for a training to end with an exit code; what it said."""
    output, errors = process.communicate()
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    return output, errors


def interrupt(process: subprocess.Popen[str], step: int, number: int) -> None:
    """Send a signal after a step, and surely before the last one.

    The pipe is made so small that a training gets no more than some forty steps ahead of the one
    who reads it.
    """
    assert process.stderr is not None
    fcntl.fcntl(process.stderr, fcntl.F_SETPIPE_SZ, 4096)
    line = next(line for line in process.stderr if line.startswith(f"step {step}/"))
    assert f"/{STEPS}" in line
    process.send_signal(number)


@pytest.fixture(scope="module")
def uninterrupted(text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    output, errors = finish(start(folder, "--text", text, *SMALL))
    assert f"step {STEPS}/{STEPS}" in errors
    assert "validation" in errors
    assert "python -m model --model" in output
    return folder


def shelf(folder: Path) -> Path:
    """A folder with two small books: one of the voice, in ten chapters, and one of the library."""
    sample = (ROOT / "data" / "sample.txt").read_text("utf-8")
    half = len(sample) // 2
    parts = [sample[i * half // 10 : (i + 1) * half // 10] for i in range(10)]
    numerals = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
    folder.mkdir()
    chapters = (f"CHAPTER {n}\n\n{part}" for n, part in zip(numerals, parts, strict=True))
    (folder / "winnie-the-pooh.txt").write_text("\n\n".join(chapters))
    (folder / "the-velveteen-rabbit.txt").write_text(sample[half:])
    return folder


def summary(folder: Path) -> dict[str, object]:
    """The summary of the training `story`."""
    found = json.loads((folder / "weights" / "story.summary.json").read_text())
    assert isinstance(found, dict)
    return found


def test_everything_is_there_and_nothing_else(uninterrupted: Path) -> None:
    found = {str(p.relative_to(uninterrupted)) for p in uninterrupted.rglob("*") if p.is_file()}
    products = {"safetensors", "summary.json", "summary.txt", "loss.png"}
    assert found == {
        *(f"weights/story.{product}" for product in products),
        "vocab/story.json",
        "story.checkpoint.safetensors",
    }
    picture = matplotlib.image.imread(uninterrupted / "weights" / "story.loss.png")
    assert picture.ndim == 3
    assert np.ptp(picture) > 0.5


def test_the_weights_load_for_learning_and_for_writing(uninterrupted: Path) -> None:
    path = uninterrupted / "weights" / "story.safetensors"
    decoder, vocab = load_decoder(path)
    gpt, same = load_gpt(path)
    assert vocab == same == Vocab.load(uninterrupted / "vocab" / "story.json")
    assert gpt.config == decoder.config
    assert gpt.config.ngram_orders == (2, 3)
    assert decoder.read(decoder.join(), vocab.encode("\n")).shape == (len(vocab),)


def test_the_summary_is_true(uninterrupted: Path, text: Path) -> None:
    told = json.loads((uninterrupted / "weights" / "story.summary.json").read_text())
    gpt, vocab = load_gpt(uninterrupted / "weights" / "story.safetensors")
    assert told["parameters"] == sum(parameter.numel() for parameter in gpt.parameters())
    assert told["steps"] == STEPS
    # Where windows overlap each target counts once.
    assert 0.95 * STEPS * 8 * 16 < told["characters_seen"] <= STEPS * 8 * 16
    assert told["network"]["n_embd"] == 16
    assert told["training"]["optimisation"]["batch_size"] == 8
    assert "--steps 150" in told["command"]
    assert told["versions"]["torch"] == torch.__version__
    assert told["machine"]["device"] == "cpu"
    texts = read(TrainingConfig.of(text=str(text)))
    (training_text, _), *_ = texts.library
    assert told["read"]["characters"] == len(training_text)
    assert told["read"]["sha256"] == texts.digest
    # The loss it tells is the loss of the weights it shipped, but for their rounding.
    ids = np.array(vocab.encode(texts.validation))
    loss = told["validation_loss"]
    assert loss["nats"] == pytest.approx(losses(gpt, ids).mean(), rel=0.01)
    assert loss["bits"] == pytest.approx(loss["nats"] / math.log(2))
    history = told["history"]
    assert [point["step"] for point in history] == list(range(1, STEPS + 1))
    assert loss["nats"] == min(point["validation"] for point in history)
    assert history[-1]["train"] < history[0]["train"]
    page = (uninterrupted / "weights" / "story.summary.txt").read_text()
    had = told["machine"]
    assert f"cpu, {had['threads']} of {had['cores']} cores" in page
    for value in (f"{told['parameters']:,}", f"{loss['nats']:.4f}", texts.digest):
        assert value in page


def test_a_training_killed_stopped_and_resumed_ends_the_same(
    uninterrupted: Path, text: Path, tmp_path: Path
) -> None:
    arguments = ["--text", str(text), *SMALL, "--save-every", "0"]
    killed = start(tmp_path, *arguments)
    interrupt(killed, 20, signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "weights").exists()

    terminated = start(tmp_path, *arguments, "--resume")
    interrupt(terminated, 60, signal.SIGTERM)
    _, errors = finish(terminated, 128 + signal.SIGTERM)
    assert "--resume" in errors.splitlines()[-1]
    assert not (tmp_path / "weights").exists()

    # The flags are in the checkpoint: they need not be given again.
    stopped = start(tmp_path, "--text", text, "--save-every", "1000", "--resume")
    interrupt(stopped, 90, signal.SIGINT)
    finish(stopped, 128 + signal.SIGINT)

    finish(start(tmp_path, "--text", text, "--resume"))
    for product in ("weights/story.safetensors", "vocab/story.json"):
        whole, resumed = ((folder / product).read_bytes() for folder in (uninterrupted, tmp_path))
        assert hashlib.sha256(whole).digest() == hashlib.sha256(resumed).digest(), product
    assert summary(tmp_path)["history"] == summary(uninterrupted)["history"]


@pytest.mark.parametrize("source", ["text", "books"])
def test_two_processes_learn_what_one_does(source: str, text: Path, tmp_path: Path) -> None:
    read = ["--text", str(text)]
    if source == "books":  # a voice and a library, as the preset `pooh` has
        read = [
            "--books",
            str(shelf(tmp_path / "books")),
            "--only",
            "winnie-the-pooh,the-velveteen-rabbit",
        ]
        read += ["--name", "story", "--n-kv-head", "1", "--voice", "1,2"]
    arguments = [
        *read,
        *SMALL,
        "--dropout",  # each process would draw its own
        "0",
        "--ngram-dropout",
        "0",
        "--steps",
        "40",
        "--evaluate-every",
        "5",
    ]
    one, two = tmp_path / "one", tmp_path / "two"
    assert main([*arguments, "--output", str(one), "--checkpoints", str(one)]) == 0
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += ["-m", "training.train"]
    result = subprocess.run(
        [sys.executable, *command, *arguments, "--output", str(two), "--checkpoints", str(two)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("parameters ") == 1, "only one process reports"
    machine = summary(two)["machine"]
    assert isinstance(machine, dict)
    assert machine["processes"] == 2
    curves = []
    for folder in (one, two):
        history = summary(folder)["history"]
        assert isinstance(history, list)
        curves.append([[p["train"], p["train_last_quarter"], p["validation"]] for p in history])
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-3)  # rounding grows with the steps


def test_training_stops_early_when_validation_no_longer_improves(
    text: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # At such rates nothing can be learned after a while.
    code = main(
        [
            *SMALL,
            "--text",
            str(text),
            "--patience",
            "3",
            "--matrix-lr",
            "0.5",
            "--vector-lr",
            "0.5",
            "--output",
            str(tmp_path),
            "--checkpoints",
            str(tmp_path),
        ]
    )
    assert code == 0
    assert "stopped early" in capfd.readouterr().err
    found = summary(tmp_path)
    history = found["history"]
    assert isinstance(history, list)
    assert len(history) < STEPS
    validations = [point["validation"] for point in history]
    assert min(validations) not in validations[-3:]
    assert found["weights_kept"] == "best"


def test_a_disk_too_full_for_checkpoints_still_gets_the_weights(
    text: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folders = ["--output", str(tmp_path / "out"), "--checkpoints", str(tmp_path / "checkpoints")]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, before[1]))
    try:
        arguments = ["--text", str(text), *SMALL, "--steps", "3", "--save-every", "0"]
        assert main([*arguments, *folders]) == 0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    errors = capfd.readouterr().err
    assert errors.count("no checkpoint: File too large") == 4  # after each step, and at the end
    assert not (tmp_path / "checkpoints").exists(), "nothing came into it"
    load_decoder(tmp_path / "out" / "weights" / "story.safetensors")


def test_a_training_that_diverges_leaves_what_was_there(
    text: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folders = ["--output", str(tmp_path), "--checkpoints", str(tmp_path)]
    arguments = ["--text", str(text), *SMALL, *folders]
    assert main([*arguments, "--steps", "3"]) == 0
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    capfd.readouterr()
    wild = ["--matrix-lr", "1", "--weight-decay", "1000", "--warmup", "0"]
    assert main([*arguments, *wild]) == 2
    output, errors = capfd.readouterr()
    assert output == ""
    assert "no longer a finite number" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_what_memory_cannot_hold_is_one_line(text: Path, tmp_path: Path) -> None:
    folders = ["--output", str(tmp_path), "--checkpoints", str(tmp_path)]
    huge = ["--n-layer", "1", "--n-head", "2", "--n-embd", "32768", "--no-compile"]
    result = subprocess.run(
        [sys.executable, "-m", "training.train", "--text", str(text), *huge, *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30)),
    )
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "not enough memory" in result.stderr


def test_a_console_that_cannot_say_the_name_does_not_mind(tmp_path: Path) -> None:
    story = _write(tmp_path / "мишка.txt", (ROOT / "data" / "sample.txt").read_text("utf-8"))
    folders = ["--output", str(tmp_path), "--checkpoints", str(tmp_path), "--steps", "2"]
    result = subprocess.run(
        [sys.executable, "-m", "training.train", "--text", str(story), *SMALL, *folders],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "cp1252"},
        capture_output=True,
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "weights" / "мишка.safetensors").is_file()
    assert b"?????" in result.stdout


def test_help_explains_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    page = capsys.readouterr().out
    for _, field in all_fields():
        assert f"--{field.name.replace('_', '-')}" in page
    assert "--preset" in page
    assert "--resume" in page


Bad = tuple[list[str], str]
BAD: dict[str, Callable[[Path], Bad]] = {
    "no text": lambda tmp: (["--text", str(tmp / "no.txt")], "no.txt"),
    "nothing to validate on": lambda tmp: (
        ["--text", str(ROOT / "data/sample.txt"), "--validation-text", str(_write(tmp / "e", " "))],
        "e: no text in it",
    ),
    "an empty text": lambda tmp: (["--text", str(_write(tmp / "empty.txt", ""))], "empty.txt"),
    "a picture": lambda tmp: (["--text", str(_write(tmp / "a.txt", "\0\1\2\3"))], "a.txt"),
    "a folder": lambda tmp: (["--text", str(tmp)], tmp.name),
    "no books": lambda tmp: (["--books", str(tmp), "--preset", "classic"], "training.corpus"),
    "books beside a text": lambda tmp: (
        ["--text", str(_write(tmp / "a.txt", "a b c")), "--only", "winnie-the-pooh"],
        "--only",
    ),
    "an unknown book": lambda tmp: (["--only", "moby-dick"], "moby-dick"),
    "a device that is not there": lambda tmp: (
        [
            *("--text", str(ROOT / "data" / "sample.txt"), "--device"),
            "mps" if torch.cuda.is_available() else "cuda",
        ],
        "device",
    ),
    "no checkpoint": lambda tmp: (["--text", str(tmp / "x.txt"), "--resume"], "--resume"),
    "nothing where a text is named": lambda tmp: (["--text", ""], "--text"),
    "nothing where a network is named": lambda tmp: (["--init", ""], "--init"),
    "a text that gives no name": lambda tmp: (["--text", "/"], "give a --name"),
    "a text with a name that Windows has": lambda tmp: (["--text", "con.txt"], "give a --name"),
    "a seed too large": lambda tmp: (["--text", "x", "--seed", str(2**64)], "seed = "),
    "too many threads": lambda tmp: (["--text", "x", "--threads", str(2**40)], "threads = "),
    "a bad number": lambda tmp: (["--batch-size", "many"], "--batch-size"),
    "a number out of range": lambda tmp: (["--batch-size", "0"], "batch_size"),
    "a bad list": lambda tmp: (["--ngram-orders", "2,x"], "--ngram-orders"),
    "an unknown flag": lambda tmp: (["--batchsize", "3"], "--batchsize"),
    "an unknown preset": lambda tmp: (["--preset", "owl"], "--preset"),
    "a bad shape": lambda tmp: (
        ["--text", str(ROOT / "data" / "sample.txt"), "--n-embd", "10", "--n-head", "4"],
        "n_embd",
    ),
}


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("mistake", BAD)
def test_a_mistake_is_told_in_one_line_and_leaves_nothing(
    mistake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs, outputs = tmp_path / "inputs", tmp_path / "outputs"
    inputs.mkdir()
    arguments, message = BAD[mistake](inputs)
    arguments += ["--output", str(outputs), "--checkpoints", str(outputs)]
    try:
        code = main(arguments)
    except SystemExit as stopped:  # argparse
        code = int(stopped.code or 0)
    output, errors = capsys.readouterr()
    assert code == 2
    assert output == ""
    assert len(errors.splitlines()) == 1, errors
    assert message in errors
    assert not outputs.exists()


def test_an_output_that_cannot_be_written_is_told_before_the_first_step(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for output in (text, text / "below"):
        folders = ["--output", str(output), "--checkpoints", str(tmp_path)]
        assert main(["--text", str(text), *SMALL, *folders]) == 2
        said, errors = capsys.readouterr()
        assert said == "" and len(errors.splitlines()) == 1 and f"--output: {output}" in errors
        folders = ["--output", str(tmp_path), "--checkpoints", str(output)]
        assert main(["--text", str(text), *SMALL, *folders]) == 2
        said, errors = capsys.readouterr()
        assert said == "" and len(errors.splitlines()) == 1 and f"--checkpoints: {output}" in errors
    assert list(tmp_path.iterdir()) == []


def test_another_text_cannot_be_resumed(
    uninterrupted: Path, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = _write(tmp_path / "story.txt", text.read_text() + "The end.\n")
    before = (uninterrupted / "story.checkpoint.safetensors").read_bytes()
    code = main(
        [
            "--text",
            str(other),
            "--resume",
            "--output",
            str(tmp_path),
            "--checkpoints",
            str(uninterrupted),
        ]
    )
    assert code == 2
    assert "the text is not the one" in capsys.readouterr().err
    assert (uninterrupted / "story.checkpoint.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("--n-layer", "3"), "n_layer = 3: this training has 1"),
        (("--seed", "2"), "seed = 2: this training has 1"),
        (("--voice", "1,2"), "voice = (1.0, 2.0): this training has (1.0,)"),
        (("--matrix-lr", "1"), "matrix_lr = 1.0: this training has 0.02"),
        (("--keep", "last"), "keep = 'last': this training has 'best'"),
        (("--steps", "5"), f"steps = 5: {STEPS} steps are done already"),
        (("--epochs", "0.1"), f"epochs = 0.1: {STEPS} steps are done already"),
    ],
)
def test_only_what_may_change_changes_at_a_resume(
    change: tuple[str, ...],
    told: str,
    uninterrupted: Path,
    text: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = {p: p.read_bytes() for p in uninterrupted.rglob("*") if p.is_file()}
    folders = ["--output", str(uninterrupted), "--checkpoints", str(uninterrupted)]
    assert main(["--text", str(text), "--resume", *change, *folders]) == 2
    errors = capsys.readouterr().err
    assert len(errors.splitlines()) == 1
    assert told in errors
    assert {p: p.read_bytes() for p in uninterrupted.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize(
    ("file", "name"), [(b"-my own  story-.txt", "my-own-story"), (b"caf\xe9.txt", "caf")]
)
def test_a_name_is_made_of_the_text_s(file: bytes, name: str, tmp_path: Path) -> None:
    story = tmp_path / os.fsdecode(file)
    story.write_text((ROOT / "data" / "sample.txt").read_text("utf-8"))
    folders = ["--output", str(tmp_path), "--checkpoints", str(tmp_path)]
    assert main(["--text", str(story), *SMALL, "--steps", "2", *folders]) == 0
    written = sorted(path.name for path in (tmp_path / "weights").iterdir())
    endings = ("loss.png", "safetensors", "summary.json", "summary.txt")
    assert written == [f"{name}.{ending}" for ending in endings]


@pytest.mark.parametrize("command", ["train --text data/sample.txt", "evaluate", "corpus"])
def test_without_the_extra_one_line_says_how_to_get_it(command: str, tmp_path: Path) -> None:
    for name in ("torch", "rich", "safetensors", "matplotlib"):
        blocked = f"raise ModuleNotFoundError('no {name}', name='{name}')\n"
        (tmp_path / f"{name}.py").write_text(blocked)
    for asked, code in ((f"{command} --help", 0), (command, 2)):
        result = subprocess.run(
            [sys.executable, "-m", *f"training.{asked}".split()],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert result.returncode == code, result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "pip install '.[train]'" in result.stderr
