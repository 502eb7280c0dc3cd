"""Which words of a text stand, in this order, in the books that were read: asked of a fingerprint.

The fingerprint is two Bloom filters (Bloom, 1970) of shingles, runs of `SHINGLE` words: a bit array
that says of a shingle "never seen" or "probably seen". No word can be read out of it; one can only
ask. A word is its letters, small: punctuation, line ends and italics do not matter.

The voice, the few books whose tone is to be learned, is there shingle by shingle. Of the library,
some ninety times as much, it holds those that winnowing picks (Schleimer, Wilkerson and Aiken,
2003): the one with the smallest hash among any `WINDOW` neighbours. Both texts are winnowed alike,
so of a passage that both have the same shingles are picked, at least one in `WINDOW`.

A filter errs, on one side and rarely: so one shingle alone says nothing. What is found are runs of
at least `LEAST` words that are told by neighbours that all are known: two of the library's, or
three of the voice's.
"""

import functools
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.ngrams import BASE, MIX, signed
from model.tensors import (
    TensorFileError,
    open_tensors,
    read_header,
    read_tensors,
    write,
)

FORMAT = "pooh fingerprint 1"
SHINGLE = 6  # words
LEAST = 8  # words of a run that is told: some 40 characters, as in training.measures.COPY
WINDOW = 8  # neighbouring shingles of the library, of which one at least is held
PROBES = 5  # bits that are set for a shingle
MAX_FILE = 2**24  # bytes

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")

Hashes = NDArray[np.uint64]
Bits = NDArray[np.uint8]


@functools.lru_cache(maxsize=2**17)
def _word_hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def shingles(words: Iterable[str]) -> Hashes:
    """A hash of each run of `SHINGLE` words, (N - SHINGLE + 1,); empty for fewer words."""
    hashes = np.array([_word_hash(word) for word in words], np.uint64).view(np.int64)
    count = max(len(hashes) - SHINGLE + 1, 0)
    result = np.zeros(count, np.int64)
    for start in range(SHINGLE):  # wraps modulo 2**64, as it should
        result = result * np.int64(signed(BASE)) + hashes[start : start + count]
    result = (result ^ (result >> 29)) * np.int64(signed(MIX))
    return (result ^ (result >> 32)).view(np.uint64)


def winnow(hashes: Hashes, window: int = WINDOW) -> NDArray[np.int64]:
    """The places of those picked: the smallest of any so many neighbours, the last of equals.

    Args:
        hashes: (N,).
        window: 1 picks all.

    Returns:
        Ascending; none where there are fewer than `window`.
    """
    if len(hashes) < window:
        return np.empty(0, np.int64)
    neighbours = np.lib.stride_tricks.sliding_window_view(hashes, window)[:, ::-1]
    return np.unique(np.arange(len(neighbours)) + window - 1 - neighbours.argmin(axis=1))


@dataclass(frozen=True)
class Copies:
    """What of a text stands in the books.

    Attributes:
        spans: start and end of each run, in characters, ascending and apart.
        words: of the text.
        copied: how many of them stand in runs.
    """

    spans: tuple[tuple[int, int], ...]
    words: int
    copied: int

    @property
    def share(self) -> float:
        """Of the words, from 0 to 1."""
        return self.copied / max(self.words, 1)


class FingerprintError(ValueError):
    """A fingerprint that cannot be used; the message says in one line of which file, and why."""


class Fingerprint:
    """The fingerprint of books.

    Attributes:
        voice: (N,) bits of the voice's filter, eight in a byte.
        library: (M,) bits of the library's.
    """

    def __init__(self, voice: Bits, library: Bits) -> None:
        self.voice = voice
        self.library = library

    @classmethod
    def learn(cls, voice: Iterable[str], library: Iterable[str]) -> "Fingerprint":
        """The fingerprint of clean texts: a byte for each shingle that is held.

        With 8 bits for each and 5 set, a filter takes 2.2 of 100 shingles for known that it never
        saw, (1 - exp(-5/8))**5.
        """
        filters = []
        for texts, window in ((voice, 1), (library, WINDOW)):
            found = [shingles(words(text)) for text in texts]
            picked = [hashes[winnow(hashes, window)] for hashes in found]
            filters.append(_filter(np.unique(np.concatenate([np.empty(0, np.uint64), *picked]))))
        return cls(*filters)

    def copies(self, text: str, before: str = "") -> Copies:
        """What of a text stands in the books.

        Args:
            text: in question.
            before: what stands before it: a run may begin there, but only the text is told of.
        """
        spans = [match.span() for match in _WORD.finditer(before + text)]
        whole = before + text
        hashes = shingles(whole[start:end].lower() for start, end in spans)
        everywhere, picked = winnow(hashes, 1), winnow(hashes)
        known = np.zeros(len(spans), np.bool_)
        for places, bits, least in (
            (everywhere, self.voice, LEAST - SHINGLE + 1),
            (picked, self.library, 2),
        ):
            for first, last in runs(_holds(bits, hashes[places]), least):
                start, end = places[first], places[last] + SHINGLE
                known[start:end] |= end - start >= LEAST
        own = np.array([start >= len(before) for start, _ in spans], np.bool_)
        told = [
            (spans[first][0] - len(before), spans[last][1] - len(before))
            for first, last in runs(known & own, 1)
        ]
        return Copies(tuple(told), int(own.sum()), int((known & own).sum()))

    def knows(self, hashes: Hashes) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether each single shingle (N,) is probably in the voice's, in the library's filter."""
        return _holds(self.voice, hashes), _holds(self.library, hashes)

    def save(self, path: Path) -> None:
        """Write it, atomically. Raise OSError where the disk says no."""
        write(path, {"voice": self.voice, "library": self.library}, _ABOUT, most=MAX_FILE)

    @classmethod
    def load(cls, path: Path) -> "Fingerprint":
        """Read what `save` wrote.

        Raises:
            FingerprintError: there is no such file, or it is damaged or was made in another way.
        """
        try:
            with open_tensors(path, most=MAX_FILE) as file:
                header = read_header(file)
                if header.about != _ABOUT:
                    raise FingerprintError(f"{path}: no fingerprint that this program can ask")
                tensors = read_tensors(file, header)
        except OSError as error:
            why = error.strerror or error
            raise FingerprintError(f"{path}: cannot read the fingerprint: {why}") from None
        except TensorFileError as error:
            raise FingerprintError(f"{path}: damaged, or no fingerprint: {error}") from None
        shapes = {name: (str(array.dtype), array.ndim) for name, array in tensors.items()}
        if shapes != dict.fromkeys(("voice", "library"), ("uint8", 1)):
            raise FingerprintError(f"{path}: its arrays are none of a fingerprint")
        return cls(tensors["voice"], tensors["library"])


_ABOUT = {
    "format": FORMAT,
    "shingle": f"{SHINGLE} words",
    "window": f"{WINDOW} shingles",
    "probes": f"{PROBES}",
}


def words(text: str) -> Iterator[str]:
    """The words of a text, in small letters."""
    return (match.group().lower() for match in _WORD.finditer(text))


def _filter(hashes: Hashes) -> Bits:
    """The bits of a filter with a byte for each hash (N,); one byte, where there is none."""
    bits = np.zeros(max(len(hashes), 1), np.uint8)
    places = _places(hashes, len(bits)).ravel()
    np.bitwise_or.at(bits, places >> np.uint64(3), np.uint8(1) << (places & 7).astype(np.uint8))
    return bits


def _holds(bits: Bits, hashes: Hashes) -> NDArray[np.bool_]:
    """Whether each hash (N,) was probably seen."""
    if not len(bits):
        return np.zeros(len(hashes), np.bool_)
    places = _places(hashes, len(bits))
    are_set = bits[places >> np.uint64(3)] >> (places & 7).astype(np.uint8) & 1
    result: NDArray[np.bool_] = are_set.all(axis=0)
    return result


def _places(hashes: Hashes, size: int) -> Hashes:
    """(PROBES, N) the bits of each hash: two halves of it, a + i b (Kirsch, Mitzenmacher, 2006)."""
    first, step = hashes >> np.uint64(32), (hashes & np.uint64(2**32 - 1)) | np.uint64(1)
    return (first + np.arange(PROBES, dtype=np.uint64)[:, None] * step) % np.uint64(8 * size)


def runs(hits: NDArray[np.bool_], least: int) -> list[tuple[int, int]]:
    """First and last place of each run of at least so many hits."""
    edges = np.diff(hits.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(s), int(e) - 1) for s, e in zip(starts, ends, strict=True) if e - s >= least]
