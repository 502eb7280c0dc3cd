"""One turn of a story circle: what somebody added is shown, and then what Pooh answers."""

import hashlib
import io
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import discord
from discord.utils import MISSING

from bot import circle, messages, seen
from bot.circle import CircleState, Turn
from bot.circle_texts import CircleText
from bot.errors import (
    Listener,
    Refusal,
    explain,
    is_gone,
    is_transient,
    kind_of,
)
from bot.languages import Language
from bot.messages import Page
from bot.permissions import is_at_home
from bot.prompts import Prompt, read_prompt
from bot.requests import ask_writer
from bot.said import Said
from bot.services import Services, services_of
from bot.targets import Response, why_not_shown
from bot.translations import Text
from bot.worker import Outcome, Story
from model.sentences import first_sentences

KEPT = 1200  # characters of a sentence that is given back: one that was typed may become eighteen
CLOSED_THREAD = frozenset({50083, 160005})  # errors: it is archived, it is locked

_log = logging.getLogger(__name__)

# Puts text and buttons into a message, in one try; its id.
Show = Callable[[str, discord.ui.View], Awaitable[int]]
# The buttons of a circle; none where it is over or goes on elsewhere.
MakeButtons = Callable[[CircleState | None, Language], discord.ui.View]


@dataclass(frozen=True)
class Screen:
    """A message that shows a circle.

    Attributes:
        services: what is needed.
        show: puts something into it.
        language: of the small line and of the buttons.
        make_buttons: what stands below.
    """

    services: Services
    show: Show
    language: Language
    make_buttons: MakeButtons

    async def put(self, turns: Sequence[Turn], state: CircleState, *notes: Said) -> int:
        """Show these turns, and how many there were; the message's id."""
        return await self._put(turns, note(state, self.language, *notes), state)

    async def settle(self, turns: Sequence[Turn], state: CircleState, *notes: Said) -> None:
        """The same, of turns that were shown before: if Discord takes only the buttons, them."""
        await self._put_surely(turns, note(state, self.language, *notes), state)

    async def close(self, turns: Sequence[Turn], small: str) -> None:
        """Show these turns, which were shown before, a small line, and no buttons."""
        await self._put_surely(turns, small, None)

    async def _put_surely(
        self, turns: Sequence[Turn], small: str, state: CircleState | None
    ) -> None:
        try:
            await self._put(turns, small, state)
        except discord.HTTPException as error:
            if not _is_refused(error):
                raise
            _log.warning("only a circle's buttons could be changed: %s", kind_of(error))
            buttons = self.make_buttons(state, self.language)
            await self.services.delivery.send(lambda: self.show(MISSING, buttons))

    async def _put(self, turns: Sequence[Turn], small: str, state: CircleState | None) -> int:
        content, buttons = circle.show(turns, small), self.make_buttons(state, self.language)
        return await self.services.delivery.send(lambda: self.show(content, buttons))


def _is_refused(error: discord.HTTPException) -> bool:
    """Whether Discord takes these words at no time, though their place is there and open."""
    return not (is_gone(error) or is_transient(error) or error.code in CLOSED_THREAD)


def note(state: CircleState, language: Language, *more: Said) -> str:
    """The small line."""
    turn = language.say(CircleText.AT_TURN, number=state.turn, most=circle.TURNS)
    return " · ".join([turn, *map(language.say, more)])


class Keeping:
    """Whoever sent a sentence: is given it back with whatever is said, until it stands there."""

    def __init__(self, response: Response, sentence: str) -> None:
        self._response = response
        self.language = response.language
        self.sentence = sentence

    async def say(self, text: str) -> None:
        """Say something to them."""
        # In a block of code nothing is read as markdown, and it is copied as it was typed.
        if kept := messages.plain(self.sentence)[:KEPT].replace("`", "'").strip():
            text += f"\n{self.language.say(CircleText.YOURS_AGAIN)}\n```\n{kept}\n```"
        await self._response.say(text)


async def explain_circle(target: Listener, error: Exception) -> None:
    """As `errors.explain`; it knows, too, what may be wrong with a thread."""
    said: Said | None = None
    if is_gone(error) and isinstance(target, Keeping) and target.sentence:
        said = CircleText.IS_OVER  # else quietly
    elif isinstance(error, discord.HTTPException) and error.code in CLOSED_THREAD:
        said = CircleText.SHUT
    await explain(target, Refusal(said) if said else error)


def own_id(interaction: discord.Interaction) -> int:
    """The id of the bot as a user."""
    me = interaction.client.user
    assert me is not None, "it has logged in"
    return me.id


def link_to(guild: int | None, channel: int, message: int) -> str:
    """What leads to a message."""
    return f"https://discord.com/channels/{guild or '@me'}/{channel}/{message}"


def remember(interaction: discord.Interaction, message: int, channel: int | None = None) -> None:
    """Nobody begins another circle beside this one.

    Args:
        interaction: where.
        message: the id of what has the buttons.
        channel: the id of its thread, if that was begun just now.
    """
    here, place, pressed = interaction.channel, interaction.channel_id, interaction.message
    assert place is not None
    if pressed is not None and pressed.flags.ephemeral:
        return  # nobody else sees it
    parent = place if channel else None
    if isinstance(here, discord.Thread) and here.owner_id == own_id(interaction):
        parent = here.parent_id
    link = link_to(interaction.guild_id, channel or place, message)
    at_home = is_at_home(interaction)
    services_of(interaction).circles.add(
        message, channel or place, link, parent=parent, at_home=at_home
    )


def read_sentence(interaction: discord.Interaction, keeping: Keeping) -> Prompt:
    """What somebody adds, as plain words: cleaned and checked as a prompt is.

    Args:
        interaction: whose.
        keeping: what was typed; who typed a word that is refused is not given it back.

    Raises:
        Refusal: nothing is left of it, or it holds a word that is refused.
    """
    services = services_of(interaction)
    typed = keeping.sentence
    if services.words.refuses(messages.plain(typed)):
        keeping.sentence = ""
    names = seen.names_for(interaction)
    text = " ".join(seen.spell_out(typed, names, services.clock.now()).split())
    prompt = read_prompt(text, services.writer.vocab, services.words)
    sentence = " ".join(prompt.text.split())
    if not sentence:
        raise Refusal(Text.NO_LETTERS)
    return replace(prompt, text=sentence)


async def ask(interaction: discord.Interaction, before: str, prompt: Prompt | None) -> Story:
    """Ask for Pooh's answer.

    Args:
        interaction: of the one who asks.
        before: the story so far.
        prompt: the sentence that it answers; None where Pooh begins.

    Raises:
        Refusal: a word of it is refused, the queue is full, or the bot is going to sleep.
    """
    services = services_of(interaction)
    text = joined(before, prompt.text if prompt else "")
    if services.words.refuses(text):
        raise Refusal(Text.RATHER_NOT)
    own = (await services.store.server(interaction.guild_id)).sampling  # what this server decided
    sampling = replace(own, length=circle.ANSWER)
    known = services.writer.vocab.clean(text).text  # what an old message holds may not be
    context = messages.last_words(known, circle.CONTEXT)
    sampling = prompt.applied_to(sampling) if prompt else sampling
    return ask_writer(services.writer, interaction.user.id, context, sampling)


async def tell(
    screen: Screen,
    story: Story,
    state: CircleState,
    turns: Sequence[Turn],
    begun: Callable[[int], Awaitable[None]],
) -> tuple[Turn, ...]:
    """Show what was added, and then what Pooh answers.

    Args:
        screen: where.
        story: from the writer.
        state: what the buttons remember.
        turns: what the message shows; the last has no answer yet.
        begun: called with the message's id, when the sentence stands there.

    Returns:
        The turns with the answer, if there is one.
    """
    *rest, last = turns
    services = screen.services
    try:
        message = await screen.put(turns, state, Text.WRITING)
        with services.circles.writing(message):
            await begun(message)
            await story.ended.wait()
            state, whole = state.at_rest(), (*rest, replace(last, answer=_answer(story)))
            missing = [] if whole[-1].answer else [CircleText.SAID_NOTHING]
            try:
                await screen.put(whole, state, *missing)
            except discord.HTTPException as error:
                if not _is_refused(error):
                    raise
                # Discord has let the sentence pass, but not the answer: AutoMod, most of all.
                _log.warning("an answer could not be shown: %s", kind_of(error))
                whole = (*rest, last)
                await screen.settle(whole, state, CircleText.SAID_NOTHING)
    finally:
        services.writer.stop(story)
    return whole


def _answer(story: Story) -> str:
    """One or two sentences of what was written; "" if it was kept from its end before one."""
    text, is_cut = first_sentences(story.text, circle.SENTENCES, story.prompt)
    if not is_cut:
        return text
    return f"{text}..." if story.outcome is Outcome.WRITTEN and text.strip() else ""


def as_file(text: str, name: str) -> discord.File:
    """A text as a file."""
    return discord.File(io.BytesIO(text.encode()), name)


def joined(*texts: str) -> str:
    """Parts of a story, each with paragraphs of its own."""
    return "\n\n".join(filter(None, texts))


async def end(
    response: Response,
    screen: Screen,
    earlier: str,
    turns: Sequence[Turn],
    state: CircleState,
    message: int,
) -> None:
    """Tell the whole story once more, as text, and take the buttons away.

    A circle that may not be told once more is over, too: what was told of it stands above.

    Args:
        response: to a press, or to a form that came back, in which the message was edited.
        screen: the last message of the circle.
        earlier: what was told before this ...
        turns: ... and what it shows.
        state: what its buttons remember.
        message: its id.

    Raises:
        Refusal: it is over, but was not told once more, or not to its end.
    """
    services, language = screen.services, screen.language
    over, why = language.say(CircleText.THE_END, number=state.turn), ""
    text = joined(earlier, circle.text_of(turns))
    try:
        await _retell(services, response, text, over, message)
    except Refusal as refusal:
        why = refusal.within(language)
    except discord.HTTPException as error:
        if not _is_refused(error):
            raise
        _log.warning("a circle could not be told once more: %s", kind_of(error))
        why = why_not_shown(error, language)
    await screen.close(turns, over)
    services.circles.forget(message)
    if why:
        raise Refusal(CircleText.NOT_TOLD_AGAIN, why=why)


async def _retell(
    services: Services, response: Response, text: str, over: str, message: int
) -> None:
    """Tell a story to all, in as many messages as it takes, or in a file.

    It is told once, whoever ends the circle of this message, and whichever process hears them.

    Raises:
        Refusal: a word of it is refused: the list has grown.
    """
    if services.words.refuses(text):
        raise Refusal(Text.RATHER_NOT)
    parts = list(circle.pieces(text))
    small = [
        f"{over} · {i}/{len(parts)}" if len(parts) > 1 else over for i, _ in enumerate(parts, 1)
    ]
    said = [messages.build(Page(story=part), line) for part, line in zip(parts, small, strict=True)]
    make_file: Callable[[], discord.File] | None = None
    if len(parts) > circle.PIECES:
        line = f"{over} · {response.language.say(CircleText.IN_THE_FILE)}"
        said = [messages.build(Page(story=parts[0], cut=True), line)]
        make_file = partial(as_file, text, "story.txt")
    key = hashlib.blake2b(f"{message} {text}".encode(), digest_size=10).hexdigest()
    for number, content in enumerate(said):
        below = response.follow_up(f"{key} {number}")
        await below.tell(services.delivery, content, make_file=make_file)
