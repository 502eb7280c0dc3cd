"""A text while it is written: what must not come next, and words that are taken back."""

import copy
import math

import numpy as np

from model.network import Logits, Network
from model.rules import GREEDY_RUN, RUN, answering_himself, repeating, speaking_twice
from model.sampling import Sampling, without
from model.sentences import REACH, barred, has_ended
from model.vocab import Vocab
from model.words import LONGEST, Verdict, WordFilter, ends_word

START = "\n\n"  # what is read in place of an empty prompt: a story begins like a paragraph
LONGEST_SENTENCE = 160  # characters; what goes on for longer is taken for a whole sentence


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
        over: nothing more can be written.
        begun: where in the text its last sentence began.
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
        self.sampling = sampling
        self._words = words
        self._last = ids[-1]  # of what was read before the text
        self._refused: set[int] = set()  # ids that must not follow what is certain
        self._likelihoods: list[float] = []  # ln P of each character from `begun` on
        self.text = ""
        self.certain = 0
        self.begun = 0
        self.over = False
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

    def begin(self) -> None:
        """Begin another sentence."""
        self.begun, self._likelihoods = len(self.text), []

    def fork(self, rng: np.random.Generator) -> "Sequence":
        """Another text in a slot of its own, so far the same; then `close` must follow for it too.

        All of the text must be `certain`.
        """
        other = copy.copy(self)
        other._refused, other._likelihoods = set(), []
        other.rng = rng
        other.slot = self._network.fork(self.slot)
        return other

    @property
    def sentence(self) -> str:
        """What was written from `begun` on."""
        return self.text[self.begun :]

    @property
    def log_likelihood(self) -> float:
        """Ln P(sentence | all before it), by the network alone: at temperature 1, unbarred."""
        return math.fsum(self._likelihoods)

    @property
    def rests(self) -> bool:
        """Whether a sentence has ended, or has gone on for long enough."""
        whole = has_ended(self.sentence) or len(self.sentence) >= LONGEST_SENTENCE
        return self.over or (whole and self.certain == len(self.text))

    def allowed(self) -> Logits:
        """The logits (V,) of what may follow."""
        refused = self._refused if len(self.text) == self.certain else set()
        bars = forbidden(self._network, self._vocab, self._prompt, self.text, self.sampling)
        barring = refused.union(bars)
        if len(barring) == len(self._vocab):  # a word that is refused is worse than a broken one
            barring = refused
        return without(self.logits, barring)

    def write(self, character: int) -> int | None:
        """Write a character down; the id to read next, None when the text is over."""
        following = self._write(character)
        self.over = following is None
        return following

    def _write(self, character: int) -> int | None:
        if self.sampling.candidates > 1:
            shifted = self.logits - self.logits.max()
            self._likelihoods.append(float(shifted[character] - np.log(np.exp(shifted).sum())))
        self.text += self._vocab.characters[character]
        over = len(self.text) >= self.sampling.length
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
        del self._likelihoods[max(0, self.certain - self.begun) :]
        self.text = self.text[: self.certain]
        return self._vocab.encode(self.text[-1])[0] if self.text else self._last
