"""The stand-in's gateway: who may identify, what is told, how connections end and go on."""

import struct
import zlib

import aiohttp
import discord
import pytest

from tests.fake_discord import DiscordServer
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
