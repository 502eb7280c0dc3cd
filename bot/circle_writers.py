"""Who wrote what in a story circle: told to a moderator alone, while the circle is open."""

import discord
from discord import app_commands

from bot import circle, messages
from bot.circle_checks import state_of
from bot.circle_texts import CircleText
from bot.circle_turns import own_id
from bot.errors import Refusal
from bot.languages import named
from bot.names import Name
from bot.permissions import is_moderator
from bot.services import response_to, services_of
from model.sentences import first_words

SHOWN = 80  # characters of a sentence
ABOVE = "..."  # for one that stands in a message before, or holds a word that is refused by now


@app_commands.default_permissions(manage_messages=True)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
async def _name_writers(interaction: discord.Interaction, message: discord.Message) -> None:
    """Name who wrote the latest sentences.

    Raises:
        Refusal: to who does not moderate, and where no circle is open or nobody has written.
    """
    if not is_moderator(interaction):  # a server's own rules for commands may offer it to others
        raise Refusal(CircleText.FOR_MODERATORS)
    services = services_of(interaction)
    state = state_of(services, message) if message.author.id == own_id(interaction) else None
    if state is None or not state.writers:
        raise Refusal(CircleText.NOBODY_KNOWN)
    shown = [turn.sentence for turn in circle.parse(message.content) if turn.sentence]
    told = [ABOVE if services.words.refuses(each) else _short(each) for each in reversed(shown)]
    sentences = [*told, *[ABOVE] * len(state.writers)]
    response = response_to(interaction)
    say = response.language.say
    lines = [
        say(
            CircleText.WROTE,
            number=state.turn - back,
            person=f"<@{person}>",
            sentence=sentence,
        )
        for back, (person, sentence) in enumerate(zip(state.writers, sentences, strict=False))
    ]
    await response.say("\n".join([*lines, f"-# {say(CircleText.KNOWN, most=circle.KNOWN)}"]))


def _short(sentence: str) -> str:
    """Safe to show."""
    return messages.escape(first_words(sentence, SHOWN))


MENU = app_commands.ContextMenu(name=named(Name.WHO_WROTE), callback=_name_writers)
