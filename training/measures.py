"""How good a model is, in numbers: loss on a text, and what the texts it writes are made of."""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.network import Network
from model.ngrams import BASE, INVERSE, MIX, powers, signed
from model.sampling import Sampling
from model.sentences import SENTENCE_END, ending
from model.vocab import Vocab
from model.writing import Draft, advance

if TYPE_CHECKING:
    from model.gpt import GPT

COPY = 40
"""A window of this many characters that stands word for word in the training text is a copy."""

_FRIEND = re.compile(r"\b(?:Pooh|Piglet|Eeyore|Kanga|Roo|Tigger|Christopher Robin|Edward Bear)\b")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


def losses(gpt: "GPT", ids: NDArray[Any], batch_size: int = 32) -> NDArray[np.float64]:
    """The loss of each character, predicted once, with at least half a context before it.

    (The first characters of the text have as much as there is.) Windows overlap by half; where two
    hold a character, the one with more before it counts.

    Args:
        gpt: the network, in any dtype, on any device.
        ids: (N + 1,) the text and one character before it.
        batch_size: windows read side by side.

    Returns:
        (N,) nats.
    """
    import torch
    from torch.nn import functional as F

    count = len(ids) - 1
    width = min(gpt.config.context_length, count)
    starts = [*range(0, count - width, width - width // 2), count - width]
    device = gpt.embedding.weight.device
    result = np.empty(count)
    was_training = gpt.training
    gpt.eval()
    with torch.no_grad():
        # From the last window to the first: the earlier one, which has more before a character that
        # two hold, overwrites what the later one said of it.
        for last in range(len(starts), 0, -batch_size):
            batch = starts[max(last - batch_size, 0) : last]
            texts = np.stack([ids[start : start + width + 1] for start in batch])  # (B, T + 1)
            windows = torch.from_numpy(texts).to(device).long()
            logits = gpt(windows[:, :-1])  # (B, T, V)
            nats = F.cross_entropy(logits.transpose(1, 2), windows[:, 1:], reduction="none")
            for start, row in zip(reversed(batch), nats.flip(0).cpu(), strict=True):
                result[start : start + width] = row.numpy()
    gpt.train(was_training)
    return result


def write(decoder: Network, vocab: Vocab, requests: Sequence[tuple[str, Sampling]]) -> list[str]:
    """The continuation of every prompt, all written side by side.

    Args:
        decoder: the network.
        vocab: its characters.
        requests: prompts, all in `vocab` ("" starts a story), and how to sample.
    """
    drafts = [Draft(decoder, vocab, prompt, sampling) for prompt, sampling in requests]
    while busy := [draft for draft in drafts if not draft.over]:
        advance(decoder, busy)
    for draft in drafts:
        draft.close()
    return [draft.text for draft in drafts]


def common_start(a: str, b: str) -> int:
    """How many characters two texts share before they part."""
    parted = (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
    return next(parted, min(len(a), len(b)))


def answer(text: str, prompt: str = "") -> str:
    """What a reader is shown: made to end with a sentence, or at least with a whole word."""
    return ending(text, len(text), prompt)[0]


class ReadingList:
    """The texts of the reading list, to be asked what stands in them."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Take the training texts, in memory as one byte a character where they are ASCII."""
        self._texts: list[NDArray[np.unsignedinteger[Any]]] = []
        self.words: set[str] = set()
        for text in texts:
            self._texts.append(_codes(text))
            self.words.update(_words(text))

    def holds(self, texts: Sequence[str], length: int) -> list[NDArray[np.bool_]]:
        """Which windows of `length` characters stand somewhere in the library.

        By rolling 64-bit hashes (Karp and Rabin, 1987): of 10**9 comparisons about none errs.

        Returns:
            For each text of N characters (N - length + 1,), empty where it is shorter.
        """
        sought = [_window_hashes(_codes(text), length) for text in texts]
        known = np.unique(np.concatenate(sought)) if sought else np.empty(0, np.uint64)
        likely = np.zeros(1 << 20, np.bool_)  # a coarse sieve by the top bits, as most miss
        likely[known >> np.uint64(44)] = True
        found = [np.empty(0, np.uint64)]
        for text in self._texts:
            hashes = _window_hashes(text, length)
            candidates = hashes[likely[hashes >> np.uint64(44)]]
            found.append(np.intersect1d(candidates, known))
        return [np.isin(hashes, np.concatenate(found)) for hashes in sought]

    def longest_copy(self, texts: Sequence[str]) -> int:
        """How long the longest run of characters is that texts and library share."""
        shortest, longest = 0, max(map(len, texts), default=0)
        while shortest < longest:
            # Most are not much longer than what is called a copy: look there first.
            middle = min((shortest + longest + 1) // 2, max(COPY, shortest + COPY // 2))
            if any(windows.any() for windows in self.holds(texts, middle)):
                shortest = middle
            else:
                longest = middle - 1
        return shortest


@dataclass(frozen=True)
class Qualities:
    """What a set of texts is made of. Shares are from 0 to 1.

    Attributes:
        answers: how many texts.
        real_words: share of the words that are in the library.
        copied: share of the windows of `COPY` characters that stand in the library.
        longest_copy: characters of the longest run that stands in the library.
        distinct_2: share of pairs of neighbouring words that are different from one another.
        balanced_quotes: share of answers with as many closing quotes as opening ones.
        ends_sentence: share of answers that end with a sentence.
        names_a_friend: share of answers that name somebody of the Hundred Acre Wood, who is in no
            other book.
    """

    answers: int
    real_words: float
    copied: float
    longest_copy: int
    distinct_2: float
    balanced_quotes: float
    ends_sentence: float
    names_a_friend: float


def qualities(texts: Sequence[tuple[str, str]], library: ReadingList) -> Qualities:
    """Measure what a model wrote.

    Words that the cut at the end broke are left out; so is all of the prompt, but for a word that
    the model finished and a quote that it closed.

    Args:
        texts: prompts and continuations as written, before they are cut to an answer.
        library: the reading list.
    """
    written = [text for _, text in texts]
    answers = [(prompt, answer(text, prompt)) for prompt, text in texts]
    words = [
        [
            match.group().lower()
            for match in _WORD.finditer(prompt + text)
            if len(prompt) < match.end() < len(prompt + text)
        ]
        for prompt, text in texts
    ]
    pairs = [pair for each in words for pair in itertools.pairwise(each)]
    windows = np.concatenate([np.empty(0, np.bool_), *library.holds(written, COPY)])
    return Qualities(
        answers=len(texts),
        real_words=_share(word in library.words for each in words for word in each),
        copied=_share(windows.tolist()),
        longest_copy=library.longest_copy(written),
        distinct_2=len(set(pairs)) / max(len(pairs), 1),
        balanced_quotes=_share((prompt + text).count('"') % 2 == 0 for prompt, text in answers),
        ends_sentence=_share(_ends_sentence(text) for _, text in answers),
        names_a_friend=_share(_FRIEND.search(text) for _, text in answers),
    )


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _ends_sentence(text: str) -> bool:
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    return bool(ends) and ends[-1] == len(text.rstrip())


def _share(hits: Iterable[object]) -> float:
    found = [bool(hit) for hit in hits]
    return sum(found) / max(len(found), 1)


def _codes(text: str) -> NDArray[np.unsignedinteger[Any]]:
    """The code points of a text, (N,)."""
    if text.isascii():
        return np.frombuffer(text.encode(), np.uint8)
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def _window_hashes(text: NDArray[np.unsignedinteger[Any]], length: int) -> NDArray[np.uint64]:
    """A hash of each window of `length` codes: see `model/ngrams.py`. (N - length + 1,)."""
    count = max(len(text) - length + 1, 0)
    codes = text.astype(np.int64) + 1
    sums = np.zeros(len(text) + 1, np.int64)
    np.cumsum(codes * powers(BASE, len(text)), out=sums[1:])
    hashes = (sums[length : length + count] - sums[:count]) * powers(INVERSE, count)
    return ((hashes ^ (hashes >> 29)) * signed(MIX)).view(np.uint64)
