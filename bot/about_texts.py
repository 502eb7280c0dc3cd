"""What stands on the picture of `/about`."""

import enum

from bot.translations import Row, Said


@enum.unique
class AboutText(Said):
    """The words of the plot."""

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
