"""The network, for writing: the GPT of `gpt.py` in numpy, with what it has read kept in a cache.

Many texts are written at once. Each has a slot; a step gives one character to each of them, and
texts join and leave between steps. The letters in the shapes, beside those of `gpt.py`:

    S  slots    how many texts take part
    N  columns  places computed at once: S in a step, T where a prompt is read
    C  n_embd   width of the stream    H heads    G heads of keys and values    D = C / H
    A  a block's window: attention_window, or far_window in far blocks
    P  the longest of them             V vocabulary    T time

The cache of a slot is a ring in each block: a place attends to the last A characters, so the
character A places on takes the place of the oldest. Writing on reads nothing twice, however long
the text.

A step is mostly the reading of weights from memory, so between two products stands as little as
can be. What was measured, and kept (`tests/benchmarks/decoder.md`):

- Places are columns, (C, N): the weights then lie as they are stored, W @ X is the fastest of the
  eight ways to multiply, and one text is a matrix-vector product by the same line.
- q, k and v come from one product. The rows of q and k are put in another order once, so that a
  rotary pair is one complex number, and turning it one complex multiplication.
- q and k have length 1, so by Cauchy and Schwarz no score leaves -sqrt(D) .. sqrt(D), times the
  gain of far blocks, and softmax needs no maximum taken off: float32 holds exp of 80.
- Softmax and mean do not ask in which order the keys lie. So a full ring is attended as it is, and
  slots side by side in one product; a mask hides what the rings of shorter texts do not hold yet.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.config import GPTConfig
from model.ngrams import find_rows, ngram_keys
from model.strangers import NOBODY, Strangers
from model.table import NGramTable
from model.workspace import EPSILON, Group, Workspace

Array = NDArray[np.float32]
WASTE = 2**15  # numbers of keys attended in vain rather than in one product more
_ZERO = np.zeros((), np.float32)  # an array already: a scalar is made one at each operation


@dataclass
class _Sequence:
    """The text that a slot holds."""

    ids: list[int] = field(default_factory=list)
    position: int = 0  # of the next id, at most 3 P


class Decoder:
    """Writes with the weights of a `GPT`: give ids, get the logits of what follows.

    What a slot answers depends, but for rounding, on its own ids only. The answers are those of the
    `GPT` that reads the whole text at once, but for one thing: of a prompt, and of what `rewind`
    leaves, no more is read than the last `context_length` ids.
    """

    config: GPTConfig
    strangers: Strangers
    digest: str
    remembers: bool

    def __init__(
        self,
        config: GPTConfig,
        weights: Mapping[str, NDArray[Any]],
        slots: int = 1,
        strangers: Strangers = NOBODY,
        digest: str = "",
    ) -> None:
        """Lay out the weights for writing.

        Args:
            config: the sizes.
            weights: the tensors of `GPT.state_dict()` by name. The rows of the n-gram table stay
                as they are (floats, or quantised with "ngrams.rows.scale"), the rest is float32.
            slots: room for so many texts is made at once; more is made when they join.
            strangers: who is not to walk into what is written; it is the caller's to heed.
            digest: of the weights, for who asks whether they are still the same.
        """
        self.config, self.strangers, self.digest = config, strangers, digest
        self.remembers = bool(config.far_blocks)
        self._blocks = [
            (
                _pair_rotary_rows(
                    _f32(weights[f"blocks.{i}.attention.qkv.weight"]),
                    config,
                    i in config.far_blocks,
                ),
                _f32(weights[f"blocks.{i}.attention.projection.weight"]),
                _f32(weights[f"blocks.{i}.feed_forward.up.weight"]),
                _f32(weights[f"blocks.{i}.feed_forward.down.weight"]),
            )
            for i in range(config.n_layer)
        ]
        self._head = _f32(weights["head.weight"])  # (V, C)
        self._embedding = _f32(weights["embedding.weight"])  # (V, C)
        self._table = NGramTable(config, weights) if config.n_ngrams else None
        if self._table is None:  # the first norm is then a constant of each character
            square = np.square(self._embedding).mean(axis=1, keepdims=True)
            self._embedding = self._embedding / np.sqrt(square + EPSILON)
        self._windows = [config.window(i) for i in range(config.n_layer)]
        rotations = {
            far: _rotations(config, far)
            for far in {i in config.far_blocks for i in range(config.n_layer)}
        }
        self._rotations = [rotations[i in config.far_blocks] for i in range(config.n_layer)]
        self._first_capacity = max(slots, 1)
        self._empty()

    def _empty(self) -> None:
        """Begin without slots."""
        self._sequences: list[_Sequence | None] = []
        self._capacity = 0
        self._keys: list[Array] = []  # for each block (slots, G, A, D)
        self._values: list[Array] = []
        self._content = np.zeros((0, 0, 0, 0), np.float32)  # (blocks, slots, G, D/2): see _shift
        self._workspace: Workspace | None = None

    def twin(self) -> "Decoder":
        """Another decoder with the same weights in memory and slots of its own.

        It may be used in another thread.
        """
        other = copy.copy(self)
        other._first_capacity = 1
        other._empty()
        if self._table:
            other._table = copy.copy(self._table)
            other._table.grow(0)
        return other

    # Slots

    def join(self) -> int:
        """Take a free slot for a new text."""
        for slot, sequence in enumerate(self._sequences):
            if sequence is None:
                self._sequences[slot] = _Sequence()
                return slot
        if len(self._sequences) == self._capacity:
            self._grow(max(self._first_capacity, 2 * self._capacity))
        self._sequences.append(_Sequence())
        return len(self._sequences) - 1

    def leave(self, slot: int) -> None:
        """Give a slot back. With the last of them goes the memory of the cache."""
        self._sequence(slot)
        self._sequences[slot] = None
        if not any(self._sequences):
            self._sequences, self._capacity, self._keys, self._values = [], 0, [], []
            self._workspace = None
            if self._table:
                self._table.grow(0)

    def fork(self, slot: int) -> int:
        """Take a free slot for a text that has so far been the same as this one.

        Raises:
            ValueError: no such slot.
        """
        sequence = self._sequence(slot)
        other = self.join()
        self._sequences[other] = _Sequence(list(sequence.ids), sequence.position)
        for caches in (self._keys, self._values):
            for cache in caches:
                cache[other] = cache[slot]
        self._content[:, other] = self._content[:, slot]
        if self._table:
            self._table.copy(slot, other)
        return other

    def _sequence(self, slot: int) -> _Sequence:
        sequence = self._sequences[slot] if 0 <= slot < len(self._sequences) else None
        if sequence is None:
            raise ValueError(f"slot {slot}: no text has joined there")
        return sequence

    def _grow(self, capacity: int) -> None:
        """Make room for more slots. Memory that is never written is never taken (calloc)."""
        c = self.config
        for caches in (self._keys, self._values):
            grown = [
                np.zeros((capacity, c.n_kv_head, window, c.head_size), np.float32)
                for window in self._windows
            ]
            for new, old in zip(grown, caches, strict=False):  # no old ones the first time
                new[: self._capacity] = old[: self._capacity]  # more, where memory once failed
            caches[:] = grown
        content = np.zeros((c.n_layer, capacity, c.n_kv_head, c.head_size // 2), np.float32)
        if self._capacity:
            content[:, : self._capacity] = self._content
        self._content = content
        if self._table:
            self._table.grow(capacity)
        self._capacity = capacity

    # Reading and writing

    def read(self, slot: int, ids: Sequence[int]) -> Array:
        """Give many ids to one slot, in one pass (or several, where they are more than A).

        Where they are more than `context_length`, only the last so many are read, and what the
        slot held is forgotten.

        Args:
            slot: from `join`.
            ids: at least one.

        Returns:
            (V,) logits of what follows the last of them; valid until the next call.

        Raises:
            ValueError: no such slot, no id, or an id that is not in the vocabulary.
        """
        sequence = self._sequence(slot)
        self._check(ids)
        sequence.ids.extend(ids)
        if len(ids) == 1:
            logits: Array = self._step([slot], [sequence], ids)[0]
            return logits
        if len(ids) > self.config.context_length:
            ids, sequence.position = ids[-self.config.context_length :], 0
        for start in range(0, len(ids), self.config.attention_window):
            x = self._read(
                slot, sequence, np.array(ids[start : start + self.config.attention_window])
            )
        last: Array = self._head @ _norm(x[:, -1])
        return last

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
        order = sorted(range(len(slots)), key=slots.__getitem__)  # slots side by side
        rising = [slots[i] for i in order]
        sequences = [self._sequence(slot) for slot in rising]
        ids = [ids[i] for i in order]
        for sequence, i in zip(sequences, ids, strict=True):
            sequence.ids.append(i)
        logits = self._step(rising, sequences, ids)
        return logits if rising == list(slots) else logits[np.argsort(order)]

    def rewind(self, slot: int, count: int) -> None:
        """Forget the last `count` ids of a slot; what is left is read again, as a prompt is.

        Raises:
            ValueError: no such slot, or it holds fewer ids.
        """
        sequence = self._sequence(slot)
        if not 0 <= count <= len(sequence.ids):
            raise ValueError(f"count = {count}: the slot holds {len(sequence.ids)} ids")
        if count:
            kept = sequence.ids[: len(sequence.ids) - count]
            sequence.ids, sequence.position = [], 0
            if kept:
                self.read(slot, kept[-self.config.context_length :])
                sequence.ids = kept

    def log_likelihoods(self, before: Sequence[int], texts: Sequence[Sequence[int]]) -> list[float]:
        """How likely a text goes on so, for several ways on: ln P(text | before), in nats.

        Args:
            before: at least one id; read once for all.
            texts: of each at least one id.

        Raises:
            ValueError: one of them is empty, or an id is not in the vocabulary.
        """
        for ids in (before, *texts):
            self._check(ids)
        slot, found = self.join(), []
        try:
            last = self._read_all(slot, before)[:, -1:]
            for ids in texts:
                other = self.fork(slot)
                try:
                    x = np.concatenate((last, self._read_all(other, ids[:-1])), axis=1)
                finally:
                    self.leave(other)
                logits = self.logits(x)  # (V, T)
                logits = logits - logits.max(axis=0)
                chosen = logits[ids, np.arange(len(ids))]
                found.append(float((chosen - np.log(np.exp(logits).sum(axis=0))).sum()))
        finally:
            self.leave(slot)
        return found

    def _check(self, ids: Sequence[int]) -> None:
        if not ids:
            raise ValueError("ids: there must be at least one")
        if not 0 <= min(ids) <= max(ids) < self.config.vocab_size:
            raise ValueError(f"ids: must be from 0 to {self.config.vocab_size - 1}")

    # Looking inside (what `explain.py` asks)

    def streams(self, ids: Sequence[int]) -> Array:
        """The stream at each place of a text: before the first block, and after each.

        Args:
            ids: (T,) at least one; no more is forgotten of a long text than when it is written.

        Returns:
            (n_layer + 1, C, T)

        Raises:
            ValueError: no id, or an id that is not in the vocabulary.
        """
        self._check(ids)
        slot = self.join()
        kept: list[list[Array]] = [[] for _ in range(self.config.n_layer + 1)]
        try:
            self._read_all(slot, ids, kept)
        finally:
            self.leave(slot)
        return np.stack([np.concatenate(parts, axis=1) for parts in kept])

    def logits(self, x: Array) -> Array:
        """The head, applied to the stream after any block: (C, N) -> (V, N)."""
        logits: Array = self._head @ _norm(x)
        return logits

    def attention(self, block: int, x: Array, place: int) -> Array:
        """How much each head of a block takes from each place that it sees from one of them.

        Args:
            block: counted from 0.
            x: (C, T) the stream before that block, from `streams`.
            place: the place that looks back, 0 to T - 1.

        Returns:
            (H, n) for the n last places up to this one that the block's window holds; the sum over
            them is 1.
        """
        c, A = self.config, self._windows[block]
        H, G, D = c.n_head, c.n_kv_head, c.head_size
        first = max(0, place - A + 1)
        before = min(first, 1)  # content comes from one place further back
        T = place + 1 - first + before
        heads = (_norm(x[:, first - before : place + 1]).T @ self._blocks[block][0].T).reshape(
            T, H + 2 * G, D
        )
        _normalize_and_rotate(heads[:, : H + G], self._rotations[block][:T])
        q, k = heads[-1, :H], heads[:, H : H + G]  # (H, D), (T, G, D)
        if block in c.far_blocks:
            content = k[:-1, :, D // 2 :].copy()
            k[1:, :, D // 2 :] = content
            k[0, :, D // 2 :] = _ZERO
        scores = np.exp(k[before:].swapaxes(0, 1) @ q.reshape(G, H // G, D).swapaxes(1, 2))
        weights: Array = (scores / scores.sum(axis=1, keepdims=True)).swapaxes(1, 2)
        return weights.reshape(H, -1)

    def known_ngrams(self, ids: Sequence[int]) -> NDArray[np.bool_]:
        """Which of the n-grams that end at each place of a text (T,) the table has: (T, K)."""
        if self._table is None:
            return np.zeros((len(ids), 0), np.bool_)
        known = self._table.known
        return find_rows(ngram_keys(np.array(ids), self.config), known) < len(known)

    # How it is done

    def _advance(self, slot: int, sequence: _Sequence, count: int) -> int:
        """Take the next `count` positions, at most P; the first of them.

        No position reaches 3 P: when one would, P is taken off all of the slot's. Its keys are
        turned back to match; no place in a ring changes, as P is so many whole rounds.
        """
        P = self.config.longest_window
        if sequence.position == 0:
            self._content[:, slot] = _ZERO
        if sequence.position + count > 3 * P:  # then P and more are left
            sequence.position -= P
            for keys, rotations in zip(self._keys, self._rotations, strict=True):
                pairs = keys[slot].view(np.complex64)  # (G, A, D/2)
                pairs *= rotations[P, -1].conj()
            if self._table:
                self._table.move(slot)
        first, sequence.position = sequence.position, sequence.position + count
        return first

    def _read_all(
        self, slot: int, ids: Sequence[int], kept: Sequence[list[Array]] | None = None
    ) -> Array:
        """Read ids (T,), as many as there are, in passes of `attention_window` -> (C, T)."""
        A, sequence = self.config.attention_window, self._sequence(slot)
        parts = [
            self._read(slot, sequence, np.array(ids[start : start + A]), kept)
            for start in range(0, len(ids), A)
        ]
        return np.concatenate(parts or [np.zeros((self.config.n_embd, 0), np.float32)], axis=1)

    def _read(
        self,
        slot: int,
        sequence: _Sequence,
        ids: NDArray[np.int64],
        kept: Sequence[list[Array]] | None = None,
    ) -> Array:
        """Read at most `attention_window` ids (T,) in one pass -> the stream (C, T).

        Where `kept` is given, the stream before the first block and after each is added to it.
        """
        c, T = self.config, len(ids)
        H, G, D = c.n_head, c.n_kv_head, c.head_size
        first = self._advance(slot, sequence, T)
        positions = np.arange(first, first + T)
        x = self._embedding[ids].T
        if self._table:
            self._table.write_many(slot, first, ids)
            x = _norm(x + self._table.look_up(np.full(T, slot), positions))
        seen = {A: _seen(first, positions, A) for A in set(self._windows)}
        for i, (keys, values, A, (qkv, projection, up, down)) in enumerate(
            zip(self._keys, self._values, self._windows, self._blocks, strict=True)
        ):
            if kept is not None:
                kept[i].append(x)
            heads = (_norm(x).T @ qkv.T).reshape(T, H + 2 * G, D)
            _normalize_and_rotate(heads[:, : H + G], self._rotations[i][positions])
            if i in c.far_blocks:  # the content half of a key stands one place later
                content = heads[:, H : H + G, D // 2 :]
                before = np.concatenate((self._content[i, slot][None], content[:-1]))
                self._content[i, slot] = content[-1]
                content[:] = before
            q = heads[:, :H].reshape(T, G, H // G, D).transpose(1, 2, 0, 3)  # (G, H / G, T, D)
            k, v = heads[:, H : H + G].swapaxes(0, 1), heads[:, H + G :].swapaxes(0, 1)  # (G, T, D)
            held = min(first, A)
            all_k = np.concatenate((keys[slot, :, :held], k), axis=1)[:, None]
            all_v = np.concatenate((values[slot, :, :held], v), axis=1)[:, None]
            keys[slot, :, positions % A] = heads[:, H : H + G]
            values[slot, :, positions % A] = heads[:, H + G :]
            scores = np.exp(q @ all_k.swapaxes(-1, -2)) * seen[A]  # (G, H / G, T, held + T)
            y = scores @ all_v / scores.sum(axis=-1, keepdims=True)
            x = x + projection @ y.transpose(0, 1, 3, 2).reshape(H * D, T)
            x += down @ np.square(np.maximum(up @ _norm(x), _ZERO))
        if kept is not None:
            kept[-1].append(x)
        return x

    def _step(
        self, slots: Sequence[int], sequences: Sequence[_Sequence], ids: Sequence[int]
    ) -> Array:
        """One more place for each slot, in rising order -> logits (S, V)."""
        S, c = len(slots), self.config
        work = self._workspace
        if work is None or work.slots != S:
            work = self._workspace = Workspace(c, S)
        x, normed, hidden, k, v = work.x, work.normed, work.hidden, work.k, work.v
        positions = [
            self._advance(slot, sequence, 1)
            for slot, sequence in zip(slots, sequences, strict=True)
        ]
        rows: Any = np.array(slots)
        places: Any = np.array(positions)
        if S == 1:  # without arrays of places it is quicker
            rows, places = slice(slots[0], slots[0] + 1), positions[0]
        np.copyto(x, self._embedding[ids[0] if S == 1 else ids].T)
        if self._table:
            where, when = np.array(slots), np.array(positions)
            self._table.write(where, when, np.array(ids))
            x += self._table.look_up(where, when).reshape(x.shape)
            work.norm(x, out=x)
        kinds = {  # (window, far) -> rotations ([S,] H + G, D/2), places in the ring, groups
            (A, i in c.far_blocks): (
                self._rotations[i][places],
                (rows, slice(None), places % A),
                self._groups(slots, positions, A, work),
            )
            for i, A in enumerate(self._windows)
        }
        for i, (keys, values, A, (qkv, projection, up, down)) in enumerate(
            zip(self._keys, self._values, self._windows, self._blocks, strict=True)
        ):
            rotations, here, groups = kinds[A, i in c.far_blocks]
            np.dot(qkv, work.norm(x, out=normed), out=work.qkv)
            if S > 1:
                np.copyto(work.rows, work.qkv.T)
            work.normalize_and_rotate(rotations)
            if i in c.far_blocks:
                before = self._content[i, rows].copy()
                self._content[i, rows] = work.content
                np.copyto(work.content, before)
            keys[here] = k
            values[here] = v
            for group in groups:
                group.attend(keys, values)
            np.add(x, np.dot(projection, work.flat_y, out=normed), out=x)
            np.dot(up, work.norm(x, out=normed), out=hidden)
            np.square(np.maximum(hidden, _ZERO, out=hidden), out=hidden)
            np.add(x, np.dot(down, hidden, out=normed), out=x)
        np.copyto(work.logits, np.dot(self._head, work.norm(x, out=normed)).T)
        return work.logits

    def _groups(
        self, slots: Sequence[int], positions: Sequence[int], window: int, work: Workspace
    ) -> list[Group]:
        """Cut slots into groups that lie side by side in the cache and hold about as much."""
        A, width = window, self.config.kv_width
        lengths = [min(position + 1, A) for position in positions]
        groups: list[Group] = []
        first, longest, total = 0, 0, 0
        for i, length in enumerate(lengths):
            longer = max(longest, length)
            wasted = longer * (i + 1 - first) - total - length
            side_by_side = slots[i] - slots[first] == i - first
            if not side_by_side or wasted * width > WASTE:
                groups.append(work.group(slots[first], lengths[first:i], first))
                first, longer, total = i, length, 0
            longest, total = longer, total + length
        groups.append(work.group(slots[first], lengths[first:], first))
        return groups


def _norm(x: Array) -> Array:
    """Bring each column of x (C, [N]) to a root mean square of 1."""
    normed: Array = x / np.sqrt(np.square(x).mean(axis=0) + np.float32(EPSILON))
    return normed


def _normalize_and_rotate(qk: Array, rotations: NDArray[np.complex64]) -> None:
    """Bring q and k (T, H + G, D) to length 1 and rotate them; rotations (T, H + G, D/2)."""
    squares = np.vecdot(qk, qk)[..., None] + np.float32(qk.shape[-1] * EPSILON)
    qk /= np.sqrt(squares)
    pairs = qk.view(np.complex64)
    pairs *= rotations


def _f32(array: NDArray[Any]) -> Array:
    return np.ascontiguousarray(array, dtype=np.float32)


def _seen(first: int, positions: NDArray[np.int64], window: int) -> Array:
    """(T, held + T): 1 where a position sees what its ring holds from before, or a new one."""
    held = np.arange(min(first, window))
    held = first - 1 - (first - 1 - held) % window  # the position of each place of the ring
    distance = positions[:, None] - np.concatenate((held, positions))
    return ((distance >= 0) & (distance < window)).astype(np.float32)


def _pair_rotary_rows(qkv: Array, config: GPTConfig, far: bool) -> Array:
    """Put the rows of each head of q and k that are a rotary pair side by side.

    These are i and i + D/2; in far blocks i and i + D/4 of the first half, the second stays.
    """
    D, C = config.head_size, config.n_embd
    split = len(qkv) - config.kv_width
    rotary = D // 2 if far else D
    heads = qkv[:split].reshape(-1, D, C)
    paired = heads[:, :rotary].reshape(-1, 2, rotary // 2, C).swapaxes(1, 2)
    heads = np.concatenate((paired.reshape(-1, rotary, C), heads[:, rotary:]), axis=1)
    return np.ascontiguousarray(np.concatenate((heads.reshape(-1, C), qkv[split:])))


def _rotations(config: GPTConfig, far: bool) -> NDArray[np.complex64]:
    """What q and k are multiplied by at each position: (3 P, H + G, D/2).

    The rotation, and sqrt(D) for q: with q and k of length 1, that makes their product
    norm(q) norm(k) / sqrt(D), as norm() gives them the length sqrt(D). In far blocks half of the
    pairs stand still, and q is longer by `far_gain`.
    """
    H, G, D = config.n_head, config.n_kv_head, config.head_size
    frequency = 10000.0 ** -(np.arange(0, D, 2) / D)
    if far:
        frequency = np.concatenate((frequency[::2], np.zeros(D // 4)))
    rotations = np.exp(1j * np.arange(3 * config.longest_window)[:, None] * frequency)
    length = math.sqrt(D) * (config.far_gain if far else 1.0)
    heads = (length * rotations[:, None]).repeat(H, axis=1), rotations[:, None].repeat(G, axis=1)
    return np.concatenate(heads, axis=1).astype(np.complex64)
