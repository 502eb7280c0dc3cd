"""What stands on the picture of an excerpt and in its alt text, in English; others are handed in.

Each label is short: with the words of an excerpt, a picture has 40 words or fewer.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """The words of one language. What stands in braces is filled in.

    Attributes:
        sure, surprised: how likely the words on the lightest and the darkest shade were.
        read_before: what the n-gram table has.
        least_expected, undecided: above the two lists.
        looked_back: on the arrow.
        first_letter: above the charts; it goes on with `calm`, `usual` and `wild`, one on each.
        rest: of all characters, but those that have bars of their own.
        temperatures: those of `how.TEMPERATURES`, as people write them.
        question, ...: the sentences of the alt text.
    """

    sure: str = "sure: 50 %+"
    surprised: str = "surprised: <1 %"
    read_before: str = "read before"
    least_expected: str = "most surprising"
    undecided: str = "undecided"
    looked_back: str = "looked back"
    first_letter: str = "first letter if Pooh is"
    calm: str = "calm"
    usual: str = "usual"
    wild: str = "wild"
    rest: str = "rest"
    temperatures: tuple[str, str, str] = ("0.3", "0.8", "1.5")
    question: str = "Where was Pooh sure, where did he guess?"
    alt_text: str = "The text: {words}"
    alt_rarest: str = "The word that surprised him most: {word}, {chance}."
    alt_place: str = "Place {number}: {guesses}."
    alt_taken: str = "{word} {chance} (taken)"
    alt_letter: str = "First letter at place {number}, at temperature {temperatures}: {letters}."
    alt_arc: str = "At {word} he looked back at the same name: where, not why."
    alt_runs: str = "Read before, in this order: {runs}."
    alt_words: str = "Each word's probability: {words}."


ENGLISH = Wording()
