"""The bot on Discord: how it comes and goes, and the events that it hears."""

import asyncio
import contextlib
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord

from bot import mentions, systemd
from bot.ballots import Ballots
from bot.buttons import StoryButton, row
from bot.circle_buttons import CircleButton
from bot.circle_form import read_form
from bot.circle_registry import Circles
from bot.clock import Clock
from bot.cluster import make_gate
from bot.commands import make_tree
from bot.connection import log_in
from bot.daily import Daily
from bot.database import StoreError
from bot.delivery import Delivery
from bot.drawings import Drawings
from bot.errors import UNREACHABLE, Refusal, explain, record
from bot.explanations import CardButton
from bot.fork import ForkButton
from bot.keep import KeepButton
from bot.privacy import PrivacyButton
from bot.race import RaceButton
from bot.racers import SHIPPED, Racers
from bot.services import ServiceClient, Services
from bot.settings import Settings
from bot.setup import ChannelMenu, ChoiceMenu, StorySwitch
from bot.sharding import Shards
from bot.store import Store
from bot.stories import Stories
from bot.sync import send_if_new
from bot.targets import Reply
from bot.translations import Text
from bot.votes import Votes
from bot.writer import Writer
from model.words import WordFilter

GRACE = 7.0  # seconds to finish stories in, when told to stop: `docker stop` kills after 10
GOODBYE = 1.0  # seconds for Discord to say goodbye, too

_log = logging.getLogger(__name__)


class Pooh(ServiceClient):
    """The bot. It asks for no privileged intent.

    Attributes:
        services: what its handlers need.
        tree: the commands.
    """

    def __init__(
        self,
        settings: Settings,
        writer: Writer,
        words: WordFilter,
        *,
        weights: Path,
        clock: Clock | None = None,
        shipped: Path = SHIPPED,
    ) -> None:
        """Bring settings, who writes, what is refused, where the weights lie, and the time.

        The folder `shipped` holds those who race against him.
        """
        intents = discord.Intents.none()
        intents.guilds = intents.messages = True  # messages come without content, but for mentions
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # no voice is wanted
        clock = clock or Clock()
        delivery = Delivery(clock)
        super().__init__(
            intents=intents,
            http_trace=delivery.trace,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            shard_connect_timeout=None,  # a shard may wait long for its turn to identify
        )
        stories = Stories(
            settings, writer, words, clock, delivery, model=weights.stem, make_buttons=row
        )
        store = Store(settings.database)
        self.services = Services(
            settings,
            clock,
            words,
            weights,
            writer,
            delivery,
            stories,
            Drawings(),
            store,
            Votes(),
            Racers(
                writer,
                words,
                weights,
                deadline=settings.deadline,
                clock=clock,
                shipped=shipped,
            ),
            Ballots(),
            Circles(clock.monotonic),
        )
        self._daily = Daily(self)
        self._connecting: asyncio.Task[None] | None = None
        self._shards = Shards(settings.shards, make_gate(settings, clock), clock)
        self.tree = make_tree(self)

    def use_settings(self, settings: Settings) -> None:
        """Take over what can change while the bot runs: where it answers, how often, its source."""
        self.services = replace(self.services, settings=settings)
        self.services.stories.limit(settings.cooldown, settings.burst)
        self.services.drawings.forget()

    # Coming and going

    async def start(self, token: str, *, reconnect: bool = True) -> None:
        """Log in and stay connected; while Discord cannot be reached, wait and try again."""
        await log_in(self, token, self.services.clock.sleep)
        await self._shards.plan(self)
        self._connecting = asyncio.create_task(self.connect(reconnect=reconnect))
        await self._connecting

    async def close(self) -> None:
        """Leave Discord, also while shards still wait for their turn: discord.py would go on."""
        try:
            await super().close()
        finally:
            await self._daily.close()
            await self.services.store.close()
        if self._connecting is not asyncio.current_task() and self._connecting:
            self._connecting.cancel()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Before a shard identifies: wait for its turn, among all processes of this bot."""
        await self._shards.before_identify(shard_id or 0)

    async def setup_hook(self) -> None:
        """Once, after the login: wake the worker, know the buttons, bring the commands."""
        self.services.writer.start()
        assert self.application_id is not None  # the login told it
        await self.services.store.open(self.application_id)
        self.add_dynamic_items(StoryButton, CardButton, KeepButton, ForkButton, RaceButton)
        self.add_dynamic_items(PrivacyButton, ChoiceMenu, ChannelMenu, StorySwitch, CircleButton)
        if not self._shards.has_first:
            return  # another process brings the commands
        try:
            sent = await send_if_new(self.tree)
        except UNREACHABLE as error:
            _log.warning("the commands could not be synced (%s); going on", type(error).__name__)
        else:
            _log.info("the commands were sent" if sent else "Discord has the commands already")

    async def on_ready(self) -> None:
        """Say so, each time the connection is made anew."""
        _log.info("ready, in %d servers, %s", len(self.guilds), self._shards.range)
        systemd.notify("READY=1")
        await self._forget_lost_servers()
        self._daily.start()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Hear nothing more when closed: discord.py has no loop then, and would stumble."""
        if not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    async def leave(self, grace: float = GRACE) -> None:
        """Take nothing on, finish what was begun, show it, and go."""
        _log.info("stopping")
        systemd.notify("STOPPING=1")
        self._daily.stop()
        self.services.votes.close()
        racing = self.services.racers.close(grace / 2)
        await asyncio.gather(self.services.stories.close(grace), racing)
        closing = asyncio.create_task(self.close())
        _, late = await asyncio.wait([closing], timeout=GOODBYE)
        if late:
            await self.http.close()  # Discord does not answer: hang up
        await closing

    async def hand_over(self) -> None:
        """Hear nothing more, finish all that was begun however long it takes, and go.

        Another process is connected and answers whatever comes now. To write and to show answers,
        no connection is needed but Discord's HTTP interface.
        """
        _log.info("handing over; what was begun is finished")
        self._daily.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE):
                await asyncio.gather(*(shard.disconnect() for shard in self.shards.values()))
        self.services.votes.close()  # who votes from now on is heard by the other
        await self.services.stories.finish()
        await self.leave()

    # What it hears

    async def on_message(self, message: discord.Message) -> None:
        """Answer what is meant for the bot: see `mentions.read`."""
        guild = message.guild.id if message.guild else None
        if self.user is None or not self.services.settings.is_allowed(guild):
            return
        request = mentions.read(message, self.user.id, self.services.clock.now())
        if request is None:
            return
        reply = Reply(message, self.services.delivery)  # who was heard is answered before it goes
        server = await self.services.store.server(guild)
        channel = message.channel
        if not server.answers_in(channel.id, getattr(channel, "parent_id", None)):
            return
        try:
            if isinstance(request, Text):
                raise Refusal(request)
            await self.services.stories.respond(replace(request, sampling=server.sampling), reply)
        except Exception as error:
            await explain(reply, error)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot has left a server, or was sent away: forget what it decided."""
        with contextlib.suppress(StoreError):  # the log has it; the next start tries again
            await self.services.store.forget(guild.id)

    async def _forget_lost_servers(self) -> None:
        """Forget the servers that the bot has left while it was away."""
        count = self.shard_count or 1
        for server in await self.services.store.servers():
            # Another process knows of those on other shards.
            if (server.id >> 22) % count in self.shards and self.get_guild(server.id) is None:
                with contextlib.suppress(StoreError):
                    await self.services.store.forget(server.id)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """A story whose message is gone need not be written."""
        self.services.stories.stop(event.message_id)
        self.services.votes.lose(event.message_id)
        self.services.circles.forget(event.message_id)

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """The same, for many."""
        for message in event.message_ids:
            self.services.stories.stop(message)
            self.services.votes.lose(message)
        self.services.circles.forget(*event.message_ids)  # it looks through all of them

    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """With a thread its story circle is over."""
        self.services.circles.forget(event.thread_id)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """A form comes back: discord.py knows only those that this process has shown."""
        if interaction.type is discord.InteractionType.modal_submit:
            await read_form(interaction)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """An event's handler failed: log it without what it was given."""
        if (error := sys.exception()) is not None:
            record(error, event_method)
