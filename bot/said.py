"""A text in each language that the bot speaks, and tables of such texts.

A row is a text in every language, so none can be forgotten. What many features say stands in
`bot.translations`, what things are called in `bot.names`; a feature of many words has a table of
its own, in a file of its own.
"""

import enum
from typing import NamedTuple


class Row(NamedTuple):
    """A text in each language. What stands in braces is filled in: see `bot.languages`."""

    en: str
    de: str
    fr: str
    es: str


class Said(enum.Enum):
    """A table of texts; the value of each is a `Row`."""
