"""What shards and servers cost a process: python tests/benchmarks/shards.py [--model pooh].

The bot runs in a process of its own, as a host runs it, against the stand-in for Discord at
Discord's pace: five seconds between two IDENTIFYs. A row for each number of shards and servers: how
long it took from the start to "ready", of that how long the bot waited for its turns, and what it
holds in memory then and after eight stories at the same time. The last lines say what a shard and
what 1,000 servers cost: the differences between rows, so that what the bot needs anyway is not in
them. The table is Markdown, for docs/hosting.md.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bot.sharding import MARGIN, PERIOD  # noqa: E402
from tests.cluster import Cluster, all_shown, ask  # noqa: E402
from tests.fake_discord import DiscordServer  # noqa: E402
from tests.soak_process import machine  # noqa: E402

# Shards, servers, and channels of each server.
ROWS = ((1, 1, 1), (8, 1, 1), (16, 1, 1), (1, 2500, 1), (8, 20_000, 1), (16, 20_000, 1))
LARGE = ((8, 5000, 1), (8, 5000, 20))  # the same number of servers, small and large
STORIES = 8


@dataclass(frozen=True)
class Row:
    """What one start has shown; memory in MiB."""

    shards: int
    servers: int
    channels: int
    seconds: float
    ready: float
    used: float

    def __str__(self) -> str:
        turns = (self.shards - 1) * (PERIOD + MARGIN)
        return (
            f"| {self.shards} | {self.servers:,} | {self.channels} | {self.seconds:.1f} s, of it "
            f"{turns:.1f} s for turns | {self.ready:.0f} MiB | {self.used:.0f} MiB |"
        )


async def measure(folder: Path, model: str, shards: int, servers: int, channels: int) -> Row:
    """Start a bot, use it, and stop it."""
    async with DiscordServer(rates={}, identify_period=PERIOD) as discord:
        while len(discord.guilds) < servers:
            guild = discord.add_guild(f"Wood {len(discord.guilds)}")
            for _ in range(channels):
                discord.add_channel(guild)
        cluster = Cluster(
            ROOT, folder, discord, valkey_url="", period=PERIOD, margin=MARGIN, model=model
        )
        async with cluster:
            began = time.monotonic()
            await cluster.start("one", str(shards))
            await cluster.online("one", shards=shards)
            seconds, ready = time.monotonic() - began, cluster.memory("one")
            await all_shown(discord, ask(discord, [discord.channel] * STORIES, "It is"))
            used = cluster.memory("one")
            await cluster.stop("one")
    (folder / "one.log").unlink()
    return Row(shards, servers, channels, seconds, ready, used)


def costs(rows: Sequence[Row]) -> list[str]:
    """What a shard and 1,000 servers cost, in MiB."""
    at = {(row.shards, row.servers, row.channels): row.ready for row in rows}
    lines = []
    if {(1, 1, 1), (16, 1, 1)} <= at.keys():
        lines.append(f"a shard: {(at[16, 1, 1] - at[1, 1, 1]) / 15:.2f} MiB")
    if {(8, 1, 1), (8, 20_000, 1)} <= at.keys():
        each = (at[8, 20_000, 1] - at[8, 1, 1]) / 20
        lines.append(f"1,000 servers of one channel: {each:.2f} MiB")
    if {(8, 5000, 1), (8, 5000, 20)} <= at.keys():
        each = (at[8, 5000, 20] - at[8, 5000, 1]) / 5 / 19
        lines.append(f"1,000 servers, for each channel more that they have: {each:.2f} MiB")
    return lines


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--model", default="pooh")
    options = parser.parse_args()
    print(machine())
    print("\n| shards | servers | channels each | start to ready | memory | after 8 stories |")
    print("|---|---|---|---|---|---|")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in (*ROWS, *LARGE):
            rows.append(asyncio.run(measure(Path(folder), options.model, *row)))
            print(rows[-1], flush=True)
    print("", *costs(rows), sep="\n")


if __name__ == "__main__":
    main()
