"""The bot on Discord: what comes in, and who answers."""

import asyncio
import contextlib
import io
import logging
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import yarl

from bot import invite, mentions, messages, pictures, seen, systemd
from bot.answers import Answers, Prompt, Telling
from bot.buttons import WARMER, Action, StoryButton, Wish
from bot.clock import Clock
from bot.commands import LENGTH, TEMPERATURE, make_tree
from bot.connection import log_in
from bot.delivery import Delivery
from bot.errors import UNREACHABLE, Refusal, explain, record
from bot.mentions import Hint
from bot.messages import Page
from bot.settings import Settings
from bot.surfaces import Reply, response_to
from bot.translations import Text
from bot.words import WordFilter
from bot.writer import Writer
from model.sampling import Sampling

OLD = 50 * 60  # seconds: Discord allows few edits of messages older than an hour (error 30046)
LITTLE_ROOM = 120  # characters: with less, a story goes on in a new message
TAIL = 200  # characters of a story that a new message repeats
SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE = 7.0  # seconds to finish stories in, when told to stop: `docker stop` kills after 10
GOODBYE = 1.0  # seconds for Discord to say goodbye, too
LAST_WORDS = 3.0  # seconds to finish what is no story in, when another process takes over

HINTS = {
    Hint.ROLE: Text.ROLE,
    Hint.REPLY: Text.EMPTY_REPLY,
    Hint.NO_WORDS: Text.NO_WORDS,
}

_log = logging.getLogger(__name__)


def use_server(api_base: str, gateway: str) -> None:
    """Talk to another server than Discord, from now on and with every client.

    discord.py keeps the addresses in its classes; there is no place for them in a client.
    """
    discord.http.Route.BASE = api_base
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)


class Pooh(discord.Client):
    """The bot. It asks for no privileged intent.

    Attributes:
        writer: who writes.
        words: what is refused.
        weights: where the network's weights lie.
        delivery: how requests are made that must arrive.
        answers: who tells the stories.
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
    ) -> None:
        """Bring settings, who writes, what is refused, where the weights lie, and the time."""
        intents = discord.Intents.none()
        intents.guilds = intents.messages = True  # messages come without content, but for mentions
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # no voice is wanted
        self._clock = clock or Clock()
        self.delivery = Delivery(self._clock)
        super().__init__(
            intents=intents,
            http_trace=self.delivery.trace,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
        )
        self._settings = settings
        self.writer = writer
        self.words = words
        self.weights = weights
        self.answers = Answers(settings, writer, words, self._clock, self.delivery, weights.stem)
        self.tree = make_tree(self)

    @property
    def settings(self) -> Settings:
        """What the host decided."""
        return self._settings

    def use_settings(self, settings: Settings) -> None:
        """Take over what can change while the bot runs: where it answers, how often, its source."""
        self._settings = settings
        self.answers.limit(settings.cooldown, settings.burst)

    # Coming and going

    async def start(self, token: str, *, reconnect: bool = True) -> None:
        """Log in and stay connected; while Discord cannot be reached, wait and try again."""
        await log_in(self, token, self._clock.sleep)
        await self.connect(reconnect=reconnect)

    async def setup_hook(self) -> None:
        """Once, after the login: wake the worker, know the buttons, bring the commands."""
        self.writer.start()
        self.add_dynamic_items(StoryButton)
        try:
            sent = await self.tree.send_if_new()
        except UNREACHABLE as error:
            _log.warning("the commands could not be synced (%s); going on", type(error).__name__)
        else:
            _log.info("the commands were sent" if sent else "Discord has the commands already")

    async def on_ready(self) -> None:
        """Say so, each time the connection is made anew."""
        _log.info("ready, in %d servers", len(self.guilds))
        systemd.notify("READY=1")

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Hear nothing more when closed: discord.py has no loop then, and would stumble."""
        if not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    async def leave(self, grace: float = GRACE) -> None:
        """Take nothing on, finish what was begun, show it, and go."""
        _log.info("stopping")
        systemd.notify("STOPPING=1")
        await self.answers.close(grace)
        closing = asyncio.create_task(self.close())
        _, late = await asyncio.wait([closing], timeout=GOODBYE)
        if late:
            await self.http.close()  # Discord does not answer: hang up
        await closing

    async def hand_over(self) -> None:
        """Hear nothing more, finish all that was begun however long it takes, and go.

        Another process is connected and answers whatever comes now. To write and to show stories,
        no connection is needed but Discord's HTTP interface.
        """
        _log.info("handing over; the stories that were begun are finished")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE):
                if isinstance(self, discord.AutoShardedClient):
                    shards = list(self.shards.values())
                    await asyncio.gather(*(shard.disconnect() for shard in shards))
                elif self.ws:
                    await self.ws.close(code=1000)
        await self._clock.sleep(LAST_WORDS)
        await self.answers.finish()
        await self.leave()

    # Who is answered

    def welcomes(self, guild: int | None) -> bool:
        """Whether the host lets the bot answer in this server (None: a direct message)."""
        return not self._settings.guilds or guild in self._settings.guilds

    async def turn_away(self, interaction: discord.Interaction[Any]) -> None:
        """Say that the host does not let the bot answer here."""
        response = response_to(interaction)
        await response.say(response.language.say(Text.NOT_AT_HOME))

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """An event's handler failed: log it without what it was given."""
        if (error := sys.exception()) is not None:
            record(error, event_method)

    # Commands

    async def answer(
        self, interaction: discord.Interaction[Any], text: str, sampling: Sampling
    ) -> None:
        """`/pooh`, and all that goes the same way: a story in a new message.

        Raises:
            Refusal: there will be none.
        """
        self.answers.greet(interaction.user.id)
        text = seen.spell_out(text, seen.names_for(interaction), self._clock.now())
        await self._answer(interaction, self.answers.read(text), sampling)

    async def continue_message(
        self, interaction: discord.Interaction[Any], message: discord.Message
    ) -> None:
        """The menu "Continue as Pooh".

        Raises:
            Refusal: there is nothing to go on from.
        """
        self.answers.greet(interaction.user.id)
        assert self.user is not None
        me = self.user.id
        text = seen.read(message, me, self._clock.now())
        if message.author.id == me:
            text = messages.last_words(text, TAIL)
        prompt = self.answers.read(text)
        if not prompt.text:
            raise Refusal(HINTS[Hint.NO_WORDS])
        await self._answer(interaction, prompt, _sampling())

    async def _answer(
        self, interaction: discord.Interaction[Any], prompt: Prompt, sampling: Sampling
    ) -> None:
        person = interaction.user.id
        sampling = prompt.applied_to(sampling)
        story = self.answers.begin(person, prompt.text, sampling)
        await self.answers.tell(
            Telling(
                story,
                Wish(person, sampling),
                Page(prompt.text),
                response_to(interaction),
                dropped=prompt.dropped,
            )
        )

    async def about(self, interaction: discord.Interaction[Any]) -> None:
        """`/about`: who Pooh is, with a picture of how he learned."""
        self.answers.greet(interaction.user.id)
        response = response_to(interaction)
        await response.open()
        # Files and drawing would keep the event loop waiting.
        summary, picture = await asyncio.to_thread(
            lambda: (pictures.read_summary(self.weights), pictures.loss_plot(self.weights))
        )
        text = pictures.describe(
            self.weights.stem,
            summary,
            response.language,
            invite=self._invite_links(),
            source=self._settings.source,
        )
        alt = response.language.say(Text.LOSS_PLOT)

        async def show() -> None:  # with a file that is read from its beginning, in each try
            files = []
            if picture:
                files = [discord.File(io.BytesIO(picture), "loss.png", description=alt)]
            await response.show(text, files=files)

        await self.delivery.send(show)

    def _invite_links(self) -> tuple[str, str] | None:
        """None where a link would lead nowhere: the bot is private, or answers a few servers."""
        application = self.application
        if application is None or not application.bot_public or self._settings.guilds:
            return None
        return invite.links(application.id)

    async def help(self, interaction: discord.Interaction[Any]) -> None:
        """`/help`."""
        response = response_to(interaction)
        await response.say(response.language.say(Text.HELP_PAGE))

    # Buttons

    async def press(
        self, interaction: discord.Interaction[Any], action: Action, wish: Wish
    ) -> None:
        """Somebody pressed a button under a story."""
        try:
            if not self.welcomes(interaction.guild_id):
                return await self.turn_away(interaction)
            match action:
                case Action.STOP:
                    await self._stop(interaction, wish)
                case Action.DELETE:
                    await self._delete(interaction, wish)
                case _:
                    await self._retell(interaction, action, wish)
        except Exception as error:
            await explain(response_to(interaction), error)

    def _check_owner(self, interaction: discord.Interaction[Any], wish: Wish, no: Text) -> None:
        moderator = interaction.guild_id and interaction.permissions.manage_messages
        if interaction.user.id != wish.owner and not moderator:
            raise Refusal(no)

    async def _stop(self, interaction: discord.Interaction[Any], wish: Wish) -> None:
        message = interaction.message
        assert message is not None
        written = self.answers.is_told(message.id)
        if written:
            self._check_owner(interaction, wish, Text.MAY_NOT_STOP)
            self.answers.stop(message.id)
        response = response_to(interaction)
        response.in_place = True
        await response.open()
        if written:
            return
        # Either the story had just ended, and the message says so by now. Or the bot went away
        # while it was being written: whoever presses first brings the message to rest.
        now = await self.delivery.send(interaction.original_response)
        if now.content == message.content:
            await self.answers.settle(response, now.content, wish)

    async def _delete(self, interaction: discord.Interaction[Any], wish: Wish) -> None:
        self._check_owner(interaction, wish, Text.MAY_NOT_DELETE)
        assert interaction.message is not None
        self.answers.stop(interaction.message.id)
        response = response_to(interaction)
        response.in_place = True
        await response.open()
        await response.remove()

    async def _retell(
        self, interaction: discord.Interaction[Any], action: Action, wish: Wish
    ) -> None:
        """Again, Continue, Wilder, Calmer: in this message if it is theirs, else in a new one.

        A story that was continued stays: what is told anew is a new message then, too.
        """
        message = interaction.message
        assert message is not None
        if self.answers.is_told(message.id):
            raise Refusal(Text.STILL_WRITING)
        self.answers.greet(interaction.user.id)
        page = messages.parse(message.content)
        before = message.content, wish
        if action is Action.WILDER:
            wish = wish.warmer(WARMER)
        elif action is Action.CALMER:
            wish = wish.warmer(-WARMER)
        here = (
            interaction.user.id == wish.owner
            and self._clock.now() - message.created_at.timestamp() < OLD
        )
        if action is Action.CONTINUE:
            wish = replace(wish, continued=True)
        else:
            page = Page(page.prompt)
            here = here and not wish.continued
        space = messages.room(page)
        if not here or (action is Action.CONTINUE and space < LITTLE_ROOM):
            text = page.prompt
            if action is Action.CONTINUE:
                text = messages.last_words(page.text, TAIL)
            return await self._answer(interaction, self.answers.read(text), wish.sampling)
        self.answers.read(page.text)  # the list of words may have grown since it was written
        sampling = wish.within(max(space, 1))
        if action is Action.CONTINUE:  # only the prompt's last word was to go on
            sampling = replace(sampling, whole_word=True)
        story = self.answers.begin(interaction.user.id, page.text, sampling)
        response = response_to(interaction)
        response.in_place = True
        await self.answers.tell(
            Telling(
                story,
                wish,
                page,
                response,
                message=message.id,
                before=before,
            )
        )

    # Mentions and private messages

    async def on_message(self, message: discord.Message) -> None:
        """Answer what is meant for the bot: see `mentions.read`."""
        guild = message.guild.id if message.guild else None
        if self.user is None or not self.welcomes(guild):
            return
        asked = mentions.read(message, self.user.id, self._clock.now())
        if asked is None:
            return
        person = message.author.id
        reply = Reply(message, self.delivery)
        try:
            if isinstance(asked, Hint):
                raise Refusal(HINTS[asked])
            self.answers.greet(person)
            told = messages.last_words(asked.told, TAIL)
            prompt = self.answers.read(" ".join(filter(None, (told, asked.typed))))
            sampling = prompt.applied_to(_sampling())
            story = self.answers.begin(person, prompt.text, sampling)
            await self.answers.tell(
                Telling(
                    story,
                    Wish(person, sampling),
                    Page(prompt.text),
                    reply,
                    dropped=prompt.dropped,
                )
            )
        except Exception as error:
            await explain(reply, error)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """A story whose message is gone need not be written."""
        self.answers.stop(event.message_id)

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """The same, for many."""
        for message in event.message_ids:
            self.answers.stop(message)


def _sampling() -> Sampling:
    return Sampling(length=LENGTH, temperature=TEMPERATURE)


async def serve(client: Pooh, token: str) -> None:
    """Run until SIGTERM or SIGINT: the first lets stories end, the second does not wait.

    SIGUSR1 says that another process has taken over: see `Pooh.hand_over`.

    Raises:
        discord.LoginFailure: Discord does not know the token.
        discord.ConnectionClosed: Discord does not want the bot any more; the code says why.
        OSError, aiohttp.ClientError, discord.HTTPException: Discord cannot be reached.
    """
    loop = asyncio.get_running_loop()
    leaving: list[asyncio.Task[None]] = []
    async with client:
        running = asyncio.ensure_future(client.start(token))

        async def leave(grace: float) -> None:
            try:
                await client.leave(grace)
            finally:
                running.cancel()  # it may be asleep until it connects again

        async def hand_over() -> None:
            running.cancel()  # nothing is heard any more
            await client.hand_over()

        def on_successor() -> None:
            if not leaving:
                leaving.append(asyncio.create_task(hand_over()))

        def on_signal() -> None:
            leaving.append(asyncio.create_task(leave(0.0 if leaving else GRACE)))

        try:
            with contextlib.suppress(NotImplementedError, AttributeError):  # Windows
                for number in SIGNALS:
                    loop.add_signal_handler(number, on_signal)
                loop.add_signal_handler(signal.SIGUSR1, on_successor)
            await asyncio.wait([running])
            while not all(task.done() for task in leaving):
                await asyncio.gather(*leaving)
            if not running.cancelled():
                running.result()
        finally:
            with contextlib.suppress(NotImplementedError, AttributeError):
                for number in (*SIGNALS, signal.SIGUSR1):
                    loop.remove_signal_handler(number)
            running.cancel()
            await client.answers.close(0.0)
