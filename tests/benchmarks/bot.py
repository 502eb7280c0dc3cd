"""How the bot bears a crowd: python tests/benchmarks/bot.py [--model pooh] [--bursts 1 20 200].

The real bot with a real model, in this process, against the stand-in for Discord, over real sockets
and in real time. So many people type /pooh at the same moment; for each burst it prints how long
until the bot promised an answer (Discord gives 3 s), until the first words could be read, until the
story was there, how many edits that took, and how late the event loop came round meanwhile.
"""

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bot.client import Pooh, use_server
from bot.settings import Settings
from bot.words import Words
from bot.writer import Writer
from model.weights import load_decoder, resolve
from tests.discord_server import DiscordServer
from tests.discord_world import Interaction

TICK = 0.005  # seconds between two looks of the watch at the event loop


def spread(seconds: list[float]) -> str:
    """Median, 99th percentile and maximum in milliseconds."""
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return "/".join(f"{1000 * s:,.0f}" for s in (statistics.median(ordered), p99, ordered[-1]))


class Watch:
    """Notes when each answer came forward, and how late the event loop was."""

    def __init__(self, uses: list[Interaction]) -> None:
        self.uses = uses
        self.began = time.perf_counter()
        self.promised: dict[int, float] = {}
        self.shown: dict[int, float] = {}
        self.whole: dict[int, float] = {}
        self.lag: list[float] = []

    async def look(self) -> None:
        """Until every story is whole."""
        while len(self.whole) < len(self.uses):
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            now = time.perf_counter()
            self.lag.append(now - before - TICK)
            for i, use in enumerate(self.uses):
                if (message := use.original) is None or i in self.whole:
                    continue
                self.promised.setdefault(i, now - self.began)
                small = message.content.rpartition("-# ")[2]
                if message.content and not small.startswith("waiting"):
                    self.shown.setdefault(i, now - self.began)
                if "Again" in message.buttons:
                    self.whole[i] = now - self.began


async def measure(model: str, bursts: list[int], length: int) -> None:
    """Print a row for each burst."""
    print(f"{model}: ms as median/p99/max; stories of {length} characters")
    print(f"{'burst':>5} {'promise':>18} {'first text':>22} {'whole':>22} {'edits':>6} {'lag':>16}")
    async with DiscordServer(rates={}) as server:
        use_server(server.api_base, server.gateway_url)
        settings = Settings(token=server.token, model=model, cooldown=0.0)
        decoder, vocab = load_decoder(model, slots=settings.slots)
        words = Words()
        writer = Writer(
            decoder, vocab, words, slots=settings.slots, capacity=settings.queue, deadline=800.0
        )
        client = Pooh(settings, writer, words, weights=resolve(model)[0])
        async with client:
            running = asyncio.create_task(client.start(server.token))
            await server.online()
            for burst in bursts:
                people = [server.person(f"Rabbit's relation {i}") for i in range(burst)]
                edits = len(server.requests("PATCH"))
                watch = Watch(
                    [p.command("pooh", prompt="Here is Edward Bear", length=length) for p in people]
                )
                async with asyncio.timeout(900):
                    await watch.look()
                edits = len(server.requests("PATCH")) - edits
                print(
                    f"{burst:>5} {spread(list(watch.promised.values())):>18}"
                    f" {spread(list(watch.shown.values())):>22}"
                    f" {spread(list(watch.whole.values())):>22}"
                    f" {edits / burst:>6.1f} {spread(watch.lag):>16}",
                    flush=True,
                )
                assert len(watch.whole) == burst, "a story was lost"
            print(f"refused by Discord: {len(server.refused())}; violations: {server.violations()}")
            await client.leave(0.0)
            await running


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="pooh", help="a name or a path (default: pooh)")
    parser.add_argument("--bursts", type=int, nargs="+", default=[1, 20, 200])
    parser.add_argument("--length", type=int, default=300)
    options = parser.parse_args()
    asyncio.run(measure(options.model, options.bursts, options.length))


if __name__ == "__main__":
    main()
