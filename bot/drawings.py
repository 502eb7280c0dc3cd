"""Pictures that people ask for: made off the event loop, one at a time, the latest kept."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from bot.errors import Refusal
from bot.translations import Text

WAITING = 8  # who may wait for a picture: each takes about a second
KEPT = 32  # pictures, of up to 200 kB

T = TypeVar("T")


class Drawings:
    """Makes what takes long and can be made again, in a thread, and keeps the latest of it.

    It belongs to one process, and so to one network: what is kept need not say which weights it is
    of. Used on one event loop.
    """

    def __init__(self, waiting: int = WAITING, kept: int = KEPT) -> None:
        """How many may wait, the one that is made included; how many results are kept."""
        self._most_waiting = waiting
        self._most_kept = kept
        self._turn = asyncio.Lock()
        self._waiting = 0
        # Always the same: each thread keeps the memory that it once needed, 100 MB for a long text.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="drawings")
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    async def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returns, which is called in a thread unless its result is still kept.

        Args:
            key: all that the result depends on.
            make: makes it.

        Raises:
            Refusal: too many wait.
        """
        if key not in self._kept:
            if self._waiting >= self._most_waiting:
                raise Refusal(Text.TOO_MANY_PICTURES)
            self._waiting += 1
            try:
                async with self._turn:
                    if key not in self._kept:  # somebody else may have asked for the same
                        loop = asyncio.get_running_loop()
                        self._kept[key] = await loop.run_in_executor(self._thread, make)
            finally:
                self._waiting -= 1
        result: T = self._kept[key]
        self._kept.move_to_end(key)
        while len(self._kept) > self._most_kept:
            self._kept.popitem(last=False)
        return result

    def forget(self) -> None:
        """Keep nothing: what is refused has changed."""
        self._kept.clear()
