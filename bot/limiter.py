"""How often one person may ask, whichever way they ask."""

import heapq
import math
from collections.abc import Callable

_ROUNDING = 1e-6  # seconds: a wait shorter than this is the error of adding floats, not a wait


class Limiter:
    """A bucket of asks for each person: `burst` deep, and one more every `cooldown` seconds."""

    def __init__(self, cooldown: float, burst: int, monotonic: Callable[[], float]) -> None:
        """Seconds for one ask to come back (0: no limit), how many at once, and a clock."""
        self._cooldown = cooldown
        self._burst = burst
        self._monotonic = monotonic
        self._full_at: dict[int, float] = {}  # when a person's bucket is full again
        # One entry for each person in the dictionary: (a time not after that, person).
        self._looks: list[tuple[float, int]] = []

    def change(self, cooldown: float, burst: int) -> None:
        """Seconds for one ask to come back and how many at once; everybody begins with all asks."""
        self._cooldown = cooldown
        self._burst = burst
        self._full_at.clear()  # what is owed was counted in the old seconds
        self._looks.clear()

    def __len__(self) -> int:
        """How many people it remembers: at most as many as were ever short of asks at a time."""
        return len(self._full_at)

    def ask(self, person: int, asks: int = 1) -> int:
        """Take an ask, or several at once: 0, or the whole seconds until there are so many.

        Where a full bucket has fewer, it is enough that it is full: the rest is owed.
        """
        now = self._monotonic()
        before = max(self._full_at.get(person, now), now)
        full_at = before + asks * self._cooldown
        needed = min(asks, self._burst)
        wait = math.ceil(before - now - (self._burst - needed) * self._cooldown - _ROUNDING)
        if wait > 0:
            return wait
        if person not in self._full_at:
            heapq.heappush(self._looks, (full_at, person))
        self._full_at[person] = full_at
        self._forget(now)
        return 0

    def _forget(self, now: float) -> None:
        """Forget two people whose buckets are full, for the one who may have been added.

        Not all of them at once: after a crowd that would hold up whoever comes next.
        """
        forgotten = 0
        while forgotten < 2 and self._looks and self._looks[0][0] <= now:
            _, person = self._looks[0]
            if self._full_at[person] > now:  # has asked again since
                heapq.heapreplace(self._looks, (self._full_at[person], person))
            else:
                heapq.heappop(self._looks)
                del self._full_at[person]
                forgotten += 1
