"""The thread that writes: it owns the network.

All stories that it has are advanced by a character at a time, together, each in some candidates
of its next sentence (continuous batching: stories join and leave between two steps). From the event
loop it hears by a queue of new stories and by a mark on a story that is to stop; it answers with
the text, which only grows, and with a call that tells the story's end. So nothing is locked.
"""

import asyncio
import enum
import logging
import queue
import threading
import time
from collections import abc

from bot.clock import Clock
from bot.errors import record
from bot.queue import Ticket
from model.network import Network
from model.sampling import Sampling
from model.vocab import Vocab
from model.words import WordFilter
from model.writing import Draft, advance

_log = logging.getLogger(__name__)


class Outcome(enum.Enum):
    """How a story ended."""

    WRITTEN = "written to its length"
    STOPPED = "stopped by somebody"
    LATE = "not ready in time"
    FAILED = "an error, which is in the log"
    CLOSED = "the bot is going to sleep"


class Story:
    """A story that was asked for. It is read on the event loop while the worker writes it.

    Attributes:
        ticket: its place in the queue.
        prompt: what it goes on from.
        sampling: how; its seed is always set.
        text: what is written so far and will not change any more: it only grows.
        asked: when, by the clock's `monotonic`.
        first_text: when the first of the text was there, None until then.
        ended: set when nothing more will come.
        outcome: how it ended, None until then.
        reference: the number in the log of the error that ended it, "" if none did.
        unusual_candidates: for each sentence, where they are not as many as a story gets alone.
    """

    def __init__(self, ticket: Ticket, prompt: str, sampling: Sampling, asked: float) -> None:
        self.ticket = ticket
        self.prompt = prompt
        self.sampling = sampling
        self.text = ""
        self.asked = asked
        self.first_text: float | None = None
        self.ended = asyncio.Event()
        self.outcome: Outcome | None = None
        self.reference = ""
        self.unusual_candidates: int | None = None
        self.halt: Outcome | None = None  # set on the loop, seen by the worker at its next step
        self.timer: asyncio.TimerHandle | None = None


class Worker:
    """The thread and its network.

    Attributes:
        moved: when it last got on with its work, by the clock's `monotonic`.
    """

    def __init__(
        self,
        decoder: Network,
        vocab: Vocab,
        words: WordFilter,
        report: abc.Callable[[Story, Outcome], None],
        clock: Clock,
    ) -> None:
        self._decoder = decoder
        self._vocab = vocab
        self._words = words
        self._report = report
        self._clock = clock
        self._drafts: dict[Story, Draft] = {}
        self.moved = clock.monotonic()
        self._new: queue.SimpleQueue[Story | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def put(self, story: Story) -> None:
        """Write this one too, from the next step on."""
        self.moved = self._clock.monotonic()
        self._new.put(story)

    def stop(self, patience: float) -> None:
        """End the thread when its stories have ended; wait for it, that many seconds at most."""
        self._new.put(None)
        if self._thread.is_alive():
            self._thread.join(patience)

    @property
    def is_alive(self) -> bool:
        """Whether the thread is running."""
        return self._thread.is_alive()

    def _work(self) -> None:
        # Whatever goes wrong with some stories, the next ones shall have a worker.
        while True:
            # One at a time: to read a long prompt takes as long as many steps of the others.
            if not self._drafts or not self._new.empty():
                story = self._new.get()
                if story is None:
                    return
                self._begin(story)
            try:
                self._advance()
            except Exception as error:
                number = record(error, "the network")
                for story in list(self._drafts):
                    self._drop(story)
                    self._fail(story, number)
            self.moved = self._clock.monotonic()
            time.sleep(0)  # the event loop's thread may go first

    def _begin(self, story: Story) -> None:
        if story.halt is not None:  # it was stopped before it was read
            self._report(story, story.halt)
            return
        try:
            self._drafts[story] = Draft(
                self._decoder, self._vocab, story.prompt, story.sampling, self._words
            )
        except Exception as error:
            self._fail(story, record(error, "the network"))

    def _fail(self, story: Story, number: str) -> None:
        story.reference = number
        self._report(story, Outcome.FAILED)

    def _drop(self, story: Story) -> None:
        self._drafts.pop(story).close()

    def _advance(self) -> None:
        """One more character for each story."""
        for story in list(self._drafts):
            if story.halt is not None:
                self._drop(story)
                self._report(story, story.halt)
        if not self._drafts:
            return
        advance(self._decoder, list(self._drafts.values()))
        for story, draft in list(self._drafts.items()):
            if len(draft.text) > len(story.text):
                story.text = draft.text
                if story.first_text is None:
                    story.first_text = self._clock.monotonic()
            if draft.over:
                self._drop(story)
                self._report(story, Outcome.WRITTEN)
