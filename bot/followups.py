"""One more message below the one that an interaction is about, and only one.

Discord knows a message that is sent again by its nonce, so that a lost answer makes no second one:
but only a message of the bot's own in a channel. The follow-ups of interactions have no nonce. So
where the bot is at home and may write it sends a message of its own; elsewhere, and where one
person sees it alone, a follow-up.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import discord

from bot.delivery import PAUSES, Delivery
from bot.errors import is_blocked
from bot.permissions import may_send

UNKNOWN_MESSAGE = 10008

T = TypeVar("T")
MakeFile = Callable[[], discord.File]  # to be read from its beginning


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
        make_file: MakeFile | None = None,
    ) -> int:
        """Send it, or put this into it when it was sent before, in one try; its id.

        Args:
            content: its text.
            view: what stands below.
            make_file: a file that is sent with it.
        """
        if self._message is None:
            await self._or_follow_up(lambda: self._send(content, view, make_file))
        else:
            await self._message.edit(**_options(content, view))
        assert self._message is not None
        return self._message.id

    async def tell(
        self,
        delivery: Delivery,
        content: str,
        view: discord.ui.View | None = None,
        make_file: MakeFile | None = None,
        *,
        once: bool = False,
    ) -> None:
        """Send it as it stays, and again while answers are lost.

        What was told before, and was taken away since, is not told again.

        Args:
            delivery: by which it is sent.
            content: its text.
            view: what stands below.
            make_file: a file that is sent with it.
            once: without a nonce it is sent once, even if nobody knows whether it arrived.

        Raises:
            OSError, aiohttp.ClientError, discord.HTTPException: as `Delivery.send`.
        """

        def deliver() -> Awaitable[None]:
            pauses = () if once and not self.has_nonce else PAUSES
            return delivery.send(lambda: self._send(content, view, make_file), pauses=pauses)

        try:
            await self._or_follow_up(deliver)
        except discord.NotFound as error:
            if error.code != UNKNOWN_MESSAGE:
                raise

    async def _or_follow_up(self, send: Callable[[], Awaitable[T]]) -> T:
        """Send it; where the bot may not after all, as a follow-up: it needs fewer permissions."""
        if self.has_nonce:
            try:
                return await send()
            except discord.Forbidden as error:
                if is_blocked(error):
                    raise
                self.has_nonce = False
        return await send()

    async def _send(
        self, content: str, view: discord.ui.View | None, make_file: MakeFile | None
    ) -> None:
        """In one try."""
        options = _options(content, view) | ({"file": make_file()} if make_file else {})
        if self.has_nonce:
            self._message = await self._send_own(options)
        else:
            self._message = await self._interaction.followup.send(
                **options, ephemeral=self._hidden, wait=True
            )

    async def _send_own(self, options: dict[str, Any]) -> discord.Message:
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


def _options(content: str, view: discord.ui.View | None) -> dict[str, Any]:
    return {"content": content} | ({} if view is None else {"view": view})
