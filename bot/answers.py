"""A story, told in a Discord message while it is written.

`Answers` takes a wish for a story from wherever it comes (command, menu, mention, button), and
shows the story as it grows: at most one edit a second of each message, always with the latest
text; a quick story arrives whole, in one edit. The message's buttons bring the next wish.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import aiohttp
import discord

from bot import messages
from bot.buttons import Action, Wish, row
from bot.clock import Clock
from bot.limiter import Limiter
from bot.messages import Page
from bot.settings import Settings
from bot.words import Words
from bot.writer import BusyError, Outcome, Story, Writer
from model.sampling import Sampling

PACE = 1.0  # seconds between two edits of one message
TRIES = 8  # to show the end of a story, over a connection that breaks
PROMPT = 500  # characters of a prompt
UNREACHABLE = (aiohttp.ClientError, OSError, discord.HTTPException)

_log = logging.getLogger(__name__)

Show = Callable[[str, discord.ui.View], Awaitable[int]]  # content, buttons -> id of the message


class Refusal(Exception):  # noqa: N818  (no error: an answer)
    """A kind no; the text is for the one who asked, and only for them."""


@dataclass(frozen=True)
class Prompt:
    """What a story goes on from, in characters the network knows."""

    text: str
    dropped: int = 0  # characters it does not know


class Answers:
    """Takes wishes for stories and tells the stories."""

    def __init__(
        self, settings: Settings, writer: Writer, words: Words, clock: Clock, model: str
    ) -> None:
        """What the host decided, who writes, what is refused, what time it is, and who speaks."""
        self._writer = writer
        self._words = words
        self._clock = clock
        self._model = messages.escape(model)[:40]
        self._limiter = Limiter(settings.cooldown, settings.burst, clock.monotonic)
        self._told: dict[int, Story] = {}  # message -> the story that is being told there
        self._tellers: set[asyncio.Task[None]] = set()

    def greet(self, person: int) -> None:
        """Count one ask of this person.

        Raises:
            Refusal: too many, too quickly.
        """
        if wait := self._limiter.ask(person):
            seconds = "a second" if wait == 1 else f"{wait} seconds"
            raise Refusal(f"One at a time, said Pooh. Please ask again in {seconds}.")

    def read(self, text: str) -> Prompt:
        """A prompt from what somebody wrote: cleaned, checked, and its end if it is too long.

        Raises:
            Refusal: nothing is left of it, or it holds a word that is refused.
        """
        cleaned = self._writer.vocab.clean(messages.plain(text[: 4 * messages.LIMIT]))
        prompt = messages.last_words(cleaned.text, PROMPT)
        if text.strip() and not prompt:
            raise Refusal("Pooh knows the letters of English, but none of these. Try some words?")
        if self._words.refuses(prompt):
            raise Refusal("Pooh would rather not say that. Shall we begin another way?")
        return Prompt(prompt, len(cleaned.dropped))

    def begin(self, person: int, text: str, sampling: Sampling) -> Story:
        """Ask the writer for a story that goes on from `text`.

        Raises:
            Refusal: too many are waiting.
        """
        try:
            return self._writer.submit(person, text, sampling)
        except BusyError as error:
            raise Refusal(
                "You have several stories waiting already; let Pooh finish one of them."
                if error.own
                else "So many people want a story that the queue is full. Please come back soon."
            ) from None

    async def tell(
        self,
        story: Story,
        wish: Wish,
        page: Page,
        show: Show,
        *,
        message: int | None = None,
        before: str = "",
        dropped: int = 0,
    ) -> None:
        """Show a story while it is written, until it has ended.

        Args:
            story: from `begin`.
            wish: whose it is, and how it is written.
            page: what was there before: prompt, and story if it is continued.
            show: sends or edits the message.
            message: its id, if it is there already.
            before: what it said, to go back to if nothing at all is written.
            dropped: how many characters of the prompt are unknown.
        """
        task = asyncio.current_task()
        assert task is not None
        self._tellers.add(task)
        if message is not None:
            self._told[message] = story
        try:
            await self._watch(story, wish, page, show, message, before, dropped)
        finally:
            self._writer.stop(story)
            self._told = {at: told for at, told in self._told.items() if told is not story}
            self._tellers.discard(task)

    async def _watch(
        self,
        story: Story,
        wish: Wish,
        page: Page,
        show: Show,
        message: int | None,
        before: str,
        dropped: int,
    ) -> None:
        shown = before
        shown_at: float | None = None
        stop = row(Action.STOP, wish=wish)
        while not await self._clock.wait(story.ended, PACE):
            content = self._progress(story, page)
            if content == shown:
                continue
            try:
                message = await show(content, stop)
            except UNREACHABLE as error:
                if not _passes(error):
                    return self._give_up(story, error)
                _log.warning("an edit failed: %s", type(error).__name__)
            else:
                self._told[message] = story
                shown = content
            shown_at = self._clock.monotonic()
        if shown_at is not None:
            await self._clock.sleep(max(0.0, shown_at + PACE - self._clock.monotonic()))
        nothing = story.outcome is Outcome.FAILED and not story.text
        end = before if before and nothing else self._end(story, page, dropped)
        await self._show_end(story, end, show, row(*wish.final(), wish=wish))

    async def _show_end(
        self, story: Story, content: str, show: Show, view: discord.ui.View
    ) -> None:
        """Show the end of a story: again and again, while the connection is broken."""
        for attempt in range(TRIES):
            try:
                await show(content, view)
                return
            except UNREACHABLE as error:
                if not _passes(error):
                    return self._give_up(story, error)
                _log.warning("the end of a story is not shown yet: %s", type(error).__name__)
                await self._clock.sleep(min(2.0**attempt, 30.0))
        _log.error("the end of a story could not be shown")

    def _give_up(self, story: Story, error: Exception) -> None:
        """The message is gone, or is not ours to write any more."""
        self._writer.stop(story)
        _log.info("a story has lost its message: %s", type(error).__name__)

    def _progress(self, story: Story, page: Page) -> str:
        place = self._writer.place(story)
        note = f"waiting: number {place} in the queue" if place else "writing ..."
        return messages.build(replace(page, story=page.story + story.text, cut=False), note)

    def _end(self, story: Story, page: Page, dropped: int) -> str:
        added = messages.trim(story.text, story.sampling.length)
        done = Page(page.prompt, page.story + added.story, added.cut)
        return messages.build(done, self._note(story, dropped))

    def _note(self, story: Story, dropped: int) -> str:
        sampling = story.sampling
        parts = [self._model, f"temperature {sampling.temperature:g}"]
        if sampling.top_k:
            parts.append(f"top-k {sampling.top_k}")
        parts.append(f"seed {sampling.seed}")
        if dropped:
            parts.append(f"{dropped} unknown character{'s' * (dropped > 1)} left out")
        if story.outcome in _ENDINGS:
            parts.append(_ENDINGS[story.outcome])
        return " · ".join(parts)

    def interrupted(self, content: str, wish: Wish) -> tuple[str, discord.ui.View]:
        """The message of a story that nobody is writing any more, with its last buttons."""
        page = messages.parse(content)
        shown = replace(page, cut=bool(page.story))
        return messages.build(shown, f"{self._model} · interrupted"), row(*wish.final(), wish=wish)

    def is_told(self, message: int) -> bool:
        """Whether a story is being told in this message."""
        return message in self._told

    def stop(self, message: int) -> bool:
        """Stop the story that is being told there; whether there was one."""
        story = self._told.get(message)
        if story is not None:
            self._writer.stop(story)
        return story is not None

    async def close(self, grace: float) -> None:
        """Let the stories end, for that many seconds; then end them; and let all ends be shown."""
        await self._writer.close(grace)
        if self._tellers:
            await asyncio.wait(self._tellers, timeout=grace)


def _passes(error: Exception) -> bool:
    """Whether trying again may help: the connection or Discord's servers, not what was asked."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.status == 429
    return True


_ENDINGS = {
    Outcome.STOPPED: "stopped",
    Outcome.LATE: "ran out of time",
    Outcome.FAILED: "something went wrong",
    Outcome.CLOSED: "Pooh went to sleep",
}
