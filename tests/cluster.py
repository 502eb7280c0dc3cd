"""Several processes of the real bot on one token, with a real Valkey (or Redis) between them."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.fake_discord import Channel, DiscordServer, Interaction, Message
from tests.fake_discord.gateway import INVALID_SESSION
from tests.hosting import finished, save_small_network

# The bot as `python -m bot` runs it; only what Discord wants between two IDENTIFYs is shorter.
LAUNCH = """
import sys
from bot.__main__ import main
from bot import sharding
sharding.PERIOD, sharding.MARGIN = float(sys.argv.pop(1)), float(sys.argv.pop(1))
sys.exit(main())
"""


def valkey_program() -> str:
    """The server's program; without one, the test is skipped."""
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        pytest.skip("needs valkey-server or redis-server: apt-get install redis-server")
    return program


class Valkey:
    """A server on a port of its own, which keeps nothing on disk."""

    def __init__(self, program: str) -> None:
        self._program = program
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *options: str) -> None:
        """Starts it, with more options of its command line."""
        base = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self._process = await asyncio.create_subprocess_exec(
            self._program, *base, *options, stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return await writer.wait_closed()
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        if self._process:
            self._process.kill()
            await self._process.wait()
            self._process = None


@contextlib.asynccontextmanager
async def valkey() -> AsyncIterator[Valkey]:
    """A running server, stopped afterwards."""
    server = Valkey(valkey_program())
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class Cluster:
    """The processes, by name; ``start`` and ``stop`` them as a host does.

    Args:
        root: where the bot's code lies.
        folder: where they run, for logs, for what is kept, and for the small network.
        discord: the stand-in.
        valkey_url: as POOH_VALKEY.
        period: seconds that the bots think Discord wants between two IDENTIFYs of a bucket.
        margin: seconds that they add.
        model: as POOH_MODEL; "" for the small network.
    """

    def __init__(
        self,
        root: Path,
        folder: Path,
        discord: DiscordServer,
        valkey_url: str,
        *,
        period: float,
        margin: float,
        model: str = "",
    ) -> None:
        self.discord = discord
        self._root = root
        self.folder = folder
        self._model = model or str(save_small_network(folder))
        self._valkey = valkey_url
        self._times = (str(period), str(margin))
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._started: Counter[str] = Counter()

    async def start(self, name: str, shards: str, **environment: str) -> None:
        """Begins a process; ``online`` waits for its shards."""
        self._started[name] += 1
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", LAUNCH, *self._times),
                cwd=self.folder,
                env=self.environment(name, POOH_SHARDS=shards, **environment),
                stdout=log,
                stderr=log,
            )

    def environment(self, name: str, **settings: str) -> dict[str, str]:
        """Of a process with this name: this one's, with the bot's settings and no others."""
        discord = self.discord
        given = {k: v for k, v in os.environ.items() if not k.startswith(("DISCORD_", "POOH_"))}
        return {
            **given,
            "PYTHONPATH": str(self._root),
            "POOH_MODEL": self._model,
            "POOH_COOLDOWN": "0",
            "POOH_VALKEY": self._valkey,
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_BASE": discord.api_address(name),
            "DISCORD_GATEWAY": discord.gateway_address(name),
            **settings,
        }

    def log(self, name: str) -> str:
        """All that a process has said."""
        return (self.folder / f"{name}.log").read_text("utf-8")

    def memory(self, name: str) -> float:
        """What a process holds in memory, in MiB; OSError when it has ended."""
        status = Path(f"/proc/{self._running[name].pid}/status").read_text("utf-8")
        _, found, size = status.partition("VmRSS:")
        if not found:  # nobody has asked yet how it ended
            raise ProcessLookupError(name)
        return int(size.split()[0]) / 1024

    async def online(self, *names: str, shards: int) -> None:
        """Waits until these have that many shards together, and know their servers."""
        gateway = self.discord.gateway

        def connected() -> bool:
            for name in names:
                assert self._running[name].returncode is None, self.log(name)
            return shards == sum(
                s.client in names and s.socket is not None for s in gateway.sessions
            )

        await self.discord.until(connected, f"{shards} shards of {names}", patience=400)
        # Until it has read of all its servers, a bot may be too late for a command.
        while not all(self.log(name).count("ready, in") == self._started[name] for name in names):
            await asyncio.sleep(0.1)

    async def kill(self, name: str) -> None:
        """As a crash does: without a word."""
        process = self._running.pop(name)
        process.kill()
        await process.wait()

    async def stop(self, *names: str, by: signal.Signals = signal.SIGTERM) -> None:
        """As a host does, all at the same time; each must end well."""
        processes = [self._running[name] for name in names]
        for process in processes:
            process.send_signal(by)
        for name, process in zip(names, processes, strict=True):
            assert await process.wait() == 0, self.log(name)
            del self._running[name]

    async def __aenter__(self) -> "Cluster":
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in list(self._running):
            with contextlib.suppress(ProcessLookupError):
                await self.kill(name)


def ask(discord: DiscordServer, channels: Sequence[Channel], prompt: str) -> list[Interaction]:
    """A person in each of these channels types /pooh, all at once."""
    return [
        discord.person(f"P{i}").command("pooh", where=channel, prompt=prompt, length=300)
        for i, channel in enumerate(channels)
    ]


def answered_by(discord: DiscordServer, asked: Interaction) -> set[str]:
    """The processes that answered an interaction; who is not heard at once may ask again."""
    return {r.client for r in discord.requests("POST", "/interactions") if str(asked.id) in r.path}


def expected(discord: DiscordServer, channel: Channel) -> set[str]:
    """The processes whose shard a channel is on.

    Discord keeps the session of who went without a goodbye, as on a busy machine, to be resumed.
    """
    covering = discord.gateway.covering(channel.guild_id)
    return {session.client for session in covering if session.socket}


def shown(asked: Interaction) -> Message | None:
    """The message with the whole story."""
    return finished(asked.original)


async def all_shown(discord: DiscordServer, asked: Sequence[Interaction]) -> None:
    await discord.until(lambda: all(map(shown, asked)), "all stories", patience=200)


async def run(
    cluster: Cluster,
    ranges: dict[str, str],
    later: dict[str, str],
    *,
    shards: int,
    later_shards: int,
    commands: int,
) -> list[str]:
    """Starts processes, uses them, kills one, reshards; says what was counted.

    Args:
        cluster: without a process yet; its Discord has servers on every shard.
        ranges: POOH_SHARDS by the name of the process.
        later: the same, after the resharding.
        shards: how many there are.
        later_shards: how many there are then.
        commands: how many are typed at a time.
    """
    discord = cluster.discord
    report: list[str] = []
    gateway = discord.gateway
    channels = [guild.channels[0] for guild in discord.guilds if guild.channels][:commands]
    begun = discord.clock()

    async def use(what: str) -> None:
        asked = ask(discord, channels, "It is")
        await all_shown(discord, asked)
        right = sum(answered_by(discord, a) == expected(discord, a.channel) for a in asked)
        report.append(f"{what}: {right} of {len(asked)} commands answered by the right process")
        assert right == len(asked)

    for name, which in ranges.items():
        await cluster.start(name, which)
    await cluster.online(*ranges, shards=shards)
    report.append(
        f"{len(ranges)} processes, {shards} shards, {len(discord.guilds)} servers: all connected "
        f"after {discord.clock() - begun:.0f} s"
    )
    await use("after the start")
    report.append(f"memory, MiB: { {name: round(cluster.memory(name)) for name in ranges} }")
    whispered = discord.person("Eeyore")
    private = whispered.command("pooh", where=discord.dm(whispered))
    await all_shown(discord, [private])
    assert (
        answered_by(discord, private) == expected(discord, private.channel) == {next(iter(ranges))}
    )

    # One is killed while stories are being written, and started again.
    victim = next(reversed(ranges))
    running = ask(discord, channels, "Then")
    mine = [a for a in running if expected(discord, a.channel) == {victim}]
    await discord.until(lambda: any(a.answered is not None for a in mine), "its first answers")
    done = sum(shown(a) is not None for a in mine)
    await cluster.kill(victim)
    await all_shown(discord, [a for a in running if a not in mine])
    await cluster.start(victim, ranges[victim])
    await cluster.online(*ranges, shards=shards)
    cut = [a for a in mine if shown(a) is None]
    report.append(
        f"killed while it wrote: of its {len(mine)} stories {done} had ended, {len(cut)} were cut; "
        f"all {len(running) - len(mine)} of the others ended"
    )
    assert mine and len(mine) < len(running)
    await use("after the restart")
    for a in cut:  # whoever presses Stop brings what was cut to rest
        if a.original and "Stop" in a.original.buttons:
            a.person.press(a.original, "Stop")
    waiting = [a for a in cut if a.original and "Stop" in a.original.buttons]
    await all_shown(discord, waiting)

    # Other shards: all end well, with what they have begun, and others begin.
    running = ask(discord, channels, "So")
    await discord.until(lambda: all(a.answered is not None for a in running), "the promises")
    await cluster.stop(*ranges)
    lost = sum(shown(a) is None for a in running)
    report.append(f"stopped while they wrote: {len(running)} stories, {lost} lost")
    assert lost == 0
    for name, which in later.items():
        await cluster.start(name, which)
    await cluster.online(*later, shards=later_shards)
    await use(f"after resharding from {shards} to {later_shards}")

    count = Counter(client for _, _, _, client in gateway.identified)
    report.append(f"IDENTIFYs: {sum(count.values())} {dict(count)}")
    report.append(f"opcode 9: {gateway.sent[INVALID_SESSION]}")
    assert gateway.sent[INVALID_SESSION] == 0
    assert not discord.unexpected
    return report
