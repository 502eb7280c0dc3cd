"""Whose turn it is: a queue that is fair to people, and keeps the order that it tells.

Nothing but numbers: no story, no clock, no thread.
"""

import bisect
import itertools
from collections.abc import Iterator
from typing import NamedTuple


class Ticket(NamedTuple):
    """A place in the queue, decided when it is asked for: the smallest ticket is served next."""

    round: int
    arrival: int
    person: int


class FairQueue:
    """Everybody's first story, then everybody's second, and so on; in each round as they came.

    A person with nothing unfinished joins the open round; each unfinished ticket puts the next one
    a round later. A round closes when the first of it is served. So whoever has nothing unfinished
    is overtaken by nobody, and nobody is overtaken by the same person more often than he has had
    unfinished tickets, however many ask.
    """

    def __init__(self) -> None:
        self._open_round = 0
        self._arrivals = itertools.count()
        self._waiting: list[Ticket] = []  # ascending
        self._unfinished: dict[int, set[Ticket]] = {}  # person -> waiting, or served and not over

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def __iter__(self) -> Iterator[Ticket]:
        """Those that wait, in turn."""
        return iter(self._waiting)

    def unfinished(self, person: int) -> int:
        """How many tickets of this person are waiting, or served and not over."""
        return len(self._unfinished.get(person, ()))

    def join(self, person: int) -> Ticket:
        """Stand in the queue."""
        own = self._unfinished.setdefault(person, set())
        turn = max([self._open_round + len(own), *(ticket.round for ticket in own)])
        ticket = Ticket(turn, next(self._arrivals), person)
        own.add(ticket)
        bisect.insort(self._waiting, ticket)
        return ticket

    def serve(self) -> Ticket:
        """Take the next one out; it is unfinished until it leaves."""
        ticket = self._waiting.pop(0)
        self._open_round = max(self._open_round, ticket.round + 1)
        return ticket

    def place(self, ticket: Ticket) -> int:
        """1 is next; 0 waits no more."""
        index = bisect.bisect_left(self._waiting, ticket)
        return index + 1 if self._waiting[index : index + 1] == [ticket] else 0

    def leave(self, ticket: Ticket) -> None:
        """It is over: served, or given up while it waited."""
        if place := self.place(ticket):
            del self._waiting[place - 1]
        own = self._unfinished[ticket.person]
        own.remove(ticket)
        if not own:
            del self._unfinished[ticket.person]
