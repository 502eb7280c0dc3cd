"""Whatever people type: the real bot, through the real discord.py.

The stand-in checks every request against Discord's rules and description while these tests run;
``stage`` fails a test whose bot notified anybody or sent what Discord does not know.
"""

import logging
import re
from dataclasses import replace

import pytest

from tests.bot_steps import changed, note, page, refusal, reply_to, told, use_message
from tests.fake_discord import (
    ApiError,
    Message,
    Schemas,
    too_many,
)
from tests.hosting import Stage, finished, stage

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
            story = await wood.until(lambda: finished(use.original))  # noqa: B023
            assert page(story).prompt == f"Here is {i}"
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
