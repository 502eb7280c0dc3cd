"""Ids of buttons: of another version of the bot, or made up, they are answered all the same."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot.client
from bot.actions import Action
from bot.items import PersistentItem
from tests.bot_steps import told
from tests.fake_discord import Interaction, Message, Person
from tests.fork_steps import forked
from tests.hosting import Stage
from tests.test_circle import begun
from tests.test_explanations import shown
from tests.test_race import raced

NOBODY = "9" * 20
Kind = type[PersistentItem[Any]]


def kinds() -> list[Kind]:
    """All that discord.py makes anew from an id."""
    found: list[Kind] = PersistentItem.__subclasses__()
    return [kind for kind in found if kind.__module__.startswith(bot.client.__package__ or "bot")]


def test_every_kind_is_known_here() -> None:
    names = "StoryButton CardButton KeepButton ForkButton RaceButton CircleButton PrivacyButton"
    names += " ChoiceMenu ChannelMenu StorySwitch"
    assert {kind.__name__ for kind in kinds()} == set(names.split())


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
@given(data=st.data())
async def test_whatever_an_id_says_its_item_is_made(kind: Kind, data: st.DataObject) -> None:
    template = kind.__discord_ui_compiled_template__
    ids = st.from_regex(template, fullmatch=True).filter(lambda text: len(text) <= 100)
    match = template.fullmatch(data.draw(ids))
    assert match is not None
    nothing: Any = None  # neither the press nor the old item is looked at
    item = await kind.from_custom_id(nothing, nothing, match)
    assert template.fullmatch(again := item.item.custom_id) and len(again) <= 100


STORY = "123456789012345678:0.8:300:40"
YESTERDAY = [  # as version e1af5dc made them: whatever stands under a message is known for ever
    *(f"pooh:{action}:{STORY}:p0.9:7.2kl.abcdef" for action in Action),
    *(f"pooh:{what}:{STORY}:p0.9:continued" for what in ("continue", "vote-a", "count-a")),
    *(f"pooh:{what}:{STORY}:on" for what in ("again", "vote-b", "take-a", "take-b")),
    *(f"pooh:race:{what}:123456789012345678:7:pcm:abcdef:de:0.1.2" for what in ("A", "who")),
    *(f"pooh:how:{turn}:123456789012345678:0:words" for turn in ("next", "letters", "layers")),
    *(f"pooh:keep:{what}" for what in ("show:0", "show:1", "name:0", "name:1")),
    *(f"pooh:privacy:{turn}" for turn in ("refuse", "allow")),
    *(f"pooh:setup:{field}" for field in ("temperature", "length", "story_hour", "on", "off")),
    *(f"pooh:setup:{field}" for field in ("mentions", "story_channel")),
    *(
        f"pooh:circle:{action}:123456789012345678:{last}:{turn}:{flags}"
        for action in ("add", "undo", "end")
        for last, turn, flags in (
            ("0:0", 0, "aw"),
            ("0:0", 3, ""),
            ("123456789012345678:0", 1, "a"),
            ("123456789012345679:123456789012345678", 60, ""),
        )
    ),
]


@pytest.mark.parametrize("custom_id", YESTERDAY)
async def test_ids_of_yesterday_are_known(custom_id: str) -> None:
    nothing: Any = None
    matches = [
        (kind, match)
        for kind in kinds()
        if (match := kind.__discord_ui_compiled_template__.fullmatch(custom_id))
    ]
    ((kind, match),) = matches
    item = await kind.from_custom_id(nothing, nothing, match)
    assert item.item.custom_id.split(":")[:3] == custom_id.split(":")[:3]


async def answered(wood: Stage, use: Interaction) -> None:
    await wood.server.until(lambda: use.answered, "an answer")


async def press_all(
    wood: Stage, person: Person, message: Message, ids: Callable[[list[str]], str]
) -> None:
    """Press each button under a message, its id changed; each press is answered."""
    for place in range(len(message.buttons)):
        if place == len(message.buttons):
            return  # a press before has taken it away
        label, button = list(message.buttons.items())[place]
        button["custom_id"] = ids(button["custom_id"].split(":"))
        button["disabled"] = False
        await answered(wood, person.press(message, label))


@pytest.mark.parametrize(
    "end",
    [
        f"{NOBODY}:0:cc:000000:aa:0.0",
        "1:9999999999999999:ppp:ffffff:zz:999999.999999.999999",
        "0:1:mc:abcdef:de:1.1",
        "0:1:pmc:abcdef:fr:1.1.1",
    ],
)
async def test_a_race(wood: Stage, caplog: pytest.LogCaptureFixture, end: str) -> None:
    kanga = wood.server.person("Kanga")
    card = await raced(wood, kanga.command("race", prompt="The bee"))
    await press_all(wood, kanga, card, lambda parts: ":".join([*parts[:3], end]))
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("end", [f"{NOBODY}:9999:layers", "0:0:letters", "0:500:words"])
async def test_an_explanation(wood: Stage, caplog: pytest.LogCaptureFixture, end: str) -> None:
    kanga = wood.server.person("Kanga")
    card = await shown(wood, kanga.command("how", text="The bee sat on a bun."))
    await press_all(wood, kanga, card, lambda parts: ":".join([*parts[:3], end]))
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "end", [f"{NOBODY}:77:0:999", "0:1e9:123456:0:p7:on:continued", "0:0:1:0:zzzzzzzzzzz.9a.ffffff"]
)
async def test_a_fork(wood: Stage, caplog: pytest.LogCaptureFixture, end: str) -> None:
    kanga = wood.server.person("Kanga")
    story = await told(wood, kanga.command("pooh", prompt="The bee"))
    card = await forked(wood, kanga.press(story, "Fork"))
    await press_all(wood, kanga, card, lambda parts: ":".join([*parts[:2], end]))
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "end",
    [
        *(f"{'_' * 75}:999:aw", f"{'A' * 11}:0:", f"{'A' * 22}:60:a", f"{'z-' * 16}:999:"),
        *(f"{'_' * 76}:999:aw", f"{'A' * 13}:0:", f"{NOBODY}:{NOBODY}:0:3:a", "0:0:0:0:"),
    ],
)
async def test_a_circle(wood: Stage, caplog: pytest.LogCaptureFixture, end: str) -> None:
    kanga = wood.server.person("Kanga")
    message = await begun(wood, kanga, sentence="The bee sat on a bun.")
    await press_all(wood, kanga, message, lambda parts: ":".join([*parts[:3], end]))
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []
