"""What a message asks of the bot: a story, a word on how to ask, or nothing."""

import discord

from bot import seen
from bot.options import DEFAULTS
from bot.requests import Request
from bot.translations import Text


def read(message: discord.Message, me: int, now: float) -> Request | Text | None:
    """What a message asks for; None if it is not meant for the bot.

    Meant for it is a mention, a reply (whose ping is a mention), any private message, and a ping of
    its role. Messages of bots and webhooks never are.

    Args:
        message: as Discord sends it: with its words if it mentions the bot or is private. Whether
            the words of a reply come is not for certain: Discord's own pages disagree.
        me: the bot's id.
        now: seconds since 1970.

    Returns:
        A request, or why it holds none.
    """
    if message.author.bot or message.webhook_id is not None:
        return None
    if message.type not in (discord.MessageType.default, discord.MessageType.reply):
        return None
    mentioned = any(user.id == me for user in message.mentions)
    if message.guild is not None and not mentioned:
        return Text.ROLE if message.guild.self_role in message.role_mentions else None
    typed = seen.read(message, me, now)
    answered = message.reference.resolved if message.reference else None
    ours = isinstance(answered, discord.Message) and answered.author.id == me
    if typed or message.content.strip():
        page = seen.own_page(answered) if isinstance(answered, discord.Message) and ours else None
        return Request(message.author.id, DEFAULTS, typed, page.text if page else "")
    return Text.EMPTY_REPLY if ours else Text.NO_WORDS
