"""A story, told in a Discord message while it is written.

`Answers` takes a wish for a story from wherever it comes (command, menu, mention, button), and
shows the story as it grows: at most one edit a second of each message, always with the latest
text; a quick story arrives whole, in one edit. The message's buttons bring the next wish.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot import messages, seen
from bot.buttons import FINAL, WRITING, Wish, row
from bot.clock import Clock
from bot.delivery import Delivery
from bot.errors import UNREACHABLE, Refusal, is_gone, is_transient, record
from bot.limiter import Limiter
from bot.messages import Page
from bot.settings import Settings
from bot.surfaces import Surface, is_blocked, may_not
from bot.translations import Language, Text
from bot.words import WordFilter
from bot.worker import Outcome, Story
from bot.writer import BusyError, ClosingError, Writer
from model.sampling import Sampling
from model.sentences import unfinished
from model.vocab import Vocab

PACE = 1.0  # seconds between two edits of one message ...
QUEUE_PACE = 5.0  # ... that only show how the queue moves: with 200 waiting, they are many
PROMPT = 500  # characters of a prompt
READ = 4 * PROMPT  # characters that are looked at for it: some will be dropped
ENDINGS: Mapping[Outcome, Text] = {
    Outcome.STOPPED: Text.STOPPED,
    Outcome.LATE: Text.LATE,
    Outcome.FAILED: Text.FAILED,
    Outcome.CLOSED: Text.CLOSED,
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prompt:
    """What a story goes on from.

    Attributes:
        text: in characters the network knows.
        dropped: how many characters it does not know.
        goes_on: its last word was asked to go on, by a hyphen at its end.
    """

    text: str
    dropped: int = 0
    goes_on: bool = False

    def applied_to(self, sampling: Sampling) -> Sampling:
        """How to write on from it."""
        return replace(sampling, whole_word=False) if self.goes_on else sampling


@dataclass(frozen=True)
class Telling:
    """A story, and how it is shown.

    Attributes:
        story: from `Answers.begin`.
        wish: whose it is; what its buttons remember.
        page: what stands before it: the prompt, and the story so far if it is continued.
        surface: where it is shown.
        message: the id of the message there, if it has one already.
        before: what the message said, and the wish of its buttons, to go back to if nothing at all
            is written.
        dropped: how many characters of the prompt are unknown.
    """

    story: Story
    wish: Wish
    page: Page
    surface: Surface
    message: int | None = None
    before: tuple[str, Wish] | None = None
    dropped: int = 0


class Answers:
    """Takes wishes for stories and tells the stories."""

    def __init__(
        self,
        settings: Settings,
        writer: Writer,
        words: WordFilter,
        clock: Clock,
        delivery: Delivery,
        model: str,
    ) -> None:
        """What the host decided, who writes, what is refused, the time, the post, who speaks."""
        self._writer = writer
        self._words = words
        self._clock = clock
        self._delivery = delivery
        self._model = messages.escape(model[:24])
        self._limiter = Limiter(settings.cooldown, settings.burst, clock.monotonic)
        self._told: dict[int, Story] = {}  # message -> the story that is being told there
        self._tellers: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    def limit(self, cooldown: float, burst: int) -> None:
        """How often one person may ask, from now on."""
        self._limiter.change(cooldown, burst)

    def greet(self, person: int) -> None:
        """Count one ask of this person.

        Raises:
            Refusal: too many, too quickly.
        """
        if wait := self._limiter.ask(person):
            raise Refusal(Text.TOO_SOON_ONE if wait == 1 else Text.TOO_SOON, seconds=wait)

    def read(self, text: str) -> Prompt:
        """A prompt from what somebody wrote: cleaned, checked, and its end if it is too long.

        Raises:
            Refusal: nothing is left of it, or it holds a word that is refused.
        """
        return read_prompt(text, self._writer.vocab, self._words)

    def begin(self, person: int, text: str, sampling: Sampling) -> Story:
        """Ask the writer for a story that goes on from `text`.

        Raises:
            Refusal: too many are waiting, or the bot is going to sleep.
        """
        # What an old message holds may come from a network that knew other characters.
        known = self._writer.vocab.clean(text).text
        try:
            return self._writer.submit(person, known, sampling)
        except ClosingError:
            raise Refusal(Text.GOING_TO_SLEEP) from None
        except BusyError as error:
            raise Refusal(Text.OWN_QUEUE_FULL if error.own else Text.QUEUE_FULL) from None

    async def tell(self, telling: Telling) -> None:
        """Show a story while it is written, until it has ended.

        Raises:
            Refusal: nothing was written, and the message says again what it said before.
        """
        task = asyncio.current_task()
        assert task is not None
        self._tellers.add(task)
        if telling.message is not None:  # at once: a button may be pressed twice
            self._told[telling.message] = telling.story
        try:
            if (message := await telling.surface.open()) is not None:
                self._told[message] = telling.story
            await self._watch(telling)
        finally:
            self._writer.stop(telling.story)
            for message in [at for at, story in self._told.items() if story is telling.story]:
                del self._told[message]
            self._tellers.discard(task)

    async def _watch(self, telling: Telling) -> None:
        story = telling.story
        shown = ""
        shown_at: float | None = None
        buttons = row(*WRITING, wish=telling.wish, language=telling.surface.language)
        try:
            while not await self._clock.wait(story.ended, PACE):
                place = self._writer.place(story)
                now = self._clock.monotonic()
                if place and shown_at is not None and now < shown_at + QUEUE_PACE:
                    continue
                content = self._progress(telling, place)
                if content == shown:
                    continue
                try:
                    self._told[await telling.surface.show(content, buttons)] = story
                    shown = content
                except UNREACHABLE as error:
                    if not is_transient(error):
                        raise
                    _log.warning("an edit failed: %s", type(error).__name__)
                shown_at = self._clock.monotonic()
            if shown_at is not None:  # in time with the edits before, unless the bot is leaving
                left = shown_at + PACE - self._clock.monotonic()
                await self._clock.wait(self._closing, max(0.0, left))
            await self._show_end(telling)
        except UNREACHABLE as error:
            await self._give_up(telling, shown, error)

    async def _show_end(self, telling: Telling) -> None:
        ending = _ending(telling.story, telling.surface.language)
        before = telling.before if ending and not telling.story.text.strip() else None
        content, wish = before or (self._end(telling), telling.wish)
        await self._rest(telling.surface, content, wish)
        if before:
            raise Refusal(Text.NOTHING_NEW, ending=ending)

    async def _rest(self, surface: Surface, content: str, wish: Wish) -> None:
        """Show what stays, with the buttons that stay."""
        buttons = row(*FINAL, wish=wish, language=surface.language)
        await self._delivery.send(lambda: surface.show(content, buttons))

    async def _give_up(self, telling: Telling, shown: str, error: Exception) -> None:
        """Discord does not take the story: leave nothing that looks as if it went on, and say so.

        Args:
            telling: the story.
            shown: what Discord took last, "" if nothing.
            error: why it takes no more.
        """
        self._writer.stop(telling.story)
        if is_gone(error):
            _log.info("a story has lost its message: %s", type(error).__name__)
            return
        if is_transient(error):
            _log.error("the end of a story could not be shown: %s", type(error).__name__)
            return
        language = telling.surface.language
        if is_blocked(error):
            why = language.say(Text.BLOCKED)
        elif may_not(error):
            why = language.say(Text.MAY_NOT_WRITE)
        else:
            why = language.say(Text.NOT_SHOWN, reference=record(error, "a story"))
        try:
            if shown:
                page = replace(messages.parse(shown), cut=True)
                content = messages.build(
                    page, f"{self._model} · {language.say(Text.NOT_TO_ITS_END)}"
                )
                await self._rest(telling.surface, content, telling.wish)
        except UNREACHABLE:
            with contextlib.suppress(*UNREACHABLE):
                await telling.surface.remove()
        await telling.surface.say(why)

    def _progress(self, telling: Telling, place: int) -> str:
        language = telling.surface.language
        note = language.say(Text.WAITING, place=place) if place else language.say(Text.WRITING)
        grown = telling.page.story + telling.story.text
        return messages.build(Page(telling.page.prompt, grown), note)

    def _end(self, telling: Telling) -> str:
        page, story, language = telling.page, telling.story, telling.surface.language
        added = messages.trim(story.text, story.sampling.length, page.text)
        temperature = language.number(story.sampling.temperature)
        notes = [self._model, language.say(Text.AT_TEMPERATURE, number=temperature)]
        if story.sampling.top_k:
            notes.append(language.say(Text.AT_TOP_K, number=story.sampling.top_k))
        if story.sampling.top_p != Sampling().top_p:
            top_p = language.number(story.sampling.top_p)
            notes.append(language.say(Text.AT_TOP_P, number=top_p))
        notes.append(language.say(Text.AT_SEED, number=story.sampling.seed))
        if telling.dropped:
            left_out = Text.LEFT_OUT_ONE if telling.dropped == 1 else Text.LEFT_OUT
            notes.append(language.say(left_out, number=telling.dropped))
        if ending := _ending(story, language):
            notes.append(ending)
        whole = replace(page, story=page.story + added.story, cut=added.cut)
        return messages.build(whole, " · ".join(notes))

    async def settle(self, surface: Surface, content: str, wish: Wish) -> None:
        """Give a message its last buttons: nobody writes its story any more."""
        page = replace(messages.parse(content), cut=True)
        content = messages.build(page, f"{self._model} · {surface.language.say(Text.INTERRUPTED)}")
        await self._rest(surface, content, wish)

    def is_told(self, message: int) -> bool:
        """Whether a story is being told in this message."""
        return message in self._told

    def stop(self, message: int) -> bool:
        """Stop the story that is being told there; whether there was one."""
        story = self._told.get(message)
        if story is not None:
            self._writer.stop(story)
        return story is not None

    async def finish(self) -> None:
        """Wait until every story has ended and been shown."""
        while self._tellers:
            await asyncio.wait(self._tellers)

    async def close(self, grace: float) -> None:
        """Let the stories end and be shown, for that many seconds in all; then give up.

        They are written for half of the time at most: the other half is for showing them.
        """
        self._closing.set()
        self._delivery.hurry()
        loop = asyncio.get_running_loop()
        until = loop.time() + grace
        await self._writer.close(grace / 2)
        if busy := self._tellers | self._delivery.tasks:
            _, late = await asyncio.wait(busy, timeout=max(0.0, until - loop.time()))
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


def read_prompt(text: str, vocab: Vocab, words: WordFilter) -> Prompt:
    """A prompt from what somebody wrote: cleaned, checked, and its end if it is too long.

    Raises:
        Refusal: nothing is left of it, or it holds a word that is refused.
    """
    typed = messages.plain(text[-READ:])[-READ:]  # one character may become eighteen
    typed, goes_on = unfinished(typed.strip())
    cleaned = vocab.clean(typed)
    prompt = messages.last_words(cleaned.text, PROMPT)
    if text.strip() and not prompt:
        raise Refusal(Text.NO_LETTERS)
    if words.refuses(prompt):
        raise Refusal(Text.RATHER_NOT)
    kept = _kept(typed, prompt, vocab)
    dropped = sum(map(kept.count, set(cleaned.dropped) - set(seen.SIGNS)))
    return Prompt(prompt, dropped, goes_on)


def _kept(typed: str, prompt: str, vocab: Vocab) -> str:
    """The end of what was typed that the prompt is made of; nobody misses the rest.

    Found by counting letters from the end: white space may have gone.
    """
    sizes = {c: len("".join(vocab.spell(c).split())) for c in set(typed)}
    if (left := len("".join(prompt.split()))) >= sum(map(sizes.__getitem__, typed)):
        return typed
    start = len(typed)
    while left > 0:
        start -= 1
        left -= sizes[typed[start]]
    return typed[start:]


def _ending(story: Story, language: Language) -> str:
    """What kept a story from its length, "" if nothing did."""
    assert story.outcome is not None, "it has ended"
    text = ENDINGS.get(story.outcome)
    return language.say(text, reference=story.reference) if text else ""
