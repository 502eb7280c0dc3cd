"""A Markov chain over characters: what the race sets beside the networks.

It knows how often each character followed the last few, and nothing else. Orders are mixed as
Witten and Bell (1991) do: a context seen n times, before d different characters, trusts its own
counts with n / (n + d) and leaves the rest to the context that is one shorter. Where a chain is
pruned, what was left out counts as one of those d each: its share goes to the shorter context.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.network import Logits
from model.strangers import NOBODY
from model.tensors import (
    TensorFileError,
    Tensors,
    open_tensors,
    read_header,
    read_tensors,
    write,
)
from model.vocab import Vocab, VocabError

FORMAT = "pooh chain 1"
MAX_FILE = 2**22  # bytes
MAX_ORDER = 8  # characters of a context: a longer one has a number that fits no int64
SAFE = 2  # characters: shorter contexts are too common to be of one place, and are never pruned


class ChainError(ValueError):
    """A chain that cannot be used; the message names the file and what is wrong, in one line."""


@dataclass(frozen=True)
class Context:
    """What followed a few characters.

    Attributes:
        ids: (d,) the characters that did.
        counts: (d,) how often.
        rest: of the shorter context: how many times its opinion counts.
    """

    ids: NDArray[np.int64]
    counts: NDArray[np.float64]
    rest: int


class Chain:
    """The chain; to write with, it is a `Network`.

    Attributes:
        vocab: the characters that it knows (V of them).
        order: the longest context, in characters.
        strangers: nobody: it has read one book.
        digest: of its numbers.
    """

    def __init__(
        self, vocab: Vocab, contexts: Sequence[Mapping[int, Context]], digest: str = ""
    ) -> None:
        """Take the contexts of each order, from 0, by their number (see `numbers`)."""
        self.vocab = vocab
        self.order = len(contexts) - 1
        self.strangers = NOBODY
        self.digest = digest
        self.remembers = False
        self._contexts = contexts
        self._slots: dict[int, list[int]] = {}  # slot -> all ids that were read

    @classmethod
    def learn(cls, text: str, order: int, least: int = 1) -> "Chain":
        """Count what follows each context of up to `order` characters of a text.

        Args:
            text: clean.
            order: from 0 to `MAX_ORDER`.
            least: what followed a context of more than `SAFE` characters less often than this is
                left out.
        """
        vocab = Vocab.from_text(text)
        ids = np.array(vocab.encode(text), np.int64)
        contexts = []
        for length in range(order + 1):
            followers: dict[int, Counter[int]] = {}
            if len(ids) > length:
                before = numbers(ids[:-1], length, len(vocab))[: len(ids) - length]
                for number, following in zip(before.tolist(), ids[length:].tolist(), strict=True):
                    followers.setdefault(number, Counter())[following] += 1
            keep = least if length > SAFE else 1
            kept = {number: _pruned(counts, keep) for number, counts in followers.items()}
            contexts.append({number: c for number, c in sorted(kept.items()) if len(c.ids)})
        return cls(vocab, contexts)

    def probabilities(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """(V,) of each character, after these."""
        result = np.full(len(self.vocab), 1 / len(self.vocab))
        number, scale = 0, 1
        for length, contexts in enumerate(self._contexts):
            if length > len(ids):
                break
            if length:
                number += ids[-length] * scale
                scale *= len(self.vocab)
            context = contexts.get(number)
            if context is None:
                break
            result *= context.rest
            result[context.ids] += context.counts
            result /= context.counts.sum() + context.rest
        return result

    def losses(self, text: str) -> NDArray[np.float64]:
        """(N,) nats of each character of a text of N that the vocabulary holds."""
        ids = self.vocab.encode(text)
        return np.array(
            [
                -np.log(self.probabilities(ids[max(end - self.order, 0) : end])[following])
                for end, following in enumerate(ids)
            ]
        )

    # A `Network`

    def join(self) -> int:
        """A free slot; there is always one."""
        slot = next(i for i in range(len(self._slots) + 1) if i not in self._slots)
        self._slots[slot] = []
        return slot

    def leave(self, slot: int) -> None:
        """Give the slot back."""
        del self._slots[slot]

    def read(self, slot: int, ids: Sequence[int]) -> Logits:
        """Read ids; the logits (V,) of what follows."""
        self._slots[slot].extend(ids)
        chances = self.probabilities(self._slots[slot][-self.order :] if self.order else [])
        return np.log(chances).astype(np.float32)

    def step(self, slots: Sequence[int], ids: Sequence[int]) -> Logits:
        """Read one id in each slot; the logits (S, V) of what follows."""
        return np.stack([self.read(slot, [i]) for slot, i in zip(slots, ids, strict=True)])

    def fork(self, slot: int) -> int:
        """A free slot for a text that has so far been the same as this one."""
        other = self.join()
        self._slots[other] = list(self._slots[slot])
        return other

    def log_likelihoods(self, before: Sequence[int], texts: Sequence[Sequence[int]]) -> list[float]:
        """Ln P(text | before) of each text."""
        return [self._log_likelihood(before, ids) for ids in texts]

    def _log_likelihood(self, before: Sequence[int], ids: Sequence[int]) -> float:
        whole = [*before, *ids]
        return sum(
            float(np.log(self.probabilities(whole[max(end - self.order, 0) : end])[whole[end]]))
            for end in range(len(before), len(whole))
        )

    def rewind(self, slot: int, count: int) -> None:
        """Forget the last ids."""
        if count:
            del self._slots[slot][-count:]

    # A file

    def save(self, path: Path) -> None:
        """Write it, atomically.

        Raises:
            ChainError: it is larger than what is read again.
            OSError: the file cannot be written.
        """
        about = {"format": FORMAT, "characters": json.dumps(self.vocab.characters)}
        try:
            write(path, self._tensors(), about, most=MAX_FILE)
        except TensorFileError as error:
            raise ChainError(f"{path}: {error}") from None

    @classmethod
    def load(cls, path: Path) -> "Chain":
        """Read what `save` wrote.

        Raises:
            ChainError: there is no such file, or it is damaged or none of this program.
        """
        try:
            with open_tensors(path, most=MAX_FILE) as file:
                header = read_header(file)
                if header.about.get("format") != FORMAT:
                    raise ChainError(f"{path}: not a chain of this program ({FORMAT!r})")
                tensors = read_tensors(file, header)
            characters = json.loads(header.about.get("characters", ""))
            if not isinstance(characters, str):
                raise TypeError
            vocab = Vocab(characters)
            return cls(vocab, list(_contexts(tensors, len(vocab))), header.digest or "")
        except OSError as error:
            raise ChainError(f"{path}: cannot read the chain: {error.strerror or error}") from None
        except ChainError:
            raise
        except (TensorFileError, VocabError) as error:
            raise ChainError(f"{path}: damaged, or no chain: {error}") from None
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ChainError(f"{path}: its numbers are none of a chain") from None

    def _tensors(self) -> Tensors:
        """All of its numbers, by name."""
        found: Tensors = {}
        for length, contexts in enumerate(self._contexts):
            held = list(contexts.values())
            found |= {
                f"{length}.contexts": np.array(list(contexts), np.int64),  # (n,) ascending
                f"{length}.sizes": np.array([len(c.ids) for c in held], np.int64),  # (n,) of each
                f"{length}.rests": np.array([c.rest for c in held], np.int64),  # (n,)
                f"{length}.ids": np.concatenate([c.ids for c in held]),  # one after the other
                f"{length}.counts": np.concatenate([c.counts for c in held]).astype(np.int64),
            }
        return {name: _smallest(numbers) for name, numbers in found.items()}


def _smallest(numbers: NDArray[np.int64]) -> NDArray[Any]:
    """The same numbers, none below 0, in the smallest type of a file that holds them."""
    largest = int(numbers.max(initial=0))
    kind = next(k for k in (np.uint8, np.int32, np.int64) if largest <= np.iinfo(k).max)
    return numbers.astype(kind)


def _contexts(tensors: Tensors, size: int) -> Iterator[dict[int, Context]]:
    """The contexts of each order. Raise ValueError or KeyError where they are none."""
    orders = len({name.partition(".")[0] for name in tensors})
    if not 1 <= orders <= MAX_ORDER + 1:
        raise ValueError
    if any(t.dtype.kind == "f" or t.ndim != 1 for t in tensors.values()):
        raise ValueError
    for length in range(orders):
        names = ("contexts", "sizes", "rests", "ids", "counts")
        found, sizes, rests, ids, counts = (
            tensors[f"{length}.{name}"].astype(np.int64) for name in names
        )
        ends = sizes.cumsum()
        if (
            not len(found) == len(sizes) == len(rests)
            or not len(ids) == len(counts) == ends[-1:].sum()
            or not (np.diff(found) > 0).all()
            or not ((found >= 0) & (found < size**length)).all()
            or not ((ids >= 0) & (ids < size)).all()
            or not ((sizes > 0) & (rests > 0)).all()
            or not (counts > 0).all()
            or (length == 0 and len(found) != 1)
        ):
            raise ValueError
        yield {
            number: Context(ids[end - n : end], counts[end - n : end].astype(np.float64), rest)
            for number, n, rest, end in zip(
                found.tolist(), sizes.tolist(), rests.tolist(), ends.tolist(), strict=True
            )
        }


def numbers(ids: NDArray[np.int64], length: int, size: int) -> NDArray[np.int64]:
    """The number of each context: its characters as digits, the last one the least.

    Args:
        ids: (N,) a text.
        length: characters of a context.
        size: how many characters there are.

    Returns:
        (N - length + 1,) of the context that begins at each character; all 0 where it is empty.
    """
    count = max(len(ids) - length + 1, 0)
    result = np.zeros(count, np.int64)
    for start in range(length):
        result = result * size + ids[start : start + count]
    return result


def _pruned(counts: Counter[int], least: int) -> Context:
    """What followed a context at least so often; the rest counts for the shorter one."""
    kept = {character: n for character, n in sorted(counts.items()) if n >= least}
    left_out = counts.total() - sum(kept.values())
    return Context(
        np.array(list(kept), np.int64),
        np.array(list(kept.values()), np.float64),
        len(kept) + left_out,
    )
