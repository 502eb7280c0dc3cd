"""What `/about` says: who Pooh is, and the words of its picture."""

import enum

from bot.said import Row, Said


@enum.unique
class AboutText(Said):
    """What the card says."""

    POOH = Row(
        "**Pooh** makes up stories in the manner of old children's books: you begin, he goes on, "
        "or he begins by himself.",
        "**Pu** denkt sich Geschichten aus, wie sie in alten Kinderbüchern stehen: Du fängst an, "
        "er erzählt weiter, oder er fängt selbst an. Er kann nur Englisch.",
        "**Pooh** invente des histoires à la façon des vieux livres pour enfants : tu commences, "
        "il continue, ou bien il commence lui-même. Il ne sait que l'anglais.",
        "**Pooh** inventa cuentos a la manera de los viejos libros infantiles: tú empiezas y él "
        "continúa, o empieza él. Solo sabe inglés.",
    )
    MODEL = Row(
        "He is a small language model made from scratch, `{name}`, and writes one character after "
        "another.",
        "Er ist ein kleines, von Grund auf selbst gebautes Sprachmodell, `{name}`, und schreibt "
        "ein Zeichen nach dem anderen.",
        "C'est un petit modèle de langue construit de zéro, `{name}`, qui écrit un caractère après "
        "l'autre.",
        "Es un pequeño modelo de lenguaje hecho desde cero, `{name}`, que escribe un carácter tras "
        "otro.",
    )
    SIZE = Row(
        "**Size** {number} parameters",
        "**Größe** {number} Parameter",
        "**Taille** {number} paramètres",
        "**Tamaño** {number} parámetros",
    )
    READ_ONE = Row(
        "**Read** {characters} characters of one text",
        "**Gelesen** {characters} Zeichen aus einem Text",
        "**Lu** {characters} caractères d'un seul texte",
        "**Leído** {characters} caracteres de un solo texto",
    )
    READ = Row(
        "**Read** {characters} characters of {texts} texts",
        "**Gelesen** {characters} Zeichen aus {texts} Texten",
        "**Lu** {characters} caractères de {texts} textes",
        "**Leído** {characters} caracteres de {texts} textos",
    )
    TRAIN_LOSS = Row(
        "**Loss in training** {number} nats per character",
        "**Verlust beim Lernen** {number} Nats pro Zeichen",
        "**Perte à l'entraînement** {number} nats par caractère",
        "**Pérdida en el entrenamiento** {number} nats por carácter",
    )
    VALIDATION_LOSS = Row(
        "**Loss on text he never read** {number} nats per character",
        "**Verlust auf nie gelesenem Text** {number} Nats pro Zeichen",
        "**Perte sur un texte jamais lu** {number} nats par caractère",
        "**Pérdida en un texto nunca leído** {number} nats por carácter",
    )
    KEPT = Row(
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
    INVITE = Row(
        "[Invite him to a server](<{server}>), or [take him with you](<{person}>).",
        "[Lade ihn auf einen Server ein](<{server}>), oder [nimm ihn mit](<{person}>).",
        "[Invite-le sur un serveur](<{server}>), ou [emmène-le avec toi](<{person}>).",
        "[Invítalo a un servidor](<{server}>) o [llévatelo contigo](<{person}>).",
    )
    CODE = Row(
        "[His code](<{source}>) is free for everybody.",
        "[Sein Code](<{source}>) ist für alle frei.",
        "[Son code](<{source}>) est libre pour tout le monde.",
        "[Su código](<{source}>) es libre para todo el mundo.",
    )
    CODE_AT_HOST = Row(
        "He is free software (MIT licence); whoever runs him here has his code.",
        "Er ist freie Software (MIT-Lizenz); wer ihn hier betreibt, hat seinen Code.",
        "C'est un logiciel libre (licence MIT) ; la personne qui l'héberge a son code.",
        "Es software libre (licencia MIT); quien lo aloja tiene su código.",
    )
    VERSION = Row(
        "Version {number}.", "Version {number}.", "Version {number}.", "Versión {number}."
    )
    ASK = Row(
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

    # On the plot
    TITLE = Row(
        "How {name} learned",
        "Wie {name} gelernt hat",
        "Comment {name} a appris",
        "Cómo aprendió {name}",
    )
    TRAINING = Row(
        "text he learned from",
        "Text, aus dem er lernte",
        "texte dont il a appris",
        "texto del que aprendió",
    )
    VALIDATION = Row(
        "text he never read", "nie gelesener Text", "texte jamais lu", "texto nunca leído"
    )
    CHARACTERS = Row(
        "characters seen, in millions",
        "gesehene Zeichen, in Millionen",
        "caractères vus, en millions",
        "caracteres vistos, en millones",
    )
    NATS = Row("nats per character", "Nats pro Zeichen", "nats par caractère", "nats por carácter")
