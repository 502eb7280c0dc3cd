"""A story to keep: a text file and a card with a picture, for the presser alone until shown.

As every card, it holds the text in the form of a story, with the small line of the story: so its
buttons work after a restart, and nothing is kept anywhere else.
"""

import enum
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import discord
from discord.utils import MISSING

from bot import captions, cards, messages, seen
from bot.actions import ButtonState
from bot.errors import Refusal
from bot.items import PersistentItem
from bot.languages import Language
from bot.messages import Page
from bot.names import Name
from bot.plates import plate
from bot.requests import candidates_of
from bot.said import Row, Said
from bot.services import Services, response_to, services_of
from bot.targets import Response
from bot.translations import Text
from model.cuts import ends_well
from model.how import LONGEST_ALT
from model.sentences import first_words

TITLE = 60  # characters
_SENTENCE = re.compile(r"[.!?,;:\n]")


@enum.unique
class KeepText(Said):
    """What the card says."""

    KEPT_FOR = Row(
        "told for {name}", "erzählt für {name}", "racontée pour {name}", "contado para {name}"
    )
    KEPT_ALT = Row(
        "The story as a card to keep: {words}",
        "Die Geschichte als Karte zum Aufheben: {words}",
        "L'histoire sous forme de carte à garder : {words}",
        "El cuento como tarjeta para guardar: {words}",
    )
    AT_LENGTH = Row("length {number}", "Länge {number}", "longueur {number}", "longitud {number}")
    NOTHING_TO_KEEP = Row(
        "Pooh sees no story there that could be kept.",
        "Pu sieht dort keine Geschichte, die man aufheben könnte.",
        "Pooh ne voit là aucune histoire à garder.",
        "Pooh no ve ahí ningún cuento que guardar.",
    )


class KeepButton(
    PersistentItem[discord.ui.Button[discord.ui.LayoutView]],
    template=r"pooh:keep:(?P<what>show|name):(?P<is_named>[01])",
):
    """A button of a kept story: shows it to everybody, or ticks the name on it."""

    def __init__(
        self, what: str, language: Language = Language.ENGLISH, *, is_named: bool = False
    ) -> None:
        tick = Name.WITHOUT_NAME if is_named else Name.WITH_NAME
        primary, secondary = discord.ButtonStyle.primary, discord.ButtonStyle.secondary
        super().__init__(
            discord.ui.Button(
                label=language.say(Name.SHOW_HERE if what == "show" else tick),
                style=primary if what == "show" else secondary,
                custom_id=f"pooh:keep:{what}:{int(is_named)}",
            )
        )
        self.what = what
        self.is_named = is_named

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Read from its id."""
        return cls(match["what"], is_named=match["is_named"] == "1")

    async def press(self, interaction: discord.Interaction, response: Response) -> None:
        """It is who the card is for, as nobody else sees it."""
        services, message = services_of(interaction), interaction.message
        assert message is not None
        page = seen.own_page(message)
        if page is None:
            raise Refusal(KeepText.NOTHING_TO_KEEP)
        _, note = messages.split_note(seen.last_part(message))
        response.in_place = not (shown := self.what == "show")
        is_named = self.is_named if shown else not self.is_named
        name = interaction.user.display_name if is_named else ""
        await _show(services, response, interaction.user.id, page, note, name, to_all=shown)


async def keep_story(interaction: discord.Interaction, state: ButtonState) -> None:
    """The button under a story.

    Args:
        interaction: the press.
        state: what the button remembers; the small line says all else that tells it again.

    Raises:
        Refusal: there is no story.
    """
    services, message = services_of(interaction), interaction.message
    assert message is not None
    services.stories.check_has_ended(message.id)
    response = response_to(interaction)
    response.is_private = True
    language, page = response.language, messages.parse(message.content)
    _, note = messages.split_note(message.content)
    notes = [note, language.say(KeepText.AT_LENGTH, number=state.sampling.length)]
    number = candidates_of(state.pages, services.writer) if state.pages else None
    if number is not None:
        tried = services.writer.tried(replace(state.shown, candidates=number))
        # The small line tells of them where they were not the usual ones.
        told = any(captions.candidates(tried, each) in note for each in Language)
        if tried > 1 and not told:
            notes.append(captions.candidates(tried, language))
    note = " · ".join(notes)
    await _show(services, response, interaction.user.id, page, note, "", to_all=False)


async def _show(
    services: Services,
    response: Response,
    person: int,
    page: Page,
    note: str,
    name: str,
    *,
    to_all: bool,
) -> None:
    """Show the kept story.

    Raises:
        Refusal: too many asks, a word that is refused, no words, too many who wait, or the bot is
            going to sleep.
    """
    services.stories.check_rate_limit(person)
    if services.writer.is_closing:
        raise Refusal(Text.GOING_TO_SLEEP)
    language = response.language
    page = messages.parse(messages.build(page, note))
    if not page.text.strip():
        raise Refusal(KeepText.NOTHING_TO_KEEP)
    if services.words.refuses(page.text) or services.words.refuses(name):
        raise Refusal(Text.RATHER_NOT)
    await response.open()
    small = messages.unescape(note)
    foot = [small, *([language.say(KeepText.KEPT_FOR, name=messages.plain(name))] if name else [])]
    title, text = title_of(page), whole(page)
    picture = await services.drawings.get(
        ("keep", title, text, *foot), lambda: plate(title, text, foot)
    )
    alt = first_words(language.say(KeepText.KEPT_ALT, words=" ".join(text.split())), LONGEST_ALT)
    written = as_file(title, text, foot).encode()

    async def show() -> None:  # with files that are read from their beginning, in each try
        files = [
            discord.File(io.BytesIO(picture), "story.png", description=alt),
            discord.File(io.BytesIO(written), "story.txt"),
        ]
        view = card(page, note, alt, language, None if to_all else bool(name))
        await response.show(MISSING, view, files)

    await services.delivery.send(show)


def title_of(page: Page) -> str:
    """The first words of a story: its prompt, or its first sentence or part of one."""
    text = seen.without_markdown(page.prompt.strip() or page.text.strip()).strip()
    ends = (match.start() for match in _SENTENCE.finditer(text))
    first = text[: next((at for at in ends if ends_well(text, at)), None)].strip() or text
    return first_words(" ".join(first.split()), TITLE)


def whole(page: Page) -> str:
    """The text of a story, as people read it."""
    text = re.sub(r"(?<!\w)_(?=\S)([^_\n]*\S)_(?!\w)", r"\1", page.text).strip()
    return text + "..." if page.cut else text


def as_file(title: str, text: str, foot: Sequence[str]) -> str:
    """The text file: title, text, and below how anybody gets it again, a fact on each line."""
    facts = [fact for line in foot for fact in line.split(" · ")]
    return "\n".join([title, "", text, "", "--", *facts, ""])


def card(
    page: Page, note: str, alt: str, language: Language, is_named: bool | None
) -> discord.ui.LayoutView:
    """The card: the picture "story.png", the file "story.txt".

    Args:
        page: the story.
        note: the small line below it.
        alt: what the picture shows.
        language: of its buttons.
        is_named: whether the name is ticked; None where all see it, and nothing is to be pressed.
    """
    buttons = []
    if is_named is not None:
        both = [KeepButton(what, language, is_named=is_named) for what in ("show", "name")]
        buttons = [cards.row(both)]
    return cards.card(
        cards.text(f"### {messages.escape(title_of(page))}"),
        cards.picture("story.png", alt),
        discord.ui.File("attachment://story.txt"),
        *buttons,
        discord.ui.Separator(),
        # The text itself, too: who goes on from this message or searches for it has no picture.
        cards.text(messages.build(page, note)),
    )
