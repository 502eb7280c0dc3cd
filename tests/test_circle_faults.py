"""A story circle when something is wrong: stops, closed threads, what is gone or blocked."""

import discord
import pytest

from bot import circle
from bot.circle_texts import CircleText
from bot.translations import Text
from tests.fake_discord import ApiError, Request
from tests.fake_discord.models import (
    CREATE_THREADS,
    MANAGE_THREADS,
    SEND_IN_THREADS,
    SEND_MESSAGES,
)
from tests.hosting import Stage
from tests.test_circle import (
    ADD,
    BUTTONS,
    UNDO,
    add,
    at_rest,
    begun,
    denied,
    form,
    said,
    shown_by,
    turns_of,
)


async def test_where_the_bot_stops_in_the_midst_the_sentence_stays(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    message = await begun(wood, kanga, sentence="A bee sat.")
    wood.decoder.hold()
    roo.submit(await form(wood, roo, message), sentence="Then it slept.")
    await server.until(lambda: "Then it slept." in message.content)
    leaving = wood.stop_gently()
    wood.decoder.allow(1)
    await leaving
    assert said(CircleText.SAID_NOTHING) in message.content and at_rest(message)
    wood.decoder.open()
    await wood.start()
    message = await add(wood, kanga, message, "Then it woke.")
    turns = circle.parse(message.content)
    assert [bool(t.answer.strip()) for t in turns] == [True, False, True]
    assert turns[1].sentence == "Then it slept."


async def test_a_message_that_still_says_it_is_written_is_gone_on_from(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    message = await begun(wood, kanga, sentence="A bee sat.")
    wood.decoder.hold()
    roo.submit(await form(wood, roo, message), sentence="Then it slept.")
    await server.until(lambda: "Then it slept." in message.content)
    server.fail("PATCH", "/webhooks", ApiError(500, 0, "500: Internal Server Error"), times=99)
    wood.decoder.open()
    await wood.restart()  # as a power cut: the end was never shown
    server.faults.clear()
    assert at_rest(message) is None
    await denied(wood, kanga.press(message, ADD), Text.STILL_WRITING)
    wood.clock.advance(circle.STALE + 1)
    message = await add(wood, kanga, message, "Then it woke.")
    assert [t.sentence for t in circle.parse(message.content)] == [
        *("A bee sat.", "Then it slept.", "Then it woke."),
    ]


async def test_when_the_thread_is_gone_the_circle_is_over_quietly(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    message = await begun(wood, kanga, sentence="A bee sat.")
    wood.decoder.hold()
    use = roo.submit(await form(wood, roo, message), sentence="Then it slept.")
    await server.until(lambda: "Then it slept." in message.content)
    server.remove_channel(message.channel)
    wood.decoder.open()
    await server.until(lambda: not wood.bot.services.delivery.at_work, "it to give up")
    assert use.messages == []
    await begun(wood, kanga, sentence="A new one.")


async def test_an_archived_thread_is_opened_again_and_a_locked_one_is_explained(
    wood: Stage,
) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    message = await begun(wood, kanga, sentence="A bee sat.")
    thread = message.channel
    wood.clock.advance(circle.REST + 1)
    server.change_thread(thread, archived=True)
    message = await add(wood, roo, message, "Back again.")
    assert not thread.archived
    shown = await form(wood, kanga, message)
    server.change_thread(thread, archived=True, locked=True)
    await wood.pass_seconds(0.2)
    assert "Lost?" in await denied(wood, kanga.submit(shown, sentence="Lost?"), CircleText.SHUT)
    for label in BUTTONS:
        await denied(wood, roo.press(message, label), CircleText.SHUT)
    owl = server.person("Owl", moderator=True)
    owl.permissions |= MANAGE_THREADS
    await denied(wood, owl.press(message, UNDO), CircleText.SHUT)  # the bot may not open it
    assert turns_of(message) == 2


@pytest.mark.parametrize("in_thread", [True, False])
async def test_who_may_not_write_there_adds_nothing_by_buttons_and_forms(
    wood: Stage, in_thread: bool
) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    if not in_thread:
        server.channel.bot_permissions &= ~CREATE_THREADS
    message = await begun(wood, kanga, sentence="A bee sat.")
    assert (message.channel.parent is not None) == in_thread
    shown = await form(wood, roo, message)
    roo.permissions &= ~(SEND_IN_THREADS if in_thread else SEND_MESSAGES)
    given_back = await denied(wood, roo.submit(shown, sentence="Heard?"), CircleText.NO_VOICE)
    assert "Heard?" in given_back
    await denied(wood, roo.press(message, ADD), CircleText.NO_VOICE)
    assert turns_of(message) == 1 and "Heard?" not in message.content
    roo.permissions ^= SEND_IN_THREADS | SEND_MESSAGES  # only the right for this kind of place
    roo.permissions |= SEND_IN_THREADS if in_thread else SEND_MESSAGES
    message = await add(wood, roo, message, "Now it is.")
    assert turns_of(message) == 2


async def test_a_circle_that_goes_with_many_messages_is_forgotten(wood: Stage) -> None:
    message = await begun(wood, wood.server.person("Kanga"), sentence="A bee sat.")
    circles, place = wood.bot.services.circles, message.channel.id
    assert circles.find(place)
    gone: list[list[str | int]] = [[], ["1", "2"], ["1", str(message.id)]]
    for ids in gone:
        assert circles.find(place)
        await wood.bot.on_raw_bulk_message_delete(
            discord.RawBulkMessageDeleteEvent({"ids": ids, "channel_id": str(place)})
        )
    assert not circles.find(place) and not len(circles)


async def test_what_automod_blocks_is_explained_and_given_back(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    message = await begun(wood, kanga, sentence="A bee sat.")
    before = message.content
    message.channel.blocked = ("zebra",)
    use = roo.submit(await form(wood, roo, message), sentence="A zebra came.")
    assert "A zebra came." in await denied(wood, use, Text.BLOCKED)
    assert message.content == before
    await add(wood, roo, message, "A bee came.")


@pytest.mark.parametrize("restart", [False, True])
async def test_a_circle_that_cannot_be_shown_leaves_nothing_behind(
    wood: Stage, restart: bool
) -> None:
    server = wood.server
    kanga = server.person("Kanga")
    server.channel.blocked = ("zebra",)
    use = kanga.command("circle", sentence="A zebra came.")
    assert "A zebra came." in await denied(wood, use, Text.BLOCKED)
    assert [m for m in server.channel.messages.values() if not m.ephemeral] == []
    # The name of the thread is let pass, the message is not.
    server.fail("POST", "/channels/{channel_id}/messages", FORBIDDEN, when=in_a_thread)
    use = kanga.command("circle", sentence="A bee came.")
    assert "A bee came." in await denied(wood, use, Text.MAY_NOT_WRITE)
    assert [m for m in server.channel.messages.values() if not m.ephemeral] == []
    (thread,) = (c for c in server.channels.values() if c.parent)
    assert thread.archived and not thread.messages
    if restart:
        await wood.restart()
    await begun(wood, kanga, sentence="A bee came.")


FORBIDDEN = ApiError(403, 50013, "Missing Permissions")


def in_a_thread(request: Request) -> bool:
    return not request.route.endswith("threads")


async def test_a_thread_whose_making_was_not_answered_is_the_one(wood: Stage) -> None:
    lost = ApiError(500, 0, "500: Internal Server Error")
    wood.server.fail("POST", "/channels/{channel_id}/messages/{message_id}/threads", lost,
                     carried_out=True, times=5)  # fmt: skip
    use = wood.server.person().command("circle", sentence="A bee sat.")
    message = await wood.until(lambda: shown_by(wood, use))
    assert message.channel.parent is wood.server.channel


async def test_where_the_answer_is_private_nobody_is_led_to_it(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    where = server.add_channel(server.add_guild("Elsewhere", installed=False))
    where.external_apps = False
    message = await begun(wood, kanga, where, sentence="A bee sat.")
    assert message.ephemeral
    message = await add(wood, kanga, message, "It slept.")
    await begun(wood, roo, where, sentence="Another bee sat.")


async def test_where_discord_does_not_say_who_sees_it_the_circle_goes_on(wood: Stage) -> None:
    server = wood.server
    where = server.add_channel(server.add_guild("Elsewhere", installed=False))
    server.fail("GET", "/webhooks", ApiError(403, 50001, "Missing Access"))
    message = await begun(wood, server.person(), where, sentence="A bee sat.")
    assert not server.faults and "writing" not in message.content


async def test_a_sentence_for_a_message_that_is_gone_is_given_back(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    message = await begun(wood, kanga, sentence="A bee sat.")
    shown = await form(wood, roo, message)
    wood.server.remove(message)
    assert "Hallo?" in await denied(wood, roo.submit(shown, sentence="Hallo?"), CircleText.IS_OVER)


async def test_where_discord_calls_only_the_answer_wrong_the_sentence_stays_and_it_goes_on(
    wood: Stage,
) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    message = await begun(wood, kanga, sentence="A bee sat.")
    writing = said(Text.WRITING)
    wood.server.fail("PATCH", "/webhooks", ApiError(400, 50035, "Invalid Form Body"),
                     when=lambda request: writing not in str(request.body))  # fmt: skip
    message = await add(wood, roo, message, "Then it slept.")
    assert said(CircleText.SAID_NOTHING) in message.content and not wood.server.faults
    await add(wood, kanga, message, "Then it woke.")  # nobody waits for a minute
