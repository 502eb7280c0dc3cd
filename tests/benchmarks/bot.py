"""How the bot bears a crowd: python tests/benchmarks/bot.py [--model pooh] [--bursts 1 20 32].

The bot runs in a process of its own, as a host runs it, with a real model, and talks to the
stand-in for Discord in this process over real sockets, in real time, under rate limits like
Discord's. So many people type /pooh at the same moment; for each burst a row says how long it took
until the bot promised an answer (Discord gives 3 s), until the first words could be read and until
the story was there, how many edits that needed, and how late the bot's event loop came round
meanwhile. Then the memory of the bot, before and after.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bot.__main__ import _client  # noqa: E402
from bot.run import serve, use_server  # noqa: E402
from bot.settings import read_settings  # noqa: E402
from tests.fake_discord import DiscordServer, Interaction, Message, Schemas, describe  # noqa: E402

TICK = 0.005  # seconds between two looks of the watch at the event loop
PROMPT = "Here is Edward Bear"


async def host() -> None:
    """The bot's side: run it, and give out how late the event loop was for each line read."""
    settings = read_settings(os.environ, ROOT)
    use_server(settings.api_base, settings.gateway)
    loop = asyncio.get_running_loop()
    lag: list[float] = []

    async def watch() -> None:
        while True:
            due = loop.time() + TICK
            await asyncio.sleep(TICK)
            lag.append(loop.time() - due)

    async def report() -> None:
        lines = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while await lines.readline():
            print(json.dumps(lag), flush=True)
            lag.clear()

    helpers = [asyncio.create_task(watch()), asyncio.create_task(report())]
    await serve(_client(settings), settings.require_token())
    for helper in helpers:
        helper.cancel()


class Bot:
    """The bot's process."""

    def __init__(
        self, process: asyncio.subprocess.Process, folder: "tempfile.TemporaryDirectory[str]"
    ) -> None:
        self._process = process
        self._folder = folder  # of its database

    @classmethod
    async def start(cls, server: DiscordServer, model: str) -> "Bot":
        """Start it and wait until it is connected."""
        folder = tempfile.TemporaryDirectory()
        settings = {
            "DISCORD_TOKEN": server.token,
            "DISCORD_API_BASE": server.api_base,
            "DISCORD_GATEWAY": server.gateway_url,
            "POOH_MODEL": model,
            "POOH_DATABASE": f"{folder.name}/pooh.db",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            __file__,
            "--host",
            cwd=ROOT,
            env=os.environ | settings,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 26,
        )
        await server.online(server.gateway.connected + 1)
        return cls(process, folder)

    async def lag(self) -> list[float]:
        """How late its event loop was, in seconds, at each look since the last call."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(b"\n")
        return list(json.loads(await self._process.stdout.readline()))

    def resident(self) -> float:
        """Its resident memory in MB; NaN where there is no /proc."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return float("nan")
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) / 1024 if found else float("nan")

    async def stop(self) -> None:
        self._process.terminate()
        await self._process.wait()
        self._folder.cleanup()


def spread(seconds: Sequence[float]) -> str:
    """Median, 99th percentile and maximum in milliseconds."""
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return " / ".join(f"{1000 * s:,.0f}" for s in (statistics.median(ordered), p99, ordered[-1]))


def story(use: Interaction) -> Message:
    """The message in which it is told."""
    assert use.original is not None
    return use.original


def is_whole(use: Interaction) -> bool:
    """Whether its story has ended."""
    return use.original is not None and "Again" in use.original.buttons


async def burst(server: DiscordServer, bot: Bot, people: int, length: int, name: str) -> None:
    """So many people ask at once; print a row."""
    asking = [server.person(f"Relation {i}") for i in range(people)]
    await bot.lag()
    uses = [person.command("pooh", prompt=PROMPT, length=length) for person in asking]
    await server.until(lambda: all(map(is_whole, uses)), "all stories", patience=1800)
    lag = await bot.lag()
    promised = [use.responded - use.started for use in uses if use.responded]
    first, whole, edits = [], [], 0
    for use in uses:
        shown = [(at, text) for at, text in story(use).edits[1:] if "-# waiting" not in text]
        first.append(shown[0][0] - use.created)
        whole.append(shown[-1][0] - use.created)
        edits += len(story(use).edits) - 1
    assert len(promised) == people, "a promise was lost"
    cells = [name, spread(promised), spread(first), spread(whole), f"{edits / people:.1f}"]
    print("| " + " | ".join([*cells, spread(lag)]) + " |", flush=True)


async def measure(model: str, bursts: Sequence[int], length: int) -> None:
    """Print a row for each burst, then the memory."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{model}, stories of {length} characters, {os.cpu_count()} cores{load};")
    print("milliseconds as median / 99th percentile / most:\n")
    print("| at once | promised | first words | whole story | edits each | event loop late |")
    print("|---|---|---|---|---|---|", flush=True)
    schemas: Schemas | None = describe()
    async with DiscordServer(schemas=schemas) as server:
        bot = await Bot.start(server, model)
        await asyncio.sleep(2)
        memory = [bot.resident()]
        for size in bursts:
            await burst(server, bot, size, length, f"{size}")
        memory.append(bot.resident())
        await bot.stop()
        print(f"\nResident: {memory[0]:.0f} MB idle, {memory[1]:.0f} MB after the bursts.")
        print(f"Requests: {len(server.log)}, refused {len(server.refused())}, ", end="")
        print(f"violations of Discord's description: {len(server.violations())}.")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="pooh", help="a name or a path (default: pooh)")
    parser.add_argument("--bursts", type=int, nargs="+", default=[1, 20, 32, 200])
    parser.add_argument("--length", type=int, default=300)
    parser.add_argument("--host", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    asyncio.run(host() if options.host else measure(options.model, options.bursts, options.length))


if __name__ == "__main__":
    main()
