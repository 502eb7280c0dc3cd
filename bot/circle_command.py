"""`/circle`: where a story circle is begun, and whether there is one already."""

import contextlib
from typing import Final

import discord

from bot import circle, messages
from bot.circle import CircleState, Turn
from bot.circle_buttons import row, screen_of, state_of
from bot.circle_texts import CircleText
from bot.circle_turns import (
    Show,
    ask,
    explain_circle,
    is_at_home,
    link_to,
    read_sentence,
    remember,
    tell,
)
from bot.errors import UNREACHABLE, Refusal
from bot.services import response_to, services_of
from bot.targets import Response
from bot.translations import Language

NAME = 60  # characters of a thread's name
DAY: Final = 1440  # minutes without a word, after which Discord puts a thread away
LOOK_BACK = 50  # messages in which a circle is looked for ...
THREADS = 5  # ... and in so many threads
THREAD_EXISTS = 160004  # the error: a try before this one has begun it
PLACES = frozenset({discord.ChannelType.text, discord.ChannelType.news})  # that may have threads


async def begin(interaction: discord.Interaction, typed: str) -> None:
    """Begin a circle with this sentence, or with one of Pooh's.

    Raises:
        Refusal: there is one already, or there can be none.
    """
    services, response, place = (
        services_of(interaction), response_to(interaction), interaction.channel_id
    )  # fmt: skip
    assert place is not None
    if (there := services.circles.find(place)) is not None:
        raise _already(there.link)
    prompt = read_sentence(interaction, typed) if typed.strip() else None
    person, language = interaction.user.id, response.language
    services.stories.check_rate_limit(person)
    with services.circles.beginning(place):
        try:
            await response.open()
            if link := await _find(interaction, place):
                raise _already(link)
            story = await ask(interaction, "", prompt)
            try:
                show, thread = await _place(interaction, response, prompt.text if prompt else "")

                async def begun(message: int) -> None:
                    remember(interaction, message, thread)

                state = CircleState(person)
                state = state.after(person) if prompt else state.writing()
                turn = Turn(prompt.text if prompt else "")
                await tell(screen_of(services, show, language), story, state, [turn], begun)
            finally:
                services.writer.stop(story)
        except Exception as error:
            await explain_circle(response, error)


def _already(link: str) -> Refusal:
    if not link:
        return Refusal(CircleText.JUST_BEGINNING)
    return Refusal(CircleText.HERE_ALREADY, link=link)


async def _place(
    interaction: discord.Interaction, response: Response, sentence: str
) -> tuple[Show, int | None]:
    """Where the circle is shown: in a new thread, if there can be one; else in the answer.

    Returns:
        What shows it, and the id of the thread.
    """
    thread = None
    if _may_begin_thread(interaction):
        thread = await _begin_thread(interaction, response, sentence)
    if thread is None:
        return response.show, None
    channel = interaction.client.get_partial_messageable(thread, guild_id=interaction.guild_id)
    first: discord.Message | None = None

    async def show(content: str, view: discord.ui.View) -> int:
        nonlocal first
        if first is None:  # the nonce: should the answer get lost, no second one is sent
            first = await channel.send(content, view=view, nonce=interaction.id)
        else:
            await first.edit(content=content, view=view)
        return first.id

    return show, thread


def _may_begin_thread(interaction: discord.Interaction) -> bool:
    """Whether there can be a thread, and both may begin one and write there."""
    channel = interaction.channel
    if not interaction.is_guild_integration() or channel is None or channel.type not in PLACES:
        return False
    mine, theirs = interaction.app_permissions, interaction.permissions
    both = discord.Permissions(mine.value & theirs.value)
    return mine.view_channel and both.create_public_threads and both.send_messages_in_threads


async def _begin_thread(
    interaction: discord.Interaction, response: Response, sentence: str
) -> int | None:
    """A thread that hangs from the answer to the command; its id, or None if Discord has none."""
    services, language, place = services_of(interaction), response.language, interaction.channel_id
    assert place is not None
    name = _thread_name(sentence, language)
    begun = language.say(CircleText.BEGUN)
    message = await services.delivery.send(lambda: response.show(begun, row(None, language)))
    channel = interaction.client.get_partial_messageable(place, guild_id=interaction.guild_id)
    at = channel.get_partial_message(message)
    try:
        await services.delivery.send(lambda: at.create_thread(name=name, auto_archive_duration=DAY))
    except discord.HTTPException as error:
        return message if error.code == THREAD_EXISTS else None
    return message  # such a thread has the id of the message that it hangs from


def _thread_name(sentence: str, language: Language) -> str:
    """The first words of a circle, or what it is."""
    words = " ".join(messages.plain(sentence).split())
    if len(words) > NAME:
        words = f"{words[:NAME].rpartition(' ')[0] or words[:NAME]}..."
    return words or language.say(CircleText.NAME)


async def _find(interaction: discord.Interaction, place: int) -> str:
    """The link to a circle that was begun before the bot's last start; "" if none is seen."""
    services, client = services_of(interaction), interaction.client
    if not is_at_home(interaction):
        return ""
    threads: list[int] = []
    if (guild := interaction.guild) is not None:
        threads = sorted(
            thread.id
            for thread in guild.threads
            if thread.parent_id == place and thread.owner_id == interaction.application_id
        )
    for channel in (place, *threads[-THREADS:]):
        there = client.get_partial_messageable(channel, guild_id=interaction.guild_id)
        with contextlib.suppress(*UNREACHABLE):  # what cannot be read is not there
            async for message in there.history(limit=LOOK_BACK):
                if message.author.id != interaction.application_id or not state_of(message):
                    continue
                changed = message.edited_at or message.created_at
                if services.clock.now() - changed.timestamp() < circle.REST:
                    return link_to(interaction.guild_id, channel, message.id)
    return ""
