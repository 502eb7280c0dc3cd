"""The network's arithmetic, for writing: places through all blocks, with what each text has read.

The letters in the shapes are those of `decoder.py`.

A step is mostly the reading of weights from memory, so between two products stands as little as
can be. Places are columns, (C, N): the weights then lie as they are stored, W @ X is the fastest of
the eight ways to multiply, and one text is a matrix-vector product by the same line. What else was
measured, and kept: `tests/benchmarks/decoder.md`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.block import EPSILON, f32, lay_out, norm
from model.cache import Cache, seen
from model.config import GPTConfig
from model.workspace import Workspace

Array = NDArray[np.float32]
_ZERO = np.zeros((), np.float32)  # an array already: a scalar is made one at each operation
SMALL = 10**6
"""So many multiplications OpenBLAS does without packing the weights anew, where it has kernels of
AVX-512 for that (its pull request 3335)."""
FEW = 16  # columns, for which it pays to keep within them


class Forward:
    """The weights, and what they make of ids. It keeps nothing: texts are in a `Cache`."""

    def __init__(self, config: GPTConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        self.config = config
        self.blocks = lay_out(config, weights)
        self.head = f32(weights["head.weight"])  # (V, C)
        self.embedding = f32(weights["embedding.weight"])  # (V, C)
        if not config.n_ngrams:  # the first norm is then a constant of each character
            square = np.square(self.embedding).mean(axis=1, keepdims=True)
            self.embedding = self.embedding / np.sqrt(square + EPSILON)
        self._kinds = list({block.far: block for block in self.blocks}.values())  # one of each

    @property
    def multiplications(self) -> int:
        """How many numbers a place is multiplied by."""
        matrices = [self.head]
        for block in self.blocks:
            matrices += block.qkv, block.projection, block.up, block.down
        return sum(matrix.size for matrix in matrices)

    def logits(self, x: Array) -> Array:
        """The head, applied to the stream after any block: (C, [N]) -> (V, [N])."""
        logits: Array = self.head @ norm(x)
        return logits

    def read(
        self,
        cache: Cache,
        slot: int,
        ids: Sequence[int],
        kept: Sequence[list[Array]] | None = None,
    ) -> Array:
        """Read ids (T,) into a slot, however many, in passes of `attention_window` -> (C, T).

        Where `kept` is given, the stream as each block reads it and after the last is added to it.
        """
        A = self.config.attention_window
        parts = [
            self._read_pass(cache, slot, np.array(ids[start : start + A]), kept)
            for start in range(0, len(ids), A)
        ]
        return np.concatenate(parts or [np.zeros((self.config.n_embd, 0), np.float32)], axis=1)

    def _read_pass(
        self, cache: Cache, slot: int, ids: NDArray[np.int64], kept: Sequence[list[Array]] | None
    ) -> Array:
        """Read at most `attention_window` ids (T,) at once, as `read` does -> (C, T)."""
        c, T = self.config, len(ids)
        H, G, D = c.n_head, c.n_kv_head, c.head_size
        first = cache.advance(slot, T)
        x = self.embedding[ids].T
        if cache.table:
            cache.table.write_many(slot, first, ids)
            x = norm(x + cache.table.look_up(np.full(T, slot), np.arange(first, first + T)))
        embedded = x
        masks = {kind.far: seen(first, T, kind.window) for kind in self._kinds}
        for i, block in enumerate(self.blocks):
            if block.skip is not None:
                x = x + block.skip * embedded
            if kept is not None:
                kept[i].append(x)
            q, k, v = block.heads(x, first, cache.content[i, slot])
            keys, values = (both[:, None] for both in cache.write(i, slot, first, k, v))
            q = q.reshape(T, G, H // G, D).transpose(1, 2, 0, 3)  # (G, H / G, T, D)
            scores = np.exp(q @ keys.swapaxes(-1, -2)) * masks[block.far]  # (.., T, held + T)
            y = scores @ values / scores.sum(axis=-1, keepdims=True)
            x = x + block.projection @ y.transpose(0, 1, 3, 2).reshape(H * D, T)
            x += block.down @ np.square(np.maximum(block.up @ norm(x), _ZERO))
        if kept is not None:
            kept[-1].append(x)
        return x

    def step(
        self, cache: Cache, work: Workspace, slots: Sequence[int], ids: Sequence[int]
    ) -> Array:
        """One more place for each slot, in rising order -> logits (S, V), in `work`."""
        S = len(slots)
        x, normed, hidden = work.x, work.normed, work.hidden
        positions = [cache.advance(slot, 1) for slot in slots]
        rows: Any = np.array(slots)
        places: Any = np.array(positions)
        np.copyto(x, self.embedding[ids[0] if S == 1 else ids].T)
        if cache.table:
            cache.table.write(rows, places, np.array(ids))
            x += cache.table.look_up(rows, places).reshape(x.shape)
            work.norm(x, out=x)
        embedded = x.copy() if self.config.embedding_skips else x
        if S == 1:  # without arrays of places it is quicker
            rows, places = slice(slots[0], slots[0] + 1), positions[0]
        kinds = {  # rotations ([S,] H + G, D/2), places in the ring, groups
            kind.far: (
                kind.rotations[places],
                (rows, slice(None), places % kind.window),
                work.groups(slots, [min(position + 1, kind.window) for position in positions]),
            )
            for kind in self._kinds
        }
        for i, (block, keys, values) in enumerate(
            zip(self.blocks, cache.keys, cache.values, strict=True)
        ):
            rotations, here, groups = kinds[block.far]
            if block.skip is not None:
                np.add(x, np.multiply(embedded, block.skip, out=normed), out=x)
            product(block.qkv, work.norm(x, out=normed), out=work.qkv)
            if S > 1:
                np.copyto(work.rows, work.qkv.T)
            work.normalize_and_rotate(rotations)
            if block.far:  # as in `Block.heads`
                before = cache.content[i, rows].copy()
                cache.content[i, rows] = work.content
                np.copyto(work.content, before)
            keys[here] = work.k
            values[here] = work.v
            for group in groups:
                group.attend(keys, values)
            np.add(x, product(block.projection, work.flat_y, out=normed), out=x)
            product(block.up, work.norm(x, out=normed), out=hidden)
            np.square(np.maximum(hidden, _ZERO, out=hidden), out=hidden)
            np.add(x, product(block.down, hidden, out=normed), out=x)
        np.copyto(work.logits, np.dot(self.head, work.norm(x, out=normed)).T)
        return work.logits


def product(matrix: Array, x: Array, out: Array) -> Array:
    """Multiply matrix (M, K) @ x (K, [N]) -> (M, [N]), in as many parts as are quickest."""
    if x.ndim == 1 or x.shape[1] > FEW or matrix.size * x.shape[1] <= SMALL:
        return np.dot(matrix, x, out=out)
    rows = max(SMALL // x.size // 16 * 16, 16)  # a vector of AVX-512 holds 16 numbers
    for first in range(0, len(matrix), rows):
        np.dot(matrix[first : first + rows], x, out=out[first : first + rows])
    return out
