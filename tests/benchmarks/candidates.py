"""What the decoder does not do, beside what it does: `python tests/benchmarks/candidates.py`.

All rows of a network run in turn in one process, again and again; medians are shown. Windows are
full. `numba` and `threadpoolctl` are optional: without them their rows are left out, with a note.
`--check` shows by simulation that the rule of speculative sampling keeps the distribution.
"""

import argparse
import copy
import importlib
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from model.decoder import EPSILON, Decoder  # noqa: E402
from model.ngrams import MIX, signed  # noqa: E402
from model.sampling import START, Sampling, next_id, probabilities  # noqa: E402
from model.vocab import Vocab  # noqa: E402
from model.weights import _expected, load_decoder  # noqa: E402
from tests.benchmarks.sampling import SIZES, machine  # noqa: E402

RANDOM = replace(
    SIZES["pooh"], vocab_size=77, attention_window=128, n_head=5, n_kv_head=1, n_embd=320
)
SAMPLING = Sampling(temperature=0.8)
ORDER = 5  # characters that the draft of speculative sampling looks back
READERS = 32
Floats = NDArray[np.float64]
Run = Callable[[int], None]  # do so many steps


def optional(name: str) -> Any:  # noqa: ANN401
    """A module that need not be installed, or None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


# What is shipped


def random_decoder() -> Decoder:
    """A network of the size of `pooh` with random weights; its table knows none of its runs."""
    rng = np.random.default_rng(0)
    weights: dict[str, NDArray[Any]] = {}
    for name, (shape, kinds) in _expected(RANDOM, quantised=True).items():
        if name == "ngrams.known":
            weights[name] = np.sort(rng.integers(-(2**31), 2**31, shape).astype(np.int32))
        elif "int8" in kinds:
            weights[name] = rng.integers(-127, 128, shape, np.int8)
        else:
            weights[name] = rng.normal(0, 0.5 * shape[-1] ** -0.5, shape).astype(np.float32)
    return Decoder(RANDOM, weights)


def twin(decoder: Decoder, slots: int = 1) -> Decoder:
    """Another decoder with the same weights and slots of its own."""
    other = copy.copy(decoder)
    other._texts, other._keys, other._values, other._room = [], [], [], None
    other._capacity, other._first_capacity = 0, slots
    other._table = copy.copy(decoder._table)  # its arrays are made anew when it grows
    return other


def stepping(decoder: Decoder, readers: int, ids: Sequence[int], half: bool = False) -> Run:
    """Steps of so many readers whose windows are full; `half` keeps the cache in float16."""
    decoder = twin(decoder, readers)
    A = decoder.config.attention_window
    slots = [decoder.join() for _ in range(readers)]
    columns = [[ids[(t + 37 * r) % len(ids)] for r in range(readers)] for t in range(2 * A)]
    if half:
        scratch = np.empty_like(decoder._keys[0])
        for caches in (decoder._keys, decoder._values):
            held: list[Any] = [Half(cache, scratch) for cache in caches]
            caches[:] = held

    def run(count: int) -> None:
        for text in decoder._texts:
            if text is not None and text.position > A:
                text.position = A  # so that nothing is counted anew meanwhile
        for column in columns[:count]:
            decoder.step(slots, column)

    run(A)
    return run


# Other numbers


class Narrow:
    """A matrix in float16, or in int8 with a scale for each row; float32 at each product."""

    scratch = np.empty(0, np.float32)

    def __init__(self, matrix: NDArray[np.float32], kind: str) -> None:
        self.scale: NDArray[np.float32] | None = None
        self.held: NDArray[Any] = matrix.astype(np.float16)
        if kind == "int8":
            self.held, self.scale = int8(matrix)
        if matrix.size > Narrow.scratch.size:
            Narrow.scratch = np.empty(matrix.size, np.float32)

    def __array_function__(
        self, function: object, types: object, arguments: Any, options: Any  # noqa: ANN401
    ) -> NDArray[np.float32]:
        """`np.dot` comes here."""
        assert function is np.dot
        matrix = self.scratch[: self.held.size].reshape(self.held.shape)
        np.copyto(matrix, self.held)
        y: NDArray[np.float32] = np.dot(matrix, arguments[1], **options)
        if self.scale is not None:
            y *= self.scale
        return y


def int8(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Whole numbers of -127 .. 127 and what each row of them is multiplied by."""
    scale = np.abs(matrix).max(axis=-1) / np.float32(127)
    return np.rint(matrix / scale[..., None]).astype(np.int8), scale


def narrow(decoder: Decoder, kind: str) -> Decoder:
    """A decoder, for one reader, with `Narrow` matrices."""
    other: Any = twin(decoder)
    other._blocks = [[Narrow(matrix, kind) for matrix in block] for block in decoder._blocks]
    other._head = Narrow(decoder._head, kind)
    narrowed: Decoder = other
    return narrowed


class Half:
    """Keys or values of a block in float16; float32 where they are looked at."""

    def __init__(self, cache: NDArray[np.float32], scratch: NDArray[np.float32]) -> None:
        self.held, self.scratch = cache.astype(np.float16), scratch

    def __getitem__(self, places: Any) -> NDArray[np.float32]:  # noqa: ANN401
        part: NDArray[np.float32] = self.scratch[places]
        np.copyto(part, self.held[places])
        return part

    def __setitem__(self, places: Any, new: NDArray[np.float32]) -> None:  # noqa: ANN401
        self.held[places] = new


# Compiled by numba


class Matrices(NamedTuple):
    """All that a compiled step reads: (L, rows, columns) and (L, rows) a kind of matrix."""

    embedding: NDArray[Any]
    turns: NDArray[Any]  # (3 A, H + G, D)
    qkv: tuple[NDArray[Any], NDArray[Any]]
    projection: tuple[NDArray[Any], NDArray[Any]]
    up: tuple[NDArray[Any], NDArray[Any]]
    down: tuple[NDArray[Any], NDArray[Any]]
    head: tuple[NDArray[Any], NDArray[Any]]
    keys: NDArray[Any]  # (L, G, A, D)
    values: NDArray[Any]


class Table(NamedTuple):
    """The n-gram table of a compiled step."""

    orders: NDArray[Any]
    in_words: NDArray[Any]  # whether the runs of n + 1 words are known
    is_break: NDArray[Any]
    powers: NDArray[Any]
    inverses: NDArray[Any]
    known: NDArray[Any]
    rows: NDArray[Any]
    scale: NDArray[Any]
    projection: tuple[NDArray[Any], NDArray[Any]]
    sums: NDArray[Any]
    words: NDArray[Any]


def compiled(numba: Any, parallel: bool) -> Any:  # noqa: ANN401
    """The step of one reader as one compiled function; `parallel` shares out rows of a product."""
    njit, prange = numba.njit(fastmath=True), numba.prange
    one, epsilon, mix, kinds = np.float32(1), np.float32(EPSILON), signed(MIX), signed(MIX * MIX)

    def product_(matrix: Any, scale: Any, x: Any, y: Any) -> None:  # noqa: ANN401
        for i in prange(len(y)):
            total = np.float32(0)
            for j in range(len(x)):
                total += matrix[i, j] * x[j]
            y[i] = total * scale[i]

    product = numba.njit(fastmath=True, parallel=parallel)(product_)

    def norm_(x: Any, y: Any) -> None:  # noqa: ANN401
        total = np.float32(0)
        for j in range(len(x)):
            total += x[j] * x[j]
        scale = one / np.sqrt(total / np.float32(len(x)) + epsilon)
        for j in range(len(x)):
            y[j] = x[j] * scale

    def look_up_(i: int, p: int, A: int, t: Any, x: Any) -> None:  # noqa: ANN401
        end, W = p + 1, t.rows.shape[1]
        t.sums[end] = t.sums[p] + (i + 1) * t.powers[p]
        t.words[end] = end if t.is_break[i] else t.words[p]
        starts = np.empty(t.projection[0].shape[1] // W, np.int64)
        starts[: len(t.orders)] = end - t.orders
        start, k = t.words[p], len(t.orders)
        for n in range(len(t.in_words)):
            if n:
                start = t.words[start - 1] if start > 0 else 0
            if t.in_words[n]:
                starts[k] = start
                k += 1
        found = np.empty(len(starts) * W, np.float32)
        for k in range(len(starts)):
            start = max(starts[k], end - A, 0)
            mixed = (t.sums[end] - t.sums[start]) * t.inverses[start]
            mixed = (mixed ^ (mixed >> 29)) * mix + (k + 1) * kinds
            key = np.int32(((mixed ^ (mixed >> 32)) * mix) >> 32)
            row = np.searchsorted(t.known, key)
            if row == len(t.known) or t.known[row] != key:
                row = len(t.known)
            for j in range(W):
                found[k * W + j] = t.rows[row, j] * t.scale[row]
        change = np.empty_like(x)
        product(t.projection[0], t.projection[1], found, change)
        x += change

    norm, look_up = njit(norm_), njit(look_up_)

    def step(i: int, p: int, m: Any, t: Any) -> Any:  # noqa: ANN401
        L, G, A, D = m.keys.shape
        C = m.embedding.shape[1]
        H, T = C // D, min(p + 1, A)
        x, normed, y = m.embedding[i].copy(), np.empty(C, np.float32), np.empty(C, np.float32)
        heads, hidden = np.empty((H + 2 * G, D), np.float32), np.empty(4 * C, np.float32)
        scores, logits = np.empty(T, np.float32), np.empty(len(m.embedding), np.float32)
        if t is not None:
            look_up(i, p, A, t, x)
            norm(x, x)
        for b in range(L):
            norm(x, normed)
            product(m.qkv[0][b], m.qkv[1][b], normed, heads.reshape(-1))
            for h in range(H + G):
                norm(heads[h], heads[h])
                scale = one / np.sqrt(np.float32(D))
                for d in range(0, D, 2):
                    real, other = heads[h, d] * scale, heads[h, d + 1] * scale
                    cos, sin = m.turns[p, h, d], m.turns[p, h, d + 1]
                    heads[h, d], heads[h, d + 1] = real * cos - other * sin, real * sin + other * cos
            m.keys[b, :, p % A] = heads[H : H + G]
            m.values[b, :, p % A] = heads[H + G :]
            y[:] = 0
            for h in range(H):
                g, total = h // (H // G), np.float32(0)
                product(m.keys[b, g], np.ones(T, np.float32), heads[h], scores)
                for s in range(T):
                    scores[s] = np.exp(scores[s])
                    total += scores[s]
                for s in range(T):
                    for d in range(D):
                        y[h * D + d] += scores[s] * m.values[b, g, s, d]
                y[h * D : h * D + D] /= total
            product(m.projection[0][b], m.projection[1][b], y, normed)
            x += normed
            norm(x, normed)
            product(m.up[0][b], m.up[1][b], normed, hidden)
            for j in range(len(hidden)):
                hidden[j] = max(hidden[j], np.float32(0)) ** 2
            product(m.down[0][b], m.down[1][b], hidden, normed)
            x += normed
        norm(x, normed)
        product(m.head[0][0], m.head[1][0], normed, logits)
        return logits

    return njit(step)
