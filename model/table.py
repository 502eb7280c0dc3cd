"""The n-gram table of `gpt.py`, for writing: rows are looked up as each text grows.

The keys of `ngrams.py` need, at each place, the sum up to there and where its word starts. Both are
kept for each slot, so one more character costs a few array operations. Positions are those of
`cache.py`: below 3 P.

    S  slots    K  n-grams that end at each character    R  rows of the table, W their width
    A  attention_window, which no n-gram is longer than    P  the longest window of any block
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.config import GPTConfig
from model.ngrams import BASE, INVERSE, find_rows, mix, powers
from model.quantised import dequantise

Array = NDArray[np.float32]
Ints = NDArray[np.int64]


class NGramTable:
    """The n-gram table of `gpt.py`, with the sums and word starts of each slot kept as it grows."""

    def __init__(self, config: GPTConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        self.config = config
        self.known = np.asarray(weights["ngrams.known"])  # (R,) sorted
        self.rows = weights["ngrams.rows.weight"]  # (R + 1, W), or as `quantise` packs them
        self.scale = weights.get("ngrams.rows.scale")  # (R + 1,) of small numbers
        self.projection = weights["ngrams.projection.weight"].astype(np.float32)  # (C, K W)
        self.orders = np.array(config.ngram_orders, np.int64)
        self.is_break = np.isin(np.arange(config.vocab_size), config.word_breaks)
        self.window = config.attention_window
        self.period = config.longest_window
        self.powers = powers(BASE, 3 * self.period + 1)
        self.inverses = powers(INVERSE, 3 * self.period + 1)
        self.sums = self.words = np.zeros((0, 3 * self.period + 1), np.int64)

    def grow(self, slots: int) -> None:
        """Make room for so many slots: sums and word starts, (slots, 3 P + 1)."""
        grown = np.zeros((2, slots, 3 * self.period + 1), np.int64)
        kept = min(slots, len(self.sums))
        grown[0, :kept], grown[1, :kept] = self.sums[:kept], self.words[:kept]
        self.sums, self.words = grown

    def copy(self, slot: int, other: int) -> None:
        """Let another slot stand where this one does."""
        self.sums[other], self.words[other] = self.sums[slot], self.words[slot]

    def write(self, slots: Ints, positions: Ints, ids: Ints) -> None:
        """One id (S,) for each slot, at its position."""
        after = positions + 1
        self.sums[slots, after] = self.sums[slots, positions] + (ids + 1) * self.powers[positions]
        self.words[slots, after] = np.where(self.is_break[ids], after, self.words[slots, positions])

    def write_many(self, slot: int, first: int, ids: Ints) -> None:
        """Ids (T,) to one slot, from position `first` on."""
        after = np.arange(first, first + len(ids)) + 1
        sums = ((ids + 1) * self.powers[after - 1]).cumsum()
        after_break = np.where(self.is_break[ids], after, self.words[slot, first])
        self.sums[slot, after] = self.sums[slot, first] + sums
        self.words[slot, after] = np.maximum.accumulate(after_break)

    def move(self, slot: int) -> None:
        """Take P off all positions of a slot; what comes before position 0 is dropped.

        `sums` no longer begin with 0 then, which cancels: only their differences are used.
        """
        P = self.period
        self.sums[slot, : 2 * P + 1] = self.sums[slot, P:] * self.inverses[P]
        self.words[slot, : 2 * P + 1] = np.maximum(self.words[slot, P:] - P, 0)

    def look_up(self, slots: Ints, positions: Ints) -> Array:
        """What the table has for the n-grams that end at these places, (N,) each -> (C, N)."""
        c, ends = self.config, positions + 1
        starts = np.empty((len(slots), c.n_ngrams), np.int64)
        n_orders = len(self.orders)
        np.subtract(ends[:, None], self.orders, out=starts[:, :n_orders])
        start = self.words[slots, positions]
        for n in range(1, max(c.ngram_words, default=0) + 1):
            if n > 1:
                start = np.where(start > 0, self.words[slots, np.maximum(start - 1, 0)], 0)
            if n in c.ngram_words:
                starts[:, n_orders + c.ngram_words.index(n)] = start
        np.maximum(starts, np.maximum(ends - self.window, 0)[:, None], out=starts)
        hashes = self.sums[slots, ends][:, None] - self.sums[slots[:, None], starts]
        hashes *= self.inverses[starts]
        found = find_rows(mix(hashes), self.known)  # (N, K)
        scale = None if self.scale is None else self.scale[found]
        rows = dequantise(self.rows[found], scale)  # (N, K, W)
        columns: Array = np.dot(self.projection, rows.reshape(len(slots), -1).T)
        return columns
