"""What members read, in the languages that the bot speaks, and those languages.

A row is a text in every language, so none can be forgotten. To add a language, add a field to
`Row`, a member to `Language`, and what mypy then misses. A feature of many words has a table of its
own, a `Said` beside `Text`, in its own file; names of commands, options and buttons stand here.
"""

import enum
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from discord import Locale, app_commands
from discord.app_commands import locale_str


class Row(NamedTuple):
    """A text in each language. What stands in braces is filled in; see `Language.say`."""

    en: str
    de: str
    fr: str
    es: str


class Said(enum.Enum):
    """A table of texts; the value of each is a `Row`."""

    @classmethod
    def all(cls) -> Iterator["Said"]:
        """The texts of every table that is imported."""
        for table in Said.__subclasses__():
            yield from table


@enum.unique
class Text(Said):
    """What the bot says to people."""

    # Names, and what stands beside them while a command is typed
    CONTINUE_AS = Row(
        "Continue as Pooh", "Als Pu fortsetzen", "Continuer comme Pooh", "Continuar como Pooh"
    )
    ABOUT = Row("about", "über", "présentation", "acerca")
    HELP = Row("help", "hilfe", "aide", "ayuda")
    PROMPT = Row("prompt", "anfang", "début", "inicio")
    TEMPERATURE = Row("temperature", "temperatur", "température", "temperatura")
    LENGTH = Row("length", "länge", "longueur", "longitud")
    TOP_K = Row("top_k", "top_k", "top_k", "top_k")
    TOP_P = Row("top_p", "top_p", "top_p", "top_p")
    SEED = Row("seed", "startwert", "graine", "semilla")
    ON_POOH = Row(
        "Ask Pooh for a story",
        "Bitte Pu um eine Geschichte",
        "Demander une histoire à Pooh",
        "Pídele un cuento a Pooh",
    )
    ON_PROMPT = Row(
        "How the story begins; leave it out and Pooh begins by himself",
        "Wie die Geschichte anfängt, auf Englisch; ohne Anfang fängt Pu selbst an",
        "Le début de l'histoire, en anglais ; sans début, Pooh commence lui-même",
        "Cómo empieza el cuento, en inglés; si no pones nada, empieza Pooh",
    )
    ON_TEMPERATURE = Row(
        "How wild: 0 is sure of itself, 0.8 tells stories, 2 is nonsense",
        "Wie wild: 0 ist sich sicher, 0,8 erzählt Geschichten, 2 ist Unsinn",
        "La fantaisie : 0 est sûr de lui, 0,8 raconte des histoires, 2 divague",
        "La fantasía: 0 va sobre seguro, 0,8 cuenta cuentos, 2 desvaría",
    )
    ON_LENGTH = Row(
        "How many characters Pooh writes",
        "Wie viele Zeichen Pu schreibt",
        "Le nombre de caractères que Pooh écrit",
        "Cuántos caracteres escribe Pooh",
    )
    ON_TOP_K = Row(
        "Choose only among this many likeliest characters; 0 among all",
        "Nur unter so vielen der wahrscheinlichsten Zeichen wählen; 0: unter allen",
        "Choisir parmi ce nombre de caractères les plus probables ; 0 : parmi tous",
        "Elegir solo entre este número de caracteres más probables; 0: entre todos",
    )
    ON_TOP_P = Row(
        "Choose only among the likeliest that together have this share; 1 among all",
        "Nur unter den wahrscheinlichsten wählen, die zusammen diesen Anteil haben; 1: unter allen",
        "Choisir parmi les plus probables qui ont ensemble cette part ; 1 : parmi tous",
        "Elegir solo entre los más probables que juntos suman esta parte; 1: entre todos",
    )
    ON_SEED = Row(
        "The same seed and settings give the same story",
        "Gleicher Startwert und gleiche Einstellungen ergeben dieselbe Geschichte",
        "La même graine et les mêmes réglages donnent la même histoire",
        "La misma semilla con los mismos ajustes da el mismo cuento",
    )
    HOW_WRITTEN = Row(
        "How did Pooh write this?",
        "Wie hat Pu das geschrieben?",
        "Comment Pooh l'a-t-il écrit ?",
        "¿Cómo escribió Pooh esto?",
    )
    WHO_WROTE = Row(
        "Who wrote this?", "Von wem ist das?", "Qui a écrit cela ?", "¿Quién escribió esto?"
    )
    HOW_COMMAND = Row("how", "wie", "comment", "cómo")
    HOW_TEXT = Row("text", "worte", "texte", "texto")
    ON_HOW = Row(
        "Where Pooh would be sure of a text, and where he would guess: with a picture",
        "Wo Pu bei einem Text sicher wäre und wo er raten würde: mit einem Bild",
        "Où Pooh serait sûr d'un texte et où il devinerait : en image",
        "Dónde estaría seguro Pooh de un texto y dónde adivinaría: con un dibujo",
    )
    ON_HOW_TEXT = Row(
        "A few sentences in English",
        "Ein paar Sätze auf Englisch",
        "Quelques phrases en anglais",
        "Unas frases en inglés",
    )
    SETUP = Row("setup", "einrichten", "réglages", "ajustes")
    ON_SETUP = Row(
        "How Pooh behaves in this server: defaults, channels, a story of the day",
        "Wie Pu sich auf diesem Server verhält: Vorgaben, Kanäle, eine Geschichte des Tages",
        "Comment Pooh se comporte sur ce serveur : réglages, salons, une histoire du jour",
        "Cómo se comporta Pooh en este servidor: ajustes, canales, un cuento del día",
    )
    PRIVACY = Row("privacy", "datenschutz", "confidentialité", "privacidad")
    ON_PRIVACY = Row(
        "What Pooh keeps, and how others leave your words alone",
        "Was Pu aufhebt, und wie andere deine Worte in Ruhe lassen",
        "Ce que Pooh conserve, et comment protéger tes mots",
        "Qué guarda Pooh y cómo proteger tus palabras",
    )
    RACE = Row("race", "rennen", "course", "carrera")
    ON_RACE = Row(
        "Pooh, a small network and a Markov chain go on from the same words: which one is Pooh?",
        "Pu, ein kleines Netz und eine Markow-Kette setzen denselben Anfang fort: Wer ist Pu?",
        "Pooh, un petit réseau et une chaîne de Markov continuent un début : lequel est Pooh ?",
        "Pooh, una red pequeña y una cadena de Markov siguen un mismo inicio: ¿cuál es Pooh?",
    )
    CIRCLE = Row("circle", "kreis", "ronde", "corro")
    FIRST_SENTENCE = Row("sentence", "satz", "phrase", "frase")
    ON_CIRCLE = Row(
        "Begin a story that everybody here and Pooh tell by turns",
        "Eine Geschichte beginnen, die alle hier und Pu abwechselnd erzählen",
        "Commencer une histoire que tout le monde ici et Pooh racontent à tour de rôle",
        "Empezar un cuento que todo el mundo aquí y Pooh cuentan por turnos",
    )
    ON_FIRST_SENTENCE = Row(
        "The first sentence; leave it out and Pooh begins",
        "Der erste Satz, auf Englisch; ohne ihn fängt Pu an",
        "La première phrase, en anglais ; sans elle, Pooh commence",
        "La primera frase, en inglés; si no la pones, empieza Pooh",
    )
    ON_ABOUT = Row(
        "Who Pooh is, what he has read, and how well he learned it",
        "Wer Pu ist, was er gelesen hat und wie gut er es gelernt hat",
        "Qui est Pooh, ce qu'il a lu et ce qu'il en a retenu",
        "Quién es Pooh, qué ha leído y qué ha aprendido",
    )
    ON_HELP = Row(
        "How to get a story",
        "Wie man eine Geschichte bekommt",
        "Comment obtenir une histoire",
        "Cómo conseguir un cuento",
    )

    # Buttons
    AGAIN = Row("Again", "Noch einmal", "Encore une fois", "Otra vez")
    CONTINUE = Row("Continue", "Weiter", "Continuer", "Continuar")
    WILDER = Row("Wilder", "Wilder", "Plus fou", "Más loco")
    CALMER = Row("Calmer", "Ruhiger", "Plus sage", "Más tranquilo")
    STOP = Row("Stop", "Stopp", "Arrêter", "Parar")
    DELETE = Row("Delete", "Löschen", "Supprimer", "Borrar")
    CONFIRM = Row("Yes, delete it", "Ja, löschen", "Oui, supprimer", "Sí, borrarlo")
    CANCEL = Row("No, leave it", "Nein, nicht löschen", "Non, la garder", "No, dejarlo")
    EARLIER = Row("◀", "◀", "◀", "◀")
    PAGE = Row("{number}/{count}", "{number}/{count}", "{number}/{count}", "{number}/{count}")
    LATER = Row("▶", "▶", "▶", "▶")
    HOW = Row("How?", "Wie?", "Comment ?", "¿Cómo?")
    KEEP = Row("Keep", "Aufheben", "Garder", "Guardar")
    FORK = Row("Fork", "Gabeln", "Bifurquer", "Bifurcar")
    COUNT_NOW = Row("Count now", "Jetzt zählen", "Compter maintenant", "Contar ya")
    GO_ON_WITH = Row(
        "Go on with {way}", "Weiter mit {way}", "Continuer avec {way}", "Seguir con {way}"
    )
    ADD_SENTENCE = Row(
        "Add a sentence", "Satz hinzufügen", "Ajouter une phrase", "Añadir una frase"
    )
    UNDO = Row("Undo", "Zurücknehmen", "Reprendre", "Retirar")
    THE_END = Row("The end", "Ende", "Fin", "Final")
    NEXT_PLACE = Row("Next place", "Nächste Stelle", "Passage suivant", "Siguiente pasaje")
    LETTERS = Row("Letters", "Buchstaben", "Lettres", "Letras")
    LAYERS = Row("Layers", "Schichten", "Couches", "Capas")
    WHO_WAS_WHO = Row("Who was who?", "Wer war wer?", "Qui était qui ?", "¿Quién era quién?")
    SHOW_HERE = Row("Show here", "Hier zeigen", "Montrer ici", "Mostrar aquí")
    WITH_NAME = Row("☐ With my name", "☐ Mit meinem Namen", "☐ Avec mon nom", "☐ Con mi nombre")
    WITHOUT_NAME = Row("☑ With my name", "☑ Mit meinem Namen", "☑ Avec mon nom", "☑ Con mi nombre")

    # How a text was written
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
    TOO_MANY_PICTURES = Row(
        "So many people want a picture that Pooh has run out of paper. Please come back in a "
        "moment.",
        "So viele möchten ein Bild, dass Pu das Papier ausgeht. Komm bitte gleich wieder.",
        "Tant de gens veulent une image que Pooh n'a plus de papier. Reviens dans un instant, "
        "s'il te plaît.",
        "Tanta gente quiere un dibujo que a Pooh se le ha acabado el papel. Vuelve en un momento, "
        "por favor.",
    )

    # A story to keep
    KEPT_FOR = Row(
        "told for {name}", "erzählt für {name}", "racontée pour {name}", "contado para {name}"
    )
    KEPT_ALT = Row(
        "The story as a card to keep: {words}",
        "Die Geschichte als Karte zum Aufheben: {words}",
        "L'histoire sous forme de carte à garder : {words}",
        "El cuento como tarjeta para guardar: {words}",
    )
    AT_LENGTH = Row("length {number}", "Länge {number}", "longueur {number}", "longitud {number}")
    OF_CANDIDATE = Row(
        "1 candidate a sentence",
        "1 Kandidat je Satz",
        "1 candidate par phrase",
        "1 candidata por frase",
    )
    OF_CANDIDATES = Row(
        "{number} candidates a sentence",
        "{number} Kandidaten je Satz",
        "{number} candidates par phrase",
        "{number} candidatas por frase",
    )
    NOTHING_TO_KEEP = Row(
        "Pooh sees no story there that could be kept.",
        "Pu sieht dort keine Geschichte, die man aufheben könnte.",
        "Pooh ne voit là aucune histoire à garder.",
        "Pooh no ve ahí ningún cuento que guardar.",
    )

    # The small line under a story
    WAITING = Row(
        "waiting: number {place} in the queue",
        "wartet: Nummer {place} in der Schlange",
        "en attente : numéro {place} dans la file",
        "en espera: número {place} de la cola",
    )
    WRITING = Row("writing ...", "schreibt ...", "écrit ...", "escribiendo ...")
    AT_TEMPERATURE = Row(
        "temperature {number}",
        "Temperatur {number}",
        "température {number}",
        "temperatura {number}",
    )
    AT_TOP_K = Row("top-k {number}", "Top-k {number}", "top-k {number}", "top-k {number}")
    AT_TOP_P = Row("top-p {number}", "Top-p {number}", "top-p {number}", "top-p {number}")
    AT_SEED = Row("seed {number}", "Startwert {number}", "graine {number}", "semilla {number}")
    LEFT_OUT_ONE = Row(
        "1 unknown character left out",
        "1 unbekanntes Zeichen ausgelassen",
        "1 caractère inconnu omis",
        "1 carácter desconocido omitido",
    )
    LEFT_OUT = Row(
        "{number} unknown characters left out",
        "{number} unbekannte Zeichen ausgelassen",
        "{number} caractères inconnus omis",
        "{number} caracteres desconocidos omitidos",
    )
    STOPPED = Row("stopped", "angehalten", "arrêtée", "parado")
    LATE = Row(
        "ran out of time", "die Zeit ist abgelaufen", "le temps est écoulé", "se acabó el tiempo"
    )
    FAILED = Row(
        "something went wrong, reference {reference}",
        "etwas ging schief, Kennung {reference}",
        "quelque chose a mal tourné, référence {reference}",
        "algo salió mal, referencia {reference}",
    )
    CLOSED = Row(
        "Pooh went to sleep",
        "Pu ist schlafen gegangen",
        "Pooh est allé dormir",
        "Pooh se fue a dormir",
    )
    INTERRUPTED = Row("interrupted", "unterbrochen", "interrompue", "interrumpido")
    NOT_TO_ITS_END = Row(
        "not shown to its end",
        "nicht bis zum Ende gezeigt",
        "pas affichée jusqu'au bout",
        "no mostrado hasta el final",
    )

    # To one person: why there is no story
    NOT_AT_HOME = Row(
        "Pooh is not at home in this place.",
        "Pu ist hier nicht zu Hause.",
        "Pooh n'est pas chez lui ici.",
        "Pooh no está en casa en este lugar.",
    )
    TOO_SOON_ONE = Row(
        "One at a time, said Pooh. Please ask again in a second.",
        "Eins nach dem anderen, sagte Pu. Frag bitte in einer Sekunde noch einmal.",
        "Une chose à la fois, dit Pooh. Redemande dans une seconde, s'il te plaît.",
        "De una en una, dijo Pooh. Vuelve a pedirlo en un segundo, por favor.",
    )
    TOO_SOON = Row(
        "One at a time, said Pooh. Please ask again in {seconds} seconds.",
        "Eins nach dem anderen, sagte Pu. Frag bitte in {seconds} Sekunden noch einmal.",
        "Une chose à la fois, dit Pooh. Redemande dans {seconds} secondes, s'il te plaît.",
        "De una en una, dijo Pooh. Vuelve a pedirlo en {seconds} segundos, por favor.",
    )
    TOO_MANY_TO_COUNT = Row(
        "{most} people have chosen already, and Pooh counts no further.",
        "{most} Leute haben schon gewählt, weiter zählt Pu nicht.",
        "{most} personnes ont déjà choisi, et Pooh ne compte pas plus loin.",
        "Ya han elegido {most} personas, y Pooh no cuenta más.",
    )
    NO_LETTERS = Row(
        "Pooh knows none of these characters. Try some words?",
        "Pu kennt keines dieser Zeichen. Versuchst du es mit Wörtern?",
        "Pooh ne connaît aucun de ces caractères. Et avec des mots ?",
        "Pooh no conoce ninguno de estos caracteres. ¿Pruebas con palabras?",
    )
    NO_WORDS = Row(
        "Pooh sees no words in that message to go on from.",
        "Pu sieht in dieser Nachricht keine Wörter, die er fortsetzen könnte.",
        "Pooh ne voit dans ce message aucun mot à continuer.",
        "Pooh no ve en ese mensaje palabras que continuar.",
    )
    RATHER_NOT = Row(
        "Pooh would rather not say that. Shall we begin another way?",
        "Das möchte Pu lieber nicht sagen. Fangen wir anders an?",
        "Pooh préfère ne pas dire cela. Et si on commençait autrement ?",
        "Pooh prefiere no decir eso. ¿Empezamos de otra manera?",
    )
    GOING_TO_SLEEP = Row(
        "Pooh is just going to sleep. Please try again in a while.",
        "Pu geht gerade schlafen. Versuch es bitte nachher noch einmal.",
        "Pooh va justement dormir. Réessaie dans un moment, s'il te plaît.",
        "Pooh se está yendo a dormir. Vuelve a probar dentro de un rato, por favor.",
    )
    OWN_QUEUE_FULL = Row(
        "You have several stories waiting already; let Pooh finish one of them.",
        "Auf dich warten schon mehrere Geschichten; lass Pu erst eine davon beenden.",
        "Tu as déjà plusieurs histoires en attente ; laisse Pooh en finir une.",
        "Ya tienes varios cuentos en espera; deja que Pooh termine uno.",
    )
    QUEUE_FULL = Row(
        "So many people want a story that the queue is full. Please come back soon.",
        "So viele möchten eine Geschichte, dass die Schlange voll ist. Komm bitte bald wieder.",
        "Tant de gens veulent une histoire que la file est pleine. Reviens bientôt, s'il te plaît.",
        "Tanta gente quiere un cuento que la cola está llena. Vuelve pronto, por favor.",
    )
    NOTHING_NEW = Row(
        "Nothing new was written ({ending}), so the old story is back.",
        "Es wurde nichts Neues geschrieben ({ending}); die alte Geschichte ist wieder da.",
        "Rien de nouveau n'a été écrit ({ending}) ; l'ancienne histoire est revenue.",
        "No se ha escrito nada nuevo ({ending}); ha vuelto el cuento anterior.",
    )
    ANOTHER_POOH = Row(
        "Another Pooh told that one: he has learned anew since, and would tell it differently.",
        "Das hat ein anderer Pu erzählt: Er hat seitdem neu gelernt und würde es anders erzählen.",
        "C'est un autre Pooh qui l'a racontée : il a réappris depuis et la raconterait autrement.",
        "Ese lo contó otro Pooh: desde entonces ha vuelto a aprender y lo contaría de otra manera.",
    )
    STILL_WRITING = Row(
        "Pooh is still writing this one.",
        "Pu schreibt noch an dieser Geschichte.",
        "Pooh est encore en train d'écrire celle-ci.",
        "Pooh todavía está escribiendo este.",
    )
    MAY_NOT_STOP = Row(
        "Only the one who asked for this story, or a moderator, can stop it.",
        "Nur wer um diese Geschichte gebeten hat oder moderiert, kann sie anhalten.",
        "Seule la personne qui a demandé cette histoire, ou la modération, peut l'arrêter.",
        "Solo quien pidió este cuento, o la moderación, puede pararlo.",
    )
    MAY_NOT_DELETE = Row(
        "Only the one who asked for this story, or a moderator, can delete it.",
        "Nur wer um diese Geschichte gebeten hat oder moderiert, kann sie löschen.",
        "Seule la personne qui a demandé cette histoire, ou la modération, peut la supprimer.",
        "Solo quien pidió este cuento, o la moderación, puede borrarlo.",
    )
    BLOCKED = Row(
        "The rules of this server (AutoMod) do not let this story be shown.",
        "Die Regeln dieses Servers (AutoMod) lassen diese Geschichte nicht zu.",
        "Les règles de ce serveur (AutoMod) ne laissent pas afficher cette histoire.",
        "Las reglas de este servidor (AutoMod) no dejan mostrar este cuento.",
    )
    MAY_NOT_WRITE = Row(
        "Pooh is not allowed to write there.",
        "Pu darf dort nicht schreiben.",
        "Pooh n'a pas le droit d'écrire là-bas.",
        "Pooh no tiene permiso para escribir ahí.",
    )
    NOT_SHOWN = Row(
        "Bother! Discord would not show this story. (reference {reference})",
        "Ach je! Discord will diese Geschichte nicht zeigen. (Kennung {reference})",
        "Zut ! Discord n'a pas voulu afficher cette histoire. (référence {reference})",
        "¡Vaya! Discord no ha querido mostrar este cuento. (referencia {reference})",
    )
    RELEARNED = Row(
        "Pooh has just learned this anew. Please try again in a minute.",
        "Pu hat das gerade neu gelernt. Versuch es bitte in einer Minute noch einmal.",
        "Pooh vient de réapprendre cela. Réessaie dans une minute, s'il te plaît.",
        "Pooh acaba de aprender esto de nuevo. Vuelve a probar en un minuto, por favor.",
    )
    OUT_OF_RANGE = Row(
        "Pooh cannot do it with these values; see /{help}.",
        "Mit diesen Werten kann Pu das nicht; siehe /{help}.",
        "Pooh n'y arrive pas avec ces valeurs ; voir /{help}.",
        "Pooh no puede hacerlo con estos valores; mira /{help}.",
    )
    BOTHER = Row(
        "Bother! Something went wrong, and not by you. (reference {reference})",
        "Ach je! Etwas ging schief, und du bist nicht schuld. (Kennung {reference})",
        "Zut ! Quelque chose a mal tourné, et ce n'est pas ta faute. (référence {reference})",
        "¡Vaya! Algo ha salido mal, y no es culpa tuya. (referencia {reference})",
    )

    # How to ask
    ROLE = Row(
        "That is only Pooh's role. Mention Pooh himself, or use /pooh, to get a story.",
        "Das ist nur Pus Rolle. Erwähne Pu selbst oder nimm /pooh für eine Geschichte.",
        "C'est seulement le rôle de Pooh. Pour une histoire, mentionne Pooh ou utilise /pooh.",
        "Ese es solo el rol de Pooh. Para un cuento, menciona al propio Pooh o usa /pooh.",
    )
    EMPTY_REPLY = Row(
        "No words of your reply have come to Pooh. Press {continue} under the story, choose "
        "Apps > {continue_as} in your message's menu, or write his @name into the reply.",
        "Von deiner Antwort sind keine Wörter bei Pu angekommen. Drück unter der Geschichte auf "
        "{continue}, wähle im Menü deiner Nachricht Apps > {continue_as}, oder schreib seinen "
        "@Namen in die Antwort.",
        "Aucun mot de ta réponse n'est arrivé jusqu'à Pooh. Appuie sur {continue} sous l'histoire, "
        "choisis Applications > {continue_as} dans le menu de ton message, ou écris son @nom dans "
        "la réponse.",
        "A Pooh no le ha llegado ninguna palabra de tu respuesta. Pulsa {continue} bajo el cuento, "
        "elige Aplicaciones > {continue_as} en el menú de tu mensaje o escribe su @nombre en la "
        "respuesta.",
    )
    HELP_PAGE = Row(
        "**/pooh** `{prompt}` Pooh goes on from your words; without any he begins by himself.\n"
        "`{temperature}` how wild (0 to 2) · `{length}` characters · `{top_k}`, `{top_p}` · "
        "`{seed}` the same again\n"
        "**Apps > {continue_as}** in a message's menu: Pooh goes on from there.\n"
        "**Mention** me, also in a reply to a story, or write to me in private: Pooh answers.\n"
        "Under a story: **{again}** (another) · **◀ ▶** (turn back) · **{continue}** · "
        "**{wilder}** · **{calmer}** · **{stop}** · **{delete}** · **{how}** · **{keep}** · "
        "**{fork}**\n"
        "**/{how_command}**, **Apps > {how_written}** where he was sure, and where he guessed.\n"
        "**/{race}** Pooh and two others write on: which one is Pooh?\n"
        "**/{circle}** a story by turns · **Apps > {who_wrote}** for moderators.\n"
        "**/{about}** who Pooh is · **/{privacy}** what he keeps · **/{setup}** this server's "
        "defaults",
        "**/pooh** `{prompt}` Pu erzählt von deinen Worten aus weiter (auf Englisch); ohne sie "
        "fängt er selbst an.\n"
        "`{temperature}` wie wild (0 bis 2) · `{length}` in Zeichen · `{top_k}`, `{top_p}` · "
        "`{seed}` noch einmal dieselbe\n"
        "**Apps > {continue_as}** im Menü einer Nachricht: Pu erzählt von dort aus weiter.\n"
        "**Erwähne** mich, auch in der Antwort auf eine Geschichte, oder schreib mir privat: Pu "
        "antwortet.\n"
        "Unter einer Geschichte: **{again}** (eine andere) · **◀ ▶** (blättern) · **{continue}** · "
        "**{wilder}** · **{calmer}** · **{stop}** · **{delete}** · **{how}** · **{keep}** · "
        "**{fork}**\n"
        "**/{how_command}**, **Apps > {how_written}** wo er sicher war und wo er geraten hat.\n"
        "**/{race}** drei erzählen weiter: Wer ist Pu?\n"
        "**/{circle}** eine Geschichte im Kreis · **Apps > {who_wrote}** für die Moderation.\n"
        "**/{about}** wer Pu ist · **/{privacy}** was er aufhebt · **/{setup}** für diesen Server",
        "**/pooh** `{prompt}` Pooh continue à partir de tes mots (en anglais) ; sans mots, il "
        "commence lui-même.\n"
        "`{temperature}` la fantaisie (de 0 à 2) · `{length}` en caractères · `{top_k}`, "
        "`{top_p}` · `{seed}` la même à nouveau\n"
        "**Applications > {continue_as}** dans le menu d'un message : Pooh continue à partir de "
        "là.\n"
        "**Mentionne**-moi, aussi en réponse à une histoire, ou écris-moi en privé : Pooh répond.\n"
        "Sous une histoire : **{again}** (une autre) · **◀ ▶** (feuilleter) · **{continue}** · "
        "**{wilder}** · **{calmer}** · **{stop}** · **{delete}** · **{how}** · **{keep}** · "
        "**{fork}**\n"
        "**/{how_command}**, **Applications > {how_written}** là où il était sûr, et là où il "
        "devinait.\n"
        "**/{race}** trois continuent : lequel est Pooh ?\n"
        "**/{circle}** une histoire à tour de rôle · **Applications > {who_wrote}** pour la "
        "modération.\n"
        "**/{about}** qui est Pooh · **/{privacy}** ce qu'il conserve · **/{setup}** pour ce "
        "serveur",
        "**/pooh** `{prompt}` Pooh continúa a partir de tus palabras (en inglés); sin ellas, "
        "empieza él.\n"
        "`{temperature}` la fantasía (de 0 a 2) · `{length}` en caracteres · `{top_k}`, "
        "`{top_p}` · `{seed}` el mismo otra vez\n"
        "**Aplicaciones > {continue_as}** en el menú de un mensaje: Pooh continúa desde ahí.\n"
        "**Mencióname**, también al responder a un cuento, o escríbeme en privado: Pooh responde.\n"
        "Bajo un cuento: **{again}** (uno distinto) · **◀ ▶** (pasar página) · **{continue}** · "
        "**{wilder}** · **{calmer}** · **{stop}** · **{delete}** · **{how}** · **{keep}** · "
        "**{fork}**\n"
        "**/{how_command}**, **Aplicaciones > {how_written}** dónde estaba seguro y dónde "
        "adivinaba.\n"
        "**/{race}** tres continúan: ¿cuál es Pooh?\n"
        "**/{circle}** un cuento por turnos · **Aplicaciones > {who_wrote}** para la "
        "moderación.\n"
        "**/{about}** quién es Pooh · **/{privacy}** qué guarda · **/{setup}** para este servidor",
    )

    # Who Pooh is
    ABOUT_POOH = Row(
        "**Pooh** makes up stories in the manner of old children's books: you begin, he goes on, "
        "or he begins by himself.",
        "**Pu** denkt sich Geschichten aus, wie sie in alten Kinderbüchern stehen: Du fängst an, "
        "er erzählt weiter, oder er fängt selbst an. Er kann nur Englisch.",
        "**Pooh** invente des histoires à la façon des vieux livres pour enfants : tu commences, "
        "il continue, ou bien il commence lui-même. Il ne sait que l'anglais.",
        "**Pooh** inventa cuentos a la manera de los viejos libros infantiles: tú empiezas y él "
        "continúa, o empieza él. Solo sabe inglés.",
    )
    ABOUT_MODEL = Row(
        "He is a small language model made from scratch, `{name}`, and writes one character after "
        "another.",
        "Er ist ein kleines, von Grund auf selbst gebautes Sprachmodell, `{name}`, und schreibt "
        "ein Zeichen nach dem anderen.",
        "C'est un petit modèle de langue construit de zéro, `{name}`, qui écrit un caractère après "
        "l'autre.",
        "Es un pequeño modelo de lenguaje hecho desde cero, `{name}`, que escribe un carácter tras "
        "otro.",
    )
    ABOUT_SIZE = Row(
        "**Size** {number} parameters",
        "**Größe** {number} Parameter",
        "**Taille** {number} paramètres",
        "**Tamaño** {number} parámetros",
    )
    ABOUT_READ_ONE = Row(
        "**Read** {characters} characters of one text",
        "**Gelesen** {characters} Zeichen aus einem Text",
        "**Lu** {characters} caractères d'un seul texte",
        "**Leído** {characters} caracteres de un solo texto",
    )
    ABOUT_READ = Row(
        "**Read** {characters} characters of {texts} texts",
        "**Gelesen** {characters} Zeichen aus {texts} Texten",
        "**Lu** {characters} caractères de {texts} textes",
        "**Leído** {characters} caracteres de {texts} textos",
    )
    ABOUT_TRAIN_LOSS = Row(
        "**Loss in training** {number} nats per character",
        "**Verlust beim Lernen** {number} Nats pro Zeichen",
        "**Perte à l'entraînement** {number} nats par caractère",
        "**Pérdida en el entrenamiento** {number} nats por carácter",
    )
    ABOUT_VALIDATION_LOSS = Row(
        "**Loss on text he never read** {number} nats per character",
        "**Verlust auf nie gelesenem Text** {number} Nats pro Zeichen",
        "**Perte sur un texte jamais lu** {number} nats par caractère",
        "**Pérdida en un texto nunca leído** {number} nats por carácter",
    )
    ABOUT_KEPT = Row(
        "**Kept about you** nothing, but for what you switch on in `/{privacy}` or `/{setup}`: a "
        "story lives in its message, and goes when you delete it.",
        "**Über dich gespeichert** nichts, außer was du in `/{privacy}` oder `/{setup}` "
        "einschaltest: Eine Geschichte steht nur in ihrer Nachricht und ist weg, wenn du sie "
        "löschst.",
        "**Conservé sur toi** rien, sauf ce que tu actives dans `/{privacy}` ou `/{setup}` : une "
        "histoire n'existe que dans son message et disparaît quand tu le supprimes.",
        "**Guardado sobre ti** nada, salvo lo que actives en `/{privacy}` o `/{setup}`: un cuento "
        "vive en su mensaje y desaparece cuando lo borras.",
    )
    ABOUT_INVITE = Row(
        "[Invite him to a server](<{server}>), or [take him with you](<{person}>).",
        "[Lade ihn auf einen Server ein](<{server}>), oder [nimm ihn mit](<{person}>).",
        "[Invite-le sur un serveur](<{server}>), ou [emmène-le avec toi](<{person}>).",
        "[Invítalo a un servidor](<{server}>) o [llévatelo contigo](<{person}>).",
    )
    ABOUT_CODE = Row(
        "[His code](<{source}>) is free for everybody.",
        "[Sein Code](<{source}>) ist für alle frei.",
        "[Son code](<{source}>) est libre pour tout le monde.",
        "[Su código](<{source}>) es libre para todo el mundo.",
    )
    ABOUT_CODE_AT_HOST = Row(
        "He is free software (MIT licence); whoever runs him here has his code.",
        "Er ist freie Software (MIT-Lizenz); wer ihn hier betreibt, hat seinen Code.",
        "C'est un logiciel libre (licence MIT) ; la personne qui l'héberge a son code.",
        "Es software libre (licencia MIT); quien lo aloja tiene su código.",
    )
    ABOUT_VERSION = Row(
        "Version {number}.", "Version {number}.", "Version {number}.", "Versión {number}."
    )
    ABOUT_ASK = Row(
        "`/pooh` tells a story, `/{help}` says how.",
        "`/pooh` erzählt eine Geschichte, `/{help}` sagt, wie.",
        "`/pooh` raconte une histoire, `/{help}` dit comment.",
        "`/pooh` cuenta un cuento, `/{help}` dice cómo.",
    )
    LOSS_PLOT = Row(
        "A plot of how Pooh learned: the more he read, the lower his loss, in training and on text "
        "he never read.",
        "Ein Diagramm, wie Pu gelernt hat: Je mehr er las, desto kleiner wurde sein Verlust, beim "
        "Lernen und auf nie gelesenem Text.",
        "Un graphique de l'apprentissage de Pooh : plus il lisait, plus sa perte baissait, à "
        "l'entraînement et sur un texte jamais lu.",
        "Un gráfico de cómo aprendió Pooh: cuanto más leía, menor era su pérdida, en el "
        "entrenamiento y en un texto nunca leído.",
    )


# Names that other texts may mention: {help} is what /help is called in that language.
NAMES = (
    *(Text.CONTINUE_AS, Text.ABOUT, Text.HELP, Text.PROMPT, Text.TEMPERATURE, Text.LENGTH),
    *(
        Text.TOP_K,
        Text.TOP_P,
        Text.SEED,
        Text.AGAIN,
        Text.CONTINUE,
        Text.WILDER,
        Text.CALMER,
        Text.STOP,
    ),
    *(Text.DELETE, Text.HOW, Text.KEEP, Text.FORK),
    *(Text.HOW_COMMAND, Text.HOW_WRITTEN, Text.WHO_WROTE),
    *(Text.SETUP, Text.PRIVACY),
    *(Text.RACE, Text.CIRCLE),
)


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


def named(text: Said) -> locale_str:
    """A text of a command, for discord.py to have translated."""
    return locale_str(text.value.en)


class Translations(app_commands.Translator):
    """The commands' texts in the languages there are."""

    async def translate(
        self,
        string: locale_str,
        locale: Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """The text in that language, None when there is none: Discord then shows English."""
        language = _LANGUAGES.get(locale)
        if language is None:
            return None
        said = (text for text in Said.all() if text.value.en == string.message)
        text = next(said, None)
        return None if text is None else language.say(text)
