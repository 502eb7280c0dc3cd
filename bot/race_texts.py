"""What members read of a race."""

from enum import unique

from bot.said import Row, Said


@unique
class RaceText(Said):
    """What the bot says of a race."""

    QUESTION = Row("Which one is Pooh?", "Wer davon ist Pu?", "Lequel est Pooh ?", "¿Cuál es Pooh?")
    RUNNERS = Row(
        "One beginning, and who went on from it, in an order that nobody is told: {names}.",
        "Ein Anfang, und wer ihn fortgesetzt hat, in einer Reihenfolge, die niemand erfährt: "
        "{names}.",
        "Un même début, et qui l'a continué, dans un ordre que personne ne connaît : {names}.",
        "Un mismo comienzo, y quién lo ha continuado, en un orden que nadie conoce: {names}.",
    )
    POOH = Row("Pooh himself", "Pu selbst", "Pooh lui-même", "Pooh en persona")
    CLASSIC = Row(
        "a small network that knows six chapters by heart",
        "ein kleines Netz, das sechs Kapitel auswendig kann",
        "un petit réseau qui sait six chapitres par cœur",
        "una red pequeña que se sabe seis capítulos de memoria",
    )
    MARKOV = Row(
        "a Markov chain that looks four letters back",
        "eine Markow-Kette, die vier Buchstaben zurückschaut",
        "une chaîne de Markov qui regarde quatre lettres en arrière",
        "una cadena de Markov que mira cuatro letras atrás",
    )
    GUESS = Row(
        "Press a letter to guess; you may change your mind. Who asked for the race tells.",
        "Drück auf einen Buchstaben, um zu raten; du darfst dich umentscheiden. Wer um das Rennen "
        "gebeten hat, löst auf.",
        "Appuie sur une lettre pour deviner ; tu peux changer d'avis. Qui a demandé la course "
        "donne la réponse.",
        "Pulsa una letra para adivinar; puedes cambiar de opinión. Quien pidió la carrera da la "
        "respuesta.",
    )
    GUESSES_GONE = Row(
        "Earlier guesses are gone: Pooh slept meanwhile, and remembers nobody.",
        "Frühere Antworten sind weg: Pu hat inzwischen geschlafen und merkt sich niemanden.",
        "Les réponses d'avant sont perdues : Pooh a dormi entre-temps et ne retient personne.",
        "Las respuestas anteriores se perdieron: Pooh durmió entretanto y no recuerda a nadie.",
    )
    ANSWER = Row("Pooh is **{letter}**.", "Pu ist **{letter}**.", "Pooh est **{letter}**.",
                 "Pooh es **{letter}**.")  # fmt: skip
    GUESSED = Row(
        "Of {count} who guessed, {right} knew it.",
        "Von {count}, die geraten haben, wussten es {right}.",
        "Sur {count} réponses, {right} étaient justes.",
        "De {count} respuestas, acertaron {right}.",
    )
    NOBODY_GUESSED = Row(
        "Nobody guessed.", "Niemand hat geraten.", "Personne n'a deviné.", "Nadie ha respondido."
    )
    LOSS = Row(
        "loss {number} nats per character on chapters never read",
        "Verlust {number} Nats pro Zeichen auf nie gelesenen Kapiteln",
        "perte {number} nats par caractère sur des chapitres jamais lus",
        "pérdida {number} nats por carácter en capítulos nunca leídos",
    )
    COPIED = Row(
        "{share} of the words stand like this in the books",
        "{share} der Wörter stehen so in den Büchern",
        "{share} des mots sont ainsi dans les livres",
        "{share} de las palabras están así en los libros",
    )
    UNDERLINED = Row(
        "Underlined: at least {number} words in a row that stand so in the books that were read.",
        "Unterstrichen: mindestens {number} Wörter hintereinander, die so in den gelesenen Büchern "
        "stehen.",
        "Souligné : au moins {number} mots de suite qui sont ainsi dans les livres lus.",
        "Subrayado: al menos {number} palabras seguidas que están así en los libros leídos.",
    )
    OTHER_WEIGHTS = Row(
        "told by another Pooh than today's",
        "von einem anderen Pu erzählt als dem heutigen",
        "raconté par un autre Pooh que celui d'aujourd'hui",
        "contado por otro Pooh que el de hoy",
    )
    NOBODY = Row(
        "There is nobody here to race against Pooh.",
        "Hier ist niemand, gegen den Pu antreten könnte.",
        "Il n'y a personne ici pour courir contre Pooh.",
        "Aquí no hay nadie que corra contra Pooh.",
    )
    NOT_FINISHED = Row(
        "Not enough of them came to the end. Please try again.",
        "Nicht genug von ihnen sind ans Ziel gekommen. Versuch es bitte noch einmal.",
        "Trop peu sont arrivés au bout. Réessaie, s'il te plaît.",
        "No llegaron bastantes al final. Vuelve a intentarlo, por favor.",
    )
    MAY_NOT_TELL = Row(
        "Only the one who asked for this race, or a moderator, can tell who was who.",
        "Nur wer um dieses Rennen gebeten hat oder moderiert, kann verraten, wer wer war.",
        "Seule la personne qui a demandé cette course, ou la modération, peut dire qui était qui.",
        "Solo quien pidió esta carrera, o la moderación, puede decir quién era quién.",
    )
    TOO_LATE = Row(
        "The time to guess is over.",
        "Die Zeit zum Raten ist vorbei.",
        "Le temps de deviner est passé.",
        "Se acabó el tiempo para adivinar.",
    )
    TOLD_ALREADY = Row(
        "It is told already who was who.",
        "Es ist schon verraten, wer wer war.",
        "On a déjà dit qui était qui.",
        "Ya se ha dicho quién era quién.",
    )
    UNREADABLE = Row(
        "Pooh cannot read this race any more.",
        "Pu kann dieses Rennen nicht mehr lesen.",
        "Pooh n'arrive plus à lire cette course.",
        "Pooh ya no puede leer esta carrera.",
    )
