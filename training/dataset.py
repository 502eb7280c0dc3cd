"""From texts to batches: which window of which text comes when.

Which window has which number is a pure function of the seed; how many have been read is all the
state there is. So a training is resumed, or divided between processes, to the bit.
"""

import bisect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.unsignedinteger[Any]]
Pieces = NDArray[np.int64]


@dataclass(frozen=True)
class Source:
    """A text and how often it is read.

    Attributes:
        ids: (N,) the text.
        weight: how many times each character is a target in one pass.
    """

    ids: Ids
    weight: float = 1.0


@dataclass(frozen=True)
class Window:
    """What the network reads at once: T inputs and the targets that follow each.

    Attributes:
        ids: (T + 1,) cut from a source; zeros behind one that is shorter.
        counts: (T,) which targets count. One that two windows hold counts in one of them.
        source: which of `Windows.sources` it is from.
        start: where in the source it begins.
    """

    ids: Ids
    counts: NDArray[np.bool_]
    source: int
    start: int


Transform = Callable[[Window, np.random.Generator], Window]
"""Changes a window as it is cut. Its generator is of the seed and the number of the window alone;
what it gives back has the same shapes."""


class Windows:
    """Sources cut into windows, in an order shuffled anew in each pass.

    In each pass every character (but a source's first, which nothing comes before) counts once as
    a target in a source of weight 1, twice in one of weight 2, and in every second pass in one of
    weight 0.5. Where the cuts fall is drawn anew each time.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        length: int,
        seed: Sequence[int],
        transform: Transform | None = None,
    ) -> None:
        """Take texts, perhaps none, for windows of `length` targets."""
        self.sources = [s for s in sources if len(s.ids) > 1 and s.weight > 0]
        self.length = length
        self.seed = tuple(seed)
        self.transform = transform
        self.ends = [0]  # windows up to the beginning of each pass, as far as they are known
        self.planned = -1
        self.pieces: Pieces = np.empty((0, 3), np.int64)

    def passes(self, count: float) -> int:
        """How many windows there are in so many passes."""
        if not self.sources:
            return 0
        whole = math.floor(count)
        while len(self.ends) <= whole + 1:
            self._plan(len(self.ends) - 1)
        return self.ends[whole] + round((count - whole) * (self.ends[whole + 1] - self.ends[whole]))

    def window(self, number: int) -> Window:
        """The window of this number, 0, 1, ... over all passes."""
        while self.ends[-1] <= number:
            self._plan(len(self.ends) - 1)
        epoch = bisect.bisect_right(self.ends, number) - 1
        self._plan(epoch)
        index, first, last = self.pieces[number - self.ends[epoch]].tolist()
        ids, length = self.sources[index].ids, self.length
        start = min(first, max(0, len(ids) - 1 - length))
        cut = np.zeros(length + 1, ids.dtype)
        part = ids[start : start + length + 1]
        cut[: len(part)] = part
        places = np.arange(start, start + length)  # of the inputs: the target is one further on
        window = Window(cut, (first <= places) & (places < last), index, start)
        if self.transform is None:
            return window
        return self.transform(window, np.random.default_rng((*self.seed, 2, number)))

    def _plan(self, epoch: int) -> None:
        """Lay out a pass: `pieces` is then (N, 3): a source, the first of its inputs, their end."""
        if self.planned == epoch:
            return
        parts = []
        for index, source in enumerate(self.sources):
            # A source is read again and again, each time whole; a pass takes its share of that.
            begin, end = epoch * source.weight, (epoch + 1) * source.weight
            for repeat in range(math.floor(begin), math.ceil(end)):
                pieces = self._shuffled(index, repeat)
                low, high = (
                    math.ceil(len(pieces) * min(max(place - repeat, 0.0), 1.0))
                    for place in (begin, end)
                )
                parts.append(pieces[low:high])
        pieces = np.concatenate(parts)
        np.random.default_rng((*self.seed, 0, epoch)).shuffle(pieces)
        self.pieces, self.planned = pieces, epoch
        if len(self.ends) == epoch + 1:
            self.ends.append(self.ends[epoch] + len(pieces))

    def _shuffled(self, index: int, repeat: int) -> Pieces:
        """All of a source in pieces of at most a window, (N, 3), shuffled."""
        rng = np.random.default_rng((*self.seed, 1, index, repeat))
        count = len(self.sources[index].ids) - 1
        cut = count if count <= self.length else int(rng.integers(1, self.length + 1))
        bounds = np.array([0, *range(cut, count, self.length), count])
        pieces = np.stack([np.full(len(bounds) - 1, index), bounds[:-1], bounds[1:]], axis=1)
        rng.shuffle(pieces)
        return pieces


@dataclass(frozen=True)
class Batch:
    """Some windows, side by side.

    Attributes:
        inputs: (B, T) ids.
        targets: (B, T) the ids that follow them.
        counts: (B, T) which targets count.
        library: (B,) which windows are of the library.
    """

    inputs: NDArray[np.int64]
    targets: NDArray[np.int64]
    counts: NDArray[np.bool_]
    library: NDArray[np.bool_]


class Mixture:
    """Two orders of windows, the library's and the voice's, mixed as the weight of the voice says.

    Each goes on where it is when the weight changes: nothing is read twice in a pass or left out.

    Attributes:
        state: windows of the library and of the voice read so far, and the share of one of the
            voice that is due. All that a resumed training needs.
    """

    def __init__(self, library: Windows, voice: Windows) -> None:
        """Take both orders, of which one may be empty.

        Raises:
            ValueError: there is nothing to predict in any text.
        """
        if not (library.sources or voice.sources):
            raise ValueError("the text is too short: it needs at least two characters")
        self.library = library
        self.voice = voice
        self.state = (0, 0, 0.5)

    @property
    def windows(self) -> int:
        """Windows read so far."""
        return self.state[0] + self.state[1]

    def passes(self, count: float, weight: float) -> int:
        """Windows in so many passes: of the library or, if there is none, of the voice."""
        share = self._share(weight)
        if share == 1:
            return self.voice.passes(count * weight)
        return round(self.library.passes(count) / (1 - share))

    def batch(self, size: int, weight: float) -> Batch:
        """The next `size` windows, with the voice at this weight."""
        library, voice, due = self.state
        share = self._share(weight)
        windows, apart = [], []
        for _ in range(size):
            due += share
            apart.append(due < 1)
            if due < 1:
                windows.append(self.library.window(library))
                library += 1
            else:
                windows.append(self.voice.window(voice))
                voice += 1
                due -= 1
        self.state = (library, voice, due)
        ids = np.stack([window.ids for window in windows]).astype(np.int64)
        counts = np.stack([window.counts for window in windows])
        return Batch(ids[:, :-1], ids[:, 1:], counts, np.array(apart))

    def _share(self, weight: float) -> float:
        """How many of the windows are of the voice."""
        if not self.library.sources:
            return 1.0
        voice = weight * self.voice.passes(1)
        return voice / (self.library.passes(1) + voice)
