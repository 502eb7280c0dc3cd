"""What was taken on is answered before the bot goes, whatever it is."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from bot import explanations, keep, pictures
from bot.languages import Language
from bot.translations import Text
from tests.bot_steps import told
from tests.fake_discord import Cut, Message
from tests.hosting import Stage


def gated(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str
) -> tuple[threading.Event, threading.Event]:
    """Makes a function wait: one event says that it was called, the other lets it go on."""
    called, gate = threading.Event(), threading.Event()
    whole: Callable[..., Any] = getattr(module, name)

    def waits(*args: object, **kwargs: object) -> object:
        called.set()
        assert gate.wait(30)
        return whole(*args, **kwargs)

    monkeypatch.setattr(module, name, waits)
    return called, gate


@pytest.mark.parametrize("going", ["leave", "hand_over"])
@pytest.mark.parametrize("way", ["how", "keep", "about"])
async def test_a_press_that_was_taken_gets_its_answer(
    wood: Stage, monkeypatch: pytest.MonkeyPatch, way: str, going: str
) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="The bee"))
    module, name = {
        "how": (explanations, "look"),
        "keep": (keep, "plate"),
        "about": (pictures, "loss_plot"),
    }[way]
    called, gate = gated(monkeypatch, module, name)
    use = (
        kanga.command("about")
        if way == "about"
        else kanga.press(story, "How?" if way == "how" else "Keep")
    )
    await wood.server.until(called.is_set)
    leaving = asyncio.create_task(
        wood.bot.hand_over() if going == "hand_over" else wood.bot.leave(grace=60.0)
    )
    if going == "leave":
        await wood.server.until(lambda: wood.writer.is_closing)
    await asyncio.sleep(0.1)
    assert not leaving.done()
    gate.set()
    await leaving
    answer: Message | None = use.original
    assert answer is not None and not answer.loading and (answer.components or answer.content)


async def test_a_word_to_one_person_arrives_though_its_answer_was_lost(wood: Stage) -> None:
    wood.server.fail("POST", "/interactions", Cut.CLOSED)
    use = wood.server.person().command("help")
    await wood.server.until(lambda: not wood.server.faults)
    leaving = asyncio.create_task(wood.bot.leave(grace=60.0))
    await wood.until(leaving.done)
    assert use.answered is not None


async def test_who_is_never_answered_holds_the_bot_no_longer_than_its_grace(
    wood: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = await told(wood, wood.server.person().command("pooh", prompt="The bee"))
    called, gate = gated(monkeypatch, keep, "plate")
    wood.server.person().press(story, "Keep")
    await wood.server.until(called.is_set)
    leaving = asyncio.create_task(wood.bot.leave(grace=0.2))
    await wood.until(leaving.done)
    assert not wood.bot.services.delivery.at_work
    gate.set()


@pytest.mark.parametrize("way", ["command", "menu", "mention"])
async def test_who_is_heard_is_answered_though_what_the_server_decided_comes_slowly(
    wood: Stage, way: str
) -> None:
    kanga, store = wood.server.person(), wood.bot.services.store
    said = wood.server.person().say("The bee")
    assert store._db is not None
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT count(*) FROM n"
    reading = asyncio.create_task(store._read(endless))
    if way == "mention":
        asked = kanga.say("@pooh The bee")
    else:
        use = kanga.menu("Continue as Pooh", said) if way == "menu" else kanga.command("pooh")
    await wood.server.until(lambda: wood.bot.services.delivery.at_work, "a handler", patience=10)
    leaving = asyncio.create_task(wood.bot.leave(grace=60.0))
    await wood.server.until(lambda: wood.writer.is_closing)
    await store._db.interrupt()
    assert await reading == []
    await leaving
    sleepy = Language.ENGLISH.say(Text.GOING_TO_SLEEP)
    if way == "mention":
        assert f"note {asked.id}" in asked.channel.nonces
    else:
        assert (await use.answer()).content == sleepy
