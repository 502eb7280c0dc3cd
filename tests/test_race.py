"""A race, as people run one: the real bot, `classic` and the chain, through the real discord.py."""

import asyncio
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import race_card
from bot.ballots import KEPT, MOST, Ballots
from bot.cards import HONEY
from bot.languages import Language
from bot.messages import Page
from bot.names import Name
from bot.race import LENGTHS, PROMPT, RaceButton, row
from bot.race_card import LETTERS, NAMES, RaceState, Told, fitted, hidden, revealed
from bot.race_texts import RaceText
from bot.racers import CLASSIC, MARKOV, POOH, SHIPPED, Racers
from bot.translations import Text
from bot.writer import UNFINISHED, Writer
from model.chain import Chain
from model.fingerprint import LEAST, Copies
from model.weights import load_decoder
from tests.bot_steps import refusal
from tests.fake_discord import PRIVATE, ApiError, Channel, Interaction, Message, Person
from tests.fake_discord.rules import COMPONENTS_V2, TEXT_DISPLAYS, walk
from tests.hosting import Stage

say = Language.ENGLISH.say
FIRST_ORDERS = ["mpc", "cmp", "cpm", "pcm"]
BLOCKED = ApiError(400, 200000, "Message was blocked by automatic moderation")
WHO = say(Name.WHO_WAS_WHO)
QUESTION = say(RaceText.QUESTION)


def displays(message: Message) -> list[str]:
    return [part["content"] for part in walk(message.components) if part["type"] == 10]


def texts(message: Message) -> list[str]:
    """What stands below each letter."""
    return [text.partition("\n")[2] for text in displays(message) if text.startswith("### ")][1:]


async def raced(wood: Stage, use: Interaction, runners: int = 3) -> Message:
    """The card of a race, checked for all that every one must be."""
    message = await use.answer()
    await wood.server.until(lambda: message.components, "a race")
    assert message.flags & COMPONENTS_V2 and not message.content
    assert len(message.text) <= TEXT_DISPLAYS
    assert [label.partition(" · ")[0] for label in message.buttons] == [*LETTERS[:runners], WHO]
    assert displays(message)[0].startswith(f"### {QUESTION}")
    return message


async def pressed(wood: Stage, message: Message, person: Person, label: str) -> Message:
    """The card in place after a press."""
    edits = len(message.edits)
    person.press(message, next(name for name in message.buttons if name.startswith(label)))
    await wood.server.until(lambda: len(message.edits) > edits, f"an edit for {label}")
    return message


def counts(message: Message) -> list[int]:
    return [int(name.partition(" · ")[2]) for name in message.buttons if name != WHO]


def state_of(message: Message) -> RaceState:
    (button,) = (b for name, b in message.buttons.items() if name == WHO)
    *_, owner, seed, racers, weights, language, counted = button["custom_id"].split(":")
    numbers = tuple(map(int, counted.split(".")))
    return RaceState(int(owner), int(seed), racers, weights, Language(language), numbers)


async def test_three_write_on_from_the_same_words_and_nobody_is_named(wood: Stage) -> None:
    kanga = wood.server.person("Kanga")
    message = await raced(wood, kanga.command("race", prompt="Piglet looked at the bun"))
    assert not message.ephemeral and message.components[0]["accent_color"] == HONEY
    written = texts(message)
    assert len(written) == 3 and len(set(written)) == 3
    for text in written:
        assert text.startswith("**Piglet looked at the bun**")
        assert 0.7 * 300 < len(text) < 450
        assert re.search(r"[.!?][\"'_)\\\u200b]*$|\.\.\.$", text)
    assert not re.search(r"classic|markov|pooh:|small", message.text.lower().split("###")[2])
    # Each is what its writer writes with that seed.
    state = state_of(message)
    assert sorted(state.order) == sorted(f"{CLASSIC}{MARKOV}{POOH}")
    assert state.counts == (0, 0, 0) and counts(message) == [0, 0, 0]


async def test_everybody_guesses_once_and_may_think_better_of_it(wood: Stage) -> None:
    server = wood.server
    kanga, roo, owl = (server.person(name) for name in ("Kanga", "Roo", "Owl"))
    message = await raced(wood, kanga.command("race", prompt="The bee"))
    before = texts(message)
    await pressed(wood, message, roo, "A")
    await pressed(wood, message, owl, "B")
    await pressed(wood, message, kanga, "B")
    assert counts(message) == [1, 2, 0] and texts(message) == before
    await pressed(wood, message, roo, "C")
    assert counts(message) == [0, 2, 1]
    assert not re.search(f"Roo|Owl|Kanga|{roo.id}|{owl.id}", json.dumps(message.components))


async def test_guesses_at_one_moment_are_all_counted(wood: Stage) -> None:
    people = [wood.server.person(f"P{i}") for i in range(12)]
    message = await raced(wood, people[0].command("race", prompt="The bee"))
    names = list(message.buttons)
    for number, person in enumerate(people):
        person.press(message, names[number % 3])
    await wood.server.until(lambda: sum(counts(message)) == 12, "all guesses")
    assert counts(message) == [4, 4, 4]


async def test_who_asked_tells_names_losses_and_what_stands_in_the_books(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    message = await raced(wood, kanga.command("race", prompt="Here is Edward Bear"))
    state = state_of(message)
    await pressed(wood, message, roo, LETTERS[state.order.index(POOH)])
    assert (await refusal(roo.press(message, WHO))).content == say(RaceText.MAY_NOT_TELL)
    plain = texts(message)
    await pressed(wood, message, kanga, WHO)
    assert not message.buttons
    letter = LETTERS[state.order.index(POOH)]
    assert say(RaceText.ANSWER, letter=letter) in message.text
    assert say(RaceText.GUESSED, count=1, right=1) in message.text
    told = dict(zip(state.order, displays(message)[1:4], strict=True))
    for code, name in NAMES.items():
        assert told[code].startswith("### ") and f": {say(name)}\n" in told[code]
    assert say(RaceText.LOSS, number="5.55") in told[CLASSIC]
    assert say(RaceText.LOSS, number="1.78") in told[MARKOV]
    assert "nats" not in told[POOH], "the small network has no report"
    assert say(RaceText.COPIED, share="0\u00a0%") in told[MARKOV] and "__" not in told[MARKOV]
    share = re.search(r"(\d+)\u00a0% of the words", told[CLASSIC])
    assert share and int(share[1]) > 80, "it knows the book by heart"
    assert "__\u200b" in told[CLASSIC]
    bare = [re.sub("__|[_\\\\\u200b]", "", t.rpartition("\n-# ")[0]) for t in texts(message)]
    assert bare == [re.sub("[_\\\\\u200b]", "", text) for text in plain]
    assert f"seed {state.seed}" in displays(message)[-1]
    assert say(RaceText.UNDERLINED, number=LEAST) in displays(message)[-1]


async def test_a_moderator_may_tell_too_and_a_second_time_nothing_happens(wood: Stage) -> None:
    server = wood.server
    kanga, owl = server.person("Kanga"), server.person("Owl", moderator=True)
    message = await raced(wood, kanga.command("race", prompt="The bee"))
    wood.server.log.clear()
    first, second = owl.press(message, WHO), kanga.press(message, WHO)
    await server.until(lambda: not message.buttons, "the end")
    await server.until(
        lambda: any(m.content == say(RaceText.TOLD_ALREADY) for u in (first, second)
                    for m in u.messages), "a word"
    )  # fmt: skip
    assert say(RaceText.NOBODY_GUESSED) in message.text


async def test_after_a_restart_it_goes_on_and_says_what_is_forgotten(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga", locale="de"), server.person("Roo")
    german = Language.GERMAN.say
    use = kanga.command("race", prompt="The bee")
    message = await use.answer()
    await server.until(lambda: message.components)
    before = texts(message)
    roo.press(message, "A · 0")
    await server.until(lambda: "A · 1" in message.buttons)
    await wood.restart()
    roo.press(message, "B · 0")
    await server.until(lambda: "B · 1" in message.buttons)
    assert "A · 0" in message.buttons and "C · 0" in message.buttons, "one guess each"
    assert german(RaceText.GUESSES_GONE) in message.text and texts(message) == before
    assert german(RaceText.QUESTION) in message.text, "the card keeps its language"
    await wood.restart()
    kanga.press(message, german(Name.WHO_WAS_WHO))
    await server.until(lambda: not message.buttons, "the end")
    assert "Von 1, " in message.text, "how many is still known, not who"
    assert german(RaceText.NOBODY) not in message.text and "1,78" in message.text


async def test_what_other_weights_told_is_not_judged_by_todays(wood: Stage, tmp_path: Path) -> None:
    kanga = wood.server.person()
    message = await raced(wood, kanga.command("race", prompt="The bee"))
    await wood.stop()
    wood.shipped = tmp_path
    await wood.start()
    await pressed(wood, message, kanga, WHO)
    assert message.text.count(say(RaceText.OTHER_WEIGHTS)) == 3
    assert "nats" not in message.text and "% of the words" not in message.text


async def test_an_old_race_takes_no_guesses_and_is_told_anew(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    message = await raced(wood, kanga.command("race", prompt="The bee"))
    await pressed(wood, message, roo, "A")
    wood.clock.advance(2 * 3600)
    assert (await refusal(roo.press(message, "B · 0"))).content == say(RaceText.TOO_LATE)
    answer = await kanga.press(message, WHO).answer()
    await wood.server.until(lambda: answer.components)
    assert answer is not message and not answer.ephemeral and not answer.buttons
    assert "Of 1 who guessed" in answer.text
    again = kanga.press(message, WHO)
    assert (await refusal(again)).content == say(RaceText.TOLD_ALREADY)
    assert again.response_type == 4, "nothing is promised to all, and no file is read"
    assert len(wood.bot.services.ballots) <= 1


async def test_it_runs_in_private_in_threads_and_where_only_a_user_has_installed_it(
    wood: Stage,
) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    group = server.add_channel(None, kanga, roo, context=PRIVATE)
    elsewhere = server.add_channel(server.add_guild("Elsewhere", installed=False))
    where: Channel
    thread = server.add_thread(server.channel, "Bees", str(kanga.id))
    for where in (server.dm(kanga), group, elsewhere, thread):
        message = await raced(wood, kanga.command("race", prompt="The bee", where=where))
        await pressed(wood, message, kanga, "B")
        await wood.restart()
        await pressed(wood, message, kanga, WHO)
        assert "1.78" in message.text and "Of 1 who guessed" in message.text


async def test_it_counts_as_three_asks_or_as_none(wood: Stage) -> None:
    kanga = wood.server.person()
    wood.stories.limit(60.0, 5)
    use = kanga.command("race", prompt="The bee is a fucking bore")
    assert (await refusal(use)).content == say(Text.RATHER_NOT)
    assert (await refusal(kanga.command("race", prompt="🐝"))).content == say(Text.NO_LETTERS)
    await raced(wood, kanga.command("race"))
    for _ in range(2):
        use = kanga.command("race", prompt="The bee")
        assert (await refusal(use)).content == say(Text.TOO_SOON, seconds=60)
    services = wood.bot.services
    services.stories.check_rate_limit(kanga.id)
    services.stories.check_rate_limit(kanga.id)


async def test_who_finds_one_of_them_busy_leaves_no_story_behind(wood: Stage) -> None:
    kanga = wood.server.person()
    wood.decoder.hold()
    uses = [kanga.command("race", prompt="The bee") for _ in range(UNFINISHED)]
    await wood.server.until(lambda: len(wood.writer.unfinished) == UNFINISHED, "all of hers")
    said = await refusal(kanga.command("race", prompt="The bee"))
    assert said.content == say(Text.OWN_QUEUE_FULL)
    assert len(wood.writer.unfinished) == UNFINISHED
    wood.decoder.open()
    for use in uses:
        await raced(wood, use)
    assert not wood.writer.unfinished


async def test_a_race_that_automod_blocks_is_told_to_its_asker_only(wood: Stage) -> None:
    kanga = wood.server.person()
    wood.server.fail("PATCH", "/webhooks", BLOCKED)
    said = await refusal(kanga.command("race", prompt="The bee"))
    assert said.ephemeral and said.content == say(Text.BLOCKED)


async def test_without_some_the_others_race_and_without_all_there_is_a_word(
    wood: Stage, tmp_path: Path
) -> None:
    kanga = wood.server.person()
    await wood.stop()
    wood.shipped = tmp_path
    await wood.start()
    assert (await refusal(kanga.command("race"))).content == say(RaceText.NOBODY)
    await wood.stop()
    (tmp_path / "race").mkdir()
    (tmp_path / "race" / "books.safetensors").write_bytes(b"damaged")
    (tmp_path / "classic.safetensors").write_bytes(b"damaged")
    await wood.start()
    assert (await refusal(kanga.command("race"))).content == say(RaceText.NOBODY)
    assert (await refusal(kanga.command("race"))).content == say(RaceText.NOBODY)
    await wood.stop()
    shutil.copy(SHIPPED / "race" / "markov.safetensors", tmp_path / "race")
    await wood.start()
    message = await raced(wood, kanga.command("race", prompt="The bee"), runners=2)
    assert sorted(state_of(message).racers) == sorted(POOH + MARKOV)
    await pressed(wood, message, kanga, WHO)
    assert say(RaceText.MARKOV) in message.text and "% of the words" not in message.text


async def test_a_race_that_sleep_cuts_short_is_told_and_not_shown(wood: Stage) -> None:
    kanga = wood.server.person("Kanga")
    wood.decoder.hold()
    use = kanga.command("race", prompt="The bee")
    await wood.server.until(lambda: use.original, "a promise")
    await wood.server.until(lambda: wood.writer.writing, "Pooh at work")
    wood.decoder.allow(50)
    await wood.stop_gently()
    assert any(m.content == say(Text.GOING_TO_SLEEP) and m.ephemeral for m in use.messages)
    assert not any(m.components for m in use.messages if not m.deleted)


async def test_a_race_that_was_begun_is_finished_before_the_bot_leaves(wood: Stage) -> None:
    kanga = wood.server.person("Kanga")
    wood.decoder.hold()
    use = kanga.command("race", prompt="The bee")
    await wood.server.until(lambda: wood.writer.writing, "Pooh at work")
    leaving = asyncio.create_task(wood.stop(grace=60.0))
    await asyncio.sleep(0)
    wood.decoder.open()
    await leaving
    assert use.original is not None and WHO in use.original.buttons


async def test_nobody_races_against_himself(wood: Stage) -> None:
    weights = SHIPPED / "classic.safetensors"
    services, clock = wood.bot.services, wood.bot.services.clock
    for candidates in (1, 2):
        writer = Writer(*load_decoder(weights), services.words, candidates=candidates, clock=clock)
        racers = Racers(writer, services.words, weights, deadline=9.0, clock=clock)
        assert [racer.code for racer in await racers.enter()] == [POOH, MARKOV]
        await racers.close(0.0)


async def test_only_unseen_chapters_count_as_loss(wood: Stage, tmp_path: Path) -> None:
    weights = tmp_path / "own.safetensors"
    services = wood.bot.services
    racers = Racers(wood.writer, services.words, weights, deadline=9.0, clock=services.clock)
    assert racers.loss(POOH) is None
    known = json.loads((SHIPPED / "classic.evaluation.json").read_text())
    report = weights.with_suffix(".evaluation.json")
    report.write_text(json.dumps(known))
    assert racers.loss(POOH) == pytest.approx(5.55, abs=0.01) == racers.loss(CLASSIC)
    known[0]["loss"]["chapters"][0]["title"] = "CHAPTER IX"
    for content in (json.dumps(known), "[]", "{}", "[" * 10_000, '[{"loss": 3}]', "\0"):
        report.write_text(content)
        assert racers.loss(POOH) is None, content[:20]


def test_the_card_speaks_of_the_chain_that_is_shipped() -> None:
    chain = Chain.load(SHIPPED / "race" / "markov.safetensors")
    assert chain.order == 4 and "four letters" in RaceText.MARKOV.value.en
    assert (SHIPPED / "race" / "markov.safetensors").stat().st_size < 300_000
    assert (SHIPPED / "race" / "books.safetensors").stat().st_size < 1_500_000


def test_the_order_is_decided_by_the_seed_alone() -> None:
    orders = [
        RaceState(1, seed, "pcm", "0" * 6, Language.ENGLISH, (0, 0, 0)).order for seed in range(600)
    ]
    shares = [orders.count(order) for order in set(orders)]
    assert len(shares) == 6 and min(shares) > 60
    assert orders[:4] == FIRST_ORDERS, "also for cards that are old"


def test_guesses_are_forgotten_in_time_and_are_never_too_many() -> None:
    ballots = Ballots()
    first = ballots.of(1, 0.0, guessed=False)
    first.guesses.cast(5, "A")
    assert ballots.of(1, KEPT - 1.0, guessed=False) is first
    assert not ballots.of(1, KEPT + 1.0, guessed=False).guesses
    for message in range(2 * MOST):
        ballots.of(message, KEPT + 2.0, guessed=False)
    assert len(ballots) == MOST


MARKS = st.sampled_from('aZ_"*@\\.-\n <:`~|#é🐝\u200b')
WORST = "*" * 150 + "a_b @c" * 60


@given(
    prompt=st.text(MARKS, max_size=PROMPT) | st.just("~" * PROMPT),
    story=st.text(MARKS, max_size=LENGTHS[-1]) | st.just(WORST),
    ends=st.sets(st.integers(0, LENGTHS[-1]), max_size=20),
    language=st.sampled_from(Language),
)
def test_any_text_survives_the_card_and_fits(
    prompt: str, story: str, ends: set[int], language: Language
) -> None:
    state = RaceState(2**64 - 1, 2**53 - 1, "pcm", "f" * 6, language, (999_999,) * 3)
    page = fitted(Page(prompt.strip(), story, cut=True))
    view = hidden(state, [page] * 3, row(state), are_gone=True)
    parts = list(view.walk_children())
    shown = [part.content for part in parts if isinstance(part, discord.ui.TextDisplay)]
    assert (
        sum(len(text.encode("utf-16-le", "surrogatepass")) // 2 for text in shown) <= TEXT_DISPLAYS
    )
    read = race_card._page_in(shown[1])
    assert read is not None and f"### A\n{race_card._text(read)}" == shown[1]
    assert "\\_" not in race_card._text(replace(page, prompt="")), "half of an italics mark"
    ids = [item.custom_id for item in parts if isinstance(item, RaceButton)]
    assert len(ids) == 4 and all(len(each) <= 100 for each in ids)
    inside = sorted(end for end in ends if end <= len(page.story))
    spans = tuple(zip(inside[::2], inside[1::2], strict=False))
    told = [Told(9.99, Copies(spans, 9, 9))] * 3
    view = revealed(state, [page] * 3, told, is_today=False)
    assert view.content_length() <= TEXT_DISPLAYS


def test_runs_are_underlined_with_the_marks_that_belong_to_them() -> None:
    story = ' said: "_Never_ mind," and\n\nslept _all day_.'
    start, end = story.index("Never"), story.index("slept") + 5
    text = race_card._text(Page("The @bee", story), [(start, end)])
    assert text.replace("\u200b", "") == (
        '**The @bee** said: __"_Never_ mind," and__\n\n__slept__ _all day_.'
    )
    assert text.count("__\u200b") == text.count("\u200b__") == 2, "so that nothing joins the marks"
    assert race_card._text(Page("", "_A bee sat_ _"), [(1, 6)]) == "__\u200bA bee\u200b__ sat"
