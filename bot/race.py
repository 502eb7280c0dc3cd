"""A race: the same beginning, written on by several, side by side in one card; who was who?

The card holds the texts, and its buttons' ids say who asked, which seed shuffles, who runs and how
many guessed: so they work after a restart. Who guessed what is in memory only, and only until it is
told who was who, or an hour has passed.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import discord
from discord.utils import MISSING

from bot import messages, seen
from bot.ballots import Ballot
from bot.errors import Refusal, explain
from bot.explanations import HONEY
from bot.messages import BREAK, CUT, Page
from bot.options import DEFAULTS
from bot.pages import DIGEST, short_digest
from bot.prompts import Prompt, read_prompt
from bot.race_texts import RaceText
from bot.racers import CLASSIC, MARKOV, POOH, Racer, Racers
from bot.services import Services, response_to, services_of
from bot.stories import ask_writer
from bot.targets import OLD, Response
from bot.translations import Language, Text
from bot.worker import Outcome, Story
from model.fingerprint import LEAST, Copies
from model.how import percent

ASKS = 3  # of the limiter
PROMPT = 200  # characters: it stands before each text of the card
LENGTHS = (300, 350, 400)  # characters of a text: the first at which a sentence ends
ROOM = 900  # characters of a text in the card, as Discord may count them ...
MARKED = 950  # ... and with what is underlined: the whole card has 4,000
LETTERS = "ABC"
TELL = "who"  # what the button does that is no letter's
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


class RaceButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.LayoutView]],
    template=rf"pooh:race:(?P<what>[{LETTERS}]|{TELL}):(?P<owner>[0-9]{{1,20}})"
    rf":(?P<seed>[0-9]{{1,16}}):(?P<racers>[{POOH}{CLASSIC}{MARKOV}]{{2,3}})"
    rf":(?P<weights>[0-9a-f]{{{DIGEST}}}):(?P<language>[a-z]{{2}})"
    r":(?P<counts>[0-9]{1,6}(?:\.[0-9]{1,6}){1,2})",
):
    """A letter to guess, or the button that tells who was who."""

    def __init__(self, what: str, state: RaceState) -> None:
        primary, secondary = discord.ButtonStyle.primary, discord.ButtonStyle.secondary
        label = state.language.say(Text.WHO_WAS_WHO)
        if what != TELL:
            label = f"{what} · {state.counts[LETTERS.index(what)]}"
        super().__init__(
            discord.ui.Button(
                label=label,
                style=primary if what == TELL else secondary,
                custom_id=state.custom_id(what),
            )
        )
        self.what = what
        self.state = state

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Made anew from its id, when it is pressed."""
        counts = tuple(map(int, match["counts"].split(".")))
        racers = match["racers"]
        state = RaceState(
            int(match["owner"]),
            int(match["seed"]),
            racers,
            match["weights"],
            next((each for each in Language if each.value == match["language"]), Language.ENGLISH),
            (counts + (0,) * len(racers))[: len(racers)],
        )
        return cls(match["what"], state)

    async def callback(self, interaction: discord.Interaction) -> None:
        """Somebody pressed it."""
        response = response_to(interaction)
        try:
            services = services_of(interaction)
            if not services.settings.is_allowed(interaction.guild_id):
                raise Refusal(Text.NOT_AT_HOME)
            if self.what == TELL:
                await _tell(interaction, services, response, self.state)
            else:
                await _guess(interaction, services, response, self.state, self.what)
        except Exception as error:
            await explain(response, error)


# A race


async def race(interaction: discord.Interaction, prompt: str) -> None:
    """`/race`: have all write on from the same words, and show it.

    Raises:
        Refusal: there is nobody to race against, the prompt cannot be read or is refused, too few
            asks are left, too many wait, or not two came to the end.
    """
    services, response = services_of(interaction), response_to(interaction)
    writer, person = services.writer, interaction.user.id
    if writer.is_closing:
        raise Refusal(Text.GOING_TO_SLEEP)
    if not services.racers.can_race:
        raise Refusal(RaceText.NOBODY)
    text = seen.spell_out(prompt, seen.names_for(interaction), services.clock.now())
    read = read_prompt(messages.last_words(text, PROMPT), writer.vocab, services.words)
    read = replace(read, text=messages.last_words(read.text, PROMPT))
    services.stories.check_rate_limit(person, ASKS)
    await response.open()
    racers = await services.racers.enter()
    if len(racers) < 2:
        raise Refusal(RaceText.NOBODY)
    stories = await _written(racers, person, read)
    ran = [racer for racer in racers if racer.code in stories]
    if len(ran) < 2:
        raise Refusal(RaceText.NOT_FINISHED)
    seed = next(iter(stories.values())).sampling.seed
    assert seed is not None
    codes = "".join(racer.code for racer in ran)
    state = RaceState(
        person, seed, codes, digest_of(racers, codes), response.language, (0,) * len(ran)
    )
    pages = [_page(read, stories[code]) for code in state.order]
    view = hidden(state, pages)
    await services.delivery.send(lambda: response.show(MISSING, view))


def _page(read: Prompt, story: Story) -> Page:
    """A text up to the end of a sentence, as near to the length of the others as there is one."""
    ends = [messages.trim(story.text, length, read.text) for length in LENGTHS]
    return fitted(replace(next((page for page in ends if not page.cut), ends[0]), prompt=read.text))


def fitted(page: Page) -> Page:
    """A text that a card has room for: shorter, where it is full of what needs escaping."""
    while _size(_text(page)) > ROOM and page.story:
        shorter = messages.trim(page.story, 9 * len(page.story) // 10, page.prompt)
        page = replace(page, story=shorter.story, cut=shorter.cut)
    return page


def digest_of(racers: Sequence[Racer], codes: str) -> str:
    """Of the weights of those who ran, as the buttons remember it."""
    digests = [racer.writer.weights for racer in racers if racer.code in codes]
    return short_digest(hashlib.sha256(" ".join(digests).encode()).hexdigest())


async def _written(racers: Sequence[Racer], person: int, read: Prompt) -> dict[str, Story]:
    """The texts that came to the end, by who wrote them: the same settings and seed for all.

    Raises:
        Refusal: one of them takes no more, or all go to sleep.
    """
    sampling = replace(read.applied_to(DEFAULTS), length=LENGTHS[-1])
    asked: list[tuple[Racer, Story]] = []
    try:
        for racer in racers:
            context = racer.writer.vocab.clean(read.text).text
            if read.text and not context.strip():
                continue  # it knows none of these characters
            story = ask_writer(racer.writer, person, context, sampling)
            sampling = story.sampling  # with the seed that Pooh has drawn
            asked.append((racer, story))
        for _, story in asked:
            await story.ended.wait()
    finally:
        for racer, story in asked:
            racer.writer.stop(story)
    if any(story.outcome is Outcome.CLOSED for _, story in asked):
        raise Refusal(Text.GOING_TO_SLEEP)
    return {
        racer.code: story
        for racer, story in asked
        if story.outcome is Outcome.WRITTEN and story.text.strip()
    }


# Presses


def pages_on(message: discord.Message) -> list[Page]:
    """The texts of a card whose writers are not told yet, A first; none if it is no such card."""
    return [page for text in seen.displays(message.components) if (page := _page_in(text))]


def _page_in(text: str) -> Page | None:
    head = _HEAD.match(text)
    return messages.parse(f"{text[head.end() :]}\n-# ") if head else None


def _read(services: Services, message: discord.Message, state: RaceState) -> list[Page]:
    pages = pages_on(message)
    if len(pages) != len(state.racers):
        raise Refusal(RaceText.UNREADABLE)
    if any(services.words.refuses(page.text) for page in pages):  # the list may have grown
        raise Refusal(Text.RATHER_NOT)
    return pages


def _ballot(services: Services, message: discord.Message, state: RaceState) -> Ballot:
    return services.ballots.of(message.id, services.clock.now(), guessed=any(state.counts))


def _age(services: Services, message: discord.Message) -> float:
    return services.clock.now() - message.created_at.timestamp()


async def _guess(
    interaction: discord.Interaction,
    services: Services,
    response: Response,
    state: RaceState,
    letter: str,
) -> None:
    """Count a guess, in place of the one before by the same person.

    Raises:
        Refusal: it is told already, or too late.
    """
    message = interaction.message
    assert message is not None
    if _age(services, message) >= OLD:  # Discord allows few edits of it
        raise Refusal(RaceText.TOO_LATE)
    pages = _read(services, message, state)
    ballot = _ballot(services, message, state)
    if ballot.is_told:
        raise Refusal(RaceText.TOLD_ALREADY)
    response.in_place = True
    await response.open()
    ballot.guesses[interaction.user.id] = letter
    ballot.version += 1
    mine = ballot.version
    async with ballot.lock:  # edits arrive in their order, and one may tell of several guesses
        if ballot.shown >= mine or ballot.is_told:
            return
        version = ballot.version
        state = replace(state, counts=ballot.counts(LETTERS[: len(state.racers)]))
        view = hidden(state, pages, are_gone=ballot.are_gone)
        await services.delivery.send(lambda: response.show(MISSING, view))
        ballot.shown = version


async def _tell(
    interaction: discord.Interaction, services: Services, response: Response, state: RaceState
) -> None:
    """Tell who was who.

    Raises:
        Refusal: somebody else asked for the race, or it is told already.
    """
    message = interaction.message
    assert message is not None
    moderates = interaction.guild_id and interaction.permissions.manage_messages
    if interaction.user.id != state.owner and not moderates:
        raise Refusal(RaceText.MAY_NOT_TELL)
    pages = _read(services, message, state)
    ballot = _ballot(services, message, state)
    response.in_place = message.flags.ephemeral or _age(services, message) < OLD
    await response.open()
    racers = await services.racers.enter()
    is_today = digest_of(racers, state.racers) == state.weights
    told = await asyncio.to_thread(_found_out, services.racers, state, pages, is_today=is_today)
    async with ballot.lock:
        if ballot.is_told:
            raise Refusal(RaceText.TOLD_ALREADY)
        if ballot.guesses:  # else the card's own figures hold, though nobody remembers whose
            state = replace(state, counts=ballot.counts(LETTERS[: len(pages)]))
        view = revealed(state, pages, told, is_today=is_today)
        await services.delivery.send(lambda: response.show(MISSING, view))
        ballot.is_told = True
        ballot.guesses.clear()


def _found_out(
    racers: Racers, state: RaceState, pages: Sequence[Page], *, is_today: bool
) -> list[Told]:
    books = racers.read_books()
    return [
        Told(
            racers.loss(code) if is_today else None,
            books.copies(page.story, page.prompt) if books else None,
        )
        for code, page in zip(state.order, pages, strict=True)
    ]


# The card


def hidden(
    state: RaceState, pages: Sequence[Page], *, are_gone: bool = False
) -> discord.ui.LayoutView:
    """The card before it is told who was who."""
    say = state.language.say
    names = "; ".join(say(NAMES[code]) for code in state.racers)
    texts = [f"### {letter}\n{_text(page)}" for letter, page in zip(LETTERS, pages, strict=False)]
    buttons = discord.ui.ActionRow[discord.ui.LayoutView]()
    for what in (*LETTERS[: len(pages)], TELL):
        buttons.add_item(RaceButton(what, state))
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
    buttons: discord.ui.ActionRow[discord.ui.LayoutView] | None,
    small: str,
) -> discord.ui.LayoutView:
    """The parts in their order. The last is a small line alone: a story is no part of the card."""
    display = discord.ui.TextDisplay[discord.ui.LayoutView]
    parts: list[discord.ui.Item[discord.ui.LayoutView]] = [display(title)]
    parts += [display(text) for text in texts]
    parts += [buttons] if buttons is not None else []
    parts.append(display(f"-# {small}"))
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(discord.ui.Container(*parts, accent_colour=HONEY))
    return view


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
