"""The stand-in, tried with a small client of its own made with the real discord.py."""

import asyncio
import io
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands

from tests import discord_rules as rules
from tests.discord_gateway import Socket
from tests.discord_rules import ApiError, RefusedError
from tests.discord_schema import Schemas
from tests.discord_server import Cut, DiscordServer, describe, too_many
from tests.discord_world import BOT_DM, PRIVATE, ManualClock

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


@pytest.fixture(scope="module")
def schemas() -> Schemas | None:
    return describe()


@pytest.fixture
async def server(schemas: Schemas | None) -> AsyncIterator[DiscordServer]:
    async with DiscordServer(ManualClock(), schemas=schemas, rates={}) as discord_server:
        yield discord_server
        assert not discord_server.violations()


@asynccontextmanager
async def online(server: DiscordServer, client: Small) -> AsyncIterator[Small]:
    """Runs the client against the stand-in through discord.py's two seams."""
    before = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    discord.http.Route.BASE = server.api_base
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server.gateway_url)
    running = asyncio.create_task(client.start(server.token))
    running.add_done_callback(lambda _: server.changed())
    try:
        await server.until(lambda: server.gateway.socket or running.done(), "the client to start")
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


async def test_a_command_is_registered_typed_and_answered(server: DiscordServer) -> None:
    async def answer(interaction: discord.Interaction) -> None:
        response = await interaction.response.send_message("Hallo!")
        assert response.message_id and not response.is_thinking()

    async with online(server, Small(answer)) as client:
        kanga = server.person("Kanga")
        message = await kanga.command("pooh", prompt="Here is", temperature=1.5).answer()
        assert client.seen == [("Here is", 1.5, 300)]
        assert message.content == "Hallo!" and message.type == 20
        assert message.id in server.channel.messages


async def test_options_out_of_range_never_leave_the_client(server: DiscordServer) -> None:
    async with online(server, Small()) as client:
        kanga = server.person()
        for wrong in (
            {"temperature": 2.1}, {"temperature": "hot"}, {"length": 9}, {"length": 1.5},
            {"prompt": "x" * 501}, {"prompt": ""}, {"seed": 1},
        ):  # fmt: skip
            with pytest.raises(RefusedError):
                kanga.command("pooh", **wrong)
        with pytest.raises(RefusedError):
            kanga.command("tao")
        kanga.command("pooh", force=True, temperature=3.0)
        await server.until(lambda: client.seen)
        assert client.seen == [("", 3.0, 300)]  # discord.py lets Discord do the checking


async def test_a_promise_is_fulfilled_by_an_edit_or_by_the_first_follow_up(
    server: DiscordServer,
) -> None:
    async def answer(interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        if client.seen[-1] == ("edit", 0.8, 300):
            await interaction.edit_original_response(content="edited")
        else:
            first = await interaction.followup.send("first", wait=True)
            assert first.id == (await interaction.original_response()).id
            second = await interaction.followup.send("second", wait=True)
            await second.edit(content="second, again")
            await interaction.delete_original_response()

    async with online(server, client := Small(answer)):
        kanga = server.person()
        edited = kanga.command("pooh", prompt="edit")
        assert (await edited.answer()).content == "edited"
        followed = kanga.command("pooh", prompt="follow")
        await server.until(lambda: followed.original and followed.original.deleted)
        assert [m.content for m in followed.messages] == ["second, again"]
        assert [text for _, text in followed.messages[0].edits] == ["second", "second, again"]
        assert not client.problems


async def test_three_seconds_fifteen_minutes_and_only_one_response(server: DiscordServer) -> None:
    go_on = asyncio.Event()

    async def answer(interaction: discord.Interaction) -> None:
        await go_on.wait()
        await interaction.response.defer()
        with pytest.raises(discord.HTTPException) as twice:
            adapter = discord.webhook.async_.async_context.get()
            await adapter.create_interaction_response(
                interaction.id,
                interaction.token,
                session=interaction._session,
                params=discord.webhook.async_.interaction_response_params(5),
            )
        assert twice.value.code == 40060
        clock_of(server).advance(901)
        await interaction.edit_original_response(content="too late")

    async with online(server, Small(answer)) as client:
        kanga = server.person()
        kanga.command("pooh")
        await server.until(lambda: client.seen)
        clock_of(server).advance(3.1)
        go_on.set()
        await server.until(lambda: client.problems)
        assert client.problems.pop().code == 10062  # type: ignore[attr-defined]
        kanga.command("pooh")
        await server.until(lambda: client.problems)
        assert client.problems.pop().code == 50027  # type: ignore[attr-defined]


def button(label: str, custom_id: str) -> discord.ui.Button[discord.ui.View]:
    return discord.ui.Button(label=label, custom_id=custom_id)


def buttons(*ids: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for custom_id in ids:
        view.add_item(button(custom_id.title(), custom_id))
    return view


async def test_buttons_are_pressed_and_answered_in_all_four_ways(server: DiscordServer) -> None:
    async def answer(interaction: discord.Interaction) -> None:
        if interaction.type is discord.InteractionType.application_command:
            view = buttons("new", "private", "update", "later")
            await interaction.response.send_message("0", view=view)
        elif client.seen[-1] == "new":
            await interaction.response.send_message("new")
        elif client.seen[-1] == "private":
            await interaction.response.defer(ephemeral=True, thinking=True)
            await interaction.followup.send("private")
        elif client.seen[-1] == "update":
            await interaction.response.edit_message(content="1", view=None)
        else:
            await interaction.response.defer()
            await interaction.edit_original_response(content="2")

    async with online(server, client := Small(answer)):
        kanga, roo = server.person("Kanga"), server.person("Roo")
        message = await kanga.command("pooh").answer()
        assert list(message.buttons) == ["New", "Private", "Update", "Later"]
        assert (await roo.press(message, "New").answer()).content == "new"
        private = await roo.press(message, "Private").answer()
        assert private.ephemeral and private.content == "private"
        with pytest.raises(RefusedError):
            kanga.press(private, custom_id="new")
        roo.press(message, "Later")
        await server.until(lambda: message.content == "2")
        roo.press(message, "Update")
        await server.until(lambda: message.content == "1")
        with pytest.raises(RefusedError):
            roo.press(message, "New")
        assert client.seen[-2:] == ["later", "update"] and not client.problems


async def test_menus_bring_a_message_and_autocomplete_brings_choices(
    server: DiscordServer,
) -> None:
    async with online(server, Small(lambda i: i.response.send_message("yes"))) as client:
        kanga = server.person()
        letter = kanga.say("Dear Pooh", server.channel)
        await kanga.menu("Continue", letter).answer()
        assert "Dear Pooh" in client.seen
        choices = await kanga.suggestions("pooh", "prompt", "Her")
        assert [c["name"] for c in choices] == ["Her0", "Her1", "Her2"]
        kanga_asks = asyncio.create_task(kanga.suggestions("pooh", "prompt", "many"))
        await server.until(lambda: server.log[-1].status == 400)
        assert server.log[-1].code == 50035
        kanga_asks.cancel()
    server.log = [r for r in server.log if r.code != 50035]


@pytest.mark.parametrize(
    ("send", "code"),
    [
        ({"content": "x" * 2001}, 50035),
        ({"content": ""}, 50006),
        ({"view": buttons("x" * 101)}, 50035),
        ({"embed": discord.Embed(title="x" * 257)}, 50035),
        ({"embeds": [discord.Embed(description="x" * 3001)] * 2}, 50035),
        ({"embed": discord.Embed(description="x" * 4097)}, 50035),
    ],
)
async def test_what_is_too_long_is_refused_and_a_violation(
    server: DiscordServer, send: dict[str, object], code: int
) -> None:
    async def answer(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(**send)  # type: ignore[call-overload]

    async with online(server, Small(answer)) as client:
        server.person().command("pooh")
        await server.until(lambda: client.problems)
        assert client.problems[0].code == code  # type: ignore[attr-defined]
    too_long_for_the_schema = server.schemas and code == 50035 and len(send) == 1
    assert bool(server.violations()) == bool(too_long_for_the_schema and "embeds" not in send)
    server.log.clear()


async def test_files_come_as_multipart_and_can_be_fetched(server: DiscordServer) -> None:
    async def answer(interaction: discord.Interaction) -> None:
        picture = discord.File(io.BytesIO(b"\x89PNG"), "loss.png")
        embed = discord.Embed(title="About").set_image(url="attachment://loss.png")
        await interaction.response.send_message(file=picture, embed=embed)

    async with online(server, Small(answer)) as client:
        message = await server.person().command("pooh").answer()
        assert not client.problems and message.text == "About"
        async with aiohttp.ClientSession() as web, web.get(message.attachments[0]["url"]) as got:
            assert await got.read() == b"\x89PNG"


async def test_only_five_follow_ups_where_only_the_user_installed_it(
    server: DiscordServer,
) -> None:
    async def answer(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("0")
        for i in range(1, 7):
            await interaction.followup.send(str(i))

    async with online(server, Small(answer)) as client:
        kanga, roo = server.person("Kanga"), server.person("Roo")
        group = server.add_channel(None, kanga, roo, context=PRIVATE)
        elsewhere = server.add_channel(server.add_guild("Elsewhere", installed=False))
        for place in (group, elsewhere):
            use = kanga.command("pooh", where=place)
            await server.until(lambda: client.problems)
            assert client.problems.pop().code == 40094  # type: ignore[attr-defined]
            assert [m.content for m in use.messages] == list("012345")
        home = kanga.command("pooh")
        await server.until(lambda: len(home.messages) == 7)
        elsewhere.external_apps = False
        hidden = await kanga.command("pooh", where=elsewhere).answer()
        assert hidden.ephemeral


async def test_content_comes_only_with_a_mention_a_reply_or_a_dm(server: DiscordServer) -> None:
    async with online(server, Small()) as client:
        kanga = server.person()
        mine = server.post(server.channel, server.bot_user(), content="by pooh")
        kanga.say("a secret", server.channel)
        kanga.say("hallo @pooh", server.channel)
        kanga.say("and then?", reply_to=mine)
        kanga.say("and then?", reply_to=mine, ping=False)
        kanga.say("psst", server.dm(kanga))
        gone = kanga.say("oops", server.channel)
        kanga.delete(gone)
        await server.until(lambda: gone.id in client.seen)
        me = f"<@{server.application_id}>"
        assert client.seen[:-1] == ["by pooh", "", f"hallo {me}", "and then?", "", "psst", ""]


async def test_messages_are_written_edited_and_deleted_by_the_bot(server: DiscordServer) -> None:
    async with online(server, Small()) as client:
        kanga, roo = server.person("Kanga"), server.person("Roo")
        channel = client.get_partial_messageable(server.channel.id)
        sent = await channel.send(f"@everyone <@{kanga.id}>")
        stored = server.channel.messages[sent.id]
        assert stored.pinged == ["@everyone", str(kanga.id)]
        quiet = await channel.send("@here", allowed_mentions=discord.AllowedMentions.none())
        assert not server.channel.messages[quiet.id].pinged
        await sent.edit(content="edited")
        assert stored.content == "edited"
        clock_of(server).advance(3601)
        for _ in range(3):
            await sent.edit(content="late")
        with pytest.raises(discord.HTTPException) as old:
            await sent.edit(content="too late")
        assert old.value.code == 30046
        await sent.delete()
        for request in (sent.delete(), sent.edit(content="x"), channel.fetch_message(sent.id)):
            with pytest.raises(discord.NotFound) as missing:
                await request
            assert missing.value.code == 10008
        theirs = kanga.say("mine", server.channel)
        with pytest.raises(discord.Forbidden):
            await channel.get_partial_message(theirs.id).edit(content="no")
        group = server.add_channel(None, kanga, roo, context=PRIVATE)
        with pytest.raises(discord.Forbidden) as unseen:
            await client.get_partial_messageable(group.id).send("hallo")
        assert unseen.value.code == 50001
        dm = await client.get_partial_messageable(server.dm(roo).id).send("hallo")
        assert server.dm(roo).messages[dm.id].channel.context == BOT_DM


async def test_a_wrong_token_is_refused_twice(server: DiscordServer) -> None:
    client = Small()
    server.token = "another"
    with pytest.raises(discord.LoginFailure):
        discord.http.Route.BASE = server.api_base
        await client.login("this one")
    await client.close()
    server.token = server.gateway.token
    server.gateway.token = "changed"
    with pytest.raises(discord.ConnectionClosed) as closed:
        async with online(server, client := Small()):
            pass
    assert closed.value.code == 4004


async def test_privileged_intents_must_be_granted(server: DiscordServer) -> None:
    class Curious(Small):
        def __init__(self) -> None:
            super().__init__()
            self._connection._intents = discord.Intents.all()

    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with online(server, Curious()):
            pass


async def test_a_cut_connection_is_resumed_and_nothing_is_missed(server: DiscordServer) -> None:
    async with online(server, Small()) as client:
        kanga = server.person()
        for times, cut in enumerate((server.gateway.drop, server.gateway.ask_to_reconnect), 2):
            session = server.gateway.session
            cut()
            kanga.say(f"@pooh are you there? {times}", server.channel)
            await server.until(lambda: client.seen.count("resumed") == times - 1)  # noqa: B023
            assert server.gateway.session is session
            assert any(f"there? {times}" in str(seen) for seen in client.seen)
        assert server.gateway.count(2) == 1 and server.gateway.count(6) == 2


async def test_an_invalid_session_is_begun_anew(server: DiscordServer) -> None:
    async with online(server, Small()) as client:
        server.gateway.invalidate()
        await server.online(2)  # discord.py waits five seconds before it identifies again
        assert server.gateway.count(2) == 2
        server.gateway.invalidate(resumable=True)
        await server.until(lambda: "resumed" in client.seen)


async def test_heartbeats_are_answered(server: DiscordServer) -> None:
    server.gateway.heartbeat_interval = 50
    async with online(server, Small()) as client:
        await server.until(lambda: server.gateway.count(1) >= 3)
        await server.until(lambda: client.latency < float("inf"))


async def test_the_gateway_speaks_compressed_and_plain(server: DiscordServer) -> None:
    async with aiohttp.ClientSession() as web:
        url = f"{server.gateway_url}?v=10&encoding=json"
        async with web.ws_connect(url) as plain:
            assert (await plain.receive_json())["op"] == 10
        async with web.ws_connect(url + "&compress=zlib-stream") as packed:
            data = await packed.receive_bytes()
            assert data.endswith(struct.pack(">I", 0xFFFF))
            assert b'"op": 10' in zlib.decompressobj().decompress(data)
            await packed.send_json({"op": 3, "d": {}})
            assert (await packed.receive()).data == 4003
        async with web.ws_connect(url + "&compress=zlib-stream") as talkative:
            for _ in range(121):
                await talkative.send_json({"op": 1, "d": None})
            while (message := await talkative.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
            assert message.data == 4008
    with pytest.raises(aiohttp.web.HTTPBadRequest):
        Socket(aiohttp.web.WebSocketResponse(), "lzma")


async def test_rate_limits_are_announced_and_discord_py_keeps_to_them() -> None:
    rates = {"PATCH /webhooks": (3, 0.2), "POST /channels": (3, 0.2)}

    async def answer(interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        for i in range(7):
            await interaction.edit_original_response(content=str(i))

    async with DiscordServer(rates=rates) as server, online(server, Small(answer)) as client:
        use = server.person().command("pooh")
        await server.until(lambda: use.original and use.original.content == "6")
        channel = client.get_partial_messageable(server.channel.id)
        await asyncio.gather(*(channel.send(str(i)) for i in range(7)))
        assert not client.problems and server.log[-1].headers["X-RateLimit-Limit"] == "3"


async def test_a_429_is_waited_for_and_other_faults_can_be_ordered(server: DiscordServer) -> None:
    async with online(server, Small()) as client:
        channel = client.get_partial_messageable(server.channel.id)
        server.fail("POST", "/channels", too_many(0.01))
        await channel.send("at last")
        assert [r.status for r in server.requests("POST", "/channels")] == [429, 200]
        assert server.invalid_requests == 1
        server.fail("POST", "/channels", ApiError(403, 50013, "Missing Permissions"))
        with pytest.raises(discord.Forbidden):
            await channel.send("no")
        assert [r.code for r in server.refused()] == [0, 50013]


@pytest.mark.parametrize("carried_out", [False, True])
async def test_an_answer_can_be_lost_in_the_ways_of_networks(
    server: DiscordServer, carried_out: bool
) -> None:
    async with online(server, Small()) as client:
        channel = client.get_partial_messageable(server.channel.id)
        server.fail("POST", "/channels", Cut.RESET, carried_out=carried_out)
        with pytest.raises(aiohttp.ClientOSError) as reset:
            await channel.send("one", nonce=1)
        assert reset.value.errno == 104
        server.fail("POST", "/channels", Cut.CLOSED, carried_out=carried_out)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await channel.send("two", nonce=2)
        server.fail("POST", "/channels", ApiError(503, 0, "down"), carried_out=carried_out)
        with pytest.raises(discord.DiscordServerError):
            await channel.send("three", nonce=3)
        assert len(server.channel.messages) == (3 if carried_out else 0)
        for text, nonce in (("one", 1), ("two", 2), ("three", 3)):
            await channel.send(text, nonce=nonce)
        assert len(server.channel.messages) == 3, "a nonce is good for one message"


async def test_automod_dead_tokens_and_deleted_channels(server: DiscordServer) -> None:
    used: list[discord.Interaction] = []

    async def answer(interaction: discord.Interaction) -> None:
        used.append(interaction)
        await interaction.response.defer(thinking=True)

    async with online(server, Small(answer)):
        server.channel.blocked = ("honey",)
        use = server.person().command("pooh")
        await server.until(lambda: use.original)
        with pytest.raises(discord.HTTPException) as blocked:
            await used[0].edit_original_response(content="Some Honey")
        assert (blocked.value.status, blocked.value.code) == (400, 200000)
        await used[0].edit_original_response(content="Some jam")
        await used[0].followup.send("Honey for one", ephemeral=True)
        use.expired = True
        with pytest.raises(discord.HTTPException) as dead:
            await used[0].edit_original_response(content="Late")
        assert (dead.value.status, dead.value.code) == (401, 50027)
        use.expired = False
        server.remove_channel(server.channel)
        with pytest.raises(discord.NotFound) as gone:
            await used[0].edit_original_response(content="Where?")
        assert gone.value.code == 10003


async def test_too_many_requests_in_all_are_refused_for_everyone() -> None:
    async with DiscordServer(rates={"x": (1, 1.0)}) as server, aiohttp.ClientSession() as web:
        headers = {"Authorization": f"Bot {server.token}"}
        answers: list[aiohttp.ClientResponse] = []
        while not answers or answers[-1].status == 200:
            answers.append(await web.get(f"{server.api_base}/users/@me", headers=headers))
            assert len(answers) < 10_000
        assert (await answers[-1].json())["global"] and answers[-1].headers["Via"]


async def test_registered_commands_are_listed_and_keep_their_ids(server: DiscordServer) -> None:
    async with online(server, Small()) as client:
        ids = {c["name"]: c["id"] for c in server.commands.values()}
        await client.tree.sync()
        assert {c["name"]: c["id"] for c in server.commands.values()} == ids
        listed = await client.tree.fetch_commands()
        assert {c.name for c in listed} == {"pooh", "Continue"}
        options = next(c for c in listed if c.name == "pooh").options
        assert [getattr(o, "min_value", None) for o in options] == [None, 0.0, 10]
        pooh = next(c for c in listed if c.name == "pooh")
        await pooh.edit(description="Writes well")
        await pooh.delete()
        with pytest.raises(discord.NotFound):
            await pooh.delete()
        assert [c["name"] for c in server.commands.values()] == ["Continue"]


def option(**more: object) -> dict[str, object]:
    return {"type": 3, "name": "prompt", "description": "What to say", **more}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Pooh"},
        {"name": "p" * 33},
        {"name": "a b"},
        {"description": ""},
        {"description": "d" * 101},
        {"name_localizations": {"xx": "pooh"}},
        {"name_localizations": {"de": "Puh"}},
        {"options": [option(name="x" * 33)]},
        {"options": [option(), option(name="length", required=True)]},
        {"options": [option(name=f"o{i}") for i in range(26)]},
        {"options": [option(autocomplete=True, choices=[{"name": "a", "value": "a"}])]},
        {"options": [option(choices=[{"name": "a" * 101, "value": "a"}])]},
        {"options": [option(name=f"o{i}", description="d" * 100,
                            choices=[{"name": "n" * 100, "value": "v" * 100}] * 3)
                     for i in range(12)]},
        {"type": 3, "options": [option()]},
        {"contexts": []},
    ],
)  # fmt: skip
def test_bad_commands_are_refused(wrong: dict[str, object]) -> None:
    good = {"type": 1, "name": "pooh", "description": "Writes", "options": [option()]}
    rules.check_commands([good])
    with pytest.raises(ApiError) as refused:
        rules.check_commands([{**good, **wrong}])
    assert refused.value.code == 50035
    with pytest.raises(ApiError):
        rules.check_commands([good, good])


@pytest.mark.parametrize(
    "wrong",
    [
        [{"type": 2, "style": 1, "custom_id": "a", "label": "A"}],
        [{"type": 1, "components": []}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "custom_id": "a"}]}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "A"}]}],
        [{"type": 1, "components": [{"type": 2, "style": 5, "label": "A"}]}],
        [{"type": 1, "components": [{"type": 2, "style": 9, "label": "A", "custom_id": "a"}]}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "A", "custom_id": "a"}] * 2}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "A" * 81, "custom_id": "a"}]}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "A", "custom_id": str(i)}
                                    for i in range(6)]}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "A", "custom_id": str(i)}]}
         for i in range(6)],
    ],
)  # fmt: skip
def test_bad_components_are_refused(wrong: list[dict[str, object]]) -> None:
    with pytest.raises(ApiError) as refused:
        rules.check_message({"content": "x", "components": wrong}, 0)
    assert refused.value.code == 50035


def test_texts_of_components_v2_count_together_and_exclude_content() -> None:
    text = {"type": 10, "content": "x" * 2001}
    flags = rules.COMPONENTS_V2
    rules.check_message({"components": [text], "flags": flags}, 0)
    for wrong in ({"components": [text, text]}, {"components": [text], "content": "x"}):
        with pytest.raises(ApiError):
            rules.check_message({**wrong, "flags": flags}, 0)


def test_allowed_mentions_decide_who_is_pinged() -> None:
    text = "@everyone @here <@1> <@!2> <@&3>"
    assert rules.pinged(text, None, interaction=True) == ["1", "2"]
    assert rules.pinged(text, None, interaction=False) == ["@everyone", "@here", "1", "2", "3"]
    assert rules.pinged(text, {"parse": []}, interaction=False) == []
    assert rules.pinged(text, {"users": ["2"], "roles": [3]}, interaction=False) == ["2", "3"]
    for wrong in ({"parse": ["all"]}, {"parse": ["users"], "users": ["1"]}):
        with pytest.raises(ApiError):
            rules.check_mentions(wrong)


async def test_an_unknown_route_is_a_violation(server: DiscordServer) -> None:
    async with online(server, Small()) as client:
        with pytest.raises(discord.NotFound):
            await client.fetch_guild(server.guild.id)
    assert len(server.violations()) == 1
    server.unexpected.clear()


def test_a_body_is_checked_against_discords_description(schemas: Schemas | None) -> None:
    if schemas is None:
        pytest.skip("Discord's OpenAPI description is not at hand (DISCORD_OPENAPI)")
    route = "/interactions/{interaction_id}/{interaction_token}/callback"
    assert schemas.violations("POST", route, {"type": 4, "data": {"content": "x"}}) == []
    (wrong,) = schemas.violations("POST", route, {"type": 4, "data": {"content": "x" * 2001}})
    assert "$.data.content" in wrong and "too long" in wrong
    assert schemas.violations("POST", route, None) and schemas.violations("GET", "/nowhere", None)
    assert schemas.violations("GET", "/users/@me", {"x": 1})
