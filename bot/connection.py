"""Discord, or the way there, fails: what is wrong, and whether it helps to try again."""

import contextlib
import itertools
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import aiohttp
import discord

from bot.parsers import TOKEN_HELP

REFUSED = f"DISCORD_TOKEN: Discord does not accept it; {TOKEN_HELP}"
BAD_TOKEN, BAD_SHARD, MORE_SHARDS = 4004, 4010, 4011  # the gateway's codes
STATUS = "https://discordstatus.com"
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0  # seconds between two tries to log in
FAILURES = (
    OSError,
    aiohttp.ClientError,
    discord.HTTPException,
    discord.LoginFailure,
    discord.ConnectionClosed,
    discord.GatewayNotFound,
)

T = TypeVar("T")

_log = logging.getLogger(__name__)


class ConnectionFailure(Exception):  # noqa: N818  (OSError's ConnectionError is another thing)
    """Discord cannot be talked to; the message is one line with the reason.

    Attributes:
        is_temporary: whether trying again later may help.
    """

    def __init__(self, reason: str, *, is_temporary: bool) -> None:
        super().__init__(reason)
        self.is_temporary = is_temporary


def diagnose(error: Exception) -> ConnectionFailure:
    """What one of `FAILURES` means for the host."""
    reason, is_temporary = _reason(error)
    return ConnectionFailure(reason, is_temporary=is_temporary)


@contextlib.contextmanager
def diagnosed() -> Iterator[None]:
    """Only what talks to Discord is done within.

    Raises:
        ConnectionFailure: instead of any of `FAILURES`.
    """
    try:
        yield
    except FAILURES as error:
        raise diagnose(error) from error


def _reason(error: Exception) -> tuple[str, bool]:
    match error:
        case discord.LoginFailure():
            return REFUSED, False
        case discord.ConnectionClosed(code=code):
            if code == BAD_TOKEN:  # it was reset while the bot was running
                return REFUSED, False
            if code == MORE_SHARDS:
                return (
                    "POOH_SHARDS: the bot is in more servers than so many shards may have (code "
                    "4011); leave it unset, or raise its number in every process, and start again",
                    False,
                )
            if code == BAD_SHARD:
                return "POOH_SHARDS: Discord knows no such shard (code 4010)", False
            return f"Discord closed the connection, code {code}", False
        case discord.HTTPException(status=429):
            return "Discord answers 429: too many requests from here; wait some minutes", True
        case discord.HTTPException(status=status) if status >= 500:
            return f"Discord answers {status}: it has trouble of its own, see {STATUS}", True
        case discord.HTTPException(status=status):
            return f"Discord refuses the request: {status} ({error.code})", False
        case aiohttp.InvalidURL():
            return "DISCORD_API_BASE, DISCORD_GATEWAY: no address that can be used", False
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
            return (
                "Discord cannot be reached: its certificate is not trusted here; look at this "
                "machine's clock, at its certificates, and for a proxy between",
                True,
            )
        case aiohttp.ClientConnectorDNSError() | socket.gaierror():
            return (
                "Discord cannot be reached: its name is not found (DNS: is this machine online?)",
                True,
            )
        case TimeoutError():
            return f"Discord cannot be reached: no answer in time; see {STATUS}", True
        case discord.GatewayNotFound():
            return f"Discord cannot be reached: it names no gateway; see {STATUS}", True
        case OSError(strerror=str(why)):
            return f"Discord cannot be reached: {why}; is there a firewall or proxy?", True
        case _:
            return f"Discord cannot be reached ({type(error).__name__}); see {STATUS}", True


async def log_in(
    client: discord.Client, token: str, sleep: Callable[[float], Awaitable[object]]
) -> None:
    """Log in; while the network or Discord fails, wait and try again.

    Args:
        client: logged in when this returns.
        token: the bot's.
        sleep: waits so many seconds.

    Raises:
        discord.LoginFailure, discord.HTTPException, aiohttp.ClientError: trying again does not
            help.
    """

    async def log_in_once() -> None:
        try:
            await client.login(token)
        except FAILURES:
            # The next try makes a session of its own, and a connector if there is none.
            await client.http.close()
            client.http.connector = discord.utils.MISSING
            raise

    await retry(log_in_once, sleep)


async def retry(
    attempt: Callable[[], Awaitable[T]], sleep: Callable[[float], Awaitable[object]]
) -> T:
    """Try until it succeeds; after a failure that may pass, wait, longer each time.

    Raises:
        OSError, aiohttp.ClientError, discord.DiscordException: one of `FAILURES` that does not
            pass by itself.
    """
    for failed in itertools.count():
        try:
            return await attempt()
        except FAILURES as error:
            failure = diagnose(error)
            if not failure.is_temporary:
                raise
        pause = min(FIRST_PAUSE * 2**failed, LONGEST_PAUSE)
        _log.warning("%s; trying again in %d seconds", failure, pause)
        await sleep(pause)
    raise AssertionError("there is no last try")
