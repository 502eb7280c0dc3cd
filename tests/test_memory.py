"""The probes of memory: what they ask, and that they tell a memory from none."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from model.config import GPTConfig
from model.decoder import Decoder
from model.gpt import GPT
from model.vocab import Vocab
from tests.networks import random_gpt, tensors
from training import memory
from training.memory import Place, answers_himself, filler, made_up_name, nats_after, strangers
from training.tables import memory_rows

VOCAB = Vocab.from_text(
    memory.FILLER + 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"\n!?,'
)
SHORT = GPTConfig(
    len(VOCAB), context_length=2048, attention_window=8, n_layer=2, n_head=2, n_embd=16
)
FAR = replace(SHORT, far_blocks=(1,), far_window=2048)


def decoder(config: GPTConfig) -> tuple[GPT, Decoder]:
    gpt = random_gpt(config)
    return gpt, Decoder(config, tensors(gpt), memory.SLOTS)


@torch.no_grad()
def test_losses_are_those_of_the_network_that_learns() -> None:
    gpt, writes = decoder(FAR)
    places = [Place("It rained. " * i, "And then it stopped"[: 3 + i]) for i in range(1, 9)] * 5
    for place, found in zip(places, nats_after(writes, VOCAB, places), strict=True):
        ids = torch.tensor([VOCAB.encode(place.past + place.text)])
        expected = F.cross_entropy(gpt(ids[:, :-1])[0], ids[0, 1:], reduction="none")
        np.testing.assert_allclose(found, expected[len(place.past) - 1 :], rtol=1e-3, atol=1e-4)


def test_only_a_network_that_sees_far_cares_what_lies_there() -> None:
    text = filler(9000)
    reports = {
        name: memory.memory_report(decoder(config)[1], VOCAB, text, places=4)
        for name, config in (("short", SHORT), ("far", FAR))
    }
    short, far = reports["short"], reports["far"]
    assert short["foreign_past"] == pytest.approx(0, abs=1e-5)
    assert abs(far["foreign_past"]) > 1e-4
    # Two blocks that see 8 characters see 15 at most.
    assert short["contexts"][16] == pytest.approx(short["contexts"][1024], abs=1e-5)
    assert far["contexts"][64] != pytest.approx(far["contexts"][1024], abs=1e-5)
    assert short["named_before"][180] == pytest.approx(0, abs=1e-5)
    assert abs(far["named_before"][180]) > 1e-5
    assert set(short["copying"]) == {
        "new",
        "after 4 mentions",
        "at a gap of 150",
        "at a gap of 450",
    }
    assert len(memory_rows(far)) == 15


def test_a_network_that_cannot_tell_paragraphs_apart_chooses_none() -> None:
    """What it sees ends within the paragraph before, so the past further back is worth nothing."""
    text = "\n\n".join(f"{filler(150)}{'x' * (i % 9)} end." for i in range(60))
    _, writes = decoder(SHORT)
    assert memory.next_paragraph(writes, VOCAB, text, 0, 24) == 0


def test_the_same_seed_asks_the_same() -> None:
    _, writes = decoder(FAR)
    first, again, other = (memory.copying(writes, VOCAB, seed, 3) for seed in (1, 1, 2))
    assert first == again != other


def test_a_network_of_another_alphabet_is_not_asked() -> None:
    vocab = Vocab.from_text("абв ")
    config = replace(FAR, vocab_size=len(vocab))
    assert memory.memory_report(Decoder(config, tensors(random_gpt(config))), vocab) == {}


def test_a_filler_is_whole_sentences_without_names() -> None:
    for length in (0, 60, 180, 400, 2000):
        text = filler(length)
        assert length <= len(text) < length + 100
        assert not text or text.endswith(". ")
        assert not any(friend in text for friend in memory.FRIENDS)


def test_made_up_names_can_be_said() -> None:
    random = np.random.default_rng(0)
    names = {made_up_name(random) for _ in range(100)}
    assert len(names) == 100
    assert all(len(name) == 8 and name[0].isupper() and name[1] in "aeiou" for name in names)


def test_strangers_are_the_librarys_people_whom_nobody_asked_for() -> None:
    texts = [
        ("Alice came", " and Wiggily saw Alice, and Wiggily was glad." + " " * 955),
        ("", "Pooh " * 200),
    ]
    assert strangers(texts, ["Alice", "Wiggily"]) == pytest.approx(1.0)
    assert strangers([], ["Alice"]) == 0


def test_who_answers_himself() -> None:
    talk = (
        '"Hallo," said Pooh.\n\n"Hallo," said Pooh.\n\n"Oh," said Owl.\n\n"Yes."\n\n'
        '"No," Owl said.\n\n"Never," Owl answered.'
    )
    assert answers_himself([talk]) == pytest.approx(2 / 3)
    assert answers_himself(["Nobody spoke."]) is None


def test_a_report_from_before_repetition_was_measured_has_its_rows() -> None:
    found = {"strangers": 0.5, "answers_himself": None}
    rows = [("strangers", "0.50 per 1,000 characters"), ("answers himself", "no speech")]
    assert memory_rows(found) == rows
    assert memory_rows(found | {"repeated": 0.01}) == [
        *rows,
        ("words that end a run of four told before", "1.0%"),
    ]
