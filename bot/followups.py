"""One more message below the one that an interaction is about, and only one.

Discord knows a message that is sent again by its nonce, so that a lost answer makes no second one:
but only a message of the bot's own in a channel. The follow-ups of interactions have no nonce. So
where the bot is at home and may write it sends a message of its own; elsewhere, and where one
person sees it alone, a follow-up.
"""

from collections.abc import Callable
from typing import Any

import discord

from bot.errors import is_blocked
from bot.permissions import may_send


class FollowUp:
    """A message that is yet to be sent; then that message.

    Attributes:
        has_nonce: should an answer get lost, it can be sent again, and there is one.
    """

    def __init__(
        self, interaction: discord.Interaction, nonce: str, below: int | None, *, hidden: bool
    ) -> None:
        """Nothing is sent yet.

        Args:
            interaction: that it follows.
            nonce: what Discord knows it by, of at most 25 characters: of each message another, and
                in each try the same.
            below: the id of the message that it replies to.
            hidden: for the one who asked alone.
        """
        self._interaction = interaction
        self._nonce = nonce
        self._below = below
        self._hidden = hidden
        self._message: discord.Message | None = None
        self.has_nonce = not hidden and may_send(interaction)

    async def show(
        self,
        content: str,
        view: discord.ui.View | None = None,
        make_file: Callable[[], discord.File] | None = None,
    ) -> int:
        """Send it, or put this into it when it was sent before, in one try; its id.

        Args:
            content: its text.
            view: what stands below.
            make_file: a file that is sent with it, to be read from its beginning.
        """
        options: dict[str, Any] = {"content": content} | ({} if view is None else {"view": view})
        if self._message is not None:
            await self._message.edit(**options)
            return self._message.id

        def with_file() -> dict[str, Any]:
            return options | ({"file": make_file()} if make_file else {})

        if self.has_nonce:
            try:
                self._message = await self._send(with_file())
            except discord.Forbidden as error:
                if is_blocked(error):
                    raise
                self.has_nonce = False  # a follow-up needs fewer permissions
        if self._message is None:
            self._message = await self._interaction.followup.send(
                **with_file(), ephemeral=self._hidden, wait=True
            )
        return self._message.id

    async def _send(self, options: dict[str, Any]) -> discord.Message:
        """As a message of the bot's own: a reply, where the bot may see what it replies to."""
        interaction = self._interaction
        assert interaction.channel_id is not None
        channel = interaction.client.get_partial_messageable(
            interaction.channel_id, guild_id=interaction.guild_id
        )
        may_reply = interaction.guild_id is None or interaction.app_permissions.read_message_history
        if self._below is not None and may_reply:
            message = channel.get_partial_message(self._below)
            options["reference"] = message.to_reference(fail_if_not_exists=False)
        return await channel.send(**options, nonce=self._nonce, mention_author=False)
