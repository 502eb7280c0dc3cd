"""Several processes of the bot on one token, with a real Valkey or Redis between them."""

import asyncio
import logging
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from redis import asyncio as redis

from bot import checks, sharding
from bot.checks import Finding
from bot.clock import Clock
from bot.cluster import ValkeyGate, make_gate
from bot.settings import Settings, SettingsError
from bot.shards import ShardRange
from tests.cluster import Cluster, Valkey, run, valkey, valkey_program
from tests.fake_discord import DiscordServer
from tests.hosting import save_small_network
from tests.test_terminal import bot

_log = logging.getLogger(__name__)


def fill(discord: DiscordServer, guilds: int) -> None:
    """Servers with a channel each, on all shards alike."""
    while len(discord.guilds) < guilds:
        discord.add_channel(discord.add_guild(f"Wood {len(discord.guilds)}"))


async def test_two_processes_share_the_shards_of_one_bot(root: Path, tmp_path: Path) -> None:
    async with valkey() as shared, DiscordServer(rates={}, identify_period=0.6) as discord:
        fill(discord, 60)
        processes = Cluster(root, tmp_path, discord, shared.url, period=0.6, margin=0.3)
        before, after = {"a": "0-1/4", "b": "2-3/4"}, {"c": "0x3/6", "d": "1x3/6"}
        async with processes:
            await run(processes, before, after, shards=4, later_shards=6, commands=12)
            await processes.stop(*after)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("processes", "shards", "guilds", "buckets"),
    [(2, 4, 10_000, 1), (2, 8, 20_000, 1), (4, 8, 20_000, 2)],
)
async def test_twenty_thousand_servers(
    root: Path, tmp_path: Path, processes: int, shards: int, guilds: int, buckets: int
) -> None:
    """At Discord's own pace, five seconds between two IDENTIFYs; then twice the shards."""
    size = shards // processes
    before = {f"a{i}": f"{i}x{size}/{shards}" for i in range(processes)}
    after = {f"b{i}": f"{i}x{2 * size}/{2 * shards}" for i in range(processes)}
    discord = DiscordServer(rates={}, identify_period=5.0, max_concurrency=buckets)
    async with valkey() as shared, discord:
        fill(discord, guilds)
        bots = Cluster(root, tmp_path, discord, shared.url, period=5.0, margin=0.5)
        async with bots:
            report = await run(
                bots, before, after, shards=shards, later_shards=2 * shards, commands=48
            )
            await bots.stop(*after)
    _log.info("\n%s", "\n".join(report))  # seen with --log-cli-level=INFO


class Gates:
    """Gates of several processes, asked in this one; ``passed`` is when each was let through."""

    def __init__(self, shared: Valkey, count: int) -> None:
        self.gates = [ValkeyGate(shared.url, 1, Clock()) for _ in range(count)]
        self.passed: list[float] = []

    async def go(self, gate: ValkeyGate, bucket: int = 0) -> None:
        await gate.wait(bucket)
        self.passed.append(time.monotonic())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharding, "PERIOD", 0.2)
    monkeypatch.setattr(sharding, "MARGIN", 0.1)


@pytest.mark.usefixtures("quick")
async def test_one_process_after_the_other_and_buckets_apart() -> None:
    async with valkey() as shared:
        gates = Gates(shared, 4)
        await asyncio.gather(*(gates.go(gate) for gate in gates.gates))
        for earlier, later in pairwise(gates.passed):
            assert later - earlier >= sharding.PERIOD
        await asyncio.gather(*(gates.go(gates.gates[0], bucket) for bucket in range(1, 9)))
        async with redis.Redis.from_url(shared.url) as db:
            keys = sorted([key async for key in db.scan_iter()])
            assert {key.split(b":")[0] for key in keys} <= {b"pooh"}
            # A process that crashes leaves nothing that stays.
            assert all([0 < await db.pttl(key) <= 400 or await db.pttl(key) == -2 for key in keys])


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "bot.cluster"]


@pytest.mark.usefixtures("quick")
async def test_a_valkey_that_is_away_is_said_once_and_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shared = Valkey(valkey_program())
    tries = 0

    class Waiting(Clock):
        async def sleep(self, seconds: float) -> None:
            nonlocal tries
            tries += 1
            if tries == 3:
                await shared.start("--requirepass", "honey-and-bees")

    try:
        with caplog.at_level(logging.INFO):
            url = f"redis://:honey-and-bees@127.0.0.1:{shared.port}"
            await ValkeyGate(url, 1, Waiting()).wait(0)
        assert tries == 3
        away, back = [
            record.getMessage() for record in caplog.records if record.name == "bot.cluster"
        ]
        assert f"POOH_VALKEY: 127.0.0.1:{shared.port} cannot be used" in away
        assert "answers again" in back
        caplog.clear()
        with pytest.raises(TimeoutError):  # a wrong password is said, and waited for, too
            async with asyncio.timeout(1.0):
                await ValkeyGate(f"redis://:tea@127.0.0.1:{shared.port}", 1, Clock()).wait(0)
        (wrong,) = [
            record.getMessage() for record in caplog.records if record.name == "bot.cluster"
        ]
        assert "AuthenticationError" in wrong and "tea" not in wrong
    finally:
        await shared.stop()


async def test_a_host_can_ask_whether_valkey_can_be_used() -> None:
    async with valkey() as shared:

        async def ask(url: str) -> Finding:
            return await checks.valkey(Settings(valkey=url))

        place = f"127.0.0.1:{shared.port}"
        assert await ask(shared.url) == Finding(True, f"valkey: {place} answers")
        await shared.stop()
        assert await ask(shared.url) == Finding(
            False,
            f"valkey: {place} cannot be reached (ConnectionError): is POOH_VALKEY right?",
            is_temporary=True,
        )
        rules = "--requirepass honey --user roo on >tea ~pooh:* +ping +pttl"
        await shared.start(*rules.split())
        assert (await ask(f"redis://:honey@{place}/0")).good
        for secret in ("", ":tea@", "roo:honey@"):
            refused = await ask(f"redis://{secret}{place}")
            assert not refused.good and not refused.is_temporary
            assert refused.what.endswith("wants another user or password than POOH_VALKEY has")
        for url in (f"redis://roo:tea@{place}", f"redis://:honey@{place}/99"):
            refused = await ask(url)
            assert not refused.good and not refused.is_temporary
            assert "answers, but refuses what is needed" in refused.what
        assert not (await ask(f"rediss://:honey@{place}")).good  # it speaks no TLS


async def test_check_online_says_it_in_a_line(root: Path, tmp_path: Path) -> None:
    small = save_small_network(tmp_path)
    async with valkey() as shared:
        await shared.stop()
        await shared.start("--requirepass", "honey")
        place = f"127.0.0.1:{shared.port}"
        done = await asyncio.to_thread(
            bot, root, small, "check", "--online", POOH_VALKEY=f"redis://:bees@{place}"
        )
    (line,) = [line for line in done.stdout.splitlines() if "valkey" in line]
    assert line.startswith(f"WRONG valkey: {place} wants another") and done.returncode == 2
    assert "bees" not in done.stdout + done.stderr


@pytest.mark.usefixtures("quick")
async def test_an_answer_that_came_late_is_not_used() -> None:
    """A process that was held up must not identify when the next one may already."""
    times = [0.0, sharding.MARGIN + 0.01, 10.0, 10.01]

    class Late(Clock):
        def monotonic(self) -> float:
            return times.pop(0)

    async with valkey() as shared, redis.Redis.from_url(shared.url) as db:
        gate, key = ValkeyGate(shared.url, 1, Late()), "pooh:1:identify:0"
        assert (await gate._take(key) or 0) > 0.0
        while await db.exists(key):
            await asyncio.sleep(0.02)
        assert await gate._take(key) is None and not times


def test_a_client_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(SettingsError, match=r"POOH_VALKEY: .*pip install"):
        ValkeyGate("redis://valkey", 1, Clock())


def test_a_part_of_the_shards_without_a_valkey_is_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_gate(Settings(shards=ShardRange(0, 3, 4)), Clock())
    assert not caplog.records
    make_gate(Settings(shards=ShardRange(0, 1, 4)), Clock())
    assert "POOH_VALKEY" in caplog.text
