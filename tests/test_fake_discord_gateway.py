"""The stand-in's gateway: who may identify, what is told, how connections end and go on."""

import struct
import zlib
from typing import Any

import aiohttp
import discord
import pytest

from tests.fake_discord import DiscordServer, ManualClock
from tests.fake_discord.gateway import Socket
from tests.small_client import Small, online


async def test_content_comes_only_with_a_mention_a_reply_or_a_dm(server: DiscordServer) -> None:
    async with online(server, Small()) as client:
        kanga = server.person()
        mine = server.post(server.channel, server.bot_user(), content="by pooh")
        kanga.say("a secret", server.channel)
        kanga.say("hallo @pooh", server.channel)
        kanga.say("and then?", reply_to=mine)
        kanga.say("and then?", reply_to=mine, ping=False)
        kanga.say("psst", server.dm(kanga))
        gone = kanga.say("oops", server.channel)
        kanga.delete(gone)
        await server.until(lambda: gone.id in client.seen)
        me = f"<@{server.application_id}>"
        assert client.seen[:-1] == ["by pooh", "", f"hallo {me}", "and then?", "", "psst", ""]


async def test_a_wrong_token_is_refused_twice(server: DiscordServer) -> None:
    client = Small()
    server.token = "another"
    with pytest.raises(discord.LoginFailure):
        discord.http.Route.BASE = server.api_base
        await client.login("this one")
    await client.close()
    server.token = server.gateway.token
    server.gateway.token = "changed"
    with pytest.raises(discord.ConnectionClosed) as closed:
        async with online(server, client := Small()):
            pass
    assert closed.value.code == 4004


async def test_privileged_intents_must_be_granted(server: DiscordServer) -> None:
    class Curious(Small):
        def __init__(self) -> None:
            super().__init__()
            self._connection._intents = discord.Intents.all()

    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with online(server, Curious()):
            pass


async def test_a_cut_connection_is_resumed_and_nothing_is_missed(server: DiscordServer) -> None:
    async with online(server, Small()) as client:
        kanga = server.person()
        for times, cut in enumerate((server.gateway.drop, server.gateway.ask_to_reconnect), 2):
            session = server.gateway.session
            cut()
            kanga.say(f"@pooh are you there? {times}", server.channel)
            await server.until(lambda: client.seen.count("resumed") == times - 1)  # noqa: B023
            assert server.gateway.session is session
            assert any(f"there? {times}" in str(seen) for seen in client.seen)
        assert server.gateway.count(2) == 1 and server.gateway.count(6) == 2


async def test_an_invalid_session_is_begun_anew(server: DiscordServer) -> None:
    async with online(server, Small()) as client:
        server.gateway.invalidate()
        await server.online(2)  # discord.py waits five seconds before it identifies again
        assert server.gateway.count(2) == 2
        server.gateway.invalidate(resumable=True)
        await server.until(lambda: "resumed" in client.seen)


async def test_heartbeats_are_answered(server: DiscordServer) -> None:
    server.gateway.heartbeat_interval = 50
    async with online(server, Small()) as client:
        await server.until(lambda: server.gateway.count(1) >= 3)
        await server.until(lambda: client.latency < float("inf"))


async def test_the_gateway_speaks_compressed_and_plain(server: DiscordServer) -> None:
    async with aiohttp.ClientSession() as web:
        url = f"{server.gateway_url}?v=10&encoding=json"
        async with web.ws_connect(url) as plain:
            assert (await plain.receive_json())["op"] == 10
        async with web.ws_connect(url + "&compress=zlib-stream") as packed:
            data = await packed.receive_bytes()
            assert data.endswith(struct.pack(">I", 0xFFFF))
            assert b'"op": 10' in zlib.decompressobj().decompress(data)
            await packed.send_json({"op": 3, "d": {}})
            assert (await packed.receive()).data == 4003
        async with web.ws_connect(url + "&compress=zlib-stream") as talkative:
            for _ in range(121):
                await talkative.send_json({"op": 1, "d": None})
            while (message := await talkative.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
            assert message.data == 4008
    with pytest.raises(aiohttp.web.HTTPBadRequest):
        Socket(aiohttp.web.WebSocketResponse(), "lzma")


Raw = aiohttp.ClientWebSocketResponse


async def identify(
    web: aiohttp.ClientSession, server: DiscordServer, shard: object, intents: object = 1
) -> tuple[Raw, dict[str, Any] | int]:
    """A connection, and what an IDENTIFY on it earns: a payload, or the code of a close."""
    ws = await web.ws_connect(f"{server.gateway_url}?v=10&encoding=json")
    assert (await ws.receive_json())["op"] == 10
    data = {"token": server.token, "intents": intents, "shard": shard, "properties": {}}
    await ws.send_json({"op": 2, "d": data})
    answer = await ws.receive()
    return ws, answer.json() if answer.type is aiohttp.WSMsgType.TEXT else int(answer.data)


async def test_each_shard_is_told_of_its_servers_and_shard_0_of_what_is_private(
    server: DiscordServer,
) -> None:
    others = [server.add_guild(f"Wood {i}") for i in range(5)]
    person = server.person()
    async with aiohttp.ClientSession() as web:
        sockets = []
        for shard in range(3):
            ws, ready = await identify(web, server, [shard, 3], 1 | 1 << 9 | 1 << 12)
            assert isinstance(ready, dict) and ready["d"]["shard"] == [shard, 3]
            listed = {int(guild["id"]) for guild in ready["d"]["guilds"]}
            assert listed == {g.id for g in [server.guild, *others] if (g.id >> 22) % 3 == shard}
            created = [await ws.receive_json() for _ in listed]
            assert {int(event["d"]["id"]) for event in created} == listed
            sockets.append(ws)
        for guild in others:
            message = person.say("@pooh", server.add_channel(guild))
            event = await sockets[(guild.id >> 22) % 3].receive_json()
            assert event["d"]["id"] == str(message.id)
        whisper = person.say("psst", server.dm(person))
        assert (await sockets[0].receive_json())["d"]["id"] == str(whisper.id)
        for ws in sockets:  # and nobody was told anything else
            await ws.close(code=1000)
            assert (await ws.receive()).type is not aiohttp.WSMsgType.TEXT
        await server.until(lambda: not server.gateway.sessions)  # who says goodbye is forgotten


@pytest.mark.parametrize(
    ("shard", "intents", "code"),
    [
        ([2, 2], 1, 4010), ([-1, 2], 1, 4010), ([0, 0], 1, 4010), ("0", 1, 4010), ([0], 1, 4010),
        ([0, 1], 1 << 30, 4013), ([0, 1], "1", 4013), ([0, 1], None, 4013), ([0, 1], 1 << 1, 4014),
    ],
)  # fmt: skip
async def test_bad_shards_and_intents_are_sent_away(
    server: DiscordServer, shard: object, intents: object, code: int
) -> None:
    async with aiohttp.ClientSession() as web:
        assert (await identify(web, server, shard, intents))[1] == code
    assert not server.gateway.sessions


async def test_more_than_2500_servers_on_a_shard_are_sent_away(server: DiscordServer) -> None:
    while len(server.guilds) < 2501:
        server.add_guild("Wood")
    async with aiohttp.ClientSession() as web:
        assert (await identify(web, server, [0, 1]))[1] == 4011
        _, ready = await identify(web, server, [0, 2])
        assert isinstance(ready, dict) and len(ready["d"]["guilds"]) == 1251
        headers = {"Authorization": f"Bot {server.token}"}
        async with web.get(f"{server.api_base}/gateway/bot", headers=headers) as answer:
            about = await answer.json()
    assert about["shards"] == 3 and about["url"] == server.gateway_url
    limit = about["session_start_limit"]
    assert (limit["total"], limit["remaining"], limit["max_concurrency"]) == (1000, 998, 1)


async def test_identifys_of_one_bucket_may_not_come_too_close() -> None:
    clock = ManualClock()
    discord_server = DiscordServer(clock, rates={}, identify_period=5.0, max_concurrency=2)
    async with discord_server as server, aiohttp.ClientSession() as web:

        async def op(shard: int) -> int:
            _, answer = await identify(web, server, [shard, 4])
            assert isinstance(answer, dict)
            return int(answer["op"])

        assert [await op(0), await op(1)] == [0, 0]
        assert [await op(2), await op(3)] == [9, 9]
        clock.advance(4.9)
        assert await op(2) == 9  # counted from the last one, answered or not
        clock.advance(5.0)
        assert [await op(2), await op(3)] == [0, 0]
        assert server.gateway.sent[9] == 3
