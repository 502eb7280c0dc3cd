"""From a Gutenberg file to clean text: plain ASCII, one paragraph a line, no front matter.

The shape of clean text: paragraphs are lines, parted by one blank line; a verse keeps its lines;
chapter headings stay. All functions here are pure, and cleaning clean text changes nothing.
`training.own_text` does the same for a text of one's own, in its own characters.
"""

import re
from collections import Counter
from itertools import pairwise

from model.sentences import is_word
from model.vocab import fold
from training.chapters import FIRST, is_heading
from training.gutenberg import bodies

ALPHABET = "\n !\"'()*,-.0123456789:;?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""All that clean text may hold. `_SYMBOLS` maps or drops the rarer half of ASCII."""

VERSE_WIDTH = 56
"""A line that ends before this column, though the next word had room, was ended on purpose."""

# Where something is found by its size or its place, these say how far that goes; they were tried on
# the books of data/books.toml, of which tests hold the first and last words.
_TITLE = 80  # characters: the title of a chapter without a number is no longer
_PROSE = 60  # characters: a paragraph of prose has as many
_FIRST_PROSE = 150  # what follows a title without a number must be longer to be its chapter
_PROSE_NEAR = 4  # paragraphs after a chapter's heading, one of which is prose
_FRONT = 1 / 5  # of the paragraphs, in which title page and contents end
_BACK = 3 / 5  # of the paragraphs, after which notes may begin
_END_SHARE, _END_LEFT = 0.85, 20  # THE END stands after this share, or with so few paragraphs left

_SYMBOLS = str.maketrans(
    {"[": "(", "{": "(", "]": ")", "}": ")", "/": "-", "`": "'", "&": " and ", "%": " per cent"}
    | dict.fromkeys("#$+<=>@\\^|~")
)

# Around the book.
_CONTENTS = re.compile(
    r"^\W*(?:(?:TABLE OF )?CONTENTS\b|(?:LIST OF |FULL-PAGE )?ILLUSTRATIONS?\b\W*$)", re.I
)
_THE_END = re.compile(r"^\W*(?:THE END|FINIS)\W*$", re.I)
_BACK_MATTER = re.compile(
    r"^\W*(?:FOOTNOTES?|ENDNOTES?|NOTES AND REFERENCES|TRANSCRIBER'?S?'? NOTES?"
    r"|(?:END OF )?(?:THE )?PROJECT GUTENBERG[^\n]*)\W*(?:\n|$|:)",
    re.I,
)

# In the book, but not of it: [Illustration: ...], [Footnote 1: ...], [Pg 12], [1], {12}.
BRACKETS = re.compile(
    r"\[_?(?:Illustrat|Picture|Footnote|Transcri|Music|Sidenote|Decorat|Frontis|Note|Pg|Page|Blank"
    r"|Copyright)[^\[\]]{0,4000}(?:\[[^\[\]]{0,2000}\][^\[\]]{0,4000})*\]|\[(?:\d{1,3}|(?-i:[A-Z])|\*)\]|\{\d+\}",
    re.I,
)

# Lines.
_SPACES = re.compile(r" {2,}")
_BLOCKS = re.compile(r"\n\s*\n")
_STAR_LINE = re.compile(r"^ *\*[ *]*$", re.M)
_RULE = re.compile(r"[-_ ']*$")
_STAR_ITALICS = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])")
_LONE_STARS = re.compile(r"(?<!\*)\*{1,2}(?!\*)")
_DASHES = re.compile(r"-{3,}")
_DOTS = re.compile(r"\.(?: ?\.){2,}")
_HYPHEN_END = re.compile(r"[^\W\d_]-$", re.M)
_SENTENCE_END = re.compile(r"[.!?\"')_]$")
_TORN = re.compile(r"[a-z][a-z,;]$")
_PAGE_NUMBER = re.compile(r"\d{2,3}$")


def book_text(raw: str, *, width: int = VERSE_WIDTH, start: str = "", end: str = "") -> str:
    """Any Gutenberg file, or plain text, as clean text; "" if nothing is left.

    Args:
        raw: the decoded file.
        width: see VERSE_WIDTH; less for a book with narrow pages, more for one of long verses.
        start: how the book's first paragraph begins, where it is not found by itself.
        end: how the first paragraph after the book begins, likewise.
    """
    text, _ = fold(raw)
    text = BRACKETS.sub("", text).translate(_SYMBOLS)
    return clean_book("\n\n\n".join(bodies(text).texts), width, start, end)


def clean_book(text: str, width: int = VERSE_WIDTH, start: str = "", end: str = "") -> str:
    """A book whose characters are right and whose brackets are gone."""
    if "*" in text:  # a star line is a break between scenes, *words* are italics, others notes
        text = _STAR_LINE.sub("***", text)
        text = _LONE_STARS.sub("", _STAR_ITALICS.sub(r"_\1_", text))
    text = _tidy(_SPACES.sub(" ", text))
    lines = "\n".join(map(_line, text.split("\n"))).strip("\n")
    known = known_words(lines)
    blocks = [unwrap(block.split("\n"), width, known) for block in _BLOCKS.split(lines)]
    blocks = _between(blocks, start, end)
    while (settled := _join_titles(_mend(_without_matter(blocks, started=bool(start))))) != blocks:
        blocks = settled
    return "\n\n".join(blocks) + "\n" if any(blocks) else ""


def known_words(text: str) -> Counter[str]:
    """How often each word occurs, where a word is torn at a line's end: see `_join`."""
    if not _HYPHEN_END.search(text):
        return Counter()
    return Counter(re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text.lower()))


def _tidy(text: str) -> str:
    """Dashes of two or four hyphens, ellipses of three or four points."""
    text = _DASHES.sub(lambda m: "--" if len(m[0]) == 3 else "----", text)
    return _DOTS.sub(lambda m: "..." if m[0].count(".") == 3 else "....", text)


def _line(line: str) -> str:
    line = line.strip()
    if line in ("***", "...", "...."):
        return "\n* * *\n"
    return "" if _RULE.match(line) else line


def unwrap(lines: list[str], width: int, known: Counter[str]) -> str:
    """One paragraph as one line, or a verse with its lines."""
    if any(map(is_word, lines[0])):  # nothing parts the words: a line is what it is
        return "\n".join(lines)
    pairs = list(pairwise(lines))
    early = sum(len(a) + 1 + len(b.split(" ", 1)[0]) <= width for a, b in pairs)
    if 2 * early >= len(pairs):
        return "\n".join(lines)
    text = lines[0]
    for line in lines[1:]:
        text = _join(text, line, known)
    return _tidy(text)


def _join(left: str, right: str, known: Counter[str]) -> str:
    """Two lines of a paragraph as one: words and dashes torn at the line's end are mended."""
    if left.endswith("--") and not left.endswith((" --", "----")):
        return left + right
    if right.startswith("--") and not right.startswith(("-- ", "----")):
        return left + right if not _SENTENCE_END.search(left) else f"{left} {right}"
    if (
        _HYPHEN_END.search(left[-2:])
        and right[:1].isalpha()
        and not right.startswith(("and ", "or "))
    ):
        # The hyphen of a torn word goes, that of a compound stays: the rest of the text knows.
        first = re.split(r"[\W\d_]", left[:-1])[-1].lower()
        second = re.split(r"[\W\d_]", right)[0].lower()
        torn = known[first + second] > known[f"{first}-{second}"]
        return (left[:-1] if torn else left) + right
    return f"{left} {right}"


def _prose(block: str, length: int = _PROSE) -> bool:
    return (
        len(block) >= length
        and block[-1] in ".!?\"':-)_"
        and 2 * sum(map(str.islower, block)) > len(block)
        and not is_heading(block)
    )


def _between(blocks: list[str], start: str, end: str) -> list[str]:
    """The paragraphs from the one that begins with `start` to before that with `end`."""
    if not (start or end):
        return blocks
    text = "\n\n" + "\n\n".join(blocks)
    if end and (at := text.rfind("\n\n" + end)) > 0:
        text = text[:at]
    if start and (at := text.find("\n\n" + start)) > 0:
        text = text[at:]
    return text[2:].split("\n\n")


def _without_matter(blocks: list[str], *, started: bool) -> list[str]:
    """Without title page, contents and lists, and what follows THE END."""
    start = 0 if started else _first_paragraph(blocks)
    count = len(blocks)
    for i in range(max(start + 1, int(count * _BACK)), count):
        late = i > min(count * _END_SHARE, count - _END_LEFT)
        the_end = late and _THE_END.match(blocks[i])
        notes = _BACK_MATTER.match(blocks[i]) and not any(map(is_heading, blocks[i + 1 :]))
        if notes or (the_end and not is_heading(blocks[i - 1])):
            return blocks[start:i]
    return blocks[start:]


def _first_paragraph(blocks: list[str]) -> int:
    early = int(len(blocks) * _FRONT) + 1
    start = 0
    for i, block in enumerate(blocks[:early]):
        if _CONTENTS.match(block):
            start = i + 1
    for i, block in enumerate(blocks[start : start + early], start):
        if (
            is_heading(block)
            and FIRST.match(block)
            and any(map(_prose, blocks[i + 1 : i + 1 + _PROSE_NEAR]))
        ):
            return i  # the heading of the first chapter, not its line in a list: prose is near
    if not start:
        return 0
    # No numbered chapters, but contents: the first title that is followed by prose.
    for i in range(start, len(blocks) - 1):
        if len(blocks[i]) < _TITLE and _prose(blocks[i + 1], _FIRST_PROSE):
            return i
    return 0


def _mend(blocks: list[str]) -> list[str]:
    """Sentences that a picture or the foot of a page had parted, whole; no page numbers."""
    mended: list[str] = []
    for block in blocks:
        if _PAGE_NUMBER.match(block):
            continue
        if (
            mended
            and block[:1].islower()
            and _TORN.search(mended[-1][-3:])  # it may be long
            and "\n" not in block
            and "\n" not in mended[-1]
        ):
            mended[-1] += " " + block
        else:
            mended.append(block)
    return mended


def _join_titles(blocks: list[str]) -> list[str]:
    """A chapter's title in capitals, set in many lines, becomes one line."""
    return [
        block.replace("\n", " ") if i and block.isupper() and is_heading(blocks[i - 1]) else block
        for i, block in enumerate(blocks)
    ]
