"""Who may do what with what somebody has asked for."""

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
