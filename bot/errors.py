"""What went wrong: short and kind for the one who asked, with a number for the host's log.

No text of an exception reaches Discord, and none the log: it may quote what somebody wrote.
"""

import logging
import secrets
import traceback
from typing import Protocol

import aiohttp
import discord
from discord import app_commands

from bot.languages import Language
from bot.said import Said
from bot.translations import Text

UNREACHABLE = (aiohttp.ClientError, OSError, discord.HTTPException)  # what a request may end in
EXPIRED = 10062  # the interaction is not known any more: we were later than 3 seconds
TOKEN_GONE = frozenset({50027, 10015})  # an interaction's token is dead, or was never alive
GONE = TOKEN_GONE | {10003, 10004, 10008}  # unknown channel, server, message
BLOCKED = frozenset({200000, 200001})  # AutoMod

_log = logging.getLogger(__name__)


class LeftError(ConnectionError):
    """The bot has left Discord: nothing can be asked of it any more."""


class AnsweredError(Exception):
    """Another process of the bot has answered this interaction: there is nothing left to do."""


class Listener(Protocol):
    """Somebody who asked for something."""

    language: Language

    async def say(self, text: str) -> None:
        """Say something to them."""


class Refusal(Exception):  # noqa: N818  (no error: an answer)
    """A kind no; the text is for the one who asked, and only for them."""

    def __init__(self, text: Said, **values: object) -> None:
        """Bring the text and what is filled in."""
        super().__init__(Language.ENGLISH.say(text, **values))
        self._text = text
        self._values = values

    def within(self, language: Language) -> str:
        """The text in a language."""
        return language.say(self._text, **self._values)


def is_transient(error: Exception) -> bool:
    """Whether trying again may help: the connection or Discord is at fault, not what was asked."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.status == 429
    return not isinstance(error, LeftError)


def is_gone(error: BaseException) -> bool:
    """Whether the message, its place, or the token that leads there is no more."""
    return isinstance(error, discord.HTTPException) and error.code in GONE


def may_not(error: BaseException) -> bool:
    """Whether Discord refuses what was to be written, or that anything is written there."""
    return isinstance(error, discord.Forbidden) or is_blocked(error)


def is_blocked(error: BaseException) -> bool:
    """Whether a server's AutoMod refuses these words."""
    return isinstance(error, discord.HTTPException) and error.code in BLOCKED


def kind_of(error: BaseException) -> str:
    """What may be said of an error without its text."""
    kind = type(error).__name__
    if isinstance(error, discord.HTTPException):
        kind += f" {error.status} ({error.code})"
    return kind


def record(error: BaseException, where: str) -> str:
    """Log an error, without its text, under a number.

    Returns:
        The number.
    """
    number = secrets.token_hex(4)
    kind = kind_of(error)
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s: %s in %s\n%s", number, kind, where, frames, extra={"kind": kind})
    return number


async def explain(target: Listener, error: BaseException) -> None:
    """Tell the one who asked, and only them, what went wrong; the log has the rest."""
    if isinstance(error, Refusal):
        await target.say(error.within(target.language))
    elif isinstance(error, discord.NotFound) and error.code == EXPIRED:
        _log.warning("an interaction came too late to be answered")
    elif isinstance(error, AnsweredError):
        _log.info("another process answers")
    elif isinstance(error, LeftError):
        _log.info("something was asked when the bot had left")
    elif is_gone(error):
        _log.info("the place of an answer is gone")
    elif may_not(error):
        _log.warning("an answer may not be shown: %s", kind_of(error))
        text = Text.BLOCKED if is_blocked(error) else Text.MAY_NOT_WRITE
        await target.say(target.language.say(text))
    elif isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
        _log.warning("a command is out of date: %s", type(error).__name__)
        await target.say(target.language.say(Text.RELEARNED))
    elif isinstance(error, app_commands.TransformerError):
        _log.warning("a value is out of range")
        await target.say(target.language.say(Text.OUT_OF_RANGE))
    else:
        number = record(error, "an answer")
        await target.say(target.language.say(Text.BOTHER, reference=number))
