"""The story of the day: when it is due, how it is told, and that it is never told twice."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.daily import DAY, HOUR, LATE, LOOK, day_of, is_due, next_time
from bot.languages import Language
from bot.setup_texts import SetupText
from bot.store import Server, Stopped, Store
from tests.bot_steps import STORY_BUTTONS, note, told
from tests.fake_discord import ApiError, Channel, Cut, Guild, Message
from tests.fake_discord.models import VIEW
from tests.hosting import Stage, finished
from tests.test_host import Host, host
from tests.test_setup import ON, manager, placed, pressed, shown

__all__ = ["host"]
SILENT = 1 << 12
POST = ("POST", "/channels/{channel_id}/messages")
hours = st.integers(0, 23)
times = st.floats(1.6e9, 2.0e9)


# When


def told_at(server: Server, moments: list[float]) -> list[float]:
    """The moments at which a bot that looks then tells a story."""
    found = []
    for now in moments:
        if is_due(server, now):
            server = replace(server, story_day=day_of(now, server.story_hour))
            found.append(now)
    return found


@given(hours, times, st.integers(1, 5))
def test_it_is_told_once_a_day_at_its_hour(hour: int, start: float, days: int) -> None:
    server = Server(1, story_by="Owl", story_channel=2, story_hour=hour)
    server = replace(server, story_day=day_of(start, hour))  # as when it is switched on
    minutes = [start + 60 * n for n in range(1, days * 1440 + 1)]
    found = told_at(server, minutes)
    assert len(found) == days
    for now in found:
        assert 0 <= now % DAY - hour * HOUR < 60
    assert next_time(server, start) <= found[0] < next_time(server, start) + 60


@given(hours, times)
def test_what_is_late_is_told_and_what_is_very_late_is_not(hour: int, start: float) -> None:
    begins = start - start % DAY + hour * HOUR
    server = Server(1, story_by="Owl", story_channel=2, story_hour=hour)
    assert is_due(server, begins) and is_due(server, begins + LATE - 1)
    assert not is_due(server, begins + LATE)
    assert next_time(server, begins + LATE) == begins + DAY
    for off in (replace(server, story_by=""), replace(server, story_channel=None)):
        assert not is_due(off, begins)


@given(hours, st.lists(st.tuples(st.integers(0, 7 * 1440), hours), max_size=8), times)
def test_however_the_hour_is_moved_no_day_has_two(
    hour: int, moves: list[tuple[int, int]], start: float
) -> None:
    server = Server(1, story_by="Owl", story_channel=2, story_hour=hour)
    found: list[int] = []
    for minute in range(0, 7 * 1440, 7):
        now = start + 60 * minute
        for _, moved in [m for m in moves if minute <= m[0] < minute + 7]:
            day = max(server.story_day, day_of(now, moved))  # as the store does it
            server = replace(server, story_hour=moved, story_day=day)
        if is_due(server, now):
            day = day_of(now, server.story_hour)
            server = replace(server, story_day=day)
            found.append(day)
    assert len(found) == len(set(found))
    assert len(found) >= 7 - len(moves) - 2


def test_a_clock_that_was_ahead_does_not_silence_it() -> None:
    now = 1.8e9
    server = Server(1, story_by="Owl", story_channel=2, story_hour=8)
    day = day_of(now, 8)
    ahead = replace(server, story_day=day + 400)
    assert is_due(ahead, day * DAY + 8 * HOUR)
    assert next_time(replace(server, story_day=day + 1), now) == (day + 2) * DAY + 8 * HOUR


# How


async def until_hour(wood: Stage, server: Server) -> None:
    """Moves time to the next story."""
    await wood.server.until(lambda: wood.bot.is_ready())
    wood.clock.advance(next_time(server, wood.clock()) - wood.clock() + 1.0)


async def switched_on(wood: Stage, guild: Guild, hour: int = 8) -> Server:
    """A server that wants it, in its first channel."""
    await wood.bot.services.store.change(
        guild.id,
        story_channel=guild.channels[0].id,
        story_hour=hour,
        story_by="Owl",
        story_day=day_of(wood.clock(), hour),
    )
    return await wood.bot.services.store.server(guild.id)


def stories(channel: Channel) -> list[Message]:
    return [m for m in channel.messages.values() if m.mine]


async def story_in(wood: Stage, channel: Channel, number: int = 1) -> Message:
    return await wood.until(
        lambda: finished(stories(channel)[-1]) if len(stories(channel)) == number else None,
        f"story {number} of the day",
    )


async def test_it_is_told_every_day_silently_and_says_who_switched_it_on(wood: Stage) -> None:
    owl = manager(wood, "Owl <@1> *x*")
    news = wood.server.add_channel(wood.server.guild)
    await wood.restart()
    card = await shown(wood, owl.command("setup"))
    await placed(wood, owl, card, "story_channel", news)
    await pressed(wood, owl, card, ON)
    store = wood.bot.services.store
    await store.change(wood.server.guild.id, temperature=1.2, length=100)
    for number in (1, 2, 3):
        server = await wood.bot.services.store.server(wood.server.guild.id)
        assert len(stories(news)) == number - 1
        await until_hour(wood, server)
        story = await story_in(wood, news, number)
        assert story.flags & SILENT and not story.mentions and story.reference is None
        assert "temperature 1.2" in note(story)
        assert "story of the day, switched on by Owl" in note(story) and "<@1>" not in note(story)
        assert list(story.buttons) == STORY_BUTTONS
        await wood.restart()  # at any time of the day, and it is not told again
        await wood.pass_seconds(2.0)
    assert wood.pings() == []
    # Nobody's: a press tells another, for the presser; a moderator takes it away.
    roo, kanga = wood.server.person("Roo"), wood.server.person("Kanga", moderator=True)
    again = await told(wood, roo.press(story, "Again"))
    assert again is not story and "story of the day" not in note(again)
    assert "story of the day" in note(story)
    await wood.delete(kanga, story)
    await wood.server.until(lambda: story.deleted)


async def test_it_stops_by_itself_where_the_channel_is_gone_or_may_not_be_written_in(
    wood: Stage,
) -> None:
    guilds = [wood.server.guild, *(wood.server.add_guild(f"wood {n}") for n in range(3))]
    for guild in guilds[1:]:
        wood.server.add_channel(guild)
    await wood.restart()
    servers = [await switched_on(wood, guild) for guild in guilds]
    channels = [guild.channels[0] for guild in guilds]
    spare = [wood.server.add_channel(guild) for guild in guilds]
    wood.server.remove_channel(channels[0])
    channels[1].bot_permissions = 0  # it does not see it
    channels[2].bot_permissions = VIEW
    await until_hour(wood, servers[0])
    await story_in(wood, channels[3])
    store = wood.bot.services.store

    async def one_is_left() -> bool:
        return len([s for s in await store.servers() if s.story_by]) <= 1

    await wood.until_found(one_is_left)
    why = [(await store.server(server.id)).story_stopped for server in servers]
    assert why == [Stopped.GONE, Stopped.FORBIDDEN, Stopped.FORBIDDEN, None]
    asked = len(wood.server.requests(*POST))
    owl = manager(wood)
    said = {Stopped.GONE: SetupText.STORY_GONE, Stopped.FORBIDDEN: SetupText.STORY_FORBIDDEN}
    for reason, place, channel in zip(why, spare, channels, strict=True):
        card = await shown(wood, owl.command("setup", where=place))
        if reason:
            text = Language.ENGLISH.say(said[reason], channel=f"<#{channel.id}>")
            assert text in card.text
    wood.clock.advance(DAY)
    await story_in(wood, channels[3], 2)
    assert len([r for r in wood.server.requests(*POST)[asked:] if r.status >= 400]) == 0
    # Whoever mends it switches it on again.
    channels[2].bot_permissions = channels[3].bot_permissions
    card = await shown(wood, owl.command("setup", where=spare[2]))
    await pressed(wood, owl, card, ON)
    await until_hour(wood, await store.server(servers[2].id))
    await story_in(wood, channels[2])


async def test_what_fails_otherwise_is_told_the_next_day_and_a_lost_answer_doubles_nothing(
    wood: Stage,
) -> None:
    channel = wood.server.channel
    server = await switched_on(wood, wood.server.guild)
    wood.server.fail(*POST, Cut.CLOSED, carried_out=True)
    await until_hour(wood, server)
    await story_in(wood, channel)
    wood.server.fail(*POST, ApiError(400, 200000, "Message was blocked"), times=3)
    wood.clock.advance(DAY)
    await wood.until(lambda: len(wood.server.refused()) >= 1, "the refusal")
    await wood.pass_seconds(1.0)
    wood.server.faults.clear()
    kept = await wood.bot.services.store.server(server.id)
    assert kept.story_by == "Owl" and kept.story_stopped is None
    wood.clock.advance(DAY)
    await story_in(wood, channel, 2)


async def test_automod_that_blocks_it_for_good_is_asked_once_a_day(
    wood: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    channel = wood.server.channel
    server = await switched_on(wood, wood.server.guild)
    channel.blocked = ("story of the day",)
    await until_hour(wood, server)
    for day in (1, 2):
        await wood.until(lambda: len(wood.server.refused()) >= day)  # noqa: B023
        for _ in range(8):  # so late it would still be told
            wood.clock.advance(HOUR)
            await wood.pass_seconds(0.3)
        assert len(wood.server.refused()) == day and stories(channel) == []
        told = [r for r in caplog.records if r.levelname in ("WARNING", "ERROR")]
        assert len(told) == day, "the log is not filled"
        wood.clock.advance(DAY - 8 * HOUR)
    channel.blocked = ()
    kept = await wood.bot.services.store.server(server.id)
    assert kept.story_by == "Owl" and kept.story_stopped is None
    wood.clock.advance(DAY)
    await wood.until(lambda: stories(channel))


async def test_a_full_queue_only_puts_it_off(wood: Stage) -> None:
    server = await switched_on(wood, wood.server.guild)
    wood.stories.limit(9.0 * DAY, 1)
    wood.stories.check_rate_limit(server.id)
    await until_hour(wood, server)
    await wood.pass_seconds(1.0)
    assert stories(wood.server.channel) == []

    async def is_put_back() -> bool:
        return (await wood.bot.services.store.server(server.id)).story_day == server.story_day

    await wood.until_found(is_put_back)
    wood.stories.limit(0.0, 1)
    wood.clock.advance(601.0)
    await story_in(wood, wood.server.channel)


async def test_it_is_not_told_where_the_bot_is_not_at_home_or_cannot_be_reached(
    wood: Stage,
) -> None:
    other = wood.server.add_guild("Other")
    wood.server.add_channel(other)
    await wood.restart()
    servers = [await switched_on(wood, guild) for guild in (wood.server.guild, other)]
    settings = wood.bot.services.settings
    wood.bot.use_settings(replace(settings, guilds=frozenset({other.id})))
    await until_hour(wood, servers[0])
    await story_in(wood, other.channels[0])
    assert stories(wood.server.channel) == []
    # An outage is no farewell: it is told when the server is there again.
    guild = wood.bot.get_guild(servers[0].id)
    assert guild is not None
    wood.bot.use_settings(settings)
    wood.server.gateway.dispatch(
        "GUILD_DELETE", {"id": str(guild.id), "unavailable": True}, guild.id
    )
    await wood.server.until(lambda: guild.unavailable)
    wood.clock.advance(601.0)
    await wood.pass_seconds(1.0)
    assert stories(wood.server.channel) == []
    assert (await wood.bot.services.store.server(guild.id)).story_by == "Owl"
    guild.unavailable = False
    wood.clock.advance(601.0)
    await story_in(wood, wood.server.channel)


async def test_a_name_that_is_refused_is_not_said(wood: Stage) -> None:
    server = await switched_on(wood, wood.server.guild)
    await wood.bot.services.store.change(server.id, story_by="Fuckwit")
    await until_hour(wood, server)
    story = await story_in(wood, wood.server.channel)
    assert "switched on by somebody" in note(story)


async def test_an_hour_that_comes_while_others_are_told_is_not_missed(
    wood: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await switched_on(wood, wood.server.guild)
    await wood.server.until(lambda: wood.bot.is_ready())
    servers, passed = wood.bot.services.store.servers, asyncio.Event()

    async def slow() -> list[Server]:
        if not passed.is_set():  # this look began before the hour and ends after it
            await until_hour(wood, server)
            passed.set()
        return await servers()

    monkeypatch.setattr(wood.bot.services.store, "servers", slow)
    wood.clock.advance(LOOK)
    await passed.wait()
    await story_in(wood, wood.server.channel)


async def test_a_bot_that_leaves_begins_no_more_of_them(wood: Stage) -> None:
    server = await switched_on(wood, wood.server.guild)
    await wood.stop_gently()
    wood.clock.advance(2 * DAY)
    await asyncio.sleep(0.1)
    assert stories(wood.server.channel) == []
    await wood.start()
    await until_hour(wood, replace(server, story_day=day_of(wood.clock(), 8)))
    await story_in(wood, wood.server.channel)


# Killed


async def test_kill_9_between_the_record_and_the_story_doubles_nothing(
    host: Host, tmp_path: Path
) -> None:
    discord = host.discord
    other = discord.add_guild("Other")
    discord.add_channel(other)
    hour = int(discord.clock() % DAY // HOUR)
    store = Store(tmp_path / "pooh.db")
    await store.open(discord.application_id)
    for guild in (discord.guild, other):
        await store.change(
            guild.id, story_channel=guild.channels[0].id, story_hour=hour, story_by="Owl"
        )
    await store.close()
    # The first message is on its way when the bot is killed, and arrives all the same.
    discord.fail(*POST, delay=1.5, times=2)
    process = await host.start()
    await discord.until(lambda: len(discord.requests(*POST)) == 2, "both stories on their way")
    process.send_signal(signal.SIGKILL)
    await process.wait()
    channels = [guild.channels[0] for guild in (discord.guild, other)]
    await discord.until(lambda: all(stories(c) for c in channels), "the stories of the killed")
    await store.open(discord.application_id)
    assert [s.story_day for s in await store.servers()] == [day_of(discord.clock(), hour)] * 2
    # A third server shows that the next process has looked.
    third = discord.add_guild("Third")
    news = discord.add_channel(third)
    await store.change(third.id, story_channel=news.id, story_hour=hour, story_by="Owl")
    await store.close()
    await host.start()
    await discord.until(lambda: stories(news) and finished(stories(news)[0]), "the third story")
    assert [len(stories(channel)) for channel in channels] == [1, 1]
    assert len(discord.requests(*POST)) == 3


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM])
async def test_settings_survive_the_end_of_the_process(host: Host, stop: signal.Signals) -> None:
    discord = host.discord
    owl = discord.person("Owl")
    owl.permissions |= 1 << 5
    process = await host.start()
    use = owl.command("setup")
    card = await use.answer()
    await discord.until(lambda: card.menus)
    owl.choose(card, "pooh:setup:length", "100")
    await discord.until(lambda: "100 characters" in card.text)
    process.send_signal(stop)
    assert await process.wait() == (0 if stop is signal.SIGTERM else -stop)
    beside = {path.name for path in host.folder.glob("pooh.db*")}
    assert stop is signal.SIGKILL or beside == {"pooh.db"}
    await host.start()
    owl.choose(card, "pooh:setup:temperature", "0.5")
    await discord.until(lambda: "temperature 0.5" in card.text)
    assert "100 characters" in card.text
