"""From a prompt to a text: of several candidates for each sentence the best goes on.

A network chooses each character without knowing where its sentence leads. So several candidates for
the next sentence are written side by side, read as a whole, and the best goes on (`Draft`).
"""

import math
from collections import abc

import numpy as np

from model.network import Network
from model.rules import echo, faults, stutter
from model.sampling import Sampling, next_ids
from model.sentences import has_ended, last_sentence
from model.sequence import LONGEST_SENTENCE, START, Sequence
from model.vocab import Vocab
from model.words import WordFilter

MANNER = 3  # raised when the same weights, settings and seed come to tell another story
CANDIDATES = 8  # for each sentence, where good stories are wanted
CHOOSING = 0.6  # the least temperature at which sentences are chosen: below it they are all alike
SHORT = 25  # characters: "Oh!" may be likely anywhere, and answers of one word go on for ever
UNLIKELY, LIKELY = -0.45, -0.25  # ln P a character: below are slips, above phrases and recitals
# What a sentence loses:
BRIEF = 3.0  # where it is shorter than SHORT
ECHO = 2.0  # where all its longer words stand twice in the lines before it, or again in itself
STEEP = 20.0  # for each nat a character below UNLIKELY or above LIKELY, and for each fault


def candidates(network: Network, sampling: Sampling) -> int:
    """How many candidates for each sentence are written: one where there is nothing to choose by.

    At a low temperature all are alike, and a network without far blocks does not know the story.
    """
    chooses = network.remembers and sampling.temperature >= CHOOSING
    return sampling.candidates if chooses else 1


class Draft:
    """A text that is written sentence by sentence, each the best of several candidates.

    Of `sampling.candidates` the half is compared that ends first, two at least. What counts is how
    much likelier a sentence is by the story, ln P(s | story) - ln P(s | the sentence before) for
    the square root of its length (the pointwise mutual information of Li et al., 2016, between
    sentence and story). What is extreme is not wanted: neither slips nor recitals, nothing short,
    no echo, no fault (see `rules`).

    Where there is one candidate, it grows word by word.

    Attributes:
        text: what is written and will not change any more: it only grows.
        over: nothing more will come.
        writing: the candidates that are not whole yet.
        decides: enough of them are whole: `choose` is next, and until then none is written on.
    """

    def __init__(
        self,
        network: Network,
        vocab: Vocab,
        prompt: str,
        sampling: Sampling,
        words: WordFilter | None = None,
    ) -> None:
        """Take slots and read what the text goes on from; then `close` must follow.

        Args and errors are those of `Sequence`.
        """
        first = Sequence(network, vocab, prompt, sampling, words)
        self._network = network
        self._vocab = vocab
        self._prompt = prompt
        self._rng = first.rng
        self._count = candidates(network, sampling)
        self._candidates = [first]
        self.writing = [first]
        self.text = ""
        self.over = False
        self.decides = False
        if self._count > 1:
            try:
                self._branch(first)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Give the slots back."""
        for sequence in self._candidates:
            sequence.close()
        self.writing, self._candidates = [], []

    def settle(self) -> None:
        """After a step of the network: what is certain now, and who is whole."""
        if self._count == 1:
            (only,) = self.writing
            self.text, self.over = only.text[: only.certain], only.over
            return
        self.writing = [sequence for sequence in self._candidates if not sequence.rests]
        whole = len(self._candidates) - len(self.writing)
        self.decides = whole >= max(2, math.ceil(self._count / 2))
        if self.decides:
            self.writing = []

    def choose(self) -> None:
        """Tell the best of the candidates that are whole, and begin the next sentence."""
        whole = [sequence for sequence in self._candidates if sequence.rests]
        scores = self._scores(whole)
        best = whole[scores.index(max(scores))]  # of several as good the first, not who ended first
        for sequence in self._candidates:
            if sequence is not best:
                sequence.close()
        self._candidates, self.decides = [best], False
        self.text, self.over = best.text[: best.certain], best.over
        if not self.over:
            self._branch(best)

    def _branch(self, sequence: Sequence) -> None:
        """Begin the next sentence several times."""
        sequence.begin()
        sequence.rng, *others = (
            np.random.default_rng(seed) for seed in self._rng.integers(2**63, size=self._count)
        )
        for rng in others:
            self._candidates.append(sequence.fork(rng))
        self.writing = list(self._candidates)

    def _scores(self, sequences: abc.Sequence[Sequence]) -> list[float]:
        """How well their sentences follow."""
        near = last_sentence(self._prompt + self.text)[-2 * LONGEST_SENTENCE :] or START
        sentences = [self._vocab.encode(sequence.sentence) for sequence in sequences]
        alone = self._network.log_likelihoods(self._vocab.encode(near), sentences)
        return [self._score(*pair) for pair in zip(sequences, alone, strict=True)]

    def _score(self, sequence: Sequence, alone: float) -> float:
        """How well a sentence follows, of which ln P(s | the sentence before) is `alone`."""
        before, sentence = self._prompt + self.text, sequence.sentence
        by_story = sequence.log_likelihood
        mean = by_story / len(sentence)
        wrong = faults(before, sentence) + (not has_ended(sentence))
        extreme = max(0.0, UNLIKELY - mean, mean - LIKELY)
        informed = (by_story - alone) / math.sqrt(max(len(sentence), SHORT))
        echoed = echo(before, sentence) + stutter(sentence)
        lost = STEEP * (wrong + extreme) + ECHO * echoed + BRIEF * (len(sentence) < SHORT)
        # Where the sentence before is the whole story, only rounding is left: it shall not choose.
        return round(informed - lost, 3)


def advance(network: Network, drafts: abc.Sequence[Draft]) -> None:
    """One more character for each candidate of each text, in one step of the network.

    To choose a sentence takes as long as several steps. So one text at a time does, the first of
    those that are to; the others wait for their turn while the rest is written on.

    Args:
        network: theirs.
        drafts: at least one, none of them over.
    """
    if sequences := [sequence for draft in drafts for sequence in draft.writing]:
        _step(network, sequences)
        for draft in drafts:
            if draft.writing:
                draft.settle()
    if deciding := next((draft for draft in drafts if draft.decides), None):
        deciding.choose()


def _step(network: Network, sequences: abc.Sequence[Sequence]) -> None:
    """One more character for each, in one step of the network."""
    chosen = next_ids(
        np.stack([sequence.allowed() for sequence in sequences]),  # (S, V)
        [sequence.sampling for sequence in sequences],
        [sequence.rng for sequence in sequences],
    )
    reading = {}
    for sequence, character in zip(sequences, chosen, strict=True):
        following = sequence.write(character)
        if following is not None:
            reading[sequence] = following
    if reading:
        rows = network.step([sequence.slot for sequence in reading], list(reading.values())).copy()
        for sequence, logits in zip(reading, rows, strict=True):
            sequence.logits = logits


def generate(
    network: Network,
    vocab: Vocab,
    prompt: str,
    sampling: Sampling,
    words: WordFilter | None = None,
) -> abc.Iterator[str]:
    """Write on from `prompt`: character by character, or word by word, or sentence by sentence.

    Args:
        network: slots of it are taken until the text ends or the iterator is closed.
        vocab: its characters.
        prompt: what was written so far, in characters of `vocab`; when empty, a story starts.
        sampling: how to choose, and how many.
        words: what is not to be written: then no word is told before it is whole.

    Yields:
        `sampling.length` characters in all, without the prompt (of which `sentences.shown` makes
        what a reader is shown). Fewer if every way on is a word that is refused.

    Raises:
        VocabError: the prompt has a character that is not in the vocabulary (see `Vocab.clean`).
    """
    draft = Draft(network, vocab, prompt, sampling, words)
    try:
        told = 0
        while not draft.over:
            advance(network, [draft])
            if len(draft.text) > told:
                yield draft.text[told:]
                told = len(draft.text)
    finally:
        draft.close()
