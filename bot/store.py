"""What is kept: the settings of servers, and who wants their words left alone. One SQLite file.

Each change is one statement, and on the disk when it returns: a process that is killed at any
moment leaves the state before it or after it. Nothing is remembered between two questions, so
several processes on one machine may share the file. Without a file that can be written, the bot
goes on with the defaults.
"""

import enum
import hashlib
import hmac
import logging
import os
import secrets
import sqlite3
from collections.abc import Mapping, Sequence, Sized
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import aiosqlite

from bot.options import DEFAULTS, MAX_LENGTH
from model.sampling import MAX_TEMPERATURE, Sampling

APPLICATION = 0x506F6F68  # "Pooh": SQLite keeps it in the file's header
BUSY = 1.0  # seconds to wait for another process: an interaction has three
KEY_SIZE = 32  # bytes

# From each version to the next; `user_version` counts them. What has been released never changes.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        f"PRAGMA application_id = {APPLICATION}",
        "CREATE TABLE host (id INTEGER PRIMARY KEY CHECK (id = 1), application INTEGER, key BLOB)",
        """CREATE TABLE server (
            id INTEGER PRIMARY KEY,
            temperature REAL,
            length INTEGER,
            mentions TEXT NOT NULL DEFAULT '',
            story_channel INTEGER,
            story_hour INTEGER NOT NULL DEFAULT 8,
            story_by TEXT NOT NULL DEFAULT '',
            story_day INTEGER NOT NULL DEFAULT 0,
            story_stopped TEXT
        )""",
        "CREATE TABLE refusal (person BLOB PRIMARY KEY) WITHOUT ROWID",
    ),
    (  # what `merge` needs: which of two rows is the newer, and the keys of files it took in
        "ALTER TABLE server ADD COLUMN changed INTEGER NOT NULL DEFAULT 0",
        "CREATE TABLE other_key (key BLOB PRIMARY KEY) WITHOUT ROWID",
    ),
)
NOW = "CAST(strftime('%s', 'now') AS INTEGER)"  # seconds since 1970
# A change is later than all that is known of the server, also if another machine's clock was ahead.
_LATER = f"max({NOW}, server.changed + 1)"
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
# What `check_version` wants to know, at one moment: another process may be making the tables.
VERSION = """SELECT (SELECT user_version FROM pragma_user_version),
    (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_master)"""
# The day of the last story does not go back, whoever else has told one meanwhile; but what lies
# beyond tomorrow was written by a clock that was wrong.
_LATEST = """CASE WHEN server.story_day > excluded.story_day + 1 THEN excluded.story_day
             ELSE max(server.story_day, excluded.story_day) END"""

_log = logging.getLogger(__name__)


class StoreError(Exception):
    """The file cannot be used; the message is one line that names it and what is wrong."""


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


class Store:
    """The file, and what is asked of it."""

    def __init__(self, path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
        """Name the file; nothing is opened."""
        self.path = path
        self._migrations = migrations
        self._db: aiosqlite.Connection | None = None
        self._key = secrets.token_bytes(KEY_SIZE)  # until the file is open, and if it never is

    @property
    def is_open(self) -> bool:
        """Whether anything can be kept."""
        return self._db is not None

    async def open(self, application: int) -> None:
        """Open the file, made if there is none; if that cannot be, say so in the log and go on.

        Args:
            application: the id of this bot. Two that shared a file would forget each other's
                servers.
        """
        try:
            await self.connect(application)
        except StoreError as error:
            _log.error(
                "POOH_DATABASE: %s; nothing is kept, every server has the defaults, and who "
                "said no in /privacy is not known, until this is mended and the bot restarted",
                error,
            )

    async def connect(self, application: int) -> None:
        """Open the file, made if there is none, and bring it to today's version.

        Raises:
            StoreError: that cannot be.
        """
        try:
            await self._connect(application)
        except (OSError, sqlite3.Error, StoreError) as error:
            await self.close()
            raise StoreError(f"{self.path}: {_reason(error)}") from None

    async def _connect(self, application: int) -> None:
        create(self.path)
        # Autocommit: each statement is a transaction of its own.
        connection = aiosqlite.connect(self.path.absolute(), timeout=BUSY, isolation_level=None)
        connection._thread.daemon = True  # nobody waits for it who ends without closing the file
        self._db = await connection
        self._db.row_factory = aiosqlite.Row
        if [tuple(row) for row in await self._ask("PRAGMA quick_check(1)")] != [("ok",)]:
            raise StoreError("it is damaged")
        await self._version()  # of what is not ours, nothing is changed
        await self._ask("PRAGMA journal_mode = WAL")
        await self._ask("PRAGMA synchronous = FULL")
        await self._ask("PRAGMA secure_delete = ON")  # what is forgotten is not in the file either
        await self._migrate()
        key = secrets.token_bytes(KEY_SIZE)
        await self._ask("INSERT OR IGNORE INTO host VALUES (1, ?, ?)", application, key)
        hosts = await self._ask("SELECT application, CAST(key AS BLOB) FROM host")
        if len(hosts) != 1 or not all(hosts[0]):
            raise StoreError("it is damaged: it does not say whose it is")
        owner, key = hosts[0]
        if owner != application:
            raise StoreError(f"it belongs to another bot, {owner}: give this one a file of its own")
        self._key = key

    async def _migrate(self) -> None:
        """Bring the tables to today's version, wholly or not at all; others wait meanwhile."""
        await self._ask("BEGIN IMMEDIATE")
        try:
            version = await self._version()
            for migration in self._migrations[version:]:
                for statement in migration:
                    await self._ask(statement)
            if version < len(self._migrations):
                await self._ask(f"PRAGMA user_version = {len(self._migrations)}")
            await self._ask("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                await self._ask("ROLLBACK")
            raise

    async def _version(self) -> int:
        """How many migrations the file has seen.

        Raises:
            StoreError: it is not ours, or newer than this bot.
        """
        ((version, owner, tables),) = await self._ask(VERSION)
        check_version(version, owner, tables, len(self._migrations))
        return int(version)

    async def close(self) -> None:
        """Close the file, if it is open: what is beside it then becomes part of it."""
        db, self._db = self._db, None
        if db is not None:
            await db.close()

    def secret(self, purpose: str) -> bytes:
        """A key for one purpose, of the file's own; without a file, of this process's."""
        return hmac.digest(self._key, purpose.encode(), hashlib.sha256)

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
            f"INSERT INTO server (id, changed, {columns}) VALUES (?, {NOW}, {marks}) "
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
        keys = [
            self._key,
            *(
                row["key"]
                for row in await self._read("SELECT CAST(key AS BLOB) AS key FROM other_key")
            ),
        ]
        return [hmac.digest(key, str(person).encode(), hashlib.sha256) for key in keys]

    # The file

    async def _ask(self, statement: str, *values: object) -> list[sqlite3.Row]:
        if self._db is None:
            raise StoreError("it is not open")
        return list(await self._db.execute_fetchall(statement, values))

    async def _read(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """Rows; none if they cannot be read."""
        if self._db is None:
            return []  # it was said when it was opened
        try:
            return await self._ask(statement, *values)
        except (sqlite3.Error, ValueError) as error:  # ValueError: it was closed meanwhile
            _log.error("POOH_DATABASE: %s: %s; the defaults count", self.path, _reason(error))
            return []

    async def _write(self, statement: str, *values: object) -> bool:
        """Whether it changed a row.

        Raises:
            StoreError: it did not arrive.
        """
        if self._db is None:
            raise StoreError(f"{self.path}: it is not open")
        try:
            async with self._db.execute(statement, values) as cursor:
                return cursor.rowcount > 0
        except (sqlite3.Error, ValueError) as error:
            reason = f"POOH_DATABASE: {self.path}: {_reason(error)}"
            _log.error("%s; something was not kept", reason)
            raise StoreError(reason) from None

    async def _wipe(self) -> None:
        """Empty what stands beside the file, too: it holds what was forgotten as it was before.

        While another process reads or writes it stays: until the next time, or the last close.
        """
        with suppress(sqlite3.Error, ValueError, StoreError):
            await self._ask("PRAGMA wal_checkpoint(TRUNCATE)")


def create(path: Path) -> None:
    """Make an empty file for the bot's user alone, and its folder, if they are not there.

    Raises:
        OSError: that cannot be, or what is there is no file that can be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def check_version(version: int, owner: int, tables: int, known: int = len(MIGRATIONS)) -> None:
    """Check that this bot understands a file.

    Args:
        version: the file's `user_version`.
        owner: its `application_id`.
        tables: how many things it defines.
        known: how many versions this bot knows.

    Raises:
        StoreError: it does not.
    """
    if owner not in (0, APPLICATION) or (owner == 0 and tables):
        raise StoreError("it is another program's database")
    if version > known:
        raise StoreError(f"its version, {version}, is newer than this bot, which knows {known}")


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


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
