"""How a text was written: what the card says of it, its picture, and the picture's alt text."""

import enum
from dataclasses import fields
from functools import cache

from bot.languages import Language
from bot.said import Row, Said
from model.how import TEMPERATURES
from model.wording import ENGLISH, Wording


@enum.unique
class HowText(Said):
    """What stands on the card."""

    QUESTION = Row(
        "Where was Pooh sure, where did he guess?",
        "Wo war Pu sicher, wo hat er geraten?",
        "Où Pooh était-il sûr, où a-t-il deviné ?",
        "¿Dónde estaba seguro Pooh y dónde adivinaba?",
    )
    SURPRISED = Row(
        "Light: he was sure. Dark: he was not. **{word}** ({chance}) surprised him most.",
        "Hell: Er war sicher. Dunkel: Er war es nicht. **{word}** ({chance}) hat ihn am meisten "
        "überrascht.",
        "Clair : il était sûr. Foncé : il ne l'était pas. **{word}** ({chance}) l'a surpris le "
        "plus.",
        "Claro: estaba seguro. Oscuro: no lo estaba. **{word}** ({chance}) es lo que más le "
        "sorprendió.",
    )
    MOST_OPEN = Row(
        "Most was open at place {number} (bold: what stands there): {guesses}.",
        "Am meisten offen war an Stelle {number} (fett: was dasteht): {guesses}.",
        "C'est à l'endroit {number} que tout était le plus ouvert (en gras : ce qui y est) : "
        "{guesses}.",
        "Donde más abierto estaba todo es en el lugar {number} (en negrita: lo que hay allí): "
        "{guesses}.",
    )
    LIKELIEST_LETTER = Row(
        "The likeliest letter there is **{letter}**: {chances}. In brackets: the temperature.",
        "Der wahrscheinlichste Buchstabe dort ist **{letter}**: {chances}. In Klammern: die "
        "Temperatur.",
        "La lettre la plus probable y est **{letter}** : {chances}. Entre parenthèses : la "
        "température.",
        "La letra más probable allí es **{letter}**: {chances}. Entre paréntesis: la temperatura.",
    )
    LETTER_BY_LETTER = Row(
        "**{word}**, letter by letter: what was written | the likeliest there.",
        "**{word}**, Buchstabe für Buchstabe: was dasteht | die wahrscheinlichsten dort.",
        "**{word}**, lettre par lettre : ce qui est écrit | les plus probables à cet endroit.",
        "**{word}**, letra por letra: lo que se escribió | las más probables allí.",
    )
    BLOCK_BY_BLOCK = Row(
        "What he would have written there, had he stopped thinking earlier; **{letter}** stands "
        "there.",
        "Was er dort geschrieben hätte, wenn er früher zu denken aufgehört hätte; **{letter}** "
        "steht da.",
        "Ce qu'il aurait écrit là s'il avait cessé de réfléchir plus tôt ; il y a **{letter}**.",
        "Lo que habría escrito allí si hubiera dejado de pensar antes; ahí está **{letter}**.",
    )
    BEFORE_BLOCKS = Row(
        "Before the first block",
        "Vor dem ersten Block",
        "Avant le premier bloc",
        "Antes del primer bloque",
    )
    AFTER_BLOCK = Row(
        "After block {number}",
        "Nach Block {number}",
        "Après le bloc {number}",
        "Tras el bloque {number}",
    )
    PLACE = Row(
        "part {number} of {count}",
        "Teil {number} von {count}",
        "partie {number} sur {count}",
        "parte {number} de {count}",
    )
    NOTHING_TO_EXPLAIN = Row(
        "Pooh sees no words there that he could explain.",
        "Pu sieht dort keine Wörter, die er erklären könnte.",
        "Pooh ne voit là aucun mot qu'il puisse expliquer.",
        "Pooh no ve ahí palabras que pueda explicar.",
    )


class PictureText(Said):
    """What a `Wording` has, by the names of its fields.

    A picture has room for few words: each label is at most two, but for `SURE` and `FIRST_LETTER`.
    """

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
        row = HowText.QUESTION if name == "question" else PictureText[name.upper()]
        return str(getattr(row.value, language.value))

    calm, usual, wild = (language.number(temperature) for temperature in TEMPERATURES)
    names = (field.name for field in fields(Wording) if field.name != "temperatures")
    return Wording(**{name: said(name) for name in names}, temperatures=(calm, usual, wild))
