"""N-grams: the last few characters, or words, before a place in a text, as 32-bit keys.

A network with an n-gram table has a row of numbers for each n-gram that is frequent in what it
read. It is found by its key among the sorted keys of those known; what is not there gets the row of
the unknown. This file makes the keys, in numpy.

The key is a polynomial rolling hash (Karp and Rabin, 1987) modulo 2**64, so that the keys of all
n-grams that end anywhere in a text come from one cumulative sum: with P odd, G[t] = sum over i < t
of (id[i] + 1) P**i, the characters s .. t - 1 have the hash (G[t] - G[s]) P**-s. A second
multiplication mixes it with the kind of n-gram, and the upper half is the key.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.config import GPTConfig

BASE = 0x5851F42D4C957F2D  # P: odd, so that it has an inverse modulo 2**64
INVERSE = pow(BASE, -1, 2**64)
MIX = 0x9E3779B97F4A7C15  # 2**64 divided by the golden ratio (Knuth's multiplicative hashing)

Keys = NDArray[np.int32]


def signed(number: int) -> int:
    """A number modulo 2**64 as the signed 64-bit integer of the same bits."""
    number %= 2**64
    return number - 2**64 if number >= 2**63 else number


def powers(base: int, count: int) -> NDArray[np.int64]:
    """base**0 .. base**(count - 1) modulo 2**64. Shape (count,)."""
    factors = np.full(count, signed(base), np.int64)
    factors[:1] = 1
    return np.cumprod(factors, dtype=np.int64)  # wraps, as it should


def ngram_starts(ids: NDArray[Any], config: GPTConfig) -> NDArray[np.int64]:
    """Where each n-gram that ends at each character starts.

    Args:
        ids: (..., T) a text.
        config: which n-grams there are (K of them).

    Returns:
        (..., T, K) the index of the n-gram's first character: at least 0, at most its last.
    """
    length = ids.shape[-1]
    ends = np.broadcast_to(np.arange(1, length + 1), ids.shape)
    starts = [np.maximum(ends - order, 0) for order in config.ngram_orders]
    if config.ngram_words:
        # The last word starts after the last break before the character; the last n words after the
        # last break before the break where the last n - 1 words start.
        after_break = np.where(np.isin(ids, config.word_breaks), ends, 0)
        word = np.zeros(ids.shape, np.int64)
        np.maximum.accumulate(after_break[..., :-1], axis=-1, out=word[..., 1:])
        start = word
        for n in range(1, max(config.ngram_words) + 1):
            if n > 1:
                before = np.take_along_axis(word, np.maximum(start - 1, 0), axis=-1)
                start = np.where(start > 0, before, 0)
            if n in config.ngram_words:
                starts.append(start)
    # No n-gram is longer than what a place attends to.
    result: NDArray[np.int64] = np.stack(starts, axis=-1)
    np.maximum(result, ends[..., None] - config.attention_window, out=result)
    return result


def ngram_keys(ids: NDArray[Any], config: GPTConfig) -> Keys:
    """The key of each n-gram that ends at each character.

    Args:
        ids: (..., T) a text.
        config: which n-grams there are (K of them).

    Returns:
        (..., T, K) keys.
    """
    length = ids.shape[-1]
    sums = np.zeros((*ids.shape[:-1], length + 1), np.int64)
    np.cumsum((ids.astype(np.int64) + 1) * powers(BASE, length), axis=-1, out=sums[..., 1:])
    starts = ngram_starts(ids, config)
    before = np.take_along_axis(sums[..., None], starts, axis=-2)
    hashes = (sums[..., 1:, None] - before) * powers(INVERSE, length + 1)[starts]
    return mix(hashes)


def mix(hashes: NDArray[np.int64]) -> Keys:
    """The keys of n-grams from their hashes, (..., K) both: the last axis is the kind of n-gram."""
    kinds = np.arange(1, hashes.shape[-1] + 1, dtype=np.int64) * signed(MIX * MIX)
    mixed = (hashes ^ (hashes >> 29)) * signed(MIX) + kinds
    mixed = (mixed ^ (mixed >> 32)) * signed(MIX)
    keys: Keys = (mixed >> 32).astype(np.int32)
    return keys


def find_rows(keys: Keys, known: Keys) -> NDArray[np.int64]:
    """The row of each n-gram: its place among the known keys; len(known), where it is unknown.

    Args:
        keys: any shape.
        known: (R,) sorted, without repeats.

    Returns:
        The shape of `keys`: 0 .. R.
    """
    rows = np.searchsorted(known, keys)
    found = known[np.minimum(rows, len(known) - 1)] == keys
    return np.where(found, rows, len(known))
