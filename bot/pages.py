"""The versions of one story, kept as numbers: any page is written anew when it is turned to.

The same seed, settings and weights give the same story, so nothing is stored: the ids of the
buttons remember the first seed, how wild each version is, which one is shown, and which weights
told them (and in how many candidates: see `writer.Writer.digest`).
"""

import re
from dataclasses import dataclass, replace
from typing import Self

from bot.options import MAX_SEED
from model.sampling import MAX_TEMPERATURE, Sampling

MOST = 9  # versions of one story
WARMER = 0.2  # how much wilder Wilder is
DIGEST = 6  # characters of the weights' digest: one in 17 million is taken for another

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LEVEL = ord("k")  # "k" is as the first version, "l" one press wilder, "j" one calmer
PATTERN = (  # as `Pages.code` makes it; two names in it, to stand in a larger pattern
    r"(?P<seed>[0-9a-z]{1,11})\.(?P<number>[1-9])(?P<levels>[a-u]{1,9})\.(?P<weights>[0-9a-f]{6})"
)


@dataclass(frozen=True)
class Pages:
    """What is remembered of the versions of a story.

    Attributes:
        seed: of the first version; each further one has the next seed.
        levels: of each version, how many times wilder it is than the first.
        number: of the one that is shown, from 1.
        weights: the beginning of the digest of the weights that told them, `DIGEST` characters.
    """

    seed: int
    levels: tuple[int, ...]
    number: int
    weights: str

    @classmethod
    def first(cls, seed: int, weights: str) -> Self:
        """Of a story that was told for the first time."""
        return cls(seed, (0,), 1, weights)

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Read from a match of `PATTERN`; a page that is not there becomes the last one."""
        levels = tuple(ord(letter) - _LEVEL for letter in match["levels"])
        seed = int(match["seed"], 36) % (MAX_SEED + 1)
        return cls(seed, levels, min(int(match["number"]), len(levels)), match["weights"])

    @property
    def code(self) -> str:
        """At most 29 characters for a button's id."""
        levels = "".join(chr(_LEVEL + level) for level in self.levels)
        return f"{_base36(self.seed)}.{self.number}{levels}.{self.weights}"

    @property
    def count(self) -> int:
        """How many versions there are."""
        return len(self.levels)

    def sampling(self, first: Sampling) -> Sampling:
        """How the version that is shown is written, with its seed.

        Args:
            first: how the first version was.
        """
        seed = (self.seed + self.number - 1) % (MAX_SEED + 1)
        return replace(warmer(first, self.levels[self.number - 1]), seed=seed)

    def turned(self, by: int) -> Self:
        """Another page is shown: the next, the one before; the first and the last have an end."""
        return replace(self, number=min(max(self.number + by, 1), self.count))

    def added(self, by: int) -> Self:
        """One more version, so many times wilder than the one that is shown; it is shown then."""
        level = self.levels[self.number - 1] + by
        return replace(self, levels=(*self.levels, level), number=self.count + 1)


def warmer(sampling: Sampling, times: int) -> Sampling:
    """So many times wilder, as far as the temperature goes."""
    if not times:
        return sampling
    # Rounded to take the dust of the addition off, not to make a small temperature 0.
    temperature = round(sampling.temperature + times * WARMER, 6)
    return replace(sampling, temperature=min(max(temperature, 0.0), MAX_TEMPERATURE))


def as_remembered(sampling: Sampling) -> Sampling:
    """The same in numbers that fit into a button's id: as exact as the line under a story."""
    return replace(
        sampling, temperature=float(f"{sampling.temperature:.6g}"), top_p=round(sampling.top_p, 4)
    )


def short_digest(digest: str) -> str:
    """As much of the weights' digest as a button remembers."""
    return digest[:DIGEST].ljust(DIGEST, "0")


def _base36(number: int) -> str:
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
