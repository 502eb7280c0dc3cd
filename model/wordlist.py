"""The list of words that are neither learned nor written: one file for training and for the bot."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

WORD_LIST = Path(__file__).resolve().parents[1] / "data" / "slurs.txt"
SECTIONS = ("anywhere", "word", "ambiguous", "training", "allowed")


class WordListError(ValueError):
    """The list cannot be used; the message names the file and the line."""


def read_word_list(path: Path = WORD_LIST) -> Mapping[str, tuple[str, ...]]:
    """Read a list of words; the file itself says what its sections mean.

    Returns:
        For each of `SECTIONS` its entries, in small letters.

    Raises:
        WordListError: the file cannot be read, or a line is in no section.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise WordListError(f"{path}: cannot read the list of slurs: {reason}") from error
    entries: dict[str, list[str]] = {name: [] for name in SECTIONS}
    section = ""
    for number, line in enumerate(lines, 1):
        entry = line.strip().lower()
        if not entry or entry.startswith("#"):
            continue
        if entry.startswith("["):
            section = entry.strip("[]")
        if section not in entries:
            known = ", ".join(f"[{name}]" for name in SECTIONS)
            raise WordListError(f"{path}: line {number}: {entry!r} is in no section of {known}")
        if not entry.startswith("["):
            entries[section].append(entry)
    return {name: tuple(found) for name, found in entries.items()}


def make_trie(entries: Iterable[Iterable[str]]) -> str:
    """One regular expression for many, which share their beginnings; "" for none."""
    root: dict[str, Any] = {}
    for entry in entries:
        node = root
        for token in entry:
            node = node.setdefault(token, {})
        node[""] = {}

    def pattern(node: dict[str, Any]) -> str:
        ways = [token + pattern(below) for token, below in node.items() if token]
        if len(ways) == 1 and "" not in node:
            return ways[0]
        return f"(?:{'|'.join(ways)}){'?' if '' in node else ''}" if ways else ""

    return pattern(root)
