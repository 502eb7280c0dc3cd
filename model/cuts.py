"""Where a text may be cut: no word is parted from what makes it innocent.

"Spick and span" is innocent; cut before its last word, it leaves a slur, for which all of the text
would be refused. What a cut makes of a text is judged by `data/slurs.txt`, whatever the host allows
or adds: a text that ends a few words earlier is as good.
"""

import functools

from model.words import LONGEST, WordFilter


def ends_well(text: str, at: int) -> bool:
    """Whether a text that is cut there has no word that is refused only as the rest is missing."""
    near = _near(text, at)
    left = {near.start + end for end in _filter().ends(text[near.start : at].rstrip())}
    return not left or left <= _refused(text, near)


def begins_well(text: str, at: int) -> bool:
    """Whether what follows a cut has no word that is refused only as what stood before is missing.

    What stands before the cut is not looked at.
    """
    near = _near(text, at)
    left = {at + end for end in _filter().ends(text[at : near.stop])}
    return not left or left <= _refused(text, near)


def _refused(text: str, near: range) -> set[int]:
    """Where words end that are refused, wherever a text is cut."""
    return {near.start + end for end in _filter().ends(text[near.start : near.stop])}


def _near(text: str, at: int) -> range:
    """What may have to do with a word there: no phrase of the list is longer."""
    return range(max(0, at - LONGEST), min(len(text), at + LONGEST))


@functools.cache
def _filter() -> WordFilter:
    """The list as it is shipped, read when it is first asked for."""
    return WordFilter()
