"""/privacy: what is kept, and a switch with which a person keeps others from using their words."""

import re
from typing import Any, Self

import discord
from discord import app_commands

from bot.errors import Refusal, explain
from bot.explanations import HONEY
from bot.services import response_to, services_of
from bot.setup_texts import SetupText
from bot.store import Store, StoreError
from bot.translations import Language, Text, named


class PrivacyButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.LayoutView]],
    template=r"pooh:privacy:(?P<turn>refuse|allow)",
):
    """The switch; it remembers nothing, and is for whoever presses it."""

    def __init__(self, turn: str, language: Language = Language.ENGLISH) -> None:
        refuse = turn == "refuse"
        super().__init__(
            discord.ui.Button(
                label=language.say(SetupText.REFUSE if refuse else SetupText.ALLOW),
                style=discord.ButtonStyle.primary if refuse else discord.ButtonStyle.secondary,
                custom_id=f"pooh:privacy:{turn}",
            )
        )
        self.turn = turn

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Made anew from its id, when it is pressed."""
        return cls(match["turn"])

    async def callback(self, interaction: discord.Interaction) -> None:
        """Somebody pressed it. It works where the bot is not at home, too: it is about a person."""
        response, person = response_to(interaction), interaction.user.id
        try:
            services = services_of(interaction)
            services.stories.check_rate_limit(person)
            try:
                await services.store.set_refusal(person, refuses=self.turn == "refuse")
            except StoreError:
                raise Refusal(SetupText.NOT_KEPT) from None
            view = await card(services.store, person, response.language)
            await response.change_buttons(view)
        except Exception as error:
            await explain(response, error)


@app_commands.command(name=named(Text.PRIVACY), description=named(Text.ON_PRIVACY))
async def privacy_command(interaction: discord.Interaction) -> None:
    """The card, for the one who asked alone."""
    services, response = services_of(interaction), response_to(interaction)
    response.is_private = True
    await response.open()
    view = await card(services.store, interaction.user.id, response.language)
    await services.delivery.send(lambda: response.show(view=view))


async def card(store: Store, person: int, language: Language) -> discord.ui.LayoutView:
    """What is kept, what this person has decided, and the other choice."""
    refuses = await store.refuses(person)
    now = SetupText.REFUSED if refuses else SetupText.ALLOWED
    parts: list[discord.ui.Item[discord.ui.LayoutView]] = [
        discord.ui.TextDisplay(f"### {language.say(SetupText.PRIVACY_TITLE)}"),
        discord.ui.TextDisplay(language.say(SetupText.PRIVACY)),
        discord.ui.Separator(),
        discord.ui.TextDisplay(language.say(now if store.is_open else SetupText.UNKNOWN)),
    ]
    if store.is_open:
        buttons = discord.ui.ActionRow[discord.ui.LayoutView]()
        buttons.add_item(PrivacyButton("allow" if refuses else "refuse", language))
        parts.append(buttons)
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(discord.ui.Container(*parts, accent_colour=HONEY))
    return view
