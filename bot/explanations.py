"""The card that shows how a text was written: "Where was Pooh sure, where did he guess?".

A card needs no memory. It holds the text it is about, in the form of a story, and its buttons' ids
say who asked for it and what it shows; so they work after a restart, and where the bot cannot read
the channel.
"""

import enum
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import discord
import numpy as np
from discord.utils import MISSING

from bot import cards, messages, seen
from bot.consent import check_consent
from bot.errors import Refusal
from bot.explanation_texts import wording
from bot.items import PersistentItem
from bot.messages import Page
from bot.services import Services, response_to, services_of
from bot.targets import OLD, Response
from bot.translations import Language, Text
from model.decoder import Decoder
from model.explain import ExplainError, Explanation, Numbers
from model.how import TEMPERATURES, Excerpt, alt_text, excerpt, liveliest, percent
from model.picture import draw
from model.sentences import first_words
from model.vocab import Vocab, VocabError
from model.windows import windows
from model.words import WordFilter

BEST = 8  # characters that are told at each letter ...
FEW = 4  # ... and after each block
SHORT = 30  # letters of a word that are shown
LETTERS = 12  # of a word that are told one by one
LONGEST = 1500  # characters of a text that is no story: what a card has room for
_SPACES = {" ": "\u2423", "\n": "\u21b5"}


class Tab(enum.StrEnum):
    """What the lines under the picture tell; the value stands in the buttons' ids."""

    WORDS = "words"
    LETTERS = "letters"
    LAYERS = "layers"


class Turn(enum.StrEnum):
    """What a button of the card does; the value stands in its id."""

    NEXT_PLACE = "next"
    LETTERS = "letters"
    LAYERS = "layers"


@dataclass(frozen=True)
class CardState:
    """What the buttons of a card remember.

    Attributes:
        owner: who asked for it.
        window: the number of the lines that are shown; None for the liveliest.
        tab: what is told of them.
    """

    owner: int
    window: int | None = None
    tab: Tab = Tab.WORDS

    def custom_id(self, turn: Turn) -> str:
        """An id of at most 100 characters, of a card whose window has a number."""
        return f"pooh:how:{turn.value}:{self.owner}:{self.window}:{self.tab.value}"

    def after(self, turn: Turn) -> "CardState":
        """What is shown when that button is pressed; a second press goes back to the words."""
        if turn is Turn.NEXT_PLACE:
            return replace(self, window=(self.window or 0) + 1)
        tab = Tab(turn.value)
        return replace(self, tab=Tab.WORDS if self.tab is tab else tab)


@dataclass(frozen=True)
class Shown:
    """All that a card can show of some lines of a text.

    Attributes:
        window: their number ...
        count: ... among so many.
        excerpt: the lines.
        picture: of them, a PNG file.
        letters: of the most open word, each character and then its end: the character ("" for the
            end), how likely it was, and the likeliest ones there.
        layers: before the first block and after each, the likeliest characters where that word
            begins.
    """

    window: int
    count: int
    excerpt: Excerpt
    picture: bytes
    letters: tuple[tuple[str, float, tuple[tuple[str, float], ...]], ...]
    layers: tuple[tuple[tuple[str, float], ...], ...]


def look(
    decoder: Decoder,
    vocab: Vocab,
    words: WordFilter,
    page: Page,
    window: int | None,
    language: Language,
) -> Shown:
    """Read a text once more, and draw some lines of it. Takes about a second.

    Args:
        decoder: used by nobody else meanwhile.
        vocab: its characters.
        words: what he might have said, but is not to be shown.
        page: the text.
        window: the number of the lines, counted round; None for the liveliest.
        language: of the words on the picture.

    Raises:
        Refusal: there is nothing to explain.
        NotFiniteError: the network's numbers are damaged.
    """
    try:
        prompt, story = vocab.clean(page.prompt).text, vocab.clean(page.story).text
        read = Explanation(decoder, vocab, story, prompt)
        best = liveliest(read)
        count = len(windows(read))
        number = best if window is None else window % count
        shown = excerpt(read, number)
    except (ExplainError, VocabError):
        raise Refusal(Text.NOTHING_TO_EXPLAIN) from None
    shown = replace(shown, call_outs=tuple(c.allowed(words) for c in shown.call_outs))
    picture = draw(shown, wording(language))
    letters, layers = tuple(_letters(read, shown)), tuple(_layers(read, shown))
    return Shown(number, count, shown, picture, letters, layers)


def _best(read: Explanation, chances: Numbers, count: int) -> tuple[tuple[str, float], ...]:
    order = np.argsort(-chances, kind="stable")[:count]
    return tuple((read.characters[i], float(chances[i])) for i in order)


def _letters(
    read: Explanation, shown: Excerpt
) -> Iterator[tuple[str, float, tuple[tuple[str, float], ...]]]:
    word = shown.open_word
    if word is None:
        return
    for place in range(word.start, min(word.stop + 1, word.start + LETTERS)):
        chances = read.after(place)
        written = read.text[place : place + 1]
        chance = float(chances[read.characters.index(written)]) if written else 0.0
        yield written, chance, _best(read, chances, BEST)


def _layers(read: Explanation, shown: Excerpt) -> Iterator[tuple[tuple[str, float], ...]]:
    if shown.open_word is not None:
        for chances in read.layers(shown.open_word.start):
            yield _best(read, chances, FEW)


class CardButton(
    PersistentItem[discord.ui.Button[discord.ui.LayoutView]],
    template=r"pooh:how:(?P<turn>next|letters|layers):(?P<owner>[0-9]{1,20})"
    r":(?P<window>[0-9]{1,4}):(?P<tab>words|letters|layers)",
):
    """A button of a card, new or as old as the card."""

    def __init__(
        self,
        turn: Turn,
        state: CardState,
        language: Language = Language.ENGLISH,
        *,
        disabled: bool = False,
    ) -> None:
        pressed = state.tab.value == turn.value
        style = discord.ButtonStyle.primary if pressed else discord.ButtonStyle.secondary
        super().__init__(
            discord.ui.Button(
                label=language.say(Text[turn.name]),
                style=style,
                custom_id=state.custom_id(turn),
                disabled=disabled,
            )
        )
        self.turn = turn
        self.state = state

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Read from its id."""
        state = CardState(int(match["owner"]), int(match["window"]), Tab(match["tab"]))
        return cls(Turn(match["turn"]), state)

    async def press(self, interaction: discord.Interaction, response: Response) -> None:
        """The card changes if it is the presser's; others get one for themselves."""
        services, message, person = (
            services_of(interaction),
            interaction.message,
            interaction.user.id,
        )
        assert message is not None
        if (page := page_on(message)) is None:
            raise Refusal(Text.NOTHING_TO_EXPLAIN)
        age = services.clock.now() - message.created_at.timestamp()
        response.in_place = message.flags.ephemeral or (person == self.state.owner and age < OLD)
        response.is_private = not response.in_place
        state = replace(self.state.after(self.turn), owner=person)
        await show_card(services, response, page, state)


def page_on(message: discord.Message) -> Page | None:
    """The text that a card holds in its last part; None if the message is no card."""
    texts = list(seen.displays(message.components))
    return messages.parse(texts[-1]) if texts and seen.is_story(texts[-1]) else None


async def explain_story(interaction: discord.Interaction, owner: int) -> None:
    """The button under a story: a card for all who can read the story if it is the presser's own.

    Raises:
        Refusal: there is no card.
    """
    services, message = services_of(interaction), interaction.message
    assert message is not None
    if services.stories.is_writing(message.id):
        raise Refusal(Text.STILL_WRITING)
    response, person = response_to(interaction), interaction.user.id
    response.is_private = person != owner or message.flags.ephemeral
    await show_card(services, response, messages.parse(message.content), CardState(person))


async def explain_message(interaction: discord.Interaction, message: discord.Message) -> None:
    """The menu "How did Pooh write this?": for the one who asked alone.

    Raises:
        Refusal: there is no card.
    """
    services = services_of(interaction)
    me = interaction.client.user
    assert me is not None
    response = response_to(interaction)
    response.is_private = True
    if services.stories.is_writing(message.id):
        raise Refusal(Text.STILL_WRITING)
    await check_consent(interaction, message)
    ours = message.author.id == me.id
    page = page_on(message) if ours else None
    if page is None and ours and seen.is_story(message.content):
        page = messages.parse(message.content)
    if page is None:
        page = Page(story=seen.read(message, me.id, services.clock.now()))
    await show_card(services, response, page, CardState(interaction.user.id))


async def explain_text(interaction: discord.Interaction, text: str) -> None:
    """`/how`: as if Pooh had written this text.

    Raises:
        Refusal: there is no card.
    """
    services = services_of(interaction)
    text = seen.spell_out(text, seen.names_for(interaction), services.clock.now())
    state = CardState(interaction.user.id)
    await show_card(services, response_to(interaction), Page(story=text), state)


async def show_card(services: Services, response: Response, page: Page, state: CardState) -> None:
    """Show the card of a text.

    Raises:
        Refusal: too many asks, a word that is refused, no words, too many who wait, or the bot is
            going to sleep.
    """
    services.stories.check_rate_limit(state.owner)
    if services.writer.is_closing:
        raise Refusal(Text.GOING_TO_SLEEP)
    page = _as_held(page)
    if not page.text.strip():
        raise Refusal(Text.NOTHING_TO_EXPLAIN)
    if services.words.refuses(page.text):
        raise Refusal(Text.RATHER_NOT)
    decoder, vocab, words = services.writer.decoder, services.writer.vocab, services.words
    language = response.language
    assert isinstance(decoder, Decoder), "only the network itself can say what it thought"
    await response.open()
    shown = await services.drawings.get(
        ("how", page, state.window, language),
        lambda: look(decoder.twin(), vocab, words, page, state.window, language),
    )
    state = replace(state, window=shown.window)
    alt = alt_text(shown.excerpt, wording(language))

    async def show() -> None:  # with a file that is read from its beginning, in each try
        file = discord.File(io.BytesIO(shown.picture), "how.png", description=alt)
        await response.show(MISSING, card(shown, page, state, language), [file])

    await services.delivery.send(show)


def _as_held(page: Page) -> Page:
    """What a card can hold of a text: what is read is what stands there."""
    if not page.prompt:
        text = messages.plain(page.story).strip()
        kept = first_words(text, LONGEST).removesuffix("..." * (len(text) > LONGEST))
        page = Page("", kept, page.cut or kept != text)
    return messages.parse(messages.build(page, "-" * 40))  # no shorter than the card's own


def card(shown: Shown, page: Page, state: CardState, language: Language) -> discord.ui.LayoutView:
    """The card; its picture is the file "how.png"."""
    place = language.say(Text.PLACE, number=shown.window + 1, count=shown.count)
    lines = {Tab.WORDS: _words, Tab.LETTERS: _letter_lines, Tab.LAYERS: _layer_lines}[state.tab]
    told = "\n".join(lines(shown, language))
    buttons = [
        CardButton(turn, state, language, disabled=_leads_nowhere(turn, shown)) for turn in Turn
    ]
    return cards.card(
        cards.text(f"### {language.say(Text.QUESTION)}"),
        cards.picture("how.png", alt_text(shown.excerpt, wording(language))),
        *([cards.text(told)] if told else []),
        cards.row(buttons),
        discord.ui.Separator(),
        cards.text(messages.build(page, place)),
    )


def _leads_nowhere(turn: Turn, shown: Shown) -> bool:
    return shown.count == 1 if turn is Turn.NEXT_PLACE else not shown.letters


def _words(shown: Shown, language: Language) -> Iterator[str]:
    """Three lines with what the picture shows."""
    lines = shown.excerpt
    if (rarest := lines.rarest) is not None and rarest.probability is not None:
        yield language.say(
            Text.SURPRISED,
            word=_short(rarest.text),
            chance=_percent(rarest.probability),
        )
    for number, call_out in enumerate(lines.call_outs, 1):
        if call_out.word == lines.open_word:
            rows = ", ".join(_rated(*row) for row in call_out.rows)
            yield language.say(Text.MOST_OPEN, number=number, guesses=rows)
    if lines.charts:
        chances = ", ".join(
            f"{_percent(float(chart[0]))} ({language.number(temperature)})"
            for temperature, chart in zip(TEMPERATURES, lines.charts, strict=True)
        )
        yield language.say(
            Text.LIKELIEST_LETTER, letter=_visible(lines.characters[0]), chances=chances
        )


def _letter_lines(shown: Shown, language: Language) -> Iterator[str]:
    """The most open word, character by character."""
    word = shown.excerpt.open_word
    if word is None:
        return
    yield language.say(Text.LETTER_BY_LETTER, word=messages.escape(word.text[:LETTERS]))
    for written, chance, best in shown.letters:
        rated = " · ".join(_rated(_visible(c), p, c == written, safe=True) for c, p in best)
        taken = f"**{_visible(written)}**\u00a0{_percent(chance)}" if written else "..."
        yield f"{taken} | {rated}"


def _layer_lines(shown: Shown, language: Language) -> Iterator[str]:
    """What each block would have said where the most open word begins."""
    word = shown.excerpt.open_word
    if word is None:
        return
    yield language.say(Text.BLOCK_BY_BLOCK, letter=_visible(word.text[0]))
    for block, best in enumerate(shown.layers):
        where = language.say(Text.AFTER_BLOCK if block else Text.BEFORE_BLOCKS, number=block)
        rated = " · ".join(_rated(_visible(c), p, c == word.text[0], safe=True) for c, p in best)
        yield f"{where}: {rated}"


def _rated(text: str, chance: float, taken: bool, *, safe: bool = False) -> str:
    """A word or a letter and how likely it was; bold where it was written."""
    text = text if safe else _short(text)
    return f"**{text}**\u00a0{_percent(chance)}" if taken else f"{text}\u00a0{_percent(chance)}"


def _short(word: str) -> str:
    """A word that is safe to show: people also write some of a thousand letters."""
    return messages.escape(word if len(word) <= SHORT else word[:SHORT] + "...")


def _visible(character: str) -> str:
    return _SPACES.get(character) or messages.escape(character)


def _percent(chance: float) -> str:
    """In whole per cents, which no line parts."""
    return percent(chance).replace(" ", "\u00a0")
