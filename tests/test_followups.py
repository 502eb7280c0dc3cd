"""What is sent below a message that was pressed is sent once, whatever becomes of the answers."""

import copy

import pytest

from bot import circle
from bot.circle_texts import CircleText
from bot.fork_texts import ForkText
from bot.targets import OLD
from bot.translations import Text
from tests.bot_steps import page, retold
from tests.fake_discord import ApiError, Channel, Cut, Interaction, Message, Person, Request
from tests.fake_discord.models import ATTACH_FILES, HISTORY, SEND_MESSAGES, VIEW
from tests.fork_steps import (
    TAKE,
    away,
    begin,
    below,
    forked,
    in_time,
    line,
    say,
    vote,
    ways,
)
from tests.hosting import Stage
from tests.test_circle import END, add, at_rest, begun, form, newest
from tests.test_circle import said as said_of
from tests.test_circle_pages import file

FORBIDDEN = ApiError(403, 50013, "Missing Permissions")
DOWN = ApiError(502, 0, "bad gateway")
LOSSES = [(Cut.RESET, False), (Cut.RESET, True), (Cut.CLOSED, False), (Cut.CLOSED, True)]
PLACES = [
    *[("server", *loss) for loss in LOSSES],
    *[("server", DOWN, True), ("thread", Cut.CLOSED, True), ("private", Cut.RESET, True)],
]


def home(wood: Stage, name: str, person: Person) -> Channel:
    """A place where the bot itself is."""
    server = wood.server
    if name == "thread":
        return server.add_thread(server.channel, "A thread", str(person.id))
    return server.dm(person) if name == "private" else server.channel


def words(use: Interaction) -> list[Message]:
    """What only the one who asked was told."""
    return [m for m in use.messages if m.ephemeral]


# Forks


@pytest.mark.parametrize(("place", "answer", "carried_out"), PLACES)
async def test_what_a_fork_comes_to_is_told_once(
    wood: Stage, place: str, answer: ApiError | Cut, carried_out: bool
) -> None:
    kanga = wood.server.person("Kanga")
    where = home(wood, place, kanga)
    card = await forked(
        wood, fork := kanga.press(await begin(wood, kanga, length=60, where=where), "Fork")
    )
    both = ways(card)
    times = 1 if answer is DOWN else 2  # else discord.py itself waits for seconds
    wood.server.fail("POST", "/channels", answer, carried_out=carried_out, times=times)
    if place == "private":
        use = kanga.press(card, TAKE[0])
        await wood.until(lambda: list(card.buttons) == TAKE[1:])
    else:
        use = await vote(wood, kanga, card, "A")
        await wood.pass_seconds(1.5)
        wood.clock.advance(180.0)
        await wood.until(lambda: list(card.buttons) == TAKE[1:])
    (told,) = below(card)
    assert page(told).story == both[0] and told.reference is card
    assert not words(use) and not words(fork) and not wood.server.faults


async def test_a_way_that_two_choose_at_once_is_told_once(wood: Stage) -> None:
    # Each press is heard by another process, so that neither knows of the other.
    kanga, owl = wood.server.person("Kanga"), wood.server.person("Owl", moderator=True)
    card = await forked(wood, kanga.press(await begin(wood, kanga, length=60), "Fork"))
    kanga.press(card, "Count now")
    await wood.server.until(lambda: list(card.buttons) == TAKE)
    as_it_was = card.components
    kanga.press(card, TAKE[0])
    await wood.server.until(lambda: list(card.buttons) == TAKE[1:])
    card.components = as_it_was
    await wood.restart()
    use = owl.press(card, TAKE[0])
    await wood.server.until(lambda: list(card.buttons) == TAKE[1:])
    assert len(below(card)) == 1 and not words(use)


async def test_a_way_that_was_told_and_taken_away_again_is_told(wood: Stage) -> None:
    kanga = wood.server.person("Kanga")
    card = await forked(wood, kanga.press(await begin(wood, kanga, length=60), "Fork"))
    kanga.press(card, "Count now")
    await wood.server.until(lambda: list(card.buttons) == TAKE)
    wood.server.fail("POST", "/channels", Cut.CLOSED, carried_out=True, times=2)
    use = kanga.press(card, TAKE[0])
    (story,) = await wood.server.until(lambda: below(card))
    wood.server.remove(story)
    await wood.until(lambda: list(card.buttons) == TAKE[1:])
    assert not below(card) and not words(use)


@pytest.mark.parametrize(("answer", "carried_out"), LOSSES)
@pytest.mark.parametrize("chosen", [False, True])
async def test_where_the_bot_is_not_at_home_nobody_is_told_what_is_not_known(
    wood: Stage, chosen: bool, answer: ApiError | Cut, carried_out: bool
) -> None:
    kanga = wood.server.person("Kanga")
    story = await begin(wood, kanga, length=60, where=away(wood))
    card = await forked(wood, kanga.press(story, "Fork"))
    both = ways(card)
    if chosen:
        kanga.press(card, "Count now")
        await wood.server.until(lambda: list(card.buttons) == TAKE)
    else:
        await vote(wood, kanga, card, "A")
    wood.server.fail("POST", "/webhooks", answer, carried_out=carried_out)
    unknown = say(ForkText.UNANSWERED, way="A")
    if chosen:
        use = kanga.press(card, TAKE[0])
        await wood.until(lambda: line(card) == unknown)
    else:
        use = kanga.press(card, "Count now")
        await wood.until(lambda: line(card) == unknown)
    assert list(card.buttons) == TAKE and ways(card) == both and not words(use)
    assert len(below(card)) == carried_out
    await wood.restart()
    kanga.press(card, TAKE[0])
    await wood.server.until(lambda: list(card.buttons) == TAKE[1:])


@pytest.mark.parametrize("known", [False, True])
async def test_where_the_bot_may_not_write_a_follow_up_tells_it(wood: Stage, known: bool) -> None:
    kanga = wood.server.person("Kanga")
    card = await forked(wood, kanga.press(await begin(wood, kanga, length=60), "Fork"))
    both = ways(card)
    kanga.press(card, "Count now")
    await wood.server.until(lambda: list(card.buttons) == TAKE)
    if known:
        wood.server.channel.bot_permissions &= ~SEND_MESSAGES
    else:
        wood.server.fail("POST", "/channels", FORBIDDEN)
    use = kanga.press(card, TAKE[0])
    await wood.server.until(lambda: list(card.buttons) == TAKE[1:])
    (told,) = below(card)
    assert page(told).story == both[0] and use.followups == [told] and not wood.server.faults
    assert len(wood.server.requests("POST", "/channels")) == (not known)


async def test_where_the_bot_may_not_write_after_all_a_follow_up_is_sent_once(wood: Stage) -> None:
    kanga = wood.server.person("Kanga")
    card = await forked(wood, kanga.press(await begin(wood, kanga, length=60), "Fork"))
    kanga.press(card, "Count now")
    await wood.server.until(lambda: list(card.buttons) == TAKE)
    wood.server.fail("POST", "/channels", FORBIDDEN)
    wood.server.fail("POST", "/webhooks", Cut.CLOSED, carried_out=True)
    kanga.press(card, TAKE[0])
    await wood.until(lambda: line(card) == say(ForkText.UNANSWERED, way="A"))
    assert len(below(card)) == 1 and list(card.buttons) == TAKE and not wood.server.faults


async def test_where_it_may_read_nothing_it_writes_without_a_reply(wood: Stage) -> None:
    kanga = wood.server.person("Kanga")
    wood.server.channel.bot_permissions = VIEW | SEND_MESSAGES
    card = await forked(wood, kanga.press(await begin(wood, kanga, length=60), "Fork"))
    await vote(wood, kanga, card, "B")
    await in_time(wood, card, lambda: below(card))
    assert below(card)[0].reference is None and not wood.server.channel.bot_permissions & HISTORY


# Story circles


@pytest.mark.parametrize(("place", "answer", "carried_out"), PLACES)
async def test_a_circle_s_story_is_told_once_more_and_only_once(
    wood: Stage, place: str, answer: ApiError | Cut, carried_out: bool
) -> None:
    kanga = wood.server.person("Kanga")
    where = home(wood, place, kanga)
    message = await begun(wood, kanga, where, sentence="The bee sat on a bun.")
    long = ", and the bee sat on a bun and thought of honey that was not there" * 2
    for _ in range(6):
        message = await add(wood, kanga, message, f"It was so{long}.")
    times = 1 if answer is DOWN else 2
    wood.server.fail("POST", "/channels", answer, carried_out=carried_out, times=times)
    use = kanga.press(message, END)
    await wood.until(lambda: not message.buttons)
    parts = retold(message)
    assert len(parts) == 2 and [f"{n}/2" in m.content for n, m in enumerate(parts, 1)] == [True] * 2
    assert not words(use) and not wood.server.faults


@pytest.mark.parametrize("removed", [False, True])
async def test_a_circle_that_two_end_at_once_is_told_once_more_and_only_once(
    wood: Stage, removed: bool
) -> None:
    # Each press is heard by another process, or the first one ended before the buttons went.
    kanga = wood.server.person("Kanga")
    owl = wood.server.person("Owl", moderator=True, locale="de")
    message = await begun(wood, kanga, sentence="The bee sat on a bun.")
    content, buttons = message.content, copy.deepcopy(message.components)
    kanga.press(message, END)
    await wood.server.until(lambda: not message.buttons)
    (told,) = retold(message)
    if removed:
        wood.server.remove(told)
    message.content, message.components = content, buttons
    await wood.restart()
    use = owl.press(message, END)
    await wood.server.until(lambda: not message.buttons)
    assert retold(message) == ([] if removed else [told]) and not words(use)


async def test_while_the_last_turn_s_story_is_told_nobody_changes_its_message(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    first = await begun(wood, kanga, sentence="It began.")
    for button in (button for row in first.components for button in row["components"]):
        button["custom_id"] = button["custom_id"].replace(":1:", f":{circle.TURNS - 1}:")
    wood.clock.advance(OLD + 1)  # so that the last turn is in a new message
    shown = await form(wood, roo, first)
    presses: list[Interaction] = []

    def press_now(request: Request) -> bool:
        if said_of(CircleText.THE_END, number=circle.TURNS) in str(request.body) and not presses:
            message = newest(first.channel)
            assert message is not None and message is not first
            presses.extend(kanga.press(message, label) for label in ("Undo", END))
        return False

    wood.server.fail("POST", "/channels", DOWN, when=press_now)
    roo.submit(shown, sentence="And that was that.")
    await wood.server.until(lambda: presses and newest(first.channel) is None)
    await wood.until(lambda: not wood.bot.services.delivery.at_work)
    for use in presses:
        assert [m.content for m in words(use)] == [said_of(Text.STILL_WRITING)]
    message = max((m for m in first.channel.messages.values() if m.attachments), key=lambda m: m.id)
    assert len(retold(message)) == 1 and "And that was that." in message.content


@pytest.mark.parametrize("files", [False, True])
@pytest.mark.parametrize(("answer", "carried_out"), LOSSES)
async def test_a_circle_goes_on_in_one_message_only(
    wood: Stage, files: bool, answer: ApiError | Cut, carried_out: bool
) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    first = await begun(wood, kanga, sentence="It began.")
    if not files:
        first.channel.bot_permissions &= ~ATTACH_FILES
    wood.clock.advance(OLD + 1)
    shown = await form(wood, roo, first)
    wood.server.fail("POST", "/channels", answer, carried_out=carried_out, times=2)
    use = roo.submit(shown, sentence="It went on.")

    def gone_on() -> Message | None:
        latest = at_rest(newest(first.channel))
        return latest if latest is not first else None

    message = await wood.until(gone_on)
    assert not words(use) and not wood.server.faults
    assert [m for m in first.channel.messages.values() if m.id > first.id] == [message]
    assert not first.buttons and said_of(CircleText.GOES_ON) in first.content
    assert [turn.sentence for turn in circle.parse(message.content)] == ["It went on."]
    if files:
        assert file(wood, message) == circle.text_of(circle.parse(first.content))


@pytest.mark.parametrize(("answer", "carried_out"), LOSSES)
async def test_where_the_bot_is_not_at_home_a_circle_may_be_told_twice_but_not_never(
    wood: Stage, answer: ApiError | Cut, carried_out: bool
) -> None:
    kanga = wood.server.person("Kanga")
    message = await begun(wood, kanga, away(wood), sentence="The bee sat on a bun.")
    wood.server.fail("POST", "/webhooks", answer, carried_out=carried_out)
    use = kanga.press(message, END)
    await wood.until(lambda: not message.buttons)
    assert len({m.content for m in retold(message)}) == 1 and not words(use)
