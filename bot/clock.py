"""Time, as an argument: whoever waits or looks at a clock is given one."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any


class Clock:
    """The real clock. A test passes one whose minutes pass in no time."""

    def now(self) -> float:
        """Seconds since 1970: what the ages of Discord's messages are measured with."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since any moment, never going back: what pauses are measured with."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for the event, but at most that long; say whether it has come."""
        try:
            async with asyncio.timeout(seconds):
                return await event.wait()
        except TimeoutError:
            return event.is_set()

    async def wait_all(
        self, futures: Iterable[asyncio.Future[Any]], seconds: float
    ) -> set[asyncio.Future[Any]]:
        """Wait for all of them, but at most that long in all; those that are not done by then."""
        late = set(futures)
        if late:
            _, late = await asyncio.wait(late, timeout=seconds)
        return late
