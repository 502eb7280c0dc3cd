"""What Project Gutenberg puts around its books, found and cut off: headers, licences of all ages.

A file may hold several books one after another, or a text of one's own before or behind a book.
What other libraries put around theirs is found in `boilerplate.py`.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from training.boilerplate import Run, find_runs

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
    """The books in a file, how many characters stood around them, and whose those are."""

    texts: list[str]
    left_out: int
    libraries: tuple[str, ...] = ()


def bodies(text: str) -> Bodies:
    """What a file holds, without the headers and licences of the libraries that it comes from.

    Args:
        text: all of it, line ends plain newlines. Without any mark of a library it is one text.
    """
    kept: list[str] = []
    libraries: dict[str, None] = {}  # in their order
    at = 0
    for run in (*find_runs(text), Run(len(text), len(text), "")):
        part = text[at : run.start]
        marks = list(_MARKS.finditer(part))
        if any(mark.lastgroup in ("start", "end") for mark in marks):
            kept += _between(part, marks)
            libraries["Project Gutenberg"] = None
        else:
            kept.append(part)
        if run.library:
            libraries[run.library] = None
        at = run.end
    if not libraries:
        return Bodies([text], 0)
    kept = [body for body in kept if body.strip()]
    return Bodies(kept, len(text) - sum(map(len, kept)), tuple(libraries))


def _between(text: str, marks: Sequence[re.Match[str]]) -> list[str]:
    """What stands between the headers and licences of Project Gutenberg."""
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
    return kept


def _begins_book(marks: Sequence[re.Match[str]], number: int) -> bool:
    """Whether what looks like a header's first line is one: the start of a book follows."""
    following = (mark for mark in marks[number + 1 :] if mark.lastgroup != "header")
    mark = next(following, None)
    return (
        mark is not None and mark.lastgroup == "start" and mark.start() - marks[number].end() < _FAR
    )
