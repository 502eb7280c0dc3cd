"""One worker writes all stories; whoever asked watches theirs grow.

The event loop's side (`Writer`) keeps the queue: which story is next, for whom, until when. The
worker's side (`_Desk`) owns the network: a thread that advances all stories on the desk by one
character at a time, together (continuous batching: stories join and leave between two steps).
Between them go only a queue of new stories, a mark on a story that is to stop, and the call that
tells its end. So nothing is locked, and nothing on the loop waits for the network.
"""

import asyncio
import enum
import logging
import queue
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bot.words import LONGEST, Words
from model.sampling import START, Sampling, next_ids
from model.vocab import Vocab

LONGEST_LINE = 4  # stories one person may have waiting
HALT = 1.0  # seconds for the worker to see that it is to stop, when the bot goes to sleep
SEEDS = 1_000_000  # a seed that was not asked for is below this, so that people can type it
_NEVER = np.float32(-1e30)  # the logit of a character that must not be chosen

_log = logging.getLogger(__name__)

Logits = NDArray[np.float32]


class Network(Protocol):
    """What the worker needs of a `model.decoder.Decoder`."""

    def join(self) -> int:
        """A free slot."""

    def leave(self, slot: int) -> None:
        """Give the slot back."""

    def read(self, slot: int, ids: Sequence[int]) -> Logits:
        """Read ids; the logits (V,) of what follows."""

    def step(self, slots: Sequence[int], ids: Sequence[int]) -> Logits:
        """Read one id in each slot; the logits (S, V) of what follows."""

    def rewind(self, slot: int, count: int) -> None:
        """Forget the last ids."""


class Outcome(enum.Enum):
    """How a story ended."""

    WRITTEN = "written to its length"
    STOPPED = "stopped by somebody"
    LATE = "not ready in time"
    FAILED = "an error, which is in the log"
    CLOSED = "the bot is going to sleep"


class ClosingError(Exception):
    """No story is taken on any more."""


class BusyError(Exception):
    """Too many stories are waiting.

    Attributes:
        own: of this person; otherwise of all.
    """

    def __init__(self, *, own: bool) -> None:
        super().__init__("too many stories are waiting")
        self.own = own


class Story:
    """A story that was asked for. It is read on the event loop while the worker writes it.

    Attributes:
        person: who asked.
        prompt: what it goes on from.
        sampling: how; its seed is always set.
        text: what is written so far and will not change any more: it only grows.
        ended: set when nothing more will come.
        outcome: how it ended, None until then.
        reference: the number in the log of the error that ended it, "" if none did.
    """

    def __init__(self, person: int, prompt: str, ids: list[int], sampling: Sampling) -> None:
        self.person = person
        self.prompt = prompt
        self.ids = ids
        self.sampling = sampling
        self.text = ""
        self.ended = asyncio.Event()
        self.outcome: Outcome | None = None
        self.reference = ""
        self.halt: Outcome | None = None  # set on the loop, seen by the worker at its next step
        self.timer: asyncio.TimerHandle | None = None


class Writer:
    """The queue and its worker. Made, used and closed on one event loop."""

    def __init__(
        self,
        decoder: Network,
        vocab: Vocab,
        words: Words,
        *,
        slots: int = 32,
        capacity: int = 256,
        deadline: float = 300.0,
    ) -> None:
        """Stories written together at most, waiting at most, and the seconds each may take."""
        self.vocab = vocab
        self._slots = slots
        self._capacity = capacity
        self._deadline = deadline
        self._lines: dict[int, deque[Story]] = {}  # who waits: person -> stories; next person first
        self._writing: dict[int, Story] = {}  # person -> the one story that is being written
        self._places: dict[Story, int] | None = None  # in the queue; None since it has changed
        self._closing = False
        self._desk = _Desk(decoder, vocab, words, self._report)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Set the worker to work, on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._desk.start()

    def submit(self, person: int, prompt: str, sampling: Sampling) -> Story:
        """Ask for a story; it is written when it is its turn.

        Args:
            person: who asks; one story of each person is written at a time.
            prompt: in characters of the vocabulary; "" begins a story.
            sampling: with or without a seed.

        Raises:
            ClosingError: the bot is going to sleep.
            BusyError: too many are waiting, of this person or of all.
        """
        assert self._loop is not None, "start() comes first"
        if self._closing:
            raise ClosingError
        line = self._lines.get(person, ())
        if len(line) >= LONGEST_LINE:
            raise BusyError(own=True)
        if self.waiting >= self._capacity:
            raise BusyError(own=False)
        if sampling.seed is None:
            sampling = replace(sampling, seed=secrets.randbelow(SEEDS))
        story = Story(person, prompt, self.vocab.encode(prompt or START), sampling)
        story.timer = self._loop.call_later(self._deadline, self.stop, story, Outcome.LATE)
        self._lines.setdefault(person, deque()).append(story)
        self._admit()
        return story

    @property
    def waiting(self) -> int:
        """How many stories wait for their turn."""
        return sum(map(len, self._lines.values()))

    def place(self, story: Story) -> int:
        """Its place in the queue: 1 is next, 0 is being written or over."""
        if self._places is None:  # once for all who wait: each of them asks every second
            self._places = {other: i for i, other in enumerate(self._order(), 1)}
        return self._places.get(story, 0)

    def stop(self, story: Story, outcome: Outcome = Outcome.STOPPED) -> None:
        """End a story: at once when it waits, within one character when it is being written."""
        if self._writing.get(story.person) is story:
            story.halt = outcome
        elif story.outcome is None:
            line = self._lines[story.person]
            line.remove(story)
            self._places = None
            if not line:
                del self._lines[story.person]
            self._end(story, outcome)

    async def close(self, grace: float = 0.0) -> None:
        """Take nothing on any more, and stop: after `grace` seconds, and `HALT` at the most.

        What waits is ended at once, so that there is time to say so; what is being written may
        be written on for `grace` seconds. A step of the network that hangs holds nobody up: its
        stories are ended without it, and the thread, a daemon, is left behind.
        """
        self._closing = True
        for story in list(self._order()):
            self.stop(story, Outcome.CLOSED)
        await self._all_ended(grace)
        for story in list(self._writing.values()):
            self.stop(story, Outcome.CLOSED)
        await self._all_ended(HALT)
        hung = list(self._writing.values())
        for story in hung:
            _log.error("the network hangs; a story is ended without it")
            self._ended(story, Outcome.CLOSED)
        await asyncio.to_thread(self._desk.stop, 0.0 if hung else HALT)

    async def _all_ended(self, seconds: float) -> None:
        """Wait that long at the most, until nothing is being written."""
        ends = [asyncio.ensure_future(story.ended.wait()) for story in self._writing.values()]
        if ends:
            _, late = await asyncio.wait(ends, timeout=seconds)
            for end in late:
                end.cancel()

    def _order(self) -> Iterator[Story]:
        """Who waits, in turn: everybody's first story, then everybody's second, and so on.

        Whoever has a story on the desk has had a turn.
        """
        rounds: list[tuple[int, Story]] = []
        for person, line in self._lines.items():
            had = int(person in self._writing)
            rounds += ((turn, story) for turn, story in enumerate(line, had))
        rounds.sort(key=lambda entry: entry[0])  # stable: within a round, by the order of people
        return (story for _, story in rounds)

    def _admit(self) -> None:
        """Put stories on the desk while it has room, one of each person."""
        self._places = None
        for person in list(self._lines):
            if len(self._writing) >= self._slots:
                return
            if person in self._writing:
                continue
            line = self._lines.pop(person)
            story = line.popleft()
            if line:
                self._lines[person] = line  # behind all others now
            self._writing[person] = story
            self._desk.put(story)

    def _report(self, story: Story, outcome: Outcome) -> None:
        """Called by the worker: the story has ended."""
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(self._ended, story, outcome)
        except RuntimeError:  # the loop is gone, and with it everybody who would care
            _log.debug("a story ended after the event loop")

    def _ended(self, story: Story, outcome: Outcome) -> None:
        if self._writing.get(story.person) is not story:  # it was ended without the worker
            return
        del self._writing[story.person]
        self._end(story, outcome)
        self._admit()

    def _end(self, story: Story, outcome: Outcome) -> None:
        if story.timer is not None:
            story.timer.cancel()
        story.outcome = outcome
        story.ended.set()
        _log.info("a story of %d characters: %s", len(story.text), outcome.value)


@dataclass(eq=False)
class _Draft:
    """A story on the desk."""

    story: Story
    slot: int
    rng: np.random.Generator
    logits: Logits  # (V,) of what follows all that was read
    text: str = ""  # all that was chosen; `story.text` is the part that is certain
    refused: set[int] = field(default_factory=set)  # ids that must not follow what is certain


class _Desk:
    """The worker: a thread that owns the network."""

    def __init__(
        self,
        decoder: Network,
        vocab: Vocab,
        words: Words,
        report: Callable[[Story, Outcome], None],
    ) -> None:
        self._decoder = decoder
        self._vocab = vocab
        self._words = words
        self._report = report
        self._drafts: list[_Draft] = []
        self._new: queue.SimpleQueue[Story | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, story: Story) -> None:
        self._new.put(story)

    def stop(self, patience: float) -> None:
        """End the thread when its stories have ended; wait for it, that many seconds at most."""
        self._new.put(None)
        if self._thread.is_alive():
            self._thread.join(patience)

    def _work(self) -> None:
        # Whatever goes wrong with some stories, the next ones shall have a worker.
        while True:
            while not self._drafts or not self._new.empty():
                story = self._new.get()
                if story is None:
                    return
                try:
                    self._drafts.append(self._open(story))
                except Exception as error:
                    self._fail(story, self._record(error))
            try:
                self._advance()
            except Exception as error:
                number = self._record(error)
                for draft in list(self._drafts):
                    self._drop(draft)
                    self._fail(draft.story, number)
            time.sleep(0)  # the event loop's thread may go first

    def _record(self, error: Exception) -> str:
        number = secrets.token_hex(4)
        _log.error("%s: the network failed: %s", number, type(error).__name__, exc_info=error)
        return number

    def _fail(self, story: Story, number: str) -> None:
        story.reference = number
        self._report(story, Outcome.FAILED)

    def _open(self, story: Story) -> _Draft:
        """Take a slot and read the prompt."""
        slot = self._decoder.join()
        try:
            logits = self._decoder.read(slot, story.ids).copy()
        except BaseException:
            self._decoder.leave(slot)
            raise
        return _Draft(story, slot, story.sampling.rng(), logits)

    def _drop(self, draft: _Draft) -> None:
        self._drafts.remove(draft)
        self._decoder.leave(draft.slot)

    def _advance(self) -> None:
        """One more character for each story."""
        for draft in list(self._drafts):
            if draft.story.halt is not None:
                self._drop(draft)
                self._report(draft.story, draft.story.halt)
        if not self._drafts:
            return
        chosen = next_ids(
            np.stack([self._allowed(draft) for draft in self._drafts]),  # (S, V)
            [draft.story.sampling for draft in self._drafts],
            [draft.rng for draft in self._drafts],
        )
        to_read: list[int] = []
        for draft, character in zip(list(self._drafts), chosen, strict=True):
            following = self._write(draft, character)
            if following is None:
                self._drop(draft)
                self._report(draft.story, Outcome.WRITTEN)
            else:
                to_read.append(following)
        if not self._drafts:
            return
        rows = self._decoder.step([draft.slot for draft in self._drafts], to_read).copy()  # (S, V)
        for draft, logits in zip(self._drafts, rows, strict=True):
            draft.logits = logits

    def _allowed(self, draft: _Draft) -> Logits:
        """The logits (V,) of what may follow."""
        if not draft.refused or len(draft.text) > len(draft.story.text):
            return draft.logits
        logits = draft.logits.copy()
        logits[list(draft.refused)] = _NEVER
        return logits

    def _write(self, draft: _Draft, character: int) -> int | None:
        """Write a character down; the id to read next, None when the story has its length."""
        story = draft.story
        draft.text += self._vocab.characters[character]
        over = len(draft.text) >= story.sampling.length
        if draft.text[-1].isalnum() and not over:
            return character
        # A word has ended: it is certain now, or it is taken back.
        if self._ends_badly(draft):
            return self._step_back(draft)
        story.text = draft.text
        draft.refused.clear()
        return None if over else character

    def _ends_badly(self, draft: _Draft) -> bool:
        """Whether a word that is refused ends in what is not certain yet."""
        fresh = len(draft.text) - len(draft.story.text)
        recent = draft.text[-LONGEST - fresh :]
        if len(recent) < LONGEST + fresh:  # the word may have begun in the prompt
            recent = draft.story.prompt[-LONGEST:] + recent
        return any(end > len(recent) - fresh for end in self._words.ends(recent))

    def _step_back(self, draft: _Draft) -> int | None:
        """Forget what is not certain, and never begin it with that character again."""
        story = draft.story
        certain = len(story.text)
        draft.refused.update(self._vocab.encode(draft.text[certain]))
        if len(draft.refused) == len(self._vocab):
            return None
        # The network has read all but the character just chosen. To have the logits after what is
        # certain once more, the last character of that is forgotten too, and read again.
        self._decoder.rewind(draft.slot, len(draft.text) - certain)
        draft.text = story.text
        return self._vocab.encode(draft.text[-1])[0] if draft.text else story.ids[-1]
