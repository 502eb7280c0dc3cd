"""The buttons under a story, and what a press does. They need no memory: see `bot.actions`."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import discord

from bot import explanations, fork, keep, messages
from bot.actions import ASKING, FINAL, TEMPLATE, TURNING, Action, ButtonState
from bot.errors import Refusal
from bot.items import PersistentItem
from bot.languages import Language
from bot.messages import Page
from bot.names import Name
from bot.pages import MOST, warmer
from bot.permissions import check_owner
from bot.requests import Place, Request, candidates_of
from bot.services import services_of
from bot.targets import OLD, Response
from bot.translations import Text

LITTLE_ROOM = 120  # characters: with less, a story goes on in a new message

_STYLES = {
    Action.CONTINUE: discord.ButtonStyle.primary,
    Action.DELETE: discord.ButtonStyle.danger,
    Action.CONFIRM: discord.ButtonStyle.danger,
    Action.STOP: discord.ButtonStyle.danger,
}


class StoryButton(
    PersistentItem[discord.ui.Button[discord.ui.View]],
    template=TEMPLATE,
):
    """A button under a story, new or as old as the message it stands under."""

    def __init__(
        self, action: Action, state: ButtonState, language: Language = Language.ENGLISH
    ) -> None:
        pages = state.pages
        # Nowhere to go: no such temperature, no such page. What says the page leads nowhere at all.
        disabled = action is Action.PAGE
        if action.wilder:
            disabled = warmer(state.shown, action.wilder) == state.shown
        if action.turns:
            disabled = pages is None or pages.turned(action.turns) == pages
        super().__init__(
            discord.ui.Button(
                label=language.say(
                    Name[action.name],
                    number=pages.number if pages else 1,
                    count=pages.count if pages else 1,
                ),
                style=_STYLES.get(action, discord.ButtonStyle.secondary),
                custom_id=state.custom_id(action),
                disabled=disabled,
                row=2 if action in TURNING else None,  # below all others, side by side
            )
        )
        self.action = action
        self.state = state

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Read from its id."""
        return cls(Action(match["action"]), ButtonState.of(match))

    async def press(self, interaction: discord.Interaction, response: Response) -> None:
        """Do what it says."""
        match self.action:
            case Action.STOP:
                await _stop(interaction, response, self.state)
            case Action.DELETE:
                await _ask_to_delete(interaction, response, self.state)
            case Action.CONFIRM:
                await _delete(interaction, response, self.state)
            case Action.CANCEL:
                await response.change_buttons(row(FINAL, self.state, response.language))
            case Action.HOW:
                await explanations.explain_story(interaction, self.state.owner)
            case Action.FORK:
                await fork.fork_story(interaction, response, self.state)
            case Action.KEEP:
                await keep.keep_story(interaction, self.state)
            case _:
                await _rewrite(interaction, response, self.action, self.state)


def row(
    actions: Sequence[Action], state: ButtonState, language: Language = Language.ENGLISH
) -> discord.ui.View:
    """The buttons, named in a language; where a story has several versions, a row to turn them."""
    view = discord.ui.View(timeout=None)
    if actions == FINAL and state.pages is not None and state.pages.count > 1:
        actions = (*actions, *TURNING)
    for action in actions:
        view.add_item(StoryButton(action, state, language))
    return view


async def _stop(interaction: discord.Interaction, response: Response, state: ButtonState) -> None:
    services, message = services_of(interaction), interaction.message
    assert message is not None
    if services.stories.is_writing(message.id):
        check_owner(interaction, state.owner, Text.MAY_NOT_STOP)
        services.stories.stop(message.id)
        await response.acknowledge()
    else:
        await _bring_to_rest(interaction, response, state, FINAL)


async def _bring_to_rest(
    interaction: discord.Interaction,
    response: Response,
    state: ButtonState,
    actions: Sequence[Action],
) -> None:
    """Nobody writes this story, although its message said so when a button was pressed.

    Either the story had just ended, and the message says so by now. Or the bot went away while it
    was being written: whoever presses first brings the message to rest.
    """
    services, message = services_of(interaction), interaction.message
    assert message is not None
    await response.acknowledge()
    now = await services.delivery.send(response.original)
    if now.content == message.content:
        await services.stories.finish_interrupted(response, now.content, state, actions)


async def _ask_to_delete(
    interaction: discord.Interaction, response: Response, state: ButtonState
) -> None:
    """The question stands where the buttons stood: a second press there reaches any message."""
    check_owner(interaction, state.owner, Text.MAY_NOT_DELETE)
    stories, message = services_of(interaction).stories, interaction.message
    assert message is not None
    if stories.is_writing(message.id):
        stories.ask_to_delete(message.id)
        await response.acknowledge()
    elif _says_that_it_is_written(message):
        await _bring_to_rest(interaction, response, state, ASKING)
    else:
        await response.change_buttons(row(ASKING, state, response.language))


def _says_that_it_is_written(message: discord.Message) -> bool:
    buttons = [child for line in message.components if isinstance(line, discord.ActionRow)
               for child in line.children]  # fmt: skip
    prefix = f"pooh:{Action.STOP.value}:"
    return any((button.custom_id or "").startswith(prefix) for button in buttons)


async def _delete(interaction: discord.Interaction, response: Response, state: ButtonState) -> None:
    check_owner(interaction, state.owner, Text.MAY_NOT_DELETE)
    assert interaction.message is not None
    services_of(interaction).stories.stop(interaction.message.id)
    await response.acknowledge()
    await response.remove()


async def _rewrite(
    interaction: discord.Interaction, response: Response, action: Action, state: ButtonState
) -> None:
    """Again, Continue, Wilder, Calmer, and the pages."""
    services, message = services_of(interaction), interaction.message
    assert message is not None
    services.stories.check_has_ended(message.id)
    person = interaction.user.id
    age = services.clock.now() - message.created_at.timestamp()
    pages = state.pages
    ours = pages is not None and candidates_of(pages, services.writer) is not None
    request = follow_up(action, state, message.id, message.content, person, age, ours=ours)
    response.in_place, response.is_private = request.place is not None, request.is_private
    await services.stories.respond(request, response)


def follow_up(
    action: Action,
    state: ButtonState,
    message: int,
    content: str,
    person: int,
    age: float,
    *,
    ours: bool,
) -> Request:
    """What a press asks for: a story in this message if it is theirs, else in a new one.

    No story is lost by it. Another takes its place only where it can be told again, when its page
    is turned to; and it goes on in its place only where it is the only version.

    Args:
        action: Again, Continue, Wilder, Calmer, or to an earlier or a later page.
        state: what the button remembers.
        message: the id of the message it stands under ...
        content: ... and what this says.
        person: who pressed it.
        age: of the message, in seconds.
        ours: the weights of today have told its versions.

    Raises:
        Refusal: the page is of other weights.
    """
    page, pages = messages.parse(content), state.pages
    may_change = person == state.owner and age < OLD
    if action is Action.CONTINUE:
        is_only = pages is None or pages.count == 1
        if may_change and is_only and messages.room(page) >= LITTLE_ROOM:
            return Request(person, state.shown, place=Place(message, page, content, state))
        # Only the prompt's last word was to go on.
        return Request(person, replace(state.shown, whole_word=True), before=page.text)
    place = Place(message, Page(page.prompt), content, state) if may_change else None
    if action.turns:
        if pages is None or not ours:
            raise Refusal(Text.ANOTHER_POOH)
        turned = pages.turned(action.turns)
        return Request(person, state.sampling, page.prompt, place=place, pages=turned)
    if place is not None and pages is not None and ours and pages.count < MOST:
        pages = pages.added(action.wilder)
        return Request(person, state.sampling, place=place, pages=pages)
    return Request(person, warmer(state.shown, action.wilder), page.prompt)
