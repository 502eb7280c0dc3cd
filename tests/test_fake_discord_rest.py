"""The stand-in's REST: messages, rate limits, faults on order, unknown routes."""

import asyncio

import aiohttp
import discord
import pytest

from tests.fake_discord import (
    BOT_DM,
    PRIVATE,
    ApiError,
    Cut,
    DiscordServer,
    too_many,
)
from tests.small_client import Small, clock_of, online


async def test_messages_are_written_edited_and_deleted_by_the_bot(server: DiscordServer) -> None:
    async with online(server, Small()) as client:
        kanga, roo = server.person("Kanga"), server.person("Roo")
        channel = client.get_partial_messageable(server.channel.id)
        sent = await channel.send(f"@everyone <@{kanga.id}>")
        stored = server.channel.messages[sent.id]
        assert stored.pinged == ["@everyone", str(kanga.id)]
        quiet = await channel.send("@here", allowed_mentions=discord.AllowedMentions.none())
        assert not server.channel.messages[quiet.id].pinged
        await sent.edit(content="edited")
        assert stored.content == "edited"
        clock_of(server).advance(3601)
        for _ in range(3):
            await sent.edit(content="late")
        with pytest.raises(discord.HTTPException) as old:
            await sent.edit(content="too late")
        assert old.value.code == 30046
        await sent.delete()
        for request in (sent.delete(), sent.edit(content="x"), channel.fetch_message(sent.id)):
            with pytest.raises(discord.NotFound) as missing:
                await request
            assert missing.value.code == 10008
        theirs = kanga.say("mine", server.channel)
        with pytest.raises(discord.Forbidden):
            await channel.get_partial_message(theirs.id).edit(content="no")
        group = server.add_channel(None, kanga, roo, context=PRIVATE)
        with pytest.raises(discord.Forbidden) as unseen:
            await client.get_partial_messageable(group.id).send("hallo")
        assert unseen.value.code == 50001
        dm = await client.get_partial_messageable(server.dm(roo).id).send("hallo")
        assert server.dm(roo).messages[dm.id].channel.context == BOT_DM


async def test_rate_limits_are_announced_and_discord_py_keeps_to_them() -> None:
    rates = {"PATCH /webhooks": (3, 0.2), "POST /channels": (3, 0.2)}

    async def answer(interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        for i in range(7):
            await interaction.edit_original_response(content=str(i))

    async with DiscordServer(rates=rates) as server, online(server, Small(answer)) as client:
        use = server.person().command("pooh")
        await server.until(lambda: use.original and use.original.content == "6")
        channel = client.get_partial_messageable(server.channel.id)
        await asyncio.gather(*(channel.send(str(i)) for i in range(7)))
        assert not client.problems and server.log[-1].headers["X-RateLimit-Limit"] == "3"


async def test_a_429_is_waited_for_and_other_faults_can_be_ordered(server: DiscordServer) -> None:
    async with online(server, Small()) as client:
        channel = client.get_partial_messageable(server.channel.id)
        server.fail("POST", "/channels", too_many(0.01))
        await channel.send("at last")
        assert [r.status for r in server.requests("POST", "/channels")] == [429, 200]
        assert server.invalid_requests == 1
        server.fail("POST", "/channels", ApiError(403, 50013, "Missing Permissions"))
        with pytest.raises(discord.Forbidden):
            await channel.send("no")
        assert [r.code for r in server.refused()] == [0, 50013]


@pytest.mark.parametrize("carried_out", [False, True])
async def test_an_answer_can_be_lost_in_the_ways_of_networks(
    server: DiscordServer, carried_out: bool
) -> None:
    async with online(server, Small()) as client:
        channel = client.get_partial_messageable(server.channel.id)
        server.fail("POST", "/channels", Cut.RESET, carried_out=carried_out)
        with pytest.raises(aiohttp.ClientOSError) as reset:
            await channel.send("one", nonce=1)
        assert reset.value.errno == 104
        server.fail("POST", "/channels", Cut.CLOSED, carried_out=carried_out)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await channel.send("two", nonce=2)
        server.fail("POST", "/channels", ApiError(503, 0, "down"), carried_out=carried_out)
        with pytest.raises(discord.DiscordServerError):
            await channel.send("three", nonce=3)
        assert len(server.channel.messages) == (3 if carried_out else 0)
        for text, nonce in (("one", 1), ("two", 2), ("three", 3)):
            await channel.send(text, nonce=nonce)
        assert len(server.channel.messages) == 3, "a nonce is good for one message"


async def test_too_many_requests_in_all_are_refused_for_everyone() -> None:
    async with DiscordServer(rates={"x": (1, 1.0)}) as server, aiohttp.ClientSession() as web:
        headers = {"Authorization": f"Bot {server.token}"}
        answers: list[aiohttp.ClientResponse] = []
        while not answers or answers[-1].status == 200:
            answers.append(await web.get(f"{server.api_base}/users/@me", headers=headers))
            assert len(answers) < 10_000
        assert (await answers[-1].json())["global"] and answers[-1].headers["Via"]


async def test_an_unknown_route_is_a_violation(server: DiscordServer) -> None:
    async with online(server, Small()) as client:
        with pytest.raises(discord.NotFound):
            await client.fetch_guild(server.guild.id)
    assert len(server.violations()) == 1
    server.unexpected.clear()
