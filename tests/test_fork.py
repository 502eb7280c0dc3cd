"""Two ways on, and a vote: the real bot, through the real discord.py, wherever people are."""

import asyncio
import re
from typing import Any

import pytest

from bot.fork import LEAST_VOTE, TOKEN, VOTE
from bot.fork_texts import ForkText
from bot.languages import Language
from bot.messages import parse
from bot.names import Name
from bot.translations import Text
from bot.writer import UNFINISHED
from tests.bot_steps import STORY_BUTTONS, changed, continues, note, page, refusal, told
from tests.fake_discord import (
    PRIVATE,
    Channel,
    Message,
    Person,
    Schemas,
)
from tests.fake_discord.rules import COMPONENTS_V2
from tests.fork_steps import (
    TAKE,
    begin,
    below,
    counts,
    forked,
    in_time,
    line,
    say,
    texts,
    vote,
    ways,
)
from tests.hosting import Stage, stage
from tests.test_pages import places


async def test_the_winner_is_a_story_below_and_the_loser_is_its_other_page(wood: Stage) -> None:
    server = wood.server
    kanga, roo, owl = (server.person(name) for name in ("Kanga", "Roo", "Owl"))
    story = await begin(wood, kanga, length=100)
    before = story.content, story.components
    wood.decoder.hold()
    use = kanga.press(story, "Fork")
    await server.until(lambda: wood.writer.writing == 2, "two slots at once")
    wood.decoder.open()
    card = await forked(wood, use)
    assert not card.ephemeral and list(card.buttons) == ["A · 0", "B · 0", "Count now"]
    ends = re.search(r"<t:(\d+):R>", line(card))
    assert ends and abs(int(ends[1]) - wood.clock() - VOTE) < 3
    both = ways(card)
    assert both[0] != both[1] and all(text.strip() for text in both)
    seeds = [re.search(r"seed (\d+)", texts(card)[i]) for i in (2, 4)]
    assert seeds[0] and seeds[1] and int(seeds[1][1]) == int(seeds[0][1]) + 1
    for person, way in ((roo, "A"), (owl, "B"), (roo, "B"), (roo, "B")):  # changed once, and twice
        assert (await vote(wood, person, card, way)).response_type == 6
        await wood.pass_seconds(1.2)
    assert counts(card) == ["A · 0", "B · 2"]
    assert not any(name in str(card.components) for name in ("Kanga", "Roo", "Owl"))
    assert not any(f"{who.id}" in str(card.components) for who in (roo, owl))
    await in_time(wood, card, lambda: below(card))
    (winner,) = below(card)
    assert winner.content and not winner.flags & COMPONENTS_V2 and not winner.ephemeral
    assert list(winner.buttons) == [*STORY_BUTTONS, "◀", "2/2", "▶"]
    assert page(winner).story == both[1] and page(winner).prompt == page(story).text.strip()
    assert "2 to 0" in line(card) and list(card.buttons) == [TAKE[0]]
    assert parse(texts(card)[-1]).story == both[0], "and is on the card"
    assert (story.content, story.components) == before
    edits = len(winner.edits)
    kanga.press(winner, "◀")
    await changed(wood, winner, edits)
    assert page(winner).story == both[0] and "1/2" in winner.buttons
    await wood.server.until(lambda: not wood.stories.is_writing(winner.id))
    sequel = await told(wood, kanga.press(winner, "Continue"))
    assert continues(page(winner).text, page(sequel).prompt)


async def test_the_rows_under_a_story_keep_their_order(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await begin(wood, kanga, length=20)
    edits = len(story.edits)
    kanga.press(story, "Again")
    await changed(wood, story, edits)
    rows = [[b.get("label") for b in row["components"]] for row in story.components]
    assert rows == [STORY_BUTTONS[:5], STORY_BUTTONS[5:], ["◀", "2/2", "▶"]]


async def test_a_long_story_goes_on_from_all_of_it_and_shows_its_end(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await begin(wood, kanga, length=1500)
    assert len(page(story).text) > 900
    wood.decoder.hold()
    use = kanga.press(story, "Fork")
    await wood.server.until(lambda: wood.writer.writing == 2)
    assert [one.prompt for one in wood.writer.unfinished] == [page(story).text.strip()] * 2
    wood.decoder.open()
    card = await forked(wood, use)
    assert continues(page(story).text, parse(texts(card)[-1]).prompt)
    assert all(500 < len(text) <= 1000 for text in ways(card))
    both = ways(card)
    await vote(wood, kanga, card, "A")
    await in_time(wood, card, lambda: below(card))
    (winner,) = below(card)
    assert list(winner.buttons) == STORY_BUTTONS, "its message cannot tell it again"
    assert page(winner).story == both[0]
    assert parse(texts(card)[-1]).story == both[1]
    edits = len(winner.edits)
    kanga.press(winner, "Continue")
    await changed(wood, winner, edits)
    assert page(winner).text.startswith(page(winner).prompt + both[0].rstrip(".")[:400])


async def test_a_tie_goes_to_what_the_one_who_asked_is_for(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    story = await begin(wood, kanga, length=60)
    card = await forked(wood, kanga.press(story, "Fork"))
    both = ways(card)
    await vote(wood, roo, card, "A")
    await vote(wood, kanga, card, "B")
    await in_time(wood, card, lambda: below(card))
    assert [page(m).story for m in below(card)] == [both[1]] and "tie, 1 to 1" in line(card)


@pytest.mark.parametrize("votes", [0, 1])
async def test_without_that_the_one_who_asked_chooses(wood: Stage, votes: int) -> None:
    server = wood.server
    kanga, roo, rabbit = (server.person(name) for name in ("Kanga", "Roo", "Rabbit"))
    owl = server.person("Owl", moderator=True)
    story = await begin(wood, kanga, length=60)
    card = await forked(wood, kanga.press(story, "Fork"))
    both = ways(card)
    for person, way in ((roo, "A"), (rabbit, "B"))[: 2 * votes]:
        await vote(wood, person, card, way)
    await in_time(wood, card, lambda: list(card.buttons) == TAKE)
    assert line(card) == say(ForkText.TIED, votes=votes) and ways(card) == both
    for label in TAKE:
        assert (await refusal(roo.press(card, label))).content == say(ForkText.MAY_NOT_CHOOSE)
    assert not below(card)
    first, second = kanga.press(card, TAKE[1]), kanga.press(card, TAKE[1])  # twice, quickly
    await server.until(lambda: first.answered and second.answered)
    await server.until(lambda: list(card.buttons) == TAKE[:1])
    assert [page(m).story for m in below(card)] == [both[1]]
    await wood.restart()
    wood.clock.advance(20 * 60)
    owl.press(card, TAKE[0])
    await server.until(lambda: not card.buttons)
    assert [page(m).story for m in below(card)] == [both[1], both[0]]
    assert line(card) == say(ForkText.BOTH_TOLD, way="A")
    for winner in below(card):  # both are Kanga's
        edits = len(winner.edits)
        kanga.press(winner, "◀" if winner.buttons["▶"].get("disabled") else "▶")
        await changed(wood, winner, edits)


async def test_who_asked_or_a_moderator_has_them_counted_now(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    owl = server.person("Owl", moderator=True)
    for chooser in (kanga, owl):
        story = await begin(wood, kanga, length=60)
        card = await forked(wood, kanga.press(story, "Fork"))
        await vote(wood, roo, card, "A")
        said = await refusal(roo.press(card, "Count now"))
        assert said.content == say(ForkText.MAY_NOT_CHOOSE) and not below(card)
        open_card = list(card.components)
        chooser.press(card, "Count now")
        await server.until(lambda: list(card.buttons) == [TAKE[1]])  # noqa: B023
        assert len(below(card)) == 1
        closed, card.components = card.components, open_card  # as a slow reader still sees it
        use = roo.press(card, next(iter(card.buttons)))
        card.components = closed
        await server.until(lambda: use.answered)  # noqa: B023
        await wood.pass_seconds(0.5)
        assert card.components == closed and len(below(card)) == 1


async def test_wherever_there_are_others_they_vote_and_after_a_restart_it_is_chosen(
    wood: Stage,
) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo", locale="de")
    for name, where in places(wood, kanga, roo).items():
        if name == "private message":
            continue
        story = await begin(wood, kanga, length=60, where=where)
        card = await forked(wood, kanga.press(story, "Fork"))
        await vote(wood, roo, card, "B")
        await in_time(wood, card, lambda: below(card))  # noqa: B023
        assert len(below(card)) == 1, name
        again = await forked(wood, kanga.press(story, "Fork"))
        both = ways(again)
        await vote(wood, roo, again, "B")
        await wood.pass_seconds(1.2)
        killed = again.components
        await wood.stop()
        again.components = killed  # as if it had not had the time to say anything
        await wood.start()
        roo.press(again, "A · 0")
        await server.until(lambda: Language.GERMAN.say(Name.GO_ON_WITH, way="A") in again.buttons)  # noqa: B023
        assert line(again) == Language.GERMAN.say(ForkText.UNCOUNTED) and ways(again) == both
        assert not below(again), name
        german = [Language.GERMAN.say(Name.GO_ON_WITH, way=way) for way in "AB"]
        use = roo.press(again, german[0])
        assert (await use.answer()).content == Language.GERMAN.say(ForkText.MAY_NOT_CHOOSE)
        kanga.press(again, german[1])
        await server.until(lambda: below(again))  # noqa: B023
        await server.until(lambda: len(again.buttons) == 1)  # noqa: B023
        assert [page(m).story for m in below(again)] == [both[1]]


async def test_in_private_the_one_person_chooses_also_after_a_restart(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    closed = server.add_channel(server.add_guild("Elsewhere", installed=False))
    closed.external_apps = False  # Discord shows what the bot says there to one person alone
    story = await begin(wood, kanga, length=60)
    edits = len(story.edits)
    kanga.press(story, "Again")
    await changed(wood, story, edits)
    copy = await told(wood, roo.press(story, "◀"))
    where: list[tuple[Person, Message]] = [
        (kanga, await begin(wood, kanga, length=60, where=server.dm(kanga))),
        (kanga, await begin(wood, kanga, length=60, where=closed)),
        (roo, copy),
    ]
    for person, message in where:
        card = await forked(wood, person.press(message, "Fork"))
        assert list(card.buttons) == TAKE and line(card) == say(ForkText.CHOOSE)
        assert card.ephemeral == message.ephemeral
        await wood.restart()
        both = ways(card)
        for label, text in zip(TAKE, both, strict=True):
            count = len(below(card))
            person.press(card, label)
            await server.until(lambda: len(below(card)) > count)  # noqa: B023
            assert page(below(card)[-1]).story == text
            assert below(card)[-1].ephemeral == message.ephemeral
            await server.until(lambda: label not in card.buttons)  # noqa: B023
        assert not card.buttons


@pytest.mark.parametrize("going", ["leave", "hand_over"])
async def test_a_bot_that_goes_brings_its_votes_to_rest(wood: Stage, going: str) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    story = await begin(wood, kanga, length=60)
    card = await forked(wood, kanga.press(story, "Fork"))
    await vote(wood, roo, card, "A")
    other = await begin(wood, roo, length=900)
    wood.decoder.hold()
    use = roo.press(other, "Fork")  # is still being written
    await server.until(lambda: wood.writer.writing == 2 and use.original)
    wood.decoder.allow(60)
    await server.until(lambda: wood.decoder.allowed == 0)
    leaving = asyncio.create_task(
        wood.bot.hand_over() if going == "hand_over" else wood.bot.leave(grace=2.0)
    )
    await wood.until(lambda: list(card.buttons) == TAKE)
    wood.decoder.open()
    await wood.until(leaving.done)
    await leaving
    for message in (card, use.original):
        assert message is not None and not message.loading
        assert list(message.buttons) == TAKE and line(message) == say(ForkText.UNCOUNTED)
    await wood.stop()
    await wood.start()
    both = ways(card)
    kanga.press(card, TAKE[0])
    await server.until(lambda: below(card))
    await server.until(lambda: page(below(card)[-1]).story == both[0])


async def test_a_card_that_is_taken_away_ends_its_vote_and_a_story_does_not(wood: Stage) -> None:
    server = wood.server
    kanga, owl = server.person("Kanga"), server.person("Owl", moderator=True)
    elsewhere = server.add_channel(server.add_guild("Elsewhere", installed=False))
    for where in (server.channel, elsewhere):  # there the bot hears of nothing
        story = await begin(wood, kanga, length=60, where=where)
        card = await forked(wood, kanga.press(story, "Fork"))
        await vote(wood, kanga, card, "A")
        owl.delete(card)
        wood.clock.advance(VOTE)
        await server.until(lambda: not len(wood.bot.services.votes))
        await wood.pass_seconds(0.5)
        assert not below(card)
    wood.decoder.hold()
    use = kanga.press(story, "Fork")
    await server.until(lambda: wood.writer.writing == 2 and use.original)
    story = await deleted_in_time(wood, owl, kanga)
    card = await forked(wood, kanga.press(story, "Fork"))
    owl.delete(story)
    await vote(wood, kanga, card, "A")
    await in_time(wood, card, lambda: below(card))
    assert len(below(card)) == 1


async def deleted_in_time(wood: Stage, owl: Person, kanga: Person) -> Message:
    """While a fork is written its promise is taken away; then there is another story."""
    wood.decoder.open()
    await wood.server.until(lambda: not wood.writer.writing)
    story = await begin(wood, kanga, length=900)
    wood.decoder.hold()
    use = kanga.press(story, "Fork")
    await wood.server.until(lambda: wood.writer.writing == 2 and use.original)
    assert use.original
    owl.delete(use.original)
    await wood.until(lambda: all(one.halt for one in wood.writer.unfinished))
    wood.decoder.open()
    await wood.server.until(lambda: not wood.writer.writing)
    return story


async def test_there_is_one_vote_about_a_story_and_each_is_two_asks(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    story = await begin(wood, kanga, length=60)
    wood.stories.limit(60.0, 3)
    uses = [kanga.press(story, "Fork"), kanga.press(story, "Fork"), roo.press(story, "Fork")]
    card = await forked(wood, uses[0])
    for use in uses[1:]:
        assert (await refusal(use)).content == say(ForkText.AT_IT)
    other = await begin(wood, kanga, length=60)  # the third ask
    said = (await refusal(kanga.press(other, "Fork"))).content
    assert said == say(Text.TOO_SOON, seconds=120)
    await vote(wood, kanga, card, "A")  # a vote is none
    await wood.pass_seconds(1.2)
    assert counts(card) == ["A · 1", "B · 0"]


async def test_where_one_ask_is_all_there_is_a_fork_is_owed(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await begin(wood, kanga, length=60)
    wood.stories.limit(60.0, 1)
    await forked(wood, kanga.press(story, "Fork"))
    said = (await refusal(kanga.command("pooh", prompt="The bee"))).content
    assert said == say(Text.TOO_SOON, seconds=120)


async def test_not_for_both_ways_is_for_none(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await begin(wood, kanga, length=60)
    wood.decoder.hold()
    for _ in range(UNFINISHED - 1):
        kanga.command("pooh", prompt="The mill")
    await wood.server.until(lambda: wood.writer.writing == UNFINISHED - 1)
    said = (await refusal(kanga.press(story, "Fork"))).content
    assert said == say(Text.OWN_QUEUE_FULL)
    wood.decoder.open()
    await wood.server.until(lambda: not wood.writer.writing)
    await forked(wood, kanga.press(story, "Fork"))


@pytest.mark.parametrize("options", [{"temperature": 0.0}, {"top_k": 1}])
async def test_he_who_is_sure_of_himself_has_one_way_on(wood: Stage, options: Any) -> None:  # noqa: ANN401
    kanga = wood.server.person()
    story = await begin(wood, kanga, length=60, **options)
    use = kanga.press(story, "Fork")
    said = await wood.server.until(lambda: next((m for m in use.messages if m.content), None))
    assert said.ephemeral and said.content == say(ForkText.ONE_WAY)


async def test_an_error_of_the_network_is_told_and_leaves_nothing(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await begin(wood, kanga, length=60)
    wood.decoder.error = RuntimeError("no more")
    use = kanga.press(story, "Fork")
    said = await wood.server.until(lambda: next((m for m in use.messages if m.content), None))
    assert said.ephemeral and "reference" in said.content
    assert use.original and use.original.deleted and not len(wood.bot.services.votes)


async def test_what_he_took_long_for_is_chosen_before_the_token_dies(
    schemas: Schemas | None,
) -> None:
    async with stage(schemas=schemas, deadline=800.0) as wood:
        kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
        story = await begin(wood, kanga, length=60)
        wood.decoder.hold()
        use = kanga.press(story, "Fork")
        await wood.server.until(lambda: wood.writer.writing == 2 and use.original)
        wood.clock.advance(TOKEN - LEAST_VOTE - 50)
        wood.decoder.open()
        card = await forked(wood, use)
        assert list(card.buttons)[:2] == ["A · 0", "B · 0"]
        await vote(wood, roo, card, "A")
        wood.clock.advance(LEAST_VOTE + 51)
        await wood.server.until(lambda: below(card))
        await wood.server.until(lambda: not len(wood.bot.services.votes))
        wood.decoder.hold()
        use = kanga.press(story, "Fork")
        await wood.server.until(lambda: wood.writer.writing == 2 and use.original)
        wood.clock.advance(TOKEN - LEAST_VOTE + 15)
        wood.decoder.open()
        assert list((await forked(wood, use)).buttons) == TAKE


async def test_a_card_stands_for_what_both_go_on_from_and_then_for_the_other(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await begin(wood, kanga, length=100)
    card = await forked(wood, kanga.press(story, "Fork"))
    both = ways(card)
    sequel = await told(wood, roo.menu("Continue as Pooh", card))
    assert continues(page(story).text, page(sequel).prompt)
    await vote(wood, kanga, card, "A")
    await in_time(wood, card, lambda: list(card.buttons) == [TAKE[1]])
    sequel = await told(wood, roo.menu("Continue as Pooh", card))
    assert continues(both[1], page(sequel).prompt.removeprefix("... ")[-20:])
    assert "small" in note(sequel)


async def test_it_can_be_used_as_often_as_there_are_ends(wood: Stage) -> None:
    """A fork of a fork's winner, and of a mention's story in a thread without anybody else."""
    server = wood.server
    kanga = server.person("Kanga")
    thread: Channel = server.add_channel(server.guild)
    story = await begin(wood, kanga, length=40, where=thread)
    for _ in range(3):
        card = await forked(wood, kanga.press(story, "Fork"))
        await vote(wood, kanga, card, "A")
        kanga.press(card, "Count now")
        await server.until(lambda: below(card))  # noqa: B023
        (story,) = below(card)
        await server.until(lambda: not len(wood.bot.services.votes))
    assert len(page(story).text) > 100


async def test_a_group_without_the_bot_votes_in_every_language(wood: Stage) -> None:
    server = wood.server
    for locale in ("de", "fr", "es-ES"):
        kanga, roo = server.person("Kanga", locale=locale), server.person("Roo")
        group = server.add_channel(None, kanga, roo, context=PRIVATE)
        speak = Language({"de": "de", "fr": "fr", "es-ES": "es"}[locale]).say
        story = await begin(wood, kanga, length=60, where=group)
        use = kanga.press(story, speak(Name.FORK))
        card = await use.answer()
        await server.until(lambda: card.components)  # noqa: B023
        assert speak(ForkText.HOW_ON) in card.text and speak(Name.COUNT_NOW) in card.buttons
        roo.press(card, "A · 0")
        await wood.pass_seconds(1.2)
        kanga.press(card, speak(Name.COUNT_NOW))
        await server.until(lambda: below_in(card, speak(Name.AGAIN)))  # noqa: B023
        await server.until(lambda: not len(wood.bot.services.votes))
        assert speak(ForkText.WON, way="A", other="B", most=1, least=0) in card.text


def below_in(card: Message, again: str) -> list[Message]:
    return [m for m in card.channel.messages.values() if m.id > card.id and again in m.buttons]
