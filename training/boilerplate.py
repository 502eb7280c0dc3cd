"""What other libraries than Project Gutenberg put around their books, found paragraph by paragraph.

Project Gutenberg Australia and Canada, Faded Page, Standard Ebooks, Wikisource. None of them has
one mark for the first line of a book, as Project Gutenberg has (see `gutenberg.py`): a header is a
run of paragraphs, of which the first names the library and another one says what only it says. A
story that merely speaks of one of them has no such run, and stays whole.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_LONGEST = 2500  # characters: no paragraph of a header is longer
_NAMING = 600  # ... nor the one that names the library
_GAP = 3  # paragraphs of something else, such as a volunteer's note, may stand between two
_MOST = 80  # paragraphs: no run is longer


@dataclass(frozen=True)
class Library:
    """How a library's own paragraphs are known; patterns are of paragraphs in one line.

    Attributes:
        name: what it is called.
        opens: is found in the first paragraph of a run.
        says: is found in another one of it, or in the same.
        closes: all of a paragraph that ends a book, where a run came before it.
    """

    name: str
    opens: re.Pattern[str]
    says: re.Pattern[str]
    closes: re.Pattern[str] | None = None


class Run(NamedTuple):
    """Paragraphs of a library's own: where they begin and end in the text, and whose they are."""

    start: int
    end: int
    library: str


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.I)


# Brackets and signs may have been changed before: see `text.py`.
_BOOK_ENDS = _any(r"[\[(]_?(?:the )?end of .{1,200}\bby .{1,100}[\])]$")
_CANADIAN = (
    r"this e-?book is made available at no cost and with very few restrictions",
    r"this work is in the canadian public domain",
)
_VOLUNTEERS = r"^this ebook is the product of many hours of hard work .{0,40}standard ebooks\b"
LIBRARIES = (
    Library(
        "Project Gutenberg Australia",
        _any(
            r"\ba project gutenberg (?:of )?australia e-?book\b",
            r"^(?:project gutenberg )?australia\W+a treasure-trove of literature",
            r"^project gutenberg(?: of)?(?: australia)?$",
            r"^this site is full of free e-?books",
        ),
        _any(
            r"project gutenberg (?:of )?australia e-?books are created from printed editions",
            r"^to contact project gutenberg (?:of )?australia\b",
            r"terms of the project gutenberg (?:of )?australia licen[cs]e",
            r"\be-?book no\.?:? ?\d{6,7}h?\b",
            r"^view our licen[cs]e and header",
            r"^this site is full of free e-?books\W+project gutenberg australia\b",
        ),
        _any(
            r"project gutenberg (?:of )?australia$",
            r"this site is full of free e-?books\b.*",
            r"go to project gutenberg australia home page$",
        ),
    ),
    Library(
        "Project Gutenberg Canada",
        _any(r"^(?:a|the) project gutenberg (?:of )?canada e-?book\b"),
        _any(*_CANADIAN, r"\bproject gutenberg (?:of )?canada e-?book #?\s?\d"),
        _BOOK_ENDS,
    ),
    Library(
        "Faded Page",
        _any(r"^a distributed proofreaders canada e-?book\b"),
        _any(*_CANADIAN, r"\bfaded page e-?book #?\s?\d"),
        _BOOK_ENDS,
    ),
    Library(
        "Standard Ebooks",
        _any(
            r"^imprint$",
            r"^colophon$",
            r"^uncopyright$",
            _VOLUNTEERS,
        ),
        _any(
            _VOLUNTEERS,
            r"^standard ebooks is a volunteer-driven project",
            r"^the volunteer-driven standard ebooks project",
            r"^this particular ebook is based on a transcription\b",
            r"^the (?:source text|writing) and artwork (?:in this ebook|within) are believed",
            r"^this ebook was produced for standard ebooks\b",
            r"^the cover (?:and title )?pages? (?:is adapted|features? the league spartan)",
            r"^(?:the first edition of )?this (?:ebook|edition) was released on\b",
            r"^you can check for updates to this ebook\b",
            r"^may you do good and not evil\b",
            r"^copyright pages exist to tell you that you can['\u2019]t do something",
            r"^non-authorship activities performed on items that are in the public domain",
            r"\bstandard ebooks makes no representations\b",
        ),
    ),
    Library(
        "Wikisource",
        _any(r"^exported from wikisource on\b", r"^about this digital edition$"),
        _any(
            r"^exported from wikisource on\b",
            r"^this e-?book comes from the online library wikisource",
            r"^we distribute our books for free\b",
            r"^wikisource is constantly looking for new members",
            r"^during book creation, some errors may have been introduced",
            r"^the following (?:users|contributors) contributed to this book",
            r"^\W*https?:\W+(?:www\.)?(?:wikisource|creativecommons|gnu)\.org\b",
        ),
    ),
)
# Without any of these there is nothing to look for.
_NAMES = (
    *("australia a treasure-trove", "gutenberg australia", "gutenberg of australia"),
    *("gutenberg canada", "gutenberg of canada", "proofreaders canada ebook"),
    *("standard ebooks", "wikisource"),
)
_DETAILS = _any(  # they belong to a run that they stand beside
    r"^(?:title|author|illustrator|translator|editor|publisher|language|edition|credits"
    r"|production notes?|e-?book no\.?|character set encoding|most recent update"
    r"|date (?:of first|first|most|last)|edition used|this e-?book was (?:produced|transcribed))"
    r"[^:]{0,60}:",
    r"^(?:this e-?book was|e-?text) (?:produced|transcribed|prepared) by\b",
    r"^\W+$",
    r"^(?:browse|search) the (?:entire )?site\b",
    r"^treasure found hidden with no evidence of ownership",
    r"^go to project gutenberg australia home page",
    r"^copyright laws are changing all over the world",
)


class _Paragraph(NamedTuple):
    start: int
    end: int
    line: str  # all of it as one line without a sign before it; "" if it is too long


def find_runs(text: str) -> list[Run]:
    """Headers and endings of other libraries, in their order, in time that grows with the text.

    Args:
        text: all of a file, line ends plain newlines.
    """
    words = text.lower().replace("\n", " ")
    if not any(name in words for name in _NAMES):
        return []
    paragraphs = list(_paragraphs(text))
    runs: list[Run] = []
    known: list[Library] = []
    at = floor = 0  # where to look; the paragraph after the run before
    while at < len(paragraphs):
        library, end = _run(paragraphs, at, known)
        if library is not None:
            while at > floor and _is_detail(paragraphs[at - 1]):
                at -= 1
            runs.append(Run(paragraphs[at].start, paragraphs[end - 1].end, library.name))
            known.append(library)
            floor = end
        at = end
    return runs


def _run(
    paragraphs: Sequence[_Paragraph], at: int, known: Sequence[Library]
) -> tuple[Library | None, int]:
    """Whose run begins with this paragraph, if any does, and the paragraph after it."""
    line = paragraphs[at].line
    if 0 < len(line) <= _NAMING:
        for library in LIBRARIES:
            if library.opens.search(line) and (end := _end_of_run(library, paragraphs, at)):
                return library, end
        for library in known[-1:]:
            if library.closes and library.closes.match(line):
                return library, at + 1
    return None, at + 1


def _end_of_run(library: Library, paragraphs: Sequence[_Paragraph], at: int) -> int:
    """The paragraph after the run; 0 if nothing says that it is one."""
    end = gap = 0
    for number in range(at, min(at + _MOST, len(paragraphs))):
        if end and _opens(paragraphs[number]):  # of a short book the ending is near
            break
        if library.says.search(paragraphs[number].line):
            end, gap = number + 1, 0
        elif number > at and not _is_detail(paragraphs[number]):
            gap += 1
        if gap > _GAP:
            break
    while 0 < end < len(paragraphs) and _is_detail(paragraphs[end]) and not _opens(paragraphs[end]):
        end += 1
    return end


def _opens(paragraph: _Paragraph) -> bool:
    return len(paragraph.line) <= _NAMING and any(
        library.opens.search(paragraph.line) for library in LIBRARIES
    )


def _is_detail(paragraph: _Paragraph) -> bool:
    return 0 < len(paragraph.line) <= _NAMING and _DETAILS.search(paragraph.line) is not None


def _paragraphs(text: str) -> Iterator[_Paragraph]:
    start, end = -1, 0
    at = 0
    for line in text.split("\n"):
        stop = at + len(line)
        if line and not line.isspace():
            start, end = at if start < 0 else start, stop
        elif start >= 0:
            yield _paragraph(text, start, end)
            start = -1
        at = stop + 1
    if start >= 0:
        yield _paragraph(text, start, end)


def _paragraph(text: str, start: int, end: int) -> _Paragraph:
    line = " ".join(text[start:end].split()) if end - start <= 2 * _LONGEST else ""
    line = line.lstrip("*=_# ").rstrip("*=_# ") or line
    return _Paragraph(start, end, line if len(line) <= _LONGEST else "")
