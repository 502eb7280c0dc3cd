"""Takes what other files keep into one: servers move when shards are shared out anew.

Every file may hold every server: the newer row counts, whichever file it comes from, so a merge may
be made again, in any order, and while bots run. What was forgotten is a row, too. People who want
their words left alone are hashed under the key of the file in which they said so; the keys come
along.
"""

import contextlib
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bot.backup import backup
from bot.database import Database, StoreError
from bot.store import COLUMNS, NOTHING, decided

PATIENCE = 5.0  # seconds for a bot that writes at the same time


def _rank(row: str) -> str:
    """What is greater in the newer row; of the same second, in the same row in whatever order."""
    values = ", ".join(f"ifnull({row}.{column}, x'')" for column in NOTHING)
    return f"({row}.changed, NOT {decided(row)}, {values})"


_COLUMNS = ", ".join((*COLUMNS, "changed"))
_INSERT = f"""INSERT INTO main.server ({_COLUMNS}) SELECT {_COLUMNS} FROM other.server WHERE true
    ON CONFLICT (id) DO UPDATE SET """
_ALL = ", ".join(f"{column} = excluded.{column}" for column in (*NOTHING, "changed"))
STATEMENTS = (
    "BEGIN IMMEDIATE",
    f"{_INSERT} {_ALL} WHERE {_rank('excluded')} > {_rank('server')}",
    # No day's story is told twice, whoever told it.
    f"{_INSERT} story_day = max(server.story_day, excluded.story_day)",
    "INSERT OR IGNORE INTO main.refusal SELECT person FROM other.refusal",
    "INSERT OR IGNORE INTO main.other_key SELECT key FROM other.host",
    "INSERT OR IGNORE INTO main.other_key SELECT key FROM other.other_key",
    "DELETE FROM main.other_key WHERE key IN (SELECT key FROM main.host)",
    "COMMIT",
)


async def merge(path: Path, sources: Sequence[Path], application: int) -> None:
    """Take in what other files of the same bot keep: all of them, or none.

    Args:
        path: the file, made if there is none; a bot may be using it.
        sources: the others, of this or an older version; they stay as they are.
        application: the id of the bot.

    Raises:
        StoreError: one of them cannot be used; the message names it.
    """
    with tempfile.TemporaryDirectory() as folder:
        copies = []
        for number, source in enumerate(sources):
            copies.append(Path(folder) / f"{number}.db")
            backup(source, copies[-1])
            await _update(copies[-1], application, source)
        for copy in copies[1:]:
            _take(copies[0], copy)
        await _update(path, application, path)
        _take(path, copies[0])


async def _update(path: Path, application: int, name: Path) -> None:
    """Bring a file to today's version, if it is this bot's.

    Raises:
        StoreError: it cannot be used; the message has this name.
    """
    database = Database(path)
    try:
        await database.connect(application)
    except StoreError as error:
        raise StoreError(str(error).replace(str(path), str(name), 1)) from None
    await database.close()


def _take(path: Path, other: Path) -> None:
    try:
        db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        with contextlib.closing(db):
            db.execute("PRAGMA main.secure_delete = ON")  # as the bot has it
            db.execute("ATTACH ? AS other", (str(other),))
            for statement in STATEMENTS:
                db.execute(statement)
            with contextlib.suppress(sqlite3.Error):  # as the bot does: old names stand beside it
                db.execute("PRAGMA main.wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from None
