"""/privacy: what is kept, and a switch with which a person keeps others from using their words."""

import re
from typing import Self

import discord
from discord import app_commands

from bot import cards
from bot.database import StoreError
from bot.errors import Refusal
from bot.items import PersistentItem
from bot.languages import Language, named
from bot.names import Name
from bot.services import response_to, services_of
from bot.setup_texts import SetupText
from bot.store import Store
from bot.targets import Response


class PrivacyButton(
    PersistentItem[discord.ui.Button[discord.ui.LayoutView]],
    template=r"pooh:privacy:(?P<turn>refuse|allow)",
):
    """The switch; it remembers nothing, and is for whoever presses it."""

    everywhere = True  # it is about a person, not about a place

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
    def of(cls, match: re.Match[str]) -> Self:
        """Read from its id."""
        return cls(match["turn"])

    async def press(self, interaction: discord.Interaction, response: Response) -> None:
        """Keep what this person wants, and show it."""
        services, person = services_of(interaction), interaction.user.id
        services.stories.check_rate_limit(person)
        try:
            await services.store.set_refusal(person, refuses=self.turn == "refuse")
        except StoreError:
            raise Refusal(SetupText.NOT_KEPT) from None
        view = await card(services.store, person, response.language)
        await response.change_buttons(view)


@app_commands.command(name=named(Name.PRIVACY), description=named(Name.ON_PRIVACY))
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
    button = PrivacyButton("allow" if refuses else "refuse", language)
    return cards.card(
        cards.text(f"### {language.say(SetupText.PRIVACY_TITLE)}"),
        cards.text(language.say(SetupText.PRIVACY)),
        discord.ui.Separator(),
        cards.text(language.say(now if store.is_open else SetupText.UNKNOWN)),
        *([cards.row([button])] if store.is_open else []),
    )
