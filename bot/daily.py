"""The story of the day: one a day in each server that wants it, at its hour, without a sound.

That a story is begun is kept before it is: a bot that is killed in between owes that day's story,
and never tells two. What a server has chosen, and on which day it was told last, is in the store.
"""

import asyncio
import contextlib
import logging

import discord

from bot import messages
from bot.database import StoreError
from bot.errors import Refusal, is_blocked, kind_of, record
from bot.languages import Language
from bot.requests import Request
from bot.services import ServiceClient
from bot.setup_texts import SetupText
from bot.store import Server, Stopped
from model.words import WordFilter

HOUR = 3600  # seconds
DAY = 24 * HOUR
LATE = 6 * HOUR  # so long after its hour a story is still told, when the bot was away
LOOK = 600.0  # seconds between two looks at most: the hour may come while a machine sleeps
AT_ONCE = 4  # stories of the day that are written at a time: the others' places are for people
UNKNOWN_CHANNEL = 10003

_log = logging.getLogger(__name__)


def day_of(now: float, hour: int) -> int:
    """The day, counted from 1970, of the latest time that it was this hour in UTC."""
    return int((now - hour * HOUR) // DAY)


def _begins(day: int, hour: int) -> int:
    return day * DAY + hour * HOUR


def _is_nonsense(server: Server, day: int) -> bool:
    """Whether the last story was told by a clock that was ahead.

    Tomorrow's number is none: the hour was moved to a later one after the story of today.
    """
    return server.story_day > day + 1


def is_due(server: Server, now: float) -> bool:
    """Whether its story is to be told now."""
    if not server.story_by or server.story_channel is None:
        return False
    day = day_of(now, server.story_hour)
    told = server.story_day >= day and not _is_nonsense(server, day)
    return not told and now - _begins(day, server.story_hour) < LATE


def next_time(server: Server, now: float) -> int:
    """When its next story is told, in seconds since 1970."""
    day = day_of(now, server.story_hour)
    if is_due(server, now):
        return _begins(day, server.story_hour)
    after = 0 if _is_nonsense(server, day) else server.story_day
    return _begins(max(day, after) + 1, server.story_hour)


def shown_name(server: Server, words: WordFilter, language: Language) -> str:
    """Who switched it on, safe to show."""
    if words.refuses(server.story_by):
        return language.say(SetupText.SOMEBODY)
    return messages.escape(server.story_by)


class Post:
    """A message in a channel that nobody asked for in person: it notifies nobody.

    Attributes:
        language: of the server.
        stopped: why nothing more is to be told there, if so.
    """

    def __init__(self, channel: discord.PartialMessageable, language: Language, nonce: str) -> None:
        self.language = language
        self.stopped: Stopped | None = None
        self._channel = channel
        self._nonce = nonce
        self._message: discord.Message | None = None
        self._tried = False  # to send it

    async def open(self) -> int | None:
        """Nothing is promised."""
        return None

    async def show(self, content: str, view: discord.ui.View) -> int:
        """Send, then edit."""
        again = self._tried
        try:
            if self._message is None:
                self._tried = True
                # The nonce: should the answer get lost, trying again sends no second message.
                self._message = await self._channel.send(
                    content, view=view, silent=True, nonce=self._nonce
                )
            if again:
                await self._message.edit(content=content, view=view)
        except discord.HTTPException as error:
            if error.code == UNKNOWN_CHANNEL:
                self.stopped = Stopped.GONE
            elif isinstance(error, discord.Forbidden) and not is_blocked(error):
                self.stopped = Stopped.FORBIDDEN
            raise
        return self._message.id

    async def remove(self) -> None:
        """Delete the message."""
        if self._message is not None:
            await self._message.delete()

    async def say(self, text: str) -> None:
        """Nobody has asked, so nobody is told; /setup says why it stopped."""


class Daily:
    """Tells the stories of the day of those servers that this process is connected to."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, if it has not begun: the servers are known by now."""
        if self._task is None and not self._closing.is_set():
            self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        """Begin no more stories; those that are being told go on."""
        self._closing.set()

    async def close(self) -> None:
        """Stop at once."""
        self.stop()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        clock = self._client.services.clock
        while not self._closing.is_set():
            now = clock.now()
            try:
                await self._tell_all(now)
            except Exception as error:
                record(error, "the stories of the day")
            # Counted from the look on: the hour may have come while stories were told.
            passed = max(0.0, clock.now() - now)
            left = min(LOOK, HOUR - now % HOUR) - passed
            await clock.wait(self._closing, max(0.0, left))

    async def _tell_all(self, now: float) -> None:
        services = self._client.services
        servers = await services.store.servers()
        due = [server for server in servers if is_due(server, now) and self._is_here(server.id)]
        places = asyncio.Semaphore(AT_ONCE)

        async def in_turn(server: Server) -> None:
            async with places:
                if not self._closing.is_set():
                    await self._tell(server)

        for result in await asyncio.gather(*map(in_turn, due), return_exceptions=True):
            if isinstance(result, Exception):
                record(result, "a story of the day")

    def _is_here(self, server: int) -> bool:
        """Whether this process hears of a server: it may be another's, or out of reach just now."""
        guild = self._client.get_guild(server)
        allowed = self._client.services.settings.is_allowed(server)
        return guild is not None and not guild.unavailable and allowed

    async def _tell(self, server: Server) -> None:
        services, guild = self._client.services, self._client.get_guild(server.id)
        day = day_of(services.clock.now(), server.story_hour)
        if guild is None or server.story_channel is None:
            return
        try:
            if not await services.store.claim(server.id, day):
                return  # another process has begun it, or it was switched off a moment ago
        except StoreError:
            return  # the log has it
        language = Language.of(guild.preferred_locale)
        name = shown_name(server, services.words, language)
        channel = self._client.get_partial_messageable(server.story_channel, guild_id=server.id)
        post = Post(channel, language, f"{day:x} {server.id:x}")
        request = Request(
            server.id,  # nobody's: others press Again for themselves, moderators delete
            server.sampling,
            note=language.say(SetupText.STORY_OF_THE_DAY, name=name),
        )
        with contextlib.suppress(StoreError):  # the log has it
            try:
                await services.stories.respond(request, post)
            except (
                Refusal
            ) as error:  # the queue is full, or the bot goes to sleep: it was not begun
                _log.info("a story of the day has to wait (%s)", kind_of(error))
                await services.store.unclaim(server.id, day)
            if post.stopped:
                _log.info("a story of the day stops by itself: %s", post.stopped.value)
                await services.store.stop_story(server.id, server.story_channel, post.stopped)
