"""What members read, but for what a feature of many words says: that stands in its own table.

The names of commands, options and buttons are in `bot.names`.
"""

import enum

from bot.said import Row, Said


@enum.unique
class Text(Said):
    """What the bot says to people."""

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
    TOO_MANY_PICTURES = Row(
        "So many people want a picture that Pooh has run out of paper. Please come back in a "
        "moment.",
        "So viele möchten ein Bild, dass Pu das Papier ausgeht. Komm bitte gleich wieder.",
        "Tant de gens veulent une image que Pooh n'a plus de papier. Reviens dans un instant, "
        "s'il te plaît.",
        "Tanta gente quiere un dibujo que a Pooh se le ha acabado el papel. Vuelve en un momento, "
        "por favor.",
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
