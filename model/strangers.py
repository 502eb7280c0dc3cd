"""People who are not to walk into a story: those of the books that were read for their English.

A network that has read a library knows its people by heart, and now and then one of them walks into
the Forest. Their names come with the weights; a name is left at the first letter that no other word
shares ("Wig|gily"), so something else is written instead, and whoever is in the prompt stays.
"""

import re
from collections.abc import Iterable

_NAME = re.compile(r"([A-Z][a-z]+)(?:(\|)([a-z]*))?")
_LAST_WORD = re.compile(r"(?<![A-Za-z'])[A-Z][a-z]*\Z")
_LONGEST = 32  # letters of a word that are looked at


class Strangers:
    """Names, each parted by a bar behind the first letter that tells it from words allowed.

    A name without a bar is told by its last letter. Where the bar is at the end, as in "Al|" (for
    "Also" begins so), the word must not end there.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Take names such as "Wig|gily". Raises ValueError for one that is none."""
        self.names = tuple(names)
        self._next: dict[str, dict[str, set[str]]] = {}  # letters so far -> letter or "" -> names
        for name in self.names:
            parts = _NAME.fullmatch(name)
            if parts is None or len(name) > _LONGEST:
                raise ValueError(f"strangers: {name!r} is no name, such as Wig|gily")
            begin, bar, rest = parts.groups(default="")
            before, letter = (begin, "") if bar and not rest else (begin[:-1], begin[-1])
            self._next.setdefault(before, {}).setdefault(letter, set()).add(begin + rest)

    def barred(self, prompt: str, written: str, characters: str) -> list[int]:
        """Which characters must not come next, lest a stranger does: places in `characters`.

        Args:
            prompt: what the text goes on from: whom it names is no stranger.
            written: what has been written after it.
            characters: those there are.
        """
        if not self._next:
            return []
        word = _LAST_WORD.search((prompt + written)[-_LONGEST:])
        following = self._next.get(word[0]) if word else None
        if following is None:
            return []
        letters = {
            letter
            for letter, names in following.items()
            if not any(
                re.search(rf"(?<![A-Za-z]){name}(?![A-Za-z])", prompt, re.IGNORECASE)
                for name in names
            )
        }
        return [
            place
            for place, c in enumerate(characters)
            if c in letters or ("" in letters and not c.isalpha())
        ]


NOBODY = Strangers()


def part(name: str, allowed: frozenset[str]) -> str:
    """A name with its bar.

    Args:
        name: capitalised.
        allowed: the beginnings, of every length, of all words that may be written.
    """
    for length in range(2, len(name) + 1):
        if name[:length] not in allowed:
            return name if length == len(name) else f"{name[:length]}|{name[length:]}"
    return f"{name}|"
