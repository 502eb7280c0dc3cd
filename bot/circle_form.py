"""A form of a story circle has come back: its sentence is added, and Pooh answers."""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord

from bot import circle
from bot.circle import CircleState, Turn
from bot.circle_buttons import screen_of
from bot.circle_checks import (
    EARLIER,
    check_lock,
    check_turn,
    check_voice,
    look_again,
    read_earlier,
    seal_of,
    state_of,
)
from bot.circle_texts import CircleText
from bot.circle_turns import (
    Keeping,
    as_file,
    ask,
    end,
    explain_circle,
    joined,
    read_sentence,
    remember,
    tell,
)
from bot.errors import UNREACHABLE, Refusal
from bot.followups import FollowUp
from bot.services import response_to, services_of
from bot.targets import OLD, Response
from bot.translations import Text

_log = logging.getLogger(__name__)


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
    check_lock(interaction)
    check_voice(interaction)
    prompt = read_sentence(interaction, keeping)
    state = state_of(services, message)
    if state is None:
        raise Refusal(CircleText.IS_OVER)
    changed = (state.turn, state.last) != (form.turn, form.last)
    if changed or services.circles.is_writing(message.id):
        raise Refusal(CircleText.QUICKER)
    check_turn(services, message, state, person)
    services.stories.check_rate_limit(person)
    with services.circles.writing(message.id):
        now, state = await look_again(interaction, response, CircleText.QUICKER, state)
        turns = circle.parse(now.content)
        earlier = await read_earlier(services, now)
        before = joined(earlier, circle.text_of(turns))
        state = state.after(person)
        story = await ask(interaction, before, prompt)
        page = _Page(interaction, response, keeping)
        age = services.clock.now() - now.created_at.timestamp()
        if age >= OLD or not circle.fits(turns, prompt.text):
            below = response.follow_up(str(interaction.id))
            page = replace(page, closing=turns, earlier=before, below=below)
            turns, earlier = (), before
        screen = screen_of(services, page.show, response.language)
        turns = await tell(screen, story, state, (*turns, Turn(prompt.text)), page.begun)
        if state.turn >= circle.TURNS:
            with services.circles.writing(page.message):  # a new one has buttons by now
                await end(response, screen, earlier, turns, state, page.message)


@dataclass
class _Page:
    """The message that a sentence is added to: that which was pressed, or a new one after it.

    Attributes:
        interaction: the form that came back.
        response: to it.
        keeping: who is to be given the sentence back no more, when it stands there.
        closing: the turns of the message before, if this is a new one ...
        earlier: ... all that was told before this one ...
        below: ... and the new one.
        message: its id, when it is known.
    """

    interaction: discord.Interaction
    response: Response
    keeping: Keeping
    closing: Sequence[Turn] | None = None
    earlier: str = ""
    below: FollowUp | None = None
    message: int = 0

    async def show(self, content: str, view: discord.ui.View) -> int:
        """Put this into it."""
        if self.below is None:
            return await self.response.show(content, view)
        if not self.interaction.app_permissions.attach_files:
            # Then only this message is known when the circle ends.
            return await self.below.show(content, view)
        return await self.below.show(content, view, lambda: as_file(self.earlier, EARLIER))

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
