"""The buttons of a story circle, and the form that asks for a sentence."""

import re
from functools import partial
from typing import Self

import discord

from bot import circle, messages
from bot.circle import CircleState
from bot.circle_checks import (
    check_lock,
    check_turn,
    check_voice,
    look_again,
    read_earlier,
    seal_of,
    state_in,
)
from bot.circle_seal import Seal
from bot.circle_texts import CircleText
from bot.circle_turns import Screen, Show, end, explain_circle
from bot.errors import Refusal
from bot.items import PersistentItem
from bot.languages import Language
from bot.names import Name
from bot.permissions import check_owner
from bot.services import Services, services_of
from bot.targets import Response
from bot.translations import Text

_LABELS = {"add": Name.ADD_SENTENCE, "undo": Name.UNDO, "end": Name.THE_END}
_STYLES = {"add": discord.ButtonStyle.primary}


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
        state = state_in(services_of(interaction), self.custom_id)
        assert state is not None, "the id matches"
        await _press(interaction, response, self.action, state)

    async def explain(self, response: Response, error: Exception) -> None:
        """Say what went wrong, also with a thread."""
        await explain_circle(response, error)


def row(seal: Seal, state: CircleState | None, language: Language) -> discord.ui.View:
    """The buttons; none where a circle is over or goes on elsewhere."""
    view = discord.ui.View(timeout=None)
    if state is not None:
        for action in _LABELS:
            view.add_item(CircleButton(action, state.custom_id(action, seal), language))
    return view


def screen_of(services: Services, show: Show, language: Language) -> Screen:
    """A message that shows a circle, with these buttons."""
    return Screen(services, show, language, partial(row, seal_of(services)))


class SentenceForm(discord.ui.Modal):
    """Asks for the next sentence. `circle_form` reads what comes back, after a restart, too."""

    def __init__(self, custom_id: str, hint: str, language: Language) -> None:
        super().__init__(title=language.say(Name.ADD_SENTENCE), custom_id=custom_id)
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
    check_lock(interaction)
    if services.circles.is_writing(message.id):
        raise Refusal(Text.STILL_WRITING)
    person = interaction.user.id
    if action == "add":
        check_voice(interaction)
        check_turn(services, message, state, person)
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
        now, fresh = await look_again(interaction, response, CircleText.CHANGED, state)
        turns = circle.parse(now.content)
        if action == "undo":
            if not turns or not turns[-1].sentence:
                raise Refusal(CircleText.NOTHING_TO_UNDO)
            await screen.put(turns[:-1], fresh.undone().at_rest())
        else:
            earlier = await read_earlier(services, now)
            await end(response, screen, earlier, turns, fresh, message.id)
