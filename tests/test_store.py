"""What is kept of servers and people."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bot.store import Server, Stopped, Store

BOT = 123456789012345678
GUILD, PERSON = 42 << 22, 1234567890123456789


async def test_what_is_decided_is_there_after_a_restart_and_the_rest_has_its_defaults(
    store: Store,
) -> None:
    assert await store.server(GUILD) == Server(GUILD)
    assert await store.server(None) == Server()
    await store.change(GUILD, temperature=1.2, mentions=frozenset({7, 5}))
    await store.change(GUILD, length=200, story_stopped=Stopped.GONE, story_by="Kanga")
    await store.change(GUILD + 1, story_channel=9, story_hour=23)
    await store.close()
    again = Store(store.path)
    await again.open(BOT)
    kept = Server(
        *(GUILD, 1.2, 200, frozenset({5, 7})), story_by="Kanga", story_stopped=Stopped.GONE
    )
    assert await again.server(GUILD) == kept
    assert (kept.sampling.temperature, kept.sampling.length) == (1.2, 200)
    assert kept.answers_in(5) and kept.answers_in(1, 7) and not kept.answers_in(1, None)
    assert await again.servers() == [kept, Server(GUILD + 1, story_channel=9, story_hour=23)]
    await again.change(GUILD, temperature=None, story_stopped=None, mentions=frozenset())
    assert await again.server(GUILD) == Server(GUILD, length=200, story_by="Kanga")
    assert Server().answers_in(1)
    await again.forget(GUILD)
    assert await again.server(GUILD) == Server(GUILD)
    await again.close()
    assert [path.name for path in store.path.parent.iterdir()] == ["pooh.db"]  # and nothing beside


async def test_ids_of_people_are_hashed_with_a_key_of_this_file(
    store: Store, tmp_path: Path
) -> None:
    other = Store(tmp_path / "other.db")
    await other.open(BOT)
    for kept in (store, other):
        await kept.set_refusal(PERSON, refuses=True)
        await kept.set_refusal(PERSON, refuses=True)
        assert await kept.refuses(PERSON) and not await kept.refuses(PERSON + 1)
    hashes = [
        {row[0] for row in sqlite3.connect(kept.path).execute("SELECT person FROM refusal")}
        for kept in (store, other)
    ]
    assert hashes[0].isdisjoint(hashes[1]) and len(hashes[0]) == len(hashes[1]) == 1
    await store.set_refusal(PERSON, refuses=False)
    assert not await store.refuses(PERSON)
    await other.close()
    written = (tmp_path / "other.db").read_bytes()
    assert str(PERSON).encode() not in written
    assert PERSON.to_bytes(8, "big") not in written


async def test_a_file_may_have_a_name_that_sqlite_takes_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for was_kept in (False, True):
        store = Store(Path(":memory:"))
        await store.open(BOT)
        assert await store.refuses(PERSON) is was_kept
        await store.set_refusal(PERSON, refuses=True)
        await store.close()


async def test_what_is_forgotten_is_not_in_the_file(store: Store) -> None:
    await store.change(GUILD, story_by="Kanga of the Wood")
    await store.change(GUILD + 1, story_by="Owl of the Wood")
    await store.change(GUILD + 2, story_by="Rabbit of the Wood", story_channel=7)
    await store.set_refusal(PERSON, refuses=True)
    (hashed,) = await store._hashes(PERSON)
    files = [store.path, store.path.with_name(f"{store.path.name}-wal")]  # while the bot runs, too

    def held(words: bytes) -> bool:
        return any(words in file.read_bytes() for file in files)

    assert held(b"Kanga of the Wood") and held(hashed)
    await store.change(GUILD, story_by="Roo of the Wood")
    assert not held(b"Kanga of the Wood") and held(b"Roo of the Wood")
    await store.change(GUILD, story_by="", story_stopped=None)
    assert not held(b"Roo of the Wood")
    await store.forget(GUILD + 1)
    assert not held(b"Owl of the Wood")
    await store.stop_story(GUILD + 2, 7, Stopped.GONE)
    assert not held(b"Rabbit of the Wood")
    await store.set_refusal(PERSON, refuses=False)
    assert not held(hashed)


async def test_a_file_that_another_process_makes_meanwhile_is_not_taken_for_a_strangers(
    tmp_path: Path,
) -> None:
    class Interrupted(Store):
        """Another process makes the tables while this one looks whose file it is."""

        other: Store | None = None

        async def _ask(self, statement: str, *values: object) -> list[sqlite3.Row]:
            rows = await super()._ask(statement, *values)
            if "application_id" in statement and self.other is None:
                self.other = Store(self.path)
                await self.other.open(BOT)
            return rows

    store = Interrupted(tmp_path / "pooh.db")
    await store.open(BOT)
    assert store.other is not None and store.other.is_open
    assert store.is_open
    await store.close()
    await store.other.close()


async def test_the_file_is_for_the_bot_alone(store: Store) -> None:
    await store.change(GUILD, length=100)
    for path in store.path.parent.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name


async def test_a_day_is_claimed_once_and_never_goes_back(store: Store) -> None:
    other = Store(store.path)  # as another process would
    await other.open(BOT)
    assert not await store.claim(GUILD, 100)  # nobody has switched it on
    await store.change(GUILD, story_by="Kanga", story_day=99)
    claims = await asyncio.gather(*(kept.claim(GUILD, 100) for kept in (store, other) * 5))
    assert sum(claims) == 1
    assert not await store.claim(GUILD, 99)
    await store.change(GUILD, story_hour=3, story_day=99)
    assert (await other.server(GUILD)).story_day == 100
    await other.unclaim(GUILD, 100)
    await other.unclaim(GUILD, 100)
    assert (await store.server(GUILD)).story_day == 99
    await store.change(GUILD, story_day=5000)  # by a clock that was wrong
    assert await store.claim(GUILD, 101)
    await store.change(GUILD, story_day=5000)
    await store.change(GUILD, story_day=100)
    assert (await store.server(GUILD)).story_day == 100
    await store.stop_story(GUILD, 8, Stopped.GONE)
    assert (await store.server(GUILD)).story_by == "Kanga"  # it was another channel's
    await store.change(GUILD, story_channel=8)
    await store.stop_story(GUILD, 8, Stopped.GONE)
    assert (await store.server(GUILD)).story_stopped is Stopped.GONE
    await other.close()


async def test_numbers_beyond_the_limits_become_the_nearest_and_nonsense_the_defaults(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await store.change(GUILD, temperature=7.0, length=10**6, story_hour=31)
    server = await store.server(GUILD)
    assert (server.temperature, server.length, server.story_hour) == (2.0, 1500, 7)
    await store.change(GUILD, length=float("inf"))
    assert await store.server(GUILD) == Server(GUILD)
    await store.change(GUILD, length=None, temperature="hot")
    assert await store.server(GUILD) == Server(GUILD)
    assert await store.servers() == [Server(GUILD)]
    assert "makes no sense" in caplog.text
