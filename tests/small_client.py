"""A small bot made with the real discord.py, to try the stand-in for Discord with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import discord
import yarl
from discord import app_commands

from tests.fake_discord import (
    DiscordServer,
    ManualClock,
)

Answer = Callable[[discord.Interaction], Awaitable[object]]


class Small(discord.Client):
    """One slash command, one menu, and whatever ``answer`` does with a use of them."""

    def __init__(self, answer: Answer | None = None) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
        super().__init__(intents=intents)
        self.answer = answer
        self.seen: list[object] = []
        self.problems: list[BaseException] = []
        self.tree = app_commands.CommandTree(self)

        @self.tree.command(name="pooh", description="Writes")
        @app_commands.allowed_installs(guilds=True, users=True)
        @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
        async def pooh(
            interaction: discord.Interaction,
            prompt: app_commands.Range[str, 1, 500] = "",
            temperature: app_commands.Range[float, 0.0, 2.0] = 0.8,
            length: app_commands.Range[int, 10, 1000] = 300,
        ) -> None:
            await self.use(interaction, (prompt, temperature, length))

        @pooh.autocomplete("prompt")
        async def prompts(
            interaction: discord.Interaction, current: str
        ) -> list[app_commands.Choice[str]]:
            many = 26 if current == "many" else 3
            return [app_commands.Choice(name=f"{current}{i}", value=str(i)) for i in range(many)]

        @self.tree.context_menu(name="Continue")
        async def go_on(interaction: discord.Interaction, message: discord.Message) -> None:
            await self.use(interaction, message.content)

    async def use(self, interaction: discord.Interaction, what: object) -> None:
        self.seen.append(what)
        if self.answer:
            try:
                await self.answer(interaction)
            except Exception as problem:
                self.problems.append(problem)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        if interaction.type is discord.InteractionType.component:
            assert interaction.data
            await self.use(interaction, interaction.data.get("custom_id"))

    async def on_message(self, message: discord.Message) -> None:
        self.seen.append(message.content)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        self.seen.append(event.message_id)

    async def on_resumed(self) -> None:
        self.seen.append("resumed")


@asynccontextmanager
async def online(server: DiscordServer, client: Small) -> AsyncIterator[Small]:
    """Runs the client against the stand-in through discord.py's two seams."""
    before = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    discord.http.Route.BASE = server.api_base
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server.gateway_url)
    running = asyncio.create_task(client.start(server.token))
    running.add_done_callback(lambda _: server.changed())
    try:
        # With a session of its own, it can resume whatever happens next.
        await server.until(
            lambda: (client.ws and client.ws.session_id) or running.done(), "the client to start"
        )
        if running.done():
            await running
        yield client
    finally:
        await client.close()
        discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = before
        await asyncio.gather(running, return_exceptions=True)


def clock_of(server: DiscordServer) -> ManualClock:
    assert isinstance(server.clock, ManualClock)
    return server.clock


def button(label: str, custom_id: str) -> discord.ui.Button[discord.ui.View]:
    return discord.ui.Button(label=label, custom_id=custom_id)


def buttons(*ids: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for custom_id in ids:
        view.add_item(button(custom_id.title(), custom_id))
    return view
