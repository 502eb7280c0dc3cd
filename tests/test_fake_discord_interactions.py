"""The stand-in's interactions: commands, buttons, menus, choices, follow-ups."""

import asyncio
import io

import aiohttp
import discord
import pytest

from tests.fake_discord import (
    PRIVATE,
    DiscordServer,
    RefusedError,
)
from tests.small_client import Small, buttons, clock_of, online


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
