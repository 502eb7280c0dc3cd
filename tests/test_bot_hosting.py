"""Permissions, sync, a connection that breaks: the real bot, through the real discord.py.

The stand-in checks every request against Discord's rules and description while these tests run;
``stage`` fails a test whose bot notified anybody or sent what Discord does not know.
"""

import logging
from dataclasses import replace
from typing import cast

import discord
import pytest

from bot.errors import LeftError, explain
from bot.invite import PERMISSIONS
from bot.targets import Reply
from tests.bot_steps import begun, page, refusal, reply_to, told, use_message
from tests.fake_discord import ApiError
from tests.hosting import Stage, finished


async def test_the_permissions_of_the_invitation_are_enough(wood: Stage) -> None:
    wood.server.channel.bot_permissions = PERMISSIONS.value
    kanga = wood.server.person()
    assert page(await reply_to(wood, kanga.say("@pooh Here is"))).story
    assert finished(await told(wood, kanga.command("pooh", prompt="Here is")))
    assert not wood.server.refused()


async def test_commands_are_sent_only_when_they_differ(wood: Stage) -> None:
    def puts() -> int:
        return len(wood.server.requests("PUT", "/applications"))

    assert puts() == 1
    sent = len(wood.server.commands)
    await wood.restart()
    assert puts() == 1
    next(iter(wood.server.commands.values()))["description"] = "Something else"
    await wood.restart()
    assert puts() == 2
    wood.server.commands.popitem()
    await wood.restart()
    assert puts() == 3 and len(wood.server.commands) == sent


@pytest.mark.parametrize("status", [400, 403])
async def test_commands_that_cannot_be_compared_are_sent(wood: Stage, status: int) -> None:
    error = ApiError(status, 0, "no list today")
    wood.server.fail("GET", "/applications/{application_id}/commands", error)
    next(iter(wood.server.commands.values()))["description"] = "Something old"
    await wood.restart()
    assert not wood.server.faults
    assert "Something old" not in {c["description"] for c in wood.server.commands.values()}


async def test_a_broken_connection_is_resumed_while_stories_are_told(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await begun(wood, kanga, prompt="The mill", length=400)
    wood.server.gateway.drop()
    theirs = roo.command("pooh", prompt="While you were away")
    await wood.server.online(2)
    wood.decoder.open()
    await wood.until(lambda: finished(story) and finished(theirs.original))
    assert page(use_message(theirs)).prompt == "While you were away"
    assert wood.server.gateway.count(6) == 1


async def test_only_servers_that_the_host_allows_are_answered(wood: Stage) -> None:
    server = wood.server
    await wood.stop()
    wood.settings = replace(wood.settings, guilds=frozenset({server.guild.id}))
    await wood.start()
    kanga = server.person()
    other = server.add_channel(server.add_guild("Elsewhere", installed=False))
    assert finished(await told(wood, kanga.command("pooh", prompt="Here is")))
    await refusal(kanga.command("pooh", prompt="Here is", where=other))


async def test_a_word_that_comes_when_the_bot_has_left_is_no_error(
    wood: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """On a busy machine handlers are late: some are at work when the connections are closed."""
    await wood.stop()  # first: else a handler of its own may be late, and log beside this one
    asked = wood.server.person().say("Here is", wood.server.dm(wood.server.person()))
    place = wood.bot.get_partial_messageable(asked.channel.id).get_partial_message(asked.id)
    requests = len(wood.server.log)
    with caplog.at_level(logging.INFO):
        with pytest.raises(LeftError) as left:
            await wood.bot.services.delivery.send(lambda: place.reply("Oh"))
        reply = Reply(cast(discord.Message, place), wood.bot.services.delivery)
        await explain(reply, left.value)
    assert [r.levelname for r in caplog.records] == ["INFO"], "it was not tried again"
    assert len(wood.server.log) == requests
