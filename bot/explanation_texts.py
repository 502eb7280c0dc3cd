"""The words on the picture of how a text was written, and those of its alt text.

A picture has room for few: each label is at most two words, but for `SURE` and `FIRST_LETTER`.
"""

from dataclasses import fields
from functools import cache

from bot.translations import Language, Row, Said, Text
from model.how import TEMPERATURES
from model.wording import ENGLISH, Wording


class PictureText(Said):
    """What a `Wording` has, by the names of its fields."""

    SURE = Row(ENGLISH.sure, "sicher: 50 %+", "sûr : 50 %+", "seguro: 50 %+")
    SURPRISED = Row(ENGLISH.surprised, "überrascht: <1 %", "surpris : <1 %", "sorprendido: <1 %")
    READ_BEFORE = Row(ENGLISH.read_before, "schon gelesen", "déjà lu", "ya leído")
    LEAST_EXPECTED = Row(
        ENGLISH.least_expected, "überraschend", "plus surprenant", "más inesperado"
    )
    UNDECIDED = Row(ENGLISH.undecided, "unsicher", "indécis", "indeciso")
    LOOKED_BACK = Row(ENGLISH.looked_back, "blickt zurück", "regard arrière", "miró atrás")
    FIRST_LETTER = Row(
        ENGLISH.first_letter,
        "erster Buchstabe: Pu ist",
        "première lettre : Pooh est",
        "primera letra: Pooh está",
    )
    CALM = Row(ENGLISH.calm, "ruhig", "sage", "sereno")
    USUAL = Row(ENGLISH.usual, "normal", "normal", "normal")
    WILD = Row(ENGLISH.wild, "wild", "fou", "loco")
    REST = Row(ENGLISH.rest, "Rest", "reste", "resto")
    ALT_TEXT = Row(ENGLISH.alt_text, "Der Text: {words}", "Le texte : {words}", "El texto: {words}")
    ALT_RAREST = Row(
        ENGLISH.alt_rarest,
        "Das Wort, das ihn am meisten überrascht hat: {word}, {chance}.",
        "Le mot qui l'a surpris le plus : {word}, {chance}.",
        "La palabra que más le sorprendió: {word}, {chance}.",
    )
    ALT_PLACE = Row(
        ENGLISH.alt_place,
        "Stelle {number}: {guesses}.",
        "Endroit {number} : {guesses}.",
        "Lugar {number}: {guesses}.",
    )
    ALT_TAKEN = Row(
        ENGLISH.alt_taken,
        "{word} {chance} (steht da)",
        "{word} {chance} (écrit)",
        "{word} {chance} (escrita)",
    )
    ALT_LETTER = Row(
        ENGLISH.alt_letter,
        "Erster Buchstabe an Stelle {number}, bei Temperatur {temperatures}: {letters}.",
        "Première lettre à l'endroit {number}, à la température {temperatures} : {letters}.",
        "Primera letra en el lugar {number}, a temperatura {temperatures}: {letters}.",
    )
    ALT_ARC = Row(
        ENGLISH.alt_arc,
        "Bei {word} hat er auf denselben Namen zurückgeblickt: wohin, nicht warum.",
        "À {word}, il a regardé en arrière vers le même nom : où, pas pourquoi.",
        "En {word} miró atrás, al mismo nombre: adónde, no por qué.",
    )
    ALT_RUNS = Row(
        ENGLISH.alt_runs,
        "So hintereinander schon gelesen: {runs}.",
        "Déjà lu dans cet ordre : {runs}.",
        "Ya leído en este orden: {runs}.",
    )
    ALT_WORDS = Row(
        ENGLISH.alt_words,
        "Wie wahrscheinlich jedes Wort war: {words}.",
        "La probabilité de chaque mot : {words}.",
        "La probabilidad de cada palabra: {words}.",
    )


@cache
def wording(language: Language) -> Wording:
    """The words of a picture in a language."""

    def said(name: str) -> str:
        row = Text.QUESTION if name == "question" else PictureText[name.upper()]
        return str(getattr(row.value, language.value))

    calm, usual, wild = (language.number(temperature) for temperature in TEMPERATURES)
    names = (field.name for field in fields(Wording) if field.name != "temperatures")
    return Wording(**{name: said(name) for name in names}, temperatures=(calm, usual, wild))
