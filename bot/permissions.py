"""Who may do what with what somebody has asked for, and where the bot may write."""

import discord

from bot.errors import Refusal
from bot.said import Said


def is_moderator(interaction: discord.Interaction) -> bool:
    """Whether this person moderates the place: may manage messages there, as in Discord itself."""
    return interaction.guild_id is not None and interaction.permissions.manage_messages


def check_owner(interaction: discord.Interaction, owner: int, no: Said) -> None:
    """Let the one pass whose it is, and moderators.

    Raises:
        Refusal: it is somebody else; it says this.
    """
    if interaction.user.id != owner and not is_moderator(interaction):
        raise Refusal(no)


def is_at_home(interaction: discord.Interaction) -> bool:
    """Whether the bot itself is in that place, and not only with the one who asks."""
    return interaction.is_guild_integration() or interaction.context.dm_channel


def may_send(interaction: discord.Interaction) -> bool:
    """Whether the bot may send a message of its own there, as far as Discord has said."""
    if not is_at_home(interaction):
        return False
    if interaction.guild_id is None:
        return True
    may, in_thread = interaction.app_permissions, isinstance(interaction.channel, discord.Thread)
    return may.view_channel and (may.send_messages_in_threads if in_thread else may.send_messages)
