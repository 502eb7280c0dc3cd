"""Runs the real bot against the stand-in for Discord, with a small real network that writes words.

``stage()`` is the whole theatre: server, people, clock, network and bot. The bot is the one that
``python -m bot`` runs; only its network is small, and its clock moves when a test says so.
"""

import asyncio
import contextlib
import itertools
import tempfile
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import discord
import numpy as np
from numpy.typing import NDArray

from bot.client import Pooh
from bot.clock import Clock
from bot.racers import SHIPPED
from bot.run import serve, use_server
from bot.settings import Settings
from bot.stories import Stories
from bot.writer import Writer
from model.config import GPTConfig
from model.decoder import Decoder
from model.vocab import Vocab
from model.weights import save
from model.words import WordFilter
from tests.fake_discord import DiscordServer, Interaction, ManualClock, Message, Person, Schemas

T = TypeVar("T")

QUICK = 20.0  # seconds that a test lets pass as quickly as the bot can follow

# What the small network has read: an original text of short words and short sentences.
PRIMER = """
The bee sat on a bun. A mouse ran to the old mill. "Is it tea yet?" said the mouse. It was not.
So they went up the hill and sat in the sun. Then a wind came by and took the bun. "Oh dear!" said
the bee. "We can eat the jam." And so they did. The moon came up. All was well in the wood.
"""
CHARACTERS = "\n !\"'(),-.0123456789:;?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def small_weights(vocab: Vocab) -> tuple[GPTConfig, dict[str, NDArray[Any]]]:
    """A network of one block whose output depends on the last character alone.

    Each character has an axis of its own in the embedding, the block adds nothing, and the head
    holds the logarithms of how often one character follows another in ``PRIMER``. A random network
    writes "words" of thirty letters; this one writes words, and its sentences end.
    """
    size = len(vocab)
    width = size + -size % 4
    config = GPTConfig(size, context_length=64, n_layer=1, n_head=2, n_embd=width)
    text = " ".join(PRIMER.split())
    follows = Counter(pairwise(text))
    logits = np.full((size, size), -12.0, np.float32)  # (V next, V last)
    for i, last in enumerate(vocab.characters):
        successors = {b: n for (a, b), n in follows.items() if a == last} or {" ": 1, "T": 1}
        for successor, count in successors.items():
            logits[vocab.encode(successor)[0], i] = np.log(count / sum(successors.values()))
    embedding = np.eye(size, width, dtype=np.float32)
    head = np.zeros((size, width), np.float32)
    head[:, :size] = logits / np.sqrt(width)  # the norm makes the axes that long
    rng = np.random.default_rng(0)
    block = "blocks.0."
    return config, {
        "embedding.weight": embedding,
        "head.weight": head,
        block + "attention.qkv.weight": rng.normal(size=(3 * width, width)).astype(np.float32),
        block + "attention.projection.weight": np.zeros((width, width), np.float32),
        block + "feed_forward.up.weight": rng.normal(size=(4 * width, width)).astype(np.float32),
        block + "feed_forward.down.weight": np.zeros((width, 4 * width), np.float32),
    }


def save_small_network(folder: Path) -> Path:
    """Weights and vocabulary as files, for a bot in a process of its own; the weights' path."""
    vocab = Vocab(CHARACTERS)
    config, weights = small_weights(vocab)
    save(folder / "small.safetensors", config, vocab, weights)
    vocab.save(folder / "small.json")
    return folder / "small.safetensors"


class HeldDecoder(Decoder):
    """A decoder that can be made to wait before each step, as a slow machine does.

    It is open at first; ``hold()`` closes it, ``allow(n)`` lets n steps pass, ``open()`` all.
    """

    def __init__(
        self, config: GPTConfig, weights: Mapping[str, NDArray[Any]], slots: int = 1
    ) -> None:
        super().__init__(config, weights, slots)
        self.steps = 0
        self.error: Exception | None = None  # raised by the next step
        self._condition = threading.Condition()
        self.allowed: float = float("inf")

    def hold(self) -> None:
        with self._condition:
            self.allowed = 0

    def allow(self, steps: float) -> None:
        with self._condition:
            self.allowed += steps
            self._condition.notify_all()

    def open(self) -> None:
        self.allow(float("inf"))

    def step(self, slots: Sequence[int], ids: Sequence[int]) -> NDArray[np.float32]:
        with self._condition:
            self._condition.wait_for(lambda: self.allowed > 0)
            self.allowed -= 1
            self.steps += 1
            if error := self.error:
                self.error = None
                raise error
        return super().step(slots, ids)


class BotClock(Clock):
    """The bot's time, moved by a test: waits end when the clock is advanced far enough."""

    def __init__(self, clock: ManualClock) -> None:
        self._manual = clock
        self.waiting = 0  # how many wait for it now

    def now(self) -> float:
        return self._manual()

    def monotonic(self) -> float:
        return self._manual()

    async def sleep(self, seconds: float) -> None:
        await self.wait(asyncio.Event(), seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        await self._first_of(asyncio.ensure_future(event.wait()), seconds)
        return event.is_set()

    async def wait_all(
        self, futures: Iterable[asyncio.Future[Any]], seconds: float
    ) -> set[asyncio.Future[Any]]:
        futures = list(futures)
        if futures:
            await self._first_of(asyncio.ensure_future(asyncio.wait(futures)), seconds)
        return {future for future in futures if not future.done()}

    async def _first_of(self, come: "asyncio.Future[Any]", seconds: float) -> None:
        """Waits for this, but not longer than that time, and gives up what has not come."""
        due = self._manual.alarm(self._manual() + seconds)
        self.waiting += 1
        try:
            await asyncio.wait((come, due), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.waiting -= 1
            come.cancel()
            due.cancel()


class Stage:
    """The theatre. ``start`` and ``stop`` the bot; ``restart`` makes it forget everything."""

    def __init__(self, server: DiscordServer, clock: ManualClock, settings: Settings) -> None:
        self.server = server
        self.clock = clock
        self.settings = settings
        self.vocab = Vocab(CHARACTERS)
        self.decoder = HeldDecoder(*small_weights(self.vocab))
        self.weights = Path("small.safetensors")
        self.shipped = SHIPPED  # who races against it
        self._seeds = itertools.count(1)
        self.bot: Pooh
        self.writer: Writer
        self._running: asyncio.Task[None] | None = None

    def prepare(self) -> None:
        """Makes a new bot that is not running."""
        words = WordFilter(
            active=self.settings.word_filter,
            refused=self.settings.words_refused,
            allowed=self.settings.words_allowed,
        )
        self.bot_clock = BotClock(self.clock)
        self.writer = Writer(
            self.decoder,
            self.vocab,
            words,
            slots=self.settings.slots,
            candidates=self.settings.candidates,
            capacity=self.settings.queue,
            deadline=self.settings.deadline,
            new_seed=self._seeds.__next__,  # the same stories on every run
            clock=self.bot_clock,
        )
        self.bot = Pooh(
            self.settings,
            self.writer,
            words,
            weights=self.weights,
            clock=self.bot_clock,
            shipped=self.shipped,
        )

    async def start(self) -> None:
        """Starts a new bot, with the same settings and the same network."""
        self.prepare()
        await self.run()

    async def run(self) -> None:
        """Starts the bot that was prepared."""
        times = self.server.gateway.connected + 1
        running = asyncio.create_task(serve(self.bot, self.server.token))
        self._running = running
        gateway = self.server.gateway
        await self.server.until(
            lambda: (gateway.connected >= times and gateway.socket) or running.done(), "the bot"
        )
        if running.done():
            await running

    @property
    def stories(self) -> Stories:
        """What answers requests in this bot."""
        return self.bot.services.stories

    async def stop(self, grace: float = 0.0) -> None:
        """Stops the bot as a signal does."""
        if self._running:
            if not self._running.done():
                await self.bot.leave(grace)
            await self._running
            self._running = None

    async def stop_gently(self, grace: float = 60.0) -> None:
        """Stops the bot, and lets time pass until it has shown the ends of its stories."""
        leaving = asyncio.create_task(self.stop(grace))
        await self.until(leaving.done, "the bot to leave", grace + 60.0)
        await leaving

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def pass_seconds(self, seconds: float, look: float = 0.003) -> None:
        """Lets time pass in steps of a tenth of a second, and the bot act in between.

        The next step is made when nothing has happened for a look, of real seconds, nobody waits
        for a first response, or the bot has had a while.
        """
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)
            for _ in range(10):
                before = self._happened()
                await asyncio.sleep(look)
                if self._happened() == before and not self._unanswered():
                    break

    def _happened(self) -> tuple[int, ...]:
        """What grows when something happens: requests, what the gateway heard, characters."""
        server = self.server
        return len(server.log), len(server.gateway.received), self.decoder.steps

    def _unanswered(self) -> bool:
        return any(use.answered is None for use in self.server.interactions.values())

    async def until(
        self, condition: Callable[[], T | None], what: str = "", seconds: float = 120.0
    ) -> T:
        """Lets time pass until the condition holds and returns its value; fails after so long."""

        async def looked() -> T | None:
            return condition()

        return await self.until_found(looked, what or str(condition), seconds)

    async def until_found(
        self, condition: Callable[[], Awaitable[T | None]], what: str = "", seconds: float = 120.0
    ) -> T:
        """The same for a condition that is waited for, such as what the store holds."""
        begin = self.clock()
        while not (value := await condition()):
            passed = self.clock() - begin
            if passed > seconds:
                raise AssertionError(self.server.waited(seconds, what or condition))
            # What a thread does takes real time: the longer it lasts, the more it is given.
            await self.pass_seconds(0.2, look=0.003 if passed < QUICK else 0.03)
        return value

    async def delete(self, person: Person, story: Message) -> Interaction:
        """Presses Delete, and then the button that is the answer to its question."""
        person.press(story, "Delete")
        await self.until(lambda: "Yes, delete it" in story.buttons, "whether it is to be deleted")
        return person.press(story, "Yes, delete it")

    def pings(self) -> list[str]:
        """Everybody whom a message of the bot has notified."""
        return [
            ping
            for channel in self.server.channels.values()
            for message in channel.messages.values()
            if message.mine
            for ping in message.pinged
        ]


def finished(message: Message | None) -> Message | None:
    """The message, once it shows a story that has ended."""
    ids = [button["custom_id"] for button in message.buttons.values()] if message else []
    return message if any(custom_id.startswith("pooh:again") for custom_id in ids) else None


@contextlib.asynccontextmanager
async def stage(
    *,
    schemas: Schemas | None = None,
    rates: dict[str, tuple[int, float]] | None = None,
    token: str | None = None,
    start: bool = True,
    identify_period: float = 0.0,
    **settings: Any,  # noqa: ANN401 -- fields of Settings
) -> AsyncIterator[Stage]:
    """A server with the bot in it, taken down afterwards.

    At the end nobody may have been notified, and every request must have been one that Discord
    knows, with a body that fits Discord's description.
    """
    clock = ManualClock()
    before = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    chosen = {"cooldown": 0.0, "burst": 100, "slots": 32, "candidates": 1, **settings}
    discord_server = DiscordServer(
        clock, token=token, rates=rates or {}, schemas=schemas, identify_period=identify_period
    )
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = await stack.enter_async_context(discord_server)
        use_server(server.api_base, server.gateway_url)
        settings = {"database": folder / "pooh.db", **chosen}
        theatre = Stage(server, clock, Settings(token=server.token, **settings))
        try:
            if start:
                await theatre.start()
            yield theatre
        finally:
            theatre.decoder.open()
            await theatre.stop()
            discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = before
    assert theatre.pings() == []
    violations = server.violations()
    assert not violations, violations[:3]
