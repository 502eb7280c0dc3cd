"""A terminal to run a program in, with somebody at the keyboard."""

import contextlib
import os
import pty
import select
import subprocess
from collections.abc import Iterator, Sequence
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
        seen = b""
        while not seen.endswith(end.encode()):
            assert select.select([self._ours], [], [], PATIENCE)[0], f"no {end!r} after {seen!r}"
            try:
                part = os.read(self._ours, 1000)
            except OSError:  # Linux: the other side is closed
                part = b""
            assert part, f"the program ended after {seen!r}"
            seen += part
        return seen.decode()

    def end(self) -> int:
        """Read what is left, wait for the end; the exit code."""
        with contextlib.suppress(OSError):
            while select.select([self._ours], [], [], PATIENCE)[0] and os.read(self._ours, 1000):
                pass
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def at_a_terminal(command: Sequence[str], *, cwd: Path, **environment: str) -> Iterator[Terminal]:
    """Run a program whose input, output and errors are a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "dumb", "LC_ALL": "C.UTF-8", **environment},
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
