"""Clean text cut at its chapter headings: "CHAPTER II", "IV. The Bridge"."""

import re

_HEADING = 120  # characters: a paragraph that is longer is no heading

_UNITS = "ONE|TWO|THREE|FOUR|FIVE|SIX|SEVEN|EIGHT|NINE"
_ROMAN_NUMBER = r"(?=[IVXLC])C{0,2}(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,4})(?![A-Za-z0-9'])"
_NUMBER = (
    rf"(?:{_ROMAN_NUMBER}|(?:\d{{1,3}}|(?:(?:TWENTY|THIRTY|FORTY|FIFTY)[- ]?)?(?:{_UNITS})|TEN"
    r"|ELEVEN|TWELVE|(?:THIR|FOUR|FIF|SIX|SEVEN|EIGH|NINE)TEEN|TWENTY|THIRTY|FORTY|FIFTY"
    r"|THE \w+)\b)"
)
_CHAPTER = re.compile(
    rf"_?(?:(?:CHAPTER|CHAP\.|STORY|BOOK|PART) {_NUMBER}|THE \w+ CHAPTER(?![A-Za-z]))[^\n]*$",
    re.I | re.M,
)
_ROMAN = re.compile(rf"_?{_ROMAN_NUMBER}(?:\.?_?$|(?:\.|\.? ?--?) ?[A-Z_\"'][^\n]*$)", re.M)
FIRST = re.compile(r"_?(?:(?:CHAPTER|CHAP\.|STORY) )?(?:I|1|ONE|(?:THE )?FIRST)\b(?!')", re.I)


def chapters(text: str) -> list[str]:
    """Clean text cut at its chapter headings; each keeps its heading, what precedes is dropped.

    A text without headings is one chapter.
    """
    blocks = text.strip("\n").split("\n\n")
    headings = [i for i, block in enumerate(blocks) if is_heading(block)]
    named = [i for i in headings if _CHAPTER.match(blocks[i])]
    marks = named if len(named) > 1 else headings or [0]
    ends = [*marks[1:], len(blocks)]
    return ["\n\n".join(blocks[i:j]) + "\n" for i, j in zip(marks, ends, strict=True)]


def story(chapter: str) -> str:
    """A chapter without the headings it begins with."""
    blocks = chapter.strip("\n").split("\n\n")
    while blocks and (is_heading(blocks[0]) or blocks[0].isupper()):
        del blocks[0]
    return "\n\n".join(blocks)


def is_heading(block: str) -> bool:
    """Whether a paragraph of clean text begins a chapter: "CHAPTER II", "IV. The Bridge"."""
    if len(block) >= _HEADING or not (_CHAPTER.match(block) or _ROMAN.match(block)):
        return False
    return not any(_CHAPTER.match(line) or _ROMAN.match(line) for line in block.split("\n")[1:])
