"""What is kept of the texts that are being written: slots, and their rings of keys and values.

The letters in the shapes are those of `decoder.py`.

The cache of a slot is a ring in each block: a place attends to the last A characters, so the
character A places on takes the place of the oldest. Writing on reads nothing twice, however long
the text. Softmax and mean do not ask in which order the keys lie: a full ring is attended as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model.block import Block
from model.config import GPTConfig
from model.table import NGramTable

Array = NDArray[np.float32]


@dataclass
class Text:
    """The text that a slot holds."""

    ids: list[int] = field(default_factory=list)
    position: int = 0  # of the next id, at most 3 P


class Cache:
    """Slots for texts, each with its rings.

    Attributes:
        texts: by slot; None where a slot is free.
        capacity: for how many slots there is memory.
        keys: for each block (slots, G, A, D).
        values: as the keys.
        content: (blocks, slots, G, D/2) the content half of the last key of far blocks, which the
            next one takes.
        table: the n-gram table, with sums and word starts of the same slots.
    """

    def __init__(
        self, config: GPTConfig, blocks: Sequence[Block], table: NGramTable | None, slots: int = 1
    ) -> None:
        """Begin without texts.

        Args:
            config: the sizes.
            blocks: those of the network.
            table: used by no other cache.
            slots: room for so many texts is made at once; more is made when they join.
        """
        self.table = table
        self._config, self._blocks = config, blocks
        self._first_capacity = max(slots, 1)
        self._empty()

    def _empty(self) -> None:
        c = self._config
        self.texts: list[Text | None] = []
        self.capacity = 0
        self.keys: list[Array] = []
        self.values: list[Array] = []
        self.content = np.zeros((c.n_layer, 0, c.n_kv_head, c.head_size // 2), np.float32)
        if self.table:
            self.table.grow(0)

    def join(self) -> int:
        """Take a free slot for a new text."""
        for slot, text in enumerate(self.texts):
            if text is None:
                self.texts[slot] = Text()
                return slot
        if len(self.texts) == self.capacity:
            self._grow(max(self._first_capacity, 2 * self.capacity))
        self.texts.append(Text())
        return len(self.texts) - 1

    def leave(self, slot: int) -> None:
        """Give a slot back. With the last of them goes the memory.

        Raises:
            ValueError: no such slot.
        """
        self.text(slot)
        self.texts[slot] = None
        if not any(self.texts):
            self._empty()

    def fork(self, slot: int) -> int:
        """Take a free slot for a text that has so far been the same as this one.

        Raises:
            ValueError: no such slot.
        """
        text = self.text(slot)
        other = self.join()
        self.texts[other] = Text(list(text.ids), text.position)
        for cache in (*self.keys, *self.values):
            cache[other] = cache[slot]
        self.content[:, other] = self.content[:, slot]
        if self.table:
            self.table.copy(slot, other)
        return other

    def text(self, slot: int) -> Text:
        """What a slot holds.

        Raises:
            ValueError: no such slot.
        """
        text = self.texts[slot] if 0 <= slot < len(self.texts) else None
        if text is None:
            raise ValueError(f"slot {slot}: no text has joined there")
        return text

    def advance(self, slot: int, count: int) -> int:
        """Take the next `count` positions of a slot, at most P; the first of them.

        No position reaches 3 P: when one would, P is taken off all of the slot's. Its keys are
        turned back to match; no place in a ring changes, as P is so many whole rounds.
        """
        P, text = self._config.longest_window, self.text(slot)
        if text.position == 0:
            self.content[:, slot] = 0
        if text.position + count > 3 * P:  # then P and more are left
            text.position -= P
            for keys, block in zip(self.keys, self._blocks, strict=True):
                pairs = keys[slot].view(np.complex64)  # (G, A, D/2)
                pairs *= block.rotations[P, -1].conj()
            if self.table:
                self.table.move(slot)
        first, text.position = text.position, text.position + count
        return first

    def write(self, block: int, slot: int, first: int, k: Array, v: Array) -> list[Array]:
        """Keep keys and values of a slot (T, G, D) from position `first` on, at most A of them.

        Returns:
            Keys and values (G, held + T, D): what the ring held before, and the new ones.
        """
        A = self._blocks[block].window
        places = np.arange(first, first + len(k)) % A
        both = []
        for cache, new in ((self.keys, k), (self.values, v)):
            ring, new = cache[block][slot], new.swapaxes(0, 1)  # (G, A, D), (G, T, D)
            both.append(np.concatenate((ring[:, : min(first, A)], new), axis=1))
            ring[:, places] = new
        return both

    def _grow(self, capacity: int) -> None:
        """Make room for more slots. Memory that is never written is never taken (calloc)."""
        c, kept = self._config, self.capacity
        for caches in (self.keys, self.values):
            grown = [
                np.zeros((capacity, c.n_kv_head, block.window, c.head_size), np.float32)
                for block in self._blocks
            ]
            for new, old in zip(grown, caches, strict=False):  # no old ones the first time
                new[:kept] = old[:kept]  # there are more, where memory once failed
            caches[:] = grown
        content = np.zeros((c.n_layer, capacity, c.n_kv_head, c.head_size // 2), np.float32)
        content[:, :kept] = self.content[:, :kept]
        self.content = content
        if self.table:
            self.table.grow(capacity)
        self.capacity = capacity


def seen(first: int, count: int, window: int) -> Array:
    """What `count` places from position `first` on see of what `Cache.write` returns.

    Returns:
        (T, held + T): 1 where a place sees what the ring held before, or a new one; 0 elsewhere.
    """
    held, places = np.arange(min(first, window)), np.arange(first, first + count)
    held = first - 1 - (first - 1 - held) % window  # the position of each place of the ring
    distance = places[:, None] - np.concatenate((held, places))
    return ((distance >= 0) & (distance < window)).astype(np.float32)
