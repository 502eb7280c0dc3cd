"""From logits to characters: how one is chosen, and a whole text, character by character."""

import math
from collections import abc
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.network import Logits, Network
from model.rules import GREEDY_RUN, RUN, answering_himself, repeating, speaking_twice
from model.sentences import REACH, barred
from model.vocab import Vocab
from model.words import LONGEST, Verdict, WordFilter, ends_word

MAX_TEMPERATURE = 2.0
SMALLEST_TEMPERATURE = 1e-30  # below it, differences between float32 logits could divide to inf
MAX_LENGTH = 1_000_000
MAX_SEED = 2**63 - 1
NEVER = np.float32(-1e30)  # the logit of a character that must not be chosen
START = "\n\n"  # what is read in place of an empty prompt: a story begins like a paragraph


class NotFiniteError(ArithmeticError):
    """The network answered with NaN or infinity, so nothing can be chosen."""

    def __init__(self) -> None:
        super().__init__("the network's logits are not finite: its weights are damaged")


@dataclass(frozen=True)
class Sampling:
    """How a text is written.

    Attributes:
        length: how many characters, from 1.
        temperature: 0 always takes the likeliest character (greedy), 1 follows the network's own
            probabilities, up to 2; between, likely characters are favoured.
        top_k: only the k likeliest characters may be chosen; 0 is off.
        top_p: only the fewest likeliest characters that together have this probability may be
            chosen (Holtzman et al., 2020), above 0; 1 is off.
        seed: texts with the same seed, settings and weights are the same; None takes any.
        whole_word: the prompt's last word is whole; otherwise it goes on (see `sentences.barred`).
        rules: nothing is said twice and nobody answers himself (see `rules`).

    Raises:
        ValueError: a field is out of range; the message names it and what is allowed.
    """

    length: int = 300
    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 0.9
    seed: int | None = None
    whole_word: bool = True
    rules: bool = True

    def __post_init__(self) -> None:
        """Check every field."""
        self._whole("length", 1, MAX_LENGTH)
        self._whole("top_k", 0, MAX_LENGTH)
        if self.seed is not None:
            self._whole("seed", 0, MAX_SEED)
        if not (_is_number(self.temperature) and 0 <= self.temperature <= MAX_TEMPERATURE):
            raise ValueError(
                f"temperature = {self.temperature!r}: must be a number from 0 to {MAX_TEMPERATURE}"
            )
        if not (_is_number(self.top_p) and 0 < self.top_p <= 1):
            raise ValueError(f"top_p = {self.top_p!r}: must be a number above 0, at most 1")
        for name in ("whole_word", "rules"):
            if not isinstance(value := getattr(self, name), bool):
                raise ValueError(f"{name} = {value!r}: must be True or False")

    def _whole(self, name: str, least: int, most: int) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"{name} = {value!r}: must be a whole number from {least} to {most}")

    def rng(self) -> np.random.Generator:
        """The generator a text with these settings draws from."""
        return np.random.default_rng(self.seed)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def probabilities(logits: Logits, sampling: Sampling) -> NDArray[np.float64]:
    """softmax(logits / temperature), cut to `top_k` and `top_p`; not normalised.

    Nothing is sorted where neither asks for it. Characters as likely as the last one that may be
    chosen may be chosen too, so that ties do not depend on the order of the alphabet.

    Args:
        logits: (V,) finite.
        sampling: temperature above 0.

    Returns:
        (V,) weights; the largest is 1.

    Raises:
        NotFiniteError: the largest of the logits is NaN (which counts as the largest) or infinite.
    """
    # The largest becomes 0 first: whatever the temperature, exp can only vanish, not overflow.
    weights = logits.astype(np.float64)
    largest = weights[weights.argmax()]  # quicker than max(), which passes through Python
    if not math.isfinite(largest):
        raise NotFiniteError
    weights -= largest
    weights /= max(sampling.temperature, SMALLEST_TEMPERATURE)
    np.exp(weights, out=weights)
    if 0 < sampling.top_k < len(weights):
        weights[weights < np.partition(weights, -sampling.top_k)[-sampling.top_k]] = 0.0
    if sampling.top_p < 1.0:
        falling = np.sort(weights)[::-1]
        sums = falling.cumsum()
        last = sums.searchsorted(sampling.top_p * sums[-1])
        weights[weights < falling[min(last, len(falling) - 1)]] = 0.0
    return weights


def next_id(logits: Logits, sampling: Sampling, rng: np.random.Generator) -> int:
    """Choose the next character.

    One number is drawn from `rng`, none at temperature 0, whatever the logits: a text depends on
    its seed and on nothing that is written beside it.

    Args:
        logits: (V,) finite.
        sampling: how to choose.
        rng: the text's own generator.

    Returns:
        An id, 0 to V - 1.

    Raises:
        NotFiniteError: as `probabilities`.
    """
    if sampling.temperature == 0.0:
        likeliest = int(logits.argmax())
        if not math.isfinite(logits[likeliest]):
            raise NotFiniteError
        return likeliest
    sums = probabilities(logits, sampling).cumsum()
    return int(sums.searchsorted(_draw(rng, float(sums[-1])), "right"))


def next_ids(
    logits: Logits, samplings: abc.Sequence[Sampling], rngs: abc.Sequence[np.random.Generator]
) -> list[int]:
    """Choose the next character of each of several texts, as `next_id` does for one.

    Those that do not ask for `top_k` are chosen together, in few array operations.

    Args:
        logits: (S, V) finite.
        samplings: (S,) how to choose for each.
        rngs: (S,) the generator of each.

    Returns:
        (S,) ids.

    Raises:
        NotFiniteError: as `probabilities`, for any of the texts.
    """
    together = [i for i, s in enumerate(samplings) if s.temperature and not s.top_k]
    chosen = {
        i: next_id(logits[i], sampling, rngs[i])
        for i, sampling in enumerate(samplings)
        if not sampling.temperature or sampling.top_k
    }
    if together:
        temperatures = np.array([[samplings[i].temperature] for i in together])
        weights = logits[together].astype(np.float64)
        largest = weights.max(axis=1, keepdims=True)
        if not np.isfinite(largest).all():
            raise NotFiniteError
        weights -= largest
        weights /= np.maximum(temperatures, SMALLEST_TEMPERATURE)
        np.exp(weights, out=weights)
        _cut_to_top_p(weights, np.array([samplings[i].top_p for i in together]))
        sums = weights.cumsum(axis=1)  # (S, V)
        draws = [_draw(rngs[i], total) for i, total in zip(together, sums[:, -1], strict=True)]
        below = np.count_nonzero(sums <= np.array(draws)[:, None], axis=1)
        chosen.update(zip(together, below.tolist(), strict=True))
    return [chosen[i] for i in range(len(samplings))]


def _cut_to_top_p(weights: NDArray[np.float64], top_p: NDArray[np.float64]) -> None:
    """Leave only the likeliest of each row (S, V) that have together the share top_p (S,)."""
    if (top_p >= 1.0).all():
        return
    falling = np.sort(weights, axis=1)[:, ::-1]
    sums = falling.cumsum(axis=1)
    last = np.count_nonzero(sums < (top_p * sums[:, -1])[:, None], axis=1)  # that may stay
    least = falling[np.arange(len(last)), np.minimum(last, weights.shape[1] - 1)]
    least[top_p >= 1.0] = 0.0
    weights[weights < least[:, None]] = 0.0


def without(logits: Logits, ids: abc.Collection[int]) -> Logits:
    """The same logits (V,), unless some ids must not be chosen: then a copy in which none is."""
    if not ids:
        return logits
    logits = logits.copy()
    logits[list(ids)] = NEVER
    return logits


def _draw(rng: np.random.Generator, total: float) -> float:
    """A number from 0 up to, never at, `total`: the product alone could round up to it."""
    return min(rng.random() * total, math.nextafter(total, 0.0))


def forbidden(
    network: Network, vocab: Vocab, prompt: str, written: str, sampling: Sampling
) -> list[int]:
    """Ids that must not come next.

    The prompt's last word stays whole, no stranger walks in, and the rules of `sampling` hold.
    """
    characters = vocab.characters
    ids = [
        *barred(prompt, written[:REACH], characters, whole_word=sampling.whole_word),
        *network.strangers.barred(prompt, written, characters),
    ]
    if sampling.rules:
        text = prompt + written
        run = RUN if sampling.temperature else GREEDY_RUN
        ids += [
            characters.index(letter)
            for letter in repeating(text, run) | answering_himself(text) | speaking_twice(text)
            if letter in characters
        ]
    return ids if len(set(ids)) < len(characters) else []


class Sequence:
    """A text that is being written, in a slot of a network.

    Attributes:
        text: what was written so far.
        certain: how many characters of it will not change any more. With a list of words, those of
            its whole words: one that is refused is taken back, and another begun in its place.
        logits: (V,) of what follows all that was read.
    """

    def __init__(
        self,
        network: Network,
        vocab: Vocab,
        prompt: str,
        sampling: Sampling,
        words: WordFilter | None = None,
    ) -> None:
        """Take a slot and read what the text goes on from; then `close` must follow.

        Args:
            network: writes.
            vocab: its characters.
            prompt: what was written so far, in characters of `vocab`; when empty, a story starts.
            sampling: how to choose, and how many.
            words: what is not to be written; None refuses nothing, and waits for no word's end.

        Raises:
            VocabError: the prompt has a character that is not in the vocabulary.
        """
        ids = vocab.encode(prompt or START)
        self._network = network
        self._vocab = vocab
        self._prompt = prompt
        self._sampling = sampling
        self._words = words
        self._last = ids[-1]  # of what was read before the text
        self._refused: set[int] = set()  # ids that must not follow what is certain
        self.text = ""
        self.certain = 0
        self.rng = sampling.rng()
        self.slot = network.join()
        try:
            self.logits = network.read(self.slot, ids).copy()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the slot back."""
        self._network.leave(self.slot)

    def allowed(self) -> Logits:
        """The logits (V,) of what may follow."""
        refused = self._refused if len(self.text) == self.certain else set()
        bars = forbidden(self._network, self._vocab, self._prompt, self.text, self._sampling)
        barring = refused.union(bars)
        if len(barring) == len(self._vocab):  # a word that is refused is worse than a broken one
            barring = refused
        return without(self.logits, barring)

    def write(self, character: int) -> int | None:
        """Write a character down; the id to read next, None when the text has its length."""
        self.text += self._vocab.characters[character]
        over = len(self.text) >= self._sampling.length
        if self._words is not None:
            if not ends_word(self.text[-1]) and not over:
                return character
            # A word has ended: it is certain now, is taken back, or waits for what follows.
            match self._judge(self._words):
                case Verdict.REFUSED:
                    return self._step_back()
                case Verdict.UNDECIDED:
                    return self._step_back() if over else character
        self.certain = len(self.text)
        self._refused.clear()
        return None if over else character

    def _judge(self, words: WordFilter) -> Verdict:
        """Whether a word that is refused ends in what is not certain yet."""
        certain = self.text[: self.certain]
        # A word may have begun in what is certain, or in the prompt.
        before = certain if len(certain) >= LONGEST else self._prompt + certain
        return words.judge(before, self.text[self.certain :])

    def _step_back(self) -> int | None:
        """Forget what is not certain, and never begin it with that character again."""
        self._refused.update(self._vocab.encode(self.text[self.certain]))
        if len(self._refused) == len(self._vocab):
            return None
        # The network has read all but the character just chosen. To have the logits after what is
        # certain once more, the last character of that is forgotten too, and read again.
        self._network.rewind(self.slot, len(self.text) - self.certain)
        self.text = self.text[: self.certain]
        return self._vocab.encode(self.text[-1])[0] if self.text else self._last


def generate(
    network: Network,
    vocab: Vocab,
    prompt: str,
    sampling: Sampling,
    words: WordFilter | None = None,
) -> abc.Iterator[str]:
    """Write on from `prompt`, one character at a time; with a list of words, word by word.

    Args:
        network: a slot of it is taken until the text ends or the iterator is closed.
        vocab: its characters.
        prompt: what was written so far, in characters of `vocab`; when empty, a story starts.
        sampling: how to choose, and how many.
        words: what is not to be written.

    Yields:
        `sampling.length` characters in all, without the prompt (of which `sentences.shown` makes
        what a reader is shown). Fewer if every way on is a word that is refused.

    Raises:
        VocabError: the prompt has a character that is not in the vocabulary (see `Vocab.clean`).
    """
    sequence = Sequence(network, vocab, prompt, sampling, words)
    try:
        told = 0
        following: int | None
        while True:
            following = sequence.write(next_id(sequence.allowed(), sampling, sequence.rng))
            if sequence.certain > told:
                yield sequence.text[told : sequence.certain]
                told = sequence.certain
            if following is None:
                return
            sequence.logits = network.read(sequence.slot, [following])
    finally:
        sequence.close()
