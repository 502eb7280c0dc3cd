"""What members read about a server's own settings, the story of the day, and what is kept."""

import enum

from bot.said import Row, Said


@enum.unique
class SetupText(Said):
    """What /setup and /privacy say."""

    # The server's card
    TITLE = Row(
        "Pooh in this server",
        "Pu auf diesem Server",
        "Pooh sur ce serveur",
        "Pooh en este servidor",
    )
    STORIES = Row(
        "**Stories** are written at temperature {temperature}, with {length} characters, unless "
        "whoever asks says otherwise. `{model}` writes them: which network that is, whoever runs "
        "this bot decides for all servers.",
        "**Geschichten** werden mit Temperatur {temperature} und {length} Zeichen geschrieben, "
        "wenn "
        "niemand etwas anderes sagt. `{model}` schreibt sie: Welches Netz das ist, entscheidet für "
        "alle Server, wer diesen Bot betreibt.",
        "**Les histoires** sont écrites à la température {temperature}, avec {length} caractères, "
        "sauf si la personne en décide autrement. C'est `{model}` qui les écrit : le réseau est "
        "choisi pour tous les serveurs par la personne qui héberge ce bot.",
        "**Los cuentos** se escriben con temperatura {temperature} y {length} caracteres, si quien "
        "los pide no dice otra cosa. Los escribe `{model}`: qué red es lo decide para todos los "
        "servidores quien aloja este bot.",
    )
    MENTIONS_EVERYWHERE = Row(
        "**Mentions** are answered in every channel that Pooh can see.",
        "**Erwähnungen** beantwortet Pu in jedem Kanal, den er sieht.",
        "**Les mentions** reçoivent une réponse dans tous les salons que Pooh voit.",
        "**Las menciones** se responden en todos los canales que Pooh ve.",
    )
    MENTIONS_IN = Row(
        "**Mentions** are answered only in {channels}, and in their threads. The commands work "
        "everywhere.",
        "**Erwähnungen** beantwortet Pu nur in {channels} und in den Threads darin. Die Befehle "
        "gehen überall.",
        "**Les mentions** ne reçoivent une réponse que dans {channels} et leurs fils. Les "
        "commandes "
        "marchent partout.",
        "**Las menciones** solo se responden en {channels} y en sus hilos. Los comandos funcionan "
        "en "
        "todas partes.",
    )
    STORY_OFF = Row(
        "**Story of the day**: off.",
        "**Geschichte des Tages**: aus.",
        "**Histoire du jour** : désactivée.",
        "**Cuento del día**: desactivado.",
    )
    STORY_ON = Row(
        "**Story of the day**: on, in {channel}, without a notification. The next one: {time}. "
        "Switched on by {name}.",
        "**Geschichte des Tages**: an, in {channel}, ohne Benachrichtigung. Die nächste: {time}. "
        "Eingeschaltet von {name}.",
        "**Histoire du jour** : activée, dans {channel}, sans notification. La prochaine : {time}. "
        "Activée par {name}.",
        "**Cuento del día**: activado, en {channel}, sin notificación. El próximo: {time}. "
        "Activado "
        "por {name}.",
    )
    STORY_GONE = Row(
        "**Story of the day**: stopped by itself. Its channel is gone.",
        "**Geschichte des Tages**: hat von selbst aufgehört. Ihr Kanal ist weg.",
        "**Histoire du jour** : arrêtée d'elle-même. Son salon n'existe plus.",
        "**Cuento del día**: se ha parado solo. Su canal ya no existe.",
    )
    STORY_FORBIDDEN = Row(
        "**Story of the day**: stopped by itself. Pooh may not write in {channel}.",
        "**Geschichte des Tages**: hat von selbst aufgehört. Pu darf in {channel} nicht schreiben.",
        "**Histoire du jour** : arrêtée d'elle-même. Pooh n'a pas le droit d'écrire dans "
        "{channel}.",
        "**Cuento del día**: se ha parado solo. Pooh no tiene permiso para escribir en {channel}.",
    )
    SOMEBODY = Row("somebody", "jemandem", "quelqu'un", "alguien")

    # Its menus and buttons
    CHOOSE_TEMPERATURE = Row("Temperature", "Temperatur", "Température", "Temperatura")
    CHOOSE_LENGTH = Row("Length", "Länge", "Longueur", "Longitud")
    CHOOSE_MENTIONS = Row(
        "Answer mentions in every channel",
        "Erwähnungen in jedem Kanal beantworten",
        "Répondre aux mentions dans tous les salons",
        "Responder a las menciones en todos los canales",
    )
    CHOOSE_CHANNEL = Row(
        "Channel of the story of the day",
        "Kanal der Geschichte des Tages",
        "Salon de l'histoire du jour",
        "Canal del cuento del día",
    )
    CHOOSE_HOUR = Row("Hour", "Uhrzeit", "Heure", "Hora")
    OF_TEMPERATURE = Row(
        "Temperature {number}",
        "Temperatur {number}",
        "Température {number}",
        "Temperatura {number}",
    )
    OF_LENGTH = Row(
        "{number} characters", "{number} Zeichen", "{number} caractères", "{number} caracteres"
    )
    DEFAULT = Row(
        "as Pooh has it by himself", "wie Pu es von selbst hält", "le réglage de Pooh", "el de Pooh"
    )
    AT_HOUR = Row("at {hour} UTC", "um {hour} UTC", "à {hour} UTC", "a las {hour} UTC")
    SWITCH_ON = Row(
        "Tell a story every day",
        "Jeden Tag eine Geschichte",
        "Une histoire chaque jour",
        "Un cuento cada día",
    )
    SWITCH_OFF = Row(
        "No more story of the day",
        "Keine Geschichte des Tages mehr",
        "Plus d'histoire du jour",
        "No más cuento del día",
    )

    # The small line of that story
    STORY_OF_THE_DAY = Row(
        "story of the day, switched on by {name}",
        "Geschichte des Tages, eingeschaltet von {name}",
        "histoire du jour, activée par {name}",
        "cuento del día, activado por {name}",
    )

    # Why it cannot be
    MAY_NOT_SET_UP = Row(
        "Only who may manage this server can set Pooh up.",
        "Nur wer diesen Server verwalten darf, kann Pu einrichten.",
        "Seules les personnes qui peuvent gérer ce serveur peuvent configurer Pooh.",
        "Solo quien puede gestionar este servidor puede configurar a Pooh.",
    )
    NOT_KEPT = Row(
        "Pooh has nothing to write it down on. Whoever runs him finds the reason in his log.",
        "Pu hat nichts, worauf er es schreiben könnte. Wer ihn betreibt, findet den Grund im Log.",
        "Pooh n'a rien pour le noter. La personne qui l'héberge trouvera la raison dans son "
        "journal.",
        "Pooh no tiene dónde apuntarlo. Quien lo aloja encontrará el motivo en su registro.",
    )
    CHANNEL_FIRST = Row(
        "First choose a channel for it.",
        "Wähle zuerst einen Kanal dafür.",
        "Choisis d'abord un salon.",
        "Elige primero un canal.",
    )
    CANNOT_WRITE_THERE = Row(
        "Pooh may not write in {channel}. He needs to see it and to send messages there.",
        "Pu darf in {channel} nicht schreiben. Er muss ihn sehen und dort Nachrichten senden "
        "dürfen.",
        "Pooh n'a pas le droit d'écrire dans {channel}. Il doit le voir et pouvoir y envoyer des "
        "messages.",
        "Pooh no tiene permiso para escribir en {channel}. Necesita verlo y poder enviar mensajes.",
    )
    WORDS_LEFT_ALONE = Row(
        "Whoever wrote this wants their words left alone, and Pooh does.",
        "Wer das geschrieben hat, möchte es in Ruhe gelassen wissen, und das tut Pu.",
        "La personne qui a écrit cela ne veut pas qu'on touche à ses mots, et Pooh respecte cela.",
        "Quien escribió esto quiere que dejen en paz sus palabras, y Pooh lo respeta.",
    )

    # What is kept
    PRIVACY_TITLE = Row(
        "What Pooh keeps", "Was Pu aufhebt", "Ce que Pooh conserve", "Lo que Pooh guarda"
    )
    PRIVACY = Row(
        "**Of what you write** nothing: no prompt, no story, no message. A story lives in its "
        "message on Discord, and goes when that is deleted.\n"
        "**About you** nothing, but for the switch below once you have used it: then your id, "
        "hashed with a secret key, so that it cannot be read back. On Discord, a message's "
        "buttons hold the id of who asked for it; those of a story circle, until its end, the "
        "ids of who began it and of who wrote last, enciphered: only moderators can ask for "
        "them.\n"
        "**About a server** what is chosen in `/{setup}`: temperature, length, channels, the "
        "hour of a story of the day, and the name of who switched that on, until it is switched "
        "off. All of it is forgotten when Pooh leaves the server; then only its id stays, when "
        "that was, and the day of its last story. The host's copies keep it until they are "
        "renewed or deleted.",
        "**Von dem, was du schreibst,** nichts: keinen Anfang, keine Geschichte, keine "
        "Nachricht. Eine Geschichte steht nur in ihrer Nachricht auf Discord und ist weg, wenn "
        "die gelöscht wird.\n"
        "**Über dich** nichts, außer dem Schalter hier unten, wenn du ihn benutzt hast: dann "
        "deine ID, mit einem geheimen Schlüssel gehasht, sodass man sie nicht zurücklesen kann. "
        "Auf Discord enthalten die Knöpfe einer Nachricht die ID dessen, der darum gebeten hat; "
        "die eines Geschichtenkreises bis zu seinem Ende verschlüsselt, wer ihn begonnen und wer "
        "zuletzt geschrieben hat: Danach fragen kann nur, wer moderiert.\n"
        "**Über einen Server**, was in `/{setup}` gewählt wird: Temperatur, Länge, Kanäle, die "
        "Uhrzeit einer Geschichte des Tages und der Name dessen, der sie eingeschaltet hat, bis "
        "sie ausgeschaltet wird. Alles wird vergessen, wenn Pu den Server verlässt; dann bleiben "
        "nur dessen ID, wann das war und der Tag seiner letzten Geschichte. In Kopien des "
        "Betreibers steht es, bis sie erneuert oder gelöscht werden.",
        "**De ce que tu écris** rien : aucun début, aucune histoire, aucun message. Une histoire "
        "n'existe que dans son message sur Discord et disparaît avec lui.\n"
        "**Sur toi** rien, sauf l'interrupteur ci-dessous si tu t'en es servi : alors ton "
        "identifiant, haché avec une clé secrète, si bien qu'on ne peut pas le relire. Sur "
        "Discord, les boutons d'un message contiennent l'identifiant de qui l'a demandé ; ceux "
        "d'une ronde d'histoires, jusqu'à sa fin, ceux de qui l'a commencée et de qui a écrit en "
        "dernier, chiffrés : seule la modération peut les demander.\n"
        "**Sur un serveur** ce qui est choisi dans `/{setup}` : température, longueur, salons, "
        "heure d'une histoire du jour, et le nom de la personne qui l'a activée, jusqu'à ce "
        "qu'elle soit désactivée. Tout est oublié quand Pooh quitte le serveur ; il n'en reste "
        "que l'identifiant, le moment du départ et le jour de sa dernière histoire. Les copies "
        "de l'hébergeur le gardent jusqu'à ce qu'elles soient renouvelées ou supprimées.",
        "**De lo que escribes** nada: ni inicios, ni cuentos, ni mensajes. Un cuento vive en su "
        "mensaje de Discord y desaparece cuando se borra.\n"
        "**Sobre ti** nada, salvo el interruptor de abajo si lo has usado: entonces tu "
        "identificador, cifrado en un resumen con una clave secreta, de modo que no se puede "
        "leer. En Discord, los botones de un mensaje contienen el identificador de quien lo "
        "pidió; los de un corro de cuentos, hasta su fin, los de quien lo empezó y de quienes "
        "escribieron en último lugar, cifrados: solo la moderación puede preguntar por ellos.\n"
        "**Sobre un servidor** lo que se elige en `/{setup}`: temperatura, longitud, canales, la "
        "hora de un cuento del día y el nombre de quien lo activó, hasta que se desactive. Todo "
        "se olvida cuando Pooh deja el servidor; entonces solo quedan su identificador, cuándo "
        "fue y el día de su último cuento. Las copias de quien aloja el bot lo guardan hasta que "
        "se renuevan o se borran.",
    )
    ALLOWED = Row(
        "Others may use **{continue_as}** and **{how_written}** on your messages.",
        "Andere dürfen **{continue_as}** und **{how_written}** auf deine Nachrichten anwenden.",
        "Les autres peuvent utiliser **{continue_as}** et **{how_written}** sur tes messages.",
        "Otras personas pueden usar **{continue_as}** y **{how_written}** con tus mensajes.",
    )
    REFUSED = Row(
        "Nobody but you can use **{continue_as}** and **{how_written}** on your messages. (A "
        "forwarded message does not say who wrote it, and what Pooh has told already stays.)",
        "Niemand außer dir kann **{continue_as}** und **{how_written}** auf deine Nachrichten "
        "anwenden. (Eine weitergeleitete Nachricht sagt nicht, von wem sie ist, und was Pu schon "
        "erzählt hat, bleibt.)",
        "Personne d'autre que toi ne peut utiliser **{continue_as}** et **{how_written}** sur tes "
        "messages. (Un message transféré ne dit pas qui l'a écrit, et ce que Pooh a déjà raconté "
        "reste.)",
        "Nadie más que tú puede usar **{continue_as}** y **{how_written}** con tus mensajes. (Un "
        "mensaje reenviado no dice quién lo escribió, y lo que Pooh ya ha contado se queda.)",
    )
    UNKNOWN = Row(
        "Pooh cannot look up just now what you have chosen, and cannot keep it either.",
        "Pu kann gerade nicht nachsehen, was du gewählt hast, und auch nichts behalten.",
        "Pooh ne peut pas vérifier ton choix en ce moment, ni le conserver.",
        "Pooh no puede consultar ahora lo que elegiste, ni guardarlo.",
    )
    REFUSE = Row(
        "Leave my words alone",
        "Lass meine Worte in Ruhe",
        "Ne touche pas à mes mots",
        "Deja en paz mis palabras",
    )
    ALLOW = Row(
        "Others may use my words",
        "Andere dürfen meine Worte nutzen",
        "Les autres peuvent utiliser mes mots",
        "Otras personas pueden usar mis palabras",
    )
