"""What handlers of commands and buttons need, and the one way from an interaction to it."""

from dataclasses import dataclass
from pathlib import Path

import discord

from bot.ballots import Ballots
from bot.circle_registry import Circles
from bot.clock import Clock
from bot.delivery import Delivery
from bot.drawings import Drawings
from bot.racers import Racers
from bot.settings import Settings
from bot.store import Store
from bot.stories import Stories
from bot.targets import Response
from bot.votes import Votes
from bot.writer import Writer
from model.words import WordFilter


@dataclass(frozen=True)
class Services:
    """Made once, by the client.

    Attributes:
        settings: what the host decided.
        clock: the time.
        words: what is refused.
        weights: where they lie, for `/about`.
        writer: the queue and the network.
        delivery: brings to Discord what must arrive.
        stories: answers requests.
        drawings: makes pictures.
        store: keeps what servers and people have decided.
        votes: those that are open.
        racers: who writes in a race.
        ballots: who guessed what in one.
        circles: which story circles are open.
    """

    settings: Settings
    clock: Clock
    words: WordFilter
    weights: Path
    writer: Writer
    delivery: Delivery
    stories: Stories
    drawings: Drawings
    store: Store
    votes: Votes
    racers: Racers
    ballots: Ballots
    circles: Circles


class ServiceClient(discord.AutoShardedClient):
    """A client that has them."""

    services: Services


def services_of(interaction: discord.Interaction) -> Services:
    """The services of the client that an interaction came to."""
    assert isinstance(interaction.client, ServiceClient), "only the bot hears of interactions"
    return interaction.client.services


def response_to(interaction: discord.Interaction) -> Response:
    """The one response to this interaction: it knows what was sent already."""
    response = interaction.extras.get("response")
    if not isinstance(response, Response):
        response = Response(interaction, services_of(interaction).delivery)
        interaction.extras["response"] = response
    return response
