"""What went wrong: short and kind for the one who asked, with a number for the host's log.

No text of an exception reaches Discord, and none the log: it may quote what somebody wrote.
"""

import logging
import secrets
import traceback
from typing import Any

import aiohttp
import discord
from discord import app_commands

UNREACHABLE = (aiohttp.ClientError, OSError, discord.HTTPException)  # what a request may end in
EXPIRED = 10062  # the interaction is not known any more: we were later than 3 seconds

_log = logging.getLogger(__name__)


class Refusal(Exception):  # noqa: N818  (no error: an answer)
    """A kind no; the text is for the one who asked, and only for them."""


def passes(error: Exception) -> bool:
    """Whether trying again may help: the connection or Discord is at fault, not what was asked."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.status == 429
    return True


def record(error: BaseException, where: str) -> str:
    """Log an error, without its text, under a number.

    Returns:
        The number.
    """
    number = secrets.token_hex(4)
    kind = type(error).__name__
    if isinstance(error, discord.HTTPException):
        kind += f" {error.status} ({error.code})"
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s: %s in %s\n%s", number, kind, where, frames)
    return number


async def explain(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Tell the one who asked, and only them, what went wrong; the log has the rest."""
    if isinstance(error, Refusal):
        await say(interaction, str(error))
    elif isinstance(error, discord.NotFound) and error.code == EXPIRED:
        _log.warning("an interaction came too late to be answered")
    elif isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
        _log.warning("a command is out of date: %s", type(error).__name__)
        await say(interaction, "Pooh has just learned this anew. Please try again in a minute.")
    elif isinstance(error, app_commands.TransformerError):
        _log.warning("a value is out of range")
        await say(interaction, "Pooh cannot do it with these values; see /help.")
    else:
        number = record(error, "an interaction")
        await say(
            interaction, f"Bother! Something went wrong, and not by you. (reference {number})"
        )


async def say(interaction: discord.Interaction[Any], text: str) -> None:
    """Say something to the one who asked, and only to them."""
    try:
        if interaction.response.is_done():
            await interaction.followup.send(text, ephemeral=True)
        else:
            await interaction.response.send_message(text, ephemeral=True)
    except UNREACHABLE as error:
        _log.warning("a word could not be said: %s", type(error).__name__)
