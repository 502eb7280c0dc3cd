"""Who wrote what in a circle: for moderators alone, while it is open."""

from dataclasses import replace

import pytest

from bot import circle
from bot.circle_texts import CircleText
from bot.circle_writers import ABOVE
from bot.languages import Language
from tests.bot_steps import retold
from tests.fake_discord import Message, Person, RefusedError
from tests.fake_discord.models import MANAGE_THREADS
from tests.hosting import Stage
from tests.test_circle import END, UNDO, add, begun, denied

MENU = "Who wrote this?"


def lines(*told: tuple[int, Person, str]) -> str:
    said = [
        Language.ENGLISH.say(
            CircleText.WROTE, number=turn, person=f"<@{person.id}>", sentence=sentence
        )
        for turn, person, sentence in told
    ]
    return "\n".join([*said, f"-# {Language.ENGLISH.say(CircleText.KNOWN, most=circle.KNOWN)}"])


async def told(moderator: Person, message: Message) -> str:
    answer = await moderator.menu(MENU, message).answer()
    assert answer.ephemeral and answer.pinged == []
    return answer.content.replace("\u200b", "")


async def test_a_moderator_is_told_who_wrote_the_latest_sentences_also_after_a_restart(
    wood: Stage,
) -> None:
    server = wood.server
    kanga, roo, owl = server.person("Kanga"), server.person("Roo"), server.person("Owl")
    guard = server.person("Guard", moderator=True)
    message = await begun(wood, kanga)
    await denied(wood, guard.menu(MENU, message), CircleText.NOBODY_KNOWN)  # Pooh began
    message = await add(wood, roo, message, "A bee sat.")
    message = await add(wood, owl, message, "It slept.")
    await wood.restart()
    assert await told(guard, message) == lines((2, owl, "It slept."), (1, roo, "A bee sat."))
    edits = len(message.edits)
    guard.press(message, UNDO)
    await server.until(lambda: len(message.edits) > edits)
    assert await told(guard, message) == lines((1, roo, "A bee sat."))
    for number in range(circle.KNOWN + 1):  # more than are known
        person = (owl, roo)[number % 2]
        message = await add(wood, person, message, f"Bee {number}.")
    latest = (await told(guard, message)).splitlines()[: circle.KNOWN]
    assert len(latest) == circle.KNOWN
    for back, line in enumerate(latest):
        number = circle.KNOWN - back
        person = (owl, roo)[number % 2]
        sentence = f"Bee {number}." if f"Bee {number}." in message.content else ABOVE
        assert line == f"Turn {number + 2}, <@{person.id}>: {sentence}"
    assert any(line.endswith(ABOVE) for line in latest), "in a message before"


async def test_a_word_that_is_refused_by_now_is_not_shown_but_its_writer_is(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    guard = server.person("Guard", moderator=True)
    message = await begun(wood, kanga, sentence="A bee sat.")
    message = await add(wood, roo, message, "A zebra slept.")
    wood.settings = replace(wood.settings, words_refused=frozenset({"zebra"}))
    await wood.restart()
    assert await told(guard, message) == lines((2, roo, ABOVE), (1, kanga, "A bee sat."))


async def test_a_long_sentence_is_told_in_whole_words(wood: Stage) -> None:
    guard = wood.server.person("Guard", moderator=True)
    owl = wood.server.person("Owl")
    message = await begun(wood, owl, sentence="x " * 36 + "analysis of bees")
    assert await told(guard, message) == lines((1, owl, "x " * 35 + "x..."))


@pytest.mark.parametrize("ended", [False, True])
async def test_nobody_else_is_told_and_nobody_when_it_is_over(wood: Stage, ended: bool) -> None:
    server = wood.server
    kanga, guard = server.person("Kanga"), server.person("Guard", moderator=True)
    message = await begun(wood, kanga, sentence="A bee sat.")
    with pytest.raises(RefusedError, match="not offered"):
        kanga.menu(MENU, message)
    if not ended:
        # A server's own rules may offer a command to everybody.
        for command in server.commands.values():
            command["default_member_permissions"] = None
        kanga.permissions |= MANAGE_THREADS  # not enough to be offered it, nor to be told
        await denied(wood, kanga.menu(MENU, message), CircleText.FOR_MODERATORS)
        return
    guard.press(message, END)
    await server.until(lambda: retold(message) and not message.buttons)
    for other in (message, retold(message)[0], kanga.say("A bee sat.")):
        await denied(wood, guard.menu(MENU, other), CircleText.NOBODY_KNOWN)
