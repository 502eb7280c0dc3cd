"""Who wrote in a circle: readable in the ids of its buttons by the host alone."""

import base64
import re
import struct
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import circle
from bot.circle import CircleState
from bot.circle_seal import Seal, sealed_length
from bot.circle_texts import CircleText
from bot.translations import Text
from tests.bot_steps import retold
from tests.fake_discord import Message
from tests.hosting import Stage
from tests.test_circle import ADD, END, UNDO, add, begun, denied, form, turns_of

PEOPLE = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=circle.KNOWN + 1)
HIM, HER = 123456789012345678, 1234567890123456789


@given(PEOPLE, st.binary(min_size=32, max_size=32))
def test_what_is_sealed_is_read_under_the_same_key_alone(people: list[int], key: bytes) -> None:
    sealed = Seal(key).close(people)
    assert Seal(key).open(sealed) == tuple(people)
    assert len(sealed) == sealed_length(len(people))
    assert Seal(key + b"x").open(sealed) == ()


def test_the_same_people_look_different_each_time() -> None:
    seal = Seal(b"key")
    assert len({seal.close((HIM, HER)) for _ in range(100)}) == 100


@given(st.from_regex(r"[A-Za-z0-9_-]{1,76}", fullmatch=True))
def test_whatever_an_id_says_it_is_read(text: str) -> None:
    assert all(0 <= person < 2**64 for person in Seal(b"key").open(text))


def plain(*people: int) -> str:
    """As the ids held people on one day."""
    data = struct.pack(f">{len(people)}Q", *people)
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.mark.parametrize(
    ("old", "starter", "writers"),
    [
        (f"{HIM}:0:0", HIM, ()),
        (f"{HIM}:{HER}:0", HIM, (HER,)),
        (f"{HIM}:{HER}:{HIM}", HIM, (HER, HIM)),
        (plain(HER), HER, ()),
        (plain(HIM, HER, HIM), HIM, (HER, HIM)),
        (plain(HIM, *[HER, HIM] * 3), HIM, (HER, HIM, HER, HIM, HER)),
    ],
)
def test_ids_of_before_are_read_and_written_sealed(
    old: str, starter: int, writers: tuple[int, ...]
) -> None:
    seal = Seal(b"key")
    match = re.fullmatch(circle.TEMPLATE, f"pooh:circle:undo:{old}:7:a")
    assert match is not None
    state = CircleState.of(match, seal)
    assert state == CircleState(starter, writers, 7)
    assert not set(hidden(state.custom_id("add", seal))) & {HIM, HER}


def hidden(text: str) -> Iterator[int]:
    """All numbers that somebody may find in an id: in digits, or in base 64 at any place."""
    yield from map(int, re.findall("[0-9]+", text))
    for part in text.split(":"):
        for begin in range(4):
            letters = part[begin:] if (len(part) - begin) % 4 != 1 else part[begin:-1]
            data = base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
            for at in range(len(data) - 7):
                yield from struct.unpack_from(">Q", data, at)
                yield from struct.unpack_from("<Q", data, at)


def test_what_looks_for_ids_finds_plain_ones() -> None:
    assert {HIM, HER} <= set(hidden(f"pooh:circle:undo:{plain(HIM, HER)}:7:a"))
    assert HIM in hidden(f"pooh:circle:form:3:{HIM}")


def ids_of(message: Message) -> list[str]:
    return [button["custom_id"] for button in message.buttons.values()]


async def test_nothing_that_clients_are_sent_tells_who_wrote(wood: Stage) -> None:
    kanga, roo, owl = (wood.server.person(name) for name in ("Kanga", "Roo", "Owl"))
    message = await begun(wood, kanga, sentence="A bee sat.")
    message = await add(wood, roo, message, "It slept.")
    shown = await form(wood, owl, message)
    assert shown.modal is not None
    for sent in (*ids_of(message), shown.modal["custom_id"]):
        assert not set(hidden(sent)) & {person.id for person in (kanga, roo, owl)}, sent
        assert len(sent) <= 100


async def test_a_circle_of_an_earlier_version_goes_on(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    message = await begun(wood, kanga, sentence="A bee sat.")
    message = await add(wood, roo, message, "It slept.")
    make_old(message, f"{kanga.id}:{roo.id}:{kanga.id}:2:")
    await denied(wood, roo.press(message, ADD), CircleText.NOT_TWICE, minutes=5)
    await denied(wood, roo.press(message, END), CircleText.MAY_NOT_END)
    await denied(wood, kanga.press(message, UNDO), CircleText.MAY_NOT_UNDO)
    shown = await form(wood, kanga, message)
    assert shown.modal is not None
    shown.modal["custom_id"] = f"pooh:circle:form:2:{roo.id}"  # it was open at the upgrade
    kanga.submit(shown, sentence="It woke.")
    await wood.server.until(lambda: turns_of(message) == 3 and closed(message), "the sentence")


def closed(message: Message) -> bool:
    ids = ids_of(message)
    return bool(ids) and all(each.startswith("pooh:circle:") and each[-1] != "w" for each in ids)


def make_old(message: Message, end: str) -> None:
    """Its buttons become those of an earlier version."""
    for row in message.components:
        for button in row["components"]:
            action = button["custom_id"].split(":")[2]
            button["custom_id"] = f"pooh:circle:{action}:{end}"


@pytest.mark.parametrize("lost", ["the file", "its place"])
async def test_with_another_key_nobody_knows_who_wrote_and_it_goes_on(
    wood: Stage, lost: str
) -> None:
    server = wood.server
    kanga, roo, owl = (server.person(name) for name in ("Kanga", "Roo", "Owl"))
    guard = server.person("Guard", moderator=True)
    message = await begun(wood, kanga, sentence="A bee sat.")
    message = await add(wood, roo, message, "It slept.")
    await wood.stop()
    database = wood.settings.database
    database.write_bytes(b"damaged" * 999) if lost == "its place" else database.unlink()
    await wood.start()
    assert wood.bot.services.store.is_open == (lost == "the file")
    await denied(wood, guard.menu("Who wrote this?", message), CircleText.NOBODY_KNOWN)
    await denied(wood, roo.press(message, UNDO), CircleText.MAY_NOT_UNDO)
    await denied(wood, kanga.press(message, END), CircleText.MAY_NOT_END)
    message = await add(wood, owl, message, "It woke.")
    await denied(wood, owl.press(message, ADD), CircleText.NOT_TWICE, minutes=5)
    message = await add(wood, roo, message, "It flew.")
    owl.press(message, END)  # who went on first has it now
    await server.until(lambda: not message.buttons and retold(message), "the end")


async def test_a_form_is_refused_where_the_host_no_longer_allows_the_server(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    message = await begun(wood, kanga, sentence="A bee sat.")
    shown = await form(wood, roo, message)
    wood.settings = replace(wood.settings, guilds=frozenset({1}))
    await wood.restart()
    await denied(wood, roo.submit(shown, sentence="It slept."), Text.NOT_AT_HOME)
