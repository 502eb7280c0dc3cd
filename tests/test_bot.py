"""The real bot, used as people use it: every feature, through the real discord.py.

The stand-in checks every request against Discord's rules and description while these tests run;
``stage`` fails a test whose bot notified anybody or sent what Discord does not know.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot import messages
from bot.invite import PERMISSIONS
from bot.options import DEFAULTS, MAX_LENGTH
from bot.worker import Outcome
from tests.fake_discord import (
    PRIVATE,
    ApiError,
    Interaction,
    Message,
    Person,
    RefusedError,
    Schemas,
    describe,
    too_many,
)
from tests.hosting import Stage, finished, stage

STORY_BUTTONS = ["Again", "Continue", "Wilder", "Calmer", "Delete"]


@pytest.fixture(scope="module")
def schemas() -> Schemas | None:
    return describe()


@pytest.fixture
async def wood(schemas: Schemas | None) -> AsyncIterator[Stage]:
    async with stage(schemas=schemas) as theatre:
        yield theatre


async def told(theatre: Stage, use: Interaction) -> Message:
    """The story that answers a use of the bot, when it has ended."""
    return await theatre.server.until(
        lambda: next((m for m in use.messages if finished(m)), None), f"the story for {use}"
    )


async def changed(theatre: Stage, message: Message, edits: int) -> Message:
    """The message when it has ended a story after that many edits."""
    return await theatre.server.until(
        lambda: finished(message) if len(message.edits) > edits else None, "another story in it"
    )


async def reply_to(theatre: Stage, message: Message) -> Message:
    """The bot's story in reply to a person's message."""
    return await theatre.server.until(
        lambda: next(
            (m for m in message.channel.messages.values()
             if m.mine and m.reference is message and finished(m)),
            None,
        ),
        "a reply",
    )  # fmt: skip


async def refusal(use: Interaction) -> Message:
    """The answer, which must be short, kind and for the one who asked only."""
    message = await use.answer()
    assert message.ephemeral and not message.buttons
    assert 0 < len(message.content) < 200
    assert not re.search(r"Traceback|Error|Exception|/home|\.py|None", message.content)
    return message


def note(message: Message) -> str:
    """The small line under a story."""
    return message.content.rpartition("\n-# ")[2]


def seed(message: Message) -> int:
    found = re.search(r"seed (\d+)", note(message))
    assert found
    return int(found[1])


def continues(text: str, prompt: str) -> bool:
    """Whether a prompt is the end of a text, perhaps with a mark that it goes on."""
    return text.rstrip().endswith(prompt.removeprefix(messages.GOES_ON))


def page(message: Message) -> messages.Page:
    return messages.parse(message.content)


# Commands


async def test_a_story_comes_with_its_prompt_its_settings_and_its_buttons(wood: Stage) -> None:
    use = wood.server.person().command("pooh", prompt="Here is a bee", temperature=0.5, length=200)
    story = await told(wood, use)
    assert use.response_type == 5 and story is use.original
    assert story.content.startswith("**Here is a bee**")
    assert page(story).prompt == "Here is a bee" and 100 < len(page(story).story) <= 200
    assert re.fullmatch(r"small · temperature 0\.5 · seed \d+", note(story))
    assert list(story.buttons) == STORY_BUTTONS
    assert len(story.edits) == 2, "a quick story arrives whole, in one edit"


async def test_without_a_prompt_pooh_begins_by_himself(wood: Stage) -> None:
    story = await told(wood, wood.server.person().command("pooh"))
    assert page(story).prompt == "" and len(page(story).story) > DEFAULTS.length // 2
    assert f"temperature {DEFAULTS.temperature}" in note(story)


async def test_the_same_seed_tells_the_same_story(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    uses = [p.command("pooh", prompt="One day", seed=7, top_k=5) for p in (kanga, roo, kanga)]
    first, second, third = [(await told(wood, use)).content for use in uses]
    assert first == second == third and "top-k 5" in first and "seed 7" in first
    other = await told(wood, kanga.command("pooh", prompt="One day", seed=8, top_k=5))
    assert page(other).story != page(use_message(uses[0])).story


def use_message(use: Interaction) -> Message:
    assert use.original
    return use.original


async def test_a_story_ends_at_a_sentence_or_says_that_it_is_cut(wood: Stage) -> None:
    kanga = wood.server.person()
    for i in range(8):
        story = await told(wood, kanga.command("pooh", prompt="The bee", length=120, seed=i))
        text = page(story).story
        whole = re.search(r"[.!?][\"')_]*$", text)
        assert len(text) >= 90 if whole else page(story).cut, story.content


async def test_discord_knows_every_option_its_range_and_its_languages(wood: Stage) -> None:
    commands = {c["name"]: c for c in wood.server.commands.values()}
    assert set(commands) == {"pooh", "about", "help", "Continue as Pooh"}
    options = {o["name"]: o for o in commands["pooh"]["options"]}
    assert list(options) == ["prompt", "temperature", "length", "top_k", "top_p", "seed"]
    assert all(o["description"] not in ("", "…") for o in options.values())
    assert (options["prompt"]["min_length"], options["prompt"]["max_length"]) == (1, 500)
    assert (options["temperature"]["min_value"], options["temperature"]["max_value"]) == (0, 2)
    assert options["length"]["max_value"] == MAX_LENGTH
    assert options["prompt"]["autocomplete"]
    assert not any(o.get("required") for o in options.values())
    for command in commands.values():
        assert command["integration_types"] == [0, 1] and command["contexts"] == [0, 1, 2]
        assert len(command["name_localizations"] or command["description_localizations"]) >= 2
    for option in options.values():
        assert len(option["description_localizations"]) >= 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": 2.5},
        {"temperature": -1.0},
        {"length": 0},
        {"length": 10**9},
        {"top_k": -3},
        {"seed": -1},
        {"prompt": "x" * 501},
    ],
)
async def test_values_out_of_range_are_refused_by_discord_and_again_by_the_bot(
    wood: Stage, wrong: dict[str, Any]
) -> None:
    kanga = wood.server.person()
    with pytest.raises(RefusedError):
        kanga.command("pooh", **wrong)
    use = kanga.command("pooh", force=True, **wrong)
    if "prompt" in wrong:  # its end is enough
        assert len(page(await told(wood, use)).prompt) <= 500
    else:
        await refusal(use)


async def test_autocomplete_offers_openings_that_fit_what_is_typed(wood: Stage) -> None:
    kanga = wood.server.person()
    everything = await kanga.suggestions("pooh", "prompt", "")
    assert 5 <= len(everything) <= 25
    bears = await kanga.suggestions("pooh", "prompt", "edward")
    assert "Here is Edward Bear" in [c["value"] for c in bears]
    assert all("edward" in c["name"].lower() for c in bears)
    for hostile in ("zzz", "**[a](http://b.c)**" * 20, "\u202e\u200b", "x" * 6000, '"\\'):
        assert await kanga.suggestions("pooh", "prompt", hostile) == []
    for suggestion in everything[:3]:
        assert finished(await told(wood, kanga.command("pooh", prompt=suggestion["value"])))


async def test_the_menu_goes_on_from_any_message(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    letter = roo.say("Dear Owl, it rained all day")
    story = await told(wood, kanga.menu("Continue as Pooh", letter))
    assert page(story).prompt == "Dear Owl, it rained all day" and page(story).story
    again = await told(wood, roo.menu("Continue as Pooh", story))
    assert continues(page(story).text, page(again).prompt)
    assert "temperature" not in page(again).prompt, "the small line is no part of a story"
    await refusal(kanga.menu("Continue as Pooh", roo.say("🐝🍯")))


async def test_a_mention_a_reply_and_a_private_message_are_answered(wood: Stage) -> None:
    server = wood.server
    kanga = server.person()
    mention = kanga.say("@pooh Here is a mouse")
    story = await reply_to(wood, mention)
    assert page(story).prompt == "Here is a mouse" and list(story.buttons) == STORY_BUTTONS
    reply = kanga.say("and then it went home", reply_to=story)
    second = await reply_to(wood, reply)
    assert page(second).prompt.endswith("and then it went home")
    tail = page(story).text.rstrip()[-20:]
    assert tail in page(second).prompt, "a reply goes on from the story it replies to"
    only = await reply_to(wood, kanga.say("@pooh"))
    assert page(only).prompt == "" and page(only).story
    private = await reply_to(wood, kanga.say("Here is a secret", server.dm(kanga)))
    assert page(private).prompt == "Here is a secret"


async def test_what_is_not_meant_for_pooh_is_left_alone(wood: Stage) -> None:
    server = wood.server
    kanga = server.person()
    story = await told(wood, kanga.command("pooh", prompt="One day"))
    silent = [
        kanga.say("Pooh is a bear"),
        kanga.say("what a story", reply_to=story, ping=False),
        server.post(
            server.channel,
            {**kanga.user(), "bot": True},
            content=f"<@{server.application_id}> hallo",
            mentions=[server.bot_user()],
        ),
    ]
    await reply_to(wood, kanga.say("@pooh and now?"))  # what came before has been read by now
    replies = [m.reference for m in server.channel.messages.values() if m.mine]
    assert not set(silent) & set(replies)
    assert wood.server.gateway.session
    assert not wood.server.gateway.session.intents & (1 << 1 | 1 << 8 | 1 << 15)


SUMMARY = """{"parameters": 123456, "read": {"characters": 7000, "texts": 3},
"train_loss": {"nats": 1.25}, "validation_loss": {"nats": 1.5},
"history": [{"characters": 1000, "train": 3.0, "validation": 3.1},
            {"characters": 2000, "train": 2.0, "validation": 2.2}]}"""


async def test_about_tells_what_it_is_and_shows_how_it_learned(wood: Stage, tmp_path: Path) -> None:
    await wood.stop()
    (tmp_path / "small.summary.json").write_text(SUMMARY)
    wood.weights = tmp_path / "small.safetensors"
    await wood.start()
    about = await wood.server.person().command("about").answer()
    for fact in ("small", "123,456", "7,000", "1.25", "1.50", "/pooh"):
        assert fact in about.text, about.text
    async with aiohttp.ClientSession() as web, web.get(about.attachments[0]["url"]) as picture:
        data = await picture.read()
    assert data.startswith(b"\x89PNG") and len(data) > 1000


async def test_about_and_help_need_nothing_beside_the_weights(wood: Stage) -> None:
    about = await wood.server.person().command("about").answer()
    assert "small" in about.text and not about.attachments
    helped = await wood.server.person().command("help").answer()
    assert helped.ephemeral
    for word in ("/pooh", "temperature", "Continue", "Mention"):
        assert word.lower() in helped.text.lower()


async def test_it_works_where_only_a_user_has_installed_it(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo", locale="de")
    group = server.add_channel(None, kanga, roo, context=PRIVATE)
    elsewhere = server.add_channel(server.add_guild("Elsewhere", installed=False))
    for place in (server.dm(kanga), group, elsewhere):
        use = kanga.command("pooh", prompt="Here is", where=place)
        story = await told(wood, use)
        for label in ("Wilder", "Calmer", "Again", "Again", "Again", "Continue", "Continue"):
            edits = len(story.edits)
            kanga.press(story, label)
            await changed(wood, story, edits)
        theirs = await told(wood, roo.press(story, "Again"))
        assert theirs is not story
        assert len(use.followups) == 0, "edits are not follow-ups, of which there are only five"
        kanga.press(story, "Delete")
        await server.until(lambda: story.deleted)  # noqa: B023
        letter = roo.say("It is late", place)
        assert page(await told(wood, kanga.menu("Continue as Pooh", letter))).story
    elsewhere.external_apps = False
    hidden = await told(wood, kanga.command("pooh", prompt="Here is", where=elsewhere))
    edits = len(hidden.edits)
    assert hidden.ephemeral
    kanga.press(hidden, "Continue")
    await changed(wood, hidden, edits)


# The answer


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
        while len(story.edits) == edits:
            await wood.pass_seconds(0.2)
        assert "writing" in note(story) and list(story.buttons) == ["Stop", "Delete"]
        seen.append(page(story).story)
    assert all(later.startswith(earlier) for earlier, later in pairwise(seen))
    assert len(set(seen)) > 4, "each edit shows the latest text"
    assert len(story.edits) <= wood.clock() - began + 2, "at most one edit a second"
    wood.decoder.open()
    while not finished(story):
        await wood.pass_seconds(0.2)
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

    for label in ("Again", "Continue", "Wilder", "Calmer"):
        edits = len(story.edits)
        use = press(label)
        await changed(wood, story, edits)
        await wood.server.until(lambda: not wood.stories.is_writing(story.id))
        assert use.response_type == 6 and not use.followups
    story = await begun(wood, kanga, prompt="The mill", length=1000)
    stopping = press("Stop")
    await wood.server.until(lambda: stopping.answered)
    wood.decoder.open()
    while not finished(story):
        await wood.pass_seconds(0.2)
    press("Delete")
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
    kanga.press(first, "Delete")
    owl.press(second, "Delete")
    await wood.server.until(lambda: first.deleted and second.deleted)


async def test_a_reply_to_a_mention_has_working_buttons(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await reply_to(wood, kanga.say("@pooh The bee"))
    edits = len(story.edits)
    kanga.press(story, "Continue")
    await changed(wood, story, edits)
    assert page(await told(wood, roo.press(story, "Again"))).prompt == "The bee"
    kanga.press(story, "Delete")
    await wood.server.until(lambda: story.deleted)


async def begun(
    wood: Stage,
    person: Person,
    stop: str = "Stop",
    **options: Any,  # noqa: ANN401
) -> Message:
    """A story that is being written and shows its Stop button; the network is held."""
    wood.decoder.hold()
    use = person.command("pooh", **options)
    await wood.server.until(lambda: use.original)
    wood.decoder.allow(60)
    story = use_message(use)
    while stop not in story.buttons:
        await wood.pass_seconds(0.3)
    return story


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
    while not finished(story):
        await wood.pass_seconds(0.2)
    assert "stopped" in note(story) and page(story).story
    wood.decoder.open()
    edits = len(story.edits)
    kanga.press(story, "Continue")
    while len(story.edits) == edits or not finished(story):
        await wood.pass_seconds(0.2)


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
    while "Stop" not in story.buttons:
        await wood.pass_seconds(0.3)
    if outcome is Outcome.FAILED:
        wood.decoder.error = RuntimeError("no more")
    else:
        wood.writer.stop(wood.writer.unfinished[0], outcome)
    wood.decoder.open()
    while not use.followups:
        await wood.pass_seconds(0.2)
    assert reason in (await refusal(use)).content
    assert (story.content, story.components) == before


async def test_a_stop_that_comes_too_late_leaves_the_end_alone(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await begun(wood, kanga, prompt="The mill")
    writing = story.content, story.components
    wood.decoder.open()
    while not finished(story):
        await wood.pass_seconds(0.2)
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
    kanga.press(story, "Delete")
    await wood.server.until(lambda: story.deleted)
    wood.decoder.allow(1)
    await wood.server.until(lambda: not wood.writer.writing)
    moderator = wood.server.person("Owl", moderator=True)
    story = await begun(wood, kanga, prompt="The sea", length=1000)
    moderator.delete(story)
    await wood.server.until(lambda: wood.writer.unfinished[0].halt)
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
    kanga.press(story, "Delete")
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


# The writer


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
        while not all("queue" in use_message(use).content for use in uses[1:]):
            await wood.pass_seconds(0.3)
        place = [re.search(r"number (\d)", use_message(use).content) for use in uses[1:]]
        assert [int(found[1]) for found in place if found] == [2, 3, 1], "one each, in turn"
        wood.decoder.open()
        while not all(finished(use_message(use)) for use in uses):
            await wood.pass_seconds(0.3)


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
        await wood.server.until(lambda: wood.writer.unfinished[0].halt)
        wood.decoder.open()
        for use in uses:
            while not (use.original and finished(use.original)):
                await wood.pass_seconds(0.2)
            assert "ran out of time" in note(use.original)


async def test_the_bot_hears_and_answers_while_the_network_is_at_work(wood: Stage) -> None:
    # The network stands still in the middle of a step. Were it on the event loop, or did the loop
    # wait for it anywhere, nothing here would ever be answered.
    wood.decoder.hold()
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    kanga.command("pooh", prompt="The hill")
    await wood.server.until(lambda: wood.decoder.allowed == 0 and wood.writer.writing)
    assert await roo.suggestions("pooh", "prompt", "Eeyore")
    assert (await roo.command("help").answer()).ephemeral
    assert (await roo.command("about").answer()).content
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
    while not (use.original and finished(use.original)):
        await wood.pass_seconds(0.2)
    assert "went wrong" in note(use.original) and "secret" not in use.original.content
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
    async with asyncio.timeout(25):  # the network would hold it for ever, Discord for 30 s
        await wood.stop(grace=1.0)
    for message in (story, *(use_message(use) for use in waiting)):
        assert finished(message) and "went to sleep" in note(message)


async def test_shutting_down_has_one_time_limit_for_all_and_leaves_nobody_behind(
    wood: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, wait = [], asyncio.wait

    async def watched(tasks: Any, **options: Any) -> Any:  # noqa: ANN401
        if wood.stories.active and tasks == wood.stories._tasks:
            left.append(options["timeout"])
        return await wait(tasks, **options)

    monkeypatch.setattr(asyncio, "wait", watched)
    await begun(wood, wood.server.person(), prompt="The mill", length=1500)
    wood.server.fail("PATCH", "/webhooks", ApiError(500, 0, "down"), times=1000)
    story = wood.writer.unfinished[0]
    asyncio.get_running_loop().call_later(2.0, wood.decoder.open)
    await wood.stop(grace=3.0)
    assert len(left) == 1 and left[0] < 1.1, "what was not spent on writing"
    assert story.outcome is Outcome.CLOSED, "half of the time is for showing"
    await wood.pass_seconds(5.0)  # whoever were still telling a story would show it now
    assert not wood.stories.active and "Session is closed" not in caplog.text


# Safe in public

HOSTILE = [
    "@everyone @here",
    "<@1> <@!2> <@&3> <#4> </pooh:5> <id:guide> <t:0:R> <:pooh:6> <a:pooh:7>",
    "[a](https://evil.example) and [b](https://evil.example/b)",
    "https://evil.example www.evil.example evil.example discord.gg/abc discord.com/invite/abc",
    "# big\n## less big\n-# small\n> quoted\n>>> all of it\n- a\n1. b",
    "||spoiler|| ~~gone~~ __under__ **bold** *it* _it_ `code` ```py\ncode```",
    "\u202etxet gnorw\u202c \u200b\u2066hidden\u2069 \ufeff",
    "Z\u0351\u036b\u0343a\u0363\u0310l\u0300\u0301\u0302\u0303g\u0310\u0311\u0312o\u0313\u0314" * 9,
    "🐝🍯🐻" * 50,
    "**" * 250,
    "\\" * 500,
    "`" * 500,
    "_*~|`>#-[]()<@:/." * 29,
    "\n" * 250 + "x",
    "a\x00b\x07c\ud83d",
    "ﬁne ﬂour “quotes” — dashes… café naïve Ⅷ ½ ™",
    "x" * 500,
    " " * 499 + "x",
]

ACTIVE = re.compile(
    r"@everyone|@here|<@|<#|<:|</|<a:|<id:|<t:\d|https?://\S|www\.\w|discord\.gg|\.example|\]\(|"
    r"```|(?<!\\)\|\||(?<!\\)~~|[\u202a-\u202e\u2066-\u2069\ufeff\x00-\x09]|[\u0300-\u036f]{3}"
)


def assert_harmless(message: Message) -> None:
    body, _, small = message.content.rpartition("\n-# ")
    assert not ACTIVE.search(message.content), message.content
    assert not re.search(r"^(?:#{1,3} |-# |> |>>> |- |\d+\. )", body, re.M), message.content
    assert "\n" not in small and not message.pinged and len(message.content) <= 2000


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_harmless_wherever_it_comes_in(wood: Stage, text: str) -> None:
    server = wood.server
    kanga = server.person()
    uses = [kanga.command("pooh", prompt=text, length=50)] if "\ud83d" not in text else []
    sayable = text.replace("\ud83d", "")
    letter = kanga.say(sayable)
    uses.append(kanga.menu("Continue as Pooh", letter))
    mention = kanga.say("@pooh " + sayable)
    for use in uses:
        answer = await server.until(
            lambda: next((m for m in use.messages if not m.loading), None)  # noqa: B023
        )
        if not answer.ephemeral:
            story = await told(wood, use)
            assert_harmless(story)
            edits = len(story.edits)
            kanga.press(story, "Continue")
            assert_harmless(await changed(wood, story, edits))
    answer = await server.until(
        lambda: next(
            (m for m in server.channel.messages.values()
             if m.reference is mention and "Stop" not in m.buttons), None,
        )
    )  # fmt: skip
    assert_harmless(answer)
    for request in server.log:
        body = request.body if isinstance(request.body, dict) else {}
        body = body.get("data") or body
        if body.get("content"):
            assert body["allowed_mentions"]["parse"] == []
            assert not body["allowed_mentions"].get("replied_user")


async def test_dropped_characters_are_told(wood: Stage) -> None:
    story = await told(wood, wood.server.person().command("pooh", prompt="A bee 🐝🐝 and 🍯"))
    assert "3 unknown characters left out" in note(story)
    assert page(story).prompt.split() == ["A", "bee", "and"]


async def test_words_on_the_list_are_kept_out_of_prompts_and_stories(
    schemas: Schemas | None,
) -> None:
    refused = frozenset({"the", "bee"})
    async with stage(schemas=schemas, words_refused=refused) as wood:
        server = wood.server
        kanga = server.person()
        await refusal(kanga.command("pooh", prompt="Here is the mouse"))
        await refusal(kanga.menu("Continue as Pooh", kanga.say("Oh, a BEE!")))
        mention = kanga.say("@pooh the")
        await server.until(
            lambda: any(m.reference is mention for m in server.channel.messages.values())
        )
        written = ""
        for i in range(4):
            use = kanga.command("pooh", prompt="Here is", length=500, seed=i)
            written += page(await told(wood, use)).text.lower() + "\n"
        assert not re.search(r"\b(the|bee)\b", written) and "he" in written
        wood.settings = replace(wood.settings, words_refused=frozenset())
        await wood.restart()
        story = await told(wood, kanga.command("pooh", prompt="Here is the bee"))
        assert page(story).prompt == "Here is the bee"


async def test_one_limit_for_commands_menus_mentions_and_buttons(schemas: Schemas | None) -> None:
    async with stage(schemas=schemas, cooldown=30.0, burst=4) as wood:
        server = wood.server
        kanga, roo = server.person("Kanga"), server.person("Roo")
        story = await told(wood, kanga.command("pooh", prompt="One"))
        await told(wood, kanga.menu("Continue as Pooh", story))
        await reply_to(wood, kanga.say("@pooh Two"))
        edits = len(story.edits)
        kanga.press(story, "Again")
        await changed(wood, story, edits)
        for use in (
            kanga.command("pooh", prompt="Three"),
            kanga.menu("Continue as Pooh", story),
            kanga.press(story, "Again"),
        ):
            wait = re.search(r"(\d+) seconds", (await refusal(use)).content)
            assert wait and 25 <= int(wait[1]) <= 30
        mention = kanga.say("@pooh Four")
        told_off = await server.until(
            lambda: next(
                (m for m in server.channel.messages.values() if m.reference is mention), None
            )
        )
        assert "seconds" in told_off.content
        assert finished(await told(wood, roo.command("pooh", prompt="Mine")))
        wood.clock.advance(30.5)
        assert finished(await told(wood, kanga.command("pooh", prompt="Five")))


async def test_a_thousand_commands_of_one_person_are_all_answered(
    schemas: Schemas | None,
) -> None:
    async with stage(schemas=schemas, cooldown=5.0, burst=3) as wood:
        kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
        uses = [kanga.command("pooh", prompt="Spam") for _ in range(1000)]
        theirs = roo.command("pooh", prompt="Here is")
        await wood.server.until(lambda: all(use.answered for use in uses), patience=300)
        assert sum(use.response_type == 5 for use in uses) == 3
        assert all(use_message(use).ephemeral for use in uses if use.response_type == 4)
        assert finished(await told(wood, theirs))
        assert wood.server.invalid_requests == 0


async def test_two_hundred_people_at_once_all_get_their_story(schemas: Schemas | None) -> None:
    async with stage(schemas=schemas) as wood:
        people = [wood.server.person(f"P{i}") for i in range(200)]
        uses = [p.command("pooh", prompt=f"Here is {i}", length=60) for i, p in enumerate(people)]
        for i, use in enumerate(uses):
            while not (use.original and finished(use.original)):
                await wood.pass_seconds(0.2)
            assert page(use.original).prompt == f"Here is {i}"
            assert use.response_type == 5
        assert not wood.server.refused()


async def test_an_unexpected_error_is_a_number_that_is_in_the_log(
    wood: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kanga = wood.server.person()
    await told(wood, kanga.command("pooh", prompt="Something private"))
    wood.server.fail("PATCH", "/webhooks", ApiError(400, 50035, "a secret of Discord"))
    answer = await kanga.command("about").answer()
    number = re.search(r"reference (\w+)", answer.content)
    assert number and "secret" not in answer.content
    assert number[1] in caplog.text
    for private in ("Something private", wood.server.token, "a secret of Discord"):
        assert private not in caplog.text


@pytest.mark.parametrize("status", [500, 502, 429])
async def test_an_end_is_shown_although_discord_fails_for_a_while(wood: Stage, status: int) -> None:
    error = too_many(0.01) if status == 429 else ApiError(status, 0, "down")
    wood.server.fail("PATCH", "/webhooks", error, times=2)
    story = await told(wood, wood.server.person().command("pooh", prompt="Here is"))
    assert page(story).story


# Hosting


async def test_the_permissions_of_the_invitation_are_enough(wood: Stage) -> None:
    wood.server.channel.bot_permissions = PERMISSIONS.value
    kanga = wood.server.person()
    assert page(await reply_to(wood, kanga.say("@pooh Here is"))).story
    assert finished(await told(wood, kanga.command("pooh", prompt="Here is")))
    assert not wood.server.refused()


async def test_commands_are_sent_only_when_they_differ(wood: Stage) -> None:
    def puts() -> int:
        return len(wood.server.requests("PUT", "/applications"))

    assert puts() == 1
    await wood.restart()
    assert puts() == 1
    next(iter(wood.server.commands.values()))["description"] = "Something else"
    await wood.restart()
    assert puts() == 2
    wood.server.commands.popitem()
    await wood.restart()
    assert puts() == 3 and len(wood.server.commands) == 4


@pytest.mark.parametrize("status", [400, 403])
async def test_commands_that_cannot_be_compared_are_sent(wood: Stage, status: int) -> None:
    error = ApiError(status, 0, "no list today")
    wood.server.fail("GET", "/applications/{application_id}/commands", error)
    next(iter(wood.server.commands.values()))["description"] = "Something old"
    await wood.restart()
    assert not wood.server.faults
    assert "Something old" not in {c["description"] for c in wood.server.commands.values()}


async def test_a_broken_connection_is_resumed_while_stories_are_told(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await begun(wood, kanga, prompt="The mill", length=400)
    wood.server.gateway.drop()
    theirs = roo.command("pooh", prompt="While you were away")
    await wood.server.online(2)
    wood.decoder.open()
    while not (finished(story) and finished(theirs.original)):
        await wood.pass_seconds(0.2)
    assert page(use_message(theirs)).prompt == "While you were away"
    assert wood.server.gateway.count(6) == 1


async def test_only_servers_that_the_host_allows_are_answered(wood: Stage) -> None:
    server = wood.server
    await wood.stop()
    wood.settings = replace(wood.settings, guilds=frozenset({server.guild.id}))
    await wood.start()
    kanga = server.person()
    other = server.add_channel(server.add_guild("Elsewhere", installed=False))
    assert finished(await told(wood, kanga.command("pooh", prompt="Here is")))
    await refusal(kanga.command("pooh", prompt="Here is", where=other))
