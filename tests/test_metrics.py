"""Health and metrics: real HTTP against the running bot and the stand-in for Discord."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import aiohttp
import discord
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot import health
from bot.metrics import served
from bot.parsers import Address
from tests.fake_discord.rules import ApiError
from tests.hosting import Stage, finished, stage


class Watched:
    """A running bot and the address of its health and metrics."""

    def __init__(self, theatre: Stage, address: Address) -> None:
        self.theatre = theatre
        self.address = address

    async def get(self, path: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.address.reachable}{path}") as response,
        ):
            return response.status, await response.text()

    async def numbers(self) -> dict[str, float]:
        """Each sample by its name and labels, as Prometheus reads them."""
        status, text = await self.get("/metrics")
        assert status == 200
        return {
            " ".join([s.name, *(f"{k}={v}" for k, v in sorted(s.labels.items()))]): s.value
            for family in text_string_to_metric_families(text)
            for s in family.samples
        }


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    async with contextlib.AsyncExitStack() as stack:
        theatre = await stack.enter_async_context(stage(start=False))

        theatre.prepare()
        port = await stack.enter_async_context(served(theatre.bot, Address("127.0.0.1", 0)))
        await theatre.run()
        await theatre.server.until(theatre.bot.is_ready, "that it is ready")
        yield Watched(theatre, Address("127.0.0.1", port))


async def test_it_is_well_while_it_is_connected(watched: Watched) -> None:
    assert await watched.get("/healthz") == (200, "ok\n")
    assert await asyncio.to_thread(health.ask, watched.address) == (True, "ok")
    gateway = watched.theatre.server.gateway
    gateway.acknowledge = False
    gateway.close(4000)  # discord.py comes back, and this time nobody acknowledges it
    await watched.theatre.server.until(lambda: gateway.connected >= 2, "the second connection")
    assert await watched.get("/healthz") == (503, "shard 0: not connected\n")
    well, what = await asyncio.to_thread(health.ask, watched.address)
    assert not well and what == "shard 0: not connected"
    assert (await watched.numbers())["pooh_shard_up shard=0"] == 0
    assert (await watched.numbers())["pooh_healthy"] == 0


async def test_a_heartbeat_that_is_not_acknowledged_is_missed(watched: Watched) -> None:
    heart = watched.theatre.bot._get_websocket(shard_id=0)._keep_alive
    assert heart is not None
    heart._last_ack -= 1000
    status, what = await watched.get("/healthz")
    assert status == 503 and re.match(
        r"shard 0: no heartbeat acknowledged for 10\d\d seconds\n$", what
    )


async def test_a_worker_that_hangs_is_missed(watched: Watched) -> None:
    theatre = watched.theatre
    theatre.decoder.hold()
    theatre.server.person().command("pooh", prompt="The bun")
    await theatre.server.until(lambda: theatre.writer.writing, "a story")
    assert await watched.get("/healthz") == (200, "ok\n")
    theatre.clock.advance(1000)
    status, what = await watched.get("/healthz")
    assert status == 503 and re.search(r"no character was written for 10\d\d s", what)
    theatre.decoder.open()
    await theatre.server.until(lambda: not theatre.writer.writing, "its end")
    assert await watched.get("/healthz") == (200, "ok\n")


async def test_a_bot_that_has_not_logged_in_is_not_well() -> None:
    async with stage(start=False) as theatre:
        theatre.prepare()
        async with served(theatre.bot, Address("127.0.0.1", 0)) as port:
            watched = Watched(theatre, Address("127.0.0.1", port))
            status, what = await watched.get("/healthz")
            assert status == 503
            assert what == "shard 0: not connected\nwriter: its thread is not running\n"
            assert "pooh_servers" in await watched.numbers()
    assert not (await asyncio.to_thread(health.ask, watched.address))[0], (
        "it is not served any more"
    )


async def test_each_shard_of_a_process_is_looked_at() -> None:
    async with discord.AutoShardedClient(
        intents=discord.Intents.none(), shard_count=8, shard_ids=[2, 3]
    ) as client:
        assert [(s.number, s.connected) for s in health.shards(client)] == [(2, False), (3, False)]


async def test_the_numbers_are_those_that_discord_counted(watched: Watched) -> None:
    theatre, server = watched.theatre, watched.theatre.server
    before = await watched.numbers()
    people = [server.person(f"Somebody {i}") for i in range(3)]
    stories = [person.command("pooh", prompt="The old mill", length=60) for person in people]
    await server.until(lambda: all(finished(use.original) for use in stories), "the stories")
    theatre.decoder.hold()
    steps = theatre.decoder.steps
    held = people[0].command("pooh", prompt="The wind")
    await server.until(lambda: theatre.writer.writing, "a story that waits")
    numbers = await watched.numbers()
    assert numbers["pooh_stories_writing"] == 1 and numbers["pooh_stories_waiting"] == 0
    server.fail("PATCH", "", ApiError(400, 50035, "Invalid Form Body"))
    theatre.decoder.allow(40)
    await server.until(lambda: theatre.decoder.steps >= steps + 40, "some words")
    await theatre.pass_seconds(2)  # they are shown, or rather not
    theatre.decoder.open()
    await server.until(lambda: not theatre.writer.writing and held.original, "the last one")

    async def measured() -> bool:
        lag = "pooh_loop_lag_seconds_count"
        return (await watched.numbers())[lag] > before[lag]

    await theatre.until_found(measured, "the event loop to be looked at, in real time")
    numbers = await watched.numbers()
    assert numbers["pooh_stories_total outcome=written"] == 3
    assert numbers["pooh_stories_total outcome=stopped"] == 1, "Discord did not take the fourth"
    assert numbers["pooh_stories_total outcome=failed"] == 0
    assert numbers["pooh_characters_total"] >= 180
    assert numbers["pooh_first_text_seconds_count"] == 4
    assert numbers["pooh_servers"] == len(server.guilds)
    assert numbers["pooh_shard_up shard=0"] == 1
    assert 0 < numbers["pooh_shard_latency_seconds shard=0"] < 60
    assert numbers["process_resident_memory_bytes"] > 1e6
    counted = [request for request in server.log if request.method == "PATCH"]
    fine = sum(request.status < 400 for request in counted)
    assert numbers["pooh_requests_total code=ok kind=edit"] == fine
    assert numbers["pooh_requests_total code=50035 kind=edit"] == 1
    assert sum(v for k, v in numbers.items() if k.startswith("pooh_errors_total")) == 1


async def test_no_label_holds_a_person_a_server_or_a_text(watched: Watched) -> None:
    server = watched.theatre.server
    person = server.person("Roo Kanga")
    use = person.command("pooh", prompt="Sweet jam", length=40)
    await server.until(lambda: finished(use.original), "a story")
    _, text = await watched.get("/metrics")
    # `le`: the buckets of a histogram.
    allowed = {"code", "implementation", "kind", "le", "major", "minor", "model", "outcome"}
    allowed |= {"patchlevel", "shard", "version"}
    families = list(text_string_to_metric_families(text))
    assert {name for f in families for s in f.samples for name in s.labels} <= allowed
    for private in (
        str(person.id),
        person.name,
        "Roo",
        "jam",
        *(guild.name for guild in server.guilds),
        *map(str, server.channels),
    ):
        assert private not in text
