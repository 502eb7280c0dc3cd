"""A checkpoint that was changed, cut or made by hand is refused in one line."""

import errno
import fcntl
import json
import os
import random
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from model.tensors import open_tensors, read_header, read_tensors, write
from tests.test_training import TABLE, trainer
from training import checkpoints
from training.checkpoints import CheckpointError
from training.config import TrainingConfig
from training.train import main

CONFIG = TABLE.replace(keep="best", average=1.0, evaluate_every=2, steps=30)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A checkpoint with everything in it: table, mean, moments, kept weights."""
    begun = trainer(CONFIG)
    for progress in begun.run():
        if progress.step == 11:
            break
    assert begun.kept
    assert begun.learner.mean
    path = tmp_path_factory.mktemp("whole") / "x.safetensors"
    checkpoints.save(path, begun, {"training": CONFIG.to_json()})
    return path.read_bytes()


@pytest.fixture
def path(whole: bytes, tmp_path: Path) -> Path:
    """That checkpoint, to be harmed."""
    path = tmp_path / "x.checkpoint.safetensors"
    path.write_bytes(whole)
    return path


def refused(path: Path, message: str = ".") -> None:
    """It is refused, in one line that names it."""
    with pytest.raises(CheckpointError, match=message) as caught:
        checkpoints.load(path, trainer(CONFIG))
    assert len(str(caught.value).splitlines()) == 1
    assert str(path) in str(caught.value)


def test_a_flipped_bit_is_found_wherever_it_is(path: Path, whole: bytes) -> None:
    header = 8 + int.from_bytes(whole[:8], "little")
    draw = random.Random(1)
    places = [
        *draw.sample(range(header * 8), 60),
        *draw.sample(range(header * 8, len(whole) * 8), 60),
    ]
    for place in places:
        changed = bytearray(whole)
        changed[place // 8] ^= 1 << place % 8
        path.write_bytes(changed)
        refused(path)


def test_a_cut_file_is_found(path: Path, whole: bytes) -> None:
    for size in (0, 7, 8, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        refused(path, "damaged")
    path.write_bytes(whole + b"\0")
    refused(path, "damaged")


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    for there, message in ((tmp_path, "cannot read"), (tmp_path / "x", "begin without --resume")):
        with pytest.raises(CheckpointError, match=message):
            checkpoints.read_about(there)
        refused(there, message)


Arrays = dict[str, np.ndarray[Any, Any]]


def rewrite(path: Path, change: Callable[[Arrays, dict[str, Any]], None]) -> None:
    """Change what a checkpoint holds, and sign it anew."""
    with open_tensors(path) as file:
        header = read_header(file)
        arrays = read_tensors(file, header)
    state = json.loads(arrays["state"].tobytes())
    change(arrays, state)
    if "state" in arrays:
        arrays["state"] = np.frombuffer(json.dumps(state).encode(), np.uint8)
    write(path, arrays, header.about)


def test_who_asks_for_a_checkpoint_that_is_not_there_is_told_of_those_that_are(
    tmp_path: Path,
) -> None:
    for name in ("my story", "b"):
        (tmp_path / f"{name}.checkpoint.safetensors").touch()
    with pytest.raises(CheckpointError, match=r"--name of one: b, my story$"):
        checkpoints.read_about(tmp_path / "pooh.checkpoint.safetensors")


def test_each_tensor_is_missed(path: Path, whole: bytes) -> None:
    with open_tensors(path) as file:
        names = list(read_header(file).places)
    for kind in (
        "model.",
        "mean.",
        "kept.",
        "matrices.",
        "vectors.",
        "table.",
        "random.",
        "l",
        "s",
    ):
        name = next(name for name in names if name.startswith(kind))
        path.write_bytes(whole)
        rewrite(path, lambda arrays, _, name=name: arrays.__delitem__(name))  # type: ignore[misc]
        refused(path)


@pytest.mark.parametrize("name", ["model.x", "mean.x", "kept.x", "x", "matrices.x", "vectors.99.x"])
def test_a_tensor_too_many_is_named(path: Path, name: str) -> None:
    rewrite(path, lambda arrays, _: arrays.update({name: np.zeros(3, np.float32)}))
    refused(path)


@pytest.mark.parametrize("kind", ["model.", "mean.", "kept.", "matrices.", "vectors.", "losses"])
def test_a_wrong_shape_is_named(path: Path, kind: str) -> None:
    def turn(arrays: Arrays, _: object) -> None:
        name = next(n for n in arrays if n.startswith(kind) and arrays[n].ndim)
        arrays[name] = np.zeros((3, *arrays[name].shape), arrays[name].dtype)

    rewrite(path, turn)
    refused(path)


ODD: list[object] = [None, "x", [], {}, -1, 1.5, [1, 2], [-1, 0, 0.5], [1, 2, 3.5], [{}], [3]]


@pytest.mark.parametrize("field", ["step", "mixture", "characters", "seconds", "history"])
def test_a_state_made_by_hand_is_refused(path: Path, whole: bytes, field: str) -> None:
    for odd in ODD:
        if (field, odd) in (("history", []), ("seconds", 1.5), ("seconds", -1)):
            continue
        path.write_bytes(whole)
        rewrite(path, lambda _, state, odd=odd: state.update({field: odd}))  # type: ignore[misc]
        refused(path, "does not fit")
    path.write_bytes(whole)
    rewrite(path, lambda _, state: state.__delitem__(field))
    refused(path, "does not fit")


@pytest.mark.parametrize("field", ["step", "loss", "validation", "best"])
def test_a_history_made_by_hand_is_refused(path: Path, field: str) -> None:
    rewrite(path, lambda _, state: state["history"][1].update({field: "x"}))
    refused(path, field)


def test_a_number_that_is_not_finite_is_neither_saved_nor_read(path: Path, whole: bytes) -> None:
    spoilt = trainer(CONFIG)
    next(spoilt.run())
    with torch.no_grad():
        spoilt.learner.model.head.weight[0, 0] = torch.inf
    with pytest.raises(CheckpointError, match=r"model\.head\.weight holds .* not finite"):
        checkpoints.save(path, spoilt, {})
    assert path.read_bytes() == whole
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    rewrite(path, lambda arrays, _: arrays.update(losses=np.array([np.nan, 1, 2, 3])))
    refused(path, "losses holds a number that is not finite")


def config(**changed: object) -> str:
    """A config with other fields, which may be none."""
    return json.dumps(json.loads(CONFIG.to_json()) | changed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "its training cannot be used"),
        ("[]", "not a JSON object"),
        ("[" * 100_000, "its training cannot be used"),
        ("{}", "missing"),
        (config(wings=2), "wings: unknown"),
        (config(steps="many"), "steps = 'many': must be int"),
        (config(steps=1.5), "steps = 1.5: must be int"),
        (config(compile=1), "compile = 1: must be bool"),
        (config(voice=["x"]), "voice"),
        (config(voice=2.0), "voice"),
        (config(name=None), "name = None"),
        (config(epochs=None), "epochs = None: must be float"),
        (config(batch_size=0), "batch_size = 0"),
    ],
)
def test_a_config_made_by_hand_is_refused(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "small.checkpoint.safetensors"
    begun = trainer(CONFIG)
    next(begun.run())
    checkpoints.save(path, begun, {"training": text})
    with pytest.raises(CheckpointError, match=message):
        checkpoints.value(path, checkpoints.read_about(path), "training", TrainingConfig.from_json)
    with pytest.raises(CheckpointError, match="says nothing of its network"):
        checkpoints.value(path, checkpoints.read_about(path), "network", str)
    folders = ["--checkpoints", str(tmp_path), "--output", str(tmp_path / "out")]
    assert main(["--name", "small", "--resume", "--books", str(tmp_path), *folders]) == 2
    errors = capsys.readouterr().err
    assert len(errors.splitlines()) == 1
    assert message in errors


@pytest.fixture
def tiny_disk() -> Iterator[None]:
    """A disk that is full after some bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_leaves_the_old_checkpoint(path: Path, whole: bytes, tiny_disk: None) -> None:
    begun = trainer(CONFIG)
    next(begun.run())
    with pytest.raises(OSError, match=r"x\.checkpoint") as caught:
        checkpoints.save(path, begun, {})
    assert caught.value.errno == errno.EFBIG
    assert path.read_bytes() == whole
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_checkpoint_is_written_as_windows_wants_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def windows(descriptor: int) -> None:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(os, "fsync", windows)
    begun = trainer(CONFIG)
    next(begun.run())
    checkpoints.save(path, begun, {})
    checkpoints.load(path, trainer(CONFIG))
