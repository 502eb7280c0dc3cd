"""Whatever breaks on the way to Discord: nothing is left loading, and who asked is told."""

import logging
import re
from collections.abc import AsyncIterator
from typing import TypeVar

import pytest

from bot.delivery import NOTE_LIFE
from bot.messages import parse
from bot.stories import QUEUE_PACE
from bot.worker import Outcome
from tests.bot_steps import begun, note, page, told
from tests.fake_discord import (
    PRIVATE,
    ApiError,
    Cut,
    Interaction,
    Message,
    Schemas,
    too_many,
)
from tests.hosting import Stage, finished, stage

T = TypeVar("T")

DOWN = ApiError(502, 0, "bad gateway")
LOSSES = [
    pytest.param(answer, carried_out, id=f"{name}-{'after' if carried_out else 'before'}")
    for name, answer in (("reset", Cut.RESET), ("closed", Cut.CLOSED), ("502", DOWN))
    for carried_out in (False, True)
]


@pytest.fixture
async def wood(schemas: Schemas | None) -> AsyncIterator[Stage]:
    async with stage(schemas=schemas) as theatre:
        yield theatre


def said(use: Interaction) -> list[Message]:
    """What only the one who asked sees."""
    return [message for message in use.messages if message.ephemeral and not message.loading]


def answers_to(wood: Stage, asked: Message) -> list[Message]:
    """What the bot has replied to a message."""
    return [m for m in asked.channel.messages.values() if m.reference is asked and m.mine]


# The first response


@pytest.mark.parametrize(
    ("way", "answer", "carried_out"),
    [
        *((way, *loss.values) for way in ("pooh", "help", "again") for loss in LOSSES),
        *(
            (way, Cut.RESET, True)
            for way in ("menu", "about", "refusal", "delete", "yes, delete it")
        ),
    ],
)
async def test_a_first_response_whose_answer_is_lost_is_made_again(
    wood: Stage, way: str, answer: ApiError | Cut, carried_out: bool
) -> None:
    server = wood.server
    kanga = server.person()
    story = await told(wood, kanga.command("pooh", prompt="The bee"))
    if way == "yes, delete it":
        kanga.press(story, "Delete")
        await server.until(lambda: "Yes, delete it" in story.buttons)
    edits = len(story.edits)
    for _ in range(2 if isinstance(answer, Cut) else 1):
        server.fail("POST", "/interactions", answer, carried_out=carried_out)
    match way:
        case "pooh":
            use = kanga.command("pooh", prompt="The mill")
        case "menu":
            use = kanga.menu("Continue as Pooh", story)
        case "about" | "help":
            use = kanga.command(way)
        case "refusal":
            use = kanga.command("pooh", prompt="🐝")
        case _:
            use = kanga.press(story, way.capitalize())
    if answer is DOWN:  # discord.py itself waits, a real second, and tries again
        await server.until(lambda: use.answered)
    match way:
        case "pooh" | "menu":
            await wood.until(lambda: finished(use.original))
        case "again":
            await wood.until(lambda: finished(story) and len(story.edits) > edits)
        case "delete":
            await wood.until(lambda: "Yes, delete it" in story.buttons)
        case "yes, delete it":
            await wood.until(lambda: story.deleted)
        case _:
            only = await wood.until(lambda: [m for m in use.messages if not m.loading])
            assert len(only) == 1 and only[0].ephemeral == (way != "about")
    assert use.answered is not None and use.answered - use.created < 3.0
    assert not server.faults and not any(m.loading for m in use.messages)
    assert not use.followups, "said once"


@pytest.mark.parametrize("way", ["pooh", "Again", "Delete", "Keep", "refusal", "privacy"])
async def test_what_another_process_has_answered_is_left_alone(wood: Stage, way: str) -> None:
    server, kanga = wood.server, wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The bee"))
    edits, requests = len(story.edits), len(server.log)
    server.fail("POST", "/interactions", ApiError(400, 40060, "already acknowledged"))
    match way:
        case "pooh" | "privacy":
            kanga.command(way)
        case "refusal":
            kanga.command("pooh", prompt="🐝")
        case _:
            kanga.press(story, way)
    await server.until(lambda: not server.faults, "the first response")
    await wood.pass_seconds(3.0)
    assert [r.code for r in server.log[requests:]] == [40060], "and nothing more"
    assert len(story.edits) == edits and not wood.stories.active and not wood.writer.unfinished


async def test_a_promise_that_never_gets_an_answer_is_taken_back(wood: Stage) -> None:
    server = wood.server
    kanga = server.person()
    server.fail("POST", "/interactions", Cut.CLOSED, carried_out=True, times=7)
    use = kanga.command("pooh", prompt="The mill")
    [word] = await wood.until(lambda: said(use))
    assert "reference" in word.content and use.original and use.original.deleted
    assert all(story.halt for story in wood.writer.unfinished)


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_first_response_that_is_never_answered_is_made_again(
    wood: Stage, monkeypatch: pytest.MonkeyPatch, carried_out: bool
) -> None:
    monkeypatch.setattr("bot.delivery.FIRST_PATIENCE", 0.3)
    answer = None if carried_out else Cut.CLOSED
    wood.server.fail("POST", "/interactions", answer, carried_out=carried_out, delay=500.0)
    use = wood.server.person().command("pooh", prompt="The mill")
    await wood.until(lambda: finished(use.original))


async def test_a_button_that_is_pressed_twice_tells_one_story(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The mill"))
    wood.decoder.hold()
    first, second = kanga.press(story, "Again"), kanga.press(story, "Wilder")
    await wood.server.until(lambda: first.answered and second.answered)
    assert {first.response_type, second.response_type} == {4, 6}
    wood.decoder.open()
    await wood.until(lambda: not wood.stories.active)


# What is said to one person


@pytest.mark.parametrize("way", ["refusal", "about", "mention"])
async def test_words_that_discord_calls_wrong_are_said_in_others(wood: Stage, way: str) -> None:
    server, kanga = wood.server, wood.server.person()
    wrong = ApiError(400, 50035, "no")
    if way == "mention":
        server.fail("POST", "/channels", wrong)
        asked = kanga.say("@pooh 🐝")
        [word] = await wood.until(lambda: answers_to(wood, asked))
    else:
        if way == "about":
            server.fail("PATCH", "/webhooks", wrong)
            server.fail("POST", "/webhooks", wrong)
        else:
            server.fail("POST", "/interactions", wrong)
        use = kanga.command("about") if way == "about" else kanga.command("pooh", prompt="🐝")
        [word] = await wood.until(lambda: said(use))
    assert "reference" in word.content and not server.faults


async def test_what_is_said_after_a_public_promise_is_private_and_the_promise_is_gone(
    wood: Stage,
) -> None:
    wood.server.fail("PATCH", "/webhooks", ApiError(400, 50035, "no"))
    use = wood.server.person().command("about")
    [word] = await wood.until(lambda: said(use))
    assert "reference" in word.content
    assert use.messages == [word] and use.original and use.original.deleted


async def test_a_promise_that_cannot_be_taken_back_carries_the_explanation(wood: Stage) -> None:
    wood.server.fail("PATCH", "/webhooks", ApiError(400, 50035, "no"))
    wood.server.fail("DELETE", "/webhooks", ApiError(403, 50013, "no"))
    use = wood.server.person().command("about")
    await wood.until(lambda: use.original and not use.original.loading)
    assert use.original and "reference" in use.original.content and not use.followups


@pytest.mark.parametrize(("answer", "carried_out"), LOSSES)
async def test_a_private_word_survives_a_broken_connection(
    schemas: Schemas | None, answer: ApiError | Cut, carried_out: bool
) -> None:
    async with stage(schemas=schemas, slots=1) as wood:
        kanga = wood.server.person()
        story = await told(wood, kanga.command("pooh", prompt="The mill"))
        wood.decoder.hold()
        other = wood.server.person().command("pooh", prompt="The sea")
        await wood.server.until(lambda: other.answered and wood.writer.writing)
        use = kanga.press(story, "Wilder")  # it waits, and is stopped before a word is written
        await wood.until(lambda: "Stop" in story.buttons)
        wood.server.fail("POST", "/webhooks", answer, carried_out=carried_out)
        wood.writer.stop(wood.writer.unfinished[-1], Outcome.STOPPED)
        wood.decoder.open()
        words = await wood.until(lambda: said(use))
        assert "Nothing new was written" in words[0].content
        await wood.until(lambda: not wood.stories.active)
        assert len({word.content for word in said(use)}) == 1 and len(said(use)) <= 2


# Edits


@pytest.mark.parametrize(("answer", "carried_out"), LOSSES)
async def test_the_end_of_a_story_survives_a_broken_connection(
    wood: Stage, answer: ApiError | Cut, carried_out: bool
) -> None:
    times = 3 if isinstance(answer, Cut) else 1
    wood.server.fail("PATCH", "/webhooks", answer, carried_out=carried_out, times=times)
    use = wood.server.person().command("pooh", prompt="The mill")
    await wood.until(lambda: finished(use.original))
    await wood.until(lambda: not wood.stories.active)
    assert not wood.server.faults and not use.followups


@pytest.mark.parametrize(("answer", "carried_out"), LOSSES)
async def test_a_reply_whose_answer_is_lost_is_sent_once(
    wood: Stage, answer: ApiError | Cut, carried_out: bool
) -> None:
    wood.server.fail("POST", "/channels", answer, carried_out=carried_out)
    asked = wood.server.person().say("@pooh The mill")
    await wood.until(lambda: [m for m in answers_to(wood, asked) if finished(m)])
    await wood.until(lambda: not wood.stories.active)
    assert len(answers_to(wood, asked)) == 1


async def test_a_reply_whose_answer_was_lost_while_it_grew_shows_its_end(wood: Stage) -> None:
    wood.decoder.hold()
    wood.server.fail("POST", "/channels", Cut.CLOSED, carried_out=True)
    asked = wood.server.person().say("@pooh The mill")
    [reply] = await wood.until(lambda: answers_to(wood, asked))
    assert "writing" in note(reply)
    wood.decoder.open()  # with the nonce, Discord gives the message back as it was sent first
    await wood.until(lambda: finished(reply))
    assert len(answers_to(wood, asked)) == 1


async def test_a_story_that_automod_blocks_is_told_to_its_asker_only(wood: Stage) -> None:
    wood.server.channel.blocked = ("mill",)
    use = wood.server.person().command("pooh", prompt="The mill")
    [word] = await wood.until(lambda: said(use))
    assert "AutoMod" in word.content and use.messages == [word]


@pytest.mark.parametrize("mention", [False, True])
async def test_what_automod_blocks_in_mid_story_is_brought_to_rest(
    wood: Stage, mention: bool
) -> None:
    server = wood.server
    kanga = server.person()
    wood.decoder.hold()
    if mention:
        asked = kanga.say("@pooh The mill")
        await server.until(lambda: wood.writer.writing)
        wood.decoder.allow(60)
        story = (await wood.until(lambda: answers_to(wood, asked)))[0]
    else:
        story = await begun(wood, kanga, prompt="The mill", length=400)
    shown = page(story).story
    assert "Stop" in story.buttons and shown
    server.channel.blocked = ("writing",)  # as if it had come to a word that is blocked
    wood.decoder.allow(60)
    await wood.until(lambda: finished(story))
    assert "not shown to its end" in note(story)
    assert page(story).story == shown and page(story).cut
    wood.decoder.open()
    await wood.until(lambda: not wood.stories.active and not wood.writer.writing)
    assert finished(story)


async def test_a_message_that_may_not_be_changed_at_all_is_taken_away(wood: Stage) -> None:
    server = wood.server
    kanga = server.person()
    story = await begun(wood, kanga, prompt="The mill", length=400)
    server.channel.blocked = ("the mill",)
    wood.decoder.open()
    await wood.until(lambda: story.deleted)
    use = next(iter(server.interactions.values()))
    assert "AutoMod" in (await wood.until(lambda: said(use)))[0].content


async def test_a_press_whose_edit_is_blocked_leaves_the_old_story(wood: Stage) -> None:
    server = wood.server
    kanga = server.person()
    story = await told(wood, kanga.command("pooh", prompt="The mill"))
    before = story.content, story.components
    server.channel.blocked = ("mill",)
    use = kanga.press(story, "Again")
    assert "AutoMod" in (await wood.until(lambda: said(use)))[0].content
    assert (story.content, story.components) == before


async def test_a_mention_that_automod_blocks_gets_a_note_that_goes_away(wood: Stage) -> None:
    server = wood.server
    server.channel.blocked = ("mill",)
    asked = server.person().say("@pooh The mill")
    [word] = await wood.until(lambda: answers_to(wood, asked))
    assert "AutoMod" in word.content and not word.buttons
    wood.clock.advance(13.0)
    await wood.pass_seconds(0.5)
    assert not word.deleted
    wood.clock.advance(2.0)
    await wood.until(lambda: word.deleted)


async def test_who_is_told_a_note_is_told_no_second_while_it_stays(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    first = kanga.say("@pooh 🐝")
    [word] = await wood.until(lambda: answers_to(wood, first))
    second, other = kanga.say("@pooh 🍯"), roo.say("@pooh 🍯")
    await wood.until(lambda: answers_to(wood, other))
    assert not answers_to(wood, second)
    assert not word.deleted
    wood.clock.advance(NOTE_LIFE)
    await wood.until(lambda: word.deleted)
    third = kanga.say("@pooh 🐻")
    await wood.until(lambda: answers_to(wood, third))


@pytest.mark.parametrize(("answer", "carried_out"), LOSSES)
async def test_a_note_is_sent_once_and_taken_away_over_a_broken_connection(
    wood: Stage, answer: ApiError | Cut, carried_out: bool
) -> None:
    wood.server.fail("POST", "/channels", answer, carried_out=carried_out)
    wood.server.fail("DELETE", "/channels", answer, carried_out=carried_out)
    asked = wood.server.person().say("@pooh 🐝")
    [word] = await wood.until(lambda: answers_to(wood, asked))
    await wood.until(lambda: wood.bot.services.delivery.tasks)
    wood.clock.advance(NOTE_LIFE)
    await wood.until(lambda: word.deleted and not wood.bot.services.delivery.tasks)
    sent = wood.server.requests("POST", "/channels")
    assert len({r.body["nonce"] for r in sent}) == 1 and not answers_to(wood, asked)


async def test_a_note_does_not_outlive_the_bot(wood: Stage) -> None:
    asked = wood.server.person().say("@pooh 🐝")
    [word] = await wood.until(lambda: answers_to(wood, asked))
    await wood.stop(grace=5.0)
    assert word.deleted


async def test_where_the_bot_may_not_write_the_asker_hears_it_in_private(wood: Stage) -> None:
    server = wood.server
    kanga = server.person()
    server.channel.bot_permissions = 1 << 10
    kanga.say("@pooh hallo")
    words = await wood.until(lambda: list(server.dm(kanga).messages.values()))
    assert len(words) == 1 and "not allowed" in words[0].content and not words[0].buttons
    assert all(story.halt for story in wood.writer.unfinished)
    refused = [r for r in server.requests("POST", "/channels") if r.status == 403]
    assert len(refused) == 1, "Discord counts them"
    assert finished(await told(wood, kanga.command("pooh", prompt="Here is")))


# Tokens that die, messages that go, bots that are killed


async def test_a_story_outlives_its_token_where_the_bot_is_at_home(
    wood: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    kanga = wood.server.person()
    for place in (wood.server.channel, wood.server.dm(kanga)):
        story = await begun(wood, kanga, prompt="The mill", length=1000, where=place)
        wood.clock.advance(16 * 60)
        wood.decoder.open()
        await wood.until(lambda: finished(story))  # noqa: B023
        assert len(page(story).story) > 700
        await wood.until(lambda: not wood.stories.active)
    assert "Traceback" not in caplog.text


async def test_a_promise_outlives_its_token(wood: Stage) -> None:
    wood.decoder.hold()
    wood.server.fail("PATCH", "/webhooks", Cut.CLOSED, times=2)
    use = wood.server.person().command("pooh", prompt="The mill", length=100)
    await wood.server.until(lambda: use.original)
    wood.clock.advance(16 * 60)
    wood.decoder.open()
    await wood.until(lambda: finished(use.original))


async def test_elsewhere_the_first_press_brings_such_a_story_to_rest(
    wood: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    group = wood.server.add_channel(None, kanga, roo, context=PRIVATE)
    story = await begun(wood, kanga, prompt="The mill", length=1000, where=group)
    wood.clock.advance(16 * 60)
    wood.decoder.open()
    await wood.until(lambda: not wood.stories.active)
    assert not finished(story) and "Traceback" not in caplog.text
    assert all(unwanted.halt for unwanted in wood.writer.unfinished)
    roo.press(story, "Stop")  # there is nothing to stop any more: anybody may
    await wood.until(lambda: finished(story))
    assert "interrupted" in note(story) and page(story).prompt == "The mill"


@pytest.mark.parametrize("answer", [Cut.RESET, DOWN])
async def test_what_a_killed_bot_left_is_brought_to_rest_by_the_first_press(
    wood: Stage, answer: ApiError | Cut
) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await begun(wood, kanga, prompt="The mill", length=1000)
    content, components = story.content, story.components
    wood.decoder.open()
    await wood.stop_gently()
    story.content, story.components = content, components  # as if it had been killed
    await wood.start()
    for method in ("POST", "GET", "PATCH"):
        wood.server.fail(method, "", answer, carried_out=True)
    roo.press(story, "Stop")
    await wood.until(lambda: finished(story))
    assert page(story).story == parse(content).story and page(story).cut
    assert re.fullmatch("small · interrupted", note(story))


async def test_a_deleted_channel_ends_its_stories_quietly(
    wood: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server = wood.server
    kanga = server.person()
    elsewhere = server.add_channel(server.guild)
    await begun(wood, kanga, prompt="The mill", length=1000, where=elsewhere)
    asked = kanga.say("@pooh The sea", elsewhere)
    await server.until(lambda: asked.id and wood.writer.waiting + wood.writer.writing == 2)
    server.remove_channel(elsewhere)
    wood.decoder.open()
    await wood.until(lambda: not wood.stories.active)
    assert all(story.halt for story in wood.writer.unfinished)
    assert "Traceback" not in caplog.text and not server.dm(kanga).messages


# Pace


async def test_a_place_in_the_queue_is_shown_at_most_once_in_its_pace(
    schemas: Schemas | None,
) -> None:
    async with stage(schemas=schemas, slots=1) as wood:
        wood.decoder.hold()
        people = [wood.server.person(f"P{i}") for i in range(12)]
        uses = [person.command("pooh", prompt="Hm", length=5) for person in people]
        await wood.server.until(lambda: all(use.original for use in uses))
        last = uses[-1].original
        assert last
        await wood.until(lambda: "number 11" in last.content)
        began, shown = wood.clock(), len(last.edits)
        for waiting in range(10, 2, -1):  # the queue moves every second
            wood.writer.stop(wood.writer.unfinished[0])
            wood.decoder.allow(1)
            await wood.server.until(lambda: wood.writer.waiting == waiting)  # noqa: B023
            wood.decoder.allowed = 0
            await wood.pass_seconds(1.0)
        passed = wood.clock() - began
        assert 1 <= len(last.edits) - shown <= passed / QUEUE_PACE + 1
        assert 4.0 <= QUEUE_PACE <= 10.0 and len(last.edits) - shown < 4


async def test_429_without_an_end_is_waited_for(wood: Stage) -> None:
    wood.server.fail("PATCH", "/webhooks", too_many(0.01), times=4)
    use = wood.server.person().command("pooh", prompt="The mill")
    await wood.until(lambda: finished(use.original))
