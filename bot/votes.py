"""Votes between two ways on: in memory only, never many, and each ends by itself.

Who voted for what is kept until the vote ends, and nowhere else.
"""

import asyncio
import contextlib
import enum
from collections import Counter
from collections.abc import Iterator

from bot.errors import Refusal
from bot.fork_texts import ForkText
from bot.tally import Tally
from bot.translations import Text

MOST = 256  # votes open at a time


class Way(enum.StrEnum):
    """One of the two; the value stands in buttons' ids."""

    A = "a"
    B = "b"

    @property
    def other(self) -> "Way":
        """The other one."""
        return Way.B if self is Way.A else Way.A


class End(enum.Enum):
    """Why a vote is over."""

    COUNTED = "its time has passed, or somebody ended it"
    CLOSED = "the bot is going"
    GONE = "its message is no more"


class Vote:
    """What is counted about one fork.

    Attributes:
        changed: set when there is something new to show.
        over: set when nobody can vote any more ...
        end: ... and why; None until then.
    """

    def __init__(self, asker: int) -> None:
        """Bring who asked for it."""
        self._asker = asker
        self._votes = Tally[Way]()
        self.changed = asyncio.Event()
        self.over = asyncio.Event()
        self.end: End | None = None

    def cast(self, person: int, way: Way) -> None:
        """Count the one vote of a person, or change it.

        Raises:
            Refusal: the vote is over, or has had too many voters.
        """
        if self.end is not None:
            raise Refusal(ForkText.OVER)
        if self._votes.cast(person, way):
            self.changed.set()

    def finish(self, end: End) -> None:
        """End it, if it has not ended."""
        if self.end is None:
            self.end = end
            self.over.set()
            self.changed.set()

    @property
    def counts(self) -> Counter[Way]:
        """How many are for each."""
        return self._votes.counts

    @property
    def winner(self) -> Way | None:
        """What most are for; in a tie, what the one who asked is for; None without that, too."""
        counts = self.counts
        if counts[Way.A] == counts[Way.B]:
            return self._votes.of(self._asker)
        return Way.A if counts[Way.A] > counts[Way.B] else Way.B


class Votes:
    """The votes that are open, and the choices that are being carried out."""

    def __init__(self, most: int = MOST) -> None:
        """How many may be open at a time."""
        self._most = most
        self._by_story: dict[int, Vote] = {}
        self._by_card: dict[int, Vote] = {}
        self._chosen: set[int] = set()
        self._closing = False

    def __len__(self) -> int:
        """How many are open."""
        return len(self._by_story)

    @contextlib.contextmanager
    def opened(self, story: int, asker: int) -> Iterator[Vote]:
        """A vote about a story's message, open or being prepared within.

        Raises:
            Refusal: there is one about it, too many are open, or the bot is going.
        """
        if self._closing:
            raise Refusal(Text.GOING_TO_SLEEP)
        if story in self._by_story:
            raise Refusal(ForkText.AT_IT)
        if len(self._by_story) >= self._most:
            raise Refusal(ForkText.TOO_MANY)
        vote = self._by_story[story] = Vote(asker)
        try:
            yield vote
        finally:
            del self._by_story[story]
            for card in [card for card, held in self._by_card.items() if held is vote]:
                del self._by_card[card]

    def place(self, vote: Vote, card: int) -> None:
        """It is shown in this message."""
        self._by_card[card] = vote

    def at(self, card: int) -> Vote | None:
        """The vote that is shown in a message, if it is counted here."""
        return self._by_card.get(card)

    @contextlib.contextmanager
    def choosing(self, card: int) -> Iterator[bool]:
        """Within, a choice is carried out; yields whether nobody else is at it."""
        first = card not in self._chosen
        self._chosen.add(card)
        try:
            yield first
        finally:
            if first:
                self._chosen.discard(card)

    def lose(self, card: int) -> None:
        """A message is gone, and with it what was asked in it."""
        if (vote := self._by_card.get(card)) is not None:
            vote.finish(End.GONE)

    def close(self) -> None:
        """Open no more; those that are open end uncounted."""
        self._closing = True
        for vote in self._by_story.values():
            vote.finish(End.CLOSED)
