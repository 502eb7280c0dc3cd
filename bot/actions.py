"""What the buttons under a story do, and what they remember: all of it stands in their ids."""

import enum
import re
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from bot import pages
from bot.options import MAX_LENGTH, MAX_TOP_K, MIN_TOP_P
from bot.pages import Pages
from model.sampling import MAX_TEMPERATURE, Sampling

_DECIMAL = r"[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?"  # as Python writes it
STATE = (  # as `ButtonState.code` makes it and made it before
    rf"(?P<owner>[0-9]{{1,20}}):(?P<temperature>{_DECIMAL}):(?P<length>[0-9]+):(?P<top_k>[0-9]+)"
    rf"(?::p(?P<top_p>{_DECIMAL}))?(?P<on>:on)?(?:(?P<continued>:continued)|:{pages.PATTERN})?"
)

_Number = TypeVar("_Number", int, float)


class Action(enum.StrEnum):
    """What a button does; the value stands in its id."""

    AGAIN = "again"
    CONTINUE = "continue"
    WILDER = "wilder"
    CALMER = "calmer"
    STOP = "stop"
    DELETE = "delete"  # asks once more
    CONFIRM = "confirm"
    CANCEL = "cancel"
    EARLIER = "earlier"
    PAGE = "page"  # not to be pressed: it says which page is shown
    LATER = "later"
    HOW = "how"
    KEEP = "keep"
    FORK = "fork"

    @property
    def wilder(self) -> int:
        """How many times wilder the story becomes by it."""
        return {Action.WILDER: 1, Action.CALMER: -1}.get(self, 0)

    @property
    def turns(self) -> int:
        """How many pages it turns."""
        return {Action.EARLIER: -1, Action.LATER: 1}.get(self, 0)


TEMPLATE = rf"pooh:(?P<action>{'|'.join(Action)}):{STATE}"  # of an id: `ButtonState.custom_id`

WRITING = (Action.STOP, Action.DELETE)  # under a story that is being written
# ... under one that has ended ...
FINAL = (
    *(Action.AGAIN, Action.CONTINUE, Action.WILDER, Action.CALMER, Action.DELETE),
    *(Action.HOW, Action.KEEP, Action.FORK),
)
ASKING = (Action.CONFIRM, Action.CANCEL)  # ... under one that is perhaps to be deleted ...
TURNING = (Action.EARLIER, Action.PAGE, Action.LATER)  # ... and where there is more than one page.


@dataclass(frozen=True)
class ButtonState:
    """Whose story it is and how it is written: what the buttons under it remember.

    Attributes:
        owner: who asked for it.
        sampling: how, its first version if it has several; without a seed.
        continued: it has more than one part.
        pages: its versions, that can be told again from what stands in its message; None if it
            cannot: it was continued, or goes on from more than its message shows, or the button is
            older than this.
    """

    owner: int
    sampling: Sampling
    continued: bool = False
    pages: Pages | None = None

    @property
    def shown(self) -> Sampling:
        """How the story that is shown was written, without its seed."""
        sampling = self.pages.sampling(self.sampling) if self.pages else self.sampling
        return replace(sampling, seed=None)

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Read from an id that matches `STATE`.

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
        return cls(
            int(match["owner"]),
            sampling,
            continued=match["continued"] is not None,
            pages=Pages.of(match) if match["seed"] is not None else None,
        )

    def custom_id(self, action: Action) -> str:
        """An id of at most 100 characters for a button."""
        return f"pooh:{action.value}:{self.code}"

    @property
    def code(self) -> str:
        """All of it, for the end of an id."""
        s = self.sampling
        end = f":p{s.top_p:.4g}" if s.top_p < 1.0 else ""
        end += "" if s.whole_word else ":on"
        end += ":continued" if self.continued else f":{self.pages.code}" if self.pages else ""
        return f"{self.owner}:{s.temperature!r}:{s.length}:{s.top_k}{end}"


def _between(least: _Number, number: _Number, most: _Number) -> _Number:
    return min(max(number, least), most)
