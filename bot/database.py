"""The SQLite file of what is kept: its tables, and how they are opened, read and written.

Each change is one statement, and on the disk when it returns: a process that is killed at any
moment leaves the state before it or after it. Nothing is remembered between two questions, so
several processes on one machine may share the file. Without a file that can be written, the bot
goes on with the defaults.
"""

import hashlib
import hmac
import logging
import os
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from itertools import chain
from pathlib import Path

import aiosqlite

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
# What `check_version` wants to know, at one moment: another process may be making the tables.
VERSION = """SELECT (SELECT user_version FROM pragma_user_version),
    (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_master)"""

# All columns of all tables, as `check_tables` wants them.
TABLES = """SELECT kept.name || '.' || columns.name FROM sqlite_master AS kept
    JOIN pragma_table_info(kept.name) AS columns WHERE kept.type = 'table'"""

_log = logging.getLogger(__name__)


class StoreError(Exception):
    """The file cannot be used; the message is one line that names it and what is wrong."""


class Database:
    """The file. What is asked of it is for who inherits this: see `bot.store`."""

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
        check_tables((column for (column,) in await self._ask(TABLES)), self._migrations)
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

    async def _ask(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """Rows.

        Raises:
            StoreError, sqlite3.Error, ValueError: there are none to be had.
        """
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


def check_tables(found: Iterable[str], migrations: Sequence[Sequence[str]]) -> None:
    """Check that all is there that these migrations make: a file may be damaged and well-formed.

    Args:
        found: the answer to `TABLES`.
        migrations: those that the file has seen.

    Raises:
        StoreError: something is not.
    """
    with closing(sqlite3.connect(":memory:")) as db:
        for statement in chain.from_iterable(migrations):
            db.execute(statement)
        expected = {column for (column,) in db.execute(TABLES)}
    if missing := expected - set(found):
        raise StoreError(f"it is damaged: it lacks {', '.join(sorted(missing))}")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
