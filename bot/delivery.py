"""Requests to Discord, made again while their answers are lost: one way for all of them.

A broken connection or a 5xx leaves open whether a request was carried out. discord.py makes one
again after the errno of macOS and Windows only (54, 10054), not after Linux's 104, nor when the
server closes without a word. So whatever must arrive goes through `Delivery`. What is sent may be
carried out twice without harm: an edit and a deletion say the same again, a first response is
known by its interaction (error 40060), a message by its nonce. Only follow-ups have no mark of
their own: a word in private may be read twice, rather than never (`followups` has the others).

Patience is for Discord only. A slow machine, a crowd, discord.py's wait for a rate limit and a
connection that is being made are no reasons to ask again: that would make the crowd larger.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

import aiohttp
import discord

from bot.clock import Clock
from bot.errors import UNREACHABLE, AnsweredError, LeftError, is_transient
from bot.limiter import Limiter

ACKNOWLEDGED = 40060  # the error: this interaction was responded to before
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0)  # seconds between tries
PATIENCE = 30.0  # seconds for an answer to a request that is written
# A first response has three seconds. Tries after that tell what became of the ones before.
FIRST_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
FIRST_PATIENCE = 2.5
# First responses on their way at once. More connections make none of a crowd quicker, and a
# process may have 1,024 files.
FIRST_AT_ONCE = 64
TURNS = 25  # of the event loop that patience has at least
NOTE_LIFE = 15.0  # seconds a note stays in a channel, where it cannot be for one person only

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Delivery:
    """Makes requests until they are answered.

    Attributes:
        trace: for `discord.Client`; tells when a request is written and when it is answered.
        tasks: what is still to be sent, later.
        at_work: the handlers of what was taken on, which end when it is answered.
        notes: how often one person may be told something in a channel.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._closing = asyncio.Event()
        self._first = asyncio.Semaphore(FIRST_AT_ONCE)
        self.trace = _trace()
        self.tasks: set[asyncio.Task[None]] = set()
        self.at_work: set[asyncio.Task[Any]] = set()
        self.notes = Limiter(NOTE_LIFE, 1, clock.monotonic)

    def enrol(self) -> None:
        """Whoever calls this has taken something on: the bot does not go before that task ends."""
        if (task := asyncio.current_task()) is not None:
            self.at_work.add(task)
            task.add_done_callback(self.at_work.discard)

    async def send(
        self,
        request: Callable[[], Awaitable[T]],
        *,
        pauses: Sequence[float] = PAUSES,
        patience: float | None = None,
    ) -> T:
        """Make a request, and again after each pause while the connection or Discord fails.

        Args:
            request: makes it, in one try.
            pauses: seconds between the tries.
            patience: seconds that an answer may take once the request is written; None for
                `PATIENCE`.

        Raises:
            OSError, aiohttp.ClientError, discord.HTTPException: Discord refuses it, or the last
                try failed, too.
        """
        patience = PATIENCE if patience is None else patience
        for pause in pauses:
            try:
                return await _try(request, patience)
            except UNREACHABLE as error:
                if not is_transient(error):
                    raise
                _log.warning("a request is made again after %s", type(error).__name__)
            await self._clock.sleep(pause)
        return await _try(request, patience)

    async def acknowledge(
        self, request: Callable[[], Awaitable[T]], *, again: bool = False
    ) -> T | None:
        """Make a first response; None when an earlier try had arrived and its answer was lost.

        Args:
            request: makes it, in one try.
            again: another first response was tried before.

        Raises:
            AnsweredError: no earlier try was made, and yet there is a response: two processes that
                overlap in an upgrade hear the same, and this is the slower one.
            OSError, aiohttp.ClientError, discord.HTTPException: as `send`.
        """
        written = 0  # of all tries, and of those that discord.py makes within one

        async def in_turn() -> T:
            nonlocal written
            async with self._first:
                try:
                    return await request()
                finally:
                    written += patience.written if (patience := _patience.get()) else 0

        try:
            return await self.send(in_turn, pauses=FIRST_PAUSES, patience=FIRST_PATIENCE)
        except discord.HTTPException as error:
            if error.code != ACKNOWLEDGED:
                raise
            if written == 1 and not again:
                raise AnsweredError from None
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


class _Patience:
    """Ends a try whose answer does not come.

    It is counted in turns of the event loop with a pause between them: however long this process
    was kept from running, that is one turn, and then an answer that is there is read first.

    Attributes:
        written: how many requests were.
    """

    def __init__(self, timeout: asyncio.Timeout, seconds: float) -> None:
        self.written = 0
        self._timeout = timeout
        self._pause = seconds / TURNS
        self._left = 0
        self._next: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """The request is written: wait for its answer."""
        self.end()
        self.written += 1
        self._left = TURNS
        self._turn()

    def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        if self._left:
            self._left -= 1
            self._next = loop.call_later(self._pause, self._turn)
        else:
            self._timeout.reschedule(loop.time())

    def end(self) -> None:
        """The answer is there, or none will come."""
        if self._next:
            self._next.cancel()
            if not self._timeout.expired():
                self._timeout.reschedule(None)


_patience: ContextVar[_Patience | None] = ContextVar("patience", default=None)  # of this try


async def _try(request: Callable[[], Awaitable[T]], seconds: float) -> T:
    """One try.

    Raises:
        TimeoutError: it was written, and not answered in so many seconds.
        LeftError: the bot has closed its connections.
    """
    async with asyncio.timeout(None) as timeout:
        with _waiting(_Patience(timeout, seconds)):
            try:
                return await request()
            except RuntimeError as error:
                if str(error) != "Session is closed":  # aiohttp has no class of its own for it
                    raise
                raise LeftError from None


@contextlib.contextmanager
def _waiting(patience: _Patience) -> Iterator[None]:
    token = _patience.set(patience)
    try:
        yield
    finally:
        _patience.reset(token)
        patience.end()


def _trace() -> aiohttp.TraceConfig:
    """What tells the patience of a try about its requests: discord.py may make several."""

    async def written(*_: object) -> None:
        if patience := _patience.get():
            patience.begin()

    async def over(*_: object) -> None:
        if patience := _patience.get():
            patience.end()

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(written)
    trace.on_request_end.append(over)
    trace.on_request_exception.append(over)
    return trace
