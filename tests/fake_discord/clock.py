"""Time that a test moves by hand."""

import time


class ManualClock:
    """Time that passes when a test says so. Starts now, for ids carry their date."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
