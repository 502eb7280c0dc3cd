"""The buttons under a story. They need no memory: all they know is in their ids and the message."""

import enum
import re
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import discord

from bot.translations import Language, Text
from model.sampling import MAX_TEMPERATURE, Sampling

WARMER = 0.2  # how much wilder Wilder is
MAX_LENGTH = 1500  # characters of a story
MAX_TOP_K = 100
MIN_TOP_P = 0.01
_DECIMAL = r"[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?"  # as Python writes it

_Number = TypeVar("_Number", int, float)


class Action(enum.StrEnum):
    """What a button does; the value stands in its id."""

    AGAIN = "again"
    CONTINUE = "continue"
    WILDER = "wilder"
    CALMER = "calmer"
    STOP = "stop"
    DELETE = "delete"


WRITING = (Action.STOP, Action.DELETE)  # under a story that is being written
# ... and under one that has ended.
FINAL = (Action.AGAIN, Action.CONTINUE, Action.WILDER, Action.CALMER, Action.DELETE)


@dataclass(frozen=True)
class Wish:
    """Whose story it is and how it is written: what the buttons under it remember.

    Attributes:
        owner: who asked for it.
        sampling: how; the seed is not remembered.
        continued: it has more than one part: no other story may take its place.
    """

    owner: int
    sampling: Sampling
    continued: bool = False

    def custom_id(self, action: Action) -> str:
        """An id of at most 100 characters for a button."""
        s = self.sampling
        end = f":p{s.top_p:.4g}" if s.top_p < 1.0 else ""
        end += ("" if s.whole_word else ":on") + (":continued" if self.continued else "")
        return f"pooh:{action.value}:{self.owner}:{s.temperature!r}:{s.length}:{s.top_k}{end}"

    def within(self, room: int) -> Sampling:
        """How to write on where there is room for so many characters only."""
        return replace(self.sampling, length=min(self.sampling.length, room))

    def warmer(self, by: float) -> Self:
        """The same at another temperature."""
        # Rounded to take the dust of the addition off, not to make a small temperature 0.
        temperature = round(_between(0.0, self.sampling.temperature + by, MAX_TEMPERATURE), 6)
        return replace(self, sampling=replace(self.sampling, temperature=temperature))


class StoryButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"pooh:(?P<action>again|continue|wilder|calmer|stop|delete):(?P<owner>[0-9]{1,20})"
    rf":(?P<temperature>{_DECIMAL}):(?P<length>[0-9]+):(?P<top_k>[0-9]+)"
    rf"(?::p(?P<top_p>{_DECIMAL}))?(?P<on>:on)?(?P<continued>:continued)?",
):
    """A button under a story, new or as old as the message it stands under."""

    def __init__(self, action: Action, wish: Wish, language: Language = Language.ENGLISH) -> None:
        super().__init__(
            discord.ui.Button(
                label=language.say(Text[action.name]),
                style=_STYLES.get(action, discord.ButtonStyle.secondary),
                custom_id=wish.custom_id(action),
                disabled=(action is Action.WILDER and wish.warmer(WARMER) == wish)
                or (action is Action.CALMER and wish.warmer(-WARMER) == wish),
            )
        )
        self.action = action
        self.wish = wish

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Made anew from its id, when it is pressed.

        The id may be older than today's limits: a number beyond them becomes the nearest within.
        """
        sampling = Sampling(
            length=_between(1, int(match["length"]), MAX_LENGTH),
            temperature=_between(0.0, float(match["temperature"]), MAX_TEMPERATURE),
            top_k=_between(0, int(match["top_k"]), MAX_TOP_K),
            # Ids of the time before there was a top_p do not name it: those stories had none.
            top_p=_between(MIN_TOP_P, float(match["top_p"] or 1.0), 1.0),
            whole_word=match["on"] is None,
        )
        wish = Wish(int(match["owner"]), sampling, continued=match["continued"] is not None)
        return cls(Action(match["action"]), wish)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Somebody pressed it."""
        await interaction.client.press(interaction, self.action, self.wish)


def _between(least: _Number, number: _Number, most: _Number) -> _Number:
    return min(max(number, least), most)


def row(*actions: Action, wish: Wish, language: Language = Language.ENGLISH) -> discord.ui.View:
    """A row of buttons, named in a language."""
    view = discord.ui.View(timeout=None)
    for action in actions:
        view.add_item(StoryButton(action, wish, language))
    return view


_STYLES = {
    Action.CONTINUE: discord.ButtonStyle.primary,
    Action.DELETE: discord.ButtonStyle.danger,
    Action.STOP: discord.ButtonStyle.danger,
}
