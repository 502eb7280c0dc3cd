"""The host's log: text for people, or JSON for machines; secrets are taken out of both."""

import copy
import json
import logging
import traceback
from datetime import UTC, datetime

import discord

from bot.redaction import RedactingFormatter, Redactor
from bot.settings import Settings
from model.console import shows_colours


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message.

    An error adds its type and where it was raised, but not its text: that may quote somebody.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            entry["error"] = record.exc_info[0].__name__
            entry["traceback"] = "".join(traceback.format_tb(record.exc_info[2]))
        return json.dumps(entry, ensure_ascii=False)


class UnquotingFormatter(logging.Formatter):
    """Text in which an error is its type and where it was raised, whoever logged it."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """What the other formatter makes of it, without the text of an error."""
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, frames = record.exc_info
            record = copy.copy(record)  # others may want the error itself
            record.exc_text = "".join(traceback.format_tb(frames)) + kind.__name__
            record.exc_info = None
        return self._inner.format(record)


def set_up(settings: Settings) -> None:
    """Log to stderr, as the host wants it."""
    handler = logging.StreamHandler()
    formatter: logging.Formatter = logging.Formatter(
        "[{asctime}] [{levelname:<8}] {name}: {message}", "%Y-%m-%d %H:%M:%S", style="{"
    )
    if settings.log_format == "json":
        formatter = JsonFormatter()
    elif shows_colours(handler.stream):
        formatter = discord.utils.MISSING  # discord.py has one
    # The libraries' DEBUG is out of bounds: discord.py's holds every event, stories and all.
    level: int = logging.getLevelName(settings.log_level)
    discord.utils.setup_logging(
        handler=handler, formatter=formatter, level=max(level, logging.INFO)
    )
    logging.getLogger("bot").setLevel(level)
    chosen = handler.formatter or formatter
    if settings.log_format != "json":
        chosen = UnquotingFormatter(chosen)
    handler.setFormatter(RedactingFormatter(chosen, Redactor(settings.secrets)))
