"""A program in a terminal: lines that are typed or piped in, and an output that may fail."""

import argparse
import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, TextIO

from model import __version__

_KEYS = re.compile(r"\x1b(?:[\[O][0-?]*[ -/]*[@-~])?")  # as ECMA-48 codes them
_SIGN = "> "  # that a line is waited for


class ConsoleError(Exception):
    """Standard input or output cannot be used; without a message where nobody reads on."""


class Parser(argparse.ArgumentParser):
    """A command line whose errors are one line, instead of the usage and a line."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(2, f"{self.prog}: {message}; see --help\n")


def program(module: str, script: str) -> str:
    """How to start again what was started: by its console script, or as `python -m module`."""
    return script if sys.argv and Path(sys.argv[0]).stem == script else f"python -m {module}"


def add_version(parser: argparse.ArgumentParser) -> None:
    """Give a command line `--version`, which prints it and ends."""
    parser.add_argument(
        "--version",
        action="version",
        version=f"pooh {__version__}",
        help="show the version and exit",
    )


def read_lines() -> Iterator[str]:
    """Each line that is typed or piped in, without its end, until Ctrl-D or the input's end.

    In a terminal a line can be edited and earlier ones called back, as Python's own prompt does it
    (readline; on Windows the console). Bytes that are no text become U+FFFD. What an arrow key
    sends where no line can be edited is left out. A sign shows that a line is waited for, where
    somebody can see it: on stderr if the output goes to a file.

    Raises:
        ConsoleError: the input cannot be read.
    """
    if sys.stdin is None:
        return
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    typed = sys.stdin.isatty()
    edited = typed and all(stream and stream.isatty() for stream in (sys.stdout, sys.stderr))
    if edited:
        with contextlib.suppress(ImportError):  # Windows
            import readline  # noqa: F401  (input() uses it once it is imported)
    while True:
        if typed and not edited:
            tell(_SIGN, end="")
        try:
            line = input(_SIGN) + "\n" if edited else sys.stdin.readline()
        except EOFError:
            print()  # the shell's prompt comes on a line of its own
            return
        except KeyboardInterrupt:
            if typed:
                print() if edited else tell("")
            raise
        except OSError as error:
            raise ConsoleError(f"cannot read the input: {error.strerror or error}") from None
        if not line:
            return
        yield _KEYS.sub("", line.rstrip("\r\n"))


@contextlib.contextmanager
def standard_output() -> Iterator[TextIO]:
    """Standard output, for any character (what it cannot encode is a question mark).

    Raises:
        ConsoleError: it is closed, or a write to it failed.
    """
    if sys.stdout is None:
        raise ConsoleError("cannot write the text: standard output is closed")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except OSError as error:
        # What is still buffered would fail once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # who read has read enough
            raise ConsoleError from None
        raise ConsoleError(f"cannot write the text: {error.strerror or error}") from None


def shows_colours(stream: TextIO | None) -> bool:
    """Whether colours may be written to it: a terminal that knows them (https://no-color.org)."""
    unwanted = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream is not None and stream.isatty() and not unwanted


class Forgiving:
    """A stream whose failure ends nothing: who read it has left, or its disk is full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text if that can be done."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written if that can be done."""
        with contextlib.suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """All else is the stream's."""
        return getattr(self._stream, name)


def tell(text: str, end: str = "\n") -> None:
    """Write to stderr, if there is one that takes it."""
    if sys.stderr is not None:  # print would take a closed stderr for stdout
        print(text, end=end, file=Forgiving(sys.stderr), flush=True)


def forgive_outputs() -> None:
    """Let output and errors take any character; what they cannot encode is a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
