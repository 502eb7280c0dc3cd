"""What a message asks of the bot: a story, a word on how to ask, or nothing."""

import enum
from dataclasses import dataclass

import discord

from bot import messages, seen


class Hint(enum.Enum):
    """Why a message gets a word on how to ask instead of a story."""

    ROLE = "it pings the bot's role, not the bot"
    REPLY = "it replies to the bot, but no words have come with it"
    NO_WORDS = "it holds no words, a picture perhaps"


@dataclass(frozen=True)
class Asked:
    """What a story is to go on from.

    Attributes:
        told: the story that the message replies to, "" if it replies to none.
        typed: the words in the message, "" if it is nothing but a mention.
    """

    told: str
    typed: str


def read(message: discord.Message, me: int, now: float) -> Asked | Hint | None:
    """What a message asks for; None if it is not meant for the bot.

    Meant for it is a mention, a reply (whose ping is a mention), any private message, and a ping of
    its role. Messages of bots and webhooks never are.

    Args:
        message: as Discord sends it: with its words if it mentions the bot or is private. Whether
            the words of a reply come is not for certain: Discord's own pages disagree.
        me: the bot's id.
        now: seconds since 1970.
    """
    if message.author.bot or message.webhook_id is not None:
        return None
    if message.type not in (discord.MessageType.default, discord.MessageType.reply):
        return None
    mentioned = any(user.id == me for user in message.mentions)
    if message.guild is not None and not mentioned:
        return Hint.ROLE if message.guild.self_role in message.role_mentions else None
    typed = seen.read(message, me, now)
    before = message.reference.resolved if message.reference else None
    ours = isinstance(before, discord.Message) and before.author.id == me
    told = (
        messages.parse(before.content).text if isinstance(before, discord.Message) and ours else ""
    )
    if typed or message.content.strip():
        return Asked(told, typed)
    return Hint.REPLY if ours else Hint.NO_WORDS
