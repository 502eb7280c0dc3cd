"""Is the bot well? Asked within the process by `/healthz`, and from outside by `bot health`."""

import math
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import discord

from bot.client import Pooh
from bot.parsers import Address

FRESH = 60.0  # seconds: Discord wants a heartbeat every 41, and acknowledges it at once
PATIENCE = 5.0  # seconds for the answer of a bot that is asked


@dataclass(frozen=True)
class Shard:
    """One of this process's connections to Discord.

    Attributes:
        number: of the shard.
        connected: whether Discord has let it in and the connection stands.
        latency: seconds from the last heartbeat to its acknowledgement; NaN before the first.
        silence: seconds since the last acknowledgement; infinite before the first.
    """

    number: int
    connected: bool
    latency: float
    silence: float


def shards(client: discord.AutoShardedClient) -> list[Shard]:
    """This process's shards: all it is to have, also those that are not connected yet."""
    # The number is known once Discord has been asked; before that no shard is connected.
    numbers = client.shard_ids or range(client.shard_count or 1)
    there = client.shards
    return [
        # discord.py shows the latency, but not when it was measured.
        _shard(n, client._get_websocket(shard_id=n) if n in there else None)
        for n in numbers
    ]


def _shard(number: int, socket: discord.gateway.DiscordWebSocket | None) -> Shard:
    heart = socket._keep_alive if socket else None
    if socket is None or heart is None or not math.isfinite(heart.latency):
        return Shard(number, False, math.nan, math.inf)
    silence = time.perf_counter() - heart._last_ack
    return Shard(number, socket.open and socket.session_id is not None, heart.latency, silence)


def problems(client: Pooh) -> Iterator[str]:
    """What is not as it should be, a line each; nothing when all is well."""
    writer = client.services.writer
    for shard in shards(client):
        if not shard.connected:
            yield f"shard {shard.number}: not connected"
        elif shard.silence > FRESH:
            yield f"shard {shard.number}: no heartbeat acknowledged for {shard.silence:.0f} seconds"
    if not writer.is_alive:
        yield "writer: its thread is not running"
    elif writer.stalled > FRESH:
        yield f"writer: stories wait, and no character was written for {writer.stalled:.0f} seconds"


def ask(address: Address) -> tuple[bool, str]:
    """Ask the bot that serves at this address: whether it is well, and what it says."""
    # Without the proxies of the environment: it is this machine that is asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{address.reachable}/healthz", timeout=PATIENCE) as answer:
            return True, str(answer.read().decode("utf-8", "replace")).strip()
    except urllib.error.HTTPError as error:
        return False, error.read().decode("utf-8", "replace").strip() or f"it answers {error.code}"
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        return False, f"no answer at {address.reachable}: {reason}"
