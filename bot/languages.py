"""The languages that the bot speaks.

To add one, add a field to `Row` in `bot.said`, a member to `Language`, and what mypy then misses.
"""

import enum
from collections.abc import Mapping
from functools import cached_property

from discord import Locale, app_commands
from discord.app_commands import locale_str

from bot.names import NAMES, Name
from bot.said import Said


class Language(enum.Enum):
    """A language that the bot speaks; the value names its field of a `Row`."""

    ENGLISH = "en"
    GERMAN = "de"
    FRENCH = "fr"
    SPANISH = "es"

    @classmethod
    def of(cls, locale: Locale) -> "Language":
        """The language to speak to who reads Discord in `locale`: English where there is none."""
        return _LANGUAGES.get(locale, cls.ENGLISH)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What commands, options and buttons are called, by the name of their text."""
        return {text.name.lower(): getattr(text.value, self.value) for text in NAMES}

    def say(self, text: Said, **values: object) -> str:
        """A text, with its `values` and any of `names` filled in."""
        row: str = getattr(text.value, self.value)
        return row.format_map({**self.names, **values})

    def number(self, value: float, digits: int | None = None) -> str:
        """A number as people write it; whole, or with so many digits after the point."""
        point, comma = _NUMBERS[self]
        if isinstance(value, int):
            shown = f"{value:,}"
        else:
            shown = f"{value:g}" if digits is None else f"{value:,.{digits}f}"
        return shown.translate({ord("."): point, ord(","): comma})


_LANGUAGES = {
    Locale.german: Language.GERMAN,
    Locale.french: Language.FRENCH,
    Locale.spain_spanish: Language.SPANISH,
    Locale.latin_american_spanish: Language.SPANISH,
}
_NUMBERS = {  # the decimal sign, and what parts thousands
    Language.ENGLISH: (".", ","),
    Language.GERMAN: (",", "."),
    Language.FRENCH: (",", "\u202f"),
    Language.SPANISH: (",", "\u00a0"),
}


def named(name: Name) -> locale_str:
    """A name of a command, for discord.py to have translated."""
    return locale_str(name.value.en)


class Translations(app_commands.Translator):
    """The commands' names in the languages there are."""

    async def translate(
        self,
        string: locale_str,
        locale: Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """The name in that language, None when there is none: Discord then shows English."""
        language = _LANGUAGES.get(locale)
        name = next((name for name in Name if name.value.en == string.message), None)
        return None if language is None or name is None else language.say(name)
