"""Takes stories on, and has them written when it is their turn.

This is the event loop's side: the queue (`bot.queue`), deadlines, and who is told of the end. The
network is at work in a thread (`bot.worker`), and nothing here waits for it.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import replace

from bot.clock import Clock
from bot.queue import FairQueue, Ticket
from bot.worker import Outcome, Story, Worker
from model import writing
from model.network import Network
from model.sampling import Sampling
from model.vocab import Vocab
from model.words import WordFilter

UNFINISHED = 5  # stories one person may have waiting or being written
HALT = 1.0  # seconds for the worker to see that it is to stop, when the bot goes to sleep
COMPARING = 2  # texts of the network in which candidates are compared, one of them a fork
SEEDS = 1_000_000  # a seed that was not asked for is below this, so that people can type it

_log = logging.getLogger(__name__)


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


class Writer:
    """The queue and its worker. Made, used and closed on one event loop.

    Attributes:
        decoder: the network, for who makes a twin of it.
        vocab: the characters.
        on_end: called with each story when it has ended.
    """

    def __init__(
        self,
        decoder: Network,
        vocab: Vocab,
        words: WordFilter,
        *,
        slots: int = 32,
        candidates: int = 1,
        capacity: int = 256,
        deadline: float = 300.0,
        new_seed: Callable[[], int] = lambda: secrets.randbelow(SEEDS),
        clock: Clock | None = None,
    ) -> None:
        """Who writes, with which words.

        Args:
            decoder: the network.
            vocab: its characters.
            words: what is never written.
            slots: stories written together, at most; few of them share these for candidates.
            candidates: sentences that are tried for each that is written, at most.
            capacity: stories waiting, at most.
            deadline: the seconds each may take.
            new_seed: for a story that comes without.
            clock: the time; the real one if it is not given.
        """
        self.decoder = decoder
        self.vocab = vocab
        self._slots = slots
        # Candidates of a story that is alone.
        self._most = min(candidates, slots) if decoder.remembers else 1
        self._capacity = capacity
        self._deadline = deadline
        self._new_seed = new_seed
        self._clock = clock or Clock()
        self._queue = FairQueue()
        self._waiting: dict[Ticket, Story] = {}
        self._writing: dict[Ticket, Story] = {}
        self._closing = False
        self.on_end: Callable[[Story], None] = lambda story: None
        self._worker = Worker(decoder, vocab, words, self._report, self._clock)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Set the worker to work, on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._worker.start()

    def share(self, stories: int = 1) -> int:
        """How many candidates each of so many stories gets that are asked for now.

        The slots are shared by all that are unfinished. What a story has got it keeps: with another
        number its seed would tell another story. A network that does not remember gets one.
        """
        share = self._slots // (len(self._writing) + self.waiting + stories)
        return max(1, min(self._most, share))

    def digest(self, candidates: int) -> str:
        """Of the network's weights and of how it is made to write.

        Where it differs, the same seed tells another story.
        """
        manner = f"{self.decoder.digest} {candidates} {writing.MANNER}"
        return hashlib.sha256(manner.encode("ascii")).hexdigest()

    def submit(
        self, person: int, prompt: str, sampling: Sampling, candidates: int | None = None
    ) -> Story:
        """Ask for a story; it is written when it is its turn.

        Args:
            person: who asks; the turns are shared fairly between people.
            prompt: in characters of the vocabulary; "" begins a story.
            sampling: with or without a seed.
            candidates: as many as the same story was written with before; None: its `share`, or
                all where a seed is asked for, so that it tells the same story, while the texts
                that are written are no more than the slots: two people with seeds fill no room.

        Raises:
            ClosingError: the bot is going to sleep.
            BusyError: too many are unfinished of this person, or are waiting of all.
        """
        assert self._loop is not None, "start() comes first"
        if self._closing:
            raise ClosingError
        if self._queue.unfinished(person) >= UNFINISHED:
            raise BusyError(own=True)
        if self.waiting >= self._capacity:
            raise BusyError(own=False)
        if candidates is None:
            by_seed = sampling.seed is not None and not self._queue
            room = by_seed and self._texts() + self._most <= self._slots
            candidates = self._most if room else self.share()
        seed = self._new_seed() if sampling.seed is None else sampling.seed
        sampling = replace(sampling, seed=seed, candidates=candidates)
        story = Story(self._queue.join(person), prompt, sampling, self._clock.monotonic())
        if (tried := self.tried(sampling)) != self.usual(sampling):
            story.unusual_candidates = tried
        story.timer = self._loop.call_later(self._deadline, self.stop, story, Outcome.LATE)
        self._waiting[story.ticket] = story
        self._admit()
        return story

    def tried(self, sampling: Sampling) -> int:
        """How many candidates for each sentence are really written, of as many as are asked for."""
        return writing.candidates(self.decoder, sampling)

    def usual(self, sampling: Sampling) -> int:
        """How many of them a story gets that is alone."""
        return self.tried(replace(sampling, candidates=self._most))

    @property
    def waiting(self) -> int:
        """How many stories wait for their turn."""
        return len(self._queue)

    @property
    def writing(self) -> int:
        """How many stories are being written."""
        return len(self._writing)

    @property
    def is_alive(self) -> bool:
        """Whether the worker is there."""
        return self._worker.is_alive

    @property
    def stalled(self) -> float:
        """For how many seconds the worker has not got on with the stories it has; 0 without any."""
        return self._clock.monotonic() - self._worker.moved if self._writing else 0.0

    @property
    def unfinished(self) -> list[Story]:
        """The stories that are being written, and then those that wait, in turn."""
        return [*self._writing.values(), *map(self._waiting.__getitem__, self._queue)]

    @property
    def is_closing(self) -> bool:
        """Whether no story is taken on any more."""
        return self._closing

    def place(self, story: Story) -> int:
        """Its place in the queue: 1 is next, 0 is being written or over."""
        return self._queue.place(story.ticket)

    def stop(self, story: Story, outcome: Outcome = Outcome.STOPPED) -> None:
        """End a story: at once when it waits, within one character when it is being written."""
        if story.ticket in self._writing:
            story.halt = outcome
        elif self._waiting.pop(story.ticket, None):
            self._end(story, outcome)
            self._admit()  # who was behind it may need less room

    async def close(self, grace: float = 0.0) -> None:
        """Take nothing on any more, and stop: after `grace` seconds, and `HALT` at the most.

        What waits is ended at once, so that there is time to say so; what is being written may
        be written on for `grace` seconds. A step of the network that hangs holds nobody up: its
        stories are ended without it, and the thread, a daemon, is left behind.
        """
        self._closing = True
        for story in list(self._waiting.values()):
            self.stop(story, Outcome.CLOSED)
        await self._all_ended(grace, self._clock)
        for story in list(self._writing.values()):
            self.stop(story, Outcome.CLOSED)
        await self._all_ended(HALT, Clock())  # a thread has no other time than the real one
        hung = list(self._writing.values())
        for story in hung:
            _log.error("the network hangs; a story is ended without it")
            self._ended(story, Outcome.CLOSED)
        await asyncio.to_thread(self._worker.stop, 0.0 if hung else HALT)

    async def _all_ended(self, seconds: float, clock: Clock) -> None:
        """Wait that long at the most, until nothing is being written."""
        ends = [asyncio.ensure_future(story.ended.wait()) for story in self._writing.values()]
        for end in await clock.wait_all(ends, seconds):
            end.cancel()

    def _admit(self) -> None:
        """Hand stories to the worker while it has room for all their candidates, in turn."""
        while self._waiting and len(self._writing) < self._slots and not self._closing:
            story = self._waiting[next(iter(self._queue))]
            if not self._fits(self.tried(story.sampling)):
                break  # nobody overtakes: what is told is the order
            ticket = self._queue.serve()
            self._writing[ticket] = self._waiting.pop(ticket)
            self._worker.put(story)

    def _fits(self, texts: int) -> bool:
        """Whether the network has room for so many more texts; for the first story always."""
        room = most_texts(self._slots, self._most) - COMPARING
        return not self._writing or self._texts() + texts <= room

    def _texts(self) -> int:
        """How many texts are being written: all candidates of all stories."""
        return sum(self.tried(story.sampling) for story in self._writing.values())

    def _report(self, story: Story, outcome: Outcome) -> None:
        """Called by the worker: the story has ended."""
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(self._ended, story, outcome)
        except RuntimeError:  # the loop is gone, and with it everybody who would care
            _log.debug("a story ended after the event loop")

    def _ended(self, story: Story, outcome: Outcome) -> None:
        if self._writing.pop(story.ticket, None):  # it may have been ended without the worker
            self._end(story, outcome)
            self._admit()

    def _end(self, story: Story, outcome: Outcome) -> None:
        self._queue.leave(story.ticket)
        if story.timer is not None:
            story.timer.cancel()
        story.outcome = outcome
        story.ended.set()
        self.on_end(story)
        _log.info("a story of %d characters: %s", len(story.text), outcome.value)


def most_texts(slots: int, candidates: int) -> int:
    """How many texts the network has at once, at most, for stories that share its slots.

    When a story got c candidates, c times as many as were unfinished had room. So of those that
    have c or more there are at most slots / c, and their candidates are at most the sum of this
    over all c. A story that was told before brings its number, and waits until there is room.
    """
    return sum(slots // count for count in range(1, candidates + 1)) + COMPARING
