"""Two ways on from a story, written at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import discord

from bot import messages
from bot.actions import ButtonState
from bot.errors import Refusal
from bot.fork_card import LONGEST, Fork, Half, as_held
from bot.fork_texts import ForkText
from bot.options import MAX_PROMPT
from bot.pages import Pages, short_digest
from bot.prompts import TAIL, read_prompt
from bot.requests import submit_together
from bot.services import Services
from bot.targets import Response
from bot.translations import Text
from bot.votes import End, Vote, Way
from bot.worker import Outcome, Story
from bot.writer import SEEDS

LOOK = 1.0  # seconds between two looks whether anybody still wants them


async def write_both(
    services: Services,
    response: Response,
    vote: Vote,
    state: ButtonState,
    message: discord.Message,
    person: int,
    press: int,
) -> tuple[Fork, ButtonState]:
    """Have both ways written, and open the response when they are asked for.

    Args:
        services: of the bot.
        response: which will show them.
        vote: about them; it is told in which message they will be.
        state: what the story's button remembers.
        message: the story's.
        person: who asked.
        press: the id of their press, from which the seeds follow.

    Returns:
        Both, as a card holds them; and what its buttons remember: who asked, how both are written,
        and, where a story's message can tell them again, that they are its two pages.

    Raises:
        Refusal: there is nothing to go on from, or to choose from; a word that is refused, a full
            queue, or the bot is going to sleep.
    """
    writer, language = services.writer, response.language
    text = messages.parse(message.content).text.strip()
    if not text:
        raise Refusal(Text.NO_WORDS)
    # A short story is shown whole, and then its two ways on are pages of the message that has one.
    tail = MAX_PROMPT if len(text) <= MAX_PROMPT else TAIL
    prompt = read_prompt("", writer.vocab, services.words, before=text, tail=tail)
    how = state.shown
    how = replace(how, length=min(how.length, LONGEST), whole_word=True)
    if not how.temperature or how.top_k == 1:
        raise Refusal(ForkText.ONE_WAY)
    candidates = writer.share(len(Way))
    pages = Pages(press % SEEDS, (0, 0), 1, short_digest(writer.digest(candidates)))
    versions = [pages.sampling(how), pages.turned(1).sampling(how)]
    written = submit_together(writer, person, prompt.context, versions, candidates)
    try:
        if (shown := await response.open()) is not None:
            services.votes.place(vote, shown)
        for story in written:
            while not await services.clock.wait(story.ended, LOOK):
                if vote.end is End.GONE:
                    for unwanted in written:
                        writer.stop(unwanted)
    finally:
        for story in written:
            writer.stop(story)
    ways = {}
    for way, story in zip(Way, written, strict=True):
        added = messages.trim(story.text, story.sampling.length, prompt.text)
        ways[way] = Half(added.story, added.cut, services.stories.caption(story, 0, language))
    check(written, ways)
    fork = Fork(prompt.text, ways)
    held = as_held(fork, language)
    whole = held == fork and prompt.context == prompt.text
    return held, ButtonState(person, how, pages=pages if whole else None)


def check(written: Sequence[Story], ways: Mapping[Way, Half]) -> None:
    """Whether there is something to choose from.

    Raises:
        Refusal: there is not.
    """
    if all(half.story.strip() for half in ways.values()):
        if len({half.story for half in ways.values()}) == 1:
            raise Refusal(ForkText.ONE_WAY)
        return
    if reference := next((story.reference for story in written if story.reference), ""):
        raise Refusal(Text.BOTHER, reference=reference)
    if any(story.outcome is Outcome.CLOSED for story in written):
        raise Refusal(Text.GOING_TO_SLEEP)
    raise Refusal(ForkText.NO_TWO_WAYS)
