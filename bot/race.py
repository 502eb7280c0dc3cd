"""A race: the same beginning, written on by several, side by side in one card; who was who?

The card holds the texts, and its buttons' ids say who asked, which seed shuffles, who runs and how
many guessed: so they work after a restart. Who guessed what is in memory only, and only until it is
told who was who; after an hour it counts no more.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import discord
from discord.utils import MISSING

from bot import cards, messages, seen
from bot.ballots import Ballot
from bot.errors import Refusal
from bot.items import PersistentItem
from bot.languages import Language
from bot.messages import Page
from bot.names import Name
from bot.options import DEFAULTS
from bot.pages import DIGEST, short_digest
from bot.permissions import check_owner
from bot.prompts import Prompt, read_prompt
from bot.race_card import LETTERS, RaceState, Told, fitted, hidden, pages_on, revealed
from bot.race_texts import RaceText
from bot.racers import CLASSIC, MARKOV, POOH, Racer, Racers
from bot.requests import ask_writer
from bot.services import Services, response_to, services_of
from bot.targets import OLD, Response
from bot.translations import Text
from bot.worker import Outcome, Story

ASKS = 3  # of the limiter
PROMPT = 200  # characters: it stands before each text of the card
LENGTHS = (300, 350, 400)  # characters of a text: the first at which a sentence ends
TELL = "who"  # what the button does that is no letter's


class RaceButton(
    PersistentItem[discord.ui.Button[discord.ui.LayoutView]],
    template=rf"pooh:race:(?P<what>[{LETTERS}]|{TELL}):(?P<owner>[0-9]{{1,20}})"
    rf":(?P<seed>[0-9]{{1,16}}):(?P<racers>[{POOH}{CLASSIC}{MARKOV}]{{2,3}})"
    rf":(?P<weights>[0-9a-f]{{{DIGEST}}}):(?P<language>[a-z]{{2}})"
    r":(?P<counts>[0-9]{1,6}(?:\.[0-9]{1,6}){1,2})",
):
    """A letter to guess, or the button that tells who was who."""

    def __init__(self, what: str, state: RaceState) -> None:
        primary, secondary = discord.ButtonStyle.primary, discord.ButtonStyle.secondary
        label = state.language.say(Name.WHO_WAS_WHO)
        if what != TELL:
            label = f"{what} · {dict(zip(LETTERS, state.counts, strict=False)).get(what, 0)}"
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
    def of(cls, match: re.Match[str]) -> Self:
        """Read from its id."""
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

    async def press(self, interaction: discord.Interaction, response: Response) -> None:
        """Count a guess, or tell."""
        services = services_of(interaction)
        if self.what == TELL:
            await _tell(interaction, services, response, self.state)
        else:
            await _guess(interaction, services, response, self.state, self.what)


def row(state: RaceState) -> cards.Part:
    """The letters to guess, and the button that tells."""
    return cards.row([RaceButton(w, state) for w in (*LETTERS[: len(state.racers)], TELL)])


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
    view = hidden(state, pages, row(state))
    await services.delivery.send(lambda: response.show(MISSING, view))


def _page(read: Prompt, story: Story) -> Page:
    """A text up to the end of a sentence, as near to the length of the others as there is one."""
    ends = [messages.trim(story.text, length, read.text) for length in LENGTHS]
    return fitted(replace(next((page for page in ends if not page.cut), ends[0]), prompt=read.text))


def digest_of(racers: Sequence[Racer], codes: str) -> str:
    """Of the weights of those who ran, as the buttons remember it."""
    digests = [racer.writer.decoder.digest for racer in racers if racer.code in codes]
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


def _read(services: Services, message: discord.Message, state: RaceState) -> list[Page]:
    pages = pages_on(message)
    if len(pages) != len(state.racers) or not state.is_sound:
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
        Refusal: it is told already, or too late, or too many have guessed.
    """
    message = interaction.message
    assert message is not None
    if _age(services, message) >= OLD:  # Discord allows few edits of it
        raise Refusal(RaceText.TOO_LATE)
    pages = _read(services, message, state)
    if letter not in LETTERS[: len(pages)]:
        raise Refusal(RaceText.UNREADABLE)
    ballot = _ballot(services, message, state)
    if ballot.is_told:
        raise Refusal(RaceText.TOLD_ALREADY)
    ballot.guesses.cast(interaction.user.id, letter)
    ballot.version += 1
    mine = ballot.version
    await response.acknowledge()
    async with ballot.lock:  # edits arrive in their order, and one may tell of several guesses
        if ballot.shown >= mine or ballot.is_told:
            return
        version = ballot.version
        state = replace(state, counts=ballot.counts(LETTERS[: len(state.racers)]))
        view = hidden(state, pages, row(state), are_gone=ballot.are_gone)
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
    check_owner(interaction, state.owner, RaceText.MAY_NOT_TELL)
    pages = _read(services, message, state)
    ballot = _ballot(services, message, state)
    if ballot.is_told:  # at once: to find out reads files
        raise Refusal(RaceText.TOLD_ALREADY)
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
