"""How often one person may ask, whichever way they ask."""

import itertools
import math
from collections.abc import Callable


class Limiter:
    """A bucket of asks for each person: `burst` deep, and one more every `cooldown` seconds."""

    def __init__(self, cooldown: float, burst: int, monotonic: Callable[[], float]) -> None:
        """Seconds for one ask to come back (0: no limit), how many at once, and a clock."""
        self._cooldown = cooldown
        self._burst = burst
        self._monotonic = monotonic
        self._full_at: dict[int, float] = {}  # when a person's bucket is full again

    def ask(self, person: int) -> int:
        """Take one ask: 0, or when there is none, the whole seconds until there is one."""
        now = self._monotonic()
        full_at = max(self._full_at.get(person, now), now) + self._cooldown
        wait = full_at - now - self._burst * self._cooldown
        if wait > 1e-6:  # less is a rounding error
            return math.ceil(wait)
        self._full_at.pop(person, None)
        self._full_at[person] = full_at  # now the last in the dictionary
        # Whoever asked longest ago comes first; two full buckets are forgotten for one that is
        # filled, so the dictionary never holds more than those who are still short of asks.
        for other in list(itertools.islice(self._full_at, 2)):
            if self._full_at[other] <= now:
                del self._full_at[other]
        return 0
