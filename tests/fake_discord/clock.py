"""Time that a test moves by hand."""

import asyncio
import time


class ManualClock:
    """Time that passes when a test says so. Starts now, for ids carry their date.

    But no hour begins in its first ten minutes: a story of the day would come in a test that tells
    of another.
    """

    def __init__(self) -> None:
        now = time.time()
        self.now = min(now, now - now % 3600 + 3000)
        self._alarms: dict[asyncio.Future[None], float] = {}

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for future, moment in list(self._alarms.items()):
            if moment <= self.now:
                self._ring(future)

    def alarm(self, moment: float) -> "asyncio.Future[None]":
        """Is done when that time has come; who needs it no more cancels it."""
        future = asyncio.get_running_loop().create_future()
        self._alarms[future] = moment
        future.add_done_callback(lambda done: self._alarms.pop(done, None))
        if moment <= self.now:
            self._ring(future)
        return future

    def _ring(self, future: "asyncio.Future[None]") -> None:
        del self._alarms[future]
        if not future.done():
            future.set_result(None)
