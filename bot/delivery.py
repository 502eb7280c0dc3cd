"""Requests to Discord, made again while their answers are lost: one way for all of them.

A broken connection or a 5xx leaves open whether a request was carried out. discord.py makes one
again after the errno of macOS and Windows only (54, 10054), not after Linux's 104, nor when the
server closes without a word. So whatever must arrive goes through `Delivery`. What is sent may be
carried out twice without harm: an edit and a deletion say the same again, a first response is
known by its interaction (error 40060), a message by its nonce. Only a word in private after the
first response has no mark of its own: it may be read twice, rather than never.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import discord

from bot.clock import Clock
from bot.errors import UNREACHABLE, is_transient
from bot.limiter import Limiter

ACKNOWLEDGED = 40060  # the error: this interaction was responded to before
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0)  # seconds between tries
PATIENCE = 30.0  # seconds for one try
# A first response has three seconds. Tries after that tell what became of the ones before.
FIRST_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
FIRST_PATIENCE = 2.5
NOTE_LIFE = 15.0  # seconds a note stays in a channel, where it cannot be for one person only

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Delivery:
    """Makes requests until they are answered.

    Attributes:
        tasks: what is still to be sent, later.
        notes: how often one person may be told something in a channel.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._closing = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()
        self.notes = Limiter(NOTE_LIFE, 1, clock.monotonic)

    async def send(
        self,
        request: Callable[[], Awaitable[T]],
        *,
        pauses: Sequence[float] = PAUSES,
        patience: float = PATIENCE,
    ) -> T:
        """Make a request, and again after each pause while the connection or Discord fails.

        Raises:
            OSError, aiohttp.ClientError, discord.HTTPException: Discord refuses it, or the last
                try failed, too.
        """
        for pause in pauses:
            try:
                async with asyncio.timeout(patience):
                    return await request()
            except UNREACHABLE as error:
                if not is_transient(error):
                    raise
                _log.warning("a request is made again after %s", type(error).__name__)
            await self._clock.sleep(pause)
        async with asyncio.timeout(patience):
            return await request()

    async def acknowledge(self, request: Callable[[], Awaitable[T]]) -> T | None:
        """Make a first response; None when an earlier try had arrived and its answer was lost.

        Raises:
            OSError, aiohttp.ClientError, discord.HTTPException: as `send`.
        """
        try:
            return await self.send(request, pauses=FIRST_PAUSES, patience=FIRST_PATIENCE)
        except discord.HTTPException as error:
            if error.code != ACKNOWLEDGED:
                raise
            return None

    def later(self, seconds: float, request: Callable[[], Awaitable[object]]) -> None:
        """Make a request after some time, or when the bot goes to sleep."""

        async def wait() -> None:
            await self._clock.wait(self._closing, seconds)
            try:
                await self.send(request)
            except UNREACHABLE as error:
                _log.info("a note was not taken away: %s", type(error).__name__)

        task = asyncio.create_task(wait())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def hurry(self) -> None:
        """The bot goes to sleep: what was to be sent later is sent now."""
        self._closing.set()
