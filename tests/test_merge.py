"""`python -m bot merge`: what several files of one bot keep, in one."""

import asyncio
import itertools
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import fields, replace
from pathlib import Path

import pytest

from bot.backup import backup, describe
from bot.database import MIGRATIONS, StoreError
from bot.merge import merge
from bot.store import NOTHING, Server, Stopped, Store
from tests.hosting import save_small_network
from tests.test_settings import TOKEN
from tests.test_terminal import bot

BOT = 123456789012345678
GUILD, PERSON = 42 << 22, 1234567890123456789
Make = Callable[[str], Awaitable[Store]]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """Makes and opens files, each of another machine; they stay open, as by a bot."""
    async with AsyncExitStack() as stack:

        async def opened(name: str) -> Store:
            store = Store(tmp_path / f"{name}.db")
            await store.connect(BOT)
            stack.push_async_callback(store.close)
            return store

        yield opened


def set_time(store: Store, server: int, changed: int) -> None:
    with sqlite3.connect(store.path) as db:
        db.execute("UPDATE server SET changed = ? WHERE id = ?", (changed, server))
    db.close()


async def test_the_newer_row_counts_in_every_order_and_a_day_does_not_go_back(make: Make) -> None:
    one, two, three = [await make(name) for name in ("one", "two", "three")]
    for store, changed in ((one, 300), (two, 100), (three, 200)):
        await store.change(GUILD, length=changed, story_by="Owl", story_day=1000 - changed)
        set_time(store, GUILD, changed)
    await two.change(GUILD + 1, temperature=0.5)
    merged = []
    for name, order in (("there", (one, two, three)), ("back", (three, two, one))):
        target = await make(name)
        await merge(target.path, [store.path for store in order], BOT)
        await merge(target.path, [store.path for store in order], BOT)  # again changes nothing
        merged.append(await target.servers())
    assert merged[0] == merged[1] == [
        Server(GUILD, length=300, story_by="Owl", story_day=900),
        Server(GUILD + 1, temperature=0.5),
    ]  # fmt: skip
    assert (await one.server(GUILD)).story_day == 700  # sources stay as they are
    before = await one.server(GUILD)
    await merge(one.path, [two.path], BOT)
    assert (await one.server(GUILD)).length == before.length


async def test_what_was_decided_after_a_merge_is_the_newer(make: Make) -> None:
    here, there = await make("here"), await make("there")
    await here.change(GUILD, length=100, story_by="Owl", story_channel=5)
    set_time(here, GUILD, 1_700_000_000)
    await merge(there.path, [here.path], BOT)
    for length in (200, None):
        if length:
            await there.change(GUILD, length=length)
        else:
            await there.stop_story(GUILD, 5, Stopped.GONE)
        assert await there.server(GUILD) != await here.server(GUILD)
        await merge(here.path, [there.path], BOT)
        assert await here.server(GUILD) == await there.server(GUILD)
        for store in (here, there):
            set_time(store, GUILD, 1_700_000_000)


async def test_a_change_is_later_than_what_is_known_though_a_clock_was_ahead(make: Make) -> None:
    ahead, here = await make("ahead"), await make("here")
    await ahead.change(GUILD, length=100, story_by="Owl", story_channel=5)
    set_time(ahead, GUILD, int(time.time()) + 120)
    backup(ahead.path, copy := ahead.path.with_name("copy.db"))
    await merge(here.path, [copy], BOT)
    await here.change(GUILD, length=400)
    await here.stop_story(GUILD, 5, Stopped.GONE)
    decided = await here.server(GUILD)
    assert (decided.length, decided.story_stopped) == (400, Stopped.GONE)
    for store, source in ((here, copy), (ahead, here.path), (here, ahead.path)):
        await merge(store.path, [source], BOT)
        assert await store.server(GUILD) == decided
    await ahead.forget(GUILD)
    await merge(here.path, [ahead.path], BOT)
    assert await here.servers() == []


async def test_of_the_same_second_the_same_row_counts_in_every_order(make: Make) -> None:
    rows: list[dict[str, object]] = [
        {"length": 100, "mentions": frozenset({5})},
        {"length": 200},
        {"length": 200, "story_channel": 7, "story_by": "Owl"},
        {"temperature": 0.5, "story_stopped": Stopped.GONE},
        {"story_hour": 9},
    ]
    stores = [await make(f"of{number}") for number in range(len(rows))]
    for store, row in zip(stores, rows, strict=True):
        await store.change(GUILD, **row)
        set_time(store, GUILD, 0)  # of a file from before the time was kept
    for number, (one, two) in enumerate(itertools.combinations(stores, 2)):
        ways = [await make(f"{number}{way}") for way in "ab"]
        await merge(ways[0].path, [one.path, two.path], BOT)
        await merge(ways[1].path, [two.path], BOT)
        await merge(ways[1].path, [one.path], BOT)
        assert (merged := await ways[0].server(GUILD)) == await ways[1].server(GUILD)
        assert merged in [await one.server(GUILD), await two.server(GUILD)]  # and no mixture


async def test_what_was_forgotten_is_forgotten_in_every_file_and_does_not_come_back(
    make: Make,
) -> None:
    assert {*NOTHING, "id", "story_day"} == {field.name for field in fields(Server)}
    one, two = await make("one"), await make("two")
    whole = Server(GUILD, 0.5, 200, frozenset({5}), 7, 9, "Owl the Name", 1000, Stopped.GONE)
    for server in (GUILD, GUILD + 1):
        row = replace(whole, id=server)
        await one.change(server, **{c: getattr(row, c) for c in NOTHING}, story_day=row.story_day)
    backup(one.path, old := one.path.with_name("old.db"))
    await merge(two.path, [old], BOT)
    assert (await two.server(GUILD)) == whole
    await one.forget(GUILD)  # the bot leaves one server
    await one.change(GUILD + 1, story_by="Kanga")  # and in another somebody else switches it on
    for store, source in ((two, one), (one, two)):
        await merge(store.path, [source.path], BOT)
        await merge(store.path, [old], BOT)
        assert await store.servers() == [replace(whole, id=GUILD + 1, story_by="Kanga")]
        assert await store.server(GUILD) == Server(GUILD, story_day=1000)  # none is told twice
        assert "settings of servers: 1," in describe(store.path)
        for beside in ("", "-wal"):  # while the bot runs, too
            held = store.path.with_name(f"{store.path.name}{beside}").read_bytes()
            assert b"Owl the Name" not in held
    await two.change(GUILD, length=300)  # invited again
    await merge(two.path, [old, one.path], BOT)
    assert await two.server(GUILD) == Server(GUILD, length=300, story_day=1000)


async def test_forgetting_counts_before_a_choice_of_the_same_second(make: Make) -> None:
    one, two = await make("one"), await make("two")
    for store in (one, two):
        await store.change(GUILD, mentions=frozenset({5}), story_by="Owl", story_channel=7)
    await one.forget(GUILD)
    for store in (one, two):
        set_time(store, GUILD, 1_700_000_000)
    for store, source in ((one, two), (two, one)):
        await merge(store.path, [source.path], BOT)
        assert await store.servers() == []


async def test_who_said_no_anywhere_has_said_no_everywhere_and_may_say_yes(make: Make) -> None:
    one, two, three = [await make(name) for name in ("one", "two", "three")]
    for number, store in enumerate((one, two, three)):
        await store.set_refusal(PERSON + number, refuses=True)
        await store.set_refusal(PERSON, refuses=True)
    await merge(two.path, [one.path], BOT)
    await merge(three.path, [two.path], BOT)  # and with it the first
    await merge(one.path, [three.path, two.path], BOT)
    everybody = [True, True, True, False]
    for store in (one, three):  # which are in use, and hold nothing in memory
        assert [await store.refuses(PERSON + n) for n in range(4)] == everybody
    await one.set_refusal(PERSON, refuses=False)
    await one.set_refusal(PERSON + 2, refuses=False)
    assert [await one.refuses(PERSON + n) for n in range(4)] == [False, True, False, False]
    await one.set_refusal(PERSON + 2, refuses=True)
    assert await one.refuses(PERSON + 2)
    backup(one.path, one.path.with_name("copy.db"))
    copy = await make("copy")
    assert [await copy.refuses(PERSON + n) for n in range(4)] == [False, True, True, False]


async def test_a_bot_goes_on_while_its_file_takes_others_in(make: Make) -> None:
    here, there = await make("here"), await make("there")
    for number in range(200):
        await there.change(GUILD + number, length=100)
    writing = True
    written = 0

    async def write() -> None:
        nonlocal written
        while writing:
            written += 1
            await here.change(1, length=written)

    task = asyncio.create_task(write())
    for _ in range(3):
        await asyncio.to_thread(lambda: asyncio.run(merge(here.path, [there.path], BOT)))
    writing = False
    await task
    assert len(await here.servers()) == 201 and (await here.server(1)).length == min(written, 1500)


async def test_all_are_taken_in_or_none_and_old_ones_too(make: Make, tmp_path: Path) -> None:
    here = await make("here")
    old = Store(tmp_path / "old.db", MIGRATIONS[:1])
    with sqlite3.connect(old.path) as db:
        for statement in MIGRATIONS[0]:
            db.execute(statement)
        db.execute("PRAGMA user_version = 1")
        db.execute("INSERT INTO host VALUES (1, ?, ?)", (BOT, b"k" * 32))
        db.execute("INSERT INTO server (id, length) VALUES (?, 100)", (GUILD,))
    db.close()
    theirs = Store(tmp_path / "theirs.db")
    await theirs.connect(BOT + 1)
    await theirs.close()
    (tmp_path / "broken.db").write_bytes(b"no database at all" * 99)
    for wrong, words in (
        ("theirs.db", f"theirs.db: it belongs to another bot, {BOT + 1}"),
        ("broken.db", "broken.db: file is not a database"),
        ("none.db", "none.db: there is no such file"),
    ):
        with pytest.raises(StoreError) as failed:
            await merge(here.path, [old.path, tmp_path / wrong], BOT)
        assert words in str(failed.value) and "/0.db" not in str(failed.value)
        assert await here.servers() == []
    was = old.path.read_bytes()
    await merge(here.path, [old.path], BOT)
    assert await here.servers() == [Server(GUILD, length=100)] and old.path.read_bytes() == was
    with pytest.raises(StoreError, match=r"theirs\.db: it belongs to another bot"):
        await merge(theirs.path, [old.path], BOT)


def test_the_command_line(root: Path, tmp_path: Path) -> None:
    small = save_small_network(tmp_path)

    async def keep() -> None:
        store = Store(tmp_path / "there.db")
        await store.connect(BOT)
        await store.change(GUILD, length=100)
        await store.set_refusal(PERSON, refuses=True)
        await store.close()

    asyncio.run(keep())
    own = {"POOH_DATABASE": "here.db", "DISCORD_TOKEN": TOKEN}
    done = bot(root, small, "merge", "there.db", "there.db", **own)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Taken in. here.db: settings of servers: 1, people who want their words left alone: 1.\n"
    )
    for arguments, words in ((["none.db"], "none.db: there is no such file"), ([], "FILE")):
        failed = bot(root, small, "merge", *arguments, **own)
        assert failed.returncode == 2 and words in failed.stderr
        assert "Traceback" not in failed.stderr
