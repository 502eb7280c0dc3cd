"""SIGHUP reads the settings again; but where it says that the terminal is gone, the bot ends."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable

LOOKS = 2  # in which the terminal is not found, after which it is gone for long


def has_terminal() -> bool:
    """Whether a terminal controls this process, as job control has it."""
    if sys.platform == "win32":
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def listen(
    read_again: Callable[[], None],
    *,
    has_terminal: Callable[[], bool] = has_terminal,
    look_every: float = 10.0,
    moment: float = 1.0,
) -> None:
    """From now on, on the running loop, SIGHUP reads the settings again, or ends the bot.

    It ends it, as SIGTERM does, where the terminal that controlled the bot has just gone: an ssh
    connection was cut, a window closed. Under nohup, without a terminal (a service, a container),
    and when that went long ago without a word, it never does. On Windows Ctrl-Break is heard
    instead, and is what Ctrl-C is.

    Args:
        read_again: reads the settings.
        has_terminal: see above.
        look_every: seconds between two looks at the terminal.
        moment: seconds that some terminals send it before they go.
    """
    if sys.platform == "win32":
        signal.signal(signal.SIGBREAK, signal.getsignal(signal.SIGINT))
        return
    loop = asyncio.get_running_loop()
    gone = LOOKS  # looks that have not found it; not seconds: who was stopped did not look
    is_ending = False

    def look() -> None:
        nonlocal gone
        gone = 0 if has_terminal() else gone + 1
        if gone < LOOKS:
            loop.call_later(look_every, look)

    def end_if_gone() -> None:
        nonlocal is_ending
        # Once: the shell and the system both tell it, and a second SIGTERM waits for no story.
        if gone < LOOKS and not has_terminal() and not is_ending:
            is_ending = True
            signal.raise_signal(signal.SIGTERM)

    def on_hangup() -> None:
        end_if_gone()
        if not is_ending:
            read_again()
            loop.call_later(moment, end_if_gone)

    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        look()
    loop.add_signal_handler(signal.SIGHUP, on_hangup)
