"""The commands' texts in other languages than English."""

from collections.abc import Mapping

from discord import Locale, app_commands
from discord.app_commands import locale_str

_GERMAN = {
    "Ask Pooh for a story": "Bitte Pu um eine Geschichte",
    "How the story begins; leave it out and Pooh begins by himself": (
        "Wie die Geschichte anfängt; ohne Anfang fängt Pu selbst an (auf Englisch)"
    ),
    "How wild: 0 is sure of itself, 0.8 tells stories, 2 is nonsense": (
        "Wie wild: 0 ist sich sicher, 0,8 erzählt Geschichten, 2 ist Unsinn"
    ),
    "How many characters Pooh writes": "Wie viele Zeichen Pu schreibt",
    "Choose only among this many likeliest characters; 0 among all": (
        "Nur unter so vielen wahrscheinlichsten Zeichen wählen; 0: unter allen"
    ),
    "Choose only among the likeliest that together have this share; 1 among all": (
        "Nur unter den wahrscheinlichsten wählen, die zusammen diesen Anteil haben; 1: unter allen"
    ),
    "The same seed and settings give the same story": (
        "Gleicher Startwert und gleiche Einstellungen ergeben dieselbe Geschichte"
    ),
    "Continue as Pooh": "Als Pu fortsetzen",
    "Who Pooh is, what he has read, and how well he learned it": (
        "Wer Pu ist, was er gelesen hat und wie gut er es gelernt hat"
    ),
    "How to get a story": "Wie man eine Geschichte bekommt",
    "prompt": "anfang",
    "temperature": "temperatur",
    "length": "länge",
    "seed": "startwert",
    "about": "über",
    "help": "hilfe",
}
_FRENCH = {
    "Ask Pooh for a story": "Demander une histoire à Pooh",
    "How the story begins; leave it out and Pooh begins by himself": (
        "Le début de l'histoire ; sans début, Pooh commence lui-même (en anglais)"
    ),
    "How wild: 0 is sure of itself, 0.8 tells stories, 2 is nonsense": (
        "Fantaisie : 0 est sûr de lui, 0,8 raconte des histoires, 2 divague"
    ),
    "How many characters Pooh writes": "Le nombre de caractères que Pooh écrit",
    "Choose only among this many likeliest characters; 0 among all": (
        "Choisir parmi ce nombre de caractères les plus probables ; 0 : parmi tous"
    ),
    "Choose only among the likeliest that together have this share; 1 among all": (
        "Choisir parmi les plus probables qui ont ensemble cette part ; 1 : parmi tous"
    ),
    "The same seed and settings give the same story": (
        "La même graine et les mêmes réglages donnent la même histoire"
    ),
    "Continue as Pooh": "Continuer comme Pooh",
    "Who Pooh is, what he has read, and how well he learned it": (
        "Qui est Pooh, ce qu'il a lu et comment il l'a appris"
    ),
    "How to get a story": "Comment obtenir une histoire",
    "prompt": "début",
    "temperature": "température",
    "length": "longueur",
    "seed": "graine",
    "about": "présentation",
    "help": "aide",
}


class Translations(app_commands.Translator):
    """English texts in the languages there are."""

    _TEXTS: Mapping[Locale, Mapping[str, str]] = {Locale.german: _GERMAN, Locale.french: _FRENCH}

    async def translate(
        self,
        string: locale_str,
        locale: Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """The text in that language, None when there is none: Discord then shows English."""
        return self._TEXTS.get(locale, {}).get(string.message)
