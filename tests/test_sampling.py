"""How the next character is chosen, and a text from its first character to its last."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.network import Logits
from model.sampling import (
    MAX_TEMPERATURE,
    NotFiniteError,
    Sampling,
    next_id,
    next_ids,
    probabilities,
)
from model.strangers import NOBODY
from model.vocab import Vocab, VocabError
from model.writing import generate

LOGITS = np.array([1.0, 3.0, 2.0, 0.5, 3.5, -1.0], np.float32)
MANY = [
    Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
    for temperature in (0.0, 1e-12, 0.3, 1.0, 2.0)
    for top_k in (0, 1, 3)
    for top_p in (1.0, 0.6)
]


class CountingRng(np.random.Generator):
    """A generator that knows how often it was asked."""

    def __init__(self, seed: int) -> None:
        super().__init__(np.random.PCG64(seed))
        self.draws = 0

    def random(self) -> float:  # type: ignore[override]
        self.draws += 1
        return super().random()


def direct(logits: Sequence[float], temperature: float, top_k: int, top_p: float) -> list[float]:
    """The same probabilities in plain Python, from their definition."""
    weights = [math.exp((x - max(logits)) / temperature) for x in logits]
    order = sorted(range(len(weights)), key=lambda i: -weights[i])
    if top_k:
        order = order[:top_k]
    total = sum(weights[i] for i in order)
    kept, sum_so_far = [], 0.0
    for i in order:
        kept.append(i)
        sum_so_far += weights[i]
        if sum_so_far >= top_p * total:
            break
    total = sum(weights[i] for i in kept)
    return [weights[i] / total if i in kept else 0.0 for i in range(len(weights))]


@pytest.mark.parametrize("sampling", [s for s in MANY if s.temperature > 0.1])
def test_probabilities_are_what_their_definition_says(sampling: Sampling) -> None:
    weights = probabilities(LOGITS, sampling)
    expected = direct(LOGITS.tolist(), sampling.temperature, sampling.top_k, sampling.top_p)
    np.testing.assert_allclose(weights / weights.sum(), expected, rtol=1e-6)


@pytest.mark.parametrize("sampling", [s for s in MANY if s.temperature > 0.1])
def test_characters_come_as_often_as_they_should(sampling: Sampling) -> None:
    count = 4000
    rng = np.random.default_rng(1)
    counts = np.bincount([next_id(LOGITS, sampling, rng) for _ in range(count)], minlength=6)
    expected = count * np.array(
        direct(LOGITS.tolist(), sampling.temperature, sampling.top_k, sampling.top_p)
    )
    assert not counts[expected == 0].any()
    likely = expected > 5
    chi_square = ((counts - expected)[likely] ** 2 / expected[likely]).sum()
    assert chi_square < 25  # five degrees of freedom: less often than 1 in 7,000 by chance


@pytest.mark.parametrize("sampling", MANY)
def test_one_number_is_drawn_for_each_character_and_none_when_greedy(sampling: Sampling) -> None:
    rng = CountingRng(0)
    for _ in range(5):
        next_id(LOGITS, sampling, rng)
    assert rng.draws == (0 if sampling.temperature == 0 else 5)


@pytest.mark.parametrize("temperature", [0.0, 5e-324, 1e-300, 1e-30, 1e-6])
def test_at_no_temperature_nearly_greedy_is_greedy_and_nothing_overflows(
    temperature: float,
) -> None:
    logits = np.array([-3e38, 3e38, 0.0], np.float32)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        rng = np.random.default_rng(0)
        for logits in (LOGITS, np.array([-3e38, 3e38, 0.0], np.float32)):
            chosen = next_id(logits, Sampling(temperature=temperature), rng)
            assert chosen == int(logits.argmax())
            assert next_ids(logits[None], [Sampling(temperature=temperature)], [rng]) == [chosen]


@pytest.mark.parametrize(("top_k", "top_p"), [(1, 1.0), (0, 1e-9), (1, 1e-9)])
def test_one_choice_is_the_likeliest(top_k: int, top_p: float) -> None:
    sampling = Sampling(temperature=2.0, top_k=top_k, top_p=top_p)
    rng = np.random.default_rng(3)
    assert {next_id(LOGITS, sampling, rng) for _ in range(50)} == {4}


def test_characters_as_likely_as_the_last_choice_stay_choices() -> None:
    level = np.zeros(5, np.float32)
    for sampling in (Sampling(top_k=2), Sampling(top_p=0.3)):
        rng = np.random.default_rng(0)
        assert {next_id(level, sampling, rng) for _ in range(200)} == set(range(5))


@pytest.mark.parametrize("top_k", [6, 7, 1000])
def test_top_k_of_all_is_off(top_k: int) -> None:
    weights = probabilities(LOGITS, Sampling(top_k=top_k))
    np.testing.assert_array_equal(weights, probabilities(LOGITS, Sampling()))


class LastRng(np.random.Generator):
    """Always draws the largest number a generator can."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64())

    def random(self) -> float:  # type: ignore[override]
        return math.nextafter(1.0, 0.0)


@given(st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=8), st.sampled_from(MANY))
def test_the_largest_draw_still_names_a_character_that_may_be_chosen(
    logits: list[float], sampling: Sampling
) -> None:
    array = np.array(logits, np.float32)
    chosen = next_id(array, sampling, LastRng())
    assert sampling.temperature == 0 or probabilities(array, sampling)[chosen] > 0
    assert next_ids(array[None], [sampling], [LastRng()]) == [chosen]


@pytest.mark.parametrize("sampling", MANY)
@pytest.mark.parametrize("wrong", [[math.nan], [math.inf], [-math.inf] * 6, [math.inf, math.nan]])
def test_logits_that_are_not_finite_are_an_error_with_a_name(
    sampling: Sampling, wrong: list[float]
) -> None:
    logits = np.stack((LOGITS, LOGITS))
    logits[1, 6 - len(wrong) :] = wrong
    rng = np.random.default_rng(0)
    with pytest.raises(NotFiniteError, match="its weights are damaged"):
        next_id(logits[1], sampling, rng)
    with pytest.raises(NotFiniteError, match="its weights are damaged"):
        next_ids(logits, [sampling, sampling], [rng, rng])


@pytest.mark.parametrize("sampling", MANY)
def test_characters_that_may_not_come_have_minus_infinity(sampling: Sampling) -> None:
    logits = LOGITS.copy()
    logits[[0, 4]] = -math.inf
    rng = np.random.default_rng(0)
    assert not {next_id(logits, sampling, rng) for _ in range(50)} & {0, 4}


def test_choosing_for_many_is_choosing_for_each() -> None:
    random = np.random.default_rng(5)
    logits = random.normal(size=(len(MANY), 20)).astype(np.float32) * 3
    one = [CountingRng(i) for i in range(len(MANY))]
    together = [CountingRng(i) for i in range(len(MANY))]
    for _ in range(20):
        alone = [
            next_id(row, sampling, rng)
            for row, sampling, rng in zip(logits, MANY, one, strict=True)
        ]
        assert next_ids(logits, MANY, together) == alone
    assert [rng.draws for rng in together] == [rng.draws for rng in one]


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("length", 0, "from 1"),
        ("length", 2.0, "whole number"),
        ("length", True, "whole number"),
        ("temperature", -0.1, "from 0 to 2"),
        ("temperature", MAX_TEMPERATURE + 0.01, "from 0 to 2"),
        ("temperature", math.nan, "from 0 to 2"),
        ("temperature", math.inf, "from 0 to 2"),
        ("temperature", "1", "from 0 to 2"),
        ("top_k", -1, "from 0"),
        ("top_p", 0.0, "above 0"),
        ("top_p", 1.01, "at most 1"),
        ("top_p", math.nan, "at most 1"),
        ("seed", -1, "from 0"),
        ("seed", 1.5, "whole number"),
    ],
)
def test_a_setting_out_of_range_is_named_with_what_is_allowed(
    field: str, value: object, allowed: str
) -> None:
    with pytest.raises(ValueError, match=f"^{field} = .*{allowed}"):
        Sampling(**{field: value})  # type: ignore[arg-type]


class Alphabet:
    """A network of one thought: after each character comes the next of the alphabet, probably."""

    strangers = NOBODY
    remembers = False
    digest = ""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.left = 0

    def join(self) -> int:
        return 7

    def leave(self, slot: int) -> None:
        assert slot == 7
        self.left += 1

    def read(self, slot: int, ids: Sequence[int]) -> Logits:
        assert slot == 7
        self.heard += ids
        logits = np.zeros(5, np.float32)
        logits[(ids[-1] + 1) % 5] = 3.0
        return logits

    def step(self, slots: Sequence[int], ids: Sequence[int]) -> Logits:
        [slot] = slots
        return self.read(slot, ids)[None]

    def rewind(self, slot: int, count: int) -> None:
        assert slot == 7
        del self.heard[len(self.heard) - count :]

    def fork(self, slot: int) -> int:
        raise AssertionError("one candidate needs no fork")

    def log_likelihoods(self, before: Sequence[int], texts: Sequence[Sequence[int]]) -> list[float]:
        raise AssertionError("one candidate is not compared")


VOCAB = Vocab("\nabcd")


def test_a_text_has_its_length_and_goes_on_from_the_prompt() -> None:
    network = Alphabet()
    on = Sampling(length=6, temperature=0, whole_word=False)
    text = "".join(generate(network, VOCAB, "ab", on))
    assert text == "cd\nabc"
    assert network.heard == VOCAB.encode("abcd\nab")  # the last character need not be read
    assert network.left == 1


def test_an_empty_prompt_is_read_as_the_end_of_a_line() -> None:
    network = Alphabet()
    assert "".join(generate(network, VOCAB, "", Sampling(length=2, temperature=0))) == "ab"
    assert network.heard[0] == 0


def test_the_same_seed_writes_the_same_text_and_none_writes_another() -> None:
    def write(seed: int | None) -> str:
        how = Sampling(length=60, top_p=1.0, seed=seed)
        return "".join(generate(Alphabet(), VOCAB, "a", how))

    assert write(1) == write(1) != write(2)
    assert write(None) != write(None)


def test_a_text_that_is_broken_off_gives_its_slot_back() -> None:
    network = Alphabet()
    text = generate(network, VOCAB, "a", Sampling())
    assert len(list(itertools.islice(text, 3))) == 3
    text.close()  # type: ignore[attr-defined]
    assert network.left == 1


def test_a_prompt_that_cannot_be_said_takes_no_slot() -> None:
    network = Alphabet()
    with pytest.raises(VocabError, match="'z'"):
        next(generate(network, VOCAB, "z", Sampling()))
    assert network.left == 0
