"""The buttons under a story, and what a press does. They need no memory: see `bot.actions`."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import discord

from bot import messages
from bot.actions import TEMPLATE, WARMER, Action, ButtonState, warmer
from bot.errors import Refusal, explain
from bot.messages import Page
from bot.services import response_to, services_of
from bot.stories import Place, Request
from bot.translations import Language, Text

OLD = 50 * 60  # seconds: Discord allows few edits of messages older than an hour (error 30046)
LITTLE_ROOM = 120  # characters: with less, a story goes on in a new message

_STYLES = {
    Action.CONTINUE: discord.ButtonStyle.primary,
    Action.DELETE: discord.ButtonStyle.danger,
    Action.STOP: discord.ButtonStyle.danger,
}


class StoryButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=TEMPLATE,
):
    """A button under a story, new or as old as the message it stands under."""

    def __init__(
        self, action: Action, state: ButtonState, language: Language = Language.ENGLISH
    ) -> None:
        super().__init__(
            discord.ui.Button(
                label=language.say(Text[action.name]),
                style=_STYLES.get(action, discord.ButtonStyle.secondary),
                custom_id=state.custom_id(action),
                disabled=(action is Action.WILDER and state.warmer(WARMER) == state)
                or (action is Action.CALMER and state.warmer(-WARMER) == state),
            )
        )
        self.action = action
        self.state = state

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Made anew from its id, when it is pressed."""
        return cls(Action(match["action"]), ButtonState.of(match))

    async def callback(self, interaction: discord.Interaction) -> None:
        """Somebody pressed it."""
        await press(interaction, self.action, self.state)


def row(
    actions: Sequence[Action], state: ButtonState, language: Language = Language.ENGLISH
) -> discord.ui.View:
    """A row of buttons, named in a language."""
    view = discord.ui.View(timeout=None)
    for action in actions:
        view.add_item(StoryButton(action, state, language))
    return view


async def press(interaction: discord.Interaction, action: Action, state: ButtonState) -> None:
    """Do what a button says."""
    response = response_to(interaction)
    try:
        if not services_of(interaction).settings.is_allowed(interaction.guild_id):
            raise Refusal(Text.NOT_AT_HOME)
        match action:
            case Action.STOP:
                await _stop(interaction, state)
            case Action.DELETE:
                await _delete(interaction, state)
            case _:
                await _rewrite(interaction, action, state)
    except Exception as error:
        await explain(response, error)


def _check_owner(interaction: discord.Interaction, state: ButtonState, no: Text) -> None:
    moderator = interaction.guild_id and interaction.permissions.manage_messages
    if interaction.user.id != state.owner and not moderator:
        raise Refusal(no)


async def _stop(interaction: discord.Interaction, state: ButtonState) -> None:
    services, message = services_of(interaction), interaction.message
    assert message is not None
    is_writing = services.stories.is_writing(message.id)
    if is_writing:
        _check_owner(interaction, state, Text.MAY_NOT_STOP)
        services.stories.stop(message.id)
    response = response_to(interaction)
    response.in_place = True
    await response.open()
    if is_writing:
        return
    # Either the story had just ended, and the message says so by now. Or the bot went away
    # while it was being written: whoever presses first brings the message to rest.
    now = await services.delivery.send(interaction.original_response)
    if now.content == message.content:
        await services.stories.finish_interrupted(response, now.content, state)


async def _delete(interaction: discord.Interaction, state: ButtonState) -> None:
    _check_owner(interaction, state, Text.MAY_NOT_DELETE)
    assert interaction.message is not None
    services_of(interaction).stories.stop(interaction.message.id)
    response = response_to(interaction)
    response.in_place = True
    await response.open()
    await response.remove()


async def _rewrite(interaction: discord.Interaction, action: Action, state: ButtonState) -> None:
    """Again, Continue, Wilder, Calmer."""
    services, message = services_of(interaction), interaction.message
    assert message is not None
    if services.stories.is_writing(message.id):
        raise Refusal(Text.STILL_WRITING)
    response, person = response_to(interaction), interaction.user.id
    age = services.clock.now() - message.created_at.timestamp()
    request = follow_up(action, state, message.id, message.content, person, age)
    response.in_place = request.place is not None
    await services.stories.respond(request, response)


def follow_up(
    action: Action, state: ButtonState, message: int, content: str, person: int, age: float
) -> Request:
    """What a press asks for: a story in this message if it is theirs, else in a new one.

    A story that was continued stays: what is told anew is a new message then, too.

    Args:
        action: Again, Continue, Wilder or Calmer.
        state: what the button remembers.
        message: the id of the message it stands under ...
        content: ... and what this says.
        person: who pressed it.
        age: of the message, in seconds.
    """
    page = messages.parse(content)
    continued = action is Action.CONTINUE
    sampling = warmer(state.sampling, action.warmth)
    kept = page if continued else Page(page.prompt)
    in_place = person == state.owner and age < OLD
    in_place &= messages.room(page) >= LITTLE_ROOM if continued else not state.continued
    if in_place:
        return Request(person, sampling, place=Place(message, kept, continued, content, state))
    if continued:  # only the prompt's last word was to go on
        return Request(person, replace(sampling, whole_word=True), before=page.text)
    return Request(person, sampling, text=page.prompt)
