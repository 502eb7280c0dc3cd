"""Keeps slurs and sexual words out of prompts and stories.

The words are those of `pygarble` (MIT; its list is seeded from LDNOOBW, CC-BY-4.0): whole words,
also spelled with digits, stretched or spaced out. Words that old children's books use in innocence
are allowed, and what it leaves out because it also has a place in medical text is added.
"""

import re
from collections.abc import Iterable

from pygarble import ProfanityDetector

STORYBOOK = frozenset({"arse", "ass", "dicks", "dyke", "dykes", "goddamn", "jackass", "jackasses"})
SEXUAL = frozenset(
    {"blowjob", "cum", "dildo", "handjob", "hentai", "masturbate", "masturbating", "orgasm"}
    | {"orgasms", "penis", "penises", "porn", "porno", "pornography", "rape", "raped", "rapes"}
    | {"raping", "rapist", "rapists", "tits", "vagina"}
)
LONGEST = 64  # characters: no word that is refused is longer, not even spaced out


class Words:
    """The list, as the host wants it."""

    def __init__(
        self, *, active: bool = True, refused: Iterable[str] = (), allowed: Iterable[str] = ()
    ) -> None:
        """Whether it refuses anything at all; words to add; words to allow."""
        allowed = frozenset(allowed)
        self._active = active
        self._detector = ProfanityDetector(
            allowlist=(STORYBOOK | allowed) - frozenset(refused), tiers=("strong",)
        )
        self._detector.strong |= (SEXUAL | frozenset(refused)) - allowed

    def ends(self, text: str) -> list[int]:
        """Where each word that is refused ends in `text`."""
        if not self._active:
            return []
        # The list does not know apostrophes: "who're" is not the word it looks like without one.
        text = re.sub("(?i)who['\u2019]re", "who is", text)
        return [finding.end for finding in self._detector.detect(text)]

    def refuses(self, text: str) -> bool:
        """Whether there is such a word in `text`."""
        return bool(self.ends(text))
