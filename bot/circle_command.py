"""`/circle`: where a story circle is begun, and whether there is one already."""

import contextlib
import logging
from typing import Final

import discord

from bot import circle, messages
from bot.circle import CircleState, Turn
from bot.circle_buttons import screen_of
from bot.circle_checks import state_of
from bot.circle_texts import CircleText
from bot.circle_turns import (
    Keeping,
    Show,
    ask,
    explain_circle,
    link_to,
    own_id,
    read_sentence,
    remember,
    tell,
)
from bot.errors import UNREACHABLE, Refusal, kind_of
from bot.languages import Language
from bot.permissions import is_at_home
from bot.services import response_to, services_of
from bot.targets import Response
from model.sentences import first_words
from model.words import WordFilter

NAME = 60  # characters of a thread's name
DAY: Final = 1440  # minutes without a word, after which Discord puts a thread away
LOOK_BACK = 50  # messages in which a circle is looked for ...
THREADS = 5  # ... and in so many threads
THREAD_EXISTS = 160004  # the error: a try before this one has begun it
PLACES = frozenset({discord.ChannelType.text, discord.ChannelType.news})  # that may have threads

_log = logging.getLogger(__name__)


async def begin(interaction: discord.Interaction, typed: str) -> None:
    """Begin a circle with this sentence, or with one of Pooh's."""
    response = response_to(interaction)
    keeping = Keeping(response, typed)
    try:
        await _begin(interaction, response, keeping)
    except Exception as error:
        await explain_circle(keeping, error)


async def _begin(interaction: discord.Interaction, response: Response, keeping: Keeping) -> None:
    services, place = services_of(interaction), interaction.channel_id
    assert place is not None
    if (there := services.circles.find(place)) is not None:
        raise _already(there.link)
    prompt = read_sentence(interaction, keeping) if keeping.sentence.strip() else None
    person = interaction.user.id
    services.stories.check_rate_limit(person)
    with services.circles.beginning(place):
        await response.open()
        if link := await _find(interaction, place):
            raise _already(link)
        story = await ask(interaction, "", prompt)
        sentence, state = "", CircleState(person).writing()
        if prompt is not None:
            sentence, state = prompt.text, CircleState(person).after(person)
        thread: discord.Thread | None = None
        stands = False

        async def begun(message: int) -> None:
            nonlocal stands
            stands, keeping.sentence = True, ""
            if is_at_home(interaction) or not await _is_private(interaction):
                remember(interaction, message, thread.id if thread else None)

        try:
            if _may_begin_thread(interaction):
                thread = await _begin_thread(interaction, response, sentence)
            show = _in_thread(interaction, thread) if thread else response.show
            screen = screen_of(services, show, response.language)
            await tell(screen, story, state, [Turn(sentence)], begun)
        except UNREACHABLE:
            if not stands:  # nothing may look as if there were a circle
                await _take_back(response, thread)
            raise
        finally:
            services.writer.stop(story)


def _already(link: str) -> Refusal:
    if not link:
        return Refusal(CircleText.JUST_BEGINNING)
    return Refusal(CircleText.HERE_ALREADY, link=link)


async def _is_private(interaction: discord.Interaction) -> bool:
    """Whether only the one who asked sees the answer: a server may want that of users' apps.

    Where Discord does not say it, nobody is led there; the circle goes on all the same.
    """
    delivery = services_of(interaction).delivery
    try:
        return (await delivery.send(interaction.original_response)).flags.ephemeral
    except UNREACHABLE as error:
        _log.warning("nobody is led to a circle: %s", kind_of(error))
        return True


async def _take_back(response: Response, thread: discord.Thread | None) -> None:
    """Take the announcement away, and put the thread away: to delete it is for moderators."""
    with contextlib.suppress(*UNREACHABLE):
        await response.remove()
    if thread is not None:
        with contextlib.suppress(*UNREACHABLE):
            await thread.edit(archived=True)


def _in_thread(interaction: discord.Interaction, thread: discord.Thread) -> Show:
    """What sends a message into a thread, and edits it from then on."""
    first: discord.Message | None = None

    async def show(content: str, view: discord.ui.View) -> int:
        nonlocal first
        if first is None:  # the nonce: should the answer get lost, no second one is sent
            first = await thread.send(content, view=view, nonce=interaction.id)
        else:
            await first.edit(content=content, view=view)
        return first.id

    return show


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
) -> discord.Thread | None:
    """A thread that hangs from the answer to the command; None if Discord has none."""
    services, language, place = services_of(interaction), response.language, interaction.channel_id
    assert place is not None
    name = _thread_name(sentence, services.words, language)
    begun = language.say(CircleText.BEGUN)
    message = await services.delivery.send(
        lambda: response.show(begun, discord.ui.View(timeout=None))
    )
    channel = interaction.client.get_partial_messageable(place, guild_id=interaction.guild_id)
    at = channel.get_partial_message(message)
    try:
        return await services.delivery.send(
            lambda: at.create_thread(name=name, auto_archive_duration=DAY)
        )
    except discord.HTTPException as error:
        if error.code != THREAD_EXISTS:
            return None
    # Such a thread has the id of the message that it hangs from.
    found = await services.delivery.send(lambda: interaction.client.fetch_channel(message))
    return found if isinstance(found, discord.Thread) else None


def _thread_name(sentence: str, words: WordFilter, language: Language) -> str:
    """The first words of a circle, or what it is."""
    name = first_words(" ".join(messages.plain(sentence).split()), NAME)
    # What is innocent in the sentence may be nothing but dots where it is cut: "spick" and span.
    is_name = bool(name.strip(".")) and not words.refuses(name)
    return name if is_name else language.say(CircleText.NAME)


async def _find(interaction: discord.Interaction, place: int) -> str:
    """The link to a circle that was begun before the bot's last start; "" if none is seen."""
    services, client, me = services_of(interaction), interaction.client, own_id(interaction)
    if not is_at_home(interaction):
        return ""
    threads: list[int] = []
    if (guild := interaction.guild) is not None:
        threads = sorted(
            thread.id
            for thread in guild.threads
            if thread.parent_id == place and thread.owner_id == me
        )
    for channel in (place, *threads[-THREADS:]):
        there = client.get_partial_messageable(channel, guild_id=interaction.guild_id)
        with contextlib.suppress(*UNREACHABLE):  # what cannot be read is not there
            async for message in there.history(limit=LOOK_BACK):
                if message.author.id != me or not state_of(services, message):
                    continue
                changed = message.edited_at or message.created_at
                if services.clock.now() - changed.timestamp() < circle.REST:
                    return link_to(interaction.guild_id, channel, message.id)
    return ""
