"""What ends a training before its time: Ctrl-C, SIGTERM, a terminal that is gone."""

import contextlib
import os
import signal
import sys
from typing import Final

# Windows has Ctrl-Break and no hangup.
_STOPS: Final = [
    signal.Signals[name]
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if name in signal.Signals.__members__
]


def end_cleanly() -> None:
    """From now on the signals end the process as errors do: what was begun is removed.

    Python does so for Ctrl-C. Of several processes, which wait for each other, each is killed.
    A second hangup is not heard: it would end what is being removed.
    """

    def end(number: int, _: object) -> None:
        if _is_hangup(number):
            signal.signal(number, signal.SIG_IGN)
        sys.exit(128 + number)

    if os.environ.get("WORLD_SIZE", "1") == "1":
        for number in _heard():
            if number != signal.SIGINT:
                signal.signal(number, end)


def catch_signals() -> list[int]:
    """A list that the signals put their numbers in; a second one of a kind is obeyed at once.

    A second hangup never is: the shell and the system both send one.
    """
    caught: list[int] = []

    def catch(number: int, _: object) -> None:
        caught.append(number)
        again = not _is_hangup(number)
        if sys.stderr is not None:  # else 2 may be a file that was opened since
            with contextlib.suppress(OSError):  # who read it may have been stopped, too
                text = "\nstopping after this step" + " (once more: at once)" * again + "\n"
                os.write(2, text.encode())
        if again:
            signal.signal(number, signal.SIG_DFL)

    for number in _heard():
        signal.signal(number, catch)
    return caught


def _heard() -> list[signal.Signals]:
    """The signals, but for a hangup that was to be ignored, as under nohup."""
    ignored = signal.SIG_IGN
    return [n for n in _STOPS if not (_is_hangup(n) and signal.getsignal(n) is ignored)]


def _is_hangup(number: int) -> bool:
    return signal.Signals(number).name == "SIGHUP"
