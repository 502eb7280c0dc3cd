"""What a race looks like: its card, what its buttons remember, and the texts read back from it."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import discord

from bot import cards, messages, seen
from bot.cards import Part
from bot.languages import Language
from bot.messages import BREAK, CUT, Page
from bot.options import DEFAULTS
from bot.race_texts import RaceText
from bot.racers import CLASSIC, MARKOV, POOH
from bot.translations import Text
from model.fingerprint import LEAST, Copies
from model.how import percent

ROOM = 900  # characters of a text in the card, as Discord may count them ...
MARKED = 950  # ... and with what is underlined: the whole card has 4,000
LETTERS = "ABC"
NAMES = {POOH: RaceText.POOH, CLASSIC: RaceText.CLASSIC, MARKOV: RaceText.MARKOV}

_HEAD = re.compile(r"### ([A-C])\n")
_OPENING, _CLOSING = re.compile(r"[_\"'(]*\Z"), re.compile(r"[_\"'.,;:!?)]*")


@dataclass(frozen=True)
class RaceState:
    """What the buttons of a race remember.

    Attributes:
        owner: who asked for it.
        seed: of all texts; it shuffles them, too.
        racers: the codes of those who ran.
        weights: the beginning of the digest of all their weights.
        language: of the card: whoever presses, it stays as it is.
        counts: how many guessed each letter.
    """

    owner: int
    seed: int
    racers: str
    weights: str
    language: Language
    counts: tuple[int, ...]

    @property
    def is_sound(self) -> bool:
        """Whether Pooh ran, and nobody twice: else it is no id of this bot."""
        return POOH in self.racers and len(set(self.racers)) == len(self.racers)

    @property
    def order(self) -> str:
        """The codes of A, B and C. Python's own shuffling may change with its version."""
        return "".join(
            sorted(self.racers, key=lambda c: hashlib.sha256(f"{self.seed} {c}".encode()).digest())
        )

    def custom_id(self, what: str) -> str:
        """An id of at most 100 characters for a letter's button, or the one that tells."""
        counts = ".".join(map(str, self.counts))
        return (
            f"pooh:race:{what}:{self.owner}:{self.seed}:{self.racers}:{self.weights}"
            f":{self.language.value}:{counts}"
        )


@dataclass(frozen=True)
class Told:
    """What is told of a text in the end.

    Attributes:
        loss: of who wrote it, None if it is not known.
        copies: what of it stands in the books, None if it is not known.
    """

    loss: float | None
    copies: Copies | None


def hidden(
    state: RaceState, pages: Sequence[Page], buttons: Part, *, are_gone: bool = False
) -> discord.ui.LayoutView:
    """The card before it is told who was who, with these buttons."""
    say = state.language.say
    names = " · ".join(say(NAMES[code]) for code in state.racers)
    texts = [f"### {letter}\n{_text(page)}" for letter, page in zip(LETTERS, pages, strict=False)]
    small = [say(RaceText.GUESSES_GONE)] if are_gone else []
    return _card(
        f"### {say(RaceText.QUESTION)}\n{say(RaceText.RUNNERS, names=names)}",
        texts,
        buttons,
        " ".join([*small, say(RaceText.GUESS)]),
    )


def revealed(
    state: RaceState, pages: Sequence[Page], told: Sequence[Told], *, is_today: bool
) -> discord.ui.LayoutView:
    """The card that tells who was who."""
    language, say = state.language, state.language.say
    texts = []
    for letter, code, page, each in zip(LETTERS, state.order, pages, told, strict=False):
        facts = [] if is_today else [say(RaceText.OTHER_WEIGHTS)]
        if each.loss is not None:
            facts.append(say(RaceText.LOSS, number=language.number(each.loss, 2)))
        if each.copies is not None:
            share = percent(each.copies.share) if each.copies.copied else "0 %"
            share = share.replace(" ", "\u00a0")
            facts.append(say(RaceText.COPIED, share=share))
        text = _text(page, each.copies.spans if each.copies else ())
        line = f"\n-# {' · '.join(facts)}" if facts else ""
        texts.append(f"### {letter}: {say(NAMES[code])}\n{text}{line}")
    right = state.counts[state.order.index(POOH)] if POOH in state.order else 0
    count = sum(state.counts)
    lines = [f"### {say(RaceText.QUESTION)}"]
    if POOH in state.order:
        answer = say(RaceText.ANSWER, letter=LETTERS[state.order.index(POOH)])
        guessed = say(RaceText.GUESSED if count else RaceText.NOBODY_GUESSED,
                      count=count, right=right)  # fmt: skip
        lines.append(f"{answer} {guessed}")
    small = [say(Text.AT_TEMPERATURE, number=language.number(DEFAULTS.temperature))]
    small += [say(Text.AT_SEED, number=state.seed)]
    if any(each.copies for each in told):
        small.append(say(RaceText.UNDERLINED, number=LEAST))
    return _card("\n".join(lines), texts, None, " · ".join(small))


def _card(
    title: str,
    texts: Sequence[str],
    buttons: Part | None,
    small: str,
) -> discord.ui.LayoutView:
    """The parts in their order. The last is a small line alone: a story is no part of the card."""
    between = [buttons] if buttons is not None else []
    return cards.card(*map(cards.text, [title, *texts]), *between, cards.text(f"-# {small}"))


def _text(page: Page, spans: Sequence[tuple[int, int]] = ()) -> str:
    """A text as it stands in a card; what is written of it is underlined in these places."""
    if not spans:
        return messages.build(page, "").rpartition("\n-# ")[0]
    shown = f"**{messages.escape(page.prompt)}**" if page.prompt else ""
    end = 0
    for start, stop in (_widened(page.story, *span) for span in spans):
        start = max(start, end)
        shown += _escaped(page.story[end:start])
        lines = page.story[start:stop].split("\n")
        shown += "\n".join(f"__{BREAK}{_escaped(s)}{BREAK}__" if s.strip() else s for s in lines)
        end = stop
    shown += _escaped(page.story[end:])
    shown = (shown if page.prompt else shown.lstrip()).rstrip() + (CUT if page.cut else "")
    return shown if _size(shown) <= MARKED else _text(page)


def _size(text: str) -> int:
    """As Discord may count: a character beyond the first 65,536 as two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _widened(text: str, start: int, stop: int) -> tuple[int, int]:
    """A run of words with the marks that belong to its first and last word."""
    before, after = _OPENING.search(text[:start]), _CLOSING.match(text, stop)
    return (before.start() if before else start), (after.end() if after else stop)


def _escaped(text: str) -> str:
    """Safe to show; an italics mark whose other one stands elsewhere is left out."""
    return messages.escape(text, italics=True).replace("\\_", "")


# Texts


def pages_on(message: discord.Message) -> list[Page]:
    """The texts of a card whose writers are not told yet, A first; none if it is no such card."""
    return [page for text in seen.displays(message.components) if (page := _page_in(text))]


def _page_in(text: str) -> Page | None:
    head = _HEAD.match(text)
    return messages.parse(f"{text[head.end() :]}\n-# ") if head else None


def fitted(page: Page) -> Page:
    """A text that a card has room for: shorter, where it is full of what needs escaping.

    Nobody goes on from it, so an italics mark whose other one was cut off is left out.
    """
    while _size(_text(page)) > ROOM and page.story:
        shorter = messages.trim(page.story, 9 * len(page.story) // 10, page.prompt)
        page = replace(page, story=shorter.story, cut=shorter.cut)
    return replace(page, story=messages.unescape(_escaped(page.story)))
