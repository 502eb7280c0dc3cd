"""What the host decides: read from the environment and `.env`, checked, and then never changed."""

import difflib
import io
import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dotenv.parser import parse_stream

from bot.parsers import (
    TOKEN_HELP,
    Address,
    number_parser,
    parse_address,
    parse_file,
    parse_guilds,
    parse_log_format,
    parse_log_level,
    parse_page,
    parse_switch,
    parse_token,
    parse_valkey,
    parse_words,
    url_parser,
)
from bot.shards import ShardRange, parse_shards
from model.files import open_bounded
from model.sampling import MAX_CANDIDATES
from model.weights import DEFAULT_MODEL
from model.writing import CANDIDATES

LARGEST = 2**20  # bytes of a file of settings


class SettingsError(ValueError):
    """A setting that is missing or wrong; the message is one line that names it and the remedy."""


@dataclass(frozen=True)
class Settings:
    """The host's decisions; `.env.example` explains each.

    Attributes:
        token: the bot's token, "" where none is needed. It is not part of the repr.
        model: a name in weights/ or a path.
        guilds: the only servers in which it answers; empty: everywhere.
        slots: stories written at the same time, or candidates of fewer.
        candidates: sentences that are tried for each that is written, at most.
        threads: that share the texts of a crowd, where there are so many cores.
        queue: stories that may wait.
        deadline: seconds a story may take, waiting included.
        cooldown: seconds after which one person may ask again.
        burst: how many times one person may ask before the cooldown counts.
        word_filter: whether slurs are kept out.
        words_refused: more words to refuse.
        words_allowed: words to allow although the list refuses them.
        source: the address of this bot's code, for /about.
        shards: the shards of this process; None: as many as Discord says.
        valkey: where the processes of one bot meet, "" for one process. It may hold a password.
        log_level: a name of `LOG_LEVELS`.
        log_format: one of `LOG_FORMATS`.
        metrics: where /healthz and /metrics are served; None: nowhere.
        api_base: a Discord-compatible server to talk to instead of Discord.
        gateway: and its gateway.
        database: the file in which servers' settings are kept.
    """

    token: str = ""
    model: str = DEFAULT_MODEL
    guilds: frozenset[int] = frozenset()
    slots: int = 32
    candidates: int = CANDIDATES
    threads: int = 2
    queue: int = 256
    deadline: float = 300.0
    cooldown: float = 5.0
    burst: int = 3
    word_filter: bool = True
    words_refused: frozenset[str] = frozenset()
    words_allowed: frozenset[str] = frozenset()
    source: str = ""
    shards: ShardRange | None = None
    valkey: str = ""
    log_level: str = "INFO"
    log_format: str = "text"
    metrics: Address | None = None
    api_base: str = ""
    gateway: str = ""
    database: Path = Path("pooh.db")

    def __repr__(self) -> str:
        """Say nothing: a repr ends up in logs, and this one holds a token."""
        return "Settings(...)"

    @property
    def secrets(self) -> list[str]:
        """What must never be printed or logged."""
        password = urlsplit(self.valkey).password or ""
        return [self.token, password, unquote(password)]

    def is_allowed(self, guild: int | None) -> bool:
        """Whether the bot may answer in this server (None: a direct message)."""
        return not self.guilds or guild in self.guilds

    def require_token(self) -> str:
        """The token; raise SettingsError when there is none."""
        if not self.token:
            raise SettingsError(f"DISCORD_TOKEN is not set: {TOKEN_HELP}")
        return self.token


def read_settings(environ: Mapping[str, str], folder: Path) -> Settings:
    """Read the settings.

    Whatever looks like a mistake is one: a bot that is less guarded than its host believes is worse
    than one that does not start.

    Args:
        environ: the environment; it wins over the file, but for what is empty in it.
        folder: where a file named `.env` may lie.

    Raises:
        SettingsError: something is wrong; one line that names the variable, or the file.
    """
    for name in environ:
        if name not in VARIABLES and (suggestion := _meant(name, cutoff=0.8)):
            raise SettingsError(f"{name}: there is no such setting; {suggestion}")
    values = _read_file(folder / ".env")
    values |= {name: environ[name] for name in VARIABLES if environ.get(name, "").strip()}
    settings: dict[str, Any] = {}
    for variable, (field, parse) in VARIABLES.items():
        if text := values.get(variable, "").strip():
            try:
                settings[field] = parse(text)
            except ValueError as error:
                raise SettingsError(f"{variable}: {error}") from None
    if bool(settings.get("api_base")) != bool(settings.get("gateway")):
        raise SettingsError("DISCORD_API_BASE and DISCORD_GATEWAY: set both, or neither")
    both = settings.get("words_refused", frozenset()) & settings.get("words_allowed", frozenset())
    if both:
        raise SettingsError(f"POOH_WORDS_REFUSED and POOH_WORDS_ALLOWED: both have {min(both)!r}")
    return Settings(**settings)


def _read_file(path: Path) -> dict[str, str]:
    """The assignments of an env file that are settings; none if there is no file.

    Raises:
        SettingsError: it is no file, cannot be read, or a line of it is not understood.
    """
    if not os.path.lexists(path):
        return {}
    try:
        with open_bounded(path, LARGEST) as file:
            text = file.read().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or error) if isinstance(error, OSError) else "save it as UTF-8"
        raise SettingsError(f"{path}: cannot read it as UTF-8 text: {reason}") from error
    values: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        written = binding.original.string.strip()
        # A comment that stands behind empty lines comes with them.
        blank = len(binding.original.string) - len(binding.original.string.lstrip())
        line = binding.original.line + binding.original.string[:blank].count("\n")
        where = f"{path}: line {line}"
        if binding.error or (binding.key is not None and binding.value is None):
            raise SettingsError(f"{where}: this is no assignment NAME=value, or a quote is open")
        if binding.key is None or binding.value is None:
            continue  # a comment
        if binding.key not in VARIABLES:
            if suggestion := _meant(binding.key, cutoff=0.7):
                raise SettingsError(
                    f"{where}: {binding.key}: there is no such setting; {suggestion}"
                )
            if re.search(r"\n\s*(?:export\s+)?(?:POOH|DISCORD)_", written):
                raise SettingsError(f"{where}: {binding.key}: a quote is open")
            continue  # another program's
        if re.search(r"[\x00-\x1f\x7f]", binding.value):
            raise SettingsError(f"{where}: {binding.key}: a quote is open, or it holds a line end")
        if binding.key in values:
            raise SettingsError(f"{where}: {binding.key}: it has been set further up")
        values[binding.key] = binding.value
    return values


def _meant(name: str, cutoff: float) -> str:
    """What to do about a variable that is no setting; "" if it is not meant for us."""
    plain = unicodedata.normalize("NFKD", name)
    upper = "".join(c for c in plain if not unicodedata.combining(c)).upper()
    if not upper.isascii():  # letters that look like ours: nobody else's variables have them
        cutoff = 0.5
    if upper.startswith("POOH_"):
        close = difflib.get_close_matches(upper, VARIABLES, 1, 0.8)
        return f"do you mean {close[0]}?" if close else "see .env.example for those there are"
    close = difflib.get_close_matches(upper, VARIABLES, 1, cutoff)
    # In the environment others live, too: other bots, for one.
    theirs = upper.startswith("DISCORD_") and cutoff > 0.7
    return f"do you mean {close[0]}?" if close and not theirs else ""


VARIABLES: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "DISCORD_TOKEN": ("token", parse_token),
    "POOH_MODEL": ("model", str),
    "POOH_GUILDS": ("guilds", parse_guilds),
    "POOH_SLOTS": ("slots", number_parser(int, 1, 64)),
    "POOH_CANDIDATES": ("candidates", number_parser(int, 1, MAX_CANDIDATES)),
    "POOH_THREADS": ("threads", number_parser(int, 1, 16)),
    "POOH_QUEUE": ("queue", number_parser(int, 1, 10_000)),
    "POOH_DEADLINE": ("deadline", number_parser(float, 10, 800)),
    "POOH_COOLDOWN": ("cooldown", number_parser(float, 0, 3600)),
    "POOH_BURST": ("burst", number_parser(int, 1, 100)),
    "POOH_WORD_FILTER": ("word_filter", parse_switch),
    "POOH_WORDS_REFUSED": ("words_refused", parse_words),
    "POOH_WORDS_ALLOWED": ("words_allowed", parse_words),
    "POOH_SOURCE": ("source", parse_page),
    "POOH_SHARDS": ("shards", parse_shards),
    "POOH_VALKEY": ("valkey", parse_valkey),
    "POOH_LOG_LEVEL": ("log_level", parse_log_level),
    "POOH_LOG_FORMAT": ("log_format", parse_log_format),
    "POOH_METRICS_PORT": ("metrics", parse_address),
    "DISCORD_API_BASE": ("api_base", url_parser("http", "https")),
    "DISCORD_GATEWAY": ("gateway", url_parser("ws", "wss")),
    "POOH_DATABASE": ("database", parse_file),
}
