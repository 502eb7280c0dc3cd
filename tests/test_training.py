"""Training learns, is exactly resumable, and stops when it should."""

import math
import multiprocessing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from model.config import GPTConfig
from model.ngrams import ngram_keys
from model.quantised import dequantise
from model.vocab import Vocab
from training import checkpoints, distributed
from training.checkpoints import CheckpointError
from training.config import TrainingConfig
from training.export import export
from training.measures import losses
from training.optim import schedule
from training.setup import build, ids, known_ngrams
from training.texts import TrainingTexts
from training.trainer import DivergenceError, Progress, Trainer

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = (ROOT / "data" / "sample.txt").read_text("utf-8")
SMALL = TrainingConfig.of(
    name="small",
    context_length=16,
    n_layer=2,
    n_head=2,
    n_embd=16,
    batch_size=8,
    steps=12,
    evaluate_every=4,
    compile=False,
    device="cpu",
    dtype="float32",
)
TABLE = SMALL.replace(
    embedding_skips=True,
    dropout=0.1,
    ngram_orders=(2, 3),
    ngram_words=(1,),
    ngram_rows=300,
    ngram_width=4,
    ngram_least=2,
    voice=(1.0, 2.0),
)


def texts_of(text: str) -> TrainingTexts:
    """A text as voice and library, the end of it for validation."""
    return TrainingTexts(((text[:1000], 2.0),), ((text[1000:-300], 1.0),), text[-300:])


TEXTS = texts_of(SAMPLE[:4000])


def trainer(config: TrainingConfig, texts: TrainingTexts = TEXTS) -> Trainer:
    """A training of a small network."""
    return build(config, texts, texts.vocab())


def weights(trained: Trainer) -> dict[str, torch.Tensor]:
    """A copy of all that was learned."""
    return {name: t.clone() for name, t in trained.learner.model.state_dict().items()}


def test_the_loss_falls_on_the_sample() -> None:
    training = trainer(SMALL.replace(steps=60, evaluate_every=20), texts_of(SAMPLE[:8000]))
    losses = [progress.loss for progress in training.run() if progress.step % 20 == 0]
    first, last = training.history[0], training.history[-1]
    assert losses == [progress.loss for progress in training.history]
    assert losses[-1] < losses[0]
    assert first.validation is not None
    assert last.validation is not None
    assert last.validation < first.validation < math.log(78)


def test_the_first_loss_is_that_of_guessing() -> None:
    training = trainer(SMALL)
    first = next(training.run())
    guessing = math.log(training.learner.model.config.vocab_size)
    assert first.loss == pytest.approx(guessing, rel=1e-6)
    assert first.tail_loss == pytest.approx(guessing, rel=1e-6)


@pytest.mark.parametrize("config", [SMALL, TABLE], ids=["plain", "table"])
def test_one_batch_can_be_learned_by_heart(config: TrainingConfig) -> None:
    # 17 characters of text are one window; every step shows it again.
    text = SAMPLE[:17]
    config = config.replace(steps=150, evaluate_every=150, batch_size=1, dropout=0.0, voice=(1.0,))
    config = config.replace(ngram_least=1)  # else so short a text fills no table
    texts = TrainingTexts((), ((text, 1.0),), "")
    training = build(config, texts, texts.vocab())
    *_, last = training.run()
    assert last.validation is None
    final = next(iter(build(config.replace(steps=1), texts, texts.vocab()).run())).loss
    assert training.history[-1].loss < final / 2
    encoded = torch.tensor(texts.vocab().encode(text))
    logits = training.learner.model.eval()(encoded[None, :-1])
    assert torch.nn.functional.cross_entropy(logits[0], encoded[1:]) < 0.1


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    "config", [SMALL, TABLE, TABLE.replace(average=1.0)], ids=["plain", "table", "averaged"]
)
def test_resumed_is_uninterrupted_bit_for_bit(
    config: TrainingConfig, dtype: str, tmp_path: Path
) -> None:
    config = config.replace(dtype=dtype)
    whole = trainer(config)
    expected = list(whole.run())
    path = tmp_path / "checkpoint.safetensors"
    for stop in (1, 4, 7, 11):
        begun = trainer(config)
        steps = begun.run()
        for _ in range(stop):
            next(steps)
        checkpoints.save(path, begun, {"note": "kept"})
        torch.manual_seed(99)  # what happens between two sittings must not matter
        resumed = trainer(config)
        checkpoints.load(path, resumed)
        assert checkpoints.read_about(path)["note"] == "kept"
        rest = list(resumed.run())
        timeless = [replace(progress, seconds=0.0) for progress in rest]
        assert timeless == [replace(progress, seconds=0.0) for progress in expected[stop:]]
        assert [p.validation for p in resumed.history] == [p.validation for p in whole.history]
        for name, tensor in weights(whole).items():
            assert torch.equal(tensor, weights(resumed)[name]), (stop, name)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_last_step_takes_the_mean_of_the_last_weights(dtype: str) -> None:
    config = TABLE.replace(steps=40, dtype=dtype)
    plain = trainer(config)
    kept = [weights(plain) for progress in plain.run() if progress.step in (20, 30, 40)]
    averaged = trainer(config.replace(average=0.6))  # only now: it seeds what is random
    *_, last = averaged.run()
    for name, parameter in averaged.learner.model.named_parameters():
        mean = torch.stack([each[name] for each in kept]).mean(dim=0)
        torch.testing.assert_close(parameter.detach(), mean)
        assert not torch.equal(mean, kept[-1][name]), name
    # What is validated is what is shipped.
    measured = losses(averaged.learner.working_copy, averaged.validation).mean()
    assert last.validation == pytest.approx(measured)
    assert last.validation != plain.history[-1].validation
    assert plain.history[-2].validation == averaged.history[-2].validation


def test_more_steps_begin_the_mean_anew(tmp_path: Path) -> None:
    begun = trainer(TABLE.replace(steps=20, average=0.6))
    for progress in begun.run():
        if progress.step == 10:
            break
    assert begun.learner.averaged == 1
    checkpoints.save(path := tmp_path / "checkpoint.safetensors", begun, {})
    resumed = trainer(TABLE.replace(steps=50, average=0.6))
    checkpoints.load(path, resumed)
    counts = {progress.step: resumed.learner.averaged for progress in resumed.run()}
    assert [counts[step] for step in (11, 29, 30, 40, 49)] == [0, 0, 1, 2, 2]


def _bring_home_uneven_gradients(rank: int, meeting: str) -> None:
    torch.distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=2)
    rows = [[3], [1, 3]][rank]
    gradient = torch.sparse_coo_tensor(torch.tensor([rows]), torch.ones(len(rows), 2), (5, 2))
    mean = distributed.mean(gradient)
    assert mean.indices().tolist() == [[1, 3]]  # row 0 got nothing and is not named
    assert mean.values().tolist() == [[0.5, 0.5], [1.0, 1.0]]
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def test_processes_with_gradients_for_unlike_rows_agree(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    pair = [
        spawn.Process(target=_bring_home_uneven_gradients, args=(rank, str(tmp_path / "meeting")))
        for rank in range(2)
    ]
    for process in pair:
        process.start()
    for process in pair:
        process.join()
    assert [process.exitcode for process in pair] == [0, 0]


def test_the_same_seed_learns_the_same_and_another_does_not() -> None:
    configs = (TABLE, TABLE, TABLE.replace(seed=2))
    runs = [[progress.loss for progress in trainer(config).run()] for config in configs]
    assert runs[0] == runs[1] != runs[2]


def test_a_checkpoint_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.checkpoint.safetensors"
    with pytest.raises(CheckpointError, match=r"x\.checkpoint.*--resume"):
        checkpoints.read_about(path)
    training = trainer(SMALL)
    next(training.run())
    checkpoints.save(path, training, {})
    whole = path.read_bytes()
    for damaged in (b"", b"\0" * 100, whole[:50], whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"x\.checkpoint"):
            checkpoints.load(path, trainer(SMALL))
    path.write_bytes(whole)
    with pytest.raises(CheckpointError, match=r"x\.checkpoint"):
        checkpoints.load(path, trainer(SMALL.replace(n_layer=1)))
    checkpoints.load(path, trainer(SMALL))


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    training = trainer(SMALL)
    next(training.run())
    path = tmp_path / "checkpoint.safetensors"
    path.mkdir()  # nothing can be renamed to a folder's name
    with pytest.raises(OSError, match="checkpoint"):
        checkpoints.save(path, training, {})
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_patience_runs_out_after_so_many_validations_without_a_better_one() -> None:
    def after(patience: int, *validations: float) -> bool:
        training = trainer(SMALL.replace(patience=patience))
        for step, validation in enumerate(validations, 1):
            best = validation < training.lowest()
            training.history.append(Progress(step, 9, step, 1.0, 2.0, 2.0, validation, best))
        return training.out_of_patience()

    assert not after(2)
    assert not after(2, 3.0, 3.1)
    assert after(2, 3.0, 3.1, 3.0)
    assert not after(2, 3.0, 3.1, 2.9)
    assert not after(2, 3.0, 3.1, 2.9, 3.0)
    assert after(2, 3.0, 3.1, 2.9, 3.0, 2.95)
    assert not after(0, 3.0, 3.1, 3.2, 3.3, 3.4)


def test_a_text_of_one_s_own_is_read_once_in_a_pass_whatever_the_batch() -> None:
    text = SAMPLE[:1000]
    texts = TrainingTexts((), ((text, 1.0),), "")
    for size in (1, 7, 8):
        config = SMALL.replace(steps=0, epochs=2.0, batch_size=size)
        training = build(config, texts, texts.vocab())
        assert training.steps == -(-training.mixture.passes(2.0, 1.0) // size)
        *_, last = training.run()
        assert 0 <= last.characters - 2 * (len(text) - 1) < size * config.network.context_length


def test_a_resumed_training_may_change_its_batches_and_leaves_nothing_out(tmp_path: Path) -> None:
    texts = TrainingTexts(((SAMPLE[:1000], 2.0),), ((SAMPLE[1000:4000], 1.0),), "")
    config = SMALL.replace(steps=0, epochs=1.0, batch_size=8)
    whole = build(config, texts, texts.vocab())
    *_, last = whole.run()
    path = tmp_path / "checkpoint.safetensors"
    for size in (3, 16):
        begun = build(config, texts, texts.vocab())
        for progress in begun.run():
            if progress.step == 20:
                break
        checkpoints.save(path, begun, {})
        resumed = build(config.replace(batch_size=size), texts, texts.vocab())
        checkpoints.load(path, resumed)
        assert resumed.mixture.windows == 160
        assert resumed.steps == 20 + -(-(resumed.mixture.passes(1.0, 1.0) - 160) // size)
        *_, end = resumed.run()
        assert end.step == end.steps == resumed.step
        assert abs(end.characters - last.characters) <= max(size, 8) * config.network.context_length


def test_fewer_steps_than_are_done_are_refused(tmp_path: Path) -> None:
    begun = trainer(SMALL)
    for progress in begun.run():
        if progress.step == 7:
            break
    checkpoints.save(path := tmp_path / "x.checkpoint.safetensors", begun, {})
    with pytest.raises(ValueError, match="steps = 5: 7 steps are done"):
        checkpoints.load(path, trainer(SMALL.replace(steps=5)))
    with pytest.raises(ValueError, match=r"epochs = 0\.01: 7 steps are done"):
        checkpoints.load(path, trainer(SMALL.replace(steps=0, epochs=0.01)))
    as_it_is = trainer(SMALL.replace(steps=7))  # it was measured at step 4 for the last time
    checkpoints.load(path, as_it_is)
    (last,) = as_it_is.run()
    assert (last.step, last.steps) == (7, 7)
    assert last == as_it_is.history[-1]
    assert last.validation == losses(as_it_is.learner.working_copy, as_it_is.validation).mean()
    finished = trainer(SMALL.replace(steps=8))
    checkpoints.load(path, finished)
    *_, last = finished.run()
    checkpoints.save(path, finished, {})
    again = trainer(SMALL.replace(steps=8))
    checkpoints.load(path, again)  # to ship it once more
    assert list(again.run()) == []
    assert again.history[-1] == last


def test_the_loss_is_of_what_counts_alone() -> None:
    # A text shorter than a window is padded; what it is padded with is not learned.
    text = "abab" * 3
    texts = TrainingTexts((), ((text, 1.0), ("b" * 8, 1.0)), "")
    config = SMALL.replace(steps=60, evaluate_every=60, batch_size=2)
    training = build(config, texts, Vocab("\nab"))
    *_, last = training.run()
    assert last.characters == 60 * (11 + 7)
    with torch.no_grad():
        logits = training.learner.model.eval()(torch.tensor([[1, 2, 1, 2]]))
    assert logits[0, -1].argmax() != 0


def test_an_early_stop_ships_the_mean_of_what_it_has() -> None:
    # At such rates nothing gets better after a while.
    config = TABLE.replace(
        steps=200, evaluate_every=5, patience=2, average=1.0, matrix_lr=2.0, keep="last"
    )
    training = trainer(config)
    kept = []
    for progress in training.run():
        left = progress.steps - progress.step
        if left % 10 == 0 and training.learner.averaged:
            kept.append(weights(training))
    assert progress.step < 200
    assert len(kept) > 1
    assert training.learner.averaged == 0
    shipped, moment = training.shipped()
    for name, _ in training.learner.model.named_parameters():
        torch.testing.assert_close(shipped[name], torch.stack([k[name] for k in kept]).mean(dim=0))
    assert moment == progress == training.history[-1]
    assert moment.validation == losses(training.learner.working_copy, training.validation).mean()
    assert moment.loss == training.history[-2].loss


def test_the_best_weights_are_shipped_with_what_was_measured_of_them(tmp_path: Path) -> None:
    rates = {
        "matrix_lr": 3.0,
        "vector_lr": 1.0,
        "cooldown": 0.0,
    }  # the best is far from the last
    config = SMALL.replace(steps=20, evaluate_every=1, keep="best", **rates)
    training = trainer(config)
    for progress in training.run():
        if progress.step == 15:  # what was kept is in the checkpoint
            checkpoints.save(tmp_path / "x", training, {})
    resumed = trainer(config)
    checkpoints.load(tmp_path / "x", resumed)
    for _ in resumed.run():
        pass
    for each in (training, resumed):
        shipped, moment = each.shipped()
        assert moment.validation == each.lowest()
        model = build(config, TEXTS, TEXTS.vocab()).learner.model
        model.load_state_dict(dict(shipped))
        assert losses(model, each.validation).mean() == pytest.approx(moment.validation, rel=1e-6)
    for name, tensor in training.kept.items():
        assert torch.equal(tensor, resumed.kept[name])
    assert training.shipped()[1].step < 15
    last = trainer(config.replace(keep="last"))
    *_, final = last.run()
    assert last.shipped()[1] == final


@pytest.mark.parametrize("texts", [TEXTS, replace(TEXTS, validation="")])
def test_a_loss_that_is_not_finite_ends_the_training(texts: TrainingTexts) -> None:
    config = SMALL.replace(steps=50, warmup=0.0, matrix_lr=1.0, weight_decay=1e3)
    with pytest.raises(DivergenceError, match=r"at step \d+; lower --matrix-lr") as caught:
        for _ in trainer(config, texts).run():
            pass
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_network_has_the_voice_and_not_the_library_s(dtype: str) -> None:
    voice, library = "the dog ran. " * 60, "the cat sat. " * 240
    config = SMALL.replace(steps=120, evaluate_every=120, matrix_lr=0.05, dtype=dtype)
    texts = TrainingTexts(((voice, 1.0),), ((library, 1.0),), "")
    vocab = texts.vocab()
    training = build(config, texts, vocab)
    for _ in training.run():
        pass
    learner = training.learner
    ids = torch.tensor([vocab.encode("the ")])
    cat, dog = vocab.encode("cd")
    with torch.no_grad():
        assert learner.working_copy(ids)[0, -1, [cat, dog]].argmax() == 1
        assert learner.forward(ids, torch.tensor([False]))[0, -1, [cat, dog]].argmax() == 1
        assert learner.forward(ids, torch.tensor([True]))[0, -1, [cat, dog]].argmax() == 0
    assert set(export(training.shipped()[0])) == set(learner.model.state_dict())


def test_a_text_of_one_s_own_has_no_library_beside_it() -> None:
    texts = TrainingTexts((), ((SAMPLE[:2000], 1.0),), "")
    training = build(SMALL.replace(steps=2), texts, texts.vocab())
    for _ in training.run():
        pass
    assert not training.learner.library.any()


def test_rates_rise_stay_and_fall() -> None:
    shares = [schedule(i / 100, warmup=0.1, cooldown=0.4) for i in range(101)]
    assert shares[0] == 0
    assert shares[5] == pytest.approx(0.5)
    assert shares[10:61] == [1.0] * 51
    assert shares[80] == pytest.approx(0.5)
    assert shares[100] == 0
    assert schedule(0.0, warmup=0.0, cooldown=0.0) == schedule(1.0, warmup=0.0, cooldown=0.0) == 1.0


def test_the_table_knows_the_most_frequent_runs() -> None:
    config = GPTConfig(4, 8, n_embd=8, n_head=1, ngram_orders=(1, 2), ngram_rows=3, ngram_width=2)
    often = np.array([0, 1, 0, 1, 0, 1, 0, 1], np.uint8)
    rare = np.array([3, 2], np.uint8)
    known = known_ngrams([(often, 1), (rare, 1)], config, least=2)
    keys = ngram_keys(often, config)[-3:]  # (3, K): one and two characters, up to 1, 0, 1
    assert known.tolist() == sorted({*keys[:2, 0].tolist(), keys[2, 1].item()})
    rows = known_ngrams([(often, 1), (rare, 9)], config, least=9)
    assert set(rows.tolist()) <= set(ngram_keys(rare, config).ravel().tolist())


def test_an_opening_does_not_count_twice_for_the_table() -> None:
    text = "abcdefghijklmnopqrstuvwxyz"  # all its n-grams are different
    config = TABLE.replace(ngram_least=3)
    texts = TrainingTexts(((text, 1.0),), (("- " * 20, 1.0),), "", ((text, 9.0),))
    model = build(config, texts, texts.vocab()).learner.model
    keys = ngram_keys(ids(text, texts.vocab()), model.config)
    assert model.ngrams is not None
    assert not np.isin(keys, model.ngrams.known.numpy()).any()


def test_shipped_weights_are_the_learned_ones_but_for_rounding() -> None:
    training = trainer(TABLE)
    for _ in training.run():
        pass
    shipped = export(training.shipped()[0])
    assert shipped["skips"].all(), "they have been learned"
    scale = shipped.pop("ngrams.rows.scale")
    for name, tensor in training.learner.model.state_dict().items():
        learned = tensor.float().numpy()
        if name == "ngrams.rows.weight":
            assert shipped[name].dtype == np.uint8
            error = np.abs(dequantise(shipped[name], scale) - learned)
            assert np.all(error <= scale[:, None] * 0.51)
        elif name == "ngrams.known":
            np.testing.assert_array_equal(shipped[name], tensor.numpy())
        else:
            assert shipped[name].dtype == np.float16
            np.testing.assert_allclose(shipped[name], learned, rtol=1e-3, atol=1e-6)


def test_a_text_that_is_too_short_is_refused() -> None:
    for text in ("", "a"):
        texts = TrainingTexts((), ((text, 1.0),), "")
        with pytest.raises(ValueError, match="too short"):
            build(SMALL, texts, Vocab("ab"))


@pytest.mark.parametrize("length", [2, 3, 9])
def test_a_text_shorter_than_what_the_network_sees_is_read_whole(length: int) -> None:
    texts = TrainingTexts((), ((("ab" * length)[:length], 1.0),), "")
    trainer = build(SMALL, texts, Vocab("ab"))
    assert SMALL.network.context_length > length
    batch = trainer.mixture.batch(3, 1.0)
    assert batch.inputs.shape == (3, length - 1)  # nothing is padded
    assert batch.counts.all()
    assert len([*trainer.run()]) == trainer.steps
