"""The thread that writes: it owns the network, and keeps out words that are refused.

All stories that it has are advanced by one character at a time, together (continuous batching:
stories join and leave between two steps). From the event loop it hears by a queue of new stories
and by a mark on a story that is to stop; it answers with the text, which only grows, and with a
call that tells the story's end. So nothing is locked.
"""

import asyncio
import enum
import logging
import queue
import secrets
import threading
import time
from collections import abc
from dataclasses import dataclass, field

import numpy as np

from bot.clock import Clock
from bot.queue import Ticket
from bot.words import LONGEST, Verdict, WordFilter, ends_word
from model.network import Logits, Network
from model.sampling import Sampling, forbidden, next_ids, without
from model.vocab import Vocab

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
    """

    def __init__(
        self, ticket: Ticket, prompt: str, ids: list[int], sampling: Sampling, asked: float
    ) -> None:
        self.ticket = ticket
        self.prompt = prompt
        self.ids = ids
        self.sampling = sampling
        self.text = ""
        self.asked = asked
        self.first_text: float | None = None
        self.ended = asyncio.Event()
        self.outcome: Outcome | None = None
        self.reference = ""
        self.halt: Outcome | None = None  # set on the loop, seen by the worker at its next step
        self.timer: asyncio.TimerHandle | None = None


@dataclass(eq=False)
class Sequence:
    """A story that is being written, and where."""

    story: Story
    slot: int
    rng: np.random.Generator
    logits: Logits  # (V,) of what follows all that was read
    text: str = ""  # all that was chosen; `story.text` is the part that is certain
    refused: set[int] = field(default_factory=set)  # ids that must not follow what is certain


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
        self._sequences: list[Sequence] = []
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
            while not self._sequences or not self._new.empty():
                story = self._new.get()
                if story is None:
                    return
                try:
                    self._sequences.append(self._open(story))
                except Exception as error:
                    self._fail(story, self._record(error))
            try:
                self._advance()
            except Exception as error:
                number = self._record(error)
                for sequence in list(self._sequences):
                    self._drop(sequence)
                    self._fail(sequence.story, number)
            self.moved = self._clock.monotonic()
            time.sleep(0)  # the event loop's thread may go first

    def _record(self, error: Exception) -> str:
        number = secrets.token_hex(4)
        _log.error("%s: the network failed: %s", number, type(error).__name__, exc_info=error)
        return number

    def _fail(self, story: Story, number: str) -> None:
        story.reference = number
        self._report(story, Outcome.FAILED)

    def _open(self, story: Story) -> Sequence:
        """Take a slot and read the prompt."""
        slot = self._decoder.join()
        try:
            logits = self._decoder.read(slot, story.ids).copy()
        except BaseException:
            self._decoder.leave(slot)
            raise
        return Sequence(story, slot, story.sampling.rng(), logits)

    def _drop(self, sequence: Sequence) -> None:
        self._sequences.remove(sequence)
        self._decoder.leave(sequence.slot)

    def _advance(self) -> None:
        """One more character for each story."""
        for sequence in list(self._sequences):
            if sequence.story.halt is not None:
                self._drop(sequence)
                self._report(sequence.story, sequence.story.halt)
        if not self._sequences:
            return
        chosen = next_ids(
            np.stack([self._allowed(sequence) for sequence in self._sequences]),  # (S, V)
            [sequence.story.sampling for sequence in self._sequences],
            [sequence.rng for sequence in self._sequences],
        )
        to_read: list[int] = []
        for sequence, character in zip(list(self._sequences), chosen, strict=True):
            following = self._write(sequence, character)
            if following is None:
                self._drop(sequence)
                self._report(sequence.story, Outcome.WRITTEN)
            else:
                to_read.append(following)
        if not self._sequences:
            return
        rows = self._decoder.step(
            [sequence.slot for sequence in self._sequences], to_read
        ).copy()  # (S, V)
        for sequence, logits in zip(self._sequences, rows, strict=True):
            sequence.logits = logits

    def _allowed(self, sequence: Sequence) -> Logits:
        """The logits (V,) of what may follow."""
        story = sequence.story
        refused = sequence.refused if len(sequence.text) == len(story.text) else set()
        bars = forbidden(self._decoder, self._vocab, story.prompt, sequence.text, story.sampling)
        barring = refused.union(bars)
        if len(barring) == len(self._vocab):  # a word that is refused is worse than a broken one
            barring = refused
        return without(sequence.logits, barring)

    def _write(self, sequence: Sequence, character: int) -> int | None:
        """Write a character down; the id to read next, None when the story has its length."""
        story = sequence.story
        sequence.text += self._vocab.characters[character]
        over = len(sequence.text) >= story.sampling.length
        if not ends_word(sequence.text[-1]) and not over:
            return character
        # A word has ended: it is certain now, is taken back, or waits for what follows.
        match self._judge(sequence):
            case Verdict.REFUSED:
                return self._step_back(sequence)
            case Verdict.UNDECIDED:
                return self._step_back(sequence) if over else character
        story.text = sequence.text
        if story.first_text is None:
            story.first_text = self._clock.monotonic()
        sequence.refused.clear()
        return None if over else character

    def _judge(self, sequence: Sequence) -> Verdict:
        """Whether a word that is refused ends in what is not certain yet."""
        certain = sequence.story.text
        # A word may have begun in what is certain, or in the prompt.
        before = certain if len(certain) >= LONGEST else sequence.story.prompt + certain
        return self._words.judge(before, sequence.text[len(certain) :])

    def _step_back(self, sequence: Sequence) -> int | None:
        """Forget what is not certain, and never begin it with that character again."""
        story = sequence.story
        certain = len(story.text)
        sequence.refused.update(self._vocab.encode(sequence.text[certain]))
        if len(sequence.refused) == len(self._vocab):
            return None
        # The network has read all but the character just chosen. To have the logits after what is
        # certain once more, the last character of that is forgotten too, and read again.
        self._decoder.rewind(sequence.slot, len(sequence.text) - certain)
        sequence.text = story.text
        return self._vocab.encode(sequence.text[-1])[0] if sequence.text else story.ids[-1]
