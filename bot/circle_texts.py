"""What people read of story circles."""

from bot.said import Row, Said


class CircleText(Said):
    """The bot's words about a circle, its small lines, and why somebody cannot go on."""

    NAME = Row("Story circle", "Geschichtenkreis", "Ronde d'histoires", "Corro de cuentos")
    BEGUN = Row(
        "A story circle has begun in the thread: everybody may add a sentence, and Pooh goes on.",
        "Im Thread hat ein Geschichtenkreis begonnen: Alle dürfen einen Satz hinzufügen, und Pu "
        "erzählt weiter.",
        "Une ronde d'histoires a commencé dans le fil : chacun peut ajouter une phrase, et Pooh "
        "continue.",
        "Ha empezado un corro de cuentos en el hilo: todo el mundo puede añadir una frase, y Pooh "
        "continúa.",
    )
    YOUR_SENTENCE = Row(
        "Your sentence, in English",
        "Dein Satz, auf Englisch",
        "Ta phrase, en anglais",
        "Tu frase, en inglés",
    )

    # The small line
    AT_TURN = Row(
        "story circle · turn {number} of {most}",
        "Geschichtenkreis · Zug {number} von {most}",
        "ronde d'histoires · tour {number} sur {most}",
        "corro de cuentos · turno {number} de {most}",
    )
    SAID_NOTHING = Row(
        "Pooh said nothing this time",
        "Pu hat diesmal nichts gesagt",
        "Pooh n'a rien dit cette fois",
        "Pooh no ha dicho nada esta vez",
    )
    GOES_ON = Row("goes on below", "geht unten weiter", "suite plus bas", "sigue más abajo")
    THE_END = Row(
        "the end, after turn {number}",
        "Ende, nach Zug {number}",
        "fin, après le tour {number}",
        "fin, tras el turno {number}",
    )
    IN_THE_FILE = Row(
        "the whole story is in the file",
        "die ganze Geschichte steht in der Datei",
        "toute l'histoire est dans le fichier",
        "el cuento entero está en el archivo",
    )

    # To one person
    NOT_TWICE = Row(
        "You wrote the last sentence. Now it is somebody else's turn; if nobody comes for "
        "{minutes} minutes, it is yours.",
        "Den letzten Satz hast du geschrieben. Jetzt ist jemand anderes dran; kommt {minutes} "
        "Minuten lang niemand, bist du es.",
        "Tu as écrit la dernière phrase. C'est à quelqu'un d'autre ; si personne ne vient pendant "
        "{minutes} minutes, ce sera à toi.",
        "La última frase es tuya. Ahora le toca a otra persona; si no viene nadie en {minutes} "
        "minutos, te toca a ti.",
    )
    NO_VOICE = Row(
        "Only who may write messages here can add a sentence.",
        "Nur wer hier Nachrichten schreiben darf, kann einen Satz anfügen.",
        "Seules les personnes qui peuvent écrire des messages ici peuvent ajouter une phrase.",
        "Solo quien puede escribir mensajes aquí puede añadir una frase.",
    )
    HERE_ALREADY = Row(
        "There is a story circle here already: {link}",
        "Hier gibt es schon einen Geschichtenkreis: {link}",
        "Il y a déjà une ronde d'histoires ici : {link}",
        "Ya hay un corro de cuentos aquí: {link}",
    )
    JUST_BEGINNING = Row(
        "Somebody is just beginning a story circle here.",
        "Hier beginnt gerade jemand einen Geschichtenkreis.",
        "Quelqu'un commence justement une ronde d'histoires ici.",
        "Alguien está empezando ahora mismo un corro de cuentos aquí.",
    )
    QUICKER = Row(
        "Somebody was quicker, and the story has gone on without this sentence.",
        "Jemand war schneller, und die Geschichte ist ohne diesen Satz weitergegangen.",
        "Quelqu'un a été plus rapide, et l'histoire a continué sans cette phrase.",
        "Alguien ha sido más rápido, y el cuento ha seguido sin esta frase.",
    )
    CHANGED = Row(
        "The story has changed meanwhile; look at it once more.",
        "Die Geschichte hat sich inzwischen geändert; sieh sie dir noch einmal an.",
        "L'histoire a changé entre-temps ; regarde-la encore une fois.",
        "El cuento ha cambiado mientras tanto; míralo otra vez.",
    )
    YOURS_AGAIN = Row(
        "Here it is, to copy:",
        "Hier ist er, zum Kopieren:",
        "La voici, à copier :",
        "Aquí está, para copiarla:",
    )
    IS_OVER = Row(
        "This story circle is over.",
        "Dieser Geschichtenkreis ist zu Ende.",
        "Cette ronde d'histoires est finie.",
        "Este corro de cuentos ha terminado.",
    )
    FULL = Row(
        "This circle has had its {most} turns.",
        "Dieser Kreis hatte seine {most} Züge.",
        "Cette ronde a eu ses {most} tours.",
        "Este corro ya ha tenido sus {most} turnos.",
    )
    NOT_TOLD_AGAIN = Row(
        "{why} The circle is over all the same, and can be read where it was told.",
        "{why} Der Kreis ist trotzdem zu Ende, und er steht noch da, wo er erzählt wurde.",
        "{why} La ronde est finie tout de même, et se lit là où elle a été racontée.",
        "{why} El corro ha terminado de todos modos, y se puede leer donde se contó.",
    )
    MAY_NOT_UNDO = Row(
        "Only the one who wrote the last sentence, or a moderator, can take it back.",
        "Nur wer den letzten Satz geschrieben hat oder moderiert, kann ihn zurücknehmen.",
        "Seule la personne qui a écrit la dernière phrase, ou la modération, peut la reprendre.",
        "Solo quien escribió la última frase, o la moderación, puede retirarla.",
    )
    NOTHING_TO_UNDO = Row(
        "There is no sentence here that could be taken back.",
        "Hier steht kein Satz, der sich zurücknehmen ließe.",
        "Il n'y a ici aucune phrase à reprendre.",
        "Aquí no hay ninguna frase que retirar.",
    )
    MAY_NOT_END = Row(
        "Only the one who began this circle, or a moderator, can end it.",
        "Nur wer diesen Kreis begonnen hat oder moderiert, kann ihn beenden.",
        "Seule la personne qui a commencé cette ronde, ou la modération, peut la finir.",
        "Solo quien empezó este corro, o la moderación, puede terminarlo.",
    )
    WROTE = Row(
        "Turn {number}, {person}: {sentence}",
        "Zug {number}, {person}: {sentence}",
        "Tour {number}, {person} : {sentence}",
        "Turno {number}, {person}: {sentence}",
    )
    KNOWN = Row(
        "Known of the latest {most} turns, while the circle is open, and kept nowhere but in the "
        "message's buttons, enciphered.",
        "Bekannt von den letzten {most} Zügen, solange der Kreis offen ist, und nirgends "
        "aufgehoben als in den Knöpfen der Nachricht, verschlüsselt.",
        "Connu des {most} derniers tours, tant que la ronde est ouverte, et conservé nulle part "
        "ailleurs que dans les boutons du message, chiffré.",
        "Se sabe de los últimos {most} turnos, mientras el corro está abierto, y no se guarda más "
        "que en los botones del mensaje, cifrado.",
    )
    NOBODY_KNOWN = Row(
        "Pooh knows nobody who wrote in this message. Ask at the last message of a story circle, "
        "while it is open.",
        "Pu kennt niemanden, der in dieser Nachricht geschrieben hat. Frag bei der letzten "
        "Nachricht eines Geschichtenkreises, solange er offen ist.",
        "Pooh ne connaît personne qui ait écrit dans ce message. Demande au dernier message d'une "
        "ronde d'histoires, tant qu'elle est ouverte.",
        "Pooh no conoce a nadie que haya escrito en este mensaje. Pregunta en el último mensaje de "
        "un corro de cuentos, mientras está abierto.",
    )
    FOR_MODERATORS = Row(
        "Only moderators can ask who wrote a sentence.",
        "Nur wer moderiert, kann fragen, von wem ein Satz ist.",
        "Seule la modération peut demander qui a écrit une phrase.",
        "Solo la moderación puede preguntar quién escribió una frase.",
    )
    SHUT = Row(
        "This thread is closed. When a moderator opens it again, the circle goes on.",
        "Dieser Thread ist geschlossen. Öffnet ihn jemand von der Moderation, geht es weiter.",
        "Ce fil est fermé. Si la modération le rouvre, la ronde continue.",
        "Este hilo está cerrado. Si la moderación lo abre de nuevo, el corro sigue.",
    )
