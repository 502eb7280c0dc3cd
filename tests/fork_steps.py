"""What tests of forks do again and again: begin one, read its card, vote, let the vote run out."""

from typing import Any

from bot.fork import VOTE
from bot.fork_texts import ForkText
from bot.languages import Language
from bot.messages import parse
from tests.bot_steps import told
from tests.fake_discord import Channel, Interaction, Message, Person
from tests.fake_discord.rules import COMPONENTS_V2, TEXT_DISPLAYS, walk
from tests.hosting import Stage, finished

say = Language.ENGLISH.say
TAKE = ["Go on with A", "Go on with B"]


def away(wood: Stage) -> Channel:
    """A channel where only people have installed the bot."""
    return wood.server.add_channel(wood.server.add_guild("Elsewhere", installed=False))


async def begin(wood: Stage, person: Person, **options: Any) -> Message:  # noqa: ANN401
    return await told(wood, person.command("pooh", **{"prompt": "The bee", **options}))


async def forked(wood: Stage, use: Interaction) -> Message:
    """The card that answers, with both ways."""
    message = await use.answer()
    await wood.server.until(lambda: message.components, "a card")
    check_card(message)
    assert len(ways(message)) == 2
    return message


def check_card(message: Message) -> None:
    assert message.flags & COMPONENTS_V2 and not message.content and not message.attachments
    assert say(ForkText.HOW_ON) in message.text and len(message.text) <= TEXT_DISPLAYS


def texts(message: Message) -> list[str]:
    return [part["content"] for part in walk(message.components) if part["type"] == 10]


def ways(message: Message) -> list[str]:
    """The texts of both ways on a card that has them."""
    found = texts(message)
    return [parse(found[i]).story.removeprefix("...") for i in (2, 4)] if len(found) == 6 else []


def line(message: Message) -> str:
    return texts(message)[0].partition("\n")[2]


def counts(message: Message) -> list[str]:
    return list(message.buttons)[:2]


def below(message: Message) -> list[Message]:
    """The stories that were posted after a card, to its channel."""
    return [
        m for m in message.channel.messages.values() if m.mine and m.id > message.id and finished(m)
    ]


async def vote(wood: Stage, person: Person, card: Message, way: str) -> Interaction:
    use = person.press(card, next(label for label in card.buttons if label.startswith(way)))
    await wood.server.until(lambda: use.answered)
    return use


async def in_time(wood: Stage, card: Message, condition: Any) -> None:  # noqa: ANN401
    """Lets the vote run out, and waits for what comes of it."""
    await wood.pass_seconds(1.5)
    wood.clock.advance(VOTE)
    await wood.server.until(condition, "the end of a vote")
    await wood.server.until(lambda: not len(wood.bot.services.votes))
    check_card(card)
