"""A text in windows, one after the other: as many words as a picture has room for.

A window ends with a sentence if one ends in it, or with a clause.
"""

import re
from collections.abc import Sequence

from model.cuts import begins_well, ends_well
from model.explain import Explanation, Word

WORDS, CHARACTERS = 12, 84
"""How much of a text an excerpt holds at most: with it, a picture has 40 words or fewer."""
CONTEXT = 5
"""Words of a prompt that are shown before what was written after it."""
OPENING = 3
"""Marks before a word, such as quotes, that are shown with it."""

_SENTENCE_END = re.compile(r"[.!?\u2026][\"'\u2019\u201d)\]_*]*(\s|--)|\n\s*\n")
_CLAUSE_END = re.compile(r"[,;:][\"'\u2019\u201d)\]_*]*\s|--|[\u2013\u2014]|\n")


def windows(explanation: Explanation) -> list[int]:
    """The words (their numbers) with which the excerpts of a text begin, one after the other."""
    first = _first_written(explanation)
    starts = []
    while first < len(explanation.words):
        starts.append(first)
        first += fitting(explanation, first)
    return starts


def _first_written(explanation: Explanation) -> int:
    """The number of the first word that begins in the story."""
    words = explanation.words
    return next((i for i, word in enumerate(words) if word.start >= explanation.written), 0)


def _context(explanation: Explanation, first: int) -> int:
    """The number of the word from which on an excerpt is shown that begins with `first`.

    Before the story's first word that is the end of its prompt: its last sentence, or a few words.
    """
    begin, words = first, explanation.words
    while (
        first == _first_written(explanation)
        and begin > max(0, first - CONTEXT)
        and not _SENTENCE_END.search(explanation.text, words[begin - 1].stop, words[begin].start)
        and words[first].stop - words[begin - 1].start < CHARACTERS // 2
    ):
        begin -= 1
    while begin < first and not begins_well(explanation.text, words[begin].start):
        begin += 1
    return begin


def fitting(explanation: Explanation, first: int) -> int:
    """How many words, at least one, an excerpt holds from the first of them on.

    As many as there is room for, up to the end of a sentence; or of a clause, where none ends.
    """
    begin = _context(explanation, first)
    words = explanation.words[begin : begin + WORDS + 1]
    room = words[0].start + CHARACTERS - OPENING
    most = max(sum(word.stop <= room for word in words[:WORDS]), first - begin + 1)
    if begin + most == len(explanation.words):
        return begin + most - first
    text, least = explanation.text, first - begin + 1
    for end in (_SENTENCE_END, _CLAUSE_END):
        for count in range(most, max(WORDS // 3, least - 1), -1):
            following = words[count].start if count < len(words) else len(text)
            ended = end.search(text, words[count - 1].stop, following)
            if ended and _parts_well(text, words, count):
                return begin + count - first
    while most > least and not _parts_well(text, words, most):
        most -= 1
    return begin + most - first


def _parts_well(text: str, words: Sequence[Word], count: int) -> bool:
    """Whether so many of these words may be shown, and then the others."""
    after = words[count].start if count < len(words) else len(text)
    return ends_well(text, words[count - 1].stop) and begins_well(text, after)


def edges(explanation: Explanation, first: int, after: int) -> tuple[int, int]:
    """Where the text of an excerpt begins and ends whose words are `first` to `after`, exclusive.

    With the punctuation that clings to them.
    """
    text, words, begin = explanation.text, explanation.words, _context(explanation, first)
    start, stop = words[begin].start, words[after - 1].stop
    leading = text[words[begin - 1].stop if begin else 0 : start]
    opening = re.search(r"\s\S*$" if begin else r"(^|\s)\S*$", leading)
    start -= min(len(opening[0].lstrip()), OPENING) if opening else 0
    clinging = re.match(r"\S*", text[stop : words[after].start if after < len(words) else None])
    stop += clinging.end() if clinging else 0
    return start, min(stop, start + CHARACTERS)
