"""What can be pressed or chosen under a message, however old: all it needs stands in its id."""

import re
from typing import Any, ClassVar, Self, TypeVar

import discord

from bot.errors import Refusal, explain
from bot.services import response_to, services_of
from bot.targets import Response
from bot.translations import Text

ItemT = TypeVar("ItemT", bound=discord.ui.Item[Any])


class PersistentItem(discord.ui.DynamicItem[ItemT], template=r"(?!)"):
    """A button or a menu that is made anew from its id when it is used: so it outlives the bot.

    A class of them has a `template` that its ids match, and defines `of` and `press`.

    Attributes:
        everywhere: it works also in servers that the host does not allow.
    """

    everywhere: ClassVar[bool] = False

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """The item with the id that matches its template."""
        raise NotImplementedError

    async def press(self, interaction: discord.Interaction, response: Response) -> None:
        """Somebody uses it; whatever this raises is explained to them."""
        raise NotImplementedError

    async def explain(self, response: Response, error: Exception) -> None:
        """Say what went wrong."""
        await explain(response, error)

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """For discord.py."""
        return cls.of(match)

    async def callback(self, interaction: discord.Interaction) -> None:
        """For discord.py."""
        response = response_to(interaction)
        try:
            allowed = services_of(interaction).settings.is_allowed(interaction.guild_id)
            if not allowed and not self.everywhere:
                raise Refusal(Text.NOT_AT_HOME)
            await self.press(interaction, response)
        except Exception as error:
            await self.explain(response, error)
