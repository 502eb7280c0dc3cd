"""The card of a fork: two ways on from a story, each readable in full. Made, and read back.

The card holds all that is needed to go on with either way, so its buttons work after a restart.
As every card, it holds the text that it is about in its last part, in the form of a story: what
both go on from, and when one of them was told, the other.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot import cards, messages, seen
from bot.fork_texts import ForkText
from bot.languages import Language
from bot.messages import Page
from bot.votes import Way

LONGEST = 1000  # characters of a way that are written
HALF = 1450  # characters that one takes on the card: of 4,000, two, ...
BEGINNING = 700  # ... what they go on from, and some 400 for the words above
_LEAD = "..."  # before a way's text, that goes on from something
_OFFER = re.compile(r"pooh:(?P<what>vote|take)-(?P<way>[ab]):")


@dataclass(frozen=True)
class Half:
    """One way on.

    Attributes:
        story: what was written.
        cut: it stops in mid-sentence.
        note: the small line below it.
    """

    story: str
    cut: bool
    note: str

    def held(self) -> str:
        """As a card with both holds it."""
        return messages.build(Page("", _LEAD + self.story, self.cut), self.note, HALF)

    @classmethod
    def of(cls, content: str) -> "Half":
        """Read back from what `held` made."""
        page, note = messages.parse(content), messages.split_note(content)[1]
        return cls(page.story.removeprefix(_LEAD), page.cut, note)


@dataclass(frozen=True)
class Fork:
    """Two ways on, or the one that was not told yet.

    Attributes:
        prompt: the end of what they go on from.
        ways: them.
    """

    prompt: str
    ways: Mapping[Way, Half]

    def told(self, way: Way) -> str:
        """That way as a story's message."""
        half = self.ways[way]
        return messages.build(Page(self.prompt, half.story, half.cut), half.note)

    def without(self, way: Way) -> "Fork":
        """When that way was told; the last one stays."""
        left = {w: half for w, half in self.ways.items() if w is not way}
        return Fork(self.prompt, left or self.ways)


def as_held(fork: Fork, language: Language) -> Fork:
    """What a card can hold of it: what is told of it later is what stands there."""
    ways = {way: Half.of(half.held()) for way, half in fork.ways.items()}
    return Fork(messages.parse(_beginning(fork.prompt, language)).prompt, ways)


def card(
    line: str, fork: Fork, buttons: Sequence[cards.Item], language: Language
) -> discord.ui.LayoutView:
    """The card.

    Args:
        line: what it says above.
        fork: what it shows.
        buttons: what can be pressed, if anything can.
        language: of its words.
    """
    parts = [cards.text(f"### {language.say(ForkText.HOW_ON)}\n{line}")]
    row = [cards.row(buttons)] if buttons else []
    if len(fork.ways) > 1:
        for way, half in fork.ways.items():
            parts += [discord.ui.Separator(), cards.text(f"**{way.name}**")]
            parts.append(cards.text(half.held()))
        parts += [*row, discord.ui.Separator(), cards.text(_beginning(fork.prompt, language))]
    else:
        (way,) = fork.ways
        parts += [discord.ui.Separator(), cards.text(fork.told(way)), *row]
    return cards.card(*parts)


def read(message: discord.Message) -> tuple[Fork | None, bool]:
    """What a card offers, and whether it says that votes are counted.

    None where it offers nothing any more, or is no card.
    """
    ids = list(_custom_ids(message.components))
    found = [match for match in map(_OFFER.match, ids) if match]
    offered = sorted({Way(match["way"]) for match in found})
    texts = list(seen.displays(message.components))
    if len(offered) == 2 and len(texts) == 6:  # title, name, way, name, way, beginning
        ways = dict(zip(offered, map(Half.of, (texts[2], texts[4])), strict=True))
        fork = Fork(messages.parse(texts[5]).prompt, ways)
    elif len(offered) == 1 and len(texts) == 2:
        page = messages.parse(texts[1])
        half = Half(page.story, page.cut, messages.split_note(texts[1])[1])
        fork = Fork(page.prompt, {offered[0]: half})
    else:
        return None, False
    return fork, any(match["what"] == "vote" for match in found)


def _beginning(prompt: str, language: Language) -> str:
    return messages.build(Page(prompt), language.say(ForkText.FROM_HERE), BEGINNING)


def _custom_ids(components: Iterable[Any]) -> Iterator[str]:
    for component in components:
        yield getattr(component, "custom_id", None) or ""
        yield from _custom_ids(getattr(component, "children", ()))
