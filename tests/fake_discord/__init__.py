"""A stand-in for Discord: REST, gateway, rules, and people who use it. Start at ``server.py``."""

from tests.fake_discord.calls import Request
from tests.fake_discord.clock import ManualClock
from tests.fake_discord.faults import Cut, Fault
from tests.fake_discord.limits import too_many
from tests.fake_discord.models import (
    BOT_DM,
    MANAGE_GUILD,
    PRIVATE,
    VIEW,
    Channel,
    Guild,
    Interaction,
    Message,
)
from tests.fake_discord.person import Person
from tests.fake_discord.rules import ApiError, RefusedError
from tests.fake_discord.schema import Schemas, describe
from tests.fake_discord.server import DiscordServer

__all__ = [
    "BOT_DM",
    "MANAGE_GUILD",
    "PRIVATE",
    "VIEW",
    "ApiError",
    "Channel",
    "Cut",
    "DiscordServer",
    "Fault",
    "Guild",
    "Interaction",
    "ManualClock",
    "Message",
    "Person",
    "RefusedError",
    "Request",
    "Schemas",
    "describe",
    "too_many",
]
