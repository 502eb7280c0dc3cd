"""The buttons of a story circle, the form for a sentence, and what becomes of it.

Whatever is pressed is judged by what the message says at that moment, as Discord has it: so nobody
writes over what somebody else has added, whichever process answers.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import discord

from bot import circle, messages
from bot.circle import CircleState, Turn
from bot.circle_seal import Seal
from bot.circle_texts import CircleText
from bot.circle_turns import (
    Keeping,
    Screen,
    Show,
    as_file,
    ask,
    end,
    explain_circle,
    is_at_home,
    joined,
    read_sentence,
    remember,
    tell,
)
from bot.errors import UNREACHABLE, Refusal
from bot.items import PersistentItem
from bot.permissions import check_owner
from bot.services import Services, response_to, services_of
from bot.targets import OLD, Response
from bot.translations import Language, Text

EARLIER = "earlier.txt"  # holds what was told before a message that goes on from another
_LABELS = {"add": Text.ADD_SENTENCE, "undo": Text.UNDO, "end": Text.THE_END}
_STYLES = {"add": discord.ButtonStyle.primary}

_log = logging.getLogger(__name__)


class CircleButton(PersistentItem[discord.ui.Button[discord.ui.View]], template=circle.TEMPLATE):
    """A button of a circle, new or as old as the message it stands under."""

    def __init__(self, action: str, custom_id: str, language: Language = Language.ENGLISH) -> None:
        super().__init__(
            discord.ui.Button(
                label=language.say(_LABELS[action]),
                style=_STYLES.get(action, discord.ButtonStyle.secondary),
                custom_id=custom_id,
            )
        )
        self.action = action

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Read from its id."""
        return cls(match["action"], match.string)

    async def press(self, interaction: discord.Interaction, response: Response) -> None:
        """Do what it says."""
        state = _state_in(services_of(interaction), self.custom_id)
        assert state is not None, "the id matches"
        await _press(interaction, response, self.action, state)

    async def explain(self, response: Response, error: Exception) -> None:
        """Say what went wrong, also with a thread."""
        await explain_circle(response, error)


def row(seal: Seal, state: CircleState | None, language: Language) -> discord.ui.View:
    """The buttons; none where a circle is over or goes on elsewhere."""
    view = discord.ui.View(timeout=None)
    for action in _LABELS if state else ():
        assert state is not None
        view.add_item(CircleButton(action, state.custom_id(action, seal), language))
    return view


def screen_of(services: Services, show: Show, language: Language) -> Screen:
    """A message that shows a circle, with these buttons."""
    return Screen(services, show, language, partial(row, seal_of(services)))


def seal_of(services: Services) -> Seal:
    """What enciphers who wrote, and reads it again: with this host's key."""
    return Seal(services.store.secret("circle"))


def state_of(services: Services, message: discord.Message) -> CircleState | None:
    """What the buttons under a message remember; None if it has none of a circle."""
    for line in message.components:
        for child in line.children if isinstance(line, discord.ActionRow) else ():
            if (state := _state_in(services, child.custom_id or "")) is not None:
                return state
    return None


def _state_in(services: Services, custom_id: str) -> CircleState | None:
    match = re.fullmatch(circle.TEMPLATE, custom_id)
    return CircleState.of(match, seal_of(services)) if match else None


class SentenceForm(discord.ui.Modal):
    """Asks for the next sentence. What comes back is read by `read_form`, after a restart, too."""

    def __init__(self, custom_id: str, hint: str, language: Language) -> None:
        super().__init__(title=language.say(Text.ADD_SENTENCE), custom_id=custom_id)
        field = discord.ui.TextInput[Self](
            custom_id="sentence",
            style=discord.TextStyle.paragraph,
            placeholder=hint or None,
            max_length=circle.SENTENCE,
        )
        label = language.say(CircleText.YOUR_SENTENCE)
        self.add_item(discord.ui.Label[Self](text=label, component=field))
        self.stop()  # discord.py need not remember it


async def _press(
    interaction: discord.Interaction, response: Response, action: str, state: CircleState
) -> None:
    services, message = services_of(interaction), interaction.message
    assert message is not None
    _check_lock(interaction)
    if services.circles.is_writing(message.id):
        raise Refusal(Text.STILL_WRITING)
    person = interaction.user.id
    if action == "add":
        _check_voice(interaction)
        _check_turn(services, message, state, person)
        story = circle.text_of(circle.parse(message.content))
        hint = " ".join(messages.last_words(story, 100).split())
        if services.words.refuses(hint):  # where it is cut, and not in all of it
            hint = ""
        form = SentenceForm(state.form_id(seal_of(services)), hint, response.language)
        await response.ask(form)
        return
    if action == "undo":
        check_owner(interaction, state.last, CircleText.MAY_NOT_UNDO)
    else:
        check_owner(interaction, state.starter, CircleText.MAY_NOT_END)
    screen = screen_of(services, response.show, response.language)
    with services.circles.writing(message.id):
        now, fresh = await _look_again(interaction, response, CircleText.CHANGED, state)
        turns = circle.parse(now.content)
        if action == "undo":
            if not turns or not turns[-1].sentence:
                raise Refusal(CircleText.NOTHING_TO_UNDO)
            await screen.put(turns[:-1], fresh.undone().at_rest())
        else:
            await end(interaction, screen, await _earlier(services, now), turns, fresh)
            services.circles.forget(message.id)


def _check_lock(interaction: discord.Interaction) -> None:
    """Whether anybody may change anything there.

    Raises:
        Refusal: the thread is locked.
    """
    channel = interaction.channel
    locked = isinstance(channel, discord.Thread) and channel.locked
    if locked and not interaction.permissions.manage_threads:
        raise Refusal(CircleText.SHUT)


def _check_voice(interaction: discord.Interaction) -> None:
    """Whether this person may write there at all: to press a button, nobody needs to.

    Raises:
        Refusal: the server does not let them.
    """
    may, in_thread = interaction.permissions, isinstance(interaction.channel, discord.Thread)
    may_write = may.send_messages_in_threads if in_thread else may.send_messages
    if interaction.guild_id is not None and not may_write:
        raise Refusal(CircleText.NO_VOICE)


def _check_turn(
    services: Services, message: discord.Message, state: CircleState, person: int
) -> None:
    """Whether this person may add a sentence now.

    Raises:
        Refusal: not now.
    """
    if _is_being_written(services, message, state):
        raise Refusal(Text.STILL_WRITING)
    if state.turn >= circle.TURNS:
        raise Refusal(CircleText.FULL, most=circle.TURNS)
    if not state.may_add(person, _idle(services, message)):
        raise Refusal(CircleText.NOT_TWICE, minutes=round(circle.ALONE / 60))


def _is_being_written(services: Services, message: discord.Message, state: CircleState) -> bool:
    """Whether another process may be writing there: the message says so, and is new."""
    return state.is_writing and _idle(services, message) < circle.STALE


def _idle(services: Services, message: discord.Message) -> float:
    """Seconds since the message changed."""
    changed = message.edited_at or message.created_at
    return services.clock.now() - changed.timestamp()


async def _look_again(
    interaction: discord.Interaction, response: Response, changed: CircleText, state: CircleState
) -> tuple[discord.Message, CircleState]:
    """Say that the press was heard, and see what the message says now.

    Args:
        interaction: a press, or a form that came back.
        response: to it.
        changed: what to say if the message ...
        state: ... is not any more what this person saw.

    Raises:
        Refusal: it has changed, or somebody is about to change it, or the circle is over.
    """
    services, channel = services_of(interaction), interaction.channel
    await response.acknowledge()
    if isinstance(channel, discord.Thread) and channel.archived and is_at_home(interaction):
        try:
            await services.delivery.send(lambda: channel.edit(archived=False))
        except discord.Forbidden:
            raise Refusal(CircleText.SHUT) from None
    now = await services.delivery.send(response.original)
    fresh = state_of(services, now)
    if fresh is None:
        raise Refusal(CircleText.IS_OVER)
    if (fresh.turn, fresh.last) != (state.turn, state.last):
        raise Refusal(changed)
    if _is_being_written(services, now, fresh):
        raise Refusal(Text.STILL_WRITING)
    return now, fresh


async def _earlier(services: Services, message: discord.Message) -> str:
    """What was told before this message."""
    for attachment in message.attachments:
        if attachment.filename == EARLIER:
            return (await services.delivery.send(attachment.read)).decode()
    return ""


async def read_form(interaction: discord.Interaction) -> None:
    """A form has come back; if it is one of a circle, its sentence is added."""
    data: Any = interaction.data
    match = re.fullmatch(circle.FORM, data["custom_id"])
    if match is None:
        return
    response = response_to(interaction)
    typed = next(_values(data["components"]), "")
    keeping = Keeping(response, typed)
    try:
        form = CircleState.of_form(match, seal_of(services_of(interaction)))
        await _add(interaction, response, form, keeping)
    except Exception as error:
        await explain_circle(keeping, error)


def _values(components: Any) -> Iterator[str]:  # noqa: ANN401 -- JSON
    for component in components:
        if "value" in component:
            yield component["value"]
        inside = component.get("component")
        yield from _values(component.get("components") or ([inside] if inside else []))


async def _add(
    interaction: discord.Interaction, response: Response, form: CircleState, keeping: Keeping
) -> None:
    """Add a sentence.

    Args:
        interaction: the form that came back.
        response: to it.
        form: the turn and the last writer that it was shown for.
        keeping: who is given the sentence back if it is not added.
    """
    services, message, person = services_of(interaction), interaction.message, interaction.user.id
    assert message is not None
    if not services.settings.is_allowed(interaction.guild_id):  # a form is no `PersistentItem`
        raise Refusal(Text.NOT_AT_HOME)
    _check_lock(interaction)
    _check_voice(interaction)
    prompt = read_sentence(interaction, keeping)
    state = state_of(services, message)
    if state is None:
        raise Refusal(CircleText.IS_OVER)
    changed = (state.turn, state.last) != (form.turn, form.last)
    if changed or services.circles.is_writing(message.id):
        raise Refusal(CircleText.QUICKER)
    _check_turn(services, message, state, person)
    services.stories.check_rate_limit(person)
    with services.circles.writing(message.id):
        now, state = await _look_again(interaction, response, CircleText.QUICKER, state)
        turns = circle.parse(now.content)
        earlier = await _earlier(services, now)
        before = joined(earlier, circle.text_of(turns))
        state = state.after(person)
        story = await ask(interaction, before, prompt)
        page = _Page(interaction, response, keeping)
        age = services.clock.now() - now.created_at.timestamp()
        if age >= OLD or not circle.fits(turns, prompt.text):
            page = replace(page, closing=turns, earlier=before)
            turns, earlier = (), before
        screen = screen_of(services, page.show, response.language)
        turns = await tell(screen, story, state, (*turns, Turn(prompt.text)), page.begun)
        if state.turn >= circle.TURNS:
            await end(interaction, screen, earlier, turns, state)
            services.circles.forget(page.message)


@dataclass
class _Page:
    """The message that a sentence is added to: that which was pressed, or a new one after it.

    Attributes:
        interaction: the form that came back.
        response: to it.
        keeping: who is to be given the sentence back no more, when it stands there.
        closing: the turns of the message before, if this is a new one ...
        earlier: ... and all that was told before this one.
        message: its id, when it is known.
    """

    interaction: discord.Interaction
    response: Response
    keeping: Keeping
    closing: Sequence[Turn] | None = None
    earlier: str = ""
    message: int = 0
    _sent: discord.WebhookMessage | None = None

    async def show(self, content: str, view: discord.ui.View) -> int:
        """Put this into it."""
        if self.closing is None:
            return await self.response.show(content, view)
        if self._sent is not None:
            await self._sent.edit(content=content, view=view)
        elif self.interaction.app_permissions.attach_files:
            file = as_file(self.earlier, EARLIER)
            send = self.interaction.followup.send
            self._sent = await send(content, view=view, file=file, wait=True)
        else:  # then only this message is known when the circle ends
            self._sent = await self.interaction.followup.send(content, view=view, wait=True)
        return self._sent.id

    async def begun(self, message: int) -> None:
        """The sentence stands there: what was before has no buttons any more."""
        self.message, self.keeping.sentence = message, ""
        remember(self.interaction, message)
        if self.closing is not None:
            language = self.response.language
            before = screen_of(services_of(self.interaction), self.response.show, language)
            try:
                await before.close(self.closing, language.say(CircleText.GOES_ON))
            except UNREACHABLE as error:  # it is gone, or keeps its buttons
                _log.info("a circle's last message stays as it is: %s", type(error).__name__)
