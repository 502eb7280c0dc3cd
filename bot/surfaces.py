"""Where a story is shown: three ways to put a text with buttons before people's eyes."""

from typing import Any, Protocol

import discord


class Surface(Protocol):
    """A message, or the promise of one."""

    async def open(self) -> int | None:
        """Tell Discord at once that something will come; the id of the message it makes for it."""

    async def show(self, content: str, view: discord.ui.View) -> int:
        """Put this into the message; its id."""


class Response:
    """The response to an interaction: a new message, at first "Pooh is thinking ..."."""

    def __init__(self, interaction: discord.Interaction[Any]) -> None:
        self._interaction = interaction

    async def open(self) -> int | None:
        """Defer."""
        callback = await self._interaction.response.defer(thinking=True)
        return callback.message_id if callback else None

    async def show(self, content: str, view: discord.ui.View) -> int:
        """Edit what was deferred; no follow-up is needed, of which users' installs have five."""
        message = await self._interaction.edit_original_response(content=content, view=view)
        return message.id


class Pressed(Response):
    """The message under which a button was pressed."""

    async def open(self) -> int | None:
        """Say that the press was heard; nothing changes yet."""
        await self._interaction.response.defer()
        return None


class Reply:
    """A reply to somebody's message, sent when there is something to show."""

    def __init__(self, message: discord.Message) -> None:
        self._message = message
        self._reply: discord.Message | None = None

    async def open(self) -> int | None:
        """Nothing is promised."""
        return None

    async def show(self, content: str, view: discord.ui.View) -> int:
        """Send, then edit."""
        if self._reply is None:
            # The nonce: should the answer to the request get lost, trying again sends no second.
            self._reply = await self._message.reply(
                content, view=view, mention_author=False, nonce=self._message.id
            )
        else:
            await self._reply.edit(content=content, view=view)
        return self._reply.id
