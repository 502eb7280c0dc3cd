"""A story circle, as people tell it: the real bot, through the real discord.py."""

import re

import pytest

from bot import circle
from bot.circle_texts import CircleText
from bot.invite import PERMISSIONS
from bot.languages import Language
from bot.said import Said
from bot.translations import Text
from tests.bot_steps import refusal, retold
from tests.fake_discord import (
    PRIVATE,
    Channel,
    Interaction,
    Message,
    Person,
    markdown,
)
from tests.fake_discord.models import CREATE_THREADS, MANAGE_THREADS, SEND_IN_THREADS
from tests.hosting import Stage

BUTTONS = ["Add a sentence", "Undo", "The end"]
ADD, UNDO, END = BUTTONS


def said(text: Said, **values: object) -> str:
    return Language.ENGLISH.say(text, **values)


def at_rest(message: Message | None) -> Message | None:
    """The message, when it has buttons and Pooh is not about to answer."""
    if message is None or len(message.buttons) != len(BUTTONS):
        return None
    ids = [button["custom_id"] for button in message.buttons.values()]
    return None if any(custom_id.endswith("w") for custom_id in ids) else message


def newest(channel: Channel) -> Message | None:
    mine = [m for m in channel.messages.values() if m.mine and m.buttons and not m.ephemeral]
    return mine[-1] if mine else None


async def begun(
    wood: Stage, person: Person, where: Channel | None = None, sentence: str = ""
) -> Message:
    """A circle that this person has begun: the message with its buttons."""
    options = {"sentence": sentence} if sentence else {}
    use = person.command("circle", where=where, force=False, **options)
    return await wood.server.until(lambda: shown_by(wood, use), f"a circle for {use}")


def shown_by(wood: Stage, use: Interaction) -> Message | None:
    if use.original is None:
        return None
    thread = wood.server.channels.get(use.original.id)
    return at_rest(newest(thread) if thread else use.original)


async def form(wood: Stage, person: Person, message: Message, label: str = ADD) -> Interaction:
    """The form that a press of "Add a sentence" brings."""
    press = person.press(message, label)
    await wood.server.until(lambda: press.modal, "a form")
    return press


async def add(wood: Stage, person: Person, message: Message, sentence: str) -> Message:
    """Adds a sentence, and waits for Pooh; the message in which it stands."""
    turn = turns_of(message)
    use = person.submit(await form(wood, person, message), sentence=sentence)

    def done() -> Message | None:
        found = at_rest(message) or at_rest(newest(message.channel))
        return found if found and (found is not message or turns_of(found) > turn) else None

    found = await wood.server.until(done, "Pooh's answer")
    assert not any(m.ephemeral for m in use.messages)
    return found


def turns_of(message: Message) -> int:
    found = re.search(r"turn (\d+) of 60", message.content)
    assert found, message.content
    return int(found[1])


async def denied(wood: Stage, use: Interaction, text: Said, **values: object) -> str:
    """The word that only this person reads; it must be this one."""

    def word() -> Message | None:
        return next((m for m in use.messages if m.ephemeral and m.content), None)

    message = await wood.server.until(word, f"a refusal for {use}")
    assert message.content.startswith(said(text, **values)), message.content
    return message.content


def check(message: Message) -> None:
    """It says only what it should: bold sentences, a small line, nothing that is alive."""
    active, _ = markdown.read(message.content)
    assert active <= {"bold", "subtext"}, message.content
    assert len(message.content) <= 2000 and message.pinged == []


async def test_people_and_pooh_tell_a_story_by_turns_in_a_thread(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    message = await begun(wood, kanga, sentence="The bee sat on a bun.")
    thread = message.channel
    assert thread.parent is wood.server.channel and thread.name == "The bee sat on a bun."
    (announcement,) = wood.server.channel.messages.values()
    assert announcement.thread is thread
    assert announcement.content == said(CircleText.BEGUN) and not announcement.buttons
    assert list(message.buttons) == BUTTONS
    (first,) = circle.parse(message.content)
    assert first.sentence == "The bee sat on a bun." and first.answer.strip().endswith((".", '"'))
    message = await add(wood, roo, message, "Then a wind came by.")
    message = await add(wood, kanga, message, "It took the bun")
    turns = circle.parse(message.content)
    assert [t.sentence for t in turns] == [
        *("The bee sat on a bun.", "Then a wind came by.", "It took the bun"),
    ]
    assert turns[0] == first and all(t.answer.strip() for t in turns)
    check(message)
    kanga.press(message, END)
    await wood.server.until(lambda: not message.buttons, "the end")
    (whole,) = retold(message)
    assert circle.text_of(turns).split() == seen_text(whole).split()
    assert not whole.buttons and "**" not in whole.content
    assert said(CircleText.THE_END, number=3) in message.content


def seen_text(message: Message) -> str:
    return markdown.read(message.content.rpartition("\n-# ")[0])[1]


async def test_the_permissions_of_the_invitation_are_enough(wood: Stage) -> None:
    wood.server.channel.bot_permissions = PERMISSIONS.value
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    message = await begun(wood, kanga, sentence="The bee sat on a bun.")
    assert message.channel.parent is wood.server.channel
    await add(wood, roo, message, "Then a wind came by.")


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("a" * 45 + " and the analysis of it", "a" * 45 + " and the..."),
        (
            "A house as neat as any house can be, and all of it spick and span, too",
            "A house as neat as any house can be, and all of it...",
        ),
    ],
)
async def test_a_name_is_cut_where_nothing_is_made_of_it(
    wood: Stage, sentence: str, name: str
) -> None:
    message = await begun(wood, wood.server.person(), sentence=sentence)
    assert message.channel.name == name


async def test_pooh_begins_where_nobody_gives_a_sentence(wood: Stage) -> None:
    kanga = wood.server.person("Kanga")
    message = await begun(wood, kanga)
    assert message.channel.name == "Story circle"
    (opening,) = circle.parse(message.content)
    assert not opening.sentence and opening.answer and turns_of(message) == 0
    await denied(wood, kanga.press(message, UNDO), CircleText.MAY_NOT_UNDO)
    message = await add(wood, kanga, message, "And so it was.")
    assert circle.parse(message.content)[0] == opening and turns_of(message) == 1


async def test_nobody_writes_twice_running_unless_alone(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    message = await begun(wood, kanga, sentence="A bee sat.")
    message = await add(wood, kanga, message, "It was alone.")  # only Kanga has written so far
    message = await add(wood, roo, message, "Then Roo came.")
    again = {"minutes": 5}
    await denied(wood, roo.press(message, ADD), CircleText.NOT_TWICE, **again)
    await wood.restart()
    await denied(wood, roo.press(message, ADD), CircleText.NOT_TWICE, **again)
    wood.clock.advance(circle.ALONE + 1)
    message = await add(wood, roo, message, "Nobody came.")
    await denied(wood, roo.press(message, ADD), CircleText.NOT_TWICE, **again)
    message = await add(wood, kanga, message, "Then I did.")
    assert turns_of(message) == 5


@pytest.mark.parametrize("restart", [False, True])
async def test_the_last_writer_or_a_moderator_takes_back(wood: Stage, restart: bool) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    owl = server.person("Owl", moderator=True)
    message = await begun(wood, kanga, sentence="A bee sat.")
    message = await add(wood, roo, message, "Then Roo came.")
    if restart:
        await wood.restart()
    await denied(wood, kanga.press(message, UNDO), CircleText.MAY_NOT_UNDO)
    await taken_back(wood, roo, message, 1)
    assert [t.sentence for t in circle.parse(message.content)] == ["A bee sat."]
    await denied(wood, roo.press(message, UNDO), CircleText.MAY_NOT_UNDO)
    message = await add(wood, roo, message, "Then Roo came again.")  # it is Roo's turn again
    await taken_back(wood, owl, message, 1)
    if restart:
        await wood.restart()
    await taken_back(wood, kanga, message, 0)
    assert circle.parse(message.content) == ()
    await denied(wood, owl.press(message, UNDO), CircleText.NOTHING_TO_UNDO)
    message = await add(wood, owl, message, "Once more.")
    assert turns_of(message) == 1


async def over(wood: Stage, message: Message) -> None:
    await wood.server.until(lambda: not message.buttons, "the end")


async def taken_back(wood: Stage, person: Person, message: Message, turn: int) -> None:
    person.press(message, UNDO)
    await wood.server.until(lambda: turns_of(message) == turn and at_rest(message), "it to be gone")


@pytest.mark.parametrize("restart", [False, True])
async def test_the_starter_and_moderators_end_it(wood: Stage, restart: bool) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    owl = server.person("Owl", moderator=True)
    roo.permissions |= MANAGE_THREADS  # to moderate is to manage messages, everywhere
    for person in (kanga, owl):
        message = await begun(wood, kanga, sentence="A bee sat.")
        message = await add(wood, roo, message, "Then Roo came.")
        if restart:
            await wood.restart()
        await denied(wood, roo.press(message, END), CircleText.MAY_NOT_END)
        person.press(message, END)
        await over(wood, message)
        assert len(retold(message)) == 1


async def test_of_two_who_submit_at_once_one_is_given_the_sentence_back(wood: Stage) -> None:
    server = wood.server
    kanga, roo, owl = (server.person(name) for name in ("Kanga", "Roo", "Owl"))
    message = await begun(wood, kanga, sentence="A bee sat.")
    forms = [await form(wood, person, message) for person in (roo, owl)]
    wood.decoder.hold()
    roo.submit(forms[0], sentence="First!")
    late = owl.submit(forms[1], sentence="Second `one` <@1>")
    told = await denied(wood, late, CircleText.QUICKER)
    assert told.endswith("\n```\nSecond 'one' <@1>\n```")
    await server.until(lambda: "First!" in message.content)
    await denied(wood, owl.press(message, ADD), Text.STILL_WRITING)
    await denied(wood, roo.press(message, UNDO), Text.STILL_WRITING)
    await denied(wood, kanga.press(message, END), Text.STILL_WRITING)
    wood.decoder.open()
    await server.until(lambda: at_rest(message))
    later = owl.submit(forms[1], sentence="Third?")  # the same form, sent once more
    assert "Third?" in await denied(wood, later, CircleText.QUICKER)
    assert [t.sentence for t in circle.parse(message.content)] == ["A bee sat.", "First!"]
    await add(wood, owl, message, "Third!")


async def test_a_form_comes_back_after_a_restart(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    message = await begun(wood, kanga, sentence="A bee sat.")
    shown = await form(wood, roo, message)
    await wood.restart()
    roo.submit(shown, sentence="Still here.")
    await wood.server.until(lambda: turns_of(message) == 2 and at_rest(message))
    assert circle.parse(message.content)[-1].sentence == "Still here."


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("place", ["thread", "private", "group", "elsewhere", "no threads"])
async def test_the_same_in_one_message_where_there_is_no_thread(
    wood: Stage, place: str, restart: bool
) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    where = server.channel
    match place:
        case "thread":
            where = server.add_thread(server.channel, "A thread", str(kanga.id))
            await server.until(lambda: wood.bot.get_channel(where.id))
        case "private":
            where, roo = server.dm(kanga), kanga
        case "group":
            where = server.add_channel(None, kanga, roo, context=PRIVATE)
        case "elsewhere":
            where = server.add_channel(server.add_guild("Elsewhere", installed=False))
        case "no threads":
            kanga.permissions &= ~CREATE_THREADS
    message = await begun(wood, kanga, where, sentence="The bee sat on a bun.")
    assert message.channel is where and len(where.messages) == 1
    if restart:
        await wood.restart()
    message = await add(wood, roo, message, "Then a wind came by.")
    wood.clock.advance(20 * 60)  # the token of the command is dead by now
    if restart:
        await wood.restart()
    message = await add(wood, kanga, message, "It was cold.")
    assert len(circle.parse(message.content)) == 3 and len(where.messages) == 1
    await taken_back(wood, kanga, message, 2)
    if restart:
        await wood.restart()
    kanga.press(message, END)
    await server.until(lambda: not message.buttons, "the end")
    assert len(retold(message)) == 1


@pytest.mark.parametrize("mine", [CREATE_THREADS, SEND_IN_THREADS])
async def test_where_the_bot_may_begin_no_thread_it_is_one_message(wood: Stage, mine: int) -> None:
    wood.server.channel.bot_permissions &= ~mine
    message = await begun(wood, wood.server.person(), sentence="A bee sat.")
    assert message.channel is wood.server.channel and not message.thread


async def test_where_discord_has_no_more_threads_it_is_one_message(wood: Stage) -> None:
    wood.server.guild.active_threads = 0
    message = await begun(wood, wood.server.person(), sentence="A bee sat.")
    assert message.channel is wood.server.channel and not message.thread
    await add(wood, wood.server.person("Roo"), message, "It is here.")


async def test_a_second_circle_points_to_the_first(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    message = await begun(wood, kanga, sentence="A bee sat.")
    link = f"https://discord.com/channels/{server.guild.id}/{message.channel.id}/{message.id}"
    for where in (server.channel, message.channel):
        for _ in range(2):
            second = roo.command("circle", where=where)
            await denied(wood, second, CircleText.HERE_ALREADY, link=link)
            await wood.restart()  # then it is looked for
    other = server.add_channel(server.guild)
    await begun(wood, roo, other)
    kanga.press(message, END)
    await server.until(lambda: not message.buttons)
    await begun(wood, roo, sentence="Another one.")


async def test_one_message_is_found_too_and_not_when_it_is_gone_or_has_been_at_rest(
    wood: Stage,
) -> None:
    server = wood.server
    kanga = server.person("Kanga")
    where = server.dm(kanga)
    message = await begun(wood, kanga, where)
    link = f"https://discord.com/channels/@me/{where.id}/{message.id}"
    await wood.restart()
    await denied(wood, kanga.command("circle", where=where), CircleText.HERE_ALREADY, link=link)
    await wood.restart()
    wood.clock.advance(circle.REST + 1)
    second = await begun(wood, kanga, where)
    await add(wood, kanga, message, "Its buttons still work.")
    server.remove(second)
    newer = newest(where)
    assert newer
    server.remove(newer)
    await wood.pass_seconds(0.2)
    third = await begun(wood, kanga, where)
    assert third.channel is where


async def test_words_are_filtered_and_ids_are_made_plain(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    assert (await refusal(kanga.command("circle", sentence="You fuckwit"))).content == said(
        Text.RATHER_NOT
    )
    await denied(wood, kanga.command("circle", sentence="\u4e2d"), Text.NO_LETTERS)
    message = await begun(wood, kanga, sentence=f"<@{kanga.id}> met <@{roo.id}> in **May**.")
    assert circle.parse(message.content)[0].sentence == "Kanga met Roo in May."
    use = roo.submit(await form(wood, roo, message), sentence="What a fuckwit!")
    assert await denied(wood, use, Text.RATHER_NOT) == said(Text.RATHER_NOT)  # not repeated
    typed = f"@everyone <#{server.channel.id}> <:bee:12> https://discord.gg/bee _so_"
    message = await add(wood, roo, message, typed)
    check(message)
    (*_, last) = circle.parse(message.content)  # this network knows no @ and no #
    assert last.sentence == "everyone wood :bee: https:discord.ggbee _so_"
    empty = kanga.submit(await form(wood, kanga, message), sentence="   ")
    await denied(wood, empty, Text.NO_LETTERS)


async def test_a_sentence_that_grows_when_it_is_read_is_given_back_too(wood: Stage) -> None:
    kanga = wood.server.person()
    message = await begun(wood, kanga, sentence="A bee sat.")
    use = kanga.submit(await form(wood, kanga, message), sentence="\ufdfa" * circle.SENTENCE)
    await denied(wood, use, Text.NO_LETTERS)


async def test_a_turn_is_one_ask_of_the_limiter(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    message = await begun(wood, kanga, sentence="A bee sat.")
    wood.stories.limit(60.0, 1)
    message = await add(wood, roo, message, "It slept.")
    message = await add(wood, kanga, message, "It woke.")
    use = roo.submit(await form(wood, roo, message), sentence="It slept again.")
    assert "It slept again." in await denied(wood, use, Text.TOO_SOON, seconds=60)
    await denied(wood, roo.command("circle", where=wood.server.dm(roo)), Text.TOO_SOON, seconds=60)


async def test_it_has_the_temperature_of_the_server(wood: Stage) -> None:
    kanga = wood.server.person("Kanga")
    await wood.bot.services.store.change(wood.server.guild.id, temperature=0.0)
    first = await begun(wood, kanga, sentence="A bee sat.")
    kanga.press(first, END)
    await over(wood, first)
    second = await begun(wood, kanga, sentence="A bee sat.")
    assert circle.parse(first.content) == circle.parse(second.content)
