"""Commands, menu and mentions: the real bot, through the real discord.py.

The stand-in checks every request against Discord's rules and description while these tests run;
``stage`` fails a test whose bot notified anybody or sent what Discord does not know.
"""

import os
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.options import DEFAULTS, MAX_LENGTH
from tests.bot_steps import (
    STORY_BUTTONS,
    changed,
    continues,
    note,
    page,
    refusal,
    reply_to,
    told,
    use_message,
)
from tests.fake_discord import (
    MANAGE_GUILD,
    PRIVATE,
    RefusedError,
)
from tests.fake_discord.models import MANAGE_MESSAGES
from tests.hosting import Stage, finished


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


async def test_a_story_ends_at_a_sentence_or_says_that_it_is_cut(wood: Stage) -> None:
    kanga = wood.server.person()
    for i in range(8):
        story = await told(wood, kanga.command("pooh", prompt="The bee", length=120, seed=i))
        text = page(story).story
        whole = re.search(r"[.!?][\"')_]*$", text)
        assert len(text) >= 90 if whole else page(story).cut, story.content


async def test_discord_knows_every_option_its_range_and_its_languages(wood: Stage) -> None:
    commands = {c["name"]: c for c in wood.server.commands.values()}
    menus = {"Continue as Pooh", "How did Pooh write this?", "Who wrote this?"}
    named = {"pooh", "how", "race", "circle", "about", "help", "privacy", "setup"}
    assert set(commands) == named | menus
    options = {o["name"]: o for o in commands["pooh"]["options"]}
    assert list(options) == ["prompt", "temperature", "length", "top_k", "top_p", "seed"]
    assert all(o["description"] not in ("", "…") for o in options.values())
    assert (options["prompt"]["min_length"], options["prompt"]["max_length"]) == (1, 500)
    assert (options["temperature"]["min_value"], options["temperature"]["max_value"]) == (0, 2)
    assert options["length"]["max_value"] == MAX_LENGTH
    assert options["prompt"]["autocomplete"]
    assert not any(o.get("required") for o in options.values())
    at_home = {"setup": MANAGE_GUILD, "Who wrote this?": MANAGE_MESSAGES}
    for name, command in commands.items():
        if name in at_home:
            assert command["integration_types"] == command["contexts"] == [0]
            assert command["default_member_permissions"] == str(at_home[name])
        else:
            assert command["integration_types"] == [0, 1] and command["contexts"] == [0, 1, 2]
            assert command["default_member_permissions"] is None
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


async def test_about_is_drawn_anew_after_a_training_of_the_same_name(
    wood: Stage, tmp_path: Path
) -> None:
    await wood.stop()
    wood.weights = tmp_path / "small.safetensors"
    summary, plot = wood.weights.with_suffix(".summary.json"), wood.weights.with_suffix(".loss.png")
    summary.write_text(SUMMARY)
    await wood.start()
    pictures: list[bytes] = []
    for step in ("drawn", "trained again", "with a plot", "with another"):
        if step == "trained again":
            summary.write_text(SUMMARY.replace("1.5}", "1.75}").replace("2.2", "2.9"))
        elif step != "drawn":
            plot.write_bytes(b"\x89PNG\r\n\x1a\n" + step.encode())
        for file in filter(Path.exists, (summary, plot)):  # each step in a second of its own
            os.utime(file, (len(pictures), len(pictures)))
        about = await wood.server.person().command("about").answer()
        assert ("1.50" if step == "drawn" else "1.75") in about.text
        async with aiohttp.ClientSession() as web, web.get(about.attachments[0]["url"]) as picture:
            pictures.append(await picture.read())
    assert len(set(pictures)) == 4


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
        for label in ("Continue", "Continue"):
            edits = len(story.edits)
            kanga.press(story, label)
            await changed(wood, story, edits)
        use = kanga.press(story, "Again")
        story = await told(wood, use)
        for label in ("Wilder", "Calmer", "Again", "Again", "◀", "▶"):
            edits = len(story.edits)
            kanga.press(story, label)
            await changed(wood, story, edits)
        theirs = await told(wood, roo.press(story, "Again"))
        assert theirs is not story
        assert len(use.followups) == 0, "edits are not follow-ups, of which there are only five"
        await wood.delete(kanga, story)
        await server.until(lambda: story.deleted)  # noqa: B023
        letter = roo.say("It is late", place)
        assert page(await told(wood, kanga.menu("Continue as Pooh", letter))).story
    elsewhere.external_apps = False
    hidden = await told(wood, kanga.command("pooh", prompt="Here is", where=elsewhere))
    edits = len(hidden.edits)
    assert hidden.ephemeral
    kanga.press(hidden, "Continue")
    await changed(wood, hidden, edits)
