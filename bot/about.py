"""`/about`: who Pooh is, with a picture of how he learned."""

import asyncio
import io

import discord
from discord.utils import MISSING

from bot import cards, invite, pictures
from bot.about_texts import AboutText
from bot.errors import Refusal
from bot.services import response_to, services_of
from bot.settings import Settings

PICTURE = "loss.png"


async def about(interaction: discord.Interaction) -> None:
    """Show the card.

    Raises:
        Refusal: too many asks.
    """
    services, response = services_of(interaction), response_to(interaction)
    services.stories.check_rate_limit(interaction.user.id)
    await response.open()
    weights, language = services.weights, response.language
    times = await asyncio.to_thread(pictures.times, weights)
    summary = await asyncio.to_thread(pictures.read_summary, weights)
    try:
        picture = await services.drawings.get(
            ("about", language, times), lambda: pictures.loss_plot(weights, language)
        )
    except Refusal:  # too many wait for pictures: the one that is there
        picture = await asyncio.to_thread(pictures.loss_plot, weights)
    text = pictures.describe(
        weights.stem,
        summary,
        language,
        invite=_invite_links(interaction.client.application, services.settings),
        source=services.settings.source,
    )
    alt = language.say(AboutText.LOSS_PLOT)

    async def show() -> None:  # with a file that is read from its beginning, in each try
        files = [discord.File(io.BytesIO(picture), PICTURE, description=alt)] if picture else []
        below = [cards.picture(PICTURE, alt)] if picture else []
        await response.show(MISSING, cards.card(cards.text(text), *below), files)

    await services.delivery.send(show)


def _invite_links(
    application: discord.AppInfo | None, settings: Settings
) -> tuple[str, str] | None:
    """None where a link would lead nowhere: the bot is private, or answers a few servers."""
    if application is None or not application.bot_public or settings.guilds:
        return None
    return invite.links(application.id)
