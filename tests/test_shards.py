"""Shards: how a host writes them, how they identify, and that each answers for its servers."""

import asyncio
import dataclasses
import re
from pathlib import Path

import discord
import pytest

from bot import sharding
from bot.clock import Clock
from bot.connection import diagnose
from bot.settings import SettingsError, read_settings
from bot.sharding import LocalGate
from bot.shards import ShardRange, parse_shards
from tests.fake_discord import Schemas
from tests.hosting import finished, stage


@pytest.mark.parametrize(
    ("text", "shards"),
    [
        ("1", (0, 0, 1)),
        ("8", (0, 7, 8)),
        ("0-3/8", (0, 3, 8)),
        ("4 - 7 / 8", (4, 7, 8)),
        ("3/8", (3, 3, 8)),
        ("0x4/8", (0, 3, 8)),
        ("1x4/8", (4, 7, 8)),
    ],
)
def test_shards_are_read(text: str, shards: tuple[int, int, int]) -> None:
    found = parse_shards(text)
    assert found == ShardRange(*shards)
    assert found.is_part == (len(found.ids) < found.count)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("many", "number of shards"), ("-1", "number of shards"), ("0-3", "number of shards"),
        ("0-3/8/2", "number of shards"), ("1.5", "number of shards"), ("٣", "number of shards"),
        ("0", "1 to 10000"), ("99999", "1 to 10000"), ("0-0/0", "1 to 10000"),
        ("3-0/8", "lower number first"), ("0x0/8", "no shard"),
        ("0-8/8", "the last is 7, not 8"), ("8/8", "the last is 7"), ("2x4/8", "not 11"),
    ],
)  # fmt: skip
def test_what_is_no_part_of_the_shards_is_named(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_shards(text)


@pytest.mark.parametrize("name", ["compose.shards.yaml", "statefulset.yaml"])
def test_what_is_deployed_has_every_shard_once(root: Path, name: str) -> None:
    text = (root / "deploy" / name).read_text("utf-8")
    written = re.findall(r"POOH_SHARDS(?:,\s*value)?: ([^\s}]+)", text)
    if replicas := re.search(r"replicas: (\d+)", text):
        (block,) = written
        written = [block.replace("$(ORDINAL)", str(i)) for i in range(int(replicas[1]))]
    ranges = [parse_shards(value) for value in written]
    assert len(ranges) == 2 and len({part.count for part in ranges}) == 1
    assert sorted(shard for part in ranges for shard in part.ids) == list(range(ranges[0].count))


def test_kubernetes_gives_the_bot_no_variables_that_it_does_not_know(root: Path) -> None:
    """For a Service `pooh-valkey` it would set POOH_VALKEY_PORT in every pod beside it."""
    documents = (root / "deploy/statefulset.yaml").read_text("utf-8").split("---\n")
    (bot,) = [text for text in documents if "kind: StatefulSet" in text]
    assert "\n      enableServiceLinks: false\n" in bot
    (governing,) = re.findall(r"serviceName: (\S+)", bot)
    services = [text for text in documents if "kind: Service" in text]
    assert any(f"name: {governing}\n" in s and "clusterIP: None" in s for s in services)
    name = "POOH_VALKEY_PORT"
    with pytest.raises(SettingsError, match=f"{name}: there is no such setting"):
        read_settings({name: "tcp://10.0.0.1:6379"}, root / "deploy")


class Jumping(Clock):
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.time = 100.0

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


async def test_identifys_of_a_bucket_lie_apart_the_first_too() -> None:
    gate = LocalGate(clock := Jumping())
    times = []
    for bucket in (0, 1, 0, 1, 0):
        await gate.wait(bucket)
        times.append(clock.time - 100.0)
    apart = sharding.PERIOD + sharding.MARGIN
    assert times == [0.0, 0.0, apart, apart, 2 * apart]


async def test_each_shard_answers_for_its_servers(schemas: Schemas | None) -> None:
    async with stage(schemas=schemas, shards=parse_shards("4"), identify_period=5.0) as theatre:
        server = theatre.server
        places = [server.add_channel(server.add_guild(f"Wood {i}")) for i in range(8)]
        gateway = server.gateway
        await theatre.until(lambda: len(gateway.sessions) >= 4)
        assert [(s.shard, s.shards) for s in gateway.sessions] == [(i, 4) for i in range(4)]
        assert gateway.sent[9] == 0
        person = server.person()
        for place in [*places[:4], server.dm(person)]:
            (session,) = gateway.covering(place.guild_id)
            before = session.sequence
            asked = person.command("pooh", where=place, length=20)
            assert session.sequence == before + 1  # no other shard was told
            await server.until(lambda: finished(asked.original))  # noqa: B023


async def test_without_a_wish_discord_says_how_many_shards(schemas: Schemas | None) -> None:
    async with stage(schemas=schemas, start=False) as theatre:
        server = theatre.server
        while len(server.guilds) < 1001:
            server.add_guild("Wood")
        await theatre.start()
        await theatre.until(lambda: len(server.gateway.sessions) >= 2)
        assert [(s.shard, s.shards) for s in server.gateway.sessions] == [(0, 2), (1, 2)]


async def test_too_few_sessions_left_are_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    async with stage(shards=parse_shards("1"), start=False) as theatre:
        gateway = theatre.server.gateway
        gateway.session_starts = 0
        starting = asyncio.create_task(theatre.start())
        await theatre.server.until(lambda: "0 more sessions today" in caplog.text)
        assert not gateway.identified
        gateway.session_starts = 1000
        theatre.clock.advance(86_400.0)
        await starting
        assert gateway.identified


async def test_too_many_servers_for_the_shards_end_with_the_remedy() -> None:
    async with stage(shards=parse_shards("1"), start=False) as theatre:
        while len(theatre.server.guilds) < 2501:
            theatre.server.add_guild("Wood")
        with pytest.raises(discord.ConnectionClosed) as closed:
            await theatre.start()
        assert closed.value.code == 4011
        failure = diagnose(closed.value)
        assert "POOH_SHARDS" in str(failure) and not failure.is_temporary
        theatre.server.guilds[0].installed = False
        await theatre.start()


async def test_only_the_process_with_shard_0_brings_the_commands() -> None:
    async with stage(shards=parse_shards("1/2")) as theatre:
        assert not theatre.server.commands
        assert not theatre.server.requests("GET", "/applications/{application_id}/commands")
        await theatre.stop()
        theatre.settings = dataclasses.replace(theatre.settings, shards=parse_shards("0/2"))
        await theatre.start()
        assert theatre.server.commands
