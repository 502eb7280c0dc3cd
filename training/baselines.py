"""Simpler writers to compare a model with: Markov chains over characters and over words."""

import random
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from model.vocab import Vocab


class CharacterChain:
    """A Markov chain over characters: what followed the last few characters before.

    Orders are mixed as Witten and Bell (1991) do: an n-gram seen n times, before d different
    characters, gets the weight n / (n + d) against the n-gram that is one shorter.
    """

    def __init__(self, text: str, order: int = 4) -> None:
        """Count what follows each n-gram of up to `order` characters of `text`."""
        self.vocab = Vocab.from_text(text)
        self.order = order
        self._counts: dict[str, Counter[int]] = {}
        for end, following in enumerate(self.vocab.encode(text)):
            for start in range(max(end - order, 0), end + 1):
                self._counts.setdefault(text[start:end], Counter())[following] += 1

    def probabilities(self, context: str) -> NDArray[np.float64]:
        """(V,) of each character of the vocabulary, after `context`."""
        result = np.full(len(self.vocab), 1 / len(self.vocab))
        for length in range(min(self.order, len(context)) + 1):
            counts = self._counts.get(context[len(context) - length :])
            if counts is None:
                break
            result *= len(counts)
            result[list(counts)] += list(counts.values())
            result /= counts.total() + len(counts)
        return result

    def losses(self, text: str) -> NDArray[np.float64]:
        """(N,) nats of each character of a text of N that the vocabulary holds."""
        return np.array(
            [
                -np.log(self.probabilities(text[max(end - self.order, 0) : end])[character])
                for end, character in enumerate(self.vocab.encode(text))
            ]
        )

    def write(self, prompt: str, length: int, seed: int) -> str:
        """The next `length` characters, drawn one by one."""
        generator = np.random.default_rng(seed)
        text = prompt
        for _ in range(length):
            chances = self.probabilities(text[-self.order :])
            text += self.vocab.characters[generator.choice(len(chances), p=chances)]
        return text[len(prompt) :]


def word_chain_texts(text: str, length: int, seeds: range) -> list[str]:
    """What a Markov chain over words (markovify, two words of memory) writes.

    It makes sentences by itself and takes no prompt.

    Args:
        text: what it learns from.
        length: characters of each text.
        seeds: one text for each.

    Raises:
        ModuleNotFoundError: markovify, of the extra `bench`, is not installed.
    """
    import markovify

    chain = markovify.Text(text, well_formed=False)  # else it leaves out whatever is in quotes
    before = random.getstate()  # markovify draws from Python's own generator
    try:
        texts = []
        for seed in seeds:
            random.seed(seed)
            written = ""
            while len(written) < length:
                written += chain.make_sentence(test_output=False) + " "
            texts.append(written[:length])
        return texts
    finally:
        random.setstate(before)
