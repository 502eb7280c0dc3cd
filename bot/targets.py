"""Where a story is shown, and where its asker is spoken to: a response, or a reply."""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

import discord

from bot.delivery import NOTE_LIFE, Delivery
from bot.errors import (
    TOKEN_GONE,
    UNREACHABLE,
    AnsweredError,
    is_blocked,
    is_gone,
    may_not,
    record,
)
from bot.followups import FollowUp
from bot.languages import Language
from bot.permissions import is_at_home
from bot.translations import Text

OLD = 50 * 60  # seconds: Discord allows few edits of messages older than an hour (error 30046)

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Target(Protocol):
    """A message, or the promise of one, and the one who asked for it.

    Attributes:
        language: of the one who asked, or of the place.
    """

    language: Language

    async def open(self) -> int | None:
        """Tell Discord at once that something will come; the id of the message it makes for it."""

    async def show(self, content: str, view: discord.ui.View) -> int:
        """Put this into the message, in one try; its id."""

    async def remove(self) -> None:
        """Take the message away, or the promise of it."""

    async def say(self, text: str) -> None:
        """Say something to the one who asked, and if that can be, only to them."""


class Response:
    """The response to an interaction, whatever is made of it. There is one for each.

    Attributes:
        in_place: it changes the message under which a button was pressed; else it is a new one,
            at first "Pooh is thinking ...".
        is_private: the new message is for the one who asked alone.
        language: of the one who asked.
    """

    def __init__(self, interaction: discord.Interaction, delivery: Delivery) -> None:
        delivery.enrol()
        self._interaction = interaction
        self._delivery = delivery
        self._opened = False  # a first response was tried
        self._acknowledged = False  # ... and Discord has it
        self._promised = False  # "Pooh is thinking ..." stands there, or may
        self._message = interaction.message.id if interaction.message else None
        self.in_place = self.is_private = False
        self.language = Language.of(interaction.locale)

    async def open(self) -> int | None:
        """Defer: promise a message, or say that the press was heard."""
        response = self._interaction.response
        again, self._opened = self._opened, True
        self._promised = not self.in_place
        callback = await self._delivery.acknowledge(
            lambda: response.defer(thinking=not self.in_place, ephemeral=self.is_private),
            again=again,
        )
        self._acknowledged = True
        if self.in_place:
            return None
        if callback is not None:
            self._message = callback.message_id
            self.is_private |= callback.is_ephemeral()  # Discord may make it so
        else:  # the answer that held it was lost
            with contextlib.suppress(*UNREACHABLE):  # the first edit will tell it, too
                original = await self._delivery.send(self.original, pauses=())
                self._message = original.id
                self.is_private |= original.flags.ephemeral
        return self._message

    async def acknowledge(self) -> None:
        """Say that the press was heard; the response is about the message it stands under."""
        self.in_place = True
        await self.open()

    async def show(
        self,
        content: str = discord.utils.MISSING,
        view: discord.ui.View | discord.ui.LayoutView = discord.utils.MISSING,
        files: Sequence[discord.File] = discord.utils.MISSING,
    ) -> int:
        """Edit what was deferred; no follow-up is needed, of which users' installs have five.

        When the token has died, the message is edited as any other of the bot's, if it can be.
        """
        message: discord.Message | discord.InteractionMessage
        try:
            message = await self._interaction.edit_original_response(
                content=content, view=view, attachments=files
            )
        except discord.HTTPException as error:
            if error.code not in TOKEN_GONE or (known := self._without_token()) is None:
                raise
            for file in files or ():
                file.reset()  # the first request has read it to its end
            message = await known.edit(content=content, view=view, attachments=files)
        self._promised = False
        return message.id

    async def original(self) -> discord.InteractionMessage:
        """The message as it is now, in one try."""
        return await self._interaction.original_response()

    def follow_up(self, nonce: str) -> FollowUp:
        """One more message below, for the one who asked alone if the first is; see `FollowUp`."""
        return FollowUp(self._interaction, nonce, self._message, hidden=self._is_hidden)

    @property
    def _is_hidden(self) -> bool:
        """Whether one person sees the message alone."""
        pressed = self._interaction.message
        in_hidden = pressed is not None and self.in_place and pressed.flags.ephemeral
        return self.is_private or in_hidden

    async def change_buttons(self, view: discord.ui.View | discord.ui.LayoutView) -> None:
        """Put other buttons under the message at once: the first response itself does it."""
        response, again = self._interaction.response, self._opened
        self._opened = self.in_place = True
        await self._delivery.acknowledge(lambda: response.edit_message(view=view), again=again)
        self._acknowledged = True

    async def ask(self, form: discord.ui.Modal) -> None:
        """Show a form to the one who asked."""
        response, again = self._interaction.response, self._opened
        self._opened = True
        await self._delivery.acknowledge(lambda: response.send_modal(form), again=again)
        self._acknowledged = True

    async def remove(self) -> None:
        """Delete the message, or the promise."""
        try:
            await self._delivery.send(self._interaction.delete_original_response)
        except discord.HTTPException as error:
            if error.code in TOKEN_GONE and (known := self._without_token()) is not None:
                await self._delivery.send(known.delete)
            elif not is_gone(error):
                raise
        self._promised = False

    async def say(self, text: str) -> None:
        """Say something to the one who asked, and only to them."""
        try:
            await in_other_words(self._say, text, self.language)
        except (*UNREACHABLE, AnsweredError) as error:
            _log.warning("a word could not be said: %s", type(error).__name__)

    async def _say(self, text: str) -> None:
        interaction, delivery = self._interaction, self._delivery
        if not self._acknowledged:
            said = await delivery.acknowledge(
                lambda: interaction.response.send_message(text, ephemeral=True),
                again=self._opened,
            )
            self._acknowledged = True
            # Else an earlier try has arrived: of these words, or of what was opened before.
            if said is not None or not self._opened:
                return
        if self._promised:
            # A follow-up would take the promise's place, and be for everybody as it is.
            try:
                await self.remove()
            except UNREACHABLE:
                await delivery.send(lambda: interaction.edit_original_response(content=text))
                return
        await delivery.send(lambda: interaction.followup.send(text, ephemeral=True))

    def _without_token(self) -> discord.PartialMessage | None:
        """The message as one of the bot's own, where the bot is at home."""
        interaction = self._interaction
        if self._is_hidden:
            return None  # what one person sees alone is reached by tokens only
        if not is_at_home(interaction) or self._message is None or interaction.channel_id is None:
            return None
        channel = interaction.client.get_partial_messageable(interaction.channel_id)
        return channel.get_partial_message(self._message)


class Reply:
    """A reply to somebody's message, sent when there is something to show."""

    def __init__(self, message: discord.Message, delivery: Delivery) -> None:
        delivery.enrol()
        self._message = message
        self._delivery = delivery
        self._reply: discord.Message | None = None
        self._tried = False  # to send it
        self._mute = False  # the bot may not write there
        guild = message.guild
        self.language = Language.of(guild.preferred_locale) if guild else Language.ENGLISH

    async def open(self) -> int | None:
        """Nothing is promised."""
        return None

    async def show(self, content: str, view: discord.ui.View) -> int:
        """Send, then edit."""
        try:
            again = self._tried
            if self._reply is None:
                self._tried = True
                # The nonce: should the answer get lost, trying again sends no second reply.
                self._reply = await self._message.reply(
                    content, view=view, mention_author=False, nonce=self._message.id
                )
            if again:  # also what a try before has sent after all: it holds what was told then
                await self._reply.edit(content=content, view=view)
        except discord.Forbidden:
            self._mute = True
            raise
        return self._reply.id

    async def remove(self) -> None:
        """Delete the reply."""
        if self._reply is not None:
            await self._delivery.send(self._reply.delete)

    async def say(self, text: str) -> None:
        """Say something in a note that goes away; where that cannot be, in private.

        Who is told something is told nothing more for as long as the note stays.
        """
        asked = self._message
        if self._delivery.notes.ask(asked.author.id):
            return
        nonce = f"note {asked.id}"
        if self._mute:
            return await self._say_in_private(text, nonce)

        async def send(words: str) -> discord.Message:
            return await self._delivery.send(
                lambda: asked.reply(words, mention_author=False, nonce=nonce)
            )

        try:
            note = await in_other_words(send, text, self.language)
        except UNREACHABLE as error:
            _log.info("a note could not be sent: %s", type(error).__name__)
            if may_not(error):
                await self._say_in_private(text, nonce)
        else:
            self._delivery.later(NOTE_LIFE, note.delete)

    async def _say_in_private(self, text: str, nonce: str) -> None:
        if self._message.guild is None:  # that is where it was asked
            return
        try:
            await self._delivery.send(lambda: self._message.author.send(text, nonce=nonce))
        except UNREACHABLE as error:
            _log.info("nothing can be said to somebody: %s", type(error).__name__)


async def in_other_words(say: Callable[[str], Awaitable[T]], text: str, language: Language) -> T:
    """Say something; when Discord calls just these words wrong, at least that something is."""
    try:
        return await say(text)
    except discord.HTTPException as error:
        if error.status != 400 or is_blocked(error):
            raise
        return await say(language.say(Text.BOTHER, reference=record(error, "a word")))


def why_not_shown(error: Exception, language: Language) -> str:
    """What to say to somebody whose story Discord does not take."""
    if is_blocked(error):
        return language.say(Text.BLOCKED)
    if may_not(error):
        return language.say(Text.MAY_NOT_WRITE)
    return language.say(Text.NOT_SHOWN, reference=record(error, "a story"))
