"""What Project Gutenberg puts around its books, found and cut off: headers, licences of all ages.

A file may hold several books one after another, or a text of one's own before or behind a book.
"""

import re
from typing import NamedTuple

_FAR = 40_000  # characters: no header is longer
_NAME = "PROJECT GUTENBERG"

_MARKS = re.compile(
    r"""(?P<start>\*{3}\s*START\s+OF\s+(?:THE|THIS)\s+NAME(?:[^\n*]*(?:\n[^\n*]*)?\*{3}[ ]*$|[^\n]*)
        |^[^\n\w]*END\s*\*?\s*THE\s+SMALL\s+PRINT[^\n]*)            # until about 2004
    |(?P<end>\*{3}\s*END\s+OF\s+(?:THE|THIS)\s+NAME(?:[^\n*]*(?:\n[^\n*]*)?\*{3}[ ]*$|[^\n]*)
        |^[^\n\w]*END\s+OF\s+(?:THE\s+|THIS\s+)?NAME[^\n]*)
    |(?P<licence_end>newsletter\s+to\s+hear\s+about\s+new\s+eBooks\.)
    |(?P<header>^[^\n\w]*(?:(?:THIS\s+IS\s+)?THE\s+)?NAME(?:['\u2019]S)?\s+
        (?:(?:E-?BOOK|E-?TEXT|EDITION)\b|(?=[^\n]*,\s+BY\s))[^\n]*)""".replace(
        "NAME", r"PROJECT\s+GUTENBERG"
    ),
    re.I | re.M | re.X,
)


class Bodies(NamedTuple):
    """The books in a file, and how many characters stood around them."""

    texts: list[str]
    left_out: int


def bodies(text: str) -> Bodies:
    """What a file holds, without the headers and licences of Project Gutenberg.

    Args:
        text: all of it, line ends plain newlines. Without any mark of Gutenberg's it is one text.
    """
    marks = list(_MARKS.finditer(text))
    if not any(mark.lastgroup in ("start", "end") for mark in marks):
        return Bodies([text], 0)
    kept: list[str] = []
    since = 0  # where the text began that is being read; -1: a header or a licence is
    licence = 0
    for number, mark in enumerate(marks):
        kind = mark.lastgroup
        if kind == "start":
            since = mark.end()
        elif kind == "end" and since >= 0:
            kept.append(text[since : mark.start()])
            since, licence = -1, mark.end()
        elif kind == "licence_end" and since < 0:
            since = mark.end()
        elif kind == "header" and _begins_book(marks, number):
            if since >= 0:
                kept.append(text[since : mark.start()])
            since = -1
    if since < 0 and _NAME not in text[licence:].upper():
        since = licence  # the licence had been cut off before, and something else put there
    if since >= 0:
        kept.append(text[since:])
    kept = [body for body in kept if body.strip()]
    return Bodies(kept, len(text) - sum(map(len, kept)))


def _begins_book(marks: list[re.Match[str]], number: int) -> bool:
    """Whether what looks like a header's first line is one: the start of a book follows."""
    following = (mark for mark in marks[number + 1 :] if mark.lastgroup != "header")
    mark = next(following, None)
    return (
        mark is not None and mark.lastgroup == "start" and mark.start() - marks[number].end() < _FAR
    )
