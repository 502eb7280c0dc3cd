"""The arrays that a step of `decoder.py` works in, made once for so many slots and used again.

The letters in the shapes are those of `decoder.py`. Every operation of a step writes into an array
that is there already, so that between two products nothing asks for memory.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.block import EPSILON
from model.config import GPTConfig

Array = NDArray[np.float32]
WASTE = 2**15  # numbers of keys attended in vain rather than in one product more
STRIP = 1200
"""So many scores OpenBLAS computes without packing the keys anew, where it has kernels of AVX-512
for that (its pull request 3335)."""


@dataclass
class Group:
    """Slots that are attended in one product, and where its parts are kept."""

    places: slice  # the slots
    length: int  # T, of the longest
    mask: Array | None  # (S, 1, 1, T): 0 where a shorter one has nothing; None: all are as long
    query: Array  # (S, G, H / G, D)
    scores: Array  # (S, G, H / G, T)
    total: Array  # (S, G, H / G, 1)
    answer: Array  # (S, G, H / G, D)

    def attend(self, keys: Array, values: Array) -> None:
        """softmax(q k) v over what each slot holds; keys and values (slots, G, A, D)."""
        places = (self.places, slice(None), slice(self.length))
        columns, strip = keys[places].swapaxes(-1, -2), max(STRIP // self.query.shape[2], 1)
        if self.length <= strip:
            np.matmul(self.query, columns, out=self.scores)
        else:
            for first in range(0, self.length, strip):
                part = (..., slice(first, first + strip))
                np.matmul(self.query, columns[part], out=self.scores[part])
        np.exp(self.scores, out=self.scores)
        if self.mask is not None:
            np.multiply(self.scores, self.mask, out=self.scores)
        np.add.reduce(self.scores, axis=-1, keepdims=True, out=self.total)
        np.matmul(self.scores, values[places], out=self.answer)
        np.divide(self.answer, self.total, out=self.answer)


class Workspace:
    """The arrays that one place of each of S slots is worked on in: S columns.

    A single text's step has x (C,) rather than (C, 1): a vector is quicker.
    """

    def __init__(self, config: GPTConfig, slots: int) -> None:
        C, H, G, D, S = config.n_embd, config.n_head, config.n_kv_head, config.head_size, slots
        columns = () if S == 1 else (S,)
        self.slots = slots
        self.x, self.normed, self.squares = (_empty(C, *columns) for _ in range(3))
        self.mean, self.scale = np.full(C, 1 / C, np.float32), _empty(S)
        self.factor, self.least = _empty(), np.array(D * EPSILON, np.float32)
        self.hidden = _empty(4 * C, *columns)
        width = (H + 2 * G) * D
        self.qkv = self.hidden[:width]  # done with before the hidden layer is filled
        self.rows = _empty(S, width) if columns else self.qkv.reshape(1, width)
        heads = self.rows.reshape(S, H + 2 * G, D)
        self.q = heads[:, :H].reshape(S, G, H // G, D)
        self.k, self.v = heads[:, H : H + G], heads[:, H + G :]  # each (S, G, D)
        self.content = self.k[..., D // 2 :]
        self.qk = heads[:, : H + G]
        self.pairs = self.qk.view(np.complex64)  # (S, H + G, D/2)
        self.lengths = _empty(S, H + G, 1)
        self.scores = _empty(S, H * config.longest_window)
        self.totals = _empty(S, G, H // G, 1)
        self.y = _empty(S, G, H // G, D)
        self.flat_y = self.y.reshape(S, C).T if columns else self.y.reshape(C)
        self.logits = _empty(S, config.vocab_size)

    def norm(self, x: Array, out: Array) -> Array:
        """Bring each column of x (C, S) to a root mean square of 1."""
        if x.ndim == 1:
            mean = float(x.dot(x)) / len(x)
            self.factor[()] = 1.0 / math.sqrt(mean + EPSILON)
            return np.multiply(x, self.factor, out=out)
        np.dot(self.mean, np.square(x, out=self.squares), out=self.scale)
        self.scale += EPSILON
        return np.divide(x, np.sqrt(self.scale, out=self.scale), out=out)

    def normalize_and_rotate(self, rotations: NDArray[np.complex64]) -> None:
        """Bring q and k in `rows` to length 1 and turn them; rotations ([S,] H + G, D/2)."""
        np.vecdot(self.qk, self.qk, out=self.lengths[..., 0])
        np.add(self.lengths, self.least, out=self.lengths)
        np.divide(self.qk, np.sqrt(self.lengths, out=self.lengths), out=self.qk)
        np.multiply(self.pairs, rotations, out=self.pairs)

    def groups(self, slots: Sequence[int], lengths: Sequence[int]) -> list[Group]:
        """Cut slots, in rising order, into groups that lie side by side and hold about as much.

        Args:
            slots: (S,)
            lengths: (S,) how many places each holds.
        """
        _, G, _, D = self.y.shape
        groups: list[Group] = []
        first, longest, total = 0, 0, 0
        for i, length in enumerate(lengths):
            longer = max(longest, length)
            wasted = longer * (i + 1 - first) - total - length
            side_by_side = slots[i] - slots[first] == i - first
            if not side_by_side or wasted * G * D > WASTE:
                groups.append(self._group(slots[first], lengths[first:i], first))
                first, longer, total = i, length, 0
            longest, total = longer, total + length
        groups.append(self._group(slots[first], lengths[first:], first))
        return groups

    def _group(self, slot: int, lengths: Sequence[int], row: int) -> Group:
        """The group of slots from `slot` on, that hold so much; its first has row `row` here."""
        S, T, rows = len(lengths), max(lengths), slice(row, row + len(lengths))
        _, G, heads, _ = self.totals.shape
        mask = None
        if min(lengths) < T:
            held = np.arange(T) < np.array(lengths)[:, None, None, None]
            mask = held.astype(np.float32)  # (S, 1, 1, T)
        return Group(
            places=slice(slot, slot + S),
            length=T,
            mask=mask,
            query=self.q[rows],
            scores=self.scores[rows].reshape(-1)[: S * G * heads * T].reshape(S, G, heads, T),
            total=self.totals[rows],
            answer=self.y[rows],
        )


def _empty(*shape: int) -> Array:
    return np.empty(shape, np.float32)
