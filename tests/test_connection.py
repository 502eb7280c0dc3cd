"""What is said when Discord cannot be talked to, and whether trying again may help."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest

from bot.checks import online, visitor
from bot.connection import FAILURES, ConnectionFailure, diagnose, diagnosed, log_in
from bot.run import use_server
from tests.fake_discord import DiscordServer
from tests.test_settings import TOKEN


@pytest.fixture(autouse=True)
def same_server() -> Iterator[None]:
    """Puts Discord's addresses back, wherever a test sends the library."""
    before = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    yield
    discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = before


def http(status: int) -> discord.HTTPException:
    response: Any = SimpleNamespace(status=status, reason="reason")
    return discord.HTTPException(response, {"code": 0, "message": "a message"})


def closed(code: int) -> discord.ConnectionClosed:
    ws: Any = SimpleNamespace(close_code=code)
    return discord.ConnectionClosed(ws, shard_id=None)


KEY: Any = SimpleNamespace(host="discord.com", port=443, ssl=True, is_ssl=True)
CERTIFICATE = ssl.SSLCertVerificationError("certificate verify failed")
CASES: list[tuple[Exception, str, bool]] = [
    (discord.LoginFailure("x"), "does not accept it", False),
    (closed(4004), "does not accept it", False),
    (closed(4014), "closed the connection, code 4014", False),
    (http(429), "429: too many requests", True),
    (http(503), "503: it has trouble of its own", True),
    (http(403), "refuses the request: 403", False),
    (aiohttp.InvalidURL("x"), "DISCORD_API_BASE", False),
    (aiohttp.ClientConnectorCertificateError(KEY, CERTIFICATE), "certificate", True),
    (CERTIFICATE, "certificate", True),
    (aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(-2, "unknown")), "DNS", True),
    (socket.gaierror(-3, "Temporary failure"), "DNS", True),
    (aiohttp.ClientConnectorError(KEY, OSError(111, "Connection refused")), "refused", True),
    (ConnectionResetError(104, "Connection reset by peer"), "reset by peer", True),
    (TimeoutError(), "no answer in time", True),
    (discord.GatewayNotFound(), "no gateway", True),  # type: ignore[no-untyped-call]
    (aiohttp.ServerDisconnectedError(), "ServerDisconnectedError", True),
]


@pytest.mark.parametrize(("error", "reason", "is_temporary"), CASES)
def test_each_kind_of_failure_is_named(error: Exception, reason: str, is_temporary: bool) -> None:
    with pytest.raises(ConnectionFailure) as caught, diagnosed():
        raise error
    assert reason in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.is_temporary is is_temporary
    assert isinstance(error, FAILURES) and str(diagnose(error)) == str(caught.value)


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(ZeroDivisionError), diagnosed():
        _ = 1 / 0


async def test_it_waits_longer_each_time_until_discord_is_there() -> None:
    pauses: list[float] = []
    async with DiscordServer() as server, visitor() as client:

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 9:  # the network is back
                use_server(server.api_base, server.gateway_url)

        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))  # and does not listen
            port = nobody.getsockname()[1]
            use_server(f"http://127.0.0.1:{port}/api/v10", server.gateway_url)
            async with asyncio.timeout(120):
                await log_in(client, server.token, sleep)
        assert client.user is not None
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]


async def test_a_token_that_is_refused_is_not_tried_again() -> None:
    async with DiscordServer() as server, visitor() as client:
        use_server(server.api_base, server.gateway_url)
        with pytest.raises(discord.LoginFailure):
            await log_in(client, TOKEN, asyncio.sleep)
        (finding,) = await online(TOKEN)
        assert not finding.good and not finding.is_temporary and "does not accept" in finding.what


async def test_a_name_that_is_not_found_is_said() -> None:
    use_server("http://nowhere.invalid/api/v10", "ws://nowhere.invalid")
    (finding,) = await online(TOKEN)
    assert not finding.good and finding.is_temporary and "DNS" in finding.what


async def test_a_server_without_tls_is_said_to_be_out_of_reach() -> None:
    async with DiscordServer() as server:
        use_server(server.api_base.replace("http:", "https:"), server.gateway_url)
        (finding,) = await online(TOKEN)
    assert not finding.good and finding.is_temporary and "cannot be reached" in finding.what
