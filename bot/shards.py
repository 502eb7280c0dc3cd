"""Which shards a process has, as its host writes it."""

import re
from dataclasses import dataclass

MOST_SHARDS = 10_000


@dataclass(frozen=True)
class ShardRange:
    """Shards `first` to `last` of `count`; Discord counts from 0."""

    first: int
    last: int
    count: int

    @property
    def ids(self) -> list[int]:
        """The shards of this process."""
        return list(range(self.first, self.last + 1))

    @property
    def is_part(self) -> bool:
        """Whether other processes have the rest."""
        return len(self.ids) < self.count

    def __str__(self) -> str:
        which = f"{self.first}-{self.last}" if self.first < self.last else str(self.first)
        return f"shard{'s' if self.first < self.last else ''} {which} of {self.count}"


def parse_shards(text: str) -> ShardRange:
    """Read the shards of a process.

    Args:
        text: `8` (all of eight), `0-3/8` (the first four), `3/8` (one), or `1x4/8` (the second
            block of four: what a process can say that knows only its ordinal).

    Raises:
        ValueError: it is none of these, or there are no such shards.
    """
    match = re.fullmatch(r"(?:([0-9]+)(?:-([0-9]+)|x([0-9]+))?/)?([0-9]+)", re.sub(r"\s", "", text))
    if not match:
        raise ValueError(f"{text!r} must be a number of shards (8) or a part of them (0-3/8)")
    first, last, size, count = (int(part) if part else None for part in match.groups())
    assert count is not None
    if not 1 <= count <= MOST_SHARDS:
        raise ValueError(f"{text!r}: there must be 1 to {MOST_SHARDS} shards")
    if first is None:
        return ShardRange(0, count - 1, count)
    if size is not None:
        first, last = first * size, first * size + size - 1
    last = first if last is None else last
    if last < first:
        raise ValueError(f"{text!r} holds no shard: write the lower number first")
    if last >= count:
        raise ValueError(f"{text!r}: of {count} shards the last is {count - 1}, not {last}")
    return ShardRange(first, last, count)
