"""What the buttons under a story do, and what they remember: all of it stands in their ids."""

import enum
import re
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from bot.options import MAX_LENGTH, MAX_TOP_K, MIN_TOP_P
from model.sampling import MAX_TEMPERATURE, Sampling

WARMER = 0.2  # how much wilder Wilder is
_DECIMAL = r"[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?"  # as Python writes it
TEMPLATE = (  # of an id, as `ButtonState.custom_id` makes it and made it before
    r"pooh:(?P<action>again|continue|wilder|calmer|stop|delete):(?P<owner>[0-9]{1,20})"
    rf":(?P<temperature>{_DECIMAL}):(?P<length>[0-9]+):(?P<top_k>[0-9]+)"
    rf"(?::p(?P<top_p>{_DECIMAL}))?(?P<on>:on)?(?P<continued>:continued)?"
)

_Number = TypeVar("_Number", int, float)


class Action(enum.StrEnum):
    """What a button does; the value stands in its id."""

    AGAIN = "again"
    CONTINUE = "continue"
    WILDER = "wilder"
    CALMER = "calmer"
    STOP = "stop"
    DELETE = "delete"

    @property
    def warmth(self) -> float:
        """What it adds to the temperature."""
        return {Action.WILDER: WARMER, Action.CALMER: -WARMER}.get(self, 0.0)


WRITING = (Action.STOP, Action.DELETE)  # under a story that is being written
# ... and under one that has ended.
FINAL = (Action.AGAIN, Action.CONTINUE, Action.WILDER, Action.CALMER, Action.DELETE)


@dataclass(frozen=True)
class ButtonState:
    """Whose story it is and how it is written: what the buttons under it remember.

    Attributes:
        owner: who asked for it.
        sampling: how; the seed is not remembered.
        continued: it has more than one part: no other story may take its place.
    """

    owner: int
    sampling: Sampling
    continued: bool = False

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Read from an id that matches `TEMPLATE`.

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
        return cls(int(match["owner"]), sampling, continued=match["continued"] is not None)

    def custom_id(self, action: Action) -> str:
        """An id of at most 100 characters for a button."""
        s = self.sampling
        end = f":p{s.top_p:.4g}" if s.top_p < 1.0 else ""
        end += ("" if s.whole_word else ":on") + (":continued" if self.continued else "")
        return f"pooh:{action.value}:{self.owner}:{s.temperature!r}:{s.length}:{s.top_k}{end}"

    def warmer(self, by: float) -> Self:
        """The same at another temperature."""
        return replace(self, sampling=warmer(self.sampling, by))


def warmer(sampling: Sampling, by: float) -> Sampling:
    """The same with so much added to the temperature, as far as it goes."""
    if not by:
        return sampling
    # Rounded to take the dust of the addition off, not to make a small temperature 0.
    temperature = round(_between(0.0, sampling.temperature + by, MAX_TEMPERATURE), 6)
    return replace(sampling, temperature=temperature)


def _between(least: _Number, number: _Number, most: _Number) -> _Number:
    return min(max(number, least), most)
