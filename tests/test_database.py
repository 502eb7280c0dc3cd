"""The file of what is kept, in bad times: migrations, damage, full disks, kill -9."""

import asyncio
import contextlib
import logging
import os
import random
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.database import APPLICATION, MIGRATIONS, StoreError
from bot.store import Server, Store
from tests.test_store import BOT, GUILD, PERSON

# Migrations


async def test_a_migration_keeps_what_is_there_and_one_that_fails_changes_nothing(
    store: Store,
) -> None:
    await store.change(GUILD, length=300)
    await store.close()
    broken = Store(store.path, (*MIGRATIONS, ("ALTER TABLE server ADD COLUMN a", "nonsense")))
    await broken.open(BOT)
    assert not broken.is_open
    newer = Store(store.path, (*MIGRATIONS, ("ALTER TABLE server ADD COLUMN a DEFAULT 7",)))
    await asyncio.gather(newer.open(BOT), open_too(store.path, newer))
    assert newer.is_open
    assert await newer.server(GUILD) == Server(GUILD, length=300)
    await newer.close()


async def open_too(path: Path, like: Store) -> None:
    """Another process, that starts at the same moment."""
    other = Store(path, like._migrations)
    await other.open(BOT)
    assert other.is_open
    await other.close()


async def test_a_secret_is_of_one_file_and_one_purpose_and_never_of_none(
    store: Store, tmp_path: Path
) -> None:
    secret = store.secret("circle")
    again, another, nowhere = Store(store.path), Store(tmp_path / "other.db"), Store(tmp_path)
    await again.open(BOT)
    await another.open(BOT)
    strange = Store(store.path)
    await strange.open(BOT + 1)  # the file is another bot's
    await nowhere.open(BOT)
    assert again.secret("circle") == secret and not strange.is_open and not nowhere.is_open
    others = [kept.secret("circle") for kept in (another, strange, nowhere, Store(tmp_path))]
    assert len({secret, store.secret("cards"), *others}) == 6
    await again.close()
    await another.close()


# A file that cannot be used: one clear line, the defaults, and the file stays as it is


def damage(path: Path, at: int, size: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(random.Random(0).randbytes(size))


async def assert_unusable(
    path: Path, why: str, caplog: pytest.LogCaptureFixture, application: int = BOT
) -> None:
    before = path.read_bytes() if path.is_file() else None
    caplog.clear()
    broken = Store(path)
    await broken.open(application)
    assert not broken.is_open
    (record,) = caplog.records
    line = record.getMessage()
    assert record.levelno == logging.ERROR and "\n" not in line
    assert "POOH_DATABASE" in line and str(path) in line and why in line, line
    assert await broken.server(GUILD) == Server(GUILD)
    assert not await broken.refuses(PERSON) and await broken.servers() == []
    for change in (
        broken.change(GUILD, length=100),
        broken.forget(GUILD),
        broken.set_refusal(PERSON, refuses=True),
        broken.claim(GUILD, 1),
    ):
        with pytest.raises(StoreError):
            await change
    await broken.close()
    assert before == (path.read_bytes() if path.is_file() else None)


@pytest.mark.parametrize(
    ("at", "size", "why"),
    [(0, 100, "not a database"), (4096, 4096, "damaged"), (100, 60, "malformed")],
)
async def test_a_damaged_file(
    store: Store, caplog: pytest.LogCaptureFixture, at: int, size: int, why: str
) -> None:
    await store.change(GUILD, length=300)
    await store.close()
    damage(store.path, at, size)
    await assert_unusable(store.path, why, caplog)


@pytest.mark.parametrize("row", [(2, b"k"), (1, b""), (1, None)])
async def test_a_file_that_does_not_say_whose_it_is(
    store: Store, caplog: pytest.LogCaptureFixture, row: tuple[int, bytes | None]
) -> None:
    await store.close()
    with contextlib.closing(sqlite3.connect(store.path)) as db:
        db.execute("DROP TABLE host")
        db.execute("CREATE TABLE host (id INTEGER PRIMARY KEY, application INTEGER, key BLOB)")
        db.execute(f"INSERT INTO host VALUES (?, {BOT}, ?)", row)
        db.commit()
    await store.open(BOT)
    assert not store.is_open and "whose it is" in caplog.text


async def test_whatever_bits_flip_it_is_used_or_it_is_said(store: Store, tmp_path: Path) -> None:
    for number in range(30):
        await store.change(GUILD + number, story_by=f"Owl {number}", mentions=frozenset({number}))
        await store.set_refusal(PERSON + number, refuses=True)
    await store.close()
    whole, path, chance = store.path.read_bytes(), tmp_path / "flipped.db", random.Random(3)
    for _ in range(60):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        other = Store(path)
        await other.open(BOT)
        assert len(await other.servers()) <= 30
        await other.server(GUILD)
        await other.refuses(PERSON)
        await other.close()
        for left in tmp_path.glob("flipped.db*"):
            left.unlink()


async def test_a_file_that_was_cut(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    await store.change(GUILD, length=300)
    await store.close()
    os.truncate(store.path, 6000)
    await assert_unusable(store.path, "", caplog)


async def test_the_file_of_another_bot_program_or_version(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await store.close()
    await assert_unusable(store.path, "belongs to another bot", caplog, BOT + 1)
    with sqlite3.connect(store.path) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    await assert_unusable(store.path, "newer than this bot", caplog)
    for name, statement in (
        ("theirs.db", "CREATE TABLE songs (title)"),
        ("marked.db", f"PRAGMA application_id = {APPLICATION + 1}"),
    ):
        with sqlite3.connect(tmp_path / name) as db:
            db.execute(statement)
        db.close()
        await assert_unusable(tmp_path / name, "another program's", caplog)


async def test_a_place_that_cannot_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "pooh.db", tmp_path, Path("/proc/pooh/pooh.db")):
        await assert_unusable(path, "", caplog)


READ_ONLY = """
import asyncio, logging, sys
from pathlib import Path
from bot.store import Server, Store
async def main():
    store = Store(Path(sys.argv[1]))
    await store.open(1)
    assert not store.is_open and await store.server(4) == Server(4)
    print("went on")
logging.basicConfig(format="%(message)s")
asyncio.run(main())
"""


@pytest.mark.parametrize("there", [False, True])
def test_a_read_only_file_system(root: Path, tmp_path: Path, there: bool) -> None:
    place = tmp_path / "place"
    place.mkdir()
    if there:
        asyncio.run(_make(place / "pooh.db"))
    script = (
        f"mount --bind {place} {place} && mount -o remount,bind,ro {place} && "
        f'exec {sys.executable} -c "$1" {place}/pooh.db'
    )
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
    try:
        subprocess.run([*command[:4], "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nobody may mount anything here")
    done = subprocess.run(
        [*command, "sh", READ_ONLY], cwd=root, capture_output=True, text=True, check=False
    )
    if "mount:" in done.stderr:
        pytest.skip(f"nothing can be mounted here: {done.stderr}")
    assert done.stdout == "went on\n", done.stderr
    assert len(done.stderr.splitlines()) == 1 and "POOH_DATABASE" in done.stderr


async def _make(path: Path) -> None:
    store = Store(path)
    await store.open(1)
    await store.close()


async def test_a_file_that_is_damaged_while_it_is_used(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    for guild in range(300):
        await store.change(guild + 1, story_by="Somebody with a long name")
    other = Store(store.path)
    await other.open(BOT)
    await other._ask("PRAGMA wal_checkpoint(TRUNCATE)")
    await other.close()
    damage(store.path, 4096, store.path.stat().st_size - 4096)
    await store._ask("PRAGMA shrink_memory")
    caplog.clear()
    await store._ask("PRAGMA cache_size = 0")
    assert await store.server(250) == Server(250)
    assert "the defaults count" in caplog.text
    with pytest.raises(StoreError):
        await store.change(250, length=100)


FULL = """
import asyncio, resource, sys
from pathlib import Path
from bot.database import StoreError
from bot.store import Store
async def main():
    store = Store(Path(sys.argv[1]))
    try:
        await store.open(1)
        await fill(store)
    finally:
        await store.close()  # else its thread would keep this process alive
    print("went on")

async def fill(store):
    await store.change(1, length=77)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))  # as full as that
    refused = 0
    for guild in range(2, 400):
        try:
            await store.change(guild, length=100, mentions=frozenset(range(30)))
        except StoreError:
            refused += 1
    assert refused and (await store.server(1)).length == 77
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
asyncio.run(main())
"""


async def test_a_disk_that_is_full(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "pooh.db"
    run = [sys.executable, "-c", FULL, str(path)]
    done = subprocess.run(run, cwd=root, capture_output=True, text=True, check=False, timeout=100)
    assert done.stdout == "went on\n", done.stderr[-2000:]
    store = Store(path)
    await store.open(1)
    assert (await store.server(1)).length == 77
    await store.close()


# Killed

WRITER = """
import asyncio, sys
from pathlib import Path
from bot.store import Store
async def main():
    store = Store(Path(sys.argv[1]))
    await store.open(1)
    number = (await store.server(7)).story_channel or 0
    while True:
        number += 1
        await store.change(7, story_channel=number, mentions=frozenset(range(number, number + 20)))
        await store.set_refusal(number, refuses=True)
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()
asyncio.run(main())
"""


async def test_what_was_kept_survives_kill_9_at_any_moment(root: Path, tmp_path: Path) -> None:
    path, chance = tmp_path / "pooh.db", random.Random(0)
    said = 0
    for _ in range(8):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WRITER, str(path)), cwd=root, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        for _ in range(chance.randrange(1, 40)):
            said = int(await process.stdout.readline())
        await asyncio.sleep(chance.random() * 0.01)
        process.send_signal(signal.SIGKILL)
        rest = await process.stdout.read()
        assert await process.wait() == -signal.SIGKILL
        whole = rest[: rest.rfind(b"\n") + 1].split()
        said = int(whole[-1]) if whole else said
        store = Store(path)
        await store.open(1)
        assert store.is_open
        server = await store.server(7)
        number = server.story_channel or 0
        assert said <= number <= said + 1, "what was said to be kept is there"
        assert server.mentions == frozenset(range(number, number + 20))
        assert await store.refuses(said)
        assert replace(server, story_channel=None, mentions=frozenset()) == Server(7)
        await store.close()


async def test_several_processes_keep_in_one_file(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "pooh.db"
    code = WRITER.replace("while True:", "while number < int(sys.argv[3]) + 40:").replace(
        "7", "int(sys.argv[2])"
    )
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, str(path), str(guild), "0"),
            cwd=root,
            stdout=asyncio.subprocess.DEVNULL,
        )
        for guild in (1, 2, 3)
    ]
    assert [await process.wait() for process in processes] == [0, 0, 0]
    store = Store(path)
    await store.open(1)
    assert [server.story_channel for server in await store.servers()] == [40, 40, 40]
    await store.close()
