"""Votes are counted once each, and never many are open; what a card holds is read back exactly."""

import re

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import fork_writing, messages
from bot.actions import ButtonState
from bot.errors import Refusal
from bot.fork import ForkButton
from bot.fork_card import BEGINNING, HALF, Fork, Half, as_held, card
from bot.fork_texts import ForkText
from bot.languages import Language
from bot.options import MAX_SEED
from bot.pages import Pages
from bot.translations import Text
from bot.votes import End, Vote, Votes, Way
from model.sampling import Sampling
from tests.fake_discord.rules import CUSTOM_ID, TEXT_DISPLAYS

ASKER = 1


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from(Way)), max_size=30))
def test_everybody_has_one_vote_the_last_and_a_tie_is_the_askers(
    cast: list[tuple[int, Way]],
) -> None:
    vote = Vote(ASKER)
    for person, way in cast:
        vote.cast(person, way)
    last = dict(cast)
    a, b = (list(last.values()).count(way) for way in Way)
    assert (vote.counts[Way.A], vote.counts[Way.B]) == (a, b)
    expected = {True: Way.A, False: Way.B}[a > b] if a != b else last.get(ASKER)
    assert vote.winner is expected


def test_a_vote_that_says_nothing_new_shows_nothing_new() -> None:
    vote = Vote(ASKER)
    vote.cast(2, Way.A)
    vote.changed.clear()
    vote.cast(2, Way.A)
    assert not vote.changed.is_set()
    vote.cast(2, Way.B)
    assert vote.changed.is_set()


def test_a_vote_ends_once_and_then_nobody_votes() -> None:
    vote = Vote(ASKER)
    vote.finish(End.GONE)
    vote.finish(End.COUNTED)
    assert vote.end is End.GONE and vote.over.is_set()
    with pytest.raises(Refusal, match="over"):
        vote.cast(2, Way.A)


def test_votes_are_few_one_about_a_story_and_none_when_the_bot_goes() -> None:
    votes = Votes(most=2)
    with votes.opened(10, ASKER) as first, votes.opened(11, ASKER):
        votes.place(first, 20)
        assert votes.at(20) is first and votes.at(10) is None
        for story, text in ((10, ForkText.AT_IT), (12, ForkText.TOO_MANY)):
            with pytest.raises(Refusal, match=re.escape(text.value.en)), votes.opened(story, 2):
                pass
        assert len(votes) == 2
    assert not len(votes) and votes.at(20) is None
    with votes.opened(10, ASKER) as vote:
        votes.close()
        assert vote.end is End.CLOSED
    with pytest.raises(Refusal, match=re.escape(Text.GOING_TO_SLEEP.value.en)):
        votes.opened(13, ASKER).__enter__()


def test_one_choice_on_a_card_is_carried_out_at_a_time() -> None:
    votes = Votes()
    with votes.choosing(1) as first, votes.choosing(1) as second, votes.choosing(2) as other:
        assert (first, second, other) == (True, False, True)
    with votes.choosing(1) as again:
        assert again


texts = st.text(st.sampled_from("aB .\n*_-1#<@:|`~\\\"'"), max_size=1200)


@given(texts, st.booleans())
def test_what_a_card_holds_of_a_way_is_what_is_told(story: str, cut: bool) -> None:
    fork = as_held(
        Fork("The bee", {way: Half(story, cut, "small · seed 1") for way in Way}), Language.ENGLISH
    )
    assert as_held(fork, Language.ENGLISH) == fork
    half = fork.ways[Way.A]
    assert len(half.held()) <= HALF and half.note == "small · seed 1"
    told = messages.parse(fork.told(Way.A))
    assert told.prompt == "The bee"
    assert told.story.rstrip() == half.story.rstrip() and told.cut == half.cut
    if len(story) < 600 and not cut:
        assert half.story == messages.plain(story).rstrip(), "none of it is lost"


@pytest.mark.parametrize("language", Language)
def test_the_largest_card_fits_in_every_state(language: Language) -> None:
    note = "n" * messages.ROOM
    held = as_held(
        Fork("@_x* " * 100, {way: Half("@_x* " * 300, True, note) for way in Way}), language
    )
    assert all(len(half.held()) <= HALF for half in held.ways.values()) and HALF + BEGINNING < 2300
    sampling = Sampling(length=1000, temperature=1.23457e-05, top_k=100, top_p=0.1234)
    state = ButtonState(2**64 - 1, sampling, pages=Pages(MAX_SEED, (0, 0), 1, "abcdef"))
    values = {"when": f"<t:{2**40}:R>", "way": "A", "other": "B", "votes": 10**5}
    values |= {"most": 10**5, "least": 10**5}
    for text in ForkText:
        line = language.say(text, **values)
        for shown in (held, held.without(Way.A)):
            buttons = [ForkButton("vote", way, state, f"{way.name} · {10**5}") for way in Way]
            view = card(line, shown, buttons, language)
            assert view.content_length() <= TEXT_DISPLAYS
    for button in view.walk_children():
        if isinstance(button, discord.ui.Button):
            assert button.custom_id is not None and len(button.custom_id) <= CUSTOM_ID
            match = ForkButton.__discord_ui_compiled_template__.fullmatch(button.custom_id)
            assert match is not None and ButtonState.of(match) == state


def test_two_ways_that_are_one_are_no_choice() -> None:
    same = {way: Half(" sat.", False, "") for way in Way}
    with pytest.raises(Refusal, match="one way"):
        fork_writing.check([], same)
    with pytest.raises(Refusal, match="two ways"):
        fork_writing.check([], {Way.A: Half(" sat.", False, ""), Way.B: Half(" ", False, "")})
    fork_writing.check([], {Way.A: Half(" sat.", False, ""), Way.B: Half(" ran.", False, "")})
