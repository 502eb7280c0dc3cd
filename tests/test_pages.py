"""The pages of a story: nothing that was told is lost, nothing is stored, in every place."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import messages
from bot.messages import Page, parse
from bot.options import MAX_SEED
from bot.pages import MOST, Pages
from bot.prompts import read_prompt
from model.config import GPTConfig
from model.tensors import write
from model.vocab import Vocab
from model.weights import load_decoder, save
from model.words import WordFilter
from tests.bot_steps import begun, changed, note, page, refusal, reply_to, told
from tests.fake_discord import PRIVATE, Channel, Interaction, Message, Person, Schemas
from tests.hosting import CHARACTERS, Stage, finished, small_weights, stage


@pytest.fixture
async def wood(schemas: Schemas | None) -> AsyncIterator[Stage]:
    async with stage(schemas=schemas) as theatre:
        yield theatre


async def pressed(wood: Stage, person: Person, story: Message, label: str) -> Interaction:
    """Presses what tells a story in its place, and waits for it."""
    edits = len(story.edits)
    use = person.press(story, label)
    await changed(wood, story, edits)
    await wood.server.until(lambda: not wood.stories.is_writing(story.id))
    assert use.response_type == 6 and not use.messages
    return use


def shown(story: Message) -> str:
    """The page that its buttons name, "" where there are none to turn it."""
    return next((label for label in story.buttons if "/" in label), "")


def turns(story: Message) -> tuple[bool, bool]:
    """Whether there is an earlier page, and a later one."""
    return not story.buttons["◀"].get("disabled"), not story.buttons["▶"].get("disabled")


def places(wood: Stage, *people: Person) -> dict[str, Channel]:
    server = wood.server
    return {
        "server": server.channel,
        "thread": server.add_thread(server.channel, "a thread", str(people[0].id)),
        "group of a user install": server.add_channel(None, *people, context=PRIVATE),
        "private message": server.dm(people[0]),
        "server of a user install": server.add_channel(
            server.add_guild("Elsewhere", installed=False)
        ),
    }


async def test_again_never_loses_a_story_in_any_place_before_and_after_a_restart(
    wood: Stage,
) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    for name, where in places(wood, kanga, roo).items():
        use = kanga.command("pooh", prompt="The mouse", temperature=1.0, length=60, where=where)
        story = await told(wood, use)
        assert shown(story) == "" and "◀" not in story.buttons, "one page needs no turning"
        versions = [story.content]
        for label, number in (("Again", "2/2"), ("Wilder", "3/3"), ("Calmer", "4/4")):
            await pressed(wood, kanga, story, label)
            assert shown(story) == number and turns(story) == (True, False)
            versions.append(story.content)
        assert len(set(versions)) == 4, name
        temperatures = [text.rpartition("\n-# ")[2].split(" · ")[1] for text in versions]
        assert temperatures == [f"temperature {t}" for t in ("1", "1", "1.2", "1")]
        for back in (3, 2, 1):
            await pressed(wood, kanga, story, "◀")
            assert (shown(story), story.content) == (f"{back}/4", versions[back - 1])
        assert turns(story) == (False, True)
        await wood.restart()
        for on in (2, 3):
            await pressed(wood, kanga, story, "▶")
            assert (shown(story), story.content) == (f"{on}/4", versions[on - 1])
        await pressed(wood, kanga, story, "Wilder")  # of the page that is shown
        assert shown(story) == "5/5" and "temperature 1.4 " in note(story)


async def test_a_story_told_in_a_crowd_is_told_again_alone_with_as_few_candidates(
    schemas: Schemas | None,
) -> None:
    async with stage(schemas=schemas, slots=12, candidates=6) as wood:
        wood.decoder.remembers = True  # else one candidate is written, whatever is asked for
        await wood.restart()
        people = [wood.server.person(f"Rabbit's relation {i}") for i in range(5)]
        wood.decoder.hold()
        uses = []
        for person in people:  # in this order
            uses.append(person.command("pooh", prompt="The mouse", temperature=1.0, length=60))
            await wood.server.until(lambda: len(wood.writer.unfinished) == len(uses))
        counts = [story.sampling.candidates for story in wood.writer.unfinished]
        assert counts == [6, 6, 4, 3, 2]
        wood.decoder.open()
        for use, person, count in zip(uses, people, counts, strict=True):
            story = await told(wood, use)
            first = story.content
            await pressed(wood, person, story, "Again")
            second = story.content
            await wood.restart()
            for label, version in (("◀", first), ("▶", second)):
                await pressed(wood, person, story, label)
                assert story.content == version, f"{count} candidates"


async def test_others_turn_pages_in_a_copy_for_themselves(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    owl = server.person("Owl", moderator=True)
    for where in places(wood, kanga, roo).values():
        use = kanga.command("pooh", prompt="The mouse", length=60, where=where)
        story = await told(wood, use)
        first = story.content
        await pressed(wood, kanga, story, "Again")
        before = story.content, story.components
        for other in (roo, owl):
            copy = await told(wood, other.press(story, "◀"))
            assert copy.ephemeral and copy.visible_to is other
            assert (copy.content, shown(copy)) == (first, "1/2")
            await wood.restart()
            await pressed(wood, other, copy, "▶")
            assert (copy.content, shown(copy)) == (story.content, "2/2")
            await pressed(wood, other, copy, "Again")
            assert shown(copy) == "3/3", "the copy is theirs"
            assert (story.content, story.components) == before
            await wood.delete(other, copy)
            await server.until(lambda: copy.deleted)  # noqa: B023
        assert not story.deleted


async def test_it_goes_on_from_the_page_that_is_shown_and_the_pages_stay(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The mouse", length=60, temperature=1.0))
    first = page(story)
    await pressed(wood, kanga, story, "Wilder")
    await pressed(wood, kanga, story, "◀")
    sequel = await told(wood, kanga.press(story, "Continue"))
    assert page(sequel).prompt == first.text.strip() and "temperature 1 " in note(sequel)
    assert page(story) == first and shown(story) == "1/2"
    await pressed(wood, kanga, sequel, "Continue")
    assert page(sequel).prompt == first.text.strip() and "◀" not in sequel.buttons
    await pressed(wood, kanga, story, "▶")
    sequel = await told(wood, kanga.press(story, "Continue"))
    assert page(sequel).prompt == page(story).text.strip() and "temperature 1.2 " in note(sequel)


async def test_there_are_nine_pages_and_the_tenth_story_is_a_new_message(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The mouse", length=20))
    for _ in range(MOST - 1):
        await pressed(wood, kanga, story, "Again")
    assert shown(story) == "9/9"
    ninth = story.content
    tenth = await told(wood, kanga.press(story, "Again"))
    assert tenth is not story and page(tenth).prompt == "The mouse" and shown(tenth) == ""
    assert story.content == ninth
    await pressed(wood, kanga, story, "◀")
    assert shown(story) == "8/9"


async def test_other_weights_say_that_another_pooh_told_it(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo", locale="de")
    story = await told(wood, kanga.command("pooh", prompt="The mouse", length=60))
    await pressed(wood, kanga, story, "Again")
    before = story.content, story.components
    wood.decoder.digest = "0123456789abcdef"
    await wood.restart()
    assert "Another Pooh" in (await refusal(kanga.press(story, "◀"))).content
    assert "anderer Pu" in (await refusal(roo.press(story, "◀"))).content
    new = await told(wood, kanga.press(story, "Again"))
    assert new is not story and (story.content, story.components) == before
    await pressed(wood, kanga, new, "Again")  # the new one has pages of its own
    wood.decoder.digest = ""
    await wood.restart()
    await pressed(wood, kanga, story, "◀")  # he who told it is back
    assert shown(story) == "1/2"
    assert "Another Pooh" in (await refusal(kanga.press(new, "◀"))).content


async def test_another_manner_of_writing_is_another_pooh(
    wood: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The mouse", length=60))
    await pressed(wood, kanga, story, "Again")
    monkeypatch.setattr("model.writing.MANNER", 0)
    await wood.restart()
    assert "Another Pooh" in (await refusal(kanga.press(story, "◀"))).content


async def test_an_old_message_is_turned_in_a_copy(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The mouse", length=60))
    first = story.content
    await pressed(wood, kanga, story, "Again")
    before = story.content
    wood.clock.advance(3 * 24 * 3600)
    copy = await told(wood, kanga.press(story, "◀"))
    assert copy.ephemeral and copy.content == first and story.content == before


async def test_a_story_that_goes_on_from_more_than_its_message_shows_is_kept(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The mouse", length=900))
    sequel = await told(wood, kanga.menu("Continue as Pooh", story))
    before = sequel.content
    again = await told(wood, kanga.press(sequel, "Again"))
    assert again is not sequel and sequel.content == before
    await pressed(wood, kanga, again, "Again")
    await pressed(wood, kanga, again, "◀")


@pytest.mark.parametrize("prompt", ["A mou-", "It is *late*, @owl. -- 1. x", "A bee 🐝 sat", ""])
async def test_a_page_begins_as_it_did_whatever_was_typed(wood: Stage, prompt: str) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    options: dict[str, Any] = {"prompt": prompt} if prompt else {}
    story = await told(
        wood, kanga.command("pooh", length=1500, seed=MAX_SEED, temperature=1.23456789, **options)
    )
    first = page(story)
    await pressed(wood, kanga, story, "Again")
    assert "seed 0" in note(story), "after the largest seed comes the smallest"
    copy = await told(wood, roo.press(story, "◀"))
    await pressed(wood, kanga, story, "◀")
    assert page(story) == page(copy) == first and f"seed {MAX_SEED}" in note(story)


async def test_a_page_is_the_same_in_company(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The mouse", length=400))
    first = story.content
    await pressed(wood, kanga, story, "Again")
    wood.decoder.hold()
    others = [wood.server.person(f"P{i}") for i in range(8)]
    uses = [other.command("pooh", prompt=f"Here is {i}") for i, other in enumerate(others)]
    edits = len(story.edits)
    kanga.press(story, "◀")
    await wood.server.until(lambda: wood.writer.writing == 9 and all(use.original for use in uses))
    wood.decoder.open()
    await wood.until(lambda: len(story.edits) > edits and finished(story))
    assert story.content == first


async def test_a_page_that_is_not_written_to_its_end_can_be_turned_to_again(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The mouse", length=400))
    first = story.content
    await pressed(wood, kanga, story, "Again")
    second, before = story.content, story.components
    wood.decoder.hold()
    kanga.press(story, "◀")
    await wood.server.until(lambda: wood.writer.writing)
    wood.decoder.allow(60)
    await wood.until(lambda: "Stop" in story.buttons)
    now, story.components = story.components, before  # as it was when a button was pressed
    assert "still writing" in (await refusal(kanga.press(story, "◀"))).content
    story.components = now
    kanga.press(story, "Stop")
    await wood.server.until(lambda: all(one.halt for one in wood.writer.unfinished))
    wood.decoder.open()
    await wood.until(lambda: finished(story))
    assert "stopped" in note(story) and shown(story) == "1/2"
    await pressed(wood, kanga, story, "▶")
    assert story.content == second
    await pressed(wood, kanga, story, "◀")
    assert story.content == first


async def test_the_pages_of_a_mention_and_of_a_killed_bot(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await reply_to(wood, kanga.say("@pooh The mouse"))
    first = story.content
    await pressed(wood, kanga, story, "Again")
    wood.decoder.hold()
    kanga.press(story, "◀")
    await wood.server.until(lambda: wood.writer.writing)
    wood.decoder.allow(60)
    await wood.until(lambda: "Stop" in story.buttons)
    killed = story.content, story.components
    wood.decoder.open()
    await wood.stop_gently()
    story.content, story.components = killed
    await wood.start()
    roo.press(story, "Stop")
    await wood.server.until(lambda: finished(story))
    assert shown(story) == "1/2" and turns(story) == (False, True)
    await pressed(wood, kanga, story, "▶")
    await pressed(wood, kanga, story, "◀")
    assert story.content == first


# Delete


async def test_delete_asks_once_more_in_every_place(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    for where in places(wood, kanga, roo).values():
        use = kanga.command("pooh", prompt="The mouse", length=60, where=where)
        story = await told(wood, use)
        await pressed(wood, kanga, story, "Again")
        before = story.content, story.components
        await refusal(roo.press(story, "Delete"))
        kanga.press(story, "Delete")
        await server.until(lambda: list(story.buttons) == ["Yes, delete it", "No, leave it"])  # noqa: B023
        await refusal(roo.press(story, "Yes, delete it"))
        assert story.content == before[0] and not story.deleted
        await wood.restart()
        roo.press(story, "No, leave it")  # nothing is lost by it: anybody may
        await server.until(lambda: finished(story))  # noqa: B023
        assert (story.content, story.components) == before
        await wood.delete(kanga, story)
        await server.until(lambda: story.deleted)  # noqa: B023


async def test_a_story_as_old_as_it_may_be_is_deleted_after_many_questions(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The mouse", length=60))
    wood.clock.advance(300 * 24 * 3600)
    for _ in range(5):
        kanga.press(story, "Delete")
        await wood.server.until(lambda: "No, leave it" in story.buttons)
        kanga.press(story, "No, leave it")
        await wood.server.until(lambda: finished(story))
    await wood.delete(kanga, story)
    await wood.server.until(lambda: story.deleted)


async def test_what_a_killed_bot_left_is_at_rest_when_it_is_to_be_deleted(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await begun(wood, kanga, prompt="The mill", length=1000)
    killed = story.content, story.components
    wood.decoder.open()
    await wood.stop_gently()
    story.content, story.components = killed
    await wood.start()
    kanga.press(story, "Delete")
    await wood.server.until(lambda: "No, leave it" in story.buttons)
    assert "interrupted" in note(story)
    kanga.press(story, "No, leave it")
    await wood.server.until(lambda: finished(story))


async def test_a_story_that_is_not_wanted_before_a_word_of_it_leaves_the_old_one(
    wood: Stage,
) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="A mou-"))
    before = story.content, story.components
    wood.decoder.hold()
    use = kanga.press(story, "Again")
    await wood.until(lambda: "Stop" in story.buttons)
    kanga.press(story, "Delete")
    await wood.server.until(lambda: all(one.halt for one in wood.writer.unfinished))
    wood.decoder.open()
    await wood.until(lambda: use.followups)
    assert story.content == before[0] and "Yes, delete it" in story.buttons
    kanga.press(story, "No, leave it")
    await wood.server.until(lambda: finished(story))
    assert (story.content, story.components) == before


# What is remembered


@given(st.text(max_size=80) | st.text(alphabet=CHARACTERS, max_size=600))
def test_a_message_gives_back_what_the_network_read(typed: str) -> None:
    vocab, words = Vocab(CHARACTERS), WordFilter(active=False)
    try:
        prompt = read_prompt(typed, vocab, words)
    except Exception:  # nothing is left of it
        return
    again = parse(messages.build(Page(prompt.text, " and so on."), "small")).prompt
    assert vocab.clean(again).text == prompt.context


def digest_of(path: Path) -> str:
    return load_decoder(path)[0].digest


def test_other_weights_have_another_digest_and_the_same_have_the_same(tmp_path: Path) -> None:
    vocab = Vocab(CHARACTERS)
    config, tensors = small_weights(vocab)
    for name, change in (("a", 0.0), ("b", 0.0), ("c", 1e-3)):
        changed = {**tensors, "head.weight": tensors["head.weight"] + change}
        save(tmp_path / f"{name}.safetensors", config, vocab, changed)
        vocab.save(tmp_path / f"{name}.json")
    a, b, c = (digest_of(tmp_path / f"{name}.safetensors") for name in "abc")
    assert a == b != c and Pages.first(1, a[:6]).code.endswith(a[:6])


def test_weights_of_the_time_before_digests_are_told_apart_by_their_config(tmp_path: Path) -> None:
    vocab = Vocab(CHARACTERS)
    config, tensors = small_weights(vocab)
    found = set()
    for i, wanted in enumerate((config, replace(config, context_length=65))):
        path = tmp_path / f"{i}.safetensors"
        vocab.save(path.with_suffix(".json"))
        _write_without_digest(path, wanted, vocab, tensors)
        found |= {digest_of(path), digest_of(path)}
    assert len(found) == 2 and all(len(digest) == 64 for digest in found)


def _write_without_digest(
    path: Path, config: GPTConfig, vocab: Vocab, tensors: dict[str, Any]
) -> None:
    about = {"format": "pooh weights 1", "config": config.to_json(), "vocab": vocab.digest}
    write(path, tensors, about)
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    del header["__metadata__"]["digest"]
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])
