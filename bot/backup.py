"""Copies the file of what is kept, and says how it is: from the command line, beside a running bot.

The copy is made with SQLite's own interface for it, which takes in what still stands beside the
file, and never half a change: https://www.sqlite.org/backup.html.
"""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bot.database import MIGRATIONS, TABLES, VERSION, StoreError, check_tables, check_version
from bot.store import decided


def describe(path: Path) -> str:
    """What is kept, in a few words; nothing is made or changed.

    Raises:
        StoreError: the file, or where it is to be made, cannot be used.
    """
    try:
        is_made = bool(path.stat().st_size) or not path.is_file()
    except (FileNotFoundError, NotADirectoryError):
        is_made = False
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from None
    if not is_made:
        place = next(folder for folder in path.resolve().parents if folder.exists())
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            raise StoreError(f"{path}: it cannot be made: {place} cannot be written")
        return f"{path}: made at the start"
    if not path.is_file() or not os.access(path, os.R_OK | os.W_OK):
        raise StoreError(f"{path}: it is no file that can be read and written")
    with _reading(path) as db:
        ((servers,),) = db.execute(f"SELECT count(*) FROM server WHERE {decided()}")
        ((people,),) = db.execute("SELECT count(*) FROM refusal")
    return (
        f"{path}: settings of servers: {servers}, people who want their words left alone: {people}"
    )


def backup(path: Path, target: Path, *, overwrite: bool = False) -> None:
    """Copy the file as it is at one moment, while the bot goes on.

    Args:
        path: the file.
        target: what the copy is called: there wholly, or not at all.
        overwrite: whether it may be there already.

    Raises:
        StoreError: there is nothing to copy, it is damaged, or there is a target already.
        OSError: the target cannot be written.
    """
    if not path.is_file():
        raise StoreError(f"{path}: there is no such file; the bot makes it when it first starts")
    if target.exists() and (not overwrite or target.samefile(path)):
        remedy = "choose another name" if overwrite else "choose another name, or say --overwrite"
        raise StoreError(f"{target}: there is a file of that name; {remedy}")
    if target.exists() and not target.is_file():
        raise StoreError(f"{target}: it is no file; choose another name")
    number, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # mode 600
    os.close(number)
    temporary = Path(name)
    try:
        with _reading(path) as db, contextlib.closing(sqlite3.connect(temporary)) as copy:
            db.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    except sqlite3.Error as error:
        raise StoreError(f"{target}: {error}") from None
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A whole file of ours, for reading.

    Raises:
        StoreError: it is none.
    """
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from None
    with contextlib.closing(db):
        try:
            _check(db)
        except (sqlite3.Error, StoreError) as error:
            raise StoreError(f"{path}: {error}") from None
        yield db


def _check(db: sqlite3.Connection) -> None:
    if list(db.execute("PRAGMA quick_check(1)")) != [("ok",)]:
        raise StoreError("it is damaged")
    ((version, owner, tables),) = db.execute(VERSION)
    check_version(version, owner, tables)
    if not version:
        raise StoreError("nothing is in it yet")
    check_tables((column for (column,) in db.execute(TABLES)), MIGRATIONS[:version])
