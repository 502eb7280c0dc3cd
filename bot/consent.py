"""Whether somebody's words may be used by others: what /privacy lets each person decide."""

import discord

from bot.errors import Refusal
from bot.services import services_of
from bot.setup_texts import SetupText


async def check_consent(interaction: discord.Interaction, message: discord.Message) -> None:
    """Let through what the author of a message allows: the menus are used on it.

    One's own words may always be used, and so may the bot's stories.

    Raises:
        Refusal: the author wants them left alone.
    """
    me, author = interaction.client.user, message.author.id
    if author == interaction.user.id or (me is not None and author == me.id):
        return
    if await services_of(interaction).store.refuses(author):
        raise Refusal(SetupText.WORDS_LEFT_ALONE)
