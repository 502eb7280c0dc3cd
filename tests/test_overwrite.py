"""Weights and interrupted trainings are lost only when told so."""

import json
from pathlib import Path

import pytest

from model.files import held
from training.train import main

ROOT = Path(__file__).resolve().parents[1]
TINY = (
    *("--context-length", "16", "--n-layer", "1", "--n-head", "2", "--n-embd", "16"),
    *("--batch-size", "8", "--steps", "4", "--no-compile", "--device", "cpu"),
)


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """A short text."""
    path = tmp_path / "story.txt"
    path.write_text((ROOT / "data" / "sample.txt").read_text("utf-8")[:2000], "utf-8")
    return path


def train(text: Path, *arguments: str) -> int:
    """Train on a text, all files beside it."""
    folder = str(text.parent)
    return main(
        ["--text", str(text), *TINY, "--output", folder, "--checkpoints", folder, *arguments]
    )


def files(folder: Path) -> dict[str, bytes]:
    """What lies in a folder and below it."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_weights_of_another_text_are_replaced_only_when_told(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(story) == 0
    story.write_text(story.read_text("utf-8")[:1500], "utf-8")
    before = files(story.parent)
    capsys.readouterr()
    assert train(story) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "story.safetensors" in line
    assert "another text" in line
    assert "--overwrite" in line
    assert files(story.parent) == before
    assert train(story, "--overwrite") == 0
    assert files(story.parent) != before


def test_weights_of_a_longer_training_are_replaced_only_when_told(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(story) == 0
    assert train(story, "--steps", "4", "--seed", "2") == 0  # the same once more is no loss
    before = files(story.parent)
    capsys.readouterr()
    assert train(story, "--steps", "3") == 2
    assert "more than the 384" in capsys.readouterr().err
    assert files(story.parent) == before
    assert train(story, "--steps", "5") == 0


def test_weights_of_unknown_origin_are_replaced_only_when_told(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(story) == 0
    summary = story.parent / "weights" / "story.summary.json"
    infinite = '{"read": {"sha256": ""}, "characters_seen": 1e400}'
    for damaged in (
        "",
        "[]",
        "{}",
        infinite,
        json.dumps({"read": {"sha256": 3}, "characters_seen": "x"}),
    ):
        summary.write_text(damaged)
        assert train(story, "--steps", "9") == 2
        assert "story.safetensors" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["pooh", "classic"])
def test_what_is_shipped_is_not_replaced_by_a_text_of_that_name(
    name: str, story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = ROOT / "weights" / f"{name}.safetensors"
    before = weights.stat()
    text = story.rename(story.with_name(f"{name}.txt"))
    for arguments in (["--text", str(text)], ["--name", name, "--text", str(text)]):
        assert main([*arguments, *TINY, "--checkpoints", str(story.parent)]) == 2
        assert f"{name}.safetensors" in capsys.readouterr().err
    assert weights.stat() == before
    assert [p.name for p in story.parent.iterdir()] == [text.name]


def test_an_interrupted_training_begins_anew_only_when_told(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = story.parent / "story.checkpoint.safetensors"
    assert train(story, "--save-every", "0") == 0
    finished = checkpoint.read_bytes()
    # What a power cut leaves: the checkpoint of the last step, and no weights.
    checkpoint.write_bytes(finished.replace(b'"finished"', b'"fynished"'))
    for path in (story.parent / "weights").iterdir():
        path.unlink()
    before = files(story.parent)
    capsys.readouterr()
    assert train(story) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "story.checkpoint.safetensors" in line
    assert "step 4" in line
    assert "--resume" in line
    assert "--overwrite" in line
    assert files(story.parent) == before
    assert train(story, "--overwrite") == 0
    assert train(story) == 0  # it was finished: nothing is lost


def test_a_file_that_is_no_checkpoint_is_not_replaced(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = story.parent / "story.checkpoint.safetensors"
    checkpoint.write_bytes(b"something else")
    assert train(story) == 2
    assert "story.checkpoint.safetensors" in capsys.readouterr().err
    assert checkpoint.read_bytes() == b"something else"


def test_a_training_that_is_at_work_is_left_alone(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = story.parent / "story.checkpoint.lock"
    with held(lock):
        before = files(story.parent)
        assert train(story) == 2
        assert train(story, "--overwrite") == 2
        for line in capsys.readouterr().err.splitlines():
            assert "story.checkpoint.lock" in line and "--name" in line
        assert files(story.parent) == before
        assert train(story, "--name", "other") == 0
    lock.touch()  # as one leaves it that was killed
    assert train(story) == 0
    assert not lock.exists()
