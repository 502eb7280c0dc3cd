"""What members read on the card of a fork: two ways on, and a vote."""

import enum

from bot.said import Row, Said


@enum.unique
class ForkText(Said):
    """Its texts; `{way}` is "A" or "B", `{when}` a moment as Discord shows it."""

    HOW_ON = Row(
        "How shall it go on?",
        "Wie soll es weitergehen?",
        "Comment l'histoire continue-t-elle ?",
        "¿Cómo sigue el cuento?",
    )
    VOTE = Row(
        "One vote each, and you may change it. It ends {when}. In a tie, the vote of the one who "
        "asked decides.",
        "Eine Stimme für alle, sie lässt sich ändern. Ende: {when}. Bei Gleichstand entscheidet "
        "die Stimme der Person, die gefragt hat.",
        "Une voix par personne, modifiable. Fin : {when}. En cas d'égalité, la voix de la personne "
        "qui a demandé décide.",
        "Un voto por persona, y se puede cambiar. Termina {when}. Si hay empate, decide el voto de "
        "quien preguntó.",
    )
    CHOOSE = Row(
        "The one who asked chooses.",
        "Wer gefragt hat, wählt aus.",
        "La personne qui a demandé choisit.",
        "Elige quien preguntó.",
    )
    TIED = Row(
        "A tie, {votes} to {votes}: the one who asked chooses.",
        "Gleichstand, {votes} zu {votes}: Wer gefragt hat, wählt aus.",
        "Égalité, {votes} à {votes} : la personne qui a demandé choisit.",
        "Empate, {votes} a {votes}: elige quien preguntó.",
    )
    UNCOUNTED = Row(
        "Pooh fell asleep, and nobody counted the votes. The one who asked chooses.",
        "Pu ist eingeschlafen, und niemand hat die Stimmen gezählt. Wer gefragt hat, wählt aus.",
        "Pooh s'est endormi et personne n'a compté les voix. La personne qui a demandé choisit.",
        "Pooh se durmió y nadie contó los votos. Elige quien preguntó.",
    )
    UNTOLD = Row(
        "**{way}** won, {most} to {least}, but Discord did not take the story. The one who asked "
        "may try again.",
        "**{way}** hat gewonnen, {most} zu {least}, aber Discord hat die Geschichte nicht "
        "angenommen. Wer gefragt hat, kann es noch einmal versuchen.",
        "**{way}** a gagné, {most} à {least}, mais Discord n'a pas pris l'histoire. La personne "
        "qui a demandé peut réessayer.",
        "Ganó **{way}**, {most} a {least}, pero Discord no aceptó el cuento. Quien preguntó puede "
        "volver a probar.",
    )
    UNANSWERED = Row(
        "**{way}** it is, but Discord has not answered. If it does not go on below, the one who "
        "asked may try again.",
        "Es ist **{way}**, aber Discord hat nicht geantwortet. Geht es unten nicht weiter, kann "
        "es, wer gefragt hat, noch einmal versuchen.",
        "C'est **{way}**, mais Discord n'a pas répondu. Si la suite n'est pas plus bas, la "
        "personne qui a demandé peut réessayer.",
        "Es **{way}**, pero Discord no ha respondido. Si no sigue más abajo, quien preguntó puede "
        "volver a probar.",
    )
    WON = Row(
        "**{way}** it is, {most} to {least}, and goes on below. This is **{other}**:",
        "Es ist **{way}**, mit {most} zu {least}, und geht unten weiter. Das hier ist **{other}**:",
        "C'est **{way}**, {most} à {least} ; la suite est plus bas. Voici **{other}** :",
        "Es **{way}**, {most} a {least}, y sigue más abajo. Este es **{other}**:",
    )
    WON_TIE = Row(
        "A tie, {most} to {least}; the one who asked was for **{way}**, which goes on below. This "
        "is **{other}**:",
        "Gleichstand, {most} zu {least}; wer gefragt hat, war für **{way}**, und das geht unten "
        "weiter. Das hier ist **{other}**:",
        "Égalité, {most} à {least} ; la personne qui a demandé était pour **{way}**, la suite est "
        "plus bas. Voici **{other}** :",
        "Empate, {most} a {least}; quien preguntó votó por **{way}**, que sigue más abajo. Este es "
        "**{other}**:",
    )
    CHOSEN = Row(
        "**{way}** it is, and goes on below. This is **{other}**:",
        "Es ist **{way}** und geht unten weiter. Das hier ist **{other}**:",
        "C'est **{way}** ; la suite est plus bas. Voici **{other}** :",
        "Es **{way}**, y sigue más abajo. Este es **{other}**:",
    )
    BOTH_TOLD = Row(
        "Both go on below. This is **{way}**:",
        "Beide gehen unten weiter. Das hier ist **{way}**:",
        "Les deux continuent plus bas. Voici **{way}** :",
        "Los dos siguen más abajo. Este es **{way}**:",
    )
    FROM_HERE = Row(
        "both go on from here",
        "beide gehen von hier aus weiter",
        "les deux continuent d'ici",
        "los dos siguen desde aquí",
    )

    # To one person
    OVER = Row(
        "This vote is over.",
        "Diese Abstimmung ist vorbei.",
        "Ce vote est terminé.",
        "Esta votación ha terminado.",
    )
    MAY_NOT_CHOOSE = Row(
        "Only the one who asked, or a moderator, can choose.",
        "Nur wer gefragt hat oder moderiert, kann auswählen.",
        "Seule la personne qui a demandé, ou la modération, peut choisir.",
        "Solo quien preguntó, o la moderación, puede elegir.",
    )
    AT_IT = Row(
        "Two ways on from this story are to be chosen from already.",
        "Zwischen zwei Fortsetzungen dieser Geschichte wird schon gewählt.",
        "On choisit déjà entre deux suites de cette histoire.",
        "Ya se está eligiendo entre dos continuaciones de este cuento.",
    )
    TOO_MANY = Row(
        "So many votes are open that Pooh loses count. Please come back in a moment.",
        "So viele Abstimmungen laufen, dass Pu sich verzählt. Komm bitte gleich wieder.",
        "Tant de votes sont ouverts que Pooh ne sait plus compter. Reviens dans un instant, s'il "
        "te plaît.",
        "Hay tantas votaciones abiertas que Pooh pierde la cuenta. Vuelve en un momento, por "
        "favor.",
    )
    ONE_WAY = Row(
        "Pooh is so sure of himself that he knows one way on only. Press {wilder} first, or "
        "{continue}.",
        "Pu ist sich so sicher, dass er nur eine Fortsetzung weiß. Drück erst {wilder}, oder "
        "{continue}.",
        "Pooh est si sûr de lui qu'il ne connaît qu'une suite. Appuie d'abord sur {wilder}, ou "
        "sur {continue}.",
        "Pooh está tan seguro que solo sabe una continuación. Pulsa antes {wilder}, o {continue}.",
    )
    NO_TWO_WAYS = Row(
        "Pooh did not come to two ways on. Please ask again.",
        "Pu sind keine zwei Fortsetzungen eingefallen. Frag bitte noch einmal.",
        "Pooh n'a pas trouvé deux suites. Redemande, s'il te plaît.",
        "A Pooh no se le han ocurrido dos continuaciones. Vuelve a pedirlo, por favor.",
    )
