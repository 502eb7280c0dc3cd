"""A terminal to run a program in, with somebody at the keyboard."""

import contextlib
import fcntl
import os
import pty
import select
import subprocess
import termios
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

PATIENCE = 120  # seconds; only a hanging program is ever waited for so long


class Terminal:
    """Both ends of a terminal: what is typed goes in, what would be seen comes out."""

    def __init__(self, process: "subprocess.Popen[bytes]", ours: int) -> None:
        self.process = process
        self._ours = ours

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def wait_for(self, end: str) -> str:
        """What is shown up to this end; what was shown before is not in it."""
        return self._read_until(lambda seen: seen.endswith(end.encode()), end)

    def wait_until_shown(self, words: str) -> str:
        """What is shown up to a part with these words in it."""
        return self._read_until(lambda seen: words.encode() in seen, words)

    def _read_until(self, is_enough: Callable[[bytes], bool], what: str) -> str:
        seen = b""
        while not is_enough(seen):
            assert select.select([self._ours], [], [], PATIENCE)[0], f"no {what!r} after {seen!r}"
            try:
                part = os.read(self._ours, 1000)
            except OSError:  # Linux: the other side is closed
                part = b""
            assert part, f"the program ended after {seen!r}"
            seen += part
        return seen.decode(errors="replace")

    def hang_up(self) -> None:
        """The window is closed, or the line is cut: the system sends SIGHUP."""
        os.close(self._ours)

    def end(self) -> int:
        """Read what is left, wait for the end; the exit code."""
        with contextlib.suppress(OSError):
            while select.select([self._ours], [], [], PATIENCE)[0] and os.read(self._ours, 1000):
                pass
        return self.process.wait(PATIENCE)


def take_terminal() -> None:
    """In a new process: let standard input be the terminal that controls it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextlib.contextmanager
def at_a_terminal(command: Sequence[str], *, cwd: Path, **environment: str) -> Iterator[Terminal]:
    """Run a program whose input, output and errors are a terminal, which controls it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "dumb", "LC_ALL": "C.UTF-8", **environment},
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        with contextlib.suppress(OSError):  # it was hung up
            os.close(ours)
