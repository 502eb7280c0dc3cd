"""Who guessed what in which race: in memory only.

After an hour it counts no more, and goes with the next press of any race.
"""

import asyncio
from dataclasses import dataclass, field

from bot.tally import Tally

KEPT = 60 * 60  # seconds
MOST = 500  # races whose guesses are remembered


@dataclass
class Ballot:
    """Who guessed what in one race, as far as this process knows.

    Attributes:
        until: the second from which it is forgotten.
        are_gone: others had guessed whom nobody remembers.
        guesses: of letters.
        version: how often they changed ...
        shown: ... and of which version the card tells.
        is_told: it is told who was who.
        lock: held while the card is changed.
    """

    until: float
    are_gone: bool = False
    guesses: Tally[str] = field(default_factory=Tally)
    version: int = 0
    shown: int = 0
    is_told: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def counts(self, letters: str) -> tuple[int, ...]:
        """How many guessed each letter."""
        guessed = self.guesses.counts
        return tuple(guessed[letter] for letter in letters)


class Ballots:
    """The ballots of the races that are on."""

    def __init__(self) -> None:
        self._held: dict[int, Ballot] = {}  # message -> ballot, the oldest first

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._held)

    def of(self, message: int, now: float, *, guessed: bool) -> Ballot:
        """The ballot of a race, a new one if it is not remembered.

        Args:
            message: that shows it.
            now: in seconds.
            guessed: the message tells of guesses.
        """
        for known in [m for m, ballot in self._held.items() if ballot.until <= now]:
            del self._held[known]
        if message not in self._held:
            while len(self._held) >= MOST:
                del self._held[next(iter(self._held))]
            self._held[message] = Ballot(now + KEPT, are_gone=guessed)
        return self._held[message]
