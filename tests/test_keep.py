"""A story to keep, as people ask for it: the real bot, through the real discord.py."""

import io
import re
from dataclasses import replace

import matplotlib.image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import keep, messages
from bot.languages import Language
from bot.messages import Page
from bot.names import Name
from bot.plates import plate
from bot.translations import Text
from tests.bot_steps import continues, note, page, refusal, told
from tests.fake_discord import PRIVATE, Interaction, Message, Schemas
from tests.fake_discord.rules import COMPONENTS_V2, TEXT_DISPLAYS, walk
from tests.hosting import Stage, stage

TICK = ["Show here", "☐ With my name"]
TICKED = ["Show here", "☑ With my name"]


async def kept(wood: Stage, use: Interaction) -> Message:
    message = await use.answer()
    await wood.server.until(lambda: len(message.attachments) == 2, "a card")
    assert message.flags & COMPONENTS_V2 and not message.content
    assert len(message.text) <= TEXT_DISPLAYS
    urls = [part["file"]["url"] for part in walk(message.components) if part["type"] == 13]
    assert urls == ["attachment://story.txt"]
    return message


def data(wood: Stage, message: Message, name: str) -> bytes:
    (found,) = (a for a in message.attachments if a["filename"] == name)
    return wood.server.files[found["url"].partition("/attachments/")[2]]


def alt(message: Message) -> str:
    return str(message.attachments[0]["description"])


async def test_a_story_is_kept_for_the_presser_alone_as_text_and_as_a_picture(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    use = kanga.command("pooh", prompt="The bee", length=200, temperature=0.5, top_k=9, seed=7)
    story = await told(wood, use)
    before = story.content
    for person in (kanga, roo):
        message = await kept(wood, person.press(story, "Keep"))
        assert message.ephemeral and list(message.buttons) == TICK
        lines = data(wood, message, "story.txt").decode().split("\n")
        text = page(story).text.strip().split("\n")
        assert lines[0] == "The bee" and lines[2 : 2 + len(text)][0].startswith(text[0][:20])
        assert lines[lines.index("--") + 1 : -1] == [
            *("small", "temperature 0.5", "top-k 9", "seed 7", "length 200"),
        ]
        picture = data(wood, message, "story.png")
        assert picture.startswith(b"\x89PNG") and len(picture) < 200_000
        assert alt(message).startswith("The story as a card to keep: The bee")
        assert "Kanga" not in message.text + alt(message) + "\n".join(lines)
    assert story.content == before


async def test_a_kept_story_tells_of_how_many_candidates_each_sentence_was_the_best(
    schemas: Schemas | None,
) -> None:
    async with stage(schemas=schemas, candidates=4) as wood:
        wood.decoder.remembers = True  # else there is one
        await wood.restart()
        kanga = wood.server.person("Kanga", locale="de")
        story = await told(wood, kanga.command("pooh", prompt="The bee", temperature=1.0))
        message = await kept(wood, kanga.press(story, "Aufheben"))
        lines = data(wood, message, "story.txt").decode().splitlines()
        assert lines[-2:] == ["Länge 300", "4 Kandidaten je Satz"]
        cool = await told(wood, kanga.command("pooh", prompt="The bee", temperature=0.2))
        message = await kept(wood, kanga.press(cool, "Aufheben"))
        assert "Satz" not in data(wood, message, "story.txt").decode(), "there is one"
        wood.settings = replace(wood.settings, candidates=2)  # the line is of another time
        await wood.restart()
        message = await kept(wood, kanga.press(story, "Aufheben"))
        assert data(wood, message, "story.txt").decode().endswith("\n4 Kandidaten je Satz\n")


async def test_a_story_of_a_crowd_says_that_it_had_fewer_candidates(
    schemas: Schemas | None,
) -> None:
    async with stage(schemas=schemas, slots=4, candidates=4) as wood:
        wood.decoder.remembers = True
        await wood.restart()
        people = [wood.server.person(f"Rabbit's relation {i}") for i in range(3)]
        wood.decoder.hold()
        uses = []
        for person in people:
            uses.append(person.command("pooh", prompt="The bee", temperature=1.0, length=60))
            await wood.server.until(lambda: len(wood.writer.unfinished) == len(uses))
        wood.decoder.open()
        said = ("", " · 2 candidates a sentence", " · 1 candidate a sentence")
        for use, person, number in zip(uses, people, said, strict=True):
            story = await told(wood, use)
            assert note(story).partition("seed ")[2].lstrip("0123456789") == number
            kept_lines = data(wood, await kept(wood, person.press(story, "Keep")), "story.txt")
            assert kept_lines.decode().count("a sentence") == 1
        seed = note(story).partition("seed ")[2].partition(" ")[0]
        use = people[0].command(
            "pooh", prompt="The bee", temperature=1.0, length=60, seed=int(seed)
        )
        assert "a sentence" not in note(await told(wood, use)), "alone it has all"


async def test_it_is_shown_to_all_with_a_name_only_when_ticked_and_after_a_restart(
    wood: Stage,
) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await told(wood, kanga.command("pooh", prompt="The bee"))
    message = await kept(wood, roo.press(story, "Keep"))
    await wood.restart()
    kanga.press(story, "Delete")  # what is kept needs the story no more
    await wood.server.until(lambda: "Yes, delete it" in story.buttons)
    kanga.press(story, "Yes, delete it")
    await wood.server.until(lambda: story.deleted)
    everybody = await kept(wood, roo.press(message, "Show here"))
    assert not everybody.ephemeral and not everybody.buttons
    assert everybody.text.endswith(message.text.rpartition("\n-# ")[2])
    plain = data(wood, everybody, "story.txt")
    assert plain == data(wood, message, "story.txt") and b"Roo" not in plain
    edits = len(message.edits)
    roo.press(message, TICK[1])
    await wood.server.until(lambda: len(message.edits) > edits and list(message.buttons) == TICKED)
    await wood.restart()
    named = await kept(wood, roo.press(message, "Show here"))
    assert not named.ephemeral
    assert data(wood, named, "story.txt").endswith(b"\ntold for Roo\n")
    assert data(wood, named, "story.png") != data(wood, everybody, "story.png")
    edits = len(message.edits)
    roo.press(message, TICKED[1])
    await wood.server.until(lambda: len(message.edits) > edits and list(message.buttons) == TICK)
    assert data(wood, message, "story.txt") == plain


async def test_what_is_shown_to_all_is_a_text_that_can_be_gone_on_from(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await told(wood, kanga.command("pooh", prompt="The bee", length=300))
    own = await kept(wood, kanga.press(story, "Keep"))
    everybody = await kept(wood, kanga.press(own, "Show here"))
    await wood.restart()
    sequel = await told(wood, roo.menu("Continue as Pooh", everybody))
    assert continues(page(story).text, page(sequel).prompt)
    answer = await roo.menu("How did Pooh write this?", everybody).answer()
    await wood.server.until(lambda: answer.components)
    texts = [part["content"] for part in walk(answer.components) if part["type"] == 10]
    assert messages.parse(texts[-1]).text == page(story).text


async def test_it_works_in_private_and_where_only_a_user_has_installed_it(wood: Stage) -> None:
    server = wood.server
    kanga = server.person("Kanga", locale="de")
    group = server.add_channel(None, kanga, server.person("Roo"), context=PRIVATE)
    elsewhere = server.add_channel(server.add_guild("Elsewhere", installed=False))
    for where in (server.dm(kanga), group, elsewhere):
        story = await told(wood, kanga.command("pooh", prompt="The bee", where=where))
        message = await kept(wood, kanga.press(story, Language.GERMAN.say(Name.KEEP)))
        await wood.restart()
        shown = await kept(wood, kanga.press(message, Language.GERMAN.say(Name.SHOW_HERE)))
        assert message.ephemeral and not shown.ephemeral
        assert "Länge 300" in data(wood, shown, "story.txt").decode()


async def test_a_name_that_is_refused_is_on_no_card(wood: Stage) -> None:
    kanga = wood.server.person("Fuckwit")
    story = await told(wood, kanga.command("pooh", prompt="The bee"))
    message = await kept(wood, kanga.press(story, "Keep"))
    said = (await follow_up(wood, kanga.press(message, TICK[1]))).content
    assert said == Language.ENGLISH.say(Text.RATHER_NOT)
    assert list(message.buttons) == TICK


async def follow_up(wood: Stage, use: Interaction) -> Message:
    return await wood.server.until(
        lambda: next((m for m in use.messages if m.content and m.ephemeral), None), "a word"
    )


async def test_the_limiter_counts_what_is_kept(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The bee"))
    wood.stories.limit(60.0, 1)
    await kept(wood, kanga.press(story, "Keep"))
    assert (await refusal(kanga.press(story, "Keep"))).content == Language.ENGLISH.say(
        Text.TOO_SOON, seconds=60
    )


async def test_the_small_line_is_kept_as_it_stands(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The bee"))
    message = await kept(wood, kanga.press(story, "Keep"))
    assert message.text.endswith(f"-# {note(story)} · length 300")


@pytest.mark.parametrize(
    ("prompt", "story", "title"),
    [
        ("Here is Edward Bear", ", coming", "Here is Edward Bear"),
        ("", "The bee sat. It slept.", "The bee sat"),
        ("", '"Oh!" said _Owl_.', '"Oh'),
        ("", "...", "..."),
        ("", "w" * 90, "w" * 57 + "..."),
        ("one two three four five six seven eight nine ten eleven twelve thirteen", "", None),
    ],
)
def test_a_title_is_the_first_words(prompt: str, story: str, title: str | None) -> None:
    found = keep.title_of(Page(prompt, story))
    assert found == title or (title is None and re.fullmatch(r"one two .{20,52}\w\.\.\.", found))
    assert 0 < len(found) <= keep.TITLE + 3


def test_a_text_is_as_people_read_it() -> None:
    assert keep.whole(Page("A bee", " _sat_ on a_bun_ _", cut=True)) == "A bee sat on a_bun_ _..."


@settings(max_examples=5)
@given(st.text(st.sampled_from("aW \n.🐝$\\^_{é"), max_size=2000), st.text(max_size=60))
def test_any_text_is_drawn_and_small(text: str, title: str) -> None:
    picture = plate(messages.plain(title).replace("\n", " "), text, ["small · seed 1", "for $x_1$"])
    assert len(picture) < 200_000
    assert matplotlib.image.imread(io.BytesIO(picture)).shape[:2] == (675, 1200)


@pytest.mark.parametrize("language", Language)
def test_the_largest_card_fits(language: Language) -> None:
    held = messages.parse(messages.build(Page("*" * 90, "@_x " * 900), "n" * 60))
    view = keep.card(held, "n" * 60, "a", language, is_named=True)
    assert view.content_length() <= TEXT_DISPLAYS
