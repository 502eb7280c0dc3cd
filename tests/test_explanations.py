"""How a text was written, as people ask for it: the real bot, through the real discord.py."""

import asyncio
import threading
from typing import Any

import pytest

from bot import explanations, messages
from bot.drawings import Drawings
from bot.errors import Refusal
from bot.explanation_lines import Tab
from bot.explanation_reading import look
from bot.explanation_texts import HowText
from bot.explanations import CardState, Turn, card
from bot.languages import Language
from bot.messages import Page
from bot.names import Name
from bot.translations import Text
from model.decoder import Decoder
from model.explain import Explanation
from model.how import LONGEST_ALT, percent
from model.sampling import NotFiniteError
from model.vocab import Vocab
from model.words import WordFilter
from tests.bot_steps import continues, page, refusal, told
from tests.fake_discord import BOT_DM, PRIVATE, Channel, Interaction, Message
from tests.fake_discord.rules import COMPONENTS_V2, TEXT_DISPLAYS, walk
from tests.hosting import CHARACTERS, Stage, small_weights

QUESTION = Language.ENGLISH.say(HowText.QUESTION)
CARD_BUTTONS = ["Next place", "Letters", "Layers"]
TALE = "The bee sat on a bun. A mouse ran to the old mill. So they ate the jam. The moon came up. "


async def shown(wood: Stage, use: Interaction) -> Message:
    """The card that answers, checked for all that every card must be."""
    message = await use.answer()
    await wood.server.until(lambda: message.components and message.attachments, "a card")
    check_card(wood, message)
    return message


def check_card(wood: Stage, message: Message) -> None:
    assert message.flags & COMPONENTS_V2 and not message.content
    assert f"### {QUESTION}" in message.text and list(message.buttons) == CARD_BUTTONS
    assert len(message.text) <= TEXT_DISPLAYS
    (picture,) = message.attachments
    assert picture["filename"] == "how.png" and 0 < len(picture["description"]) <= LONGEST_ALT
    assert picture["description"].startswith(QUESTION)
    data = wood.server.files[picture["url"].partition("/attachments/")[2]]
    assert data.startswith(b"\x89PNG") and len(data) < 200_000
    galleries = [part for part in walk(message.components) if part["type"] == 12]
    assert [item["media"]["url"] for part in galleries for item in part["items"]] == [
        "attachment://how.png"
    ]


async def pressed(wood: Stage, message: Message, person: Any, label: str) -> Message:  # noqa: ANN401
    """The card in place after a press."""
    edits = len(message.edits)
    person.press(message, label)
    await wood.server.until(lambda: len(message.edits) > edits, f"an edit for {label}")
    check_card(wood, message)
    return message


def place(message: Message) -> str:
    return message.text.rpartition("\n-# ")[2]


async def test_the_owner_gets_a_card_for_all_and_others_one_for_themselves(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await told(wood, kanga.command("pooh", prompt="The bee", length=300))
    before = story.content
    ours = await shown(wood, kanga.press(story, "How?"))
    theirs = await shown(wood, roo.press(story, "How?"))
    assert not ours.ephemeral and theirs.ephemeral and story.content == before
    for message in (ours, theirs):
        text = [part["content"] for part in walk(message.components) if part["type"] == 10][-1]
        assert messages.parse(text).text == page(story).text
    assert ours.attachments[0]["description"] == theirs.attachments[0]["description"]


async def test_a_cards_buttons_work_after_a_restart_for_owner_and_others(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    message = await shown(wood, kanga.command("how", text=TALE * 3))
    assert not message.ephemeral
    parts = {place(message)}
    for _ in range(2):
        for _ in range(2):
            parts.add(place(await pressed(wood, message, kanga, "Next place")))
        words = message.text
        letters = (await pressed(wood, message, kanga, "Letters")).text
        layers = (await pressed(wood, message, kanga, "Layers")).text
        assert "letter by letter" in letters and "After block 1" in layers
        assert (await pressed(wood, message, kanga, "Layers")).text == words, "pressed once more"
        public = message.text
        own = await shown(wood, roo.press(message, "Letters"))
        assert own.ephemeral and "letter by letter" in own.text and message.text == public
        await pressed(wood, own, roo, "Next place")
        await wood.restart()
        wood.clock.advance(20 * 60)
    assert len(parts) >= 3
    wood.clock.advance(2 * 3600)
    late = await shown(wood, kanga.press(message, "Letters"))
    assert late is not message, "Discord allows few edits of messages older than an hour"


async def test_cards_come_in_private_and_where_only_a_user_has_installed_it(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    group = server.add_channel(None, kanga, roo, context=PRIVATE)
    elsewhere = server.add_channel(server.add_guild("Elsewhere", installed=False))
    where: Channel
    for where in (server.dm(kanga), group, elsewhere):
        story = await told(wood, kanga.command("pooh", prompt="The bee", where=where))
        message = await shown(wood, kanga.press(story, "How?"))
        await wood.restart()
        await pressed(wood, message, kanga, "Letters")
        own = await shown(wood, kanga.menu("How did Pooh write this?", message))
        assert own.ephemeral and page_text(own) == page(story).text
        if where.context != BOT_DM:
            assert (await shown(wood, roo.press(message, "Next place"))).ephemeral


def page_text(message: Message) -> str:
    texts = [part["content"] for part in walk(message.components) if part["type"] == 10]
    return messages.parse(texts[-1]).text


async def test_the_menu_reads_a_story_with_its_prompt_and_anybodys_words(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo", locale="de")
    story = await told(wood, kanga.command("pooh", prompt="The bee"))
    own = await shown(wood, kanga.menu("How did Pooh write this?", story))
    assert own.ephemeral and page_text(own) == page(story).text
    assert "**The bee**" in own.text
    further = await told(wood, kanga.menu("Continue as Pooh", own))
    assert continues(page(story).text, page(further).prompt), "a card stands for its text"
    said = kanga.say("**Oh dear**, said the `mouse`. -# It was not tea @yet")
    own = await shown(wood, kanga.menu("How did Pooh write this?", said))
    assert page_text(own) == "Oh dear, said the mouse. -# It was not tea @yet"
    theirs = await roo.menu("How did Pooh write this?", said).answer()
    await wood.server.until(lambda: theirs.components)
    assert Language.GERMAN.say(HowText.QUESTION) in theirs.text
    assert Language.GERMAN.say(Name.LETTERS) in theirs.buttons
    await wood.server.until(lambda: theirs.attachments)
    alt = theirs.attachments[0]["description"]
    assert alt.startswith(f"{Language.GERMAN.say(HowText.QUESTION)} Der Text: Oh dear")
    drawn = [
        wood.server.files[message.attachments[0]["url"].partition("/attachments/")[2]]
        for message in (own, theirs)
    ]
    assert drawn[0] != drawn[1], "the words on it are in the reader's language"
    for tongue, german in ((kanga, False), (roo, True)):  # what is kept is kept by language
        again = await tongue.menu("How did Pooh write this?", said).answer()
        await wood.server.until(lambda again=again: again.attachments)  # type: ignore[misc]
        name = again.attachments[0]["url"].partition("/attachments/")[2]
        assert wood.server.files[name] == drawn[german]


@pytest.mark.parametrize("text", ["...", "🐝", "!?"])
async def test_without_words_there_is_no_card(wood: Stage, text: str) -> None:
    kanga = wood.server.person()
    said = (await refusal(kanga.command("how", text=text))).content
    assert said == Language.ENGLISH.say(HowText.NOTHING_TO_EXPLAIN)
    await refusal(kanga.menu("How did Pooh write this?", kanga.say(text)))


async def test_what_is_refused_is_not_explained(wood: Stage) -> None:
    kanga = wood.server.person()
    use = kanga.command("how", text="The bee is a fucking bore")
    assert (await refusal(use)).content == Language.ENGLISH.say(Text.RATHER_NOT)


async def test_the_limiter_counts_cards_and_their_buttons(wood: Stage) -> None:
    wood.stories.limit(60.0, 2)
    kanga = wood.server.person()
    message = await shown(wood, kanga.command("how", text=TALE))
    await pressed(wood, message, kanga, "Letters")
    said = (await refusal(kanga.press(message, "Letters"))).content
    assert said == Language.ENGLISH.say(Text.TOO_SOON, seconds=60)


async def test_damaged_numbers_are_logged_and_told_kindly(
    wood: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object) -> None:
        raise NotFiniteError

    monkeypatch.setattr(Decoder, "streams", damaged)
    use = wood.server.person().command("how", text=TALE)
    assert "reference" in (await refusal(use)).content


def small() -> tuple[Decoder, Vocab]:
    vocab = Vocab(CHARACTERS)
    return Decoder(*small_weights(vocab)), vocab


def test_the_lines_tell_the_networks_own_numbers() -> None:
    decoder, vocab = small()
    held = Page("The bee", " sat on a bun. A mouse ran to the mill.")
    read = Explanation(decoder.twin(), vocab, held.story, held.prompt)
    told = look(decoder.twin(), vocab, WordFilter(), held, None, Language.ENGLISH)
    word = told.excerpt.open_word
    assert word is not None and len(told.letters) == len(word.text) + 1
    for offset, (written, chance, best) in enumerate(told.letters):
        chances = read.after(word.start + offset)
        assert chance == chances[vocab.encode(written)[0]] and best[0][1] == chances.max()
        assert [p for _, p in best] == sorted(chances, reverse=True)[: len(best)]
    layers = read.layers(word.start)
    assert [best[0][1] for best in told.layers] == [chances.max() for chances in layers]
    view = card(told, held, CardState(1, told.window, Tab.LETTERS), Language.ENGLISH)
    text = "\n".join(getattr(part, "content", "") for part in view.walk_children())
    assert f"**{word.text[0]}** {percent(told.letters[0][1])} | " in text.replace("\u00a0", " ")


def test_a_refused_word_is_not_among_the_guesses() -> None:
    decoder, vocab = small()
    held = Page("", TALE)
    free = look(decoder.twin(), vocab, WordFilter(), held, 0, Language.ENGLISH)
    guesses = {guess for c in free.excerpt.call_outs for guess, _ in c.guesses}
    taken = {c.word.text for c in free.excerpt.call_outs}
    refused = sorted(guess for guess in guesses - taken if len(guess) > 2)[:1]
    assert refused
    words = WordFilter(refused=refused)
    kept = look(decoder.twin(), vocab, words, held, 0, Language.ENGLISH)
    assert not any(words.refuses(g) for c in kept.excerpt.call_outs for g, _ in c.guesses)


def test_the_largest_card_fits() -> None:
    decoder, vocab = small()
    for text in ("A bee " + "*" * 3000, "bee_-" * 600, "x" * 5000):
        held = explanations._as_held(Page(story=text))
        told = look(decoder.twin(), vocab, WordFilter(), held, 0, Language.ENGLISH)
        for language in Language:
            for tab in Tab:
                state = CardState(2**64 - 1, told.window, tab)
                view = card(told, held, state, language)
                assert 100 < view.content_length() <= TEXT_DISPLAYS
                assert all(len(state.custom_id(turn)) <= 100 for turn in Turn)


def test_what_a_card_holds_is_what_was_read() -> None:
    for held in (
        Page("A bee", "_So_ it *was*. " * 200),
        Page("", "x" * 5000),
        Page("@a" * 250, ""),
    ):
        once = explanations._as_held(held)
        place = Language.GERMAN.say(HowText.PLACE, number=100, count=100)
        again = messages.parse(messages.build(once, place))
        assert again == once and again.text.strip()


async def test_one_is_drawn_at_a_time_few_wait_and_the_latest_are_kept() -> None:
    drawings = Drawings(waiting=3, kept=2)
    gate, made, at_once = threading.Event(), [], []

    def make(key: int) -> int:
        at_once.append(key)
        assert len(at_once) == 1
        gate.wait(10)
        at_once.pop()
        made.append(key)
        return key * 10

    tasks = [asyncio.create_task(drawings.get(k, lambda k=k: make(k))) for k in (1, 2, 1)]  # type: ignore[misc]
    await asyncio.sleep(0)
    with pytest.raises(Refusal):
        await drawings.get(3, lambda: make(3))
    gate.set()
    assert await asyncio.gather(*tasks) == [10, 20, 10]
    assert made == [1, 2], "who asks for the same waits for the same"
    assert await drawings.get(3, lambda: make(3)) == 30  # and what was used least is forgotten
    assert await drawings.get(1, lambda: make(1)) == 10 and made == [1, 2, 3]
    await drawings.get(2, lambda: make(2))
    drawings.forget()
    await drawings.get(2, lambda: make(2))
    assert made == [1, 2, 3, 2, 2]


async def test_all_are_drawn_in_one_thread() -> None:
    # Each thread keeps the memory that it has needed: with six of them that came to 620 MB.
    drawings, gate = Drawings(kept=1), threading.Event()
    busy, drawn_in = [], set()
    for number in range(4):
        busy.append(asyncio.create_task(asyncio.to_thread(gate.wait, 10)))  # takes a thread
        await asyncio.sleep(0)
        drawn_in.add(await drawings.get(number, threading.get_ident))
    gate.set()
    await asyncio.gather(*busy)
    assert len(drawn_in) == 1


async def test_what_fails_is_not_kept_and_holds_up_nobody() -> None:
    drawings = Drawings(waiting=1)

    def fail() -> int:
        raise NotFiniteError

    for _ in range(2):
        with pytest.raises(NotFiniteError):
            await drawings.get(1, fail)
    assert await drawings.get(1, lambda: 5) == 5


async def test_a_long_text_is_cut_between_words(wood: Stage) -> None:
    person = wood.server.person()
    text = "The bee sat on a bun. " * 67 + "They saw a very quick analysis of it."
    assert WordFilter().refuses(text[: explanations.LONGEST]) and not WordFilter().refuses(text)
    message = await shown(wood, person.menu("How did Pooh write this?", person.say(text)))
    assert f"{page_text(message)} analysis of it." == text


@pytest.mark.parametrize(
    "text", ["A nig\u65e5ger sat.", "f\u65e5u\u672cck", "sh\U0001f41d\U0001f41d\U0001f41dit"]
)
async def test_what_the_network_does_not_know_hides_no_word(wood: Stage, text: str) -> None:
    person = wood.server.person()
    assert not wood.bot.services.words.refuses(text)
    for use in (
        person.command("how", text=text),
        person.menu("How did Pooh write this?", person.say(text)),
    ):
        await wood.server.until(lambda: any(m.content for m in use.messages))  # noqa: B023
        (said,) = use.messages
        assert said.content == Language.ENGLISH.say(Text.RATHER_NOT) and said.ephemeral
