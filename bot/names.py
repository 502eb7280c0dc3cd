"""What commands, options, menus and buttons are called, and what stands beside them."""

import enum

from bot.said import Row, Said


@enum.unique
class Name(Said):
    """Names, labels, and the descriptions that people read while they type a command."""

    # Commands and their options
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


# Those that other texts may mention, and /help does: {help} is what it is called in a language.
NAMES = (
    *(Name.CONTINUE_AS, Name.ABOUT, Name.HELP, Name.PROMPT, Name.TEMPERATURE, Name.LENGTH),
    *(Name.TOP_K, Name.TOP_P, Name.SEED, Name.AGAIN, Name.CONTINUE, Name.WILDER, Name.CALMER),
    *(Name.STOP, Name.DELETE, Name.HOW, Name.KEEP, Name.FORK, Name.HOW_COMMAND, Name.HOW_WRITTEN),
    *(Name.WHO_WROTE, Name.SETUP, Name.PRIVACY, Name.RACE, Name.CIRCLE),
)
