"""What is kept: the settings of servers, and who wants their words left alone."""

import enum
import hashlib
import hmac
import logging
import sqlite3
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, fields
from typing import Any, Self

from bot.database import Database
from bot.options import DEFAULTS, MAX_LENGTH
from model.sampling import MAX_TEMPERATURE, Sampling

_NOW = "CAST(strftime('%s', 'now') AS INTEGER)"  # seconds since 1970
# A change is later than all that is known of the server, also if another machine's clock was ahead.
_LATER = f"max({_NOW}, server.changed + 1)"
# What is left of a server that the bot has left: its id, when, and the day of its last story. A
# copy that is older then brings nothing back when `merge` takes it in.
NOTHING = {
    "temperature": "NULL",
    "length": "NULL",
    "mentions": "''",
    "story_channel": "NULL",
    "story_hour": "8",
    "story_by": "''",
    "story_stopped": "NULL",
}
# The day of the last story does not go back, whoever else has told one meanwhile; but what lies
# beyond tomorrow was written by a clock that was wrong.
_LATEST = """CASE WHEN server.story_day > excluded.story_day + 1 THEN excluded.story_day
             ELSE max(server.story_day, excluded.story_day) END"""

_log = logging.getLogger(__name__)


class Stopped(enum.StrEnum):
    """Why the story of the day stopped by itself."""

    GONE = "gone"  # the channel was deleted
    FORBIDDEN = "forbidden"  # the bot may not write there


@dataclass(frozen=True)
class Server:
    """What a server has decided; the fields are the columns of the table.

    Attributes:
        id: of the server; 0 for a place that is none.
        temperature: of a story whose asker names none; None for the bot's own default.
        length: in characters; the same.
        mentions: the only channels in which mentions are answered; empty: everywhere.
        story_channel: where the story of the day is told; None: nowhere.
        story_hour: when, in UTC.
        story_by: the name of who switched it on; "" while it is off.
        story_day: the day, counted from 1970, of the last one that was begun.
        story_stopped: why it stopped by itself, if it did.
    """

    id: int = 0
    temperature: float | None = None
    length: int | None = None
    mentions: frozenset[int] = frozenset()
    story_channel: int | None = None
    story_hour: int = 8
    story_by: str = ""
    story_day: int = 0
    story_stopped: Stopped | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Read from a row; a number beyond today's limits becomes the nearest within.

        Raises:
            ValueError, TypeError: it holds something else than numbers and names.
        """
        temperature, length = row["temperature"], row["length"]
        return cls(
            id=int(row["id"]),
            temperature=None
            if temperature is None
            else min(max(float(temperature), 0.0), MAX_TEMPERATURE),
            length=None if length is None else min(max(int(length), 1), MAX_LENGTH),
            mentions=frozenset(map(int, filter(None, row["mentions"].split(",")))),
            story_channel=None if row["story_channel"] is None else int(row["story_channel"]),
            story_hour=int(row["story_hour"]) % 24,
            story_by=str(row["story_by"]),
            story_day=int(row["story_day"]),
            story_stopped=Stopped(row["story_stopped"]) if row["story_stopped"] else None,
        )

    @property
    def sampling(self) -> Sampling:
        """How a story is written whose asker says nothing about it."""
        return Sampling(
            length=DEFAULTS.length if self.length is None else self.length,
            temperature=DEFAULTS.temperature if self.temperature is None else self.temperature,
            top_k=DEFAULTS.top_k,
            top_p=DEFAULTS.top_p,
        )

    def answers_in(self, *places: int | None) -> bool:
        """Whether mentions are answered here: in a channel, or in a thread of it."""
        return not self.mentions or not self.mentions.isdisjoint(places)


COLUMNS = tuple(field.name for field in fields(Server))


def decided(row: str = "server") -> str:
    """Whether a row, by its name in a statement, holds anything that a server has decided."""
    return f"({' OR '.join(f'{row}.{column} IS NOT {value}' for column, value in NOTHING.items())})"


class Store(Database):
    """What is asked of the file; see `Database` for how it is opened, and what if it cannot be."""

    # Servers

    async def server(self, server: int | None) -> Server:
        """What a server has decided; the defaults where it has not, or it cannot be read."""
        rows = await self._read("SELECT * FROM server WHERE id = ?", server or 0)
        return _servers(rows)[0] if rows else Server(server or 0)

    async def servers(self) -> list[Server]:
        """All that have decided anything, by their ids."""
        return _servers(await self._read(f"SELECT * FROM server WHERE {decided()} ORDER BY id"))

    async def change(self, server: int, **decided: object) -> None:
        """Keep what a server has decided.

        Args:
            server: its id.
            decided: fields of `Server` and their new values; the day of a story does not go back.

        Raises:
            StoreError: it cannot be kept.
        """
        values = {column: _as_kept(value) for column, value in decided.items()}
        assert values.keys() <= set(COLUMNS), "the columns are named here, not by who asks"
        columns, marks = ", ".join(values), _marks(values)
        changes = ", ".join(
            f"{c} = {_LATEST if c == 'story_day' else f'excluded.{c}'}" for c in values
        )
        await self._write(
            f"INSERT INTO server (id, changed, {columns}) VALUES (?, {_NOW}, {marks}) "
            f"ON CONFLICT (id) DO UPDATE SET changed = {_LATER}, {changes}",
            *(server, *values.values()),
        )
        if "story_by" in values:  # another's name stood there
            await self._wipe()

    async def claim(self, server: int, day: int) -> bool:
        """Note that the story of this day is begun, before it is; False if somebody has already.

        Raises:
            StoreError: it cannot be kept, so it must not be told.
        """
        return await self._write(
            "UPDATE server SET story_day = ? WHERE id = ? AND story_by <> '' "
            "AND (story_day < ? OR story_day > ?)",
            *(day, server, day, day + 1),
        )

    async def unclaim(self, server: int, day: int) -> None:
        """The story of this day was not begun after all.

        Raises:
            StoreError: it cannot be kept.
        """
        await self._write(
            "UPDATE server SET story_day = ? WHERE id = ? AND story_day = ?", day - 1, server, day
        )

    async def stop_story(self, server: int, channel: int, why: Stopped) -> None:
        """Switch the story of the day off, if it is still this channel's.

        Raises:
            StoreError: that cannot be kept.
        """
        await self._write(
            f"UPDATE server SET story_by = '', story_stopped = ?, changed = {_LATER} "
            "WHERE id = ? AND story_channel = ?",
            *(why.value, server, channel),
        )
        await self._wipe()

    async def forget(self, server: int) -> None:
        """Forget what a server has decided; see `NOTHING` for what stays.

        Raises:
            StoreError: that cannot be written.
        """
        nothing = ", ".join(f"{column} = {value}" for column, value in NOTHING.items())
        await self._write(
            f"UPDATE server SET changed = {_LATER}, {nothing} WHERE id = ? AND {decided()}", server
        )
        await self._wipe()

    # People

    async def refuses(self, person: int) -> bool:
        """Whether somebody wants their words left alone; no, if that cannot be read."""
        hashes = await self._hashes(person)
        marks = _marks(hashes)
        return bool(await self._read(f"SELECT 1 FROM refusal WHERE person IN ({marks})", *hashes))

    async def set_refusal(self, person: int, *, refuses: bool) -> None:
        """Keep that somebody wants their words left alone, or no longer.

        Raises:
            StoreError: it cannot be kept.
        """
        hashes = await self._hashes(person)
        if refuses:
            await self._write("INSERT OR IGNORE INTO refusal VALUES (?)", hashes[0])
        else:
            await self._write(f"DELETE FROM refusal WHERE person IN ({_marks(hashes)})", *hashes)
            await self._wipe()

    async def _hashes(self, person: int) -> list[bytes]:
        """An id as it is kept: without the key, nobody finds it by trying all ids (RFC 2104).

        First under the key of this file, then under those of the files that it took in.
        """
        others = await self._read("SELECT CAST(key AS BLOB) AS key FROM other_key")
        keys = [self._key, *(row["key"] for row in others)]
        return [hmac.digest(key, str(person).encode(), hashlib.sha256) for key in keys]


def _servers(rows: Sequence[sqlite3.Row]) -> list[Server]:
    found = []
    for row in rows:
        try:
            found.append(Server.of(dict(row)))
        except (TypeError, ValueError, LookupError, AttributeError, OverflowError):
            _log.error("POOH_DATABASE: what server %s has decided makes no sense", row["id"])
            found.append(Server(int(row["id"])))
    return found


def _marks(values: Sized) -> str:
    return ", ".join("?" * len(values))


def _as_kept(value: object) -> object:
    if isinstance(value, frozenset):
        return ",".join(map(str, sorted(value)))
    return value if not isinstance(value, enum.Enum) else value.value
