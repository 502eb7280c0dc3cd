"""Characters and their ids, and the way from any Unicode text to characters the network knows.

`fold` is the part of cleaning that needs no vocabulary; training uses it too, so a prompt is
cleaned exactly as the books were.
"""

import functools
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from model.files import open_bounded, write_atomically

FORMAT = "pooh vocabulary"
VERSION = 1
MAX_FILE = 2**25  # bytes: room for every character of Unicode

# What Unicode's own decomposition (NFKD) does not turn into ASCII but a printer's case would.
_SPELLINGS = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2039\u203a\u02bc\u02b9\u2032\u00b4\u02c8", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u301d\u301e\u301f", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2043\u2212", "-"),
    **dict.fromkeys("\u2013\u2014\u2015\u2e3a\u2e3b", "--"),
    **dict.fromkeys("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", "\n"),
    **dict.fromkeys("\t\x1f", " "),
    **{"\u2044": "/", "\u00d7": "x", "\u2022": "*"},
    **{"æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ß": "ss", "ẞ": "SS", "þ": "th", "Þ": "Th"},
    **{"ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ł": "l", "Ł": "L"},
    **{"\u0131": "i"},  # a Turkish i has no dot
}
# How people part speech from the rest: the plain mark, and the pairs that books print for it.
_PAIRS = {
    '"': ("\u201e\u201c", "\u201c\u201d", "\u00ab\u00bb", "\u201e\u201d", "\u201d\u201d"),
    "'": ("\u201a\u2018", "\u2018\u2019", "\u2019\u2019", "\u2039\u203a"),
}
_GONE = "\udfff"  # stands for what is dropped while the spaces around it are looked at
# Accents, joiners, controls and lone surrogates: nobody misses them, so nobody is told.
_INVISIBLE = {"Mn", "Me", "Cf", "Cc", "Cs"}


class VocabError(ValueError):
    """A character the vocabulary does not have, or a vocabulary that cannot be used."""


class Cleaned(NamedTuple):
    """Text the vocabulary can say, and each visible character it could not, once, in order."""

    text: str
    dropped: str


@functools.lru_cache(maxsize=4096)
def _spell(character: str) -> str:
    """One character of Unicode in ASCII: "é" is "e", "ﬁ" is "fi"; "" where there is no way."""
    if " " <= character <= "~":
        return character
    if character in _SPELLINGS:
        return _SPELLINGS[character]
    if unicodedata.category(character) == "Zs":
        return " "
    parts = unicodedata.normalize("NFKD", character)
    return "" if parts == character else "".join(map(_spell, parts))


def _visible(character: str) -> bool:
    return unicodedata.category(character) not in _INVISIBLE


def fold(text: str) -> tuple[str, str]:
    """Any Unicode -> plain ASCII (newlines kept), and what had to be dropped.

    Straight quotes, `--` dashes, `...`, no accents, no ligatures, every line end a newline. Folding
    what is folded changes nothing.
    """
    text = text.replace("\r\n", "\n")
    spellings = {character: _spell(character) for character in dict.fromkeys(text)}
    dropped = "".join(c for c, spelling in spellings.items() if not spelling and _visible(c))
    return text.translate({ord(c): spelling for c, spelling in spellings.items()}), dropped


class Vocab:
    """The characters a network knows; a character's id is its place among them.

    Those of a text stand in code-point order; a vocabulary that grew has its new ones at the end.
    """

    __slots__ = ("_ids", "characters")

    characters: str
    _ids: dict[str, int]

    def __init__(self, characters: str) -> None:
        """Raise VocabError unless each of `characters` is there once, and encodable."""
        if not characters:
            raise VocabError("a vocabulary needs at least one character")
        if len(set(characters)) != len(characters):
            twice = next(c for c in characters if characters.count(c) > 1)
            raise VocabError(f"a vocabulary has each character once, this one has {twice!r} twice")
        if any("\ud800" <= character <= "\udfff" for character in characters):
            raise VocabError("a vocabulary cannot hold half a surrogate pair")
        object.__setattr__(self, "characters", characters)
        object.__setattr__(self, "_ids", {c: i for i, c in enumerate(characters)})

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: a vocabulary that changed would no longer fit its weights."""
        raise AttributeError(f"a Vocab does not change; cannot set {name!r}")

    def __reduce__(self) -> tuple[type["Vocab"], tuple[str]]:
        """Copy by building anew (the default way would set attributes)."""
        return Vocab, (self.characters,)

    def __len__(self) -> int:
        """How many characters there are (V)."""
        return len(self.characters)

    def __contains__(self, character: object) -> bool:
        """Whether this one character can be said."""
        return character in self._ids

    def __eq__(self, other: object) -> bool:
        """Vocabularies with the same characters are the same."""
        return isinstance(other, Vocab) and self.characters == other.characters

    def __hash__(self) -> int:
        """Equal vocabularies hash alike."""
        return hash(self.characters)

    def __repr__(self) -> str:
        """The characters, as Python would write them."""
        return f"Vocab({self.characters!r})"

    @classmethod
    def from_text(cls, text: str) -> "Vocab":
        """The vocabulary of all characters in `text`."""
        return cls("".join(sorted(set(text))))

    def grown(self, characters: str) -> "Vocab":
        """This vocabulary and, behind it, what it lacks of `characters`, in code-point order."""
        return Vocab(self.characters + "".join(sorted(set(characters) - self._ids.keys())))

    def encode(self, text: str) -> list[int]:
        """Characters -> ids. Raise VocabError at the first character that is not there."""
        try:
            return [self._ids[character] for character in text]
        except KeyError as error:
            unknown = error.args[0]
            raise VocabError(
                f"character {unknown!r} at position {text.index(unknown)} is not in the "
                f"vocabulary of {len(self)} characters; clean the text first"
            ) from None

    def decode(self, ids: Iterable[int]) -> str:
        """Ids -> characters. Raise VocabError at an id that is not there."""
        characters = []
        for i in ids:
            if not 0 <= i < len(self.characters):
                raise VocabError(f"id {i} is not in the vocabulary: 0 to {len(self) - 1}")
            characters.append(self.characters[i])
        return "".join(characters)

    def clean(self, text: str) -> Cleaned:
        """What the vocabulary can say of any Unicode text. Cleaning what is clean changes nothing.

        What it has stays (letter and accent composed first: NFC); the rest is folded as `fold`
        does; or is put as the network's own text puts it: a straight quote as the quotes it knows,
        `--` as its dash, a capital as a small letter where it knows no capitals. What is still
        unknown is dropped, and of the spaces around it one is left.
        """
        if all(character in self._ids for character in text):
            return Cleaned(text, "")
        text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
        text = self._as_printed(text)
        spellings: dict[str, str] = {}
        dropped = ""
        for character in dict.fromkeys(text):
            spelling = character if character in self._ids else self._spelling(character)
            known = "".join(c for c in spelling if c in self._ids)
            spellings[character] = known or _GONE
            if (known != spelling or not spelling) and _visible(character):
                dropped += character
        text = "".join(map(spellings.__getitem__, text))
        if " " in self._ids:
            text = re.sub(rf"(?<!\S)(?:{_GONE}+ )+| {_GONE}+(?=\n)", "", text)
        return Cleaned(text.replace(_GONE, ""), dropped)

    def spell(self, character: str) -> str:
        """What `clean` makes of one character that stands alone."""
        spelling = character if character in self._ids else self._spelling(character)
        return "".join(c for c in spelling if c in self._ids)

    def _spelling(self, character: str) -> str:
        """A character that is not known, in others that are if there is a way."""
        spelling = _spell(character)
        if spelling and all(c in self._ids for c in spelling):
            return spelling
        if character.isalpha():
            cases = (character.lower(), character.upper(), spelling.lower(), spelling.upper())
            return next((c for c in cases if c and all(x in self._ids for x in c)), spelling)
        # The other way round: a mark that books print, for the plain one that people type.
        marks = (c for c in self.characters if not c.isalnum())
        alike = (c for c in marks if _spell(c) in (spelling, 2 * spelling))
        return next(alike, spelling) if spelling.strip() else spelling

    def _as_printed(self, text: str) -> str:
        """Quotes, dashes and dots as typed -> as printed, where only the printed ones are known."""
        for typed, printed in (("...", "\u2026"), ("--", "\u2014"), ("--", "\u2013")):
            if typed[0] not in self._ids and printed in self._ids:
                text = text.replace(typed, printed)
        for typed, pairs in _PAIRS.items():
            if typed in text and typed not in self._ids:
                known = (pair for pair in pairs if pair[0] in self._ids and pair[1] in self._ids)
                if pair := next(known, None):
                    text = re.sub(rf"(?<![^\s(\[\u2014-]){typed}", pair[0], text)
                    text = text.replace(typed, pair[1])
        return text

    @property
    def digest(self) -> str:
        """SHA-256 of the characters (UTF-8), in hex: the weights file names it."""
        return hashlib.sha256(self.characters.encode()).hexdigest()

    def save(self, path: Path) -> None:
        """Write the list of characters as JSON a person can read, atomically."""
        content = {"format": FORMAT, "version": VERSION, "characters": list(self.characters)}
        write_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())

    @classmethod
    def load(cls, path: Path) -> "Vocab":
        """Read what `save` wrote. Raise VocabError naming the file and what is wrong with it."""
        try:
            with open_bounded(path, MAX_FILE) as file:
                content = json.loads(file.read())
        except OSError as error:
            raise VocabError(f"{path}: cannot read the vocabulary: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise VocabError(f"{path}: not a vocabulary (no valid JSON)") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise VocabError(f'{path}: not a vocabulary (its "format" is not {FORMAT!r})')
        if content.get("version") != VERSION:
            raise VocabError(
                f"{path}: version {content.get('version')!r} of the vocabulary format; "
                f"this program reads version {VERSION}"
            )
        characters = content.get("characters")
        if not isinstance(characters, list) or not all(
            isinstance(c, str) and len(c) == 1 for c in characters
        ):
            raise VocabError(f'{path}: "characters" is not a list of single characters')
        try:
            return cls("".join(characters))
        except VocabError as error:
            raise VocabError(f"{path}: {error}") from None
