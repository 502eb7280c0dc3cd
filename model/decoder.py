"""The network, for writing: the GPT of `gpt.py` in numpy, with all it has read kept in a cache.

Many texts are written at once. Each has a slot; a step gives one character to each of them, and
texts join and leave between steps. The letters in the shapes, beside those of `gpt.py`:

    S  slots    how many texts take part in a step
    N  columns  places computed at once: S in a step, S x T where windows are read
    C  n_embd   width of the stream    H heads    D = C / H    V vocabulary    T time
    K  runs     looked up in the n-gram table for each character

One step is mostly the reading of weights from memory, so between two matrix products stands as
little as can be. What was measured and kept:

- Places are columns, (C, N): the weights then lie as they are stored, W @ X is the fastest of the
  eight ways to multiply, and one text (N = 1) is a matrix-vector product by the same line.
- q, k and v come from one product. The rows of q and k are reordered once, so that a rotary pair
  lies together as one complex number: the rotation is one complex multiplication.
- q and k have length 1 after their norm, so no score leaves -sqrt(D) .. sqrt(D), and the softmax
  needs no maximum taken off: exp cannot overflow (e^16 at D = 256), nor can all of it vanish.
- Slots that lie side by side are attended in one product over (S, H, T, D), up to the longest of
  them; a mask hides the rest of the shorter ones.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.config import GPTConfig
from model.ngrams import BASE, INVERSE, MIX, find_rows, powers, signed

Array = NDArray[np.float32]
Ints = NDArray[np.int64]
EPSILON = 1e-6
READ_COLUMNS = 512  # windows are read this many columns at a time: scratch then stays in the cache
WASTE = 2**15  # numbers of a key cache read in vain rather than starting another product


@dataclass
class _Text:
    """What a slot holds: all ids so far, and which of them the cache knows."""

    ids: list[int] = field(default_factory=list)
    start: int = 0  # the window in the cache starts at this id ...
    cached: int = 0  # ... and holds this many


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
            slots: room for so many texts is made at once; more are added when they join.
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
        embedding = _f32(weights["embedding.weight"])  # (V, C)
        self._table = _NGramTable(config, weights) if config.n_runs else None
        if self._table is None:  # the first norm is then a constant for each character
            embedding = np.ascontiguousarray((embedding.T * _scale(embedding.T)).T)
        self._embedding = embedding
        self._turns = _turns(config)
        self._mean = np.full((1, config.n_embd), 1 / config.n_embd, np.float32)
        self._texts: list[_Text | None] = []
        self._capacity = 0
        self._first_capacity = max(slots, 1)
        self._keys: list[Array] = []  # for each block (slots, H, T, D)
        self._values: list[Array] = []
        self._scratch = _Scratch(config, 1)

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
        """Give a slot back. When the last one leaves, so does the memory of the cache."""
        self._text(slot)
        self._texts[slot] = None
        if not any(self._texts):
            self._texts, self._capacity, self._keys, self._values = [], 0, [], []
            self._scratch = _Scratch(self.config, 1)

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
            for i in range(c.n_layer):
                grown = np.zeros(shape, np.float32)
                if self._capacity:
                    grown[: self._capacity] = caches[i]
                    caches[i] = grown
                else:
                    caches.append(grown)
        if self._table:
            self._table.grow(capacity)
        self._capacity = capacity

    # Reading and writing

    def read(self, slot: int, ids: Sequence[int]) -> Array:
        """Give many ids to one slot.

        Args:
            slot: from `join`.
            ids: at least one.

        Returns:
            (V,) logits of what follows the last of them; valid until the next call.

        Raises:
            ValueError: no such slot, no id, or an id that is not in the vocabulary.
        """
        if not ids:
            raise ValueError("ids: there must be at least one to read")
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
        if not slots or len(slots) != len(ids) or len(set(slots)) != len(slots):
            raise ValueError("slots: each must be named once, with one id for each")
        self._check(ids)
        texts = [self._text(slot) for slot in slots]
        for text, i in zip(texts, ids, strict=True):
            text.ids.append(i)
        order = sorted(range(len(slots)), key=slots.__getitem__)
        if order == list(range(len(slots))):
            return self._write(slots, texts)
        logits = self._write([slots[i] for i in order], [texts[i] for i in order])
        return logits[np.argsort(order)]

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
        if not 0 <= min(ids) <= max(ids) < self.config.vocab_size:
            raise ValueError(f"ids: must be from 0 to {self.config.vocab_size - 1}")

    def _window_start(self, length: int) -> int:
        """Where the window of a text of `length` ids starts: a function of the length alone."""
        context = self.config.context_length
        stride = context - context // 2
        return max(0, -(-(length - context) // stride)) * stride

    def _write(self, slots: Sequence[int], texts: Sequence[_Text]) -> Array:
        """The logits (S, V) after the last id of each text, reading first what is not cached."""
        unread: dict[int, list[int]] = {}  # slots by the length of what they have to read
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

    def _read_windows(self, slots: list[int], length: int) -> None:
        """Fill the caches of some slots with the first `length` ids of their windows, in one pass.

        The last block only has to leave its keys and values.
        """
        c, S, T = self.config, len(slots), length
        C, H, D, N = c.n_embd, c.n_head, c.head_size, S * T
        windows = np.array(
            [text.ids[text.start : text.start + T] for text in map(self._text, slots)]
        )  # (S, T)
        x = np.ascontiguousarray(self._embedding[windows.ravel()].T)  # (C, N)
        if self._table:
            self._table.write_windows(np.array(slots), windows)
            x += self._table.look_up(np.array(slots)[:, None], np.arange(T)[None, :])
            x *= _scale(x)
        normed, hidden = np.empty_like(x), np.empty((4 * C, N), np.float32)
        rows = np.empty((S, T, 3, H, D), np.float32)
        y = np.empty((S, T, H, D), np.float32)
        scores = np.empty((S, H, T, T), np.float32)
        past = np.tri(T, dtype=np.float32)
        for i, (qkv, projection, up, down) in enumerate(self._blocks):
            np.multiply(x, _scale(x), out=normed)
            np.copyto(rows.reshape(N, 3 * C), np.dot(qkv, normed, out=hidden[: 3 * C]).T)
            _norm_and_turn(rows, self._turns[:T, :, None, :])
            keys, values = self._keys[i], self._values[i]
            q, k, v = rows.transpose(2, 0, 3, 1, 4)  # each (S, H, T, D)
            for s, slot in enumerate(slots):
                keys[slot, :, :T] = k[s]
                values[slot, :, :T] = v[s]
            if i == c.n_layer - 1:
                return
            np.matmul(q, k.swapaxes(-1, -2), out=scores)
            np.exp(scores, out=scores)
            scores *= past
            scores /= scores.sum(axis=-1, keepdims=True)
            np.matmul(scores, v, out=y.transpose(0, 2, 1, 3))
            x += np.dot(projection, y.reshape(N, C).T, out=normed)
            np.multiply(x, _scale(x), out=normed)
            np.dot(up, normed, out=hidden)
            np.maximum(hidden, 0.0, out=hidden)
            np.multiply(hidden, hidden, out=hidden)
            x += np.dot(down, hidden, out=normed)

    def _step(self, slots: Sequence[int], texts: Sequence[_Text]) -> Array:
        """One more place for each slot, in rising order: its last id -> logits (S, V)."""
        c, S = self.config, len(slots)
        if self._scratch.columns != S:
            self._scratch = _Scratch(c, S)
        x, normed, qkv_out, rows, hidden, y, logits, scores_room = self._scratch.arrays
        ids = [text.ids[-1] for text in texts]
        positions = [text.cached - 1 for text in texts]
        if S == 1:
            x[:] = self._embedding[ids[0]]
            here: Any = (slots[0], slice(None), positions[0])
        else:
            np.copyto(x, self._embedding[ids].T)
            here = (np.array(slots), slice(None), np.array(positions))
        if self._table:
            where, when = np.array(slots), np.array(positions)
            self._table.write(where, when, np.array(ids))
            x += self._table.look_up(where, when).reshape(x.shape)
            x *= _scale(x)
        turns = self._turns[positions][:, :, None, :]  # (S, 2, 1, D/2)
        q, k, v = rows[:, 0], rows[:, 1], rows[:, 2]  # each (S, H, D)
        groups = [
            (
                slice(slots[a], slots[b - 1] + 1),
                length,
                mask,
                q[a:b, :, :, None],
                scores_room[: (b - a) * c.n_head * length].reshape(b - a, c.n_head, length, 1),
                y[a:b, :, None, :],
            )
            for a, b, length, mask in self._groups(slots, positions)
        ]
        flat_y = y.reshape(S, c.n_embd).T if S > 1 else y.reshape(c.n_embd)
        for (qkv, projection, up, down), keys, values in zip(
            self._blocks, self._keys, self._values, strict=True
        ):
            np.multiply(x, _scale(x), out=normed)
            np.dot(qkv, normed, out=qkv_out)
            if S > 1:
                np.copyto(rows.reshape(S, -1), qkv_out.T)
            _norm_and_turn(rows, turns)
            keys[here] = k if S > 1 else k[0]
            values[here] = v if S > 1 else v[0]
            for places, length, mask, query, scores, answer in groups:
                np.matmul(keys[places, :, :length], query, out=scores)  # (s, H, T, 1)
                np.exp(scores, out=scores)
                if mask is not None:
                    np.multiply(scores, mask, out=scores)
                total = np.add.reduce(scores, axis=2, keepdims=True)
                np.matmul(scores.swapaxes(-1, -2), values[places, :, :length], out=answer)
                np.divide(answer, total, out=answer)
            np.dot(projection, flat_y, out=normed)
            np.add(x, normed, out=x)
            np.multiply(x, _scale(x), out=normed)
            np.dot(up, normed, out=hidden)
            np.maximum(hidden, 0.0, out=hidden)
            np.multiply(hidden, hidden, out=hidden)
            np.dot(down, hidden, out=normed)
            np.add(x, normed, out=x)
        np.multiply(x, _scale(x), out=normed)
        np.copyto(logits, np.dot(self._head, normed).T)
        return logits

    def _groups(
        self, slots: Sequence[int], positions: Sequence[int]
    ) -> list[tuple[int, int, int, Array | None]]:
        """Cut the slots into groups that are attended together.

        A group lies side by side in the cache and is of about the same length.

        Returns:
            (first, last + 1, length, mask) of each; the mask (s, 1, T, 1) is None where all are
            of one length.
        """
        groups = []
        first, longest, total = 0, 0, 0
        for i, position in enumerate([*positions, 0]):
            longer = max(longest, position + 1)
            waste = longer * (i + 1 - first) - total - position - 1
            apart = i == len(slots) or (i > first and slots[i] != slots[i - 1] + 1)
            if apart or waste * self.config.n_embd > WASTE:
                lengths = np.array(positions[first:i]) + 1
                mask = None
                if total != longest * (i - first):
                    mask = (np.arange(longest) < lengths[:, None]).astype(np.float32)
                    mask = mask[:, None, :, None]
                groups.append((first, i, longest, mask))
                first, longer, total = i, position + 1, 0
            longest, total = longer, total + position + 1
        return groups


class _Scratch:
    """The arrays a step of S slots works in."""

    def __init__(self, config: GPTConfig, slots: int) -> None:
        C, H, D, S = config.n_embd, config.n_head, config.head_size, slots
        columns = () if S == 1 else (S,)

        def room(*shape: int) -> Array:
            return np.empty(shape, np.float32)

        qkv = room(3 * C, *columns)
        rows = qkv.reshape(1, 3, H, D) if S == 1 else room(S, 3, H, D)
        self.columns = S
        self.arrays = (
            room(C, *columns),
            room(C, *columns),
            qkv,
            rows,
            room(4 * C, *columns),
            room(S, H, D),
            room(S, config.vocab_size),
            room(S * H * config.context_length),
        )


class _NGramTable:
    """The n-gram table of `gpt.py`, with the sums and word starts of each slot kept as it grows."""

    def __init__(self, config: GPTConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        self.config = config
        self.known = np.asarray(weights["ngrams.known"])  # (R,) sorted
        self.rows = weights["ngrams.rows.weight"]  # (R + 1, W), perhaps still on the disk
        self.scale = weights.get("ngrams.rows.scale")  # (R + 1,) where rows are int8
        self.projection = _f32(weights["ngrams.projection.weight"])  # (C, K W)
        self.orders = np.array(config.ngram_orders, np.int64)
        self.is_break = np.isin(np.arange(config.vocab_size), config.word_breaks)
        self.powers = powers(BASE, config.context_length + 1)
        self.inverses = powers(INVERSE, config.context_length + 1)
        self.kinds = np.arange(1, config.n_runs + 1, dtype=np.int64) * signed(MIX * MIX)
        self.sums = self.words = np.zeros((0, config.context_length + 1), np.int64)

    def grow(self, slots: int) -> None:
        """Room for more slots: sums and word starts, (slots, T + 1)."""
        grown = np.zeros((2, slots, self.config.context_length + 1), np.int64)
        kept = min(slots, len(self.sums))
        grown[0, :kept], grown[1, :kept] = self.sums[:kept], self.words[:kept]
        self.sums, self.words = grown

    def write(self, slots: Ints, positions: Ints, ids: Ints) -> None:
        """One id (S,) for each slot, at its position."""
        after = positions + 1
        self.sums[slots, after] = self.sums[slots, positions] + (ids + 1) * self.powers[positions]
        self.words[slots, after] = np.where(self.is_break[ids], after, self.words[slots, positions])

    def write_windows(self, slots: Ints, ids: Ints) -> None:
        """Ids (S, T) from position 0."""
        length = ids.shape[1]
        self.sums[slots, 1 : length + 1] = ((ids + 1) * self.powers[:length]).cumsum(axis=1)
        after_break = np.where(self.is_break[ids], np.arange(1, length + 1), 0)
        self.words[slots, 1 : length + 1] = np.maximum.accumulate(after_break, axis=1)

    def look_up(self, slots: Ints, positions: Ints) -> Array:
        """What the table has for the runs that end at these places, N in all -> (C, N)."""
        c, ends = self.config, positions + 1
        starts = np.empty((*np.broadcast_shapes(slots.shape, ends.shape), c.n_runs), np.int64)
        n_orders = len(self.orders)
        np.maximum(ends[..., None] - self.orders, 0, out=starts[..., :n_orders])
        start = self.words[slots, positions]
        for n in range(1, max(c.ngram_words, default=0) + 1):
            if n > 1:
                start = np.where(start > 0, self.words[slots, np.maximum(start - 1, 0)], 0)
            if n in c.ngram_words:
                starts[..., n_orders + c.ngram_words.index(n)] = start
        hashes = self.sums[slots, ends][..., None] - self.sums[slots[..., None], starts]
        hashes *= self.inverses[starts]
        mixed = (hashes ^ (hashes >> 29)) * signed(MIX) + self.kinds
        mixed = (mixed ^ (mixed >> 32)) * signed(MIX)
        found = find_rows((mixed >> 32).astype(np.int32), self.known)  # (..., K)
        rows = self.rows[found].astype(np.float32)  # (..., K, W)
        if self.scale is not None:
            rows *= self.scale[found][..., None]
        columns: Array = np.dot(self.projection, rows.reshape(-1, self.projection.shape[1]).T)
        return columns


def _f32(array: NDArray[Any]) -> Array:
    return np.ascontiguousarray(array, dtype=np.float32)


def _scale(x: Array) -> np.float32 | Array:
    """What each column of x (C, N) is multiplied by to have a root mean square of 1: (N,).

    For one column, x (C,), a plain number, which is quicker.
    """
    if x.ndim == 1:
        return np.float32(1.0 / math.sqrt(float(x.dot(x)) / len(x) + EPSILON))
    mean = np.einsum("cn,cn->n", x, x)
    mean /= len(x)
    mean += EPSILON
    np.sqrt(mean, out=mean)
    scale: Array = np.divide(1.0, mean, out=mean)
    return scale


def _pair_rotary_rows(qkv: Array, config: GPTConfig) -> Array:
    """Put the rows i and i + D/2 of each head of q and k, a rotary pair, side by side."""
    H, D, C = config.n_head, config.head_size, config.n_embd
    parts = qkv.reshape(3, H, 2, D // 2, C).copy()
    paired = parts[:2].swapaxes(2, 3).reshape(2 * C, C)
    return np.ascontiguousarray(np.concatenate((paired, qkv[2 * C :])))


def _turns(config: GPTConfig) -> NDArray[np.complex64]:
    """What q and k are multiplied by at each position: (T, 2, D/2).

    The rotation, and sqrt(D) for q: with q and k of length 1, that makes their product
    norm(q) norm(k) / sqrt(D), as norm() gives them the length sqrt(D).
    """
    D = config.head_size
    frequency = 10000.0 ** -(np.arange(0, D, 2) / D)
    turns = np.exp(1j * np.arange(config.context_length)[:, None] * frequency)
    return np.stack((math.sqrt(D) * turns, turns), axis=1).astype(np.complex64)


def _norm_and_turn(rows: Array, turns: NDArray[np.complex64]) -> None:
    """Bring q and k to length 1, and turn them; v stays. In place: rows (..., 3, H, D)."""
    qk = rows[..., :2, :, :]
    lengths = np.vecdot(qk, qk)[..., None]
    lengths += rows.shape[-1] * EPSILON
    np.sqrt(lengths, out=lengths)
    np.divide(qk, lengths, out=qk)
    pairs = rows.view(np.complex64)[..., :2, :, :]  # (..., 2, H, D/2)
    np.multiply(pairs, turns, out=pairs)
