"""What this process knows of story circles: where one is open, and which are being written.

Nothing of it is stored. After a restart what the messages show is enough to go on; only whether
there is a circle in a channel already has to be looked for.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.circle import REST

FORGOTTEN = 15 * 60.0  # seconds, where the bot is not told of what becomes of its messages


@dataclass(frozen=True)
class OpenCircle:
    """A circle that people may add to.

    Attributes:
        message: the id of the message with its buttons; 0 while it is just being begun.
        channel: the id of where that is: a channel or a thread of it.
        link: that leads there.
        until: when it is forgotten, by the clock.
    """

    message: int
    channel: int
    link: str
    until: float


class Circles:
    """The circles of one process."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Bring a clock."""
        self._monotonic = monotonic
        self._open: dict[int, OpenCircle] = {}  # by the channels in which no other may begin
        self._writing: set[int] = set()  # messages

    def __len__(self) -> int:
        """How many channels have one."""
        self._forget_old()
        return len(self._open)

    def find(self, channel: int) -> OpenCircle | None:
        """The circle of a channel, as far as it is known."""
        self._forget_old()
        return self._open.get(channel)

    @contextlib.contextmanager
    def beginning(self, channel: int) -> Iterator[None]:
        """Nobody else begins one in this channel meanwhile."""
        reserved = OpenCircle(0, 0, "", self._monotonic() + FORGOTTEN)
        self._open[channel] = reserved
        try:
            yield
        finally:
            if self._open.get(channel) is reserved:
                del self._open[channel]

    def add(
        self, message: int, channel: int, link: str, *, parent: int | None, at_home: bool
    ) -> None:
        """A circle goes on in this message; no other begins beside it.

        Args:
            message: the id of what has its buttons.
            channel: the id of where that is ...
            link: ... and what leads there.
            parent: where that hangs, if it is a thread that was begun for the circle.
            at_home: the bot is told when the message is deleted.
        """
        until = self._monotonic() + (REST if at_home else FORGOTTEN)
        for place in (channel, parent):
            if place is not None:
                self._open[place] = OpenCircle(message, channel, link, until)

    def forget(self, *places: int) -> None:
        """The circles of these messages or threads are over."""
        gone = set(places)
        self._open = {
            channel: circle
            for channel, circle in self._open.items()
            if gone.isdisjoint((circle.message, circle.channel))
        }

    def is_writing(self, message: int) -> bool:
        """Whether something is about to change in this message."""
        return message in self._writing

    @contextlib.contextmanager
    def writing(self, message: int) -> Iterator[None]:
        """Nobody else changes this message meanwhile."""
        is_first = message not in self._writing
        self._writing.add(message)
        try:
            yield
        finally:
            if is_first:  # else who said so first says when it is over
                self._writing.discard(message)

    def _forget_old(self) -> None:
        now = self._monotonic()
        for channel in [at for at, circle in self._open.items() if circle.until <= now]:
            del self._open[channel]
