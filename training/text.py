"""From a Gutenberg file to clean text: plain ASCII, one paragraph a line, no front matter.

The shape of clean text: paragraphs are lines, parted by one blank line; a verse keeps its lines;
chapter headings stay. All functions here are pure, and cleaning clean text changes nothing.
"""

from __future__ import annotations

import re
from collections import Counter

from model.vocab import fold

ALPHABET = "\n !\"'()*,-.:;?_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""All that clean text may hold. Rarer ASCII symbols are mapped or dropped by `_SYMBOLS`."""

_SYMBOLS = str.maketrans(
    {"[": "(", "{": "(", "]": ")", "}": ")", "/": "-", "`": "'", "&": " and ", "%": " per cent"}
    | dict.fromkeys("#$+<=>@\\^|~")
)


_MARKER = r"^[ \t]*\*{3} ?%s OF (?:THE|THIS) PROJECT GUTENBERG[^\n]*(?:\n[^\n]+)*?\*{3}[ \t]*$"
_START = re.compile(_MARKER % "START", re.M | re.I)
_END = re.compile(_MARKER % "END", re.M | re.I)
# [Illustration: ...], [Footnote 1: ...], [Transcriber's Note: ...], [Pg 12], [1], {12}: not the book.
_BRACKETS = re.compile(
    r"\[(?:_?Illustrat|_?Picture|_?Footnote|Transcri|Music|Sidenote|Decorat|Frontis|Note|_?Pg|_?Page|Blank|Copyright)"
    r"(?:[^\[\]]|\[[^\[\]]*\])*\]|\[[\dA-Z*]{1,3}\]|\{\d+\}",
    re.I,
)
_SPACES = re.compile(r" {2,}")
_BLOCKS = re.compile(r"\n\s*\n")
_BREAK = re.compile(r"^(?:[*.\u2022\u00b7] *){2,}$|^\*$")
_RULE = re.compile(r"^[-_ ']*$")
_STAR_ITALICS = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])")
_LONE_STAR = re.compile(r"(?<!\*)\*{1,2}(?!\*)")
_DASHES = re.compile(r"-{3,}")
_DOTS = re.compile(r"\.(?: ?\.){2,}")
_HYPHEN_END = re.compile(r"[A-Za-z]-$")
_NOT_BROKEN_DASH = re.compile(r"[.!?\"')_]$")

_NUMBER = (
    r"(?:[IVXLC]+|\d{1,3}|(?:(?:TWENTY|THIRTY|FORTY|FIFTY)[- ]?)?(?:ONE|TWO|THREE|FOUR|FIVE|SIX|SEVEN"
    r"|EIGHT|NINE)|TEN|ELEVEN|TWELVE|(?:THIR|FOUR|FIF|SIX|SEVEN|EIGH|NINE)TEEN|TWENTY|THIRTY|FORTY"
    r"|(?:THE )?(?:FIRST|SECOND|THIRD|LAST))"
)
_CHAPTER = re.compile(rf"^_?(?:CHAPTER|CHAP\.|STORY|BOOK|PART) {_NUMBER}\b[^\n]*$", re.I)
_ROMAN = re.compile(r"^_?[IVXLC]+(?:\.?_?$|\. \S[^\n]*$)")
_FIRST = re.compile(r"^_?(?:(?:CHAPTER|CHAP\.|STORY) )?(?:I|1|ONE|THE FIRST|FIRST)\b(?!')", re.I)
_CONTENTS = re.compile(r"^\W*(?:TABLE OF )?CONTENTS\b\W*", re.I)
_LISTS = re.compile(r"^\W*(?:LIST OF |FULL-PAGE )?ILLUSTRATIONS?\b\W*$", re.I)
_THE_END = re.compile(r"^\W*(?:THE END|FINIS)\W*$", re.I)
_BACK = re.compile(
    r"^\W*(?:FOOTNOTES?|ENDNOTES?|NOTES AND REFERENCES|TRANSCRIBER'?S?'? NOTES?|"
    r"(?:END OF )?(?:THE )?PROJECT GUTENBERG.*)\W*(?:\n|$|:)",
    re.I,
)


def book_text(raw: str, *, width: int = 56, start: str = "", end: str = "") -> str:
    """Any Gutenberg file, or plain text, as clean text.

    raw: the decoded file. width: a line to which the next line's first word could have been added
    without passing this many characters was ended on purpose (verse); others are wrapped prose.
    start, end: how the book's first paragraph and the first one after the book begin, where they
    are not found by themselves.
    """
    text, _ = fold(raw.removeprefix("\ufeff"))
    if marker := _START.search(text):
        text = text[marker.end() :]
    if marker := _END.search(text):
        text = text[: marker.start()]
    text = _BRACKETS.sub("", text).translate(_SYMBOLS)
    text = _DOTS.sub(lambda m: "..." if m[0].count(".") == 3 else "....", text)
    text = _DASHES.sub(lambda m: "--" if len(m[0]) == 3 else "----", text)
    lines = [_line(line) for line in text.split("\n")]
    blocks = [b.split("\n") for b in _BLOCKS.split("\n".join(lines).strip("\n")) if b]
    known = Counter(re.findall(r"[A-Za-z]+(?:-[A-Za-z]+)*", text.lower()))
    paragraphs = _cut([_unwrap(block, width, known) for block in blocks], start, end)
    return "\n\n".join(_headings(paragraphs)) + "\n"


def _line(line: str) -> str:
    line = _SPACES.sub(" ", line).strip()
    if not line:
        return ""
    if "*" in line:
        if _BREAK.match(line):
            return "* * *"
        line = _LONE_STAR.sub("", _STAR_ITALICS.sub(r"_\1_", line))
        line = _SPACES.sub(" ", line).strip()
    return "" if _RULE.match(line) else line


def _unwrap(lines: list[str], width: int, known: Counter[str]) -> str:
    """One paragraph as one line, or a verse with its lines."""
    if len(lines) == 1:
        return lines[0]
    early = sum(
        len(line) + 1 + len(following.split(" ", 1)[0]) <= width
        for line, following in zip(lines, lines[1:], strict=False)
    )
    if 2 * early >= len(lines) - 1:
        return "\n".join(lines)
    text = lines[0]
    for line in lines[1:]:
        text = _join(text, line, known)
    return text


def _join(left: str, right: str, known: Counter[str]) -> str:
    if left.endswith("--") and not left.endswith((" --", "----")):
        return left + right
    if (
        right.startswith("--")
        and not right.startswith(("-- ", "----"))
        and not _NOT_BROKEN_DASH.search(left)
    ):
        return left + right
    if _HYPHEN_END.search(left) and right[:1].isalpha() and not right.startswith(("and ", "or ")):
        # The hyphen of a torn word goes, that of a compound stays: the rest of the text knows.
        first = re.split(r"[^A-Za-z]", left[:-1])[-1].lower()
        second = re.split(r"[^A-Za-z]", right)[0].lower()
        torn = known[first + second] > known[f"{first}-{second}"]
        return left[: -1 if torn else None] + right
    return f"{left} {right}"


def is_heading(block: str) -> bool:
    """Whether a paragraph of clean text begins a chapter."""
    return len(block) < 120 and bool(_CHAPTER.match(block) or _ROMAN.match(block))


def _prose(block: str, length: int = 60) -> bool:
    lower = sum(map(str.islower, block))
    return len(block) >= length and not is_heading(block) and lower > len(block) / 2 and block[-1] in ".!?\"':-)_"


def _cut(blocks: list[str], first: str, after: str) -> list[str]:
    """Without title page, contents, lists and what follows THE END."""
    if after:
        ends = [i for i, block in enumerate(blocks) if block.startswith(after)]
        blocks = blocks[: ends[-1]] if ends else blocks
    if first:
        starts = [i for i, block in enumerate(blocks) if block.startswith(first)]
        if starts:
            return _without_back(blocks[starts[-1] :])
    early = len(blocks) // 5 + 1
    start = 0
    for i, block in enumerate(blocks[: early + 1]):
        if _CONTENTS.match(block) or _LISTS.match(block):
            start = i + 1
    firsts = [
        i
        for i, block in enumerate(blocks[: early + start], 0)
        if i >= start
        and is_heading(block)
        and _FIRST.match(block)
        and any(map(_prose, blocks[i + 1 : i + 5]))
    ]
    if firsts:
        start = firsts[0]
    elif start:
        # No numbered chapters: the first title that is followed by prose.
        while start < len(blocks) - 1 and not (
            len(blocks[start]) < 80 and _prose(blocks[start + 1], 150)
        ):
            start += 1
    return _without_back(blocks[start:])


def _without_back(blocks: list[str]) -> list[str]:
    for i in range(len(blocks) * 3 // 5, len(blocks)):
        if _BACK.match(blocks[i]) or (i > len(blocks) * 0.85 and _THE_END.match(blocks[i])):
            return _without_back(blocks[:i])
    return blocks


def _headings(blocks: list[str]) -> list[str]:
    """A chapter's title in capitals, centred over many lines, becomes one line."""
    return [
        block.replace("\n", " ") if i and is_heading(blocks[i - 1]) and block.isupper() else block
        for i, block in enumerate(blocks)
    ]


def chapters(text: str) -> list[str]:
    """Clean text cut at its chapter headings; each keeps its heading, what precedes is dropped."""
    blocks = text.strip("\n").split("\n\n")
    marks = [i for i, block in enumerate(blocks) if len(block) < 120 and _CHAPTER.match(block)]
    if len(marks) < 2:
        marks = [i for i, block in enumerate(blocks) if is_heading(block)]
    marks = marks or [0]
    return [
        "\n\n".join(blocks[i:j]) + "\n"
        for i, j in zip(marks, [*marks[1:], len(blocks)], strict=True)
    ]


_ELISIONS = (
    "tis|twas|twere|twill|twould|em|im|cause|cos|cuz|coz|bout|un|ud|ad|ave|e|er|ere|ead|eart|ouse|ome|ow|ope|"
    "n|til|till|pon|neath|gainst|way|nother|spect|fraid|nuff|stead|ware|gin|twixt|tother|prentice|"
    "ave|as|is|eavens|ullo|alf|and|ands|orse|ard|ear|eard|igh|ot|undred|eaven|ole|oo|ooks?|ealth"
)
_QUOTE = re.compile(
    rf"""(?P<inside>(?<=[A-Za-z0-9])'(?=[A-Za-z]))     # don't
    |(?P<elision>(?<![\w.,!?])'(?=(?:{_ELISIONS})\b)) # 'tis
    |(?P<open>(?:(?<=^)|(?<=[\s(_"'-]))'(?=[\w"'(_.-]))
    |(?P<close>(?<=[^\w\s])'(?![A-Za-z])|(?<=_)'(?![A-Za-z]))
    |(?P<maybe>(?<=\w)'(?![A-Za-z]))
    |(?P<double>")
    |(?P<other>')""",
    re.X | re.I,
)


def unquote(text: str) -> str:
    """Turn clean text whose speech stands in 'single quotes' into one with "double quotes"."""
    return "\n\n".join(map(_unquote_paragraph, text.split("\n\n")))


def _unquote_paragraph(paragraph: str) -> str:
    marks = list(_QUOTE.finditer(paragraph))
    kinds = [mark.lastgroup for mark in marks]
    if kinds and kinds[0] == "elision" and marks[0].start() == 0:
        kinds[0] = "open"
    out, last, inside = [], 0, False
    for i, (mark, kind) in enumerate(zip(marks, kinds, strict=True)):
        out.append(paragraph[last : mark.start()])
        last = mark.end()
        new = "'"
        if kind == "open" and not inside:
            new, inside = '"', True
        elif inside and kind == "maybe":
            # The boys' or the end of speech: an apostrophe, if the speech is closed further on.
            following = next((k for k in kinds[i + 1 :] if k in ("open", "close")), None)
            if following != "close":
                new, inside = '"', False
        elif inside and kind == "close":
            new, inside = '"', False
        out.append(new)
    return "".join(out) + paragraph[last:]


def balanced(text: str) -> float:
    """Share of the paragraphs with double quotes in which every quote that opens also closes."""
    quoted = [p for p in text.split("\n\n") if '"' in p]
    return sum(p.count('"') % 2 == 0 for p in quoted) / max(1, len(quoted))
