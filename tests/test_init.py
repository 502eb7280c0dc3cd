"""`--init`: a network learns on from weights, whatever new letters its text has."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from model.strangers import Strangers
from model.vocab import Vocab
from model.weights import _load, load_decoder, load_gpt, load_strangers, save
from training.config import TrainingConfig
from training.setup import build, learn_on
from training.texts import read
from training.train import main

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = (ROOT / "data" / "sample.txt").read_text("utf-8")
TINY = (
    *("--context-length", "16", "--n-layer", "1", "--n-head", "2", "--n-embd", "16"),
    *("--ngram-orders", "2,3", "--ngram-words", "1", "--ngram-rows", "300"),
    *("--ngram-width", "4", "--ngram-least", "2"),
)
FEW = ("--batch-size", "8", "--steps", "4", "--no-compile", "--device", "cpu")


def train(folder: Path, *arguments: str | Path) -> int:
    """Train; all files go to a folder."""
    folders = ("--output", folder, "--checkpoints", folder)
    return main([*map(str, (*FEW, *folders, *arguments))])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a network that has read a little."""
    folder = tmp_path_factory.mktemp("base")
    text = folder / "base.txt"
    text.write_text(SAMPLE[:3000], "utf-8")
    assert train(folder, "--text", text, *TINY, "--dropout", "0.1") == 0
    return folder / "weights" / "base.safetensors"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A text with letters that the base does not know."""
    path = tmp_path / "own.txt"
    path.write_text("Die Bärin aß süße Äpfel, said the otter. Ёж!\n\n" * 40, "utf-8")
    return path


def test_before_the_first_step_it_writes_what_it_wrote_before(base: Path, own: Path) -> None:
    asked = TrainingConfig.of(text=str(own), init=str(base), compile=False, device="cpu")
    config, learned, known = learn_on(asked, set())
    texts = read(config, known)
    vocab = texts.vocab(known)
    gpt = build(config, texts, vocab, learned=learned).learner.model.eval()
    assert vocab.characters.startswith(known.characters)
    assert set("äßüÄЁж") <= set(vocab.characters[len(known) :])
    ids = torch.tensor([known.encode(SAMPLE[:16])])
    torch.testing.assert_close(gpt(ids)[..., : len(known)], learned(ids))
    assert gpt.config.ngram_rows == learned.config.ngram_rows > 0
    assert gpt.config.context_length == 16
    # A new letter is read like the one it looks like.
    umlaut, plain = (gpt.embedding.weight[vocab.encode(c)[0]] for c in "äa")
    assert torch.equal(umlaut, plain)
    mean = learned.head.weight.mean(dim=0)
    torch.testing.assert_close(gpt.head.weight[vocab.encode("ж")[0]], mean)


def test_it_learns_its_new_letters_and_ships_them(base: Path, own: Path) -> None:
    before = base.read_bytes()
    assert train(own.parent, "--text", own, "--init", base, "--steps", "30") == 0
    weights = own.parent / "weights" / "own.safetensors"
    decoder, vocab = load_decoder(weights)
    gpt, _ = load_gpt(weights)
    assert set("äßüÄЁж") <= set(vocab.characters)
    old, known = load_gpt(base)
    rows = [vocab.encode(c)[0] for c in "äü"]
    assert not torch.equal(
        gpt.embedding.weight[rows[0]], old.embedding.weight[known.encode("a")[0]]
    )
    assert decoder.read(decoder.join(), vocab.encode("Bär")).shape == (len(vocab),)
    summary = json.loads(weights.with_suffix(".summary.json").read_text("utf-8"))
    assert summary["training"]["network"]["init"] == str(base)
    assert summary["training"]["network"]["n_embd"] == 16
    validations = [point["validation"] for point in summary["history"]]
    assert summary["validation_loss"]["nats"] == min(validations) < validations[0]
    assert base.read_bytes() == before


def test_strangers_stay_away_also_after_a_pause(base: Path, tmp_path: Path) -> None:
    text = tmp_path / "own.txt"
    text.write_text("Peter met an otter.\n\n" * 40, "utf-8")
    config, vocab, tensors, *_ = _load(base)
    init = tmp_path / "init.safetensors"
    save(init, config, vocab, tensors, Strangers(["Wig|gily", "Pe|ter"]))
    vocab.save(init.with_suffix(".json"))
    assert train(tmp_path, "--text", text, "--init", init) == 0
    shipped = tmp_path / "weights" / "own.safetensors"
    assert load_strangers(shipped).names == ("Wig|gily",)
    init.unlink()
    shipped.unlink()
    assert train(tmp_path, "--text", text, "--resume", "--steps", "6") == 0
    assert load_strangers(shipped).names == ("Wig|gily",)


def test_it_goes_on_where_it_stopped_without_the_weights_it_began_with(
    base: Path, own: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "weights" / "copy.safetensors"
    for source, target in (
        (base, copy),
        (base.parents[1] / "vocab" / "base.json", tmp_path / "vocab" / "copy.json"),
    ):
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(source.read_bytes())
    assert train(tmp_path, "--text", own, "--init", copy) == 0
    copy.unlink()
    assert train(tmp_path, "--text", own, "--resume", "--steps", "6") == 0
    vocab = Vocab.load(tmp_path / "vocab" / "own.json")
    assert vocab.characters.startswith(
        Vocab.load(base.parents[1] / "vocab" / "base.json").characters
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--init", "owl"], "no model is named 'owl'"),
        (["--init", "no/owl.safetensors"], "owl.safetensors"),
        (["--init", "BASE", "--n-layer", "2"], "n_layer = 2"),
        (["--init", "BASE", "--context-length", "32"], "context_length = 32"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str],
    message: str,
    base: Path,
    own: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [str(base) if a == "BASE" else a for a in arguments]
    assert train(own.parent, "--text", own, *arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert [p.name for p in own.parent.iterdir()] == ["own.txt"]


def test_a_text_shorter_than_what_the_network_sees_is_learned(base: Path, tmp_path: Path) -> None:
    for words in ("Hm", "An ode", "Bump, bump, bump."):
        text = tmp_path / "short.txt"
        text.write_text(words, "utf-8")
        arguments = ("--text", text, "--init", base, "--overwrite")
        assert train(tmp_path, *arguments) == 0, words
        decoder, vocab = load_decoder(tmp_path / "weights" / "short.safetensors")
        assert decoder.read(decoder.join(), vocab.encode(words)).shape == (len(vocab),)


def test_its_steps_are_small_whatever_it_sees_at_once(base: Path, own: Path) -> None:
    asked = TrainingConfig.of(text=str(own), init=str(base), batch_size=3)
    assert learn_on(asked, {"batch_size"})[0].optimisation.batch_size == 3
    assert learn_on(asked, {"preset"})[0].optimisation.batch_size == 3
    assert learn_on(asked, {"text"})[0].optimisation.batch_size == 2048 // 16


def test_the_size_that_it_has_may_be_named(base: Path, own: Path) -> None:
    assert train(own.parent, "--text", own, "--init", base, "--n-layer", "1") == 0


def test_the_shipped_weights_can_be_learned_on_from(own: Path) -> None:
    for name in ("pooh", "classic"):
        config = TrainingConfig.of(text=str(own), init=name, compile=False, device="cpu")
        config, learned, known = learn_on(config, set())
        texts = read(config, known)
        gpt = build(config, texts, texts.vocab(known), learned=learned).learner.model.eval()
        ids = torch.tensor([known.encode("Here is Edward Bear")])
        found, wanted = gpt(ids)[..., : len(known)], learned(ids)
        np.testing.assert_allclose(found.detach(), wanted.detach(), atol=1e-4)
