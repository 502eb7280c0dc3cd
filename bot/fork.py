"""Fork: two ways on from a story, and whoever reads them votes for how it goes on.

Two stories are written at once, shown on one card, and voted on for some minutes; the winner
becomes a story of its own below. Votes are in memory only (`bot.votes`). After a restart the card
says that nobody counted, and the one who asked chooses.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self, assert_never

import discord
from discord.utils import MISSING

from bot.actions import FINAL, STATE, ButtonState
from bot.delivery import PAUSES
from bot.errors import UNREACHABLE, Refusal, is_gone, is_transient, kind_of, may_not
from bot.fork_card import Fork, card, read
from bot.fork_texts import ForkText
from bot.fork_writing import write_both
from bot.items import PersistentItem
from bot.names import Name
from bot.permissions import check_owner
from bot.services import Services, services_of
from bot.targets import Response
from bot.translations import Text
from bot.votes import End, Vote, Way

ASKS = 2  # of the limiter: two stories are written
VOTE = 180.0  # seconds in which people vote ...
LEAST_VOTE = 60.0  # ... or at least so many; with less time, nobody is asked
TOKEN = 14 * 60.0  # seconds after the press in which its token, which lives for 15 minutes, is used
PACE = 1.0  # seconds between two edits that show new counts

_log = logging.getLogger(__name__)


class ForkButton(
    PersistentItem[discord.ui.Button[discord.ui.LayoutView]],
    template=rf"pooh:(?P<what>vote|count|take)-(?P<way>[ab]):{STATE}",
):
    """A button of a fork's card, new or as old as the card.

    It votes for a way, has the votes counted now, or goes on with a way that was not told yet.
    """

    def __init__(
        self,
        what: str,
        way: Way,
        state: ButtonState,
        label: str = "",
        style: discord.ButtonStyle = discord.ButtonStyle.primary,
    ) -> None:
        custom_id = f"pooh:{what}-{way.value}:{state.code}"
        super().__init__(discord.ui.Button(label=label, style=style, custom_id=custom_id))
        self.what = what
        self.way = way
        self.state = state

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Read from its id."""
        return cls(match["what"], Way(match["way"]), ButtonState.of(match), "-")

    async def press(self, interaction: discord.Interaction, response: Response) -> None:
        """Do what it says."""
        if self.what == "take":
            await _take(interaction, response, self.way, self.state)
        else:
            way = None if self.what == "count" else self.way
            await _vote(interaction, response, way, self.state)


@dataclass(frozen=True)
class _Shown:
    """A card, and the response that it is shown in.

    Attributes:
        services: of the bot.
        response: which shows it.
        fork: what it offers.
        state: what its buttons remember; see `fork_writing`.
    """

    services: Services
    response: Response
    fork: Fork
    state: ButtonState

    async def votes(self, vote: Vote, when: str, pauses: Sequence[float] = PAUSES) -> None:
        """The votes, so far; they are counted in the message that shows them."""
        counts, language = vote.counts, self.response.language
        buttons: list[ForkButton] = [
            ForkButton("vote", way, self.state, f"{way.name} · {counts[way]}") for way in Way
        ]
        grey, now = discord.ButtonStyle.secondary, language.say(Name.COUNT_NOW)
        buttons.append(ForkButton("count", Way.A, self.state, now, grey))
        line = language.say(ForkText.VOTE, when=when)
        self.services.votes.place(vote, await self._show(line, self.fork, buttons, pauses))

    async def rest(self, text: ForkText, **values: object) -> None:
        """Nobody votes; the one who asked can go on with what is there."""
        line = self.response.language.say(text, **values)
        await self._show(line, self.fork, self._offers(self.fork))

    async def told(self, way: Way, text: ForkText, **values: object) -> None:
        """One way was told; the other is not lost."""
        left, language = self.fork.without(way), self.response.language
        if way in left.ways:  # it was the last one
            await self._show(language.say(ForkText.BOTH_TOLD, way=way.name), left, [])
        else:
            line = language.say(text, way=way.name, other=way.other.name, **values)
            await self._show(line, left, self._offers(left))

    async def tell(self, way: Way, card: int) -> bool:
        """That way as a story's message, with all that belongs to one.

        Args:
            way: which.
            card: the id of the card's message, below which it is told once, whoever asks for it.

        Returns:
            Whether it is known to stand there: answers may be lost, and then who presses again gets
            the same message, or another where there is no nonce.

        Raises:
            OSError, aiohttp.ClientError, discord.HTTPException: Discord refuses it.
        """
        pages = self.state.pages
        pages = pages and pages.turned(1 if way is Way.B else 0)
        language = self.response.language
        buttons = self.services.stories.make_buttons(
            FINAL, replace(self.state, pages=pages), language
        )
        content, below = self.fork.told(way), self.response.follow_up(f"{card} {way.value}")
        try:
            await below.tell(self.services.delivery, content, buttons, once=True)
        except UNREACHABLE as error:
            if not is_transient(error):
                raise
            _log.warning("nobody knows whether a story was told: %s", kind_of(error))
            return False
        return True

    def _offers(self, fork: Fork) -> list[ForkButton]:
        say = self.response.language.say
        return [
            ForkButton("take", way, self.state, say(Name.GO_ON_WITH, way=way.name))
            for way in fork.ways
        ]

    async def _show(
        self,
        line: str,
        fork: Fork,
        buttons: Sequence[ForkButton],
        pauses: Sequence[float] = PAUSES,
    ) -> int:
        view = card(line, fork, buttons, self.response.language)
        return await self.services.delivery.send(
            lambda: self.response.show(MISSING, view), pauses=pauses
        )


async def fork_story(
    interaction: discord.Interaction, response: Response, state: ButtonState
) -> None:
    """The button under a story.

    Args:
        interaction: the press.
        response: to it.
        state: what the button remembers of the story.

    Raises:
        Refusal: there is nothing to go on from, or to choose from; too many asks, a word that is
            refused, a full queue, a vote about this story already, or the bot is going to sleep.
    """
    services, message = services_of(interaction), interaction.message
    assert message is not None
    services.stories.check_has_ended(message.id)
    person = interaction.user.id
    response.is_private = message.flags.ephemeral
    with services.votes.opened(message.id, person) as vote:
        services.stories.check_rate_limit(person, ASKS)
        deadline = services.clock.monotonic() + TOKEN
        written = await write_both(services, response, vote, state, message, person, interaction.id)
        shown = _Shown(services, response, *written)
        if vote.end is End.GONE:
            return
        alone = response.is_private or interaction.context.dm_channel
        seconds = min(VOTE, deadline - services.clock.monotonic())
        if vote.end is End.CLOSED:
            await shown.rest(ForkText.UNCOUNTED)
        elif alone or seconds < LEAST_VOTE:
            await shown.rest(ForkText.CHOOSE)
        else:
            await _hold(shown, vote, seconds)
            await _decide(shown, vote)


async def _hold(shown: _Shown, vote: Vote, seconds: float) -> None:
    """Show the card and its counts until the vote is over: in time, or before."""
    clock = shown.services.clock
    until = clock.monotonic() + seconds
    when = f"<t:{int(clock.now() + seconds)}:R>"
    await shown.votes(vote, when)
    while vote.end is None and (left := until - clock.monotonic()) > 0:
        if not await clock.wait(vote.changed, left) or vote.end is not None:
            continue
        vote.changed.clear()
        try:
            await shown.votes(vote, when, pauses=())  # the next edit says more
        except UNREACHABLE as error:
            if is_gone(error):
                vote.finish(End.GONE)
            _log.warning("counts could not be shown: %s", kind_of(error))
        await clock.wait(vote.over, max(0.0, min(PACE, until - clock.monotonic())))
    vote.finish(End.COUNTED)


async def _decide(shown: _Shown, vote: Vote) -> None:
    """What a vote that is over leads to."""
    assert vote.end is not None
    match vote.end:
        case End.GONE:
            return
        case End.CLOSED:
            await shown.rest(ForkText.UNCOUNTED)
        case End.COUNTED:
            await _carry_out(shown, vote)
        case _:
            assert_never(vote.end)


async def _carry_out(shown: _Shown, vote: Vote) -> None:
    counts, winner = vote.counts, vote.winner
    most, least = max(counts[way] for way in Way), min(counts[way] for way in Way)
    if winner is None:
        return await shown.rest(ForkText.TIED, votes=most)
    try:  # who took the card away wants no story
        card = await shown.services.delivery.send(shown.response.original)
        is_told = await shown.tell(winner, card.id)
    except UNREACHABLE as error:
        if is_gone(error):
            raise
        _log.warning("what won could not be told: %s", kind_of(error))
        await shown.rest(ForkText.UNTOLD, way=winner.name, most=most, least=least)
        if may_not(error):
            raise
        return None
    if not is_told:
        return await shown.rest(ForkText.UNANSWERED, way=winner.name)
    text = ForkText.WON if most > least else ForkText.WON_TIE
    return await shown.told(winner, text, most=most, least=least)


async def _vote(
    interaction: discord.Interaction, response: Response, way: Way | None, state: ButtonState
) -> None:
    """A vote for a way; without one, the votes are to be counted now."""
    services, message = services_of(interaction), interaction.message
    assert message is not None
    vote = services.votes.at(message.id)
    if way is None:
        check_owner(interaction, state.owner, ForkText.MAY_NOT_CHOOSE)
    if vote is None:
        return await _bring_to_rest(interaction, response, state)
    if way is not None:
        vote.cast(interaction.user.id, way)
    else:
        vote.finish(End.COUNTED)
    await response.acknowledge()
    return None


async def _bring_to_rest(
    interaction: discord.Interaction, response: Response, state: ButtonState
) -> None:
    """Nobody counts here, although the card said so when a button was pressed.

    Either the vote has just ended, and the card says so by now; or the bot went away meanwhile.
    """
    services = services_of(interaction)
    await response.acknowledge()
    fork, is_open = read(await services.delivery.send(response.original))
    if fork is not None and is_open:
        await _Shown(services, response, fork, state).rest(ForkText.UNCOUNTED)


async def _take(
    interaction: discord.Interaction, response: Response, way: Way, state: ButtonState
) -> None:
    """Go on with a way that was not told yet; a second press finds nothing to do.

    Raises:
        Refusal: they may not, or it holds a word that is refused by now.
    """
    services, message = services_of(interaction), interaction.message
    assert message is not None
    check_owner(interaction, state.owner, ForkText.MAY_NOT_CHOOSE)
    with services.votes.choosing(message.id) as first:
        await response.acknowledge()
        if not first:
            return
        fork, is_open = read(await services.delivery.send(response.original))
        if fork is None or is_open or way not in fork.ways:
            return
        if services.words.refuses(fork.prompt + fork.ways[way].story):
            raise Refusal(Text.RATHER_NOT)
        shown = _Shown(services, response, fork, state)
        if await shown.tell(way, message.id):
            await shown.told(way, ForkText.CHOSEN)
        else:
            await shown.rest(ForkText.UNANSWERED, way=way.name)
