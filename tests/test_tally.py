"""Choices are one for each person, and of so many people at most."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ballots import Ballots
from bot.errors import Refusal
from bot.tally import MOST, Tally
from bot.translations import Text
from bot.votes import Vote, Way

FULL = re.escape(Text.TOO_MANY_TO_COUNT.value.en.format(most=MOST))


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from("ABC")), max_size=30))
def test_the_last_choice_of_the_first_three_counts(cast: list[tuple[int, str]]) -> None:
    tally, held = Tally[str](most=3), dict[int, str]()
    for person, choice in cast:
        if person in held or len(held) < 3:
            assert tally.cast(person, choice) == (held.get(person) != choice)
            held[person] = choice
        else:
            with pytest.raises(Refusal):
                tally.cast(person, choice)
    assert len(tally) == len(held) and {p: tally.of(p) for p in range(7)} == {
        p: held.get(p) for p in range(7)
    }
    assert tally.counts == {c: list(held.values()).count(c) for c in set(held.values())}


def test_votes_and_guesses_are_of_so_many_people_who_may_still_change_them() -> None:
    vote, ballot = Vote(1), Ballots().of(1, 0.0, guessed=False)
    for person in range(MOST):
        vote.cast(person, Way.A)
        ballot.guesses.cast(person, "A")
    with pytest.raises(Refusal, match=FULL):
        vote.cast(MOST, Way.B)
    with pytest.raises(Refusal, match=FULL):
        ballot.guesses.cast(MOST, "B")
    vote.cast(0, Way.B)
    ballot.guesses.cast(0, "B")
    assert (vote.counts[Way.A], vote.counts[Way.B]) == (MOST - 1, 1)
    assert ballot.counts("ABC") == (MOST - 1, 1, 0)
