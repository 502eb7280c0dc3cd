"""The card that shows how a text was written: "Where was Pooh sure, where did he guess?".

A card needs no memory. It holds the text it is about, in the form of a story, and its buttons' ids
say who asked for it and what it shows; so they work after a restart, and where the bot cannot read
the channel.
"""

import enum
import io
import re
from dataclasses import dataclass, replace
from typing import Self

import discord
from discord.utils import MISSING

from bot import cards, messages, seen
from bot.consent import check_consent
from bot.errors import Refusal
from bot.explanation_lines import Tab, lines
from bot.explanation_reading import Shown, look
from bot.explanation_texts import HowText, wording
from bot.items import PersistentItem
from bot.languages import Language
from bot.messages import Page
from bot.names import Name
from bot.services import Services, response_to, services_of
from bot.targets import OLD, Response
from bot.translations import Text
from model.decoder import Decoder
from model.how import alt_text
from model.sentences import first_words

LONGEST = 1500  # characters of a text that is no story: what a card has room for


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
                label=language.say(Name[turn.name]),
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
        services, message = services_of(interaction), interaction.message
        person = interaction.user.id
        assert message is not None
        if (page := seen.own_page(message)) is None:
            raise Refusal(HowText.NOTHING_TO_EXPLAIN)
        age = services.clock.now() - message.created_at.timestamp()
        response.in_place = message.flags.ephemeral or (person == self.state.owner and age < OLD)
        response.is_private = not response.in_place
        state = replace(self.state.after(self.turn), owner=person)
        await show_card(services, response, page, state)


async def explain_story(interaction: discord.Interaction, owner: int) -> None:
    """The button under a story: a card for all who can read the story if it is the presser's own.

    Raises:
        Refusal: there is no card.
    """
    services, message = services_of(interaction), interaction.message
    assert message is not None
    services.stories.check_has_ended(message.id)
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
    services.stories.check_has_ended(message.id)
    await check_consent(interaction, message)
    page = seen.own_page(message) if message.author.id == me.id else None
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
        raise Refusal(HowText.NOTHING_TO_EXPLAIN)
    decoder, vocab, words = services.writer.decoder, services.writer.vocab, services.words
    # The picture shows it without what the network does not know, which may have parted a word.
    if words.refuses(page.text) or words.refuses(vocab.clean(page.text).text):
        raise Refusal(Text.RATHER_NOT)
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
    place = language.say(HowText.PLACE, number=shown.window + 1, count=shown.count)
    told = "\n".join(lines(state.tab, shown, language))
    buttons = [
        CardButton(turn, state, language, disabled=_leads_nowhere(turn, shown)) for turn in Turn
    ]
    return cards.card(
        cards.text(f"### {language.say(HowText.QUESTION)}"),
        cards.picture("how.png", alt_text(shown.excerpt, wording(language))),
        *([cards.text(told)] if told else []),
        cards.row(buttons),
        discord.ui.Separator(),
        cards.text(messages.build(page, place)),
    )


def _leads_nowhere(turn: Turn, shown: Shown) -> bool:
    return shown.count == 1 if turn is Turn.NEXT_PLACE else not shown.letters
