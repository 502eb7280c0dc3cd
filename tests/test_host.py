"""A host's day with `python -m bot` as a process: health, SIGHUP, a hand-over, systemd, JSON."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.console import take_terminal
from tests.fake_discord import Interaction
from tests.fake_discord.server import DiscordServer
from tests.hosting import finished, save_small_network
from tests.test_terminal import bot


class Host:
    """Runs bots in a folder with an .env file, against the stand-in."""

    def __init__(self, root: Path, folder: Path, discord: DiscordServer) -> None:
        self.folder = folder
        self.discord = discord
        self.logs: list[str] = []
        self.processes: list[asyncio.subprocess.Process] = []
        self._readers: list[asyncio.Task[None]] = []
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("DISCORD_", "POOH_"))},
            "PYTHONPATH": str(root),
            "POOH_MODEL": str(save_small_network(folder)),
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_BASE": discord.api_base,
            "DISCORD_GATEWAY": discord.gateway_url,
        }

    async def start(
        self, *, before: Sequence[str] = (), terminal: int | None = None, **environment: str
    ) -> asyncio.subprocess.Process:
        """Start a bot, and wait until it is ready: behind another command, at a terminal."""
        process = await asyncio.create_subprocess_exec(
            *(*before, sys.executable, "-m", "bot"),
            cwd=self.folder,
            env=self.environment | environment,
            stdin=terminal,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=terminal is not None,
            preexec_fn=None if terminal is None else take_terminal,
        )
        self.processes.append(process)
        number = len(self.logs)
        self.logs.append("")
        self._readers.append(asyncio.create_task(self._read(number, process)))
        await self.says("ready, in", number)
        return process

    async def _read(self, number: int, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while line := await process.stderr.readline():
            self.logs[number] += line.decode()
            self.discord.changed()

    async def says(self, words: str, number: int = 0) -> None:
        """Wait until it logs this."""
        await self.discord.until(lambda: words in self.logs[number], words)

    async def ask(self) -> tuple[int, str]:
        """`python -m bot health`."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "health"),
            cwd=self.folder,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def end(self) -> None:
        for process in self.processes:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await process.wait()
        await asyncio.gather(*self._readers)


@pytest.fixture
async def host(root: Path, tmp_path: Path) -> AsyncIterator[Host]:
    async with DiscordServer() as discord:
        host = Host(root, tmp_path, discord)
        try:
            yield host
        finally:
            await host.end()
        assert discord.violations() == []
        for log in host.logs:
            assert discord.token not in log and "The mill" not in log


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


async def test_health_is_asked_from_outside(host: Host, port: int) -> None:
    host.environment["POOH_METRICS_PORT"] = str(port)
    assert (await host.ask())[0] == 1, "nobody is there"
    process = await host.start()
    assert await host.ask() == (0, "ok\n")
    second = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot"),
        cwd=host.folder,
        env=host.environment,
        stderr=asyncio.subprocess.PIPE,
    )
    _, refused = await second.communicate()
    assert second.returncode == 2 and b"POOH_METRICS_PORT" in refused.splitlines()[-1]
    host.discord.gateway.acknowledge = False
    host.discord.gateway.close(4000)
    await host.discord.until(lambda: host.discord.gateway.connected >= 2, "it to come back")
    assert await host.ask() == (1, "shard 0: not connected\n")
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    code, what = await host.ask()
    assert code == 1 and what.startswith("no answer at http://127.0.0.1:")


def test_health_without_a_port_is_one_line(root: Path, tmp_path: Path) -> None:
    done = bot(root, save_small_network(tmp_path), "health")
    assert done.returncode == 2 and "POOH_METRICS_PORT is not set" in done.stderr
    assert len(done.stderr.splitlines()) == 1


async def test_sighup_reads_the_file_again_and_the_bot_goes_on(host: Host) -> None:
    process = await host.start()
    ann = host.discord.person("Ann")
    use = ann.command("pooh", prompt="The mill")
    await host.discord.until(lambda: finished(use.original), "the story")
    (host.folder / ".env").write_text("POOH_WORDS_REFUSED=mill\nPOOH_SLOTS=3\n")
    process.send_signal(signal.SIGHUP)
    await host.says("changed: POOH_WORDS_REFUSED")
    assert "POOH_SLOTS needs a restart" in host.logs[0]
    assert (await ann.command("pooh", prompt="The mill").answer()).ephemeral
    (host.folder / ".env").write_text("POOH_BURST=none\n")
    process.send_signal(signal.SIGHUP)
    await host.says("the settings stay as they are: POOH_BURST")
    assert (await ann.command("pooh", prompt="The mill").answer()).ephemeral
    assert process.returncode is None


@pytest.mark.parametrize("shards", [1, 4])
async def test_a_new_bot_takes_over_and_the_old_one_finishes_its_stories(
    host: Host, shards: int
) -> None:
    discord, gateway = host.discord, host.discord.gateway
    gateway.max_concurrency = shards  # none waits for the others' turn
    host.environment["POOH_SHARDS"] = str(shards)
    places = [discord.add_channel(discord.add_guild(f"Wood {i}")) for i in range(2 * shards)]
    people = [discord.person(f"Ann {i}") for i in range(8)]
    others = [(discord.person(f"Roo {i}"), place) for i, place in enumerate(places)]
    others.append((bob := discord.person("Bob"), discord.dm(bob)))

    old = await host.start(POOH_SLOTS="1")
    begun = [
        ann.command("pooh", where=places[i % len(places)], prompt="The mill", length=1500)
        for i, ann in enumerate(people * 3)
    ]
    await discord.until(lambda: all(use.original for use in begun), "the promises")
    old.send_signal(signal.SIGSTOP)  # however long the new one takes to start, there is work left
    new = await host.start()
    old.send_signal(signal.SIGCONT)
    assert sorted(s.shard for s in gateway.sessions if s.socket) == sorted([*range(shards)] * 2)
    both = [
        person.command("pooh", where=place, prompt="The mill", length=50)
        for person, place in others
    ]
    mentions = [discord.person().say("@pooh The mill", place) for place in places]
    await discord.until(lambda: all(finished(use.original) for use in both), "the quicker bot's")
    old.send_signal(signal.SIGUSR1)
    await host.says("handing over")
    assert not all(finished(use.original) for use in begun), "some are written, some still wait"
    later = [
        person.command("pooh", where=place, prompt="The mill", length=50)
        for person, place in others
    ]
    await discord.until(lambda: all(finished(use.original) for use in later), "the new bot's")
    await discord.until(lambda: all(finished(use.original) for use in begun), "the old bot's")
    assert await old.wait() == 0 and new.returncode is None
    for use in [*begun, *both, *later]:
        assert use.original is not None
        assert use.original.content.startswith("**The mill**")
        assert "sleep" not in use.original.content, "it was not cut short"
    for asked in mentions:  # the second of two answers is the first one, by its nonce
        replies = [m for m in asked.channel.messages.values() if m.mine and m.reference is asked]
        assert len(replies) == 1 and finished(replies[0])
    assert sorted(s.shard for s in gateway.sessions if s.socket) == [*range(shards)]
    new.send_signal(signal.SIGTERM)
    assert await new.wait() == 0


async def test_of_two_that_overlap_one_goes_on_with_a_way(host: Host) -> None:
    discord = host.discord
    bob = discord.person("Bob")
    host.environment["POOH_COOLDOWN"] = "0"
    processes = [await host.start(), await host.start()]

    async def heard_by_both(use: Interaction) -> None:
        def answers() -> list[int]:
            return sorted(
                r.code for r in discord.log if use.token in r.path and r.path[-9:] == "/callback"
            )

        await discord.until(lambda: len(answers()) == 2, "both to answer")
        assert answers() == [0, 40060]

    use = bob.command("pooh", where=discord.dm(bob), prompt="The mill", length=50)
    story = await discord.until(lambda: finished(use.original))
    use = bob.press(story, "Fork")
    await discord.until(lambda: use.original and "Go on with A" in use.original.buttons)
    await heard_by_both(use)
    card = use.original
    assert card is not None
    use = bob.press(card, "Go on with A")
    await discord.until(lambda: "Go on with A" not in card.buttons, "the way to be told")
    await heard_by_both(use)
    for process in processes:  # they finish what they are at
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    told = [message for message in discord.dm(bob).messages.values() if finished(message)]
    assert len(told) == 2 and told[0] is story


async def test_systemd_is_told_and_machines_read_the_log(host: Host) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + f"pooh-{os.getpid()}")
        listener.settimeout(60)
        process = await host.start(
            NOTIFY_SOCKET=f"@pooh-{os.getpid()}", POOH_LOG_FORMAT="json", POOH_LOG_LEVEL="debug"
        )
        assert await asyncio.to_thread(listener.recv, 100) == b"READY=1"
        ann = host.discord.person("Ann")
        asked = ann.command("pooh", prompt="The mill")
        await host.discord.until(lambda: finished(asked.original), "the story")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(listener.recv, 100) == b"STOPPING=1"
        assert await process.wait() == 0
    await host.end()
    for line in host.logs[0].splitlines():
        assert json.loads(line).keys() >= {"time", "level", "logger", "message"}
