"""Everybody is spoken to in their own language, whatever they do; and who Pooh is."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import pictures
from bot.about_texts import AboutText
from bot.actions import FINAL
from bot.languages import Language
from bot.names import Name
from bot.said import Said
from bot.translations import Text
from tests.bot_steps import begun, note, refusal, reply_to, told
from tests.fake_discord import Message, Schemas
from tests.hosting import Stage, stage
from tests.test_bot_commands import SUMMARY

LOCALES = [
    ("en-US", Language.ENGLISH),
    ("de", Language.GERMAN),
    ("fr", Language.FRENCH),
    ("es-ES", Language.SPANISH),
    ("es-419", Language.SPANISH),
    ("ja", Language.ENGLISH),
]


@pytest.fixture
async def wood(schemas: Schemas | None) -> AsyncIterator[Stage]:
    async with stage(schemas=schemas) as theatre:
        yield theatre


def shape(language: Language, text: Said) -> re.Pattern[str]:
    """A text with anything in its gaps."""
    filled = {name: "\0" for name in re.findall(r"{(\w+)}", text.value.en)}
    filled = {name: gap for name, gap in filled.items() if name not in language.names}
    return re.compile(re.escape(language.say(text, **filled)).replace("\0", ".+"), re.S)


@pytest.mark.parametrize("locale", [locale for locale, _ in LOCALES])
async def test_help_names_every_command_menu_and_button(wood: Stage, locale: str) -> None:
    kanga = wood.server.person(locale=locale)
    page = (await kanga.command("help").answer()).text
    menus = 0
    for command in wood.server.commands.values():
        name = (command.get("name_localizations") or {}).get(locale, command["name"])
        is_menu = command["type"] == discord.AppCommandType.message.value
        menus += is_menu
        assert (f"> {name}" if is_menu else f"/{name}") in page or command["name"] == "help"
    assert menus == 3
    story = await told(wood, kanga.command("pooh", prompt="A bear"))
    assert story.buttons and all(label in page for label in story.buttons)


@pytest.mark.parametrize(("locale", "language"), LOCALES)
async def test_all_that_a_person_reads_is_in_their_language(
    wood: Stage, locale: str, language: Language
) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga", locale=locale), server.person("Roo", locale=locale)
    assert (await kanga.command("help").answer()).content == language.say(Text.HELP_PAGE)
    about = (await kanga.command("about").answer()).text
    for told_of in (AboutText.POOH, AboutText.MODEL, AboutText.KEPT, AboutText.ASK):
        assert shape(language, told_of).search(about)
    story = await told(wood, kanga.command("pooh", prompt="A 🐝 bear", top_k=5, temperature=0.5))
    for text in (Text.AT_TEMPERATURE, Text.AT_TOP_K, Text.AT_SEED, Text.LEFT_OUT_ONE):
        assert shape(language, text).search(note(story)), note(story)
    final = [Name[action.name] for action in FINAL]
    assert list(story.buttons) == [language.say(text) for text in final]
    for use, text in (
        (roo.press(story, language.say(Name.DELETE)), Text.MAY_NOT_DELETE),
        (kanga.command("pooh", prompt="🐝"), Text.NO_LETTERS),
        (kanga.command("pooh", prompt="x", temperature=9.0, force=True), Text.OUT_OF_RANGE),
        (kanga.menu(Name.CONTINUE_AS.value.en, kanga.say("")), Text.NO_WORDS),
    ):
        assert (await refusal(use)).content == language.say(text)
    kanga.press(story, language.say(Name.DELETE))
    asked = [language.say(text) for text in (Name.CONFIRM, Name.CANCEL)]
    await server.until(lambda: list(story.buttons) == asked)
    kanga.press(story, language.say(Name.CANCEL))
    await server.until(lambda: list(story.buttons) == [language.say(text) for text in final])
    writing = await begun(wood, kanga, prompt="The mill", length=400, stop=language.say(Name.STOP))
    assert language.say(Text.WRITING) in note(writing)
    assert list(writing.buttons) == [language.say(text) for text in (Name.STOP, Name.DELETE)]
    kanga.press(writing, language.say(Name.STOP))
    await server.until(lambda: all(story.halt for story in wood.writer.unfinished))
    wood.decoder.open()
    await wood.until(lambda: language.say(Name.AGAIN) in writing.buttons)
    assert note(writing).endswith(language.say(Text.STOPPED))


@pytest.mark.parametrize(("locale", "language"), LOCALES)
async def test_a_mention_is_answered_in_the_language_of_its_server(
    wood: Stage, locale: str, language: Language
) -> None:
    wood.server.guild.locale = locale
    await wood.restart()
    kanga = wood.server.person(locale="ja")
    story = await reply_to(wood, kanga.say("@pooh A bear"))
    assert language.say(Name.AGAIN) in story.buttons
    role = kanga.say(f"<@&{wood.server.guild.bot_role}> A bear")

    def word() -> Message | None:
        messages = wood.server.channel.messages.values()
        return next((m for m in messages if m.mine and m.reference is role), None)

    assert (await wood.server.until(word)).content == language.say(Text.ROLE)


async def test_who_presses_reads_their_own_language(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo", locale="fr")
    story = await told(wood, kanga.command("pooh", prompt="A bear"))
    theirs = await told(wood, roo.press(story, "Again"))
    assert "Encore une fois" in theirs.buttons and "Again" in story.buttons


# Who Pooh is


async def test_about_says_what_people_ask_and_describes_its_picture(
    wood: Stage, tmp_path: Path
) -> None:
    await wood.stop()
    (tmp_path / "small.summary.json").write_text(SUMMARY)
    wood.weights = tmp_path / "small.safetensors"
    wood.settings = replace(wood.settings, source="https://example.org/pooh")
    await wood.start()
    use = wood.server.person(locale="de").command("about")
    about = await use.answer()
    assert about.attachments[0]["description"] == Language.GERMAN.say(AboutText.LOSS_PLOT)
    for part in ("123.456", "1,25", "1,50", "](<https://example.org/pooh>)", "client_id="):
        assert part in about.text
    assert "nichts" in about.text.split("**Über dich gespeichert**")[1]
    assert about.text.index("Geschichten") < about.text.index("123.456"), "people first"


async def test_about_invites_nobody_to_a_bot_that_answers_a_few_servers(wood: Stage) -> None:
    await wood.stop()
    wood.settings = replace(wood.settings, guilds=frozenset({wood.server.guild.id}))
    await wood.start()
    about = await wood.server.person().command("about").answer()
    assert "client_id" not in about.text and AboutText.CODE_AT_HOST.value.en in about.text


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([10**4000, -1, 1e308, float("nan"), float("inf"), 0, "1"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
figures = st.fixed_dictionaries(
    {},
    optional={
        "parameters": json_values,
        "read": json_values
        | st.fixed_dictionaries({"characters": json_values, "texts": json_values}),
        "train_loss": json_values | st.fixed_dictionaries({"nats": json_values}),
        "validation_loss": json_values | st.fixed_dictionaries({"nats": json_values}),
        "history": json_values
        | st.lists(
            st.fixed_dictionaries(
                {"characters": json_values, "train": json_values, "validation": json_values}
            ),
            max_size=3,
        ),
    },
)


@settings(max_examples=100, deadline=None)
@given(summary=figures, name=st.text(max_size=300), language=st.sampled_from(Language))
def test_whatever_stands_in_a_summary_about_fits_into_a_message(
    summary: dict[str, Any], name: str, language: Language
) -> None:
    links = ("https://discord.com/" + "x" * 200, "https://discord.com/" + "y" * 200)
    text = pictures.describe(name, summary, language, invite=links, source="https://x.y" * 18)
    assert 0 < len(text) <= 2000 and "nan" not in text.split("`")[2]
    assert text.count("`") == 10


@pytest.mark.parametrize(
    "content",
    [
        '{"history": [{"characters": 1e308, "train": 1e308}]}',
        '{"history": [{"characters": NaN, "train": 1}]}',
        '{"history": [{"characters": true, "train": true}]}',
        '{"history": [{"characters": 5, "train": -Infinity}]}',
        '{"history": {"characters": [1]}}',
        '{"parameters": {"a": 1}, "read": {"characters": "many", "texts": []}}',
        '{"train_loss": {"nats": "low"}, "validation_loss": {"nats": null}}',
        "[" * 100_000,
        "9" * 10_000,
        "\x00",
    ],
)
def test_a_summary_of_wrong_types_hurts_nobody(content: str, tmp_path: Path) -> None:
    weights = tmp_path / "x.safetensors"
    weights.with_suffix(".summary.json").write_text(content)
    weights.with_suffix(".loss.png").write_text("no picture")
    assert pictures.loss_plot(weights) is None
    assert "`x`" in pictures.describe("x", pictures.read_summary(weights))


def test_the_plot_that_training_left_is_english_and_others_are_drawn(tmp_path: Path) -> None:
    weights = tmp_path / "$x.safetensors"
    kept = pictures.PNG + b"of training"
    weights.with_suffix(".loss.png").write_bytes(kept)
    for language in Language:
        assert pictures.loss_plot(weights, language) == kept, "there is nothing to draw from"
    history = [{"characters": 10**6 * i, "train": 3.0 / i, "validation": 4.0 / i} for i in (1, 2)]
    weights.with_suffix(".summary.json").write_text(json.dumps({"history": history}))
    drawn = {language: pictures.loss_plot(weights, language) for language in Language}
    assert drawn[Language.ENGLISH] == kept and len(set(drawn.values())) == len(Language)
    assert all(data is not None and data.startswith(pictures.PNG) for data in drawn.values())


def test_the_smallest_history_is_drawn(tmp_path: Path) -> None:
    weights = tmp_path / "x.safetensors"
    history = [{"characters": 0, "train": 0.0}, {"characters": 10**15, "validation": 1e15}]
    weights.with_suffix(".summary.json").write_text(json.dumps({"history": history}))
    drawn = pictures.loss_plot(weights)
    assert drawn is not None and drawn.startswith(pictures.PNG)
