"""What is kept when several processes of the bot run: in one file, or in a file of each."""

import asyncio
import signal
import sqlite3
import sys
import time
from pathlib import Path

from bot.daily import DAY, HOUR, day_of
from bot.languages import Language
from bot.setup_texts import SetupText
from tests.cluster import Cluster, valkey
from tests.fake_discord import MANAGE_GUILD, DiscordServer, Guild, Message, Person
from tests.hosting import finished

ENGLISH = Language.ENGLISH
REFUSE, ALLOW = ENGLISH.say(SetupText.REFUSE), ENGLISH.say(SetupText.ALLOW)


def fill(discord: DiscordServer, count: int) -> list[Guild]:
    """So many servers with a channel each, on all shards alike."""
    while len(discord.guilds) < count:
        discord.add_channel(discord.add_guild(f"Wood {len(discord.guilds)}"))
    return discord.guilds


def owl(discord: DiscordServer) -> Person:
    person = discord.person("Owl")
    person.permissions |= MANAGE_GUILD
    return person


async def card_in(discord: DiscordServer, person: Person, guild: Guild) -> Message:
    card = await person.command("setup", where=guild.channels[0]).answer()
    await discord.until(lambda: card.menus, "the card")
    return card


async def keep_length(discord: DiscordServer, person: Person, guild: Guild, length: int) -> None:
    """Choose it in /setup, and wait until the card shows it."""
    card = await card_in(discord, person, guild)
    edits = len(card.edits)
    person.choose(card, "pooh:setup:length", str(length))
    await discord.until(lambda: len(card.edits) > edits, "the card with the choice")


async def kept_length(discord: DiscordServer, person: Person, guild: Guild) -> str:
    menu = (await card_in(discord, person, guild)).menus["pooh:setup:length"]
    return next(str(option["value"]) for option in menu["options"] if option.get("default"))


async def privacy(discord: DiscordServer, person: Person, guild: Guild, label: str) -> None:
    card = await person.command("privacy", where=guild.channels[0]).answer()
    await discord.until(lambda: label in card.buttons, "the card")
    person.press(card, label)
    await discord.until(lambda: label not in card.buttons, "the other button")


async def is_left_alone(discord: DiscordServer, person: Person, guild: Guild) -> bool:
    """Whether another is told that this person's words are not to be used."""
    said = person.say("It is a fine day", guild.channels[0])
    answer = await discord.person("Roo").menu("Continue as Pooh", said).answer()
    return answer.content == ENGLISH.say(SetupText.WORDS_LEFT_ALONE)


async def type_beside(bots: Cluster, file: str, *words: str) -> str:
    """What a host types while bots run; what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *words),
        cwd=bots.folder,
        env=bots.environment("host", POOH_DATABASE=file),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, wrong = await process.communicate()
    assert process.returncode == 0, wrong.decode()
    return said.decode()


def switch_on(file: Path, guilds: list[Guild]) -> None:
    """A story of the day in each server, at this hour: yesterday's was the last."""
    now = time.time()
    hour = int(now % DAY // HOUR)
    with sqlite3.connect(file) as db:
        for guild in guilds:
            db.execute(
                "UPDATE server SET story_by = 'Owl', story_channel = ?, story_hour = ?, "
                "story_day = ? WHERE id = ?",
                (guild.channels[0].id, hour, day_of(now, hour) - 1, guild.id),
            )
    db.close()


def stories(guild: Guild) -> list[Message]:
    return [m for m in guild.channels[0].messages.values() if m.mine and not m.ephemeral]


async def test_processes_on_one_machine_share_a_file(root: Path, tmp_path: Path) -> None:
    """Settings outlive a kill and other shards; a day's story is told once; a copy is whole."""
    async with valkey() as shared, DiscordServer(rates={}, identify_period=0.6) as discord:
        guilds, person = fill(discord, 24), owl(discord)
        lengths = {guild: (100, 200, 400)[n % 3] for n, guild in enumerate(guilds[:12])}
        async with Cluster(root, tmp_path, discord, shared.url, period=0.6, margin=0.3) as bots:
            await bots.start("a", "0-1/4")
            await bots.start("b", "2-3/4")
            await bots.online("a", "b", shards=4)
            await asyncio.gather(
                *(keep_length(discord, person, guild, size) for guild, size in lengths.items())
            )
            await bots.kill("b")  # at once: what a card has shown is on the disk
            said = await type_beside(bots, "pooh.db", "backup", "copy.db")
            assert said == "pooh.db was copied to copy.db.\n"
            await bots.stop("a")
            switch_on(tmp_path / "pooh.db", guilds[:6])
            # Other shards, and two processes with the same ones, as in an upgrade.
            for name, shards in (("c", "0x3/6"), ("d", "1x3/6"), ("e", "1x3/6")):
                await bots.start(name, shards)
            await bots.online("c", "d", "e", shards=9)
            await discord.until(
                lambda: all(any(map(finished, stories(guild))) for guild in guilds[:6]),
                "the stories of the day",
            )
            await bots.stop("e", by=signal.SIGUSR1)
            for guild, length in lengths.items():
                assert await kept_length(discord, person, guild) == str(length)
            await privacy(discord, person, guilds[0], REFUSE)
            for guild in guilds[:6]:  # of all shards
                assert await is_left_alone(discord, person, guild)
                assert len(stories(guild)) == 1
            await bots.stop("c", "d")
            said = await type_beside(bots, "fresh.db", "merge", "copy.db")
            assert "settings of servers: 12, people" in said
        assert sorted(path.name for path in tmp_path.glob("*.db")) == [
            *("copy.db", "fresh.db", "pooh.db")
        ]
        assert not discord.unexpected


async def test_files_of_several_machines_are_merged_when_servers_move(
    root: Path, tmp_path: Path
) -> None:
    async with valkey() as shared, DiscordServer(rates={}, identify_period=0.6) as discord:
        guilds, person, kanga = fill(discord, 24), owl(discord), discord.person("Kanga")
        lengths = {guild: (100, 200, 400)[n % 3] for n, guild in enumerate(guilds[:12])}
        async with Cluster(root, tmp_path, discord, shared.url, period=0.6, margin=0.3) as bots:
            await bots.start("a", "0-1/4", POOH_DATABASE="a.db")
            await bots.start("b", "2-3/4", POOH_DATABASE="b.db")
            await bots.online("a", "b", shards=4)
            for guild, size in lengths.items():
                await keep_length(discord, person, guild, size)
            of_a, of_b = (
                next(g for g in guilds if (g.id >> 22) % 4 == number) for number in (0, 3)
            )
            await privacy(discord, person, of_a, REFUSE)
            await privacy(discord, kanga, of_b, REFUSE)
            for name in ("a", "b"):
                await type_beside(bots, f"{name}.db", "backup", f"{name}-copy.db")
            for name, other in (("a", "b"), ("b", "a")):
                said = await type_beside(bots, f"{name}.db", "merge", f"{other}-copy.db")
                assert "servers: 12, people who want their words left alone: 2" in said
            # Both run, and know of it; then there are other shards.
            assert await is_left_alone(discord, person, of_b)
            await bots.stop("a", "b")
            await bots.start("c", "0x3/6", POOH_DATABASE="a.db")
            await bots.start("d", "1x3/6", POOH_DATABASE="b.db")
            await bots.online("c", "d", shards=6)
            for guild, length in lengths.items():
                assert await kept_length(discord, person, guild) == str(length)
                assert await is_left_alone(discord, kanga, guild)
            await privacy(discord, kanga, of_a, ALLOW)
            assert not await is_left_alone(discord, kanga, of_a)
            await bots.stop("c", "d")
        assert not discord.unexpected
