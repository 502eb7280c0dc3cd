"""Each character is a target as often as it should be, in an order that only numbers decide."""

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.dataset import Mixture, Source, Window, Windows


def source(first: int, length: int, weight: float = 1.0) -> Source:
    """A text of numbers of its own, so that a window says where it is from."""
    return Source(np.arange(first, first + length).astype(np.uint16), weight)


def sources(lengths: list[int], weights: list[float]) -> list[Source]:
    """Such texts, one after another."""
    starts = np.cumsum([0, *lengths[:-1]]).tolist()
    return [source(*each) for each in zip(starts, lengths, weights, strict=False)]


def targets(windows: list[Window]) -> Counter[int]:
    """How often each character counts."""
    return Counter(int(t) for w in windows for t in w.ids[1:][w.counts])


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    weights=st.lists(st.sampled_from([1.0, 2.0, 3.0, 80.0]), min_size=4, max_size=4),
    length=st.integers(1, 9),
    seed=st.integers(0, 5),
)
def test_in_every_pass_each_character_is_a_target_as_often_as_its_weight_says(
    lengths: list[int], weights: list[float], length: int, seed: int
) -> None:
    texts = sources(lengths, weights)
    windows = Windows(texts, length, (seed,))
    wanted = Counter({int(c): int(s.weight) for s in texts for c in s.ids[1:]})
    begin = 0
    for epoch in range(1, 4):
        end = windows.passes(epoch)
        cut = [windows.window(number) for number in range(begin, end)]
        assert targets(cut) == wanted
        for window in cut:
            assert window.ids.shape == (length + 1,)
            assert window.counts.shape == (length,)
            text = windows.sources[window.source].ids
            part = text[window.start : window.start + length + 1]
            np.testing.assert_array_equal(window.ids[: len(part)], part)
            assert window.counts.any()
            assert not window.counts[max(0, len(part) - 1) :].any()
            # No window is shorter than it need be.
            assert len(part) == min(length + 1, len(text))
        begin = end


@given(
    lengths=st.lists(st.integers(2, 60), min_size=1, max_size=3),
    weight=st.sampled_from([0.5, 0.25, 1.5, 0.75]),
    length=st.integers(1, 9),
)
def test_a_part_of_a_pass_is_what_the_passes_before_left(
    lengths: list[int], weight: float, length: int
) -> None:
    texts = sources(lengths, [weight] * 3)
    windows = Windows(texts, length, (1,))
    for passes in (4, 8):  # all these weights are whole in four passes
        cut = [windows.window(number) for number in range(windows.passes(passes))]
        times = int(passes * weight)
        assert targets(cut) == Counter({int(c): times for s in texts for c in s.ids[1:]})


def test_a_text_of_one_window_is_trained_on_to_its_end() -> None:
    for length in (2, 9, 12, 14, 17):  # shorter than a window, just one, a little more
        windows = Windows([source(0, length)], 8, (1,))
        for epoch in range(20):
            numbers = range(windows.passes(epoch), windows.passes(epoch + 1))
            assert targets([windows.window(n) for n in numbers]) == Counter(range(1, length))


def test_the_cuts_move_from_pass_to_pass() -> None:
    windows = Windows([source(0, 100)], 8, (1,))
    starts = [
        {windows.window(n).start for n in range(windows.passes(e), windows.passes(e + 1))}
        for e in range(40)
    ]
    assert set().union(*starts) >= set(range(1, 90))


def test_windows_are_a_pure_function_of_seed_and_number() -> None:
    texts = sources([200, 90, 5], [1.0, 2.0, 0.5])
    first, second = (Windows(texts, 7, (3, 1)) for _ in range(2))
    second.window(150), second.window(2), second.window(77)  # whatever was asked before
    for number in (0, 5, 99, 3, 400):
        one, two = first.window(number), second.window(number)
        np.testing.assert_array_equal(one.ids, two.ids)
        np.testing.assert_array_equal(one.counts, two.counts)
    orders = [
        [Windows(texts, 7, seed).window(n).start for n in range(20)]
        for seed in ((3, 1), (4, 1), (3, 2))
    ]
    assert orders[0] != orders[1] != orders[2] != orders[0]


def test_what_changes_a_window_draws_by_its_number_alone() -> None:
    def noise(window: Window, rng: np.random.Generator) -> Window:
        return replace(window, ids=rng.integers(0, 99, len(window.ids)).astype(np.uint8))

    first, second = (Windows([source(0, 99)], 7, (3, 0), noise) for _ in range(2))
    drawn = [first.window(number).ids.tolist() for number in range(20)]
    assert [second.window(number).ids.tolist() for number in reversed(range(20))] == drawn[::-1]
    assert len(set(map(tuple, drawn))) == 20


def mixed(library: int, voice: int, length: int = 4) -> Mixture:
    """A library and a voice of so many characters."""
    return Mixture(
        Windows([source(0, library)] if library else [], length, (1, 0)),
        Windows([source(library, voice)] if voice else [], length, (1, 1)),
    )


@given(
    weights=st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0]), min_size=1, max_size=5),
    size=st.integers(1, 9),
)
def test_when_the_voice_changes_both_orders_go_on_where_they_are(
    weights: list[float], size: int
) -> None:
    mixture = mixed(301, 120)
    seen: dict[bool, list[list[int]]] = {True: [], False: []}
    for weight in weights:  # far more than a pass in all
        for _ in range(200 // size):
            batch = mixture.batch(size, weight)
            for ids, counts, library in zip(
                batch.targets, batch.counts, batch.library, strict=True
            ):
                seen[bool(library)].append(ids[counts].tolist())
    for library, windows, first, length in (
        (True, mixture.library, 1, 301),
        (False, mixture.voice, 302, 120),
    ):
        expected = [windows.window(n) for n in range(len(seen[library]))]
        assert seen[library] == [w.ids[1:][w.counts].tolist() for w in expected]
        passes = 0
        while (end := windows.passes(passes + 1)) <= len(seen[library]):
            times = Counter(c for part in seen[library][windows.passes(passes) : end] for c in part)
            assert times == Counter(range(first, first + length - 1))
            passes += 1


def test_in_one_pass_at_one_weight_both_are_read_as_often_as_it_says() -> None:
    for weight, passes in itertools.product((0.0, 0.5, 1.0, 2.0, 3.0), (1, 2, 3)):
        mixture = mixed(1000, 300)
        mixture.batch(mixture.passes(passes, weight), weight)
        library, voice, _ = mixture.state
        assert library == mixture.library.passes(passes)
        assert voice == pytest.approx(passes * weight * mixture.voice.passes(1), abs=3)


def test_the_two_are_mixed_evenly() -> None:
    mixture = mixed(1000, 300)
    share = mixture.voice.passes(1) / mixture.passes(1, 1.0)
    for _ in range(30):
        batch = mixture.batch(20, 1.0)
        assert abs((~batch.library).sum() - 20 * share) < 1


def test_a_mixture_goes_on_from_its_state() -> None:
    whole, begun, resumed = (mixed(301, 120) for _ in range(3))
    for weight in (1.0, 1.0, 2.0):
        whole.batch(7, weight)
        begun.batch(7, weight)
    resumed.state = begun.state
    for weight in (2.0, 3.0):
        one, two = whole.batch(9, weight), resumed.batch(9, weight)
        np.testing.assert_array_equal(one.inputs, two.inputs)
        np.testing.assert_array_equal(one.library, two.library)


def test_one_of_the_two_may_be_missing() -> None:
    assert mixed(99, 0).batch(50, 1.0).library.all()
    assert not mixed(0, 99).batch(50, 3.0).library.any()


def test_only_texts_with_nothing_to_predict_are_refused() -> None:
    for library, voice in ((0, 0), (1, 1)):
        with pytest.raises(ValueError, match="too short: it needs at least two characters"):
            mixed(library, voice, 8)
    for library, voice in ((2, 0), (0, 2), (5, 3)):
        assert mixed(library, voice, 8).batch(3, 1.0).counts.any(axis=1).all()
