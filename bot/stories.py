"""A story, shown in a message while it is written: one call, `respond`, for all ways in.

At most one edit a second of each message, always with the latest text; a quick story arrives whole,
in one edit. The buttons under the message bring the next request.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import discord

from bot import captions, messages
from bot.actions import ASKING, FINAL, WRITING, Action, ButtonState
from bot.clock import Clock
from bot.delivery import Delivery
from bot.errors import UNREACHABLE, Refusal, is_gone, is_transient, kind_of
from bot.languages import Language
from bot.limiter import Limiter
from bot.messages import Page
from bot.requests import Job, Request, submit
from bot.settings import Settings
from bot.targets import Target, why_not_shown
from bot.translations import Text
from bot.worker import Story
from bot.writer import Writer
from model.words import WordFilter

PACE = 1.0  # seconds between two edits of one message ...
QUEUE_PACE = 5.0  # ... that only show how the queue moves: with 200 waiting, they are many

_log = logging.getLogger(__name__)

# The buttons of these actions, that remember this, named in this language.
MakeButtons = Callable[[Sequence[Action], ButtonState, Language], discord.ui.View]


class Stories:
    """Takes requests for stories, and shows the stories.

    Attributes:
        make_buttons: what stands below a story.
    """

    def __init__(
        self,
        settings: Settings,
        writer: Writer,
        words: WordFilter,
        clock: Clock,
        delivery: Delivery,
        *,
        model: str,
        make_buttons: MakeButtons,
    ) -> None:
        """Bring what the host decided, who writes, what is refused, and what stories need.

        Args:
            settings: the limits for one person.
            writer: writes them.
            words: the list of what is refused.
            clock: the time.
            delivery: brings to Discord what must arrive.
            model: the name under a story.
            make_buttons: what stands below it.
        """
        self._writer = writer
        self._words = words
        self._clock = clock
        self._delivery = delivery
        self._model = messages.escape(model[:24])
        self.make_buttons = make_buttons
        self._limiter = Limiter(settings.cooldown, settings.burst, clock.monotonic)
        self._shown: dict[int, Story] = {}  # message -> the story that is being written there
        self._unwanted: set[Story] = set()  # when it ends, whether to delete it is asked
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    @property
    def active(self) -> int:
        """How many stories are being shown, their last edits included."""
        return len(self._tasks)

    def limit(self, cooldown: float, burst: int) -> None:
        """How often one person may ask, from now on."""
        self._limiter.change(cooldown, burst)

    def check_rate_limit(self, person: int, asks: int = 1) -> None:
        """Count one request of this person, or what is as much work as several.

        Raises:
            Refusal: too many, too quickly.
        """
        if wait := self._limiter.ask(person, asks):
            raise Refusal(Text.TOO_SOON_ONE if wait == 1 else Text.TOO_SOON, seconds=wait)

    async def respond(self, request: Request, target: Target) -> None:
        """Have a story written, and show it while it grows, until it has ended.

        Raises:
            Refusal: there is none: too many requests, nothing that can be a prompt, a word that is
                refused, a full queue, the bot going to sleep. Or nothing was written, and the
                message says again what it said before.
        """
        self.check_rate_limit(request.person)
        job = submit(self._writer, self._words, request)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        if job.place is not None:  # at once: a button may be pressed twice
            self._shown[job.place.message] = job.story
        try:
            if (message := await target.open()) is not None:
                self._shown[message] = job.story
            await self._watch(job, target)
        finally:
            self._writer.stop(job.story)
            for message in [at for at, story in self._shown.items() if story is job.story]:
                del self._shown[message]
            self._unwanted.discard(job.story)
            self._tasks.discard(task)

    async def _watch(self, job: Job, target: Target) -> None:
        story, shown = job.story, ""
        shown_at: float | None = None
        buttons = self.make_buttons(WRITING, job.state, target.language)
        try:
            while not await self._clock.wait(story.ended, PACE):
                place = self._writer.place(story)
                now = self._clock.monotonic()
                if place and shown_at is not None and now < shown_at + QUEUE_PACE:
                    continue
                content = self._progress(job, place, target.language)
                if content == shown:
                    continue
                try:
                    self._shown[await self._try_to_show(target, content, buttons)] = story
                    shown = content
                except UNREACHABLE as error:
                    if not is_transient(error):
                        raise
                    _log.warning("an edit failed: %s", type(error).__name__)
                shown_at = self._clock.monotonic()
            if shown_at is not None:  # in time with the edits before, unless the bot is leaving
                left = shown_at + PACE - self._clock.monotonic()
                await self._clock.wait(self._closing, max(0.0, left))
            await self._show_end(job, target)
        except UNREACHABLE as error:
            await self._give_up(job, target, shown, error)

    async def _try_to_show(self, target: Target, content: str, buttons: discord.ui.View) -> int:
        """Once: the next edit says more. A lost answer must not hold up the story's end."""
        return await self._delivery.send(lambda: target.show(content, buttons), pauses=())

    async def _show_end(self, job: Job, target: Target) -> None:
        ending = captions.ending(job.story, target.language)
        actions = ASKING if job.story in self._unwanted else FINAL
        if job.place is not None and ending and not job.story.text.strip():
            await self._finish(target, job.place.content, job.place.state, actions)
            raise Refusal(Text.NOTHING_NEW, ending=ending)
        await self._finish(target, self._end(job, target.language), job.state, actions)

    async def _finish(
        self,
        target: Target,
        content: str,
        state: ButtonState,
        actions: Sequence[Action] = FINAL,
    ) -> None:
        """Show what stays, with the buttons that stay."""
        buttons = self.make_buttons(actions, state, target.language)
        await self._delivery.send(lambda: target.show(content, buttons))

    async def _give_up(self, job: Job, target: Target, shown: str, error: Exception) -> None:
        """Discord does not take the story: leave nothing that looks as if it went on, and say so.

        Args:
            job: the story.
            target: where it is shown.
            shown: what Discord took last, "" if nothing.
            error: why it takes no more.
        """
        self._writer.stop(job.story)
        if is_gone(error):
            _log.info("a story has lost its message: %s", type(error).__name__)
            return
        if is_transient(error):
            _log.error("the end of a story could not be shown: %s", type(error).__name__)
            return
        _log.warning("a story may not be shown: %s", kind_of(error))
        why = why_not_shown(error, target.language)
        try:
            if shown:
                content = self._cut_short(shown, Text.NOT_TO_ITS_END, target.language)
                await self._finish(target, content, job.state)
        except UNREACHABLE:
            with contextlib.suppress(*UNREACHABLE):
                await target.remove()
        await target.say(why)

    def _progress(self, job: Job, place: int, language: Language) -> str:
        note = language.say(Text.WAITING, place=place) if place else language.say(Text.WRITING)
        return messages.build(Page(job.page.prompt, job.page.story + job.story.text), note)

    def _end(self, job: Job, language: Language) -> str:
        page, story = job.page, job.story
        added = messages.trim(story.text, story.sampling.length, page.text)
        whole = replace(page, story=page.story + added.story, cut=added.cut)
        return messages.build(whole, self.caption(story, job.dropped, language, job.note))

    def caption(self, story: Story, dropped: int, language: Language, note: str = "") -> str:
        """The small line under a story that has ended, with a note of one's own; see `captions`."""
        notes = captions.facts(self._model, story, dropped, language)
        notes += filter(None, [note, captions.ending(story, language)])
        return " · ".join(notes)

    def _cut_short(self, content: str, why: Text, language: Language) -> str:
        """What a message says, as a story that nobody writes on."""
        page = replace(messages.parse(content), cut=True)
        return messages.build(page, f"{self._model} · {language.say(why)}")

    async def finish_interrupted(
        self,
        target: Target,
        content: str,
        state: ButtonState,
        actions: Sequence[Action] = FINAL,
    ) -> None:
        """Give a message its last buttons: nobody writes its story any more."""
        content = self._cut_short(content, Text.INTERRUPTED, target.language)
        await self._finish(target, content, state, actions)

    def is_writing(self, message: int) -> bool:
        """Whether a story is being written in this message."""
        return message in self._shown

    def check_has_ended(self, message: int) -> None:
        """Nothing can be done with a story that is being written.

        Raises:
            Refusal: it is.
        """
        if self.is_writing(message):
            raise Refusal(Text.STILL_WRITING)

    def stop(self, message: int) -> None:
        """Stop the story that is being written there, if there is one."""
        if (story := self._shown.get(message)) is not None:
            self._writer.stop(story)

    def ask_to_delete(self, message: int) -> None:
        """Stop the story that is being written there; its end is shown with a question."""
        if (story := self._shown.get(message)) is not None:
            self._unwanted.add(story)
            self._writer.stop(story)

    async def finish(self) -> None:
        """Wait until all that was taken on is answered, every story shown to its end."""
        while busy := self._busy():
            await asyncio.wait(busy)

    async def close(self, grace: float) -> None:
        """Let what was taken on be answered, for that many seconds in all; then give up.

        Stories are written for half of the time at most: the other half is for showing them.
        """
        self._closing.set()
        self._delivery.hurry()
        until = self._clock.monotonic() + grace
        await self._writer.close(grace / 2)
        while busy := self._busy() | self._delivery.tasks:
            left = until - self._clock.monotonic()
            if left <= 0:
                break
            await self._clock.wait_all(busy, left)
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)

    def _busy(self) -> set[asyncio.Task[Any]]:
        """The tasks that stories, cards and words to one person come from, but for this one."""
        return (self._tasks | self._delivery.at_work) - {asyncio.current_task()}
