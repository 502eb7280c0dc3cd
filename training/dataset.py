"""From texts to batches: which window of which text comes when.

The order is a pure function of the seed and the number of the window, so that a training is
resumed, or divided between processes, without any state.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.uint8]


@dataclass(frozen=True)
class Source:
    """A text and how often it is read.

    Attributes:
        ids: (N,) the text.
        weight: how many times each character is a target in one pass.
        library: whether it is read for its English only: its voice is not the one to learn.
    """

    ids: Ids
    weight: float = 1.0
    library: bool = False


class Windows:
    """Texts cut into windows of `length` inputs and their targets, in an order shuffled anew.

    One pass holds each character of a source of weight 1 once as a target (but for less than a
    window at its end), of weight 2 twice, and so on. Where the cuts fall moves from pass to pass.
    The first sources come in the same order whatever the weights of the last: when these change in
    the midst of a pass, it goes on with what it has not read yet.
    """

    def __init__(self, sources: Sequence[Source], length: int, seed: int) -> None:
        """Take (N,) texts for windows of `length` targets.

        Raises:
            ValueError: no source is longer than a window.
        """
        self.sources = [s for s in sources if len(s.ids) > length and s.weight > 0]
        if not self.sources:
            raise ValueError(f"the text is too short: it needs more than {length} characters")
        self.length = length
        self.seed = seed
        counts = [max(1, round(s.weight * (len(s.ids) - 1) / length)) for s in self.sources]
        self.ends = np.cumsum(counts)
        self.epoch = -1
        self.order = np.empty(0, np.int64)

    def __len__(self) -> int:
        """Windows in a pass."""
        return int(self.ends[-1])

    def batch(
        self, numbers: Sequence[int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """The windows of these numbers, 0, 1, ... over all passes.

        Returns:
            Inputs and targets, each (len(numbers), length), and which are of the library,
            (len(numbers),).
        """
        windows, library = zip(*map(self._window, numbers), strict=True)
        ids = np.stack(windows).astype(np.int64)
        return ids[:, :-1], ids[:, 1:], np.array(library)

    def _window(self, number: int) -> tuple[Ids, bool]:
        epoch, place = divmod(number, len(self))
        if epoch != self.epoch:
            self.order = np.random.default_rng((self.seed, epoch)).random(len(self)).argsort()
            self.epoch = epoch
        chosen = int(self.order[place])
        index = int(np.searchsorted(self.ends, chosen, side="right"))
        first = int(self.ends[index - 1]) if index else 0
        count = int(self.ends[index]) - first
        source = self.sources[index]
        ids = source.ids
        # Even steps over the text, moved by up to half a step either way from pass to pass.
        room = len(ids) - 1 - self.length  # the last start that leaves a whole window
        step = room / max(1, count - 1)
        shift = np.random.default_rng((self.seed, epoch, index)).uniform(-0.5, 0.5)
        start = min(max(round((chosen - first + shift) * step), 0), room)
        return ids[start : start + self.length + 1], source.library
