"""What breaks on the way to two ways on and a vote: nobody's vote and no story is lost."""

import re

import pytest

from bot.fork import VOTE
from bot.fork_texts import ForkText
from bot.translations import Text
from tests.bot_steps import page
from tests.fake_discord import (
    ApiError,
    Cut,
)
from tests.fork_steps import (
    TAKE,
    away,
    begin,
    below,
    counts,
    forked,
    in_time,
    line,
    say,
    vote,
    ways,
)
from tests.hosting import Stage

BLOCKED = ApiError(400, 200000, "Message was blocked by automatic moderation")


async def test_a_card_that_automod_blocks_is_told_to_its_asker_only(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await begin(wood, kanga, length=60)
    wood.server.fail("PATCH", "/webhooks", BLOCKED)
    use = kanga.press(story, "Fork")
    said = await wood.server.until(lambda: next((m for m in use.messages if m.content), None))
    assert said.ephemeral and said.content == say(Text.BLOCKED)
    assert use.original and use.original.deleted


@pytest.mark.parametrize("at_home", [False, True])
async def test_a_winner_that_cannot_be_posted_can_be_gone_on_with(
    wood: Stage, at_home: bool
) -> None:
    kanga = wood.server.person()
    where = None if at_home else away(wood)
    story = await begin(wood, kanga, length=60, where=where)
    use = kanga.press(story, "Fork")
    card = await forked(wood, use)
    both = ways(card)
    await vote(wood, kanga, card, "B")
    wood.server.fail("POST", "/channels" if at_home else "/webhooks", BLOCKED)
    await in_time(wood, card, lambda: list(card.buttons) == TAKE)
    assert line(card) == say(ForkText.UNTOLD, way="B", most=1, least=0) and ways(card) == both
    assert [m.content for m in use.followups] == [say(Text.BLOCKED)]
    kanga.press(card, TAKE[1])
    await wood.server.until(lambda: list(card.buttons) == TAKE[:1])
    assert page(below(card)[-1]).story == both[1]


async def test_counts_that_cannot_be_shown_are_counted(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await begin(wood, kanga, length=60)
    card = await forked(wood, kanga.press(story, "Fork"))
    wood.server.fail("PATCH", "/webhooks", Cut.RESET)
    await vote(wood, roo, card, "A")
    await wood.pass_seconds(1.2)
    wood.server.fail("PATCH", "/webhooks", ApiError(403, 50013, "Missing Permissions"))
    await vote(wood, kanga, card, "A")
    await wood.pass_seconds(1.2)
    assert counts(card) == ["A · 0", "B · 0"] and not wood.server.faults
    await in_time(wood, card, lambda: below(card))
    assert "2 to 0" in line(card)


async def test_the_end_of_a_vote_survives_a_broken_connection(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await begin(wood, kanga, length=60)
    card = await forked(wood, kanga.press(story, "Fork"))
    await vote(wood, kanga, card, "A")
    await wood.pass_seconds(1.2)
    wood.server.fail("PATCH", "/webhooks", Cut.CLOSED, times=2)
    wood.clock.advance(VOTE)
    await wood.until(lambda: list(card.buttons) == [TAKE[1]])
    assert len(below(card)) == 1


async def test_a_card_whose_first_answer_was_lost_is_voted_on(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await begin(wood, kanga, length=60)
    wood.server.fail("POST", "/interactions", Cut.CLOSED, carried_out=True)
    wood.server.fail("GET", "/webhooks", ApiError(403, 50013, "Missing Permissions"))
    use = kanga.press(story, "Fork")
    await wood.until(lambda: use.original and use.original.components)
    card = await forked(wood, use)
    assert not wood.server.faults
    await vote(wood, roo, card, "B")
    await wood.pass_seconds(1.2)
    assert counts(card) == ["A · 0", "B · 1"]


async def test_votes_of_a_crowd_are_shown_once_a_second(wood: Stage) -> None:
    server = wood.server
    kanga = server.person("Kanga")
    story = await begin(wood, kanga, length=60)
    card = await forked(wood, kanga.press(story, "Fork"))
    edits = len(card.edits)
    crowd = [server.person(f"P{i}") for i in range(60)]
    uses = [person.press(card, f"{'AB'[i % 3 == 0]} · 0") for i, person in enumerate(crowd)]
    await server.until(lambda: all(use.answered for use in uses))
    assert all(use.response_type == 6 for use in uses)
    await wood.pass_seconds(2.5)
    assert counts(card) == ["A · 40", "B · 20"] and len(card.edits) - edits <= 4


async def test_a_word_that_is_refused_by_now_is_not_gone_on_with(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await begin(wood, kanga, length=60, where=wood.server.dm(kanga))
    card = await forked(wood, kanga.press(story, "Fork"))
    await wood.stop()
    word = max(re.findall(r"\b[a-z]+\b", ways(card)[0]), key=len)
    wood.settings = type(wood.settings)(
        **{**vars(wood.settings), "words_refused": frozenset({word})}
    )
    await wood.start()
    use = kanga.press(card, TAKE[0])
    await wood.server.until(lambda: use.followups)
    assert use.followups[0].content == say(Text.RATHER_NOT) and list(card.buttons) == TAKE
