"""The end of a circle that may not be told once more: it is over, and who ended it is told why."""

import pytest

from bot import circle
from bot.circle_texts import CircleText
from bot.languages import Language
from bot.translations import Text
from tests.bot_steps import retold
from tests.fake_discord import ApiError, Cut, Interaction, Message, Person, Request
from tests.fake_discord.models import MANAGE_THREADS
from tests.fork_steps import away
from tests.hosting import Stage
from tests.test_circle import BUTTONS, END, add, at_rest, begun, denied, form, over, said

BLOCKED = ApiError(400, 200000, "Message was blocked by automatic moderation")
FORBIDDEN = ApiError(403, 50013, "Missing Permissions")
WRONG = ApiError(400, 50035, "Invalid Form Body")
UNDER_WAY = "story circle · turn"  # in the small line


async def circle_of_two(wood: Stage, where: str = "home") -> tuple[Person, Message]:
    """Who began it, and its message."""
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    place = None if where == "home" else away(wood)
    message = await begun(wood, kanga, place, sentence="A zebra sat.")
    return kanga, await add(wood, roo, message, "It slept.")


def why(text: Text, language: Language = Language.ENGLISH) -> str:
    return language.say(CircleText.NOT_TOLD_AGAIN, why=language.say(text))


@pytest.mark.parametrize("where", ["home", "away"])
async def test_what_automod_blocks_by_now_ends_without_being_told_again(
    wood: Stage, where: str
) -> None:
    kanga, message = await circle_of_two(wood, where)
    turns, place = circle.parse(message.content), message.channel
    place.blocked = ("zebra",)  # in every message and edit that would show it
    await denied(wood, kanga.press(message, END), CircleText.NOT_TOLD_AGAIN, why=said(Text.BLOCKED))
    assert not message.buttons and retold(message) == []
    assert circle.parse(message.content) == turns
    tried = len(wood.server.refused())
    await wood.restart()
    await wood.pass_seconds(5.0)
    assert len(wood.server.refused()) == tried, "nobody tries it again"
    await begun(wood, kanga, place.parent or place, sentence="A bee sat.")


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("again", [BLOCKED, FORBIDDEN, WRONG, None])
async def test_whatever_discord_refuses_for_good_it_is_over(
    wood: Stage, again: ApiError | None, restart: bool
) -> None:
    kanga, message = await circle_of_two(wood)
    if restart:
        await wood.restart()
    if again is None:
        await wood.stop()
        wood.settings = type(wood.settings)(
            **{**vars(wood.settings), "words_refused": frozenset({"zebra"})}
        )
        await wood.start()
    else:
        wood.server.fail("POST", "/channels", again)
        if again is FORBIDDEN:  # then it is tried as a follow-up, which needs fewer permissions
            wood.server.fail("POST", "/webhooks", again)
    use = kanga.press(message, END)
    await over(wood, message)
    assert said(CircleText.THE_END, number=2) in message.content and retold(message) == []
    (word,) = await wood.server.until(lambda: [m for m in use.messages if m.content])
    told = {BLOCKED: Text.BLOCKED, FORBIDDEN: Text.MAY_NOT_WRITE, None: Text.RATHER_NOT}
    known = told.get(again)
    assert word.ephemeral
    assert word.content == why(known) if known else "reference" in word.content
    assert word.content.endswith(why(Text.BLOCKED).removeprefix(said(Text.BLOCKED)))
    assert not wood.bot.services.circles.find(message.channel.id)
    await begun(wood, kanga, sentence="A bee sat.")


async def test_at_its_last_turn_it_ends_as_well(wood: Stage) -> None:
    kanga, message = await circle_of_two(wood)
    for row in message.components:
        for button in row["components"]:
            button["custom_id"] = button["custom_id"].replace(":2:", f":{circle.TURNS - 1}:")
    shown = await form(wood, kanga, message)
    wood.server.fail("POST", "/channels", BLOCKED)
    use = kanga.submit(shown, sentence="And that was that.")
    told = await denied(wood, use, CircleText.NOT_TOLD_AGAIN, why=said(Text.BLOCKED))
    assert "And that was that." not in told, "it stands there"
    await over(wood, message)
    assert said(CircleText.THE_END, number=60) in message.content
    assert circle.parse(message.content)[-1].sentence == "And that was that."


@pytest.mark.parametrize("locale", ["de", "fr", "es-ES"])
async def test_it_says_so_in_their_language(wood: Stage, locale: str) -> None:
    language = next(spoken for spoken in Language if spoken.value == locale[:2])
    kanga = wood.server.person("Kanga", locale=locale)
    message = await begun(wood, kanga, sentence="A zebra sat.")
    message.channel.blocked = ("zebra",)
    use = kanga.press(message, list(message.buttons)[BUTTONS.index(END)])
    await over(wood, message)
    (word,) = await wood.server.until(lambda: [m for m in use.messages if m.content])
    assert word.content == why(Text.BLOCKED, language)


async def test_a_part_that_is_blocked_is_the_last(wood: Stage) -> None:
    kanga = wood.server.person("Kanga")
    message = await begun(wood, kanga, sentence="A bee sat.")
    long = ", and the bee sat on a bun and thought of honey that was not there" * 2
    for _ in range(6):
        message = await add(wood, kanga, message, f"It was so{long}.")
    wood.server.fail("POST", "/channels", BLOCKED, when=lambda r: "2/2" in str(r.body))
    await denied(wood, kanga.press(message, END), CircleText.NOT_TOLD_AGAIN, why=said(Text.BLOCKED))
    assert not message.buttons and len(retold(message)) == 1 and not wood.server.faults


async def test_where_nobody_answers_it_stays_open_and_can_be_ended_later(wood: Stage) -> None:
    kanga, message = await circle_of_two(wood)
    wood.server.fail("POST", "/channels", Cut.CLOSED, times=20)
    use = kanga.press(message, END)
    for _ in range(9):  # as many tries
        await wood.pass_seconds(0.2)
        wood.clock.advance(30.0)
    (word,) = await wood.until(lambda: [m for m in use.messages if m.content])
    assert "reference" in word.content and at_rest(message)
    wood.server.faults.clear()
    kanga.press(message, END)
    await over(wood, message)
    assert len(retold(message)) == 1


async def test_in_a_thread_that_is_locked_meanwhile_it_stays_open(wood: Stage) -> None:
    kanga, message = await circle_of_two(wood)
    thread = message.channel
    # The thread is locked just after the press was heard.
    wood.server.fail("POST", "/channels", ApiError(403, 160005, "Thread is locked"))
    wood.server.fail("POST", "/webhooks", ApiError(403, 160005, "Thread is locked"))
    await denied(wood, kanga.press(message, END), CircleText.SHUT)
    assert at_rest(message) and retold(message) == []
    wood.server.change_thread(thread, archived=True, locked=True)
    wood.server.change_thread(thread, archived=False, locked=False)
    kanga.press(message, END)
    await over(wood, message)


@pytest.mark.parametrize("gone", ["thread", "message"])
async def test_where_its_place_is_gone_meanwhile_it_is_over_quietly(
    wood: Stage, gone: str, caplog: pytest.LogCaptureFixture
) -> None:
    kanga, message = await circle_of_two(wood)

    def now(request: Request) -> bool:  # just before it is told once more
        if gone == "thread":
            wood.server.remove_channel(message.channel)
        else:
            wood.server.remove(message)
        return False

    wood.server.fail("POST", "/channels", BLOCKED, when=now)
    use: Interaction = kanga.press(message, END)
    await wood.server.until(
        lambda: message.deleted or message.channel.id not in wood.server.channels
    )
    await wood.until(lambda: not wood.bot.services.delivery.at_work)
    wood.server.faults.clear()
    assert [m for m in use.messages if m.ephemeral] == [] and "Traceback" not in caplog.text
    await begun(wood, kanga, sentence="A bee sat.")


async def test_a_circle_whose_answer_and_sentence_are_blocked_rests(wood: Stage) -> None:
    # The list of AutoMod grows while Pooh writes: the sentence stands there already.
    kanga, message = await circle_of_two(wood)
    shown = await form(wood, kanga, message)
    wood.decoder.hold()
    use = kanga.submit(shown, sentence="Then a lion came.")
    await wood.server.until(lambda: "Then a lion came." in message.content)
    message.channel.blocked = ("lion",)
    wood.decoder.open()
    await wood.server.until(lambda: at_rest(message))
    assert not [m for m in use.messages if m.ephemeral]
    kanga.press(message, "Undo")
    await wood.server.until(lambda: "lion" not in message.content)
    await add(wood, kanga, message, "Then a bee came.")


async def test_locked_threads_are_ended_by_who_may_open_them(wood: Stage) -> None:
    _, message = await circle_of_two(wood)
    owl = wood.server.person("Owl", moderator=True)
    owl.permissions |= MANAGE_THREADS
    message.channel.bot_permissions |= MANAGE_THREADS
    wood.server.change_thread(message.channel, archived=True, locked=True)
    owl.press(message, END)
    await over(wood, message)
    assert len(retold(message)) == 1 and UNDER_WAY not in message.content
