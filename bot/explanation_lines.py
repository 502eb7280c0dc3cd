"""The lines under the picture of how a text was written."""

import enum
from collections.abc import Iterator

from bot import messages
from bot.explanation_reading import LETTERS, Shown
from bot.explanation_texts import HowText
from bot.languages import Language
from model.how import TEMPERATURES, percent

SHORT = 30  # letters of a word that are shown
_SPACES = {" ": "\u2423", "\n": "\u21b5"}


class Tab(enum.StrEnum):
    """What the lines under the picture tell; the value stands in the buttons' ids."""

    WORDS = "words"
    LETTERS = "letters"
    LAYERS = "layers"


def lines(tab: Tab, shown: Shown, language: Language) -> Iterator[str]:
    """What the lines tell."""
    tell = {Tab.WORDS: _words, Tab.LETTERS: _letter_lines, Tab.LAYERS: _layer_lines}
    return tell[tab](shown, language)


def _words(shown: Shown, language: Language) -> Iterator[str]:
    """Three lines with what the picture shows."""
    excerpt = shown.excerpt
    if (rarest := excerpt.rarest) is not None and rarest.probability is not None:
        yield language.say(
            HowText.SURPRISED,
            word=_short(rarest.text),
            chance=_percent(rarest.probability),
        )
    for number, call_out in enumerate(excerpt.call_outs, 1):
        if call_out.word == excerpt.open_word:
            rows = ", ".join(_rated(*row) for row in call_out.rows)
            yield language.say(HowText.MOST_OPEN, number=number, guesses=rows)
    if excerpt.charts:
        chances = ", ".join(
            f"{_percent(float(chart[0]))} ({language.number(temperature)})"
            for temperature, chart in zip(TEMPERATURES, excerpt.charts, strict=True)
        )
        yield language.say(
            HowText.LIKELIEST_LETTER, letter=_visible(excerpt.characters[0]), chances=chances
        )


def _letter_lines(shown: Shown, language: Language) -> Iterator[str]:
    """The most open word, character by character."""
    word = shown.excerpt.open_word
    if word is None:
        return
    yield language.say(HowText.LETTER_BY_LETTER, word=messages.escape(word.text[:LETTERS]))
    for written, chance, best in shown.letters:
        rated = " · ".join(_rated(_visible(c), p, c == written, safe=True) for c, p in best)
        taken = f"**{_visible(written)}**\u00a0{_percent(chance)}" if written else "..."
        yield f"{taken} | {rated}"


def _layer_lines(shown: Shown, language: Language) -> Iterator[str]:
    """What each block would have said where the most open word begins."""
    word = shown.excerpt.open_word
    if word is None:
        return
    yield language.say(HowText.BLOCK_BY_BLOCK, letter=_visible(word.text[0]))
    for block, best in enumerate(shown.layers):
        where = language.say(HowText.AFTER_BLOCK if block else HowText.BEFORE_BLOCKS, number=block)
        rated = " · ".join(_rated(_visible(c), p, c == word.text[0], safe=True) for c, p in best)
        yield f"{where}: {rated}"


def _rated(text: str, chance: float, taken: bool, *, safe: bool = False) -> str:
    """A word or a letter and how likely it was; bold where it was written."""
    text = text if safe else _short(text)
    return f"{f'**{text}**' if taken else text}\u00a0{_percent(chance)}"


def _short(word: str) -> str:
    """A word that is safe to show: people also write some of a thousand letters."""
    return messages.escape(word if len(word) <= SHORT else word[:SHORT] + "...")


def _visible(character: str) -> str:
    return _SPACES.get(character) or messages.escape(character)


def _percent(chance: float) -> str:
    """In whole per cents, which no line parts."""
    return percent(chance).replace(" ", "\u00a0")
