"""The network, for writing: the GPT of `gpt.py` in numpy, with all it has read kept in a cache.

Many texts are written at once. Each has a slot; a step gives one character to each of them, and
texts join and leave between steps. The letters in the shapes, beside those of `gpt.py`:

    S  slots    how many texts take part
    N  columns  places computed at once: S in a step, S x T where windows are read
    C  n_embd   width of the stream    H heads    D = C / H    V vocabulary    T time
    K  runs     looked up in the n-gram table for each character

A step is mostly the reading of weights from memory, so between two products stands as little as
can be. What was measured, and kept:

- Places are columns, (C, N): the weights then lie as they are stored, W @ X is the fastest of the
  eight ways to multiply, and one text is a matrix-vector product by the same line.
- q, k and v come from one product. The rows of q and k are put in another order once, so that a
  rotary pair is one complex number, and turning it one complex multiplication.
- q and k have length 1, so by Cauchy and Schwarz no score leaves -sqrt(D) .. sqrt(D), and softmax
  needs no maximum taken off: up to D = 7,000, float32 holds exp of it.
- Slots side by side are attended in one product over (S, H, T, D), up to the longest of them; a
  mask hides what the shorter ones do not have.
"""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.config import GPTConfig
from model.table import NGramTable

Array = NDArray[np.float32]
EPSILON = 1e-6
READ_COLUMNS = 512  # windows are read so many places at a time: what is worked on fits the cache
WASTE = 2**15  # numbers of keys attended in vain rather than in one product more
SHARED_WORK = 2**19  # numbers of keys in a block from which a second thread is worth its while;
# below, the two wait for Python's lock longer than they compute
_ZERO = np.float32(0.0)


@dataclass
class _Text:
    """What a slot holds: all its ids, and which of them the cache knows."""

    ids: list[int] = field(default_factory=list)
    start: int = 0  # the window in the cache starts at this id ...
    cached: int = 0  # ... and holds so many


class Decoder:
    """Writes with the weights of a `GPT`: give ids, get the logits of what follows.

    A text longer than the context: when the cache is full, the newest half of the window is read
    again from position 0, and writing goes on. What a slot answers depends on its own ids only.
    """

    config: GPTConfig

    def __init__(
        self, config: GPTConfig, weights: Mapping[str, NDArray[Any]], slots: int = 1
    ) -> None:
        """Lay out the weights for writing.

        Args:
            config: the sizes.
            weights: the tensors of `GPT.state_dict()` by name. The rows of the n-gram table stay
                as they are (any float type, or int8 with "ngrams.rows.scale"), the rest is float32.
            slots: room for so many texts is made at once; more is made when they join.
        """
        self.config = config
        self._blocks = [
            (
                _pair_rotary_rows(_f32(weights[f"blocks.{i}.attention.qkv.weight"]), config),
                _f32(weights[f"blocks.{i}.attention.projection.weight"]),
                _f32(weights[f"blocks.{i}.feed_forward.up.weight"]),
                _f32(weights[f"blocks.{i}.feed_forward.down.weight"]),
            )
            for i in range(config.n_layer)
        ]
        self._head = _f32(weights["head.weight"])  # (V, C)
        self._embedding = _f32(weights["embedding.weight"])  # (V, C)
        self._table = NGramTable(config, weights) if config.n_runs else None
        if self._table is None:  # the first norm is then a constant of each character
            square = np.square(self._embedding).mean(axis=1, keepdims=True)
            self._embedding = self._embedding / np.sqrt(square + EPSILON)
        self._turns = _turns(config)
        self._texts: list[_Text | None] = []
        self._first_capacity = max(slots, 1)
        self._capacity = 0
        self._keys: list[Array] = []  # for each block (slots, H, T, D)
        self._values: list[Array] = []
        self._rooms: dict[str, _Room] = {}

    # Slots

    def join(self) -> int:
        """Take a free slot for a new text."""
        for slot, text in enumerate(self._texts):
            if text is None:
                self._texts[slot] = _Text()
                return slot
        self._texts.append(_Text())
        if len(self._texts) > self._capacity:
            self._grow(max(self._first_capacity, 2 * self._capacity))
        return len(self._texts) - 1

    def leave(self, slot: int) -> None:
        """Give a slot back. With the last of them goes the memory of the cache."""
        self._text(slot)
        self._texts[slot] = None
        if not any(self._texts):
            self._texts, self._capacity, self._keys, self._values = [], 0, [], []
            self._rooms.clear()

    def _text(self, slot: int) -> _Text:
        text = self._texts[slot] if 0 <= slot < len(self._texts) else None
        if text is None:
            raise ValueError(f"slot {slot}: no text has joined there")
        return text

    def _grow(self, capacity: int) -> None:
        """Make room for more slots. Memory that is never written is never taken (calloc)."""
        c = self.config
        shape = (capacity, c.n_head, c.context_length, c.head_size)
        for caches in (self._keys, self._values):
            grown = [np.zeros(shape, np.float32) for _ in range(c.n_layer)]
            for new, old in zip(grown, caches, strict=False):  # no old ones the first time
                new[: self._capacity] = old
            caches[:] = grown
        if self._table:
            self._table.grow(capacity)
        self._capacity = capacity

    # Reading and writing

    def read(self, slot: int, ids: Sequence[int]) -> Array:
        """Give many ids to one slot, in one pass.

        Args:
            slot: from `join`.
            ids: at least one.

        Returns:
            (V,) logits of what follows the last of them; valid until the next call.

        Raises:
            ValueError: no such slot, no id, or an id that is not in the vocabulary.
        """
        text = self._text(slot)
        self._check(ids)
        text.ids.extend(ids)
        logits: Array = self._write([slot], [text])[0]
        return logits

    def step(self, slots: Sequence[int], ids: Sequence[int]) -> Array:
        """Give one id to each of several slots.

        Args:
            slots: (S,) different slots, in any order.
            ids: (S,) an id for each.

        Returns:
            (S, V) logits of what follows, in the order of `slots`; valid until the next call.

        Raises:
            ValueError: a slot is unknown or named twice, or an id is not in the vocabulary.
        """
        if len(slots) != len(ids) or len(set(slots)) != len(slots):
            raise ValueError("slots: each must be named once, with one id for each")
        self._check(ids)
        texts = [self._text(slot) for slot in slots]
        for text, i in zip(texts, ids, strict=True):
            text.ids.append(i)
        rising = sorted(slots)
        if list(slots) == rising:
            return self._write(slots, texts)
        logits = self._write(rising, [self._text(slot) for slot in rising])
        return logits[np.searchsorted(rising, slots)]

    def rewind(self, slot: int, count: int) -> None:
        """Forget the last `count` ids of a slot, as if they had never been given.

        Raises:
            ValueError: no such slot, or it holds fewer ids.
        """
        text = self._text(slot)
        if not 0 <= count <= len(text.ids):
            raise ValueError(f"count = {count}: the slot holds {len(text.ids)} ids")
        del text.ids[len(text.ids) - count :]
        text.cached = max(0, min(text.cached, len(text.ids) - text.start))

    def _check(self, ids: Sequence[int]) -> None:
        if not ids:
            raise ValueError("ids: there must be at least one")
        if not 0 <= min(ids) <= max(ids) < self.config.vocab_size:
            raise ValueError(f"ids: must be from 0 to {self.config.vocab_size - 1}")

    def _window_start(self, length: int) -> int:
        """Where the window of a text of `length` ids starts: a function of the length alone."""
        context = self.config.context_length
        stride = context - context // 2
        return max(0, -(-(length - context) // stride)) * stride

    def _write(self, slots: Sequence[int], texts: Sequence[_Text]) -> Array:
        """The logits (S, V) after the last id of each text, reading first what is not cached."""
        unread: dict[int, list[int]] = {}  # slots by how much they have to read
        for slot, text in zip(slots, texts, strict=True):
            start = self._window_start(len(text.ids))
            cached = len(text.ids) - 1 - start
            if cached and (start, cached) != (text.start, text.cached):
                unread.setdefault(cached, []).append(slot)
            text.start, text.cached = start, cached + 1
        for length, readers in unread.items():
            at_once = max(1, READ_COLUMNS // length)
            for i in range(0, len(readers), at_once):
                self._read_windows(readers[i : i + at_once], length)
        return self._step(slots, texts)

    def _room(self, use: str, *shape: int) -> "_Room":
        room = self._rooms.get(use)
        if room is None or room.shape != shape:
            room = self._rooms[use] = _Room(self.config, shape)
        return room

    def _read_windows(self, slots: list[int], length: int) -> None:
        """Fill the caches of some slots with the first `length` ids of their windows.

        The last block only has to leave its keys and values.
        """
        S, T = len(slots), length
        windows = np.array(
            [text.ids[text.start : text.start + T] for text in map(self._text, slots)]
        )  # (S, T)
        room = self._room("read", S, T)
        x, normed, hidden, v = room.x, room.normed, room.hidden, room.v.swapaxes(1, 2)
        q, k = room.q.swapaxes(1, 2), room.k.swapaxes(1, 2)  # each (S, H, T, D)
        np.copyto(x, self._embedding[windows.ravel()].T)
        if self._table:
            where = np.array(slots)
            self._table.write_windows(where, windows)
            x += self._table.look_up(where[:, None], np.arange(T)[None, :])
            room.norm(x, out=x)
        turns = self._turns[:T]  # (T, 2, H, D/2)
        scores, answer = room.scores.reshape(S, -1, T, T), room.y.swapaxes(1, 2)
        past = np.tri(T, dtype=np.float32)
        for keys, values, (qkv, projection, up, down) in zip(
            self._keys, self._values, self._blocks, strict=True
        ):
            np.dot(room.norm(x, out=normed).T, qkv.T, out=room.rows)
            room.unit_and_turn(turns)
            for i, slot in enumerate(slots):
                keys[slot, :, :T] = k[i]
                values[slot, :, :T] = v[i]
            if keys is self._keys[-1]:
                return
            np.exp(np.matmul(q, k.swapaxes(-1, -2), out=scores), out=scores)
            np.multiply(scores, past, out=scores)
            np.matmul(scores, v, out=answer)
            answer /= scores.sum(axis=-1, keepdims=True)
            x += np.dot(projection, room.flat_y, out=normed)
            np.dot(up, room.norm(x, out=normed), out=hidden)
            np.square(np.maximum(hidden, _ZERO, out=hidden), out=hidden)
            x += np.dot(down, hidden, out=normed)

    def _step(self, slots: Sequence[int], texts: Sequence[_Text]) -> Array:
        """One more place for each slot, in rising order: its last id -> logits (S, V)."""
        S = len(slots)
        room = self._room("step", S)
        x, normed, hidden, k, v = room.x, room.normed, room.hidden, room.k, room.v
        positions = [text.cached - 1 for text in texts]
        ids = [text.ids[-1] for text in texts]
        if S == 1:  # without arrays of places it is quicker
            np.copyto(x, self._embedding[ids[0]])
            turns = self._turns[positions[0]]  # (2, H, D/2)
            here: tuple[Any, ...] = (slice(slots[0], slots[0] + 1), slice(None), positions[0])
        else:
            np.copyto(x, self._embedding[ids].T)
            turns = self._turns[positions]  # (S, 2, H, D/2)
            here = (np.array(slots), slice(None), np.array(positions))
        if self._table:
            where, when = np.array(slots), np.array(positions)
            self._table.write(where, when, np.array(ids))
            x += self._table.look_up(where, when).reshape(x.shape)
            room.norm(x, out=x)
        first, *second = self._shares(slots, positions, room)
        for keys, values, (qkv, projection, up, down) in zip(
            self._keys, self._values, self._blocks, strict=True
        ):
            np.dot(qkv, room.norm(x, out=normed), out=room.qkv)
            if S > 1:
                np.copyto(room.rows, room.qkv.T)
            room.unit_and_turn(turns)
            keys[here] = k
            values[here] = v
            started = [self._helper.submit(_attend, keys, values, share) for share in second]
            _attend(keys, values, first)
            for future in started:
                future.result()
            np.add(x, np.dot(projection, room.flat_y, out=normed), out=x)
            np.dot(up, room.norm(x, out=normed), out=hidden)
            np.square(np.maximum(hidden, _ZERO, out=hidden), out=hidden)
            np.add(x, np.dot(down, hidden, out=normed), out=x)
        np.copyto(room.logits, np.dot(self._head, room.norm(x, out=normed)).T)
        return room.logits

    @cached_property
    def _helper(self) -> ThreadPoolExecutor:
        """A second thread: numpy computes outside Python's lock."""
        return ThreadPoolExecutor(1, "attention")

    def _shares(
        self, slots: Sequence[int], positions: Sequence[int], room: "_Room"
    ) -> "list[list[_Group]]":
        """What is to be attended, for one thread, or for two where there is much."""
        work = len(slots) * max(positions) * self.config.n_embd
        if len(slots) == 1 or work < SHARED_WORK:
            return [self._groups(slots, positions, room, 0)]
        half = len(slots) // 2
        return [
            self._groups(slots[:half], positions[:half], room, 0),
            self._groups(slots[half:], positions[half:], room, half),
        ]

    def _groups(
        self, slots: Sequence[int], positions: Sequence[int], room: "_Room", row: int
    ) -> "list[_Group]":
        """Cut slots, whose first has this row in `room`, into groups attended in one product.

        A group lies side by side in the cache and is of about the same length.
        """
        groups: list[_Group] = []
        first, longest, total = 0, 0, 0
        for i, position in enumerate(positions):
            longer = max(longest, position + 1)
            wasted = longer * (i + 1 - first) - total - (position + 1)
            side_by_side = slots[i] - slots[first] == i - first
            if not side_by_side or wasted * self.config.n_embd > WASTE:
                groups.append(room.group(slots[first], positions[first:i], row + first))
                first, longer, total = i, position + 1, 0
            longest, total = longer, total + position + 1
        groups.append(room.group(slots[first], positions[first:], row + first))
        return groups


@dataclass
class _Group:
    """Slots that are attended in one product, and where its parts are kept."""

    places: slice  # the slots
    length: int  # T, of the longest
    mask: Array | None  # (S, 1, T, 1): 0 where a shorter one has nothing; None: all are as long
    query: Array  # (S, H, D, 1)
    scores: Array  # (S, H, T, 1)
    total: Array  # (S, H, 1, 1)
    answer: Array  # (S, H, 1, D)


def _attend(keys: Array, values: Array, groups: Sequence[_Group]) -> None:
    """softmax(q k) v over what each slot has read; keys and values (slots, H, T, D)."""
    for g in groups:
        np.matmul(keys[g.places, :, : g.length], g.query, out=g.scores)
        np.exp(g.scores, out=g.scores)
        if g.mask is not None:
            np.multiply(g.scores, g.mask, out=g.scores)
        np.add.reduce(g.scores, axis=2, keepdims=True, out=g.total)
        np.matmul(g.scores.swapaxes(-1, -2), values[g.places, :, : g.length], out=g.answer)
        np.divide(g.answer, g.total, out=g.answer)


class _Room:
    """The arrays that places of one shape, (S,) or (S, T), are worked on in: N columns.

    A single text's step has x (C,) rather than (C, 1): a vector is quicker.
    """

    def __init__(self, config: GPTConfig, shape: tuple[int, ...]) -> None:
        C, H, D, N = config.n_embd, config.n_head, config.head_size, math.prod(shape)
        columns = () if shape == (1,) else (N,)
        self.shape = shape
        self.x, self.normed, self.squares = (_empty(C, *columns) for _ in range(3))
        self.mean, self.scale = np.full(C, 1 / C, np.float32), _empty(N)
        self.hidden = _empty(4 * C, *columns)
        self.qkv = self.hidden[: 3 * C]  # done with before the hidden layer is filled
        self.rows = _empty(N, 3 * C) if columns else self.qkv.reshape(1, 3 * C)
        rows = self.rows.reshape(*shape, 3, H, D)
        self.q, self.k, self.v = (rows[..., i, :, :] for i in range(3))  # each (S, [T,] H, D)
        self.qk = rows[..., :2, :, :]
        self.pairs = rows.view(np.complex64)[..., :2, :, :]  # (S, [T,] 2, H, D/2)
        self.lengths = _empty(*shape, 2, H, 1)
        self.scores = _empty(N * H * (shape[1] if len(shape) == 2 else config.context_length))
        self.totals = _empty(N, H, 1, 1)
        self.y = _empty(*shape, H, D)
        self.flat_y = self.y.reshape(N, C).T if columns else self.y.reshape(C)
        self.logits = _empty(shape[0], config.vocab_size)

    def norm(self, x: Array, out: Array) -> Array:
        """Bring each column of x (C, N) to a root mean square of 1."""
        if x.ndim == 1:
            mean = float(x.dot(x)) / len(x)
            return np.multiply(x, np.float32(1.0 / math.sqrt(mean + EPSILON)), out=out)
        np.dot(self.mean, np.square(x, out=self.squares), out=self.scale)
        self.scale += EPSILON
        return np.divide(x, np.sqrt(self.scale, out=self.scale), out=out)

    def unit_and_turn(self, turns: NDArray[np.complex64]) -> None:
        """Bring q and k in `rows` to length 1 and turn them; turns (S or T, 2, H, D/2)."""
        np.vecdot(self.qk, self.qk, out=self.lengths[..., 0])
        self.lengths += self.qk.shape[-1] * EPSILON
        np.divide(self.qk, np.sqrt(self.lengths, out=self.lengths), out=self.qk)
        np.multiply(self.pairs, turns, out=self.pairs)

    def group(self, slot: int, positions: Sequence[int], row: int) -> _Group:
        """The group of slots from `slot` on, at these positions; its first has row `row` here."""
        S, T, rows = len(positions), max(positions) + 1, slice(row, row + len(positions))
        H = self.totals.shape[1]
        start = row * (len(self.scores) // len(self.totals))
        mask = None
        if min(positions) + 1 < T:
            lengths = np.array(positions)[:, None, None, None] + 1
            mask = (np.arange(T)[:, None] < lengths).astype(np.float32)  # (S, 1, T, 1)
        return _Group(
            places=slice(slot, slot + S),
            length=T,
            mask=mask,
            query=self.q[rows, :, :, None],
            scores=self.scores[start : start + S * H * T].reshape(S, H, T, 1),
            total=self.totals[rows],
            answer=self.y[rows, :, None],
        )


def _empty(*shape: int) -> Array:
    return np.empty(shape, np.float32)


def _f32(array: NDArray[Any]) -> Array:
    return np.ascontiguousarray(array, dtype=np.float32)


def _pair_rotary_rows(qkv: Array, config: GPTConfig) -> Array:
    """Put the rows i and i + D/2 of each head of q and k, a rotary pair, side by side."""
    H, D, C = config.n_head, config.head_size, config.n_embd
    parts = qkv.reshape(3, H, 2, D // 2, C).copy()
    paired = parts[:2].swapaxes(2, 3).reshape(2 * C, C)
    return np.ascontiguousarray(np.concatenate((paired, qkv[2 * C :])))


def _turns(config: GPTConfig) -> NDArray[np.complex64]:
    """What q and k are multiplied by at each position: (T, 2, H, D/2), the same for each head.

    The rotation, and sqrt(D) for q: with q and k of length 1, that makes their product
    norm(q) norm(k) / sqrt(D), as norm() gives them the length sqrt(D).
    """
    T, H, D = config.context_length, config.n_head, config.head_size
    frequency = 10000.0 ** -(np.arange(0, D, 2) / D)
    turns = np.exp(1j * np.arange(T)[:, None] * frequency)
    both = np.stack((math.sqrt(D) * turns, turns), axis=1).astype(np.complex64)
    return np.repeat(both[:, :, None], H, axis=2)
