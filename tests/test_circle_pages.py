"""A circle that outgrows its message, or is older than Discord lets a bot edit for long."""

import pytest

from bot import circle
from bot.circle_texts import CircleText
from bot.languages import Language
from bot.messages import parse
from bot.targets import OLD
from model.sampling import Sampling
from tests.bot_steps import retold
from tests.fake_discord import PRIVATE, Channel, Interaction, Message, Person, RefusedError
from tests.hosting import Stage
from tests.test_circle import ADD, END, add, at_rest, begun, denied, form, said, turns_of

LONG = (
    "The bee, who was a very small bee, sat on a bun and thought about the jam that was not there"
)


def file(wood: Stage, message: Message) -> str:
    """The text that hangs from a message."""
    (attachment,) = message.attachments
    return wood.server.files[attachment["url"].partition("/attachments/")[2]].decode()


async def several(
    wood: Stage, message: Message, people: list[Person], sentences: list[str]
) -> Message:
    for number, sentence in enumerate(sentences):
        message = await add(wood, people[number % len(people)], message, sentence)
    return message


def numbered(count: int) -> list[str]:
    return [f"{LONG}, and that was number {number}." for number in range(count)]


@pytest.mark.parametrize("place", ["server", "group"])
async def test_a_full_message_is_gone_on_from_in_the_next(wood: Stage, place: str) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    where = server.channel
    if place == "group":
        where = server.add_channel(None, kanga, roo, context=PRIVATE)
    first = await begun(wood, kanga, where, sentence="It began.")
    sentences = numbered(20 if place == "server" else 9)
    message = await several(wood, first, [roo, kanga], sentences[:8])
    await wood.restart()
    message = await several(wood, message, [roo, kanga], sentences[8:])
    shown = [m for m in first.channel.messages.values() if not m.ephemeral]
    assert message is shown[-1] and len(shown) >= 2
    assert all(not m.buttons and said(CircleText.GOES_ON) in m.content for m in shown[:-1])
    told_so_far = [turn for m in shown for turn in circle.parse(m.content)]
    assert [turn.sentence for turn in told_so_far] == ["It began.", *sentences]
    before = [turn for m in shown[:-1] for turn in circle.parse(m.content)]
    assert file(wood, message) == circle.text_of(before)
    assert not shown[0].attachments
    assert turns_of(message) == len(told_so_far)
    kanga.press(message, END)
    await server.until(lambda: not message.buttons, "the end")
    story = circle.text_of(told_so_far)
    if place == "server":  # it is long
        (whole,) = retold(message)
        assert file(wood, whole) == story and whole.content.startswith("It began.")
        assert said(CircleText.IN_THE_FILE) in whole.content
    else:
        parts = [parse(m.content).text for m in retold(message)]
        assert 2 <= len(parts) <= 3
        assert " ".join(parts).split() == story.split()
        assert f"1/{len(parts)}" in retold(message)[0].content
    assert file(wood, message) == circle.text_of(before)


async def test_what_pooh_reads_is_the_end_of_the_story_across_messages(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    read: list[str] = []
    submit = wood.writer.submit

    def noting(person: int, prompt: str, sampling: Sampling, candidates: int | None) -> object:
        read.append(prompt)
        return submit(person, prompt, sampling, candidates)

    wood.writer.submit = noting  # type: ignore[assignment, method-assign]
    message = await begun(wood, kanga, sentence="It began.")
    assert read == ["It began."]
    people, sentences = [roo, kanga], numbered(9)
    for number, sentence in enumerate(sentences):
        before = message
        message = await add(wood, people[number % 2], message, sentence)
        assert len(read[-1]) <= circle.CONTEXT and read[-1].endswith(sentence)
        if message is not before:  # it stands in the file by now
            assert all(earlier in read[-1] for earlier in sentences[number - 2 : number])
            break
    else:
        raise AssertionError("it all fits into one message")
    message = await add(wood, people[(number + 1) % 2], message, "And so on.")
    assert sentences[number - 1] in read[-1]


async def test_an_old_message_is_left_alone_and_the_next_begins(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    first = await begun(wood, kanga, sentence="It began.")
    wood.clock.advance(OLD + 1)
    message = await add(wood, roo, first, "It went on.")
    assert message is not first and not first.buttons and message.channel is first.channel
    assert [turn.sentence for turn in circle.parse(message.content)] == ["It went on."]
    assert file(wood, message) == circle.text_of(circle.parse(first.content))
    edits = len(message.edits)
    roo.press(message, "Undo")
    await wood.server.until(lambda: len(message.edits) > edits and at_rest(message))
    await denied(wood, kanga.press(message, "Undo"), CircleText.NOTHING_TO_UNDO)
    message = await add(wood, roo, message, "It went on, I say.")
    kanga.press(message, END)
    await wood.server.until(lambda: not message.buttons)
    (whole,) = retold(message)
    assert "It began." in whole.content and "It went on, I say." in whole.content


async def test_where_no_file_may_hang_the_end_tells_what_is_shown(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    wood.server.channel.bot_permissions &= ~(1 << 15)
    first = await begun(wood, kanga, sentence="It began.")
    wood.clock.advance(OLD + 1)
    message = await add(wood, roo, first, "It went on.")
    assert not message.attachments
    kanga.press(message, END)
    await wood.server.until(lambda: not message.buttons)
    (whole,) = retold(message)
    assert "It went on." in whole.content and "It began." not in whole.content


async def test_after_sixty_turns_it_ends_by_itself(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    message = await begun(wood, kanga, sentence="It began.")
    near = f":{circle.TURNS - 1}:"
    for row in message.components:
        for button in row["components"]:
            button["custom_id"] = button["custom_id"].replace(":1:", near)
    shown = await form(wood, roo, message)
    roo.submit(shown, sentence="And that was that.")
    await server.until(lambda: not message.buttons, "the end")
    assert said(CircleText.THE_END, number=60) in message.content
    (whole,) = retold(message)
    assert whole.content.startswith("It began.") and "And that was that." in whole.content
    with pytest.raises(RefusedError):
        kanga.press(message, ADD)
    await begun(wood, kanga, sentence="Another one.")


@pytest.mark.parametrize("locale", ["de", "fr", "es-ES"])
async def test_it_speaks_the_language_of_whoever_presses(wood: Stage, locale: str) -> None:
    language = next(spoken for spoken in Language if spoken.value == locale[:2])
    kanga = wood.server.person("Kanga", locale=locale)
    where = wood.server.dm(kanga)
    message = await begun(wood, kanga, where)
    assert language.say(CircleText.AT_TURN, number=0, most=60) in message.content
    label = next(iter(message.buttons))
    shown = await form(wood, kanga, message, label)
    assert shown.modal is not None and shown.modal["title"] == label


async def test_two_who_begin_at_once(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    wood.decoder.hold()
    uses = [person.command("circle", sentence="A bee sat.") for person in (kanga, roo)]
    await denied(wood, uses[1], CircleText.JUST_BEGINNING)
    wood.decoder.open()
    await server.until(lambda: _thread_of(wood, uses[0]), "the circle")


def _thread_of(wood: Stage, use: Interaction) -> Channel | None:
    return wood.server.channels.get(use.original.id) if use.original else None
