"""The answer while it grows, and the buttons under it: the real bot, through the real discord.py.

The stand-in checks every request against Discord's rules and description while these tests run;
``stage`` fails a test whose bot notified anybody or sent what Discord does not know.
"""

from itertools import pairwise

import pytest

from bot.worker import Outcome
from tests.bot_steps import (
    begun,
    changed,
    continues,
    note,
    page,
    refusal,
    reply_to,
    seed,
    told,
    use_message,
)
from tests.fake_discord import Interaction
from tests.hosting import Stage, finished


async def test_the_promise_comes_first_and_within_three_seconds(wood: Stage) -> None:
    wood.decoder.hold()  # the network does nothing at all
    uses = [wood.server.person(f"P{i}").command("pooh", prompt="Hm") for i in range(20)]
    await wood.server.until(lambda: all(use.answered for use in uses))
    assert all(use.response_type == 5 for use in uses)


async def test_a_story_is_shown_while_it_is_written_at_most_once_a_second(wood: Stage) -> None:
    server = wood.server
    kanga = server.person()
    wood.decoder.hold()
    use = kanga.command("pooh", prompt="Here is", length=300, seed=1)
    await server.until(lambda: use.original)
    story = use_message(use)
    began, seen = wood.clock(), [""]
    for _ in range(6):
        wood.decoder.allow(40)
        await server.until(lambda: wood.decoder.allowed == 0)
        edits = len(story.edits)
        await wood.until(lambda: len(story.edits) > edits)  # noqa: B023
        assert "writing" in note(story) and list(story.buttons) == ["Stop", "Delete"]
        seen.append(page(story).story)
    assert all(later.startswith(earlier) for earlier, later in pairwise(seen))
    assert len(set(seen)) > 4, "each edit shows the latest text"
    assert len(story.edits) <= wood.clock() - began + 2, "at most one edit a second"
    wood.decoder.open()
    await wood.until(lambda: finished(story))
    assert len(story.edits) <= wood.clock() - began + 2
    quick = await told(wood, server.person("Roo").command("pooh", prompt="Here is", seed=1))
    assert quick.content == story.content, "how often it was shown does not change a story"


async def test_every_message_has_a_clock_of_its_own(wood: Stage) -> None:
    wood.decoder.hold()
    uses = [wood.server.person(f"P{i}").command("pooh", prompt="Hm") for i in range(6)]
    await wood.server.until(lambda: wood.bot_clock.waiting == 6)
    # All six are shown although no more than a second passes: one pace for all would show one.
    wood.clock.advance(1.0)
    await wood.server.until(lambda: all(len(use_message(use).edits) == 2 for use in uses))


async def test_again_wilder_and_calmer_tell_it_anew(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The mouse", temperature=1.0))
    before, seeds = page(story), {seed(story)}
    for label, temperature in (("Again", "1"), ("Wilder", "1.2"), ("Calmer", "1")):
        edits = len(story.edits)
        use = kanga.press(story, label)
        await changed(wood, story, edits)
        assert use.response_type == 6 and not use.messages
        assert page(story).prompt == before.prompt and page(story).story != before.story
        assert f"temperature {temperature} " in note(story)
        seeds.add(seed(story))
    assert len(seeds) == 4, "a new seed each time"


async def test_a_story_that_was_continued_is_not_lost_by_one_press(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The mouse", length=40))
    edits = len(story.edits)
    kanga.press(story, "Continue")
    await changed(wood, story, edits)
    await wood.server.until(lambda: not wood.stories.is_writing(story.id))
    await wood.restart()  # only the message remembers
    continued = story.content
    for label in ("Again", "Wilder", "Calmer"):
        new = await told(wood, kanga.press(story, label))
        assert new is not story and page(new).prompt == "The mouse"
        assert story.content == continued
    edits = len(new.edits)  # the new story has one part: it may be told anew in its place
    kanga.press(new, "Again")
    await changed(wood, new, edits)


async def test_the_ends_of_wilder_and_calmer_are_greyed_out(wood: Stage) -> None:
    kanga = wood.server.person()
    hottest = await told(wood, kanga.command("pooh", temperature=2.0))
    assert hottest.buttons["Wilder"]["disabled"] and not hottest.buttons["Calmer"].get("disabled")
    coldest = await told(wood, kanga.command("pooh", temperature=0.0))
    assert coldest.buttons["Calmer"]["disabled"]


async def test_a_story_goes_on_until_its_message_is_full_and_then_in_a_new_one(
    wood: Stage,
) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The moon", length=900))
    for _ in range(12):
        text, edits = page(story).text, len(story.edits)
        use = kanga.press(story, "Continue")
        await wood.server.until(lambda: use.answered)  # noqa: B023
        if use.response_type == 5:
            break
        await changed(wood, story, edits)
        assert page(story).text.startswith(text) and len(story.content) <= 2000
        assert len(page(story).text) > len(text)
    else:
        pytest.fail("it never came to a new message")
    assert len(story.content) > 1700
    sequel = await told(wood, use)
    assert sequel is not story and continues(text, page(sequel).prompt)


@pytest.mark.parametrize(
    "numbers", ["2.01:300:0", "9.99:0:0", "0.80:0:999", "0.80:9999:0", "77:123456:123456", "0:0:0"]
)
async def test_old_buttons_with_numbers_that_are_out_of_range_today_do_what_they_say(
    wood: Stage, caplog: pytest.LogCaptureFixture, numbers: str
) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The mouse", length=5))

    def press(label: str) -> Interaction:
        button = story.buttons[label]
        button["custom_id"] = ":".join([*button["custom_id"].split(":")[:3], numbers])
        button["disabled"] = False
        return kanga.press(story, label)

    before = story.content
    for label in ("Again", "Wilder", "Calmer"):  # which story that was, an old button does not know
        assert page(await told(wood, press(label))).prompt == "The mouse"
        assert story.content == before
    edits = len(story.edits)
    use = press("Continue")
    await changed(wood, story, edits)
    await wood.server.until(lambda: not wood.stories.is_writing(story.id))
    assert use.response_type == 6 and not use.followups
    story = await begun(wood, kanga, prompt="The mill", length=1000)
    stopping = press("Stop")
    await wood.server.until(lambda: stopping.answered)
    wood.decoder.open()
    await wood.until(lambda: finished(story))
    press("Delete")
    await wood.server.until(lambda: "Yes, delete it" in story.buttons)
    press("Yes, delete it")
    await wood.server.until(lambda: story.deleted)
    assert "Traceback" not in caplog.text


async def test_others_get_a_story_of_their_own(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await told(wood, kanga.command("pooh", prompt="The bee"))
    content = story.content
    for label in ("Again", "Continue", "Wilder", "Calmer"):
        theirs = await told(wood, roo.press(story, label))
        assert theirs is not story and theirs.buttons
    assert story.content == content
    assert page(theirs).prompt == "The bee"
    edits = len(theirs.edits)
    roo.press(theirs, "Continue")
    await changed(wood, theirs, edits)


async def test_only_who_asked_and_moderators_delete(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    owl = wood.server.person("Owl", moderator=True)
    first = await told(wood, kanga.command("pooh", prompt="One"))
    second = await told(wood, kanga.command("pooh", prompt="Two"))
    await refusal(roo.press(first, "Delete"))
    assert not first.deleted
    await wood.delete(kanga, first)
    owl.press(second, "Delete")
    await wood.server.until(lambda: "Yes, delete it" in second.buttons)
    await refusal(roo.press(second, "Yes, delete it"))
    owl.press(second, "Yes, delete it")
    await wood.server.until(lambda: first.deleted and second.deleted)


async def test_a_reply_to_a_mention_has_working_buttons(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await reply_to(wood, kanga.say("@pooh The bee"))
    edits = len(story.edits)
    kanga.press(story, "Continue")
    await changed(wood, story, edits)
    assert page(await told(wood, roo.press(story, "Again"))).prompt == "The bee"
    await wood.delete(kanga, story)
    await wood.server.until(lambda: story.deleted)


async def test_stop_ends_a_story_and_frees_the_worker_within_one_step(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await begun(wood, kanga, prompt="The mill", length=1000)
    await refusal(roo.press(story, "Stop"))
    stopping = kanga.press(story, "Stop")
    await wood.server.until(lambda: stopping.answered)
    await wood.server.until(lambda: wood.decoder.allowed == 0)
    steps = wood.decoder.steps
    wood.decoder.allow(2)
    await wood.server.until(lambda: not wood.writer.writing)
    assert wood.decoder.steps <= steps + 1
    await wood.until(lambda: finished(story))
    assert "stopped" in note(story) and page(story).story
    wood.decoder.open()
    edits = len(story.edits)
    kanga.press(story, "Continue")
    await wood.until(lambda: len(story.edits) > edits and finished(story))


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome.STOPPED, "stopped"),
        (Outcome.LATE, "ran out of time"),
        (Outcome.FAILED, "reference "),
        (Outcome.CLOSED, "went to sleep"),
    ],
)
async def test_when_nothing_new_is_written_the_old_story_is_back(
    wood: Stage, outcome: Outcome, reason: str
) -> None:
    kanga = wood.server.person()
    # The word goes on with a letter: with one step of the network, no word is written.
    story = await told(wood, kanga.command("pooh", prompt="A mou-"))
    before = story.content, story.components
    wood.decoder.hold()
    use = kanga.press(story, "Wilder")
    await wood.until(lambda: "Stop" in story.buttons)
    if outcome is Outcome.FAILED:
        wood.decoder.error = RuntimeError("no more")
    else:
        wood.writer.stop(wood.writer.unfinished[0], outcome)
    wood.decoder.open()
    await wood.until(lambda: use.followups)
    assert reason in (await refusal(use)).content
    assert (story.content, story.components) == before


async def test_a_stop_that_comes_too_late_leaves_the_end_alone(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await begun(wood, kanga, prompt="The mill")
    writing = story.content, story.components
    wood.decoder.open()
    await wood.until(lambda: finished(story))
    end = story.content, story.components
    await wood.server.until(lambda: not wood.stories.is_writing(story.id))
    story.content, story.components = writing  # as it was when the button was pressed
    late = kanga.press(story, "Stop")
    story.content, story.components = end
    await wood.server.until(lambda: late.answered)
    await told(wood, kanga.command("pooh", prompt="And then"))
    assert (story.content, story.components) == end


async def test_a_deleted_message_frees_the_worker(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await begun(wood, kanga, prompt="The mill", length=1000)
    wanted = kanga.press(story, "Delete")
    await wood.server.until(lambda: wanted.answered)
    wood.decoder.allow(1)
    await wood.server.until(lambda: not wood.writer.writing)
    await wood.until(lambda: "Yes, delete it" in story.buttons)
    assert "stopped" in note(story)
    kanga.press(story, "Yes, delete it")
    await wood.server.until(lambda: story.deleted)
    moderator = wood.server.person("Owl", moderator=True)
    story = await begun(wood, kanga, prompt="The sea", length=1000)
    moderator.delete(story)
    await wood.server.until(lambda: all(story.halt for story in wood.writer.unfinished))
    wood.decoder.open()
    await wood.server.until(lambda: not wood.writer.writing)


async def test_buttons_survive_restarts(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    use = kanga.command("pooh", prompt="Here is", temperature=1.5, length=150, top_k=9)
    story = await told(wood, use)
    text = page(story).text
    await wood.restart()
    wood.clock.advance(20 * 60)  # the token of the first interaction is long dead
    edits = len(story.edits)
    kanga.press(story, "Continue")
    await changed(wood, story, edits)
    assert page(story).text.startswith(text) and page(story).prompt == "Here is"
    assert "temperature 1.5" in note(story) and "top-k 9" in note(story)
    assert page(await told(wood, roo.press(story, "Again"))).prompt == "Here is"
    await wood.restart()
    await wood.delete(kanga, story)
    await wood.server.until(lambda: story.deleted)


async def test_an_old_story_is_continued_in_a_new_message(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="Here is"))
    content = story.content
    wood.clock.advance(3 * 24 * 3600)
    for label in ("Again", "Continue", "Wilder"):
        assert await told(wood, kanga.press(story, label)) is not story
    assert story.content == content, "Discord allows few edits of messages older than an hour"


async def test_a_story_that_a_restart_interrupted_can_be_used(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await begun(wood, kanga, prompt="The mill", length=1000)
    content, components = story.content, story.components
    wood.decoder.open()
    await wood.stop_gently()
    assert finished(story), "a bot that is told to stop shows what it has"
    # Now as if it had been killed: the message still shows the Stop button.
    story.content, story.components = content, components
    await wood.start()
    kanga.press(story, "Stop")
    await wood.server.until(lambda: finished(story))
    assert page(story).prompt == "The mill"
    edits = len(story.edits)
    kanga.press(story, "Continue")
    await changed(wood, story, edits)
