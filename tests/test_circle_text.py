"""What a circle's message shows and reads back, and whose turn it is: pure text."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import circle, messages
from bot.circle import CircleState, Turn
from bot.circle_registry import FORGOTTEN, Circles
from bot.circle_seal import Seal
from model.sentences import first_sentences
from tests.fake_discord import ManualClock, markdown

WORDS = st.text(st.sampled_from("aB .!?\"'*_-#>`~|[]<@:1\\\n"), max_size=60)
SENTENCES = WORDS.map(lambda text: " ".join(text.split())).filter(bool)
# As `vocab.clean` leaves it, and the network writes it.
ANSWERS = WORDS.map(lambda text: text.rstrip())


@given(st.lists(st.builds(Turn, SENTENCES, ANSWERS), max_size=6), ANSWERS)
def test_what_is_shown_is_read_back(turns: list[Turn], opening: str) -> None:
    if opening.strip():
        turns = [Turn("", opening.strip()), *turns]
    content = circle.show(turns, "story circle")
    assert list(circle.parse(content)) == turns
    active, _ = markdown.read(content)
    assert active <= {"bold", "subtext", "italic _"}
    # As a story, for "Continue as Pooh" and whoever else reads the message: nothing is bold in it.
    assert messages.parse(content).text.split() == circle.text_of(turns).split()


def test_a_turn_is_a_paragraph() -> None:
    turns = [Turn("", "A bee sat."), Turn("It slept.", '\n\n"Oh!"'), Turn("Then", " it woke.")]
    assert circle.show(turns, "n") == (
        'A bee sat.\n\n**It slept.**\n\n"Oh!"\n\n**Then** it woke.\n-# n'
    )
    assert circle.text_of(turns) == 'A bee sat.\n\nIt slept.\n\n"Oh!"\n\nThen it woke.'
    assert circle.show([], "n") == "-# n" and circle.parse("-# n") == ()


@given(st.lists(st.builds(Turn, SENTENCES, ANSWERS), max_size=20), SENTENCES)
def test_one_more_turn_fits_whatever_pooh_answers(turns: list[Turn], sentence: str) -> None:
    if circle.fits(turns, sentence):
        worst = Turn(sentence, "*" * circle.ANSWER)
        assert len(circle.show([*turns, worst], "x" * circle.NOTE)) <= messages.LIMIT


def test_a_message_has_room_for_several_turns() -> None:
    turns: list[Turn] = []
    while circle.fits(turns, "x" * circle.SENTENCE):
        turns.append(Turn("x" * circle.SENTENCE, "y" * 150))
    assert len(turns) >= 3


@given(st.text(st.sampled_from('a b.\n*"_'), max_size=6000))
def test_a_story_is_told_whole_in_parts_that_fit(text: str) -> None:
    parts = list(circle.pieces(text))
    assert "".join("".join(parts).split()) == "".join(text.split())
    for part in parts:
        built = messages.build(messages.Page(story=part), "x" * messages.ROOM)
        assert len(built) <= messages.LIMIT
        assert messages.parse(built).text == part and not messages.parse(built).cut


def test_parts_end_where_sentences_do() -> None:
    first, *_ = circle.pieces("The bee sat on a bun. " * 200)
    assert first.endswith("bun.") and len(first) > 1500


PEOPLE = st.integers(1, 2**64 - 1)
SEAL = Seal(b"key")


@given(
    *(PEOPLE, st.lists(PEOPLE, max_size=circle.KNOWN), st.integers(0, 999)),
    *(st.booleans(), st.booleans()),
)
def test_a_button_remembers_its_state(
    starter: int, writers: list[int], turn: int, is_alone: bool, is_writing: bool
) -> None:
    state = CircleState(starter, tuple(writers), turn, is_alone, is_writing)
    for action in ("add", "undo", "end"):
        custom_id = state.custom_id(action, SEAL)
        match = re.fullmatch(circle.TEMPLATE, custom_id)
        assert match is not None and len(custom_id) <= 100
        assert match["action"] == action and CircleState.of(match, SEAL) == state
    form_id = state.form_id(SEAL)
    match = re.fullmatch(circle.FORM, form_id)
    assert match is not None and len(form_id) <= 100
    form = CircleState.of_form(match, SEAL)
    assert (form.turn, form.last) == (turn, state.last)


def test_nobody_adds_twice_running_unless_alone() -> None:
    state = CircleState(1)
    assert state.may_add(1, 0.0) and state.may_add(2, 0.0)
    state = state.after(1).after(1)
    assert state.is_alone and state.may_add(1, 0.0) and state.turn == 2
    state = state.after(2)
    assert not state.is_alone and not state.may_add(2, circle.ALONE - 1) and state.may_add(1, 0.0)
    assert state.may_add(2, circle.ALONE)
    assert not state.after(2).is_alone  # who was not alone once is not so again
    assert not state.after(1).after(1).is_alone


def test_what_is_taken_back_was_the_last_turn() -> None:
    state = CircleState(1).after(1).at_rest()
    after = state.after(2)
    assert after.is_writing and not after.at_rest().is_writing
    undone = after.at_rest().undone()
    assert (undone.last, undone.turn) == (1, 1)
    assert undone.undone().last == 0 and undone.undone().undone().turn == 0
    # After many such presses nobody knows who wrote last: it need not have been one person alone.
    assert not replace(undone, writers=()).after(3).is_alone


def test_the_latest_writers_are_known_and_go_with_what_is_taken_back() -> None:
    state = CircleState(9)
    for person in range(1, circle.KNOWN + 4):
        state = state.after(person)
    assert state.writers == tuple(range(circle.KNOWN + 3, 3, -1)) and state.starter == 9
    for _ in range(circle.KNOWN):
        state = state.undone()
    assert state.writers == () and state.last == 0 and state.turn == 3
    assert state.after(7).writers == (7,)


@pytest.mark.parametrize(
    ("text", "before", "shown", "cut"),
    [
        (" Oh! It was tea. He sat down. He sl", "", " Oh! It was tea.", False),
        (" sat down", "", " sat", True),
        (
            ' "Oh!" said he. "Is it tea?" said Owl. It was',
            "",
            ' "Oh!" said he. "Is it tea?" said Owl.',
            False,
        ),
        (
            ' "Is it tea? Oh, it is. Let us drink." They drank. And s',
            "",
            ' "Is it tea? Oh, it is. Let us drink."',
            False,
        ),
        (' "Is it tea? Oh, it is. Let us dr', "", ' "Is it tea? Oh, it is.', False),
        (' Let us go. And now." They went. It w', '"Come.', ' Let us go. And now."', False),
        ("", "", "", True),
    ],
)
def test_one_or_two_sentences_that_leave_nobody_speaking(
    text: str, before: str, shown: str, cut: bool
) -> None:
    assert first_sentences(text, 2, before) == (shown, cut)


def test_circles_are_known_until_they_are_forgotten() -> None:
    clock = ManualClock()
    circles = Circles(clock)
    with circles.beginning(1):
        found = circles.find(1)
        assert found is not None and not found.link
    assert circles.find(1) is None
    with circles.beginning(1):
        circles.add(12, 11, "link", parent=1, at_home=True)
    for channel in (1, 11):
        found = circles.find(channel)
        assert found is not None and found.link == "link"
    circles.forget(11)  # the thread is gone
    assert len(circles) == 0
    circles.add(12, 11, "link", parent=1, at_home=True)
    circles.add(22, 2, "link", parent=None, at_home=False)
    circles.add(32, 3, "link", parent=None, at_home=True)
    circles.forget(12, 32, 42)  # many messages are deleted at once
    assert len(circles) == 1 and circles.find(2)
    clock.advance(FORGOTTEN)
    assert circles.find(2) is None and len(circles) == 0
    circles.add(12, 11, "link", parent=None, at_home=True)
    clock.advance(circle.REST - 1)
    assert circles.find(11)
    clock.advance(1)
    assert not circles.find(11)


def test_a_message_is_written_by_whoever_said_so_first() -> None:
    circles = Circles(ManualClock())
    with circles.writing(1):
        with circles.writing(1):
            pass
        assert circles.is_writing(1)
    assert not circles.is_writing(1)


def test_who_is_alone_may_take_all_back_and_add_at_once() -> None:
    state = CircleState(1)
    for _ in range(4):
        state = state.after(1)
    for turn in (3, 2, 1):
        state = state.undone()
        assert (state.turn, state.last) == (turn, 1), "they may take back the next, too"
        assert state.after(1).may_add(1, 0.0), "nobody else has written"
    assert not state.after(2).may_add(2, 0.0), "now somebody has"
    state = state.undone()
    assert (state.turn, state.last) == (0, 0)
    assert state.after(2).may_add(2, 0.0)
