"""Takes secrets out of whatever is printed or logged, wherever they come from."""

import contextlib
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, cast

HIDDEN = "<hidden>"
_MIXED = r"(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*[0-9])"
_SECRETS = re.compile(
    r"[\w-]{17,30}\.[\w-]{4,8}\.[\w-]{20,}"  # a bot's token
    r"|mfa\.[\w-]{20,}"  # a person's
    # Name and password in an address, which is a path as well where it was taken for one.
    r"|(?:(?<=://)|(?<=:/)(?!/))\S*[^\s/](?=@)"
    r"|(?<=/webhooks/)[0-9]+/[\w-]+|(?<=/interactions/)[0-9]+/[\w-]+"
    r"|aW50ZXJhY3Rpb24[\w=-]*"  # an interaction's: "interaction" in base 64
    # An application's client secret, which lies beside the token; and a webhook's token.
    rf"|(?<![\w-]){_MIXED}(?:[\w-]{{32}}|[\w-]{{60,}})(?![\w-])"
)
_SHORTEST = 8  # characters: what is shorter is no secret, and may be a word


class Redactor:
    """Knows what secrets look like, and those it is told."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Secrets that may look like anything."""
        self._known: list[str] = []
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Hide this one, too."""
        if len(secret) >= _SHORTEST:
            self._known.append(secret)

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return _SECRETS.sub(HIDDEN, text)


class RedactingStream:
    """A stream that takes the secrets out of each piece that is written; else the stream it is."""

    def __init__(self, stream: TextIO, redact: Redactor) -> None:
        self._stream = stream
        self._redact = redact

    def write(self, text: str) -> int:
        """Write the text without secrets."""
        self._stream.write(self._redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write the lines without secrets."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._stream, name)


@contextlib.contextmanager
def redacted_output(redact: Redactor) -> Iterator[None]:
    """Within, nothing is printed that `redact` hides."""
    # A stream that was closed is None, and stays that.
    out, err = (s and cast("TextIO", RedactingStream(s, redact)) for s in (sys.stdout, sys.stderr))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield


class RedactingFormatter(logging.Formatter):
    """Takes secrets out of what anybody logs, tracebacks too."""

    def __init__(self, inner: logging.Formatter, redact: Redactor) -> None:
        super().__init__()
        self._inner = inner
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """What the other formatter makes of it, without secrets."""
        return self._redact(self._inner.format(record))
