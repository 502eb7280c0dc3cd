"""How a text was written: the decoder's own numbers at each of its places.

Nothing is estimated: what is told here is what the network computed when it wrote (at temperature
1, before `top_k` and `top_p`). The letters in the shapes are those of `decoder.py`.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.decoder import Decoder
from model.ngrams import ngram_starts
from model.sampling import NotFiniteError
from model.sentences import is_word, within_word
from model.sequence import START
from model.vocab import Vocab

Numbers = NDArray[np.float64]

BEAM = 32
"""Beginnings of a word that are followed side by side."""
LONGEST_WORD = 24
"""Letters of a word that is guessed."""
LONGEST_TEXT = 8_000
"""Characters of a text: 9 kB are kept for each while it is explained."""
ARC = 0.2
"""The share of a head's attention from which on it is said to look somewhere."""


class ExplainError(ValueError):
    """A text that cannot be explained; the message says why."""


@dataclass(frozen=True)
class Word:
    """A word of the text: letters, digits and apostrophes between others.

    Attributes:
        start: the place of its first character in the text; `stop` is the one after its last.
        text: its characters.
        probability: of all its characters and of its end there, given what stands before it; None
            where nothing was read before it.
    """

    start: int
    stop: int
    text: str
    probability: float | None


@dataclass(frozen=True)
class Look:
    """Where a head of a far block looks from a place of the text, most of all.

    Attributes:
        block: counted from 0, as `head` is.
        source: the place in the text that it looks at.
        share: of its attention that goes there, 0 to 1.
    """

    block: int
    head: int
    source: int
    share: float


class Explanation:
    """A text, read once more by the network that wrote it.

    It uses the decoder's slots, so it belongs in the thread in which the decoder writes, or to a
    decoder of its own (`Decoder.twin`).

    Attributes:
        text: prompt and story.
        characters: those of the vocabulary, by id.
        written: the place where the story begins.
        probabilities: (T,) of each character of the text; NaN for the first of a prompt.
        words: the text's words in order.
        known: (T, K) which of the n-grams that end at each character the n-gram table has.
        ngram_starts: (T, K) where in the text each of those n-grams begins.
    """

    def __init__(self, decoder: Decoder, vocab: Vocab, story: str, prompt: str = "") -> None:
        """Read the text.

        Args:
            decoder: the network.
            vocab: its characters.
            story: what it wrote, or any text.
            prompt: what it went on from; "" where the story began one (then `START` is read first,
                as it is when one is written).

        Raises:
            ExplainError: there is no text, or too much of it.
            VocabError: a character is not in the vocabulary.
            NotFiniteError: the network's numbers are damaged.
        """
        self.text, self.written = prompt + story, len(prompt)
        if not self.text:
            raise ExplainError("there is no text to explain")
        if len(self.text) > LONGEST_TEXT:
            raise ExplainError(
                f"the text has {len(self.text):,} characters: "
                f"at most {LONGEST_TEXT:,} can be explained"
            )
        before = "" if prompt else START
        ids = vocab.encode(before + self.text)
        self._decoder, self._ids, self._before = decoder, ids, len(before)
        self.characters = vocab.characters
        self._is_within = np.array([within_word(c) for c in vocab.characters])
        self._is_word = [i for i, c in enumerate(vocab.characters) if is_word(c)]
        self._streams = decoder.streams(ids)
        self._next = softmax(decoder.logits(self._streams[-1]))  # (V, T) after each place
        told = np.concatenate(([math.nan], self._next[ids[1:], np.arange(len(ids) - 1)]))
        self.probabilities: Numbers = told[self._before :]
        self.words = tuple(self._find_words())
        self.known = decoder.known_ngrams(ids)[self._before :]
        starts = ngram_starts(np.array(ids), decoder.config) if self.known.size else self.known
        self.ngram_starts: NDArray[np.int64] = (starts - self._before)[-len(self.text) :].astype(
            int
        )

    def _find_words(self) -> list[Word]:
        """The words and how likely each was."""
        words: list[Word] = []
        stop = 0
        for start, character in enumerate(self.text):
            if start < stop or not (within_word(character) or is_word(character)):
                continue
            stop = start + 1
            ends = 1.0
            if within_word(character):
                while stop < len(self.text) and within_word(self.text[stop]):
                    stop += 1
                ends -= self.after(stop)[self._is_within].sum()
            chance = float(np.prod(self.probabilities[start:stop]) * ends)
            text = self.text[start:stop]
            words.append(Word(start, stop, text, None if math.isnan(chance) else chance))
        return words

    def after(self, place: int, temperature: float = 1.0) -> Numbers:
        """The probabilities (V,) of all characters at a place of the text, before it is written.

        Args:
            place: 0 to T, T being the place after the text.
            temperature: above 0.

        Raises:
            ValueError: nothing stands before that place, or it is beyond the text.
        """
        at = self._at(place)
        if temperature == 1.0:
            return self._next[:, at]
        return softmax(self._decoder.logits(self._streams[-1][:, at : at + 1]), temperature)[:, 0]

    def layers(self, place: int) -> Numbers:
        """What each block would have said at a place: the head, applied to the stream early.

        Args:
            place: as in `after`.

        Returns:
            (n_layer + 1, V): before the first block (embedding and table), and after each.
        """
        return softmax(self._decoder.logits(self._streams[:, :, self._at(place)].T)).T

    def next_words(self, place: int, count: int = 4) -> list[tuple[str, float]]:
        """The likeliest words at a place, where one begins, and the probability of each.

        A beam over characters: the `BEAM` likeliest beginnings are followed side by side, letter by
        letter, until none of them can become one of the likeliest words.

        Args:
            place: as in `after`.
            count: how many words.

        Returns:
            At most `count`, the likeliest first; fewer where nothing else begins a word.
        """
        at, decoder = self._at(place), self._decoder
        letters = np.flatnonzero(self._is_within)
        slot = decoder.join()
        taken = [slot]
        first = self._next[:, at]
        found = [(float(first[i]), self.characters[i]) for i in self._is_word]
        found = heapq.nlargest(count, found)
        try:
            chunk = decoder.config.attention_window
            for start in range(0, at + 1, chunk):  # in parts, so that nothing is forgotten
                decoder.read(slot, self._ids[start : min(start + chunk, at + 1)])
            beam = [("", 1.0, slot, first)]
            for _ in range(LONGEST_WORD):
                chances = np.array([chance * after[letters] for _, chance, _, after in beam])
                flat = chances.ravel()
                best = np.argsort(-flat, kind="stable")[:BEAM]
                least = found[count - 1][0] if len(found) >= count else 0.0
                chosen = [divmod(int(i), len(letters)) for i in best if flat[i] > least]
                if not chosen:
                    break
                parents = [beam[row] for row, _ in chosen]
                ids = [int(letters[column]) for _, column in chosen]
                slots = [decoder.fork(parent[2]) for parent in parents]
                taken += slots
                rows = softmax(decoder.step(slots, ids).T).T
                for _, _, old, _ in beam:
                    decoder.leave(old)
                    taken.remove(old)
                beam = [
                    (parent[0] + self.characters[i], float(chances[row, column]), slot, after)
                    for parent, i, slot, after, (row, column) in zip(
                        parents, ids, slots, rows, chosen, strict=True
                    )
                ]
                found += [
                    (chance * float(1.0 - after[self._is_within].sum()), text)
                    for text, chance, _, after in beam
                ]
                found = heapq.nlargest(count, found)
        finally:
            for slot in taken:
                decoder.leave(slot)
        return [(text, chance) for chance, text in found]

    def look(self, place: int) -> Look | None:
        """Where the far blocks look from a place of the text, most of all: where, not why.

        Args:
            place: of a character, 0 to T - 1.

        Returns:
            The strongest look of any head at one place further back; None where there are no far
            blocks or nothing stands out (see `ARC`).
        """
        at = self._before + place
        looks = []
        for block in self._decoder.config.far_blocks:
            weights = self._decoder.blocks[block].attention(self._streams[block], at)  # (H, n)
            first = at + 1 - weights.shape[1]
            for head, row in enumerate(weights):
                source = int(row.argmax())
                looks.append(Look(block, head, first + source - self._before, float(row[source])))
        far = [look for look in looks if look.share >= ARC and 0 <= look.source < place]
        return max(far, key=lambda look: look.share, default=None)

    def openness(self, place: int) -> float:
        """The entropy of the next character at a place (see `after`), in bits."""
        chances = self.after(place)
        return float(-(chances * np.log2(np.maximum(chances, 1e-300))).sum())

    def open_words(self, words: Sequence[Word], count: int = 3) -> list[Word]:
        """Those words, in order, before whose first letter most was open."""
        told = [word for word in words if word.probability is not None]
        most = heapq.nlargest(count, told, key=lambda word: self.openness(word.start))
        return sorted(most, key=lambda word: word.start)

    def _at(self, place: int) -> int:
        """The column after which this place of the text comes."""
        at = self._before + place - 1
        if not 0 <= at < len(self._ids):
            raise ValueError(f"place = {place}: nothing was read before it, or it is no place")
        return at


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> Numbers:
    """The probabilities of each column of logits (V, N), in float64.

    Raises:
        NotFiniteError: a column's largest logit is NaN or infinite.
    """
    weights = logits.astype(np.float64)
    largest = weights.max(axis=0)
    if not np.isfinite(largest).all():
        raise NotFiniteError
    np.exp((weights - largest) / temperature, out=weights)
    chances: Numbers = weights / weights.sum(axis=0)
    return chances
