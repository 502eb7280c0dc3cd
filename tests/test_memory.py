"""The probes of memory: what they ask, and that they tell a memory from none."""

import json
from collections.abc import Sequence
from dataclasses import replace
from string import ascii_lowercase
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from model.cache import Cache
from model.config import GPTConfig
from model.decoder import Decoder
from model.forward import Forward
from model.gpt import GPT
from model.vocab import Vocab
from tests.networks import random_gpt, tensors
from training import memory
from training.estimates import estimate
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
    return gpt, Decoder(config, tensors(gpt))


def reads(writes: Decoder, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many characters a decoder reads, each time that it does."""
    found: list[int] = []

    def count(cache: Cache, slot: int, ids: Sequence[int]) -> NDArray[np.float32]:
        found.append(len(ids))
        return Forward.read(writes._forward, cache, slot, ids)

    monkeypatch.setattr(writes._forward, "read", count)
    return found


def answered_by_place(text: str, monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """What the probes ask; the answers say how long the past is and where the text stands."""
    asked: list[Place] = []

    def answer(_: object, __: object, places: Sequence[Place]) -> list[memory.Nats]:
        asked.extend(places)
        return [np.full(9, len(place.past) + text.index(place.text) + 0.0) for place in places]

    monkeypatch.setattr(memory, "nats_after", answer)
    return asked


def made_up(length: int, seed: int = 0) -> str:
    """Words of seven letters, without a sense."""
    letters = np.random.default_rng(seed).choice(list(ascii_lowercase), length)
    letters[7::8] = " "
    return "".join(letters)


@torch.no_grad()
def test_losses_are_those_of_the_network_that_learns() -> None:
    gpt, writes = decoder(FAR)
    places = [Place("It rained. " * i, "And then it stopped"[: 3 + i]) for i in range(1, 9)] * 5
    for place, found in zip(places, nats_after(writes, VOCAB, places), strict=True):
        ids = torch.tensor([VOCAB.encode(place.past + place.text)])
        expected = F.cross_entropy(gpt(ids[:, :-1])[0], ids[0, 1:], reduction="none")
        np.testing.assert_allclose(found, expected[len(place.past) - 1 :], rtol=1e-3, atol=1e-4)


def test_what_pasts_begin_with_is_read_once_and_the_losses_are_those_of_each_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where one past begins another, where they part early, and where they are the same."""
    _, writes = decoder(FAR)
    long, other = filler(900), made_up(900)
    pasts = [
        *(long, long, long[:400], long[:400] + other[:300], long[:401] + "x", long[:30] + other),
        *("x", "y", long[:64], long[:65], long[:66], other, other[:64] + long),
    ]
    places = [Place(past, text) for past in pasts for text in ("Who?", "I said so.", "W")]
    alone = {place: nats_after(writes, VOCAB, [place])[0] for place in places}
    counted = reads(writes, monkeypatch)
    for order in (places, places[::-1]):
        counted.clear()
        for place, found in zip(order, nats_after(writes, VOCAB, order), strict=True):
            np.testing.assert_allclose(found, alone[place], rtol=1e-4, atol=1e-5)
        assert sum(counted) < sum(len(place.past) for place in places) / 3
        assert not any(writes._cache.texts)
    assert nats_after(writes, VOCAB, []) == []


def test_no_more_is_read_of_a_past_than_of_a_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    _, writes = decoder(replace(FAR, context_length=40, far_window=40))
    counted = reads(writes, monkeypatch)
    a, b = nats_after(writes, VOCAB, [Place(x * 90 + filler(40)[:40], "Oh") for x in "ab"])
    assert counted == [41]  # both are the same to it; the last character of a text is not read
    np.testing.assert_array_equal(a, b)


def test_eight_paragraphs_to_choose_from_need_their_two_pasts_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, writes = decoder(FAR)
    text = "\n\n".join(f"{made_up(150, seed=i)} end." for i in range(40))
    counted = reads(writes, monkeypatch)
    found = memory.next_paragraph(writes, VOCAB, text, seed=0, most=1)
    assert found is not None
    assert (found["of"], found["error"]) == (1, None)
    assert sorted(counted) == [120] * 16 + [156, memory.FAR - 1]  # each past but its last character


def test_every_stretch_is_asked_for_once_after_as_many_characters_as_are_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Side by side, from the first that has 1,024 characters before it to the end of the text."""
    text = made_up(1024 + 7 * 64 + 63)
    every = [1024, 1088, 1152, 1216, 1280, 1344, 1408]
    for most, starts in ((7, every), (512, every), (3, [1024, 1152, 1280])):
        asked, half = answered_by_place(text, monkeypatch), len(starts) // 2
        found = memory.context_losses(decoder(SHORT)[1], VOCAB, text, most)
        others = starts[half:] + starts[:half]
        assert asked == [
            *(
                Place(text[at - context : at], text[at : at + 64])
                for context in (16, 64, 128, 256, 1024)
                for at in starts
            ),
            *(
                Place(text[other - 1024 : other - 128] + text[at - 128 : at], text[at : at + 64])
                for at, other in zip(starts, others, strict=True)
            ),
        ]
        for context, nats in found["contexts"].items():
            assert nats == estimate([context + at for at in starts])
        assert found["context_gain"] == {"mean": 64 - 1024, "error": 0, "of": len(starts)}
        assert found["foreign_past"] == {"mean": 0, "error": 0, "of": len(starts)}


def test_a_text_too_short_has_no_stretches() -> None:
    _, writes = decoder(SHORT)
    with pytest.raises(ValueError, match=r"at least 1152 characters, has 1151"):
        memory.context_losses(writes, VOCAB, made_up(1151))
    assert memory.context_losses(writes, VOCAB, made_up(1152))["foreign_past"]["of"] == 2
    short = memory.memory_report(writes, VOCAB, made_up(4096), names=1)
    assert set(short) == {"copying", "named_before"}
    long = memory.memory_report(writes, VOCAB, made_up(4097), names=1, most=2)
    assert set(long) == {*short, "contexts", "context_gain", "foreign_past"}  # one paragraph


def test_every_paragraph_is_asked_for_that_has_a_past_and_words_to_know_it_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = [made_up(150, seed=i) for i in range(40)]
    parts[20], parts[30] = made_up(1100, seed=20), "Too short to tell."
    text, (_, writes) = "\n\n".join(parts), decoder(SHORT)
    asked = answered_by_place(text, monkeypatch)
    # The first seven have less before them, and of what lies before the 21st nothing is known.
    places = [i for i in range(7, 40) if i not in (21, 30)]
    found = memory.next_paragraph(writes, VOCAB, text, seed=0)
    assert found == {"mean": 0, "error": 0, "of": len(places)}
    for i, eight in zip(places, (asked[k : k + 16] for k in range(0, len(asked), 16)), strict=True):
        assert len({place.past for place in eight[:8]}) == 1
        assert len(eight[0].past) == 1024
        assert eight[0].past.endswith(f"{parts[i - 1]}\n\n")
        assert {place.past for place in eight[8:]} == {f"{parts[i - 1]}\n\n"}
        assert [place.text for place in eight[:8]] == [place.text for place in eight[8:]]
        assert eight[0].text == parts[i][:120]
        assert len({place.text for place in eight}) == 8
    few = "\n\n".join(parts[:23])  # fifteen
    assert memory.next_paragraph(writes, VOCAB, few, seed=0) is None
    asked.clear()
    assert memory.next_paragraph(writes, VOCAB, text, seed=0, most=4) == estimate([0] * 4)
    assert [place.text for place in asked[::16]] == [parts[places[i]][:120] for i in (0, 7, 15, 23)]


def test_a_mean_has_its_standard_error() -> None:
    assert estimate([1, 2, 3, 4]) == {
        "mean": 2.5,
        "error": pytest.approx((5 / 3) ** 0.5 / 2),
        "of": 4,
    }
    assert estimate([True, False]) == {"mean": 0.5, "error": pytest.approx(0.5), "of": 2}
    assert estimate([3.0]) == {"mean": 3, "error": None, "of": 1}
    with pytest.raises(ValueError, match="at least one"):
        estimate([])


def test_only_a_network_that_sees_far_cares_what_lies_there() -> None:
    text = filler(9000)
    reports = {
        name: memory.memory_report(decoder(config)[1], VOCAB, text, names=4, most=4)
        for name, config in (("short", SHORT), ("far", FAR))
    }
    short, far = reports["short"], reports["far"]
    assert short["foreign_past"]["mean"] == pytest.approx(0, abs=1e-5)
    assert abs(far["foreign_past"]["mean"]) > 1e-4
    # Two blocks that see 8 characters see 15 at most.
    near, all_of_it = (short["contexts"][context]["mean"] for context in (16, 1024))
    assert near == pytest.approx(all_of_it, abs=1e-5)
    assert short["context_gain"]["mean"] == pytest.approx(0, abs=1e-5)
    assert abs(far["context_gain"]["mean"]) > 1e-5
    assert short["named_before"][180]["mean"] == pytest.approx(0, abs=1e-5)
    assert abs(far["named_before"][180]["mean"]) > 1e-5
    assert set(short["copying"]) == {
        "new",
        "after 4 mentions",
        "at a gap of 150",
        "at a gap of 450",
    }
    assert len(memory_rows(far)) == 15
    assert memory_rows(json.loads(json.dumps(far))) == memory_rows(far)


def test_a_friend_named_before_is_compared_with_each_other_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is lost of a letter: 1 where he spoke, else 2 and more, by how far the two are apart."""
    friends = [friend[0] for friend in memory.FRIENDS]

    def answer(_: object, __: object, places: Sequence[Place]) -> list[memory.Nats]:
        spoke = [friends.index(place.past.split("said ")[1][0]) for place in places]
        asked = [friends.index(place.text) for place in places]
        return [np.array([1.0 + abs(i - j)]) for i, j in zip(asked, spoke, strict=True)]

    monkeypatch.setattr(memory, "nats_after", answer)
    found = memory.named_before(decoder(SHORT)[1], VOCAB)
    expected = estimate([sum(abs(i - j) for j in range(6)) / 5 for i in range(6)])
    assert found == dict.fromkeys(memory.GAPS, pytest.approx(expected))


def test_a_network_that_cannot_tell_paragraphs_apart_chooses_none() -> None:
    """What it sees ends within the paragraph before, so the past further back is worth nothing."""
    text = "\n\n".join(f"{filler(150)}{'x' * (i % 9)} end." for i in range(60))
    _, writes = decoder(SHORT)
    assert memory.next_paragraph(writes, VOCAB, text, 0, 8) == estimate([0] * 8)


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
    assert answers_himself([talk]) == estimate([True, False, True])
    assert answers_himself(["Nobody spoke."]) is None


def test_rows_say_how_far_they_may_be_off_and_how_many_they_are_of() -> None:
    found: dict[str, Any] = {
        "contexts": {64: estimate([1.0, 1.5]), 1024: estimate([0.5, 1.25])},
        "context_gain": estimate([0.5, 0.25]),
        "foreign_past": estimate([-1e-9] * 3),  # a short sight: there is no doubt, and no "-0.0000"
        "copying": {"new": estimate([3.0])},
        "named_before": {180: estimate([1.0, 3.0])},
        "next_paragraph": estimate([True, False, False]),
        "stories": 30,
        "strangers": 0.5,
        "answers_himself": estimate([False] * 41),
        "repeated": 0.01,
    }
    rows = [
        ("loss, 64 characters before", "1.2500 ± 0.2500 nats a character (2 stretches)"),
        ("loss, 1024 characters before", "0.8750 ± 0.3750 nats a character (2 stretches)"),
        ("context gain, 64 to 1,024", "0.3750 ± 0.1250 (2 stretches)"),
        ("a foreign past costs", "0.0000 (3 stretches)"),
        ("made-up name, new", "3.00 nats a letter from the 4th on (1 names)"),
        ("friend named before, gap 180", "first letter gains 2.00 ± 1.00 nats (2 friends)"),
        ("the next paragraph out of eight", "33% ± 33% (3 paragraphs)"),
        ("strangers", "0.50 per 1,000 characters (30 stories)"),
        ("answers himself", "0% (41 replies)"),
        ("words that end a run of four told before", "1.0% (30 stories)"),
    ]
    assert memory_rows(found) == rows
    assert memory_rows(json.loads(json.dumps(found))) == rows


def test_a_report_from_before_errors_and_repetition_were_measured_has_its_rows() -> None:
    found: dict[str, Any] = {"strangers": 0.5, "answers_himself": None}
    rows = [("strangers", "0.50 per 1,000 characters"), ("answers himself", "no speech")]
    assert memory_rows(found) == rows
    assert memory_rows(found | {"repeated": 0.01, "answers_himself": 0.25}) == [
        rows[0],
        ("answers himself", "25%"),
        ("words that end a run of four told before", "1.0%"),
    ]
    contexts = {"64": 1.25, "1024": 1.0}
    assert memory_rows({"contexts": contexts, "next_paragraph": 0.5})[1:] == [
        ("loss, 1024 characters before", "1.0000 nats a character"),
        ("context gain, 64 to 1,024", "0.2500"),
        ("the next paragraph out of eight", "50%"),
    ]
