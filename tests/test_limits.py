"""How often one may ask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.limiter import Limiter


class Time:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_one_each_cooldown() -> None:
    time = Time()
    limiter = Limiter(5.0, 3, time)
    assert [limiter.ask(1) for _ in range(5)] == [0, 0, 0, 5, 5]
    assert limiter.ask(2) == 0, "others are not held up"
    time.now += 3.5
    assert limiter.ask(1) == 2
    time.now += 1.5
    assert [limiter.ask(1) for _ in range(2)] == [0, 5]
    time.now += 100
    assert [limiter.ask(1) for _ in range(4)] == [0, 0, 0, 5]


def test_several_asks_are_taken_together_or_not_at_all() -> None:
    time = Time()
    limiter = Limiter(5.0, 4, time)
    assert limiter.ask(1, 3) == 0
    assert limiter.ask(1, 3) == 10, "one is left ..."
    assert limiter.ask(1) == 0 and limiter.ask(1) == 5, "... and was not taken"
    time.now += 15
    assert limiter.ask(1, 3) == 0
    shallow = Limiter(5.0, 2, time)
    assert shallow.ask(1, 3) == 0, "a full bucket is enough"
    assert shallow.ask(1) == 10, "what it lacked is owed"
    assert shallow.ask(2) == 0 and shallow.ask(2, 3) == 5, "it must be full"


def test_without_a_cooldown_there_is_no_limit() -> None:
    limiter = Limiter(0.0, 1, Time())
    assert not any(limiter.ask(1) for _ in range(100))


@given(
    st.floats(0.1, 60.0),
    st.integers(1, 5),
    st.lists(st.tuples(st.floats(0.0, 30.0), st.integers(1, 3)), max_size=60),
)
def test_nobody_gets_more_than_the_bucket_gives_and_waiting_as_told_is_enough(
    cooldown: float, burst: int, asks: list[tuple[float, int]]
) -> None:
    time = Time()
    limiter = Limiter(cooldown, burst, time)
    granted: dict[int, list[float]] = {}
    for pause, person in asks:
        time.now += pause
        if not (wait := limiter.ask(person)):
            granted.setdefault(person, []).append(time.now)
        else:
            probe = time.now
            time.now += wait
            assert limiter.ask(person) == 0
            granted[person].append(time.now)
            assert wait - 1 < cooldown, probe
    for times in granted.values():
        for i, start in enumerate(times):
            for j in range(i, len(times)):
                most = burst + (times[j] - start) / cooldown
                assert j - i + 1 <= most + 1e-3


@pytest.mark.parametrize(
    ("now", "cooldown", "burst", "wait"),
    [
        (1000.0, 1.999999999999993, 1, 2),
        (1000.0, 2.0, 1, 2),
        (1000.0, 2.01, 1, 3),
        (123456.789, 0.1, 3, 1),
        (9e6 + 0.3, 1.1, 1, 2),  # a hundred days after the start
        (9e6 + 0.3, 3600.0, 100, 3600),
    ],
)
def test_the_wait_is_not_a_second_longer_for_a_rounding_error(
    now: float, cooldown: float, burst: int, wait: int
) -> None:
    time = Time()
    time.now = now
    limiter = Limiter(cooldown, burst, time)
    assert [limiter.ask(1) for _ in range(burst)] == [0] * burst
    assert limiter.ask(1) == wait
    time.now += wait
    assert limiter.ask(1) == 0


@given(
    st.sampled_from([1.0, 5.0, 3600.0]),
    st.integers(1, 100),
    st.lists(st.tuples(st.floats(0.0, 5000.0), st.integers(1, 150)), max_size=60),
)
def test_no_more_people_are_remembered_than_were_short_of_asks_at_a_time(
    cooldown: float, burst: int, crowd: list[tuple[float, int]]
) -> None:
    """Each of them asks several times at once, so buckets are full again in another order."""
    time = Time()
    limiter = Limiter(cooldown, burst, time)
    full_at: dict[int, float] = {}
    most = 0
    for person, (pause, asks) in enumerate(crowd):
        time.now += pause
        for _ in range(asks):
            if not limiter.ask(person % 20):
                full_at[person % 20] = max(full_at.get(person % 20, 0.0), time.now) + cooldown
        short = sum(end > time.now for end in full_at.values())
        most = max(most, short)
        assert short <= len(limiter) <= most


def test_one_who_asks_very_often_does_not_keep_all_others_remembered() -> None:
    time = Time()
    limiter = Limiter(60.0, 100, time)
    for _ in range(100):
        assert limiter.ask(-1) == 0
    for person in range(5000):
        assert limiter.ask(person) == 0
        time.now += 0.5
    assert 120 <= len(limiter) <= 122  # the last minute's, and the first
