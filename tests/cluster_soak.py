"""An hour of two processes: python -m tests.cluster_soak [--minutes 60] [--rate 50] [--model pooh].

Two processes of the real bot, with four shards of eight each, a real Valkey (or Redis) between
them, and the stand-in for Discord here, in real time and under rate limits like Discord's. People
ask for stories by command, by mention, in private and by button, at random moments, so many a
minute. After a third of the time the second process is replaced as an upgrade does it (a new one
starts, then the old one gets SIGUSR1); after two thirds the first one is stopped by SIGTERM and
started again. Nothing else is asked to wait meanwhile.

At the end a table says what became of each request, how much memory each process held, and whether
its /metrics said what the stand-in had counted. The exit code is 1 when a story was lost or a first
response too late, memory grew, a number differed, Discord refused an IDENTIFY, or a log holds an
error. A first response that was too late while the stand-in itself had to wait for this machine is
shown, and not held against the bot. The table is Markdown, for docs/performance.md.
"""

import argparse
import asyncio
import contextlib
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM, SIGUSR1, Signals
from statistics import median

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cluster import Cluster, valkey
from tests.cluster_counts import LATE, STORY, Counts, Numbers, Use, of_metrics
from tests.fake_discord import (
    Channel,
    DiscordServer,
    Interaction,
    Message,
    Person,
    RefusedError,
)
from tests.fake_discord.gateway import INVALID_SESSION
from tests.fake_discord.routes.interactions import FIRST_RESPONSE
from tests.hosting import finished
from tests.soak_process import machine

ROOT = Path(__file__).resolve().parents[1]
PEOPLE = 120  # at 50 a minute nobody meets the cooldown
WARM = 600.0  # seconds in which a process comes to hold what it always will
FLAT = 10.0  # MiB that a process may grow in the second half of its life
LOOK = 0.1  # seconds between two looks at how late the stand-in's own event loop is
STARVED = 0.5  # seconds: who is kept from running so long has too busy a machine
QUIET = 330.0  # seconds at the end until everything is at rest: a story may take 300
BUSY = ["it was busy whenever it was looked at"]


@dataclass
class Life:
    """A process, from its start to its end.

    Attributes:
        memory: MiB by the seconds since it was ready.
        numbers: the last /metrics that were compared.
        differs: where they were not what the stand-in had counted.
        later: how many requests came after that.
    """

    name: str
    port: int
    ready: float = 0.0
    memory: list[tuple[float, float]] = field(default_factory=list)
    numbers: Numbers = field(default_factory=dict)
    differs: list[str] = field(default_factory=lambda: ["never compared"])
    later: int = 0

    def held(self, start: float, stop: float) -> float:
        """The most that it held between two parts of its life, from 0 to 1, in MiB.

        Not a mean: with the last story that is being written goes the memory of the cache.
        """
        whole = self.memory[-1][0]
        part = [size for at, size in self.memory if start * whole <= at <= stop * whole]
        return max(part or [self.memory[-1][1]])


class Soak:
    """The hour."""

    def __init__(self, cluster: Cluster, discord: DiscordServer, rate: float, seed: int) -> None:
        self.cluster = cluster
        self.discord = discord
        self.uses: list[Use] = []
        self.lives: dict[str, Life] = {}
        self.wrong: list[str] = []
        self._stopping: set[str] = set()
        self._counts = Counts(discord)
        self.lags: list[tuple[float, float]] = []  # of the stand-in's event loop: when, and seconds
        self._rate = rate
        self._chance = random.Random(seed)
        self._people = [discord.person(f"Relation {i}") for i in range(PEOPLE)]
        self._channels = [guild.channels[0] for guild in discord.guilds if guild.channels]
        self._turn = 0
        self._begun = time.monotonic()

    # The processes

    async def begin(self, name: str, shards: str) -> None:
        """Start a process and wait until it has its shards."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            life = Life(name, free.getsockname()[1])
        first, last = map(int, shards.partition("/")[0].split("-"))
        await self.cluster.start(name, shards, POOH_METRICS_PORT=str(life.port))
        await self.cluster.online(name, shards=last - first + 1)
        life.ready = time.monotonic()
        self.lives[name] = life
        self.note(f"{name} is ready with {shards}")

    async def end(self, name: str, by: Signals) -> None:
        """Have a process end by a signal, and compare its numbers as long as it tells them."""
        self.note(f"{name} gets {by.name}")
        life = self.lives[name]
        self._stopping.add(name)
        ending = asyncio.create_task(self.cluster.stop(name, by=by))
        counted = self._counts.seen(name)
        while not ending.done():
            with contextlib.suppress(aiohttp.ClientError, OSError):
                differs, numbers, now = await self.compare(life)
                if not differs:
                    life.differs, life.numbers, counted = [], numbers, now
                elif life.differs and differs != BUSY:  # nothing better so far
                    life.differs = differs
            await asyncio.sleep(0.01)
        await ending
        life.later = int(sum(self._counts.seen(name).values()) - sum(counted.values()))
        self.note(f"{name} has ended; {life.later} requests since its numbers were compared")

    async def scrape(self, life: Life) -> Numbers:
        """What a process tells Prometheus."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{life.port}/metrics") as response,
        ):
            text = await response.text()
        return {
            " ".join([s.name, *(f"{k}={v}" for k, v in sorted(s.labels.items()))]): s.value
            for family in text_string_to_metric_families(text)
            for s in family.samples
        }

    async def compare(self, life: Life) -> tuple[list[str], Numbers, Counter[str]]:
        """What differs between the metrics of a process and what the stand-in counted."""
        before = self._counts.seen(life.name)
        numbers = await self.scrape(life)
        after = self._counts.seen(life.name)
        told = of_metrics(numbers)
        if before != after:
            return BUSY, numbers, after
        differs = [
            f"{life.name}: {key}: {told[key]}, counted {after[key]}"
            for key in sorted({*told, *after})
            if told[key] != after[key]
        ]
        return differs, numbers, after

    async def watch(self, every: float) -> None:
        """Look at the memory of the processes, and say how it goes."""
        while True:
            for name, life in self.lives.items():
                with contextlib.suppress(OSError, KeyError):
                    at = time.monotonic() - life.ready
                    life.memory.append((at, self.cluster.memory(name)))
            await asyncio.sleep(every)

    async def watch_loop(self) -> None:
        """Note when this process, and so the stand-in, was kept from running."""
        while True:
            due = time.monotonic() + LOOK
            await asyncio.sleep(LOOK)
            self.lags.append((self.discord.clock(), time.monotonic() - due))

    def was_starved(self, asked: Interaction | Message) -> bool:
        """Whether the machine was too busy for the stand-in while somebody waited."""
        return any(
            lag > STARVED for at, lag in self.lags if 0 <= at - asked.created <= FIRST_RESPONSE + 2
        )

    def note(self, what: str) -> None:
        """Says it, with the minutes since the start, to who waits for the table."""
        minutes = (time.monotonic() - self._begun) / 60
        print(f"{minutes:5.1f} min: {what}; {len(self.uses)} asked", file=sys.stderr, flush=True)

    # The people

    async def crowd(self) -> None:
        """People ask at random moments, until cancelled."""
        due = time.monotonic()
        while True:
            due += self._chance.expovariate(self._rate / 60)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            person = self._people[self._turn % PEOPLE]
            self._turn += 1
            self.uses.append(self._ask(person))

    def _ask(self, person: Person) -> Use:
        chance = self._chance
        lot = chance.random()
        prompt = f"{chance.choice(('It is', 'Then', 'So we', 'The bee'))} number {self._turn}"
        channel = chance.choice(self._channels)
        if lot < 0.15:
            away = self._is_away(channel)
            return Use("mention", person.say(f"@pooh {prompt}", channel), away)
        if lot < 0.20:
            channel = self.discord.dm(person)
        elif lot < 0.40:
            story = chance.choice([use.message for use in self.uses[-40:]] or [None])
            label = "Again" if lot < 0.30 else "Continue"
            if story and finished(story):
                with contextlib.suppress(RefusedError):
                    away = self._is_away(story.channel)
                    return Use(label, person.press(story, label), away)
        length = chance.randint(40, 300)
        away = self._is_away(channel)
        asked = person.command("pooh", where=channel, prompt=prompt, length=length)
        return Use("/pooh in private" if lot < 0.20 else "/pooh", asked, away)

    def _is_away(self, channel: Channel) -> bool:
        covering = self.discord.gateway.covering(channel.guild_id)
        return all(session.client in self._stopping for session in covering)

    async def rest(self) -> None:
        """Wait until every request that somebody heard has an end."""
        until = time.monotonic() + QUIET
        while time.monotonic() < until:
            self._counts.update()
            if all(use.away or self._counts.end(use) for use in self.uses):
                break
            await asyncio.sleep(0.2)

    # What was counted

    async def rows(self) -> AsyncIterator[tuple[str, str]]:
        """The table; ``wrong`` holds what should not be in it."""
        uses, gateway = self.uses, self.discord.gateway
        yield "asked", f"{len(uses):,}: {_listed(Counter(use.what for use in uses))}"
        self._counts.update()
        away = [use for use in uses if use.away and not self._counts.end(use)]
        heard = [(use, self._counts.end(use)) for use in uses if use not in away]
        lost = [use for use, end in heard if not end]
        late = [use for use, end in heard if end == LATE]
        starved = [use for use in late if self.was_starved(use.asked)]
        self.wrong += [
            f"{use.what}: {self._history(use)}" for use in (*lost, *late) if use not in starved
        ]
        self.wrong += [
            f"{len(use.replies)} answers to one message"
            for use in uses
            if isinstance(use.asked, Message) and len(use.replies) > 1
        ]
        ends = Counter(end for _, end in heard if end not in ("", LATE))
        yield "ended", f"{_listed(ends)}; lost {len(lost)}"
        most = max(lag for _, lag in self.lags)
        yield (
            "first response too late",
            (
                f"{len(late)}, of them while this machine kept the stand-in waiting, too: "
                f"{len(starved)}; its loop was late by {most:.2f} s at most"
            ),
        )
        yield "asked while no process had their shard", f"{len(away)}"
        for life in self.lives.values():
            yield f"process {life.name}", self._life(life)
            self.wrong += life.differs
        waits = sorted(
            use.asked.answered - use.asked.created
            for use in uses
            if isinstance(use.asked, Interaction) and use.asked.answered is not None
        )
        yield "first response", _spread(waits)
        whole = [self._counts.time(use) for use, end in heard if end == STORY]
        yield "whole story", _spread(sorted(whole))
        identified = Counter(client for *_, client in gateway.identified)
        refused = gateway.sent[INVALID_SESSION]
        yield "IDENTIFYs", f"{len(gateway.identified)}: {_listed(identified)}; opcode 9: {refused}"
        errors = [
            f"{name}: {line}"
            for name in self.lives
            for line in self.cluster.log(name).splitlines()
            if "ERROR" in line or "Traceback" in line
        ]
        yield "errors in the logs", f"{len(errors)}"
        self.wrong += [*errors, *self.discord.violations()[:10]]
        if refused:
            self.wrong.append("Discord refused an IDENTIFY")
        yield "wrong", f"{len(self.wrong)}" + "".join(f"; {text}" for text in self.wrong[:10])

    def _history(self, use: Use) -> str:
        """What the bot has asked Discord for it, and what became of that."""
        asked = use.asked
        known = asked.token if isinstance(asked, Interaction) else str(asked.id)
        return ", ".join(
            f"{r.client} {r.method} after {r.at - asked.created:.1f} s: {r.status} {r.code}"
            for r in self.discord.log
            if known in r.path or known in str(r.body)
        )

    def _life(self, life: Life) -> str:
        early, middle, late = life.held(0, 0.2), life.held(0.45, 0.55), life.held(0.9, 1)
        if late - middle > FLAT and life.memory[-1][0] > WARM:
            self.wrong.append(f"{life.name}: memory grew by {late - middle:.0f} MiB")
        requests = sum(v for k, v in life.numbers.items() if k.startswith("pooh_requests_total"))
        stories = {
            k.partition("outcome=")[2]: int(v)
            for k, v in life.numbers.items()
            if k.startswith("pooh_stories_total") and v
        }
        processor = life.numbers.get("process_cpu_seconds_total", 0.0)
        same = "equal" if not life.differs else "not equal"
        looks, quick = (
            life.numbers.get(f"pooh_loop_lag_seconds_{key}", 0.0)
            for key in ("count", "bucket le=0.1")
        )
        return (
            f"{life.memory[-1][0] / 60:.0f} minutes; {early:.0f}, {middle:.0f}, {late:.0f} MiB at "
            f"its beginning, middle and end; {processor:.0f} s of processor time; event loop "
            f"late by more than 0.1 s {looks - quick:.0f} of {looks:,.0f} times; metrics {same} "
            f"to what was counted: {requests:,.0f} requests, stories {_listed(Counter(stories))}"
            + (f" ({life.later} requests later than that)" if life.later else "")
        )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common())


def _spread(values: list[float]) -> str:
    if not values:
        return "none"
    most = values[len(values) * 99 // 100]
    return f"median {median(values):.2f} s, 99 of 100 within {most:.2f} s, most {values[-1]:.2f} s"


async def soak(
    folder: Path, *, minutes: float, rate: float, model: str, servers: int, period: float, seed: int
) -> tuple[list[tuple[str, str]], list[str]]:
    """Run it all.

    Args:
        folder: for the logs.
        minutes: how long people ask.
        rate: how often, a minute.
        model: as POOH_MODEL; "" for the small network of the tests.
        servers: that the bot is in.
        period: seconds between two IDENTIFYs; Discord's are 5.
        seed: of who asks what when.

    Returns:
        The table's rows, and what is wrong.
    """
    kind = machine()
    async with valkey() as shared, DiscordServer(identify_period=period) as discord:
        while len(discord.guilds) < servers:
            discord.add_channel(discord.add_guild(f"Wood {len(discord.guilds)}"))
        cluster = Cluster(ROOT, folder, discord, shared.url, period=period, margin=0.5, model=model)
        async with cluster:
            day = Soak(cluster, discord, rate, seed)
            await asyncio.gather(day.begin("a", "0-3/8"), day.begin("b", "4-7/8"))
            watching = asyncio.gather(day.watch(min(10.0, minutes)), day.watch_loop())
            people = asyncio.create_task(day.crowd())
            await asyncio.sleep(minutes * 20)
            await day.begin("b2", "4-7/8")
            await day.end("b", SIGUSR1)
            await asyncio.sleep(minutes * 20)
            await day.end("a", SIGTERM)
            await day.begin("a2", "0-3/8")
            await asyncio.sleep(minutes * 20)
            people.cancel()
            await day.rest()
            for name in ("a2", "b2"):
                life = day.lives[name]
                for _ in range(20):  # until the last answers have reached it
                    life.differs, life.numbers, _counted = await day.compare(life)
                    if not life.differs:
                        break
                    await asyncio.sleep(0.1)
            assert not watching.done(), "the memory was not watched to the end"
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            setting = f"{minutes:g} minutes, {rate:g} requests a minute, {servers:,} servers"
            rows = [("machine", kind), ("setting", f"{setting}, 8 shards")]
            rows += [row async for row in day.rows()]
            await cluster.stop("a2", "b2")
            return rows, day.wrong


def table(rows: list[tuple[str, str]]) -> Iterator[str]:
    """The rows as Markdown."""
    yield from ("|  |  |", "| --- | --- |")
    yield from (f"| {name} | {text.replace('|', '/')} |" for name, text in rows)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--model", default="pooh")
    parser.add_argument("--servers", type=int, default=800)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            rows, wrong = asyncio.run(soak(Path(folder), period=5.0, **vars(options)))
        except pytest.skip.Exception as missing:
            parser.error(str(missing))
    print(*table(rows), sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
