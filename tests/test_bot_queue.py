"""Queue, deadlines, failures and the end: the real bot, through the real discord.py.

The stand-in checks every request against Discord's rules and description while these tests run;
``stage`` fails a test whose bot notified anybody or sent what Discord does not know.
"""

import asyncio
import re

import pytest

from bot.worker import Outcome
from tests.bot_steps import begun, note, page, refusal, told, use_message
from tests.fake_discord import (
    ApiError,
    Schemas,
)
from tests.hosting import Stage, finished, stage


async def test_the_place_in_the_queue_is_shown_and_the_order_is_fair(
    schemas: Schemas | None,
) -> None:
    async with stage(schemas=schemas, slots=1) as wood:
        server = wood.server
        kanga, roo = server.person("Kanga"), server.person("Roo")
        wood.decoder.hold()
        uses = [kanga.command("pooh", prompt=f"K{i}", length=20) for i in range(3)]
        await server.until(lambda: all(use.original for use in uses))
        uses.append(roo.command("pooh", prompt="R0", length=20))
        await server.until(lambda: all(use.original for use in uses))
        await wood.until(lambda: all("queue" in use_message(use).content for use in uses[1:]))
        place = [re.search(r"number (\d)", use_message(use).content) for use in uses[1:]]
        assert [int(found[1]) for found in place if found] == [2, 3, 1], "one each, in turn"
        wood.decoder.open()
        await wood.until(lambda: all(finished(use_message(use)) for use in uses))


async def test_a_full_queue_is_a_friendly_answer(schemas: Schemas | None) -> None:
    async with stage(schemas=schemas, slots=1, queue=2) as wood:
        wood.decoder.hold()
        people = [wood.server.person(f"P{i}") for i in range(4)]
        uses = [person.command("pooh", prompt="Hm") for person in people[:3]]
        await wood.server.until(lambda: all(use.answered for use in uses))
        assert "queue is full" in (await refusal(people[3].command("pooh", prompt="Hm"))).content
        mention = people[3].say("@pooh and I?")
        await wood.server.until(
            lambda: any(
                m.reference is mention and "queue is full" in m.content
                for m in wood.server.channel.messages.values()
            )
        )


async def test_one_person_cannot_fill_the_queue(schemas: Schemas | None) -> None:
    async with stage(schemas=schemas, slots=1) as wood:
        wood.decoder.hold()
        kanga = wood.server.person()
        uses = [kanga.command("pooh", prompt="Hm") for _ in range(12)]
        await wood.server.until(lambda: all(use.answered for use in uses))
        assert {use.response_type for use in uses} == {4, 5}
        assert sum(use.response_type == 5 for use in uses) <= 6
        other = wood.server.person("Roo").command("pooh", prompt="Hm")
        await wood.server.until(lambda: other.answered)
        assert other.response_type == 5


async def test_a_story_that_takes_too_long_is_ended(schemas: Schemas | None) -> None:
    async with stage(schemas=schemas, slots=1, deadline=0.3) as wood:
        wood.decoder.hold()
        uses = [wood.server.person(f"P{i}").command("pooh", prompt="Hm") for i in range(2)]
        await wood.server.until(lambda: all(use.answered for use in uses))
        await wood.server.until(lambda: not wood.writer.waiting)  # the one that only waited
        await wood.server.until(lambda: all(story.halt for story in wood.writer.unfinished))
        wood.decoder.open()
        for use in uses:
            story = await wood.until(lambda: finished(use.original))  # noqa: B023
            assert "ran out of time" in note(story)


async def test_the_bot_hears_and_answers_while_the_network_is_at_work(wood: Stage) -> None:
    # The network stands still in the middle of a step. Were it on the event loop, or did the loop
    # wait for it anywhere, nothing here would ever be answered.
    wood.decoder.hold()
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    kanga.command("pooh", prompt="The hill")
    await wood.server.until(lambda: wood.decoder.allowed == 0 and wood.writer.writing)
    assert await roo.suggestions("pooh", "prompt", "Eeyore")
    assert (await roo.command("help").answer()).ephemeral
    assert (await roo.command("about").answer()).text
    await wood.server.until(lambda: wood.server.gateway.count(1))


async def test_a_failing_network_loses_no_more_than_its_story(
    wood: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    kanga = wood.server.person()
    wood.decoder.hold()
    use = kanga.command("pooh", prompt="Something private")
    await wood.server.until(lambda: use.original and wood.writer.writing)
    wood.decoder.error = RuntimeError("secret path /home/pooh")
    wood.decoder.open()
    story = await wood.until(lambda: finished(use.original))
    assert "went wrong" in note(story) and "secret" not in story.content
    assert "Something private" not in caplog.text
    assert finished(await told(wood, kanga.command("pooh", prompt="And now?")))


async def test_shutting_down_shows_what_there_is_and_takes_nothing_new(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await begun(wood, kanga, prompt="The mill", length=1500)
    leaving = asyncio.create_task(wood.stop_gently())
    await wood.server.until(lambda: wood.writer.is_closing)
    assert "sleep" in (await refusal(roo.command("pooh", prompt="Me too"))).content
    wood.decoder.open()
    await leaving
    assert finished(story) and len(page(story).story) > 1000


async def test_a_hung_network_and_a_silent_discord_do_not_hold_the_bot_up(wood: Stage) -> None:
    server = wood.server
    story = await begun(wood, server.person("Kanga"), prompt="The mill", length=1500)
    waiting = [server.person(f"P{i}").command("pooh", prompt="Hm") for i in range(40)]
    await server.until(lambda: all(use.original for use in waiting))
    server.gateway.fall_silent()
    written = wood.writer.unfinished[0]
    async with asyncio.timeout(25):  # the network would hold it for ever, Discord for 30 s
        leaving = asyncio.create_task(wood.stop(grace=1.0))
        await wood.until(lambda: written.halt, "the end of the time for writing")
        await server.until(lambda: not wood.writer.unfinished, "the network to be given up")
        await wood.until(leaving.done, "the bot to leave")
        await leaving
    for message in (story, *(use_message(use) for use in waiting)):
        assert finished(message) and "went to sleep" in note(message)


async def test_shutting_down_has_one_time_limit_for_all_and_leaves_nobody_behind(
    wood: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await begun(wood, wood.server.person(), prompt="The mill", length=1500)
    wood.server.fail("PATCH", "/webhooks", ApiError(500, 0, "down"), times=1000)
    story = wood.writer.unfinished[0]
    began = wood.clock()
    leaving = asyncio.create_task(wood.stop(grace=6.0))
    await wood.until(lambda: story.halt, "the end of the time for writing")
    assert story.halt is Outcome.CLOSED and 3.0 <= wood.clock() - began < 4.0, "half of it"
    wood.decoder.open()
    await wood.until(leaving.done, "the bot to leave")
    await leaving
    assert 6.0 <= wood.clock() - began < 7.0, "what was not spent on writing is for showing"
    await wood.pass_seconds(5.0)  # whoever were still telling a story would show it now
    assert not wood.stories.active and "Session is closed" not in caplog.text
