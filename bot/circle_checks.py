"""What a circle's message says, and who may change it now.

Whatever is pressed is judged by what the message says at that moment, as Discord has it: so nobody
writes over what somebody else has added, whichever process answers.
"""

import re

import discord

from bot import circle
from bot.circle import CircleState
from bot.circle_seal import Seal
from bot.circle_texts import CircleText
from bot.errors import Refusal
from bot.permissions import is_at_home
from bot.services import Services, services_of
from bot.targets import Response
from bot.translations import Text

EARLIER = "earlier.txt"  # holds what was told before a message that goes on from another


def seal_of(services: Services) -> Seal:
    """What enciphers who wrote, and reads it again: with this host's key."""
    return Seal(services.store.secret("circle"))


def state_of(services: Services, message: discord.Message) -> CircleState | None:
    """What the buttons under a message remember; None if it has none of a circle."""
    for line in message.components:
        for child in line.children if isinstance(line, discord.ActionRow) else ():
            if (state := state_in(services, child.custom_id or "")) is not None:
                return state
    return None


def state_in(services: Services, custom_id: str) -> CircleState | None:
    """What this id remembers; None if it is none of a circle's buttons."""
    match = re.fullmatch(circle.TEMPLATE, custom_id)
    return CircleState.of(match, seal_of(services)) if match else None


def check_lock(interaction: discord.Interaction) -> None:
    """Whether anybody may change anything there.

    Raises:
        Refusal: the thread is locked.
    """
    channel = interaction.channel
    locked = isinstance(channel, discord.Thread) and channel.locked
    if locked and not interaction.permissions.manage_threads:
        raise Refusal(CircleText.SHUT)


def check_voice(interaction: discord.Interaction) -> None:
    """Whether this person may write there at all: to press a button, nobody needs to.

    Raises:
        Refusal: the server does not let them.
    """
    may, in_thread = interaction.permissions, isinstance(interaction.channel, discord.Thread)
    may_write = may.send_messages_in_threads if in_thread else may.send_messages
    if interaction.guild_id is not None and not may_write:
        raise Refusal(CircleText.NO_VOICE)


def check_turn(
    services: Services, message: discord.Message, state: CircleState, person: int
) -> None:
    """Whether this person may add a sentence now.

    Raises:
        Refusal: not now.
    """
    if _is_being_written(services, message, state):
        raise Refusal(Text.STILL_WRITING)
    if state.turn >= circle.TURNS:
        raise Refusal(CircleText.FULL, most=circle.TURNS)
    if not state.may_add(person, _idle(services, message)):
        raise Refusal(CircleText.NOT_TWICE, minutes=round(circle.ALONE / 60))


def _is_being_written(services: Services, message: discord.Message, state: CircleState) -> bool:
    """Whether another process may be writing there: the message says so, and is new."""
    return state.is_writing and _idle(services, message) < circle.STALE


def _idle(services: Services, message: discord.Message) -> float:
    """Seconds since the message changed."""
    changed = message.edited_at or message.created_at
    return services.clock.now() - changed.timestamp()


async def look_again(
    interaction: discord.Interaction, response: Response, changed: CircleText, state: CircleState
) -> tuple[discord.Message, CircleState]:
    """Say that the press was heard, and see what the message says now.

    Args:
        interaction: a press, or a form that came back.
        response: to it.
        changed: what to say if the message ...
        state: ... is not any more what this person saw.

    Raises:
        Refusal: it has changed, or somebody is about to change it, or the circle is over.
    """
    services, channel = services_of(interaction), interaction.channel
    await response.acknowledge()
    if isinstance(channel, discord.Thread) and channel.archived and is_at_home(interaction):
        try:
            await services.delivery.send(lambda: channel.edit(archived=False))
        except discord.Forbidden:
            raise Refusal(CircleText.SHUT) from None
    now = await services.delivery.send(response.original)
    fresh = state_of(services, now)
    if fresh is None:
        raise Refusal(CircleText.IS_OVER)
    if (fresh.turn, fresh.last) != (state.turn, state.last):
        raise Refusal(changed)
    if _is_being_written(services, now, fresh):
        raise Refusal(Text.STILL_WRITING)
    return now, fresh


async def read_earlier(services: Services, message: discord.Message) -> str:
    """What was told before this message."""
    for attachment in message.attachments:
        if attachment.filename == EARLIER:
            return (await services.delivery.send(attachment.read)).decode()
    return ""
