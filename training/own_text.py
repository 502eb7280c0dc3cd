"""A text of one's own, clean: in its own characters, with nothing left out but what nobody sees."""

import re
import unicodedata
from typing import NamedTuple

from model.sentences import STOPS
from training.gutenberg import bodies
from training.text import BRACKETS, VERSE_WIDTH, clean_book, known_words, unwrap

_LINE = 100  # characters: text with longer lines was not broken to fit a width
_LONG_LINES = 50  # one line in so many may be longer, such as an address

_LINE_END = re.compile(rf"[.!?:;{STOPS}\u3002\uff01\uff1f][\"')_\u201d\u2019\u00bb\u201c\u300d]*$")
# What is of no shape alone, but joins or changes what is near it, and Arabic signs around figures.
_SHAPING = re.compile(
    "[\u200c\u200d\U000e0020-\U000e007f"
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]"
)


class OwnText(NamedTuple):
    """A clean text, and one line for each thing that was left out of it."""

    text: str
    notes: tuple[str, ...]


def own_text(raw: str) -> OwnText:
    """Any text in its own characters (NFC), clean; the text is "" if nothing is left.

    A printed book (of Project Gutenberg or another library, or with marks like [Illustration]) is
    cleaned as `book_text` does, but for the characters. Of anything else nothing is left out but
    what nobody can see; lines that were broken to fit a width are joined.

    Args:
        raw: the decoded file, its line ends plain newlines.
    """
    text, notes = _own_characters(raw)
    books, around, libraries = bodies(text)
    if around:
        whose = " and ".join(f"{library}'s" for library in libraries)
        notes.append(f"left out {around:,} characters around the text: {whose}")
    if around or "[Illustration" in text:
        cleaned = [clean_book(BRACKETS.sub("", book)) for book in books]
        lost = sum(_printed(book) for book in books) - sum(map(_printed, cleaned))
        if lost > 0:
            notes.append(
                f"left out {lost:,} characters: title page, contents, captions, notes, rules"
            )
    else:
        cleaned = [_plain(book) for book in books]
    return OwnText("\n".join(text for text in cleaned if text), tuple(notes))


def _printed(text: str) -> int:
    """How many characters of a text leave ink."""
    return len("".join(text.split()))


def _own_characters(text: str) -> tuple[str, list[str]]:
    """Letters composed (NFC), any space but the ideographic one plain, nothing invisible."""
    text = unicodedata.normalize("NFC", text)
    spellings: dict[int, str] = {}
    for character in dict.fromkeys(text):
        kind = unicodedata.category(character)
        if character == "\t" or (kind == "Zs" and character != "\u3000"):
            spellings[ord(character)] = " "
        elif (
            character != "\n"
            and not _SHAPING.match(character)
            and (kind in ("Cc", "Cf", "Co", "Cs") or character in "\ufffd\ufffe\uffff")
        ):
            spellings[ord(character)] = ""
    visible = "".join(
        chr(code)
        for code, spelling in spellings.items()
        if not spelling and unicodedata.category(chr(code)) not in ("Cf", "Cs")
    )
    lost = sum(map(text.count, visible))
    notes = [f"left out {lost:,} characters that have no shape ({visible[:20]!a})"] if lost else []
    return text.translate(spellings), notes


def _plain(text: str) -> str:
    """A text that is no printed book: paragraphs parted by one empty line, lines as they are."""
    lines = [line.rstrip() for line in text.split("\n")]
    blocks = [block.strip("\n") for block in re.split(r"\n{2,}", "\n".join(lines))]
    blocks = [block for block in blocks if block]
    if _is_wrapped(blocks):
        known = known_words("\n".join(lines))
        blocks = [
            unwrap([line.strip() for line in block.split("\n")], VERSE_WIDTH, known)
            for block in blocks
        ]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _is_wrapped(blocks: list[str]) -> bool:
    """Whether lines were broken to fit a width, and not because something ended there."""
    lines = sorted((len(line) for block in blocks for line in block.split("\n")), reverse=True)
    if not lines or lines[len(lines) // _LONG_LINES] > _LINE:
        return False
    inner = [line for block in blocks for line in block.split("\n")[:-1]]
    ended = sum(bool(_LINE_END.search(line)) for line in inner)
    return len(inner) > 0 and 2 * ended <= len(inner)
