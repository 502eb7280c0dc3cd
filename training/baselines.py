"""A simpler writer to compare a model with: a Markov chain over words."""

import random


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
