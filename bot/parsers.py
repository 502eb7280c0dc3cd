"""What the text of a setting stands for: a number, a list, an address, ...

Each function here takes a text without spaces around it, and raises a ValueError that says what the
text must be.
"""

import base64
import binascii
import ipaddress
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

TOKEN_HELP = (
    "get one at https://discord.com/developers/applications: your application, Bot, Reset Token; "
    "then put DISCORD_TOKEN=... into the environment or into a file named .env"
)
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LOG_FORMATS = ("text", "json")


class Address(NamedTuple):
    """Where something is served: an IP address of this machine, and a port."""

    host: str
    port: int

    @property
    def reachable(self) -> str:
        """The beginning of a URL that leads there from this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def application_id(token: str) -> int | None:
    """The application's id, which is the first part of its token; None for what is no token."""
    head, *rest = token.split(".")
    try:
        digits = base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    shaped = len(rest) == 2 and all(re.fullmatch(r"[\w-]+", part, re.ASCII) for part in rest)
    return int(digits) if shaped and re.fullmatch(r"[0-9]{1,20}", digits) else None


def parse_token(text: str) -> str:
    """A bot's token."""
    if application_id(text) is None:
        raise ValueError(f"this is not a bot's token (three parts with dots between): {TOKEN_HELP}")
    return text


def number_parser(kind: type[int] | type[float], least: int, most: int) -> Callable[[str], float]:
    """What reads a number in a range, both ends included."""

    def parse(text: str) -> float:
        try:
            number = kind(text if text.isascii() and "_" not in text else "")
        except ValueError:
            number = kind(-1)
        if not least <= number <= most:
            what = "a whole number" if kind is int else "a number"
            raise ValueError(f"{text!r} must be {what} from {least} to {most}")
        return number

    return parse


def _list(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise ValueError(f"{text!r}: there is nothing before or behind a comma")
    return parts


def parse_words(text: str) -> frozenset[str]:
    """Words of letters a to z, with commas between them."""
    for word in (words := _list(text.lower())):
        if not re.fullmatch(r"[a-z]+", word):
            raise ValueError(f"{word!r} must be one word of letters a to z; part words by commas")
    return frozenset(words)


def parse_guilds(text: str) -> frozenset[int]:
    """Servers' ids, with commas between them."""
    for part in (parts := _list(text)):
        if not re.fullmatch(r"[0-9]{1,20}", part):
            raise ValueError(
                f"{part!r} is not a server's id: turn on Developer Mode in Discord, right-click "
                "the server, Copy Server ID; part ids by commas"
            )
    return frozenset(map(int, parts))


def parse_switch(text: str) -> bool:
    """On or off."""
    if text.lower() not in ("on", "off"):
        raise ValueError(f"{text!r} must be on or off")
    return text.lower() == "on"


def parse_log_level(text: str) -> str:
    """One of `LOG_LEVELS`."""
    if text.upper() not in LOG_LEVELS:
        raise ValueError(f"{text!r} must be one of {', '.join(LOG_LEVELS)}")
    return text.upper()


def parse_log_format(text: str) -> str:
    """One of `LOG_FORMATS`."""
    if text.lower() not in LOG_FORMATS:
        raise ValueError(f"{text!r} must be {' or '.join(LOG_FORMATS)}")
    return text.lower()


def parse_address(text: str) -> Address:
    """A port on loopback, or address:port; an IPv6 address stands in brackets."""
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host or "127.0.0.1"
    try:
        address = ipaddress.ip_address(bare)
        if (address.version == 6) != host.startswith("["):
            raise ValueError
        return Address(str(address), int(number_parser(int, 1, 65535)(port)))
    except ValueError:
        raise ValueError(
            f"{text!r} must be a port from 1 to 65535, or an address and a port, such as "
            "9464, 0.0.0.0:9464, [::1]:9464"
        ) from None


def url_parser(*schemes: str) -> Callable[[str], str]:
    """What reads an address that begins with one of these."""

    def parse(text: str) -> str:
        if not re.fullmatch(rf"(?:{'|'.join(schemes)})://[^\s/]+(?:/\S*)?", text):
            raise ValueError(f"{text!r} must be an address that begins with {schemes[0]}://")
        return text.rstrip("/")

    return parse


def parse_page(text: str) -> str:
    """The address of a web page, that can stand in a message's link."""
    address = url_parser("https", "http")(text)
    if len(address) > 200 or re.search(r"[<>()\[\]]|//[^/]*@", address):
        raise ValueError(
            "must be an address of at most 200 characters, without brackets or a password"
        )
    return address


def parse_valkey(text: str) -> str:
    """The address of a Valkey server; it may hold a password."""
    # What is wrong is said without the address: it may hold a password.
    shape = (
        r"rediss?://(?:[^\s/@]*@)?(?:[^\s/@:?#]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?(?:/[0-9]*)?"
    )
    if not re.fullmatch(shape, text):
        raise ValueError("must be an address as redis://valkey:6379 or rediss://:password@host/0")
    if urlsplit(text).port == 0:  # a ValueError where it is out of range
        raise ValueError("the port must be from 1 to 65535")
    return text


def parse_file(text: str) -> Path:
    """The name of a file, which need not be there."""
    try:
        path = Path(text).expanduser()
        is_folder = path.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise ValueError(f"{text!r} is no file's name: {reason}") from None
    if is_folder or text.endswith(("/", os.sep)):
        raise ValueError(f"{text!r} is a folder: name a file in it, such as pooh.db")
    return path
