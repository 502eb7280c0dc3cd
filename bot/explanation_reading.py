"""A text read once more: the numbers and the picture that tell how it was written."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bot.errors import Refusal
from bot.explanation_texts import HowText, wording
from bot.languages import Language
from bot.messages import Page
from model.decoder import Decoder
from model.explain import ExplainError, Explanation, Numbers
from model.how import Excerpt, excerpt, liveliest
from model.picture import draw
from model.vocab import Vocab, VocabError
from model.windows import windows
from model.words import WordFilter

BEST = 8  # characters that are told at each letter ...
FEW = 4  # ... and after each block
LETTERS = 12  # of a word that are told one by one


@dataclass(frozen=True)
class Shown:
    """All that a card can show of some lines of a text.

    Attributes:
        window: their number ...
        count: ... among so many.
        excerpt: the lines.
        picture: of them, a PNG file.
        letters: of the most open word, each character and then its end: the character ("" for the
            end), how likely it was, and the likeliest ones there.
        layers: before the first block and after each, the likeliest characters where that word
            begins.
    """

    window: int
    count: int
    excerpt: Excerpt
    picture: bytes
    letters: tuple[tuple[str, float, tuple[tuple[str, float], ...]], ...]
    layers: tuple[tuple[tuple[str, float], ...], ...]


def look(
    decoder: Decoder,
    vocab: Vocab,
    words: WordFilter,
    page: Page,
    window: int | None,
    language: Language,
) -> Shown:
    """Read a text once more, and draw some lines of it. Takes about a second.

    Args:
        decoder: used by nobody else meanwhile.
        vocab: its characters.
        words: what he might have said, but is not to be shown.
        page: the text.
        window: the number of the lines, counted round; None for the liveliest.
        language: of the words on the picture.

    Raises:
        Refusal: there is nothing to explain.
        NotFiniteError: the network's numbers are damaged.
    """
    try:
        prompt, story = vocab.clean(page.prompt).text, vocab.clean(page.story).text
        read = Explanation(decoder, vocab, story, prompt)
        best = liveliest(read)
        count = len(windows(read))
        number = best if window is None else window % count
        shown = excerpt(read, number)
    except (ExplainError, VocabError):
        raise Refusal(HowText.NOTHING_TO_EXPLAIN) from None
    shown = replace(shown, call_outs=tuple(c.allowed(words) for c in shown.call_outs))
    picture = draw(shown, wording(language))
    letters, layers = tuple(_letters(read, shown)), tuple(_layers(read, shown))
    return Shown(number, count, shown, picture, letters, layers)


def _best(read: Explanation, chances: Numbers, count: int) -> tuple[tuple[str, float], ...]:
    order = np.argsort(-chances, kind="stable")[:count]
    return tuple((read.characters[i], float(chances[i])) for i in order)


def _letters(
    read: Explanation, shown: Excerpt
) -> Iterator[tuple[str, float, tuple[tuple[str, float], ...]]]:
    word = shown.open_word
    if word is None:
        return
    for place in range(word.start, min(word.stop + 1, word.start + LETTERS)):
        chances = read.after(place)
        written = read.text[place : place + 1]
        chance = float(chances[read.characters.index(written)]) if written else 0.0
        yield written, chance, _best(read, chances, BEST)


def _layers(read: Explanation, shown: Excerpt) -> Iterator[tuple[tuple[str, float], ...]]:
    if shown.open_word is not None:
        for chances in read.layers(shown.open_word.start):
            yield _best(read, chances, FEW)
