"""Draws the cards as a reader sees them: python tests/benchmarks/cards.py FOLDER [--language de].

The real bot with the shipped model answers through the stand-in for Discord, and its buttons are
pressed, before and after a restart; what is drawn are the messages that arrived there, on Discord's
dark and light.
"""

import argparse
import asyncio
import contextlib
import copy
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bot.client import Pooh  # noqa: E402
from bot.clock import Clock  # noqa: E402
from bot.daily import day_of  # noqa: E402
from bot.run import serve, use_server  # noqa: E402
from bot.settings import Settings  # noqa: E402
from bot.store import Store  # noqa: E402
from bot.writer import Writer  # noqa: E402
from model.weights import load_decoder, resolve  # noqa: E402
from model.words import WordFilter  # noqa: E402
from model.writing import CANDIDATES  # noqa: E402
from scripts.refresh_docs import PROMPTS, SEEDS  # noqa: E402
from tests.benchmarks.painting import THEMES, Files, paint  # noqa: E402
from tests.bot_steps import retold  # noqa: E402
from tests.fake_discord import (  # noqa: E402
    MANAGE_GUILD,
    Channel,
    DiscordServer,
    Interaction,
    Message,
    Person,
)

SENTENCES = ("Piglet had found a bee.", "Then they all went home for tea.")
PATIENCE = 60.0  # seconds for one answer


class Gallery:
    """Everything that can be seen, in one language, as it lay on the server at that moment."""

    def __init__(self, server: DiscordServer, database: Path, language: str) -> None:
        self.server = server
        self.database = database
        self.kanga, self.roo = (server.person(n, locale=language) for n in ("Kanga", "Roo"))
        self.kanga.permissions |= MANAGE_GUILD
        self.found: dict[str, tuple[Message, Files]] = {}

    @contextlib.asynccontextmanager
    async def bot(self) -> AsyncIterator[None]:
        """The real one, which knows nothing of the one before."""
        settings = Settings(
            token=self.server.token, cooldown=0.0, burst=100, database=self.database
        )
        words = WordFilter()
        writer = Writer(
            *load_decoder(settings.model), words, candidates=CANDIDATES, new_seed=lambda: SEEDS[0]
        )
        client = Pooh(settings, writer, words, weights=resolve(settings.model)[0])
        times = self.server.gateway.connected + 1
        running = asyncio.create_task(serve(client, self.server.token))
        await self.server.until(lambda: self.server.gateway.connected >= times)
        yield
        await client.leave()
        await running

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something."""
        await self.server.until(condition, patience=PATIENCE)

    async def message(self, use: Interaction, condition: Callable[[Message], object]) -> Message:
        """What answers it, when it is as it should be."""
        await self.until(lambda: use.original and not use.original.loading)
        await self.until(lambda: any(map(condition, use.messages)))
        return next(filter(condition, use.messages))

    def keep(self, name: str, message: Message) -> Message:
        """It is to be drawn as it is now."""
        files = {
            str(a["filename"]): self.server.files[a["url"].partition("/attachments/")[2]]
            for a in message.attachments
        }
        self.found[name] = copy.copy(message), files
        return message

    async def card(self, name: str, use: Interaction) -> Message:
        """A new card."""
        return self.keep(name, await self.message(use, lambda m: m.components))

    async def press(self, person: Person, message: Message, beginning: str) -> Interaction:
        """The button whose id begins so; it changes the message, or brings another."""
        ids = [button["custom_id"] for button in message.buttons.values()]
        custom_id = next(each for each in ids if each.startswith(beginning))
        return person.press(message, custom_id=custom_id)

    async def change(self, person: Person, message: Message, beginning: str) -> Message:
        """A press that changes the message in place."""
        edits = len(message.edits)
        await self.press(person, message, beginning)
        await self.until(lambda: len(message.edits) > edits)
        return message

    async def first(self) -> None:
        """All that one bot shows."""
        kanga, roo = self.kanga, self.roo
        self.keep("about", await self.message(kanga.command("about"), lambda m: m.attachments))
        use = kanga.command("pooh", prompt=PROMPTS[0], seed=SEEDS[0])
        story = await self.message(use, lambda m: len(m.buttons) > 2)
        self.keep("story", story)
        how = await self.card("how", await self.press(kanga, story, "pooh:how"))
        for turn in ("next", "letters", "layers"):
            self.keep(f"how-{turn}", await self.change(kanga, how, f"pooh:how:{turn}"))
        own = await self.card("keep", await self.press(roo, story, "pooh:keep"))
        await self.change(roo, own, "pooh:keep:name")
        await self.card("keep-shown", await self.press(roo, own, "pooh:keep:show"))
        await self.race()
        card = await self.card("fork", await self.press(kanga, story, "pooh:fork"))
        await self.change(roo, card, "pooh:vote-a")
        self.keep("fork-voted", card)
        await self.press(kanga, card, "pooh:count")
        await self.until(lambda: len(card.buttons) == 1)
        self.keep("fork-told", card)
        await self.card("privacy", kanga.command("privacy"))
        await self.setup()
        await self.circle(self.server.channel, "circle")
        await self.circle(self.server.dm(kanga), "circle-alone")
        use = await self.press(kanga, story, "pooh:fork")
        self.open_vote = await self.message(use, lambda m: m.components)

    async def race(self) -> None:
        """A race before and after it is told who was who."""
        message = await self.card("race", self.kanga.command("race", prompt=PROMPTS[0]))
        for person, letter in ((self.kanga, "A"), (self.roo, "B"), (self.roo, "A")):
            await self.change(person, message, f"pooh:race:{letter}")
        self.keep("race-guessed", message)
        await self.press(self.kanga, message, "pooh:race:who")
        await self.until(lambda: not message.buttons)
        self.keep("race-told", message)

    async def setup(self) -> None:
        """The server's card, as it is and when all is chosen."""
        card = await self.card("setup", self.kanga.command("setup"))
        for field in ("mentions", "story_channel"):
            edits = len(card.edits)
            self.kanga.choose(card, f"pooh:setup:{field}", self.server.channel)
            await self.until(lambda before=edits: len(card.edits) > before)  # type: ignore[misc]
        self.keep("setup-chosen", await self.change(self.kanga, card, "pooh:setup:on"))

    async def circle(self, where: Channel, name: str) -> None:
        """A circle of two turns, and its end."""
        use = self.kanga.command("circle", where=where, sentence=SENTENCES[0])
        await self.until(lambda: use.original and not use.original.loading)
        assert use.original is not None
        first = use.original
        if where.guild:
            await self.until(lambda: first.thread and len(first.thread.messages))
            assert first.thread is not None
            self.keep(f"{name}-begun", first)
            (first,) = first.thread.messages.values()

        def at_rest(turn: int) -> bool:
            ids = [button["custom_id"] for button in first.buttons.values()]
            return bool(ids) and all(f":{turn}:" in each and each[-1] != "w" for each in ids)

        await self.until(lambda: at_rest(1))
        writer = self.roo if where.guild else self.kanga
        form = await self.press(writer, first, "pooh:circle:add")
        await self.until(lambda: form.modal)
        writer.submit(form, sentence=SENTENCES[1])
        await self.until(lambda: at_rest(2))
        self.keep(name, first)
        await self.press(self.kanga, first, "pooh:circle:end")
        await self.until(lambda: retold(first) and not first.buttons)
        self.keep(f"{name}-last", first)
        self.keep(f"{name}-end", retold(first)[0])

    async def second(self) -> None:
        """What was open when the bot went: its card says so by itself."""
        self.keep("fork-after-restart", self.open_vote)

        def daily() -> list[Message]:
            words = [m for m in self.server.channel.messages.values() if not m.interaction]
            return [m for m in words if not m.reference and len(m.buttons) > 2]

        await self.until(daily)
        self.keep("story-of-the-day", daily()[-1])


async def gallery(language: str) -> dict[str, tuple[Message, Files]]:
    """Each kind of card as it lies on the server, and its files by name."""
    with tempfile.TemporaryDirectory() as folder:
        async with DiscordServer() as server:
            use_server(server.api_base, server.gateway_url)
            server.guild.locale = language
            shown = Gallery(server, Path(folder) / "pooh.db", language)
            async with shown.bot():
                await shown.first()
            now = Clock().now()
            hour = int(now // 3600 % 24)
            store = Store(shown.database)
            await store.open(server.application_id)
            await store.change(server.guild.id, story_hour=hour)
            await store.unclaim(server.guild.id, day_of(now, hour))  # today's is still to be told
            await store.close()
            async with shown.bot():
                await shown.second()
            return shown.found


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--language", default="en-US", help="as Discord names it")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, (message, files) in asyncio.run(gallery(options.language)).items():
        for theme in THEMES:
            path = options.folder / f"{name}-{theme}.png"
            paint(message, files, theme).quantize(64).save(path, optimize=True)
            print(path)


if __name__ == "__main__":
    main()
