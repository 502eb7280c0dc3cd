"""The stand-in's threads and modals, as the real discord.py meets them."""

from typing import Any

import discord
import pytest

from tests.fake_discord import ApiError, DiscordServer, RefusedError
from tests.fake_discord.forms import check_modal
from tests.fake_discord.models import CREATE_THREADS, MANAGE_THREADS, NEWS, SEND_IN_THREADS, VIEW
from tests.small_client import Small, buttons, online


class Form(discord.ui.Modal, title="A form"):
    text = discord.ui.Label[Any](
        text="Words", component=discord.ui.TextInput(custom_id="words", max_length=10)
    )


async def test_a_modal_is_shown_filled_in_and_answered(server: DiscordServer) -> None:
    read: list[tuple[str, int | None]] = []

    class Asking(Form):
        async def on_submit(self, interaction: discord.Interaction) -> None:
            assert isinstance(self.text.component, discord.ui.TextInput)
            source = interaction.message.id if interaction.message else None
            read.append((self.text.component.value, source))
            if source:
                await interaction.response.edit_message(content="edited")
            else:
                view = buttons("again")
                await interaction.response.send_message("sent", view=view)

    async def answer(interaction: discord.Interaction) -> None:
        if interaction.type is not discord.InteractionType.modal_submit:
            await interaction.response.send_modal(Asking())

    async with online(server, client := Small(answer)):
        kanga, roo = server.person("Kanga"), server.person("Roo")
        use = kanga.command("pooh")
        await server.until(lambda: use.modal)
        for wrong in ({"words": ""}, {"words": "x" * 11}, {"other": "x"}):
            with pytest.raises(RefusedError):
                kanga.submit(use, **wrong)
        with pytest.raises(RefusedError):
            roo.submit(use, words="x")
        message = await kanga.submit(use, words="hallo").answer()
        press = roo.press(message, "Again")
        await server.until(lambda: press.modal)
        roo.submit(press, words="oh")
        await server.until(lambda: message.content == "edited")
        assert read == [("hallo", None), ("oh", message.id)] and not client.problems


LABEL: dict[str, Any] = {"type": 18, "label": "L", "component": {"type": 4, "custom_id": "a"}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"custom_id": ""},
        {"title": "x" * 46},
        {"components": []},
        {"components": [LABEL] * 2},
        {"components": [LABEL | {"label": "x" * 46}]},
        {"components": [LABEL | {"component": {"type": 2, "custom_id": "a"}}]},
        {"components": [LABEL | {"component": LABEL["component"] | {"placeholder": "x" * 101}}]},
        {"components": [LABEL | {"component": LABEL["component"] | {"max_length": 4001}}]},
    ],
)
def test_bad_modals_are_refused(wrong: dict[str, Any]) -> None:
    good = {"custom_id": "m", "title": "T", "components": [LABEL]}
    check_modal(good)
    with pytest.raises(ApiError) as refused:
        check_modal(good | wrong)
    assert refused.value.code == 50035


async def refused(request: Any, code: int) -> None:  # noqa: ANN401 -- any awaitable
    with pytest.raises(discord.HTTPException) as error:
        await request
    assert error.value.code == code


async def test_a_thread_hangs_from_a_message_where_the_bot_may_begin_one(
    server: DiscordServer,
) -> None:
    async with online(server, client := Small()):
        guild = client.get_guild(server.guild.id)
        assert guild is not None
        channel = guild.get_channel(server.channel.id)
        assert isinstance(channel, discord.TextChannel)
        message = await channel.send("A story")
        thread = await message.create_thread(name="Circle")
        assert thread.id == message.id and thread.owner_id == server.application_id
        await server.until(lambda: guild.get_thread(thread.id))
        await refused(message.create_thread(name="Twice"), 160004)
        inside = await thread.send("Once")
        stored = server.channels[thread.id]
        assert stored.messages[inside.id].channel.parent is server.channel
        await refused(inside.create_thread(name="Deeper"), 50024)
        other = await channel.send("Another")
        server.guild.active_threads = 1
        await refused(other.create_thread(name="One more"), 160006)
        server.guild.active_threads = 9
        server.channel.bot_permissions &= ~CREATE_THREADS
        await refused(other.create_thread(name="No"), 50013)
        server.channel.bot_permissions &= ~VIEW
        await refused(other.create_thread(name="No"), 50001)
        stored.bot_permissions &= ~SEND_IN_THREADS
        await refused(thread.send("No"), 50013)
        dm = await client.get_partial_messageable(server.dm(server.person()).id).send("x")
        begin = client.http.start_thread_with_message
        await refused(begin(dm.channel.id, dm.id, name="x", auto_archive_duration=60), 50024)
        server.remove_channel(server.channel)
        await server.until(lambda: guild.get_thread(thread.id) is None)


async def test_threads_of_news_channels_and_such_without_a_message(server: DiscordServer) -> None:
    server.channel.kind = NEWS
    other = server.add_channel(server.guild)
    async with online(server, client := Small()):
        guild = client.get_guild(server.guild.id)
        assert guild is not None
        news, text = guild.get_channel(server.channel.id), guild.get_channel(other.id)
        assert isinstance(news, discord.TextChannel) and isinstance(text, discord.TextChannel)
        thread = await (await news.send("x")).create_thread(name="n", auto_archive_duration=60)
        assert thread.type is discord.ChannelType.news_thread
        private = await text.create_thread(name="p")
        public = await text.create_thread(name="q", type=discord.ChannelType.public_thread)
        assert private.is_private() and not public.is_private()
        await refused(news.create_thread(name="p"), 50035)
        await public.leave()
        await public.join()
        active = await guild.active_threads()
        assert {thread.id for thread in active} == {thread.id, private.id, public.id}


async def test_an_archived_thread_keeps_its_messages_and_a_locked_one_is_shut(
    server: DiscordServer,
) -> None:
    async with online(server, client := Small()):
        guild = client.get_guild(server.guild.id)
        assert guild is not None
        channel = guild.get_channel(server.channel.id)
        assert isinstance(channel, discord.TextChannel)
        thread = await (await channel.send("x")).create_thread(name="t")
        stored, message = server.channels[thread.id], await thread.send("x")
        await thread.edit(archived=True)
        assert stored.archived
        await refused(message.edit(content="y"), 50083)
        await refused(thread.join(), 50083)
        await thread.send("it wakes")
        assert not stored.archived
        await message.edit(content="y")
        await refused(thread.edit(locked=True), 50013)
        server.change_thread(stored, archived=True, locked=True)
        await server.until(lambda: thread.id not in {t.id for t in guild.threads} or thread.locked)
        await refused(thread.send("no"), 160005)
        await refused(thread.edit(archived=False), 50013)
        stored.bot_permissions |= MANAGE_THREADS
        await thread.edit(archived=False, locked=False)
        assert not stored.archived and not stored.locked
