"""How often one may ask, and which words are kept out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.limiter import Limiter
from bot.words import Words


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


def test_without_a_cooldown_there_is_no_limit() -> None:
    limiter = Limiter(0.0, 1, Time())
    assert not any(limiter.ask(1) for _ in range(100))


@settings(max_examples=50, deadline=None)
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


def test_who_has_waited_long_is_forgotten() -> None:
    time = Time()
    limiter = Limiter(1.0, 2, time)
    for person in range(1000):
        limiter.ask(person)
        time.now += 0.5
    assert len(limiter._full_at) < 10


@pytest.mark.parametrize(
    "text",
    [
        "An ass, a cock and a gay old dog came by.",
        "What a queer, bloody damn hell of a day, said Dick's uncle.",
        "Who're you? he said, and who\u2019re they?",
        "Scunthorpe cocktails, a snigger, the Matsushita classics",
        "He sat upon the grass and passed the dyke.",
        "",
    ],
)
def test_words_of_old_books_are_allowed(text: str) -> None:
    assert not Words().refuses(text)


@pytest.mark.parametrize(
    "text",
    ["you nigger", "NIGGERS!", "n1gger", "f.u.c.k", "fuuuuck", "a faggot", "kike", "porn", "Raped"],
)
def test_slurs_and_sexual_words_are_refused_however_they_are_spelled(text: str) -> None:
    assert Words().refuses(text)
    assert not Words(active=False).refuses(text)


def test_the_host_adds_and_allows_words() -> None:
    words = Words(refused={"heffalump", "ass"}, allowed={"porn", "kike"})
    assert words.refuses("a Heffalump!") and words.refuses("an ass")
    assert not words.refuses("porn") and not words.refuses("kike")
    assert words.refuses("nigger")
    assert not Words().refuses("a Heffalump!"), "one host's words are not another's"


def test_it_says_where_a_word_ends() -> None:
    text = "who're you, nigger, you"
    assert [text[:end] for end in Words().ends(text)] == ["who're you, nigger"]
