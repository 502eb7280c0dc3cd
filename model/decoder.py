"""The network, for writing: the GPT of `gpt.py` in numpy, with what it has read kept in a cache.

Many texts are written at once. Each has a slot; a step gives one character to each of them, and
texts join and leave between steps. The letters in the shapes, beside those of `gpt.py`:

    S  slots    how many texts take part
    N  columns  places computed at once: S in a step, T where a prompt is read
    C  n_embd   width of the stream    H heads    G heads of keys and values    D = C / H
    A  a block's window: attention_window, or far_window in far blocks
    P  the longest of them             V vocabulary    T time

Each file does one thing: `block.py` lays out the weights, `forward.py` computes with them,
`cache.py` keeps what was read, `table.py` looks up n-grams, `workspace.py` holds the arrays of a
step. This one has the slots, and shares a crowd among threads.
"""

import contextlib
import copy
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import pairwise
from threading import Barrier
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.cache import Cache
from model.config import GPTConfig
from model.forward import Forward
from model.ngrams import find_rows, ngram_keys
from model.strangers import NOBODY, Strangers
from model.table import NGramTable
from model.workspace import Workspace

Array = NDArray[np.float32]
WORTH = 75_000_000  # multiplications of a step that are worth a thread of their own


class Decoder:
    """Writes with the weights of a `GPT`: give ids, get the logits of what follows.

    What a slot answers depends, but for rounding, on its own ids only. The answers are those of the
    `GPT` that reads the whole text at once, but for one thing: of a prompt, and of what `rewind`
    leaves, no more is read than the last `context_length` ids.

    Attributes:
        texts_per_thread: so many texts of a step are worth a thread of their own.
    """

    def __init__(
        self,
        config: GPTConfig,
        weights: Mapping[str, NDArray[Any]],
        slots: int = 1,
        strangers: Strangers = NOBODY,
        digest: str = "",
        threads: int = 1,
    ) -> None:
        """Lay out the weights for writing.

        Args:
            config: the sizes.
            weights: the tensors of `GPT.state_dict()` by name. The rows of the n-gram table stay
                as they are (floats, or quantised with "ngrams.rows.scale"), the rest is float32.
            slots: room for so many texts is made at once; more is made when they join.
            strangers: who is not to walk into what is written; it is the caller's to heed.
            digest: of the weights, for who asks whether they are still the same.
            threads: so many share the texts of a step, where they are many.
        """
        self.config, self.strangers, self.digest = config, strangers, digest
        self.remembers = bool(config.far_blocks)
        self._forward = Forward(config, weights)
        self.blocks = self._forward.blocks
        table = NGramTable(config, weights) if config.n_ngrams else None
        self._cache = Cache(config, self.blocks, table, slots)
        self._workspaces: dict[int, Workspace] = {}  # by thread
        self._threads = threads
        self.texts_per_thread = -(-WORTH // self._forward.multiplications)
        self._pool: ThreadPoolExecutor | None = None  # made by the first crowd

    def twin(self) -> "Decoder":
        """Another decoder with the same weights in memory and slots of its own.

        It may be used in another thread, and is content with that one.
        """
        other = copy.copy(self)
        other._cache = Cache(self.config, self.blocks, copy.copy(self._cache.table))
        other._workspaces, other._threads, other._pool = {}, 1, None
        return other

    # Slots

    def join(self) -> int:
        """Take a free slot for a new text."""
        return self._cache.join()

    def leave(self, slot: int) -> None:
        """Give a slot back. With the last of them goes the memory of the cache.

        Raises:
            ValueError: no such slot.
        """
        self._cache.leave(slot)
        if not self._cache.texts:
            self._workspaces = {}

    def fork(self, slot: int) -> int:
        """Take a free slot for a text that has so far been the same as this one.

        Raises:
            ValueError: no such slot.
        """
        return self._cache.fork(slot)

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
        text = self._cache.text(slot)
        self._check(ids)
        text.ids.extend(ids)
        if len(ids) == 1:
            logits: Array = self._step([slot], ids)[0]
            return logits
        if len(ids) > self.config.context_length:
            ids, text.position = ids[-self.config.context_length :], 0
        return self.logits(self._forward.read(self._cache, slot, ids)[:, -1])

    def read_all(self, slot: int, ids: Sequence[int]) -> Array:
        """Give ids to one slot, however many they are, and learn what follows each of them.

        Args:
            slot: from `join`.
            ids: (T,) at least one.

        Returns:
            (V, T) logits.

        Raises:
            ValueError: no such slot, no id, or an id that is not in the vocabulary.
        """
        text = self._cache.text(slot)
        self._check(ids)
        text.ids.extend(ids)
        return self.logits(self._forward.read(self._cache, slot, ids))

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
        texts = [self._cache.text(slot) for slot in rising]
        ids = [ids[i] for i in order]
        for text, i in zip(texts, ids, strict=True):
            text.ids.append(i)
        logits = self._share(rising, ids)
        return logits if rising == list(slots) else logits[np.argsort(order)]

    def rewind(self, slot: int, count: int) -> None:
        """Forget the last `count` ids of a slot; what is left is read again, as a prompt is.

        Raises:
            ValueError: no such slot, or it holds fewer ids.
        """
        text = self._cache.text(slot)
        if not 0 <= count <= len(text.ids):
            raise ValueError(f"count = {count}: the slot holds {len(text.ids)} ids")
        if count:
            kept = text.ids[: len(text.ids) - count]
            text.ids, text.position = [], 0
            if kept:
                self.read(slot, kept[-self.config.context_length :])
                text.ids = kept

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
            last = self._forward.read(self._cache, slot, before)[:, -1:]
            for ids in texts:
                other = self.fork(slot)
                try:
                    x = np.concatenate(
                        (last, self._forward.read(self._cache, other, ids[:-1])), axis=1
                    )
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

    def _share(self, slots: Sequence[int], ids: Sequence[int]) -> Array:
        """`_step`, by several threads where there are texts enough: no two touch the same slot."""
        parts = min(self._threads, len(slots) // self.texts_per_thread)
        if parts > 1 and self._pool is None:
            self._pool = _start_pool(self._threads - 1)
        if parts < 2 or self._pool is None:
            return self._step(slots, ids)
        cuts = [len(slots) * i // parts for i in range(parts + 1)]
        shares = [slice(*ends) for ends in pairwise(cuts)]

        def step(share: int) -> Array:
            return self._step(slots[shares[share]], ids[shares[share]], share)

        begun: list[Future[Array]] = []
        with contextlib.suppress(RuntimeError):  # Python is ending, and begins nothing new
            for share in range(1, parts):
                begun.append(self._pool.submit(step, share))
        try:
            logits = [step(share) for share in (0, *range(len(begun) + 1, parts))]
        finally:
            wait(begun)  # whatever went wrong, nobody writes any more
        logits[1:1] = [each.result() for each in begun]
        return np.concatenate(logits)

    def _step(self, slots: Sequence[int], ids: Sequence[int], thread: int = 0) -> Array:
        """One more place for each slot, in rising order -> logits (S, V)."""
        work = self._workspaces.get(thread)
        if work is None or work.slots != len(slots):
            work = self._workspaces[thread] = Workspace(self.config, len(slots))
        return self._forward.step(self._cache, work, slots, ids)

    # Looking inside (what `explain.py` asks)

    def streams(self, ids: Sequence[int]) -> Array:
        """The stream at each place of a text: as each block reads it, and after the last.

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
            self._forward.read(self._cache, slot, ids, kept)
        finally:
            self.leave(slot)
        return np.stack([np.concatenate(parts, axis=1) for parts in kept])

    def logits(self, x: Array) -> Array:
        """The head, applied to the stream after any block: (C, [N]) -> (V, [N])."""
        return self._forward.logits(x)

    def known_ngrams(self, ids: Sequence[int]) -> NDArray[np.bool_]:
        """Which of the n-grams that end at each place of a text (T,) the table has: (T, K)."""
        if self._cache.table is None:
            return np.zeros((len(ids), 0), np.bool_)
        known = self._cache.table.known
        return find_rows(ngram_keys(np.array(ids), self.config), known) < len(known)


def _start_pool(threads: int) -> ThreadPoolExecutor | None:
    """Threads that have all begun; None where the system has none left, or Python is ending.

    A pool that cannot start one says so, but keeps the work, and may still do it later.
    """
    pool, all_there = ThreadPoolExecutor(threads, "decoder"), Barrier(threads + 1)
    with contextlib.suppress(RuntimeError), contextlib.ExitStack() as stack:
        stack.callback(pool.shutdown, cancel_futures=True)
        stack.callback(all_there.abort)
        for _ in range(threads):
            pool.submit(all_there.wait)
        all_there.wait()
        stack.pop_all()
        return pool
    return None
