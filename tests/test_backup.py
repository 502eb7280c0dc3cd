"""`python -m bot backup`, and what `python -m bot check` says of the file of settings."""

import asyncio
import contextlib
import os
import re
import sqlite3
from pathlib import Path

import pytest

from bot.backup import backup, describe
from bot.database import StoreError
from bot.merge import merge
from bot.store import Server, Store
from tests.hosting import save_small_network
from tests.test_settings import TOKEN
from tests.test_terminal import bot

GUILD = 42 << 22


async def test_a_running_bot_is_copied_whole(tmp_path: Path) -> None:
    store = Store(tmp_path / "pooh.db")
    await store.open(1)
    await store.set_refusal(5, refuses=True)
    writing = True

    async def write() -> None:
        number = 0
        while writing:
            number += 1
            await store.change(GUILD, story_channel=number, mentions=frozenset({number}))

    task = asyncio.create_task(write())
    for number in range(5):
        await asyncio.to_thread(backup, store.path, tmp_path / f"{number}.db")
    writing = False
    await task
    await store.close()
    places = []
    for number in range(5):
        path = tmp_path / f"{number}.db"
        assert path.stat().st_mode & 0o077 == 0
        assert not list(tmp_path.glob(f"{number}.db-*"))
        copy = Store(path)  # in place of the file, as after a loss
        await copy.open(1)
        assert await copy.refuses(5) and not await copy.refuses(6)
        server = await copy.server(GUILD)
        assert server.mentions == frozenset([server.story_channel or 0]) - {0}
        places.append(server.story_channel or 0)
        await copy.close()
    assert places == sorted(places) and places[-1] > 0
    assert not list(tmp_path.glob(".*"))


async def test_what_stands_beside_the_file_after_a_kill_is_in_the_copy(tmp_path: Path) -> None:
    store = Store(tmp_path / "pooh.db")
    await store.open(1)
    await store.change(GUILD, length=100)
    for path in tmp_path.glob("pooh.db*"):  # as a killed process leaves it
        (tmp_path / path.name.replace("pooh", "killed")).write_bytes(path.read_bytes())
    await store.close()
    assert (tmp_path / "killed.db-wal").stat().st_size > 0
    assert "settings of servers: 1, people who want their words left alone: 0" in describe(
        tmp_path / "killed.db"
    )
    backup(tmp_path / "killed.db", tmp_path / "copy.db")
    copy = Store(tmp_path / "copy.db")
    await copy.open(1)
    assert await copy.servers() == [Server(GUILD, length=100)]
    await copy.close()


async def test_nothing_is_overwritten_by_mistake(tmp_path: Path) -> None:
    store = Store(tmp_path / "pooh.db")
    await store.open(1)
    await store.close()
    target = tmp_path / "precious"
    target.write_text("weights")
    with pytest.raises(StoreError, match="--overwrite"):
        backup(store.path, target)
    assert target.read_text() == "weights"
    for overwrite in (False, True):
        with pytest.raises(StoreError, match="choose another name"):
            backup(store.path, store.path, overwrite=overwrite)
    os.mkfifo(pipe := tmp_path / "pipe")
    with pytest.raises(StoreError, match="no file"):
        backup(store.path, pipe, overwrite=True)
    backup(store.path, target, overwrite=True)
    assert target.read_bytes().startswith(b"SQLite format 3")


def test_the_command_line(root: Path, tmp_path: Path) -> None:
    small = save_small_network(tmp_path)
    gone = bot(root, small, "backup", "copy.db")
    assert gone.returncode == 2 and len(gone.stderr.splitlines()) == 1
    assert "pooh.db: there is no such file" in gone.stderr

    async def make() -> None:
        store = Store(tmp_path / "own.db")
        await store.open(1)
        await store.change(GUILD, length=100)
        await store.close()

    asyncio.run(make())
    own = {"POOH_DATABASE": "own.db", "DISCORD_TOKEN": TOKEN}
    done = bot(root, small, "backup", "copy.db", **own)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "own.db was copied to copy.db.\n"
    for arguments, words in (
        (("copy.db",), "--overwrite"),
        (("none/copy.db",), "No such file"),
        ((".", "--overwrite"), ""),
    ):
        failed = bot(root, small, "backup", *arguments, **own)
        assert failed.returncode == 2 and len(failed.stderr.splitlines()) == 1, failed.stderr
        assert words in failed.stderr
    good = bot(root, small, "check", **own)
    assert good.returncode == 0, good.stdout
    assert "ok    database: own.db: settings of servers: 1, people" in good.stdout
    (tmp_path / "own.db").write_bytes(b"no database at all" * 99)
    for command in (("backup", "other.db"), ("check",)):
        broken = bot(root, small, *command, **own)
        assert broken.returncode == 2 and "file is not a database" in broken.stderr + broken.stdout
        assert "Traceback" not in broken.stderr
    assert sorted(p.name for p in tmp_path.glob("*.db")) == ["copy.db", "own.db"]
    folder = bot(root, small, "check", POOH_DATABASE=f"{tmp_path}/")
    assert folder.returncode == 2 and "POOH_DATABASE" in folder.stderr and "folder" in folder.stderr


def test_check_changes_nothing(tmp_path: Path) -> None:
    assert "made at the start" in describe(tmp_path / "new" / "pooh.db")
    (tmp_path / "empty.db").touch()
    assert "made at the start" in describe(tmp_path / "empty.db")
    with sqlite3.connect(tmp_path / "theirs.db") as db:
        db.execute("CREATE TABLE songs (title)")
    db.close()
    with pytest.raises(StoreError, match="another program's"):
        describe(tmp_path / "theirs.db")
    with pytest.raises(StoreError, match="cannot be made"):
        describe(tmp_path / "empty.db" / "pooh.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.db", "theirs.db"]


@pytest.mark.parametrize(
    ("statement", "lost"),
    [
        ("DROP TABLE refusal", "refusal.person"),
        ("DROP TABLE other_key", "other_key.key"),
        ("DROP TABLE server", "server.id"),
        ("ALTER TABLE server RENAME COLUMN mentions TO menuions", "server.mentions"),  # a bit
    ],
)
async def test_a_file_that_lacks_something_is_damaged_for_everybody(
    statement: str, lost: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path / "pooh.db")
    await store.open(1)
    await store.close()
    with contextlib.closing(sqlite3.connect(store.path)) as db:
        db.execute(statement)
    said = rf"pooh\.db: it is damaged: it lacks .*{lost}"
    await store.open(1)
    assert not store.is_open
    assert re.search(said, caplog.text)
    with pytest.raises(StoreError, match=said):
        describe(store.path)
    with pytest.raises(StoreError, match=said):
        backup(store.path, tmp_path / "copy.db")
    with pytest.raises(StoreError, match=said):
        await merge(tmp_path / "other.db", [store.path], 1)
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"pooh.db"}


def test_a_name_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    link = tmp_path / "pooh.db"
    link.symlink_to(link)
    with pytest.raises(StoreError, match=r"pooh\.db: Too many levels"):
        describe(link)
    link.unlink()
    link.symlink_to(tmp_path / "there.db")  # as the bot makes it
    assert describe(link).endswith("made at the start")
