"""What tests of the bot do again and again: wait for a story, read it, press a button."""

import re
from typing import Any

from bot import messages
from tests.fake_discord import (
    Interaction,
    Message,
    Person,
)
from tests.hosting import Stage, finished

STORY_BUTTONS = ["Again", "Continue", "Wilder", "Calmer", "Delete", "How?", "Keep", "Fork"]


async def told(theatre: Stage, use: Interaction) -> Message:
    """The story that answers a use of the bot, when it has ended."""
    return await theatre.server.until(
        lambda: next((m for m in use.messages if finished(m)), None), f"the story for {use}"
    )


async def changed(theatre: Stage, message: Message, edits: int) -> Message:
    """The message when it has ended a story after that many edits."""
    return await theatre.server.until(
        lambda: finished(message) if len(message.edits) > edits else None, "another story in it"
    )


async def reply_to(theatre: Stage, message: Message) -> Message:
    """The bot's story in reply to a person's message."""
    return await theatre.server.until(
        lambda: next(
            (m for m in message.channel.messages.values()
             if m.mine and m.reference is message and finished(m)),
            None,
        ),
        "a reply",
    )  # fmt: skip


async def refusal(use: Interaction) -> Message:
    """The answer, which must be short, kind and for the one who asked only."""
    message = await use.answer()
    assert message.ephemeral and not message.buttons
    assert 0 < len(message.content) < 200
    assert not re.search(r"Traceback|Error|Exception|/home|\.py|None", message.content)
    return message


def retold(message: Message) -> list[Message]:
    """What a circle's end has told once more, below its last message, to all."""
    return [
        m for m in message.channel.messages.values()
        if m.mine and m.id > message.id and not m.buttons and not m.ephemeral
    ]  # fmt: skip


def note(message: Message) -> str:
    """The small line under a story."""
    return message.content.rpartition("\n-# ")[2]


def seed(message: Message) -> int:
    found = re.search(r"seed (\d+)", note(message))
    assert found
    return int(found[1])


def continues(text: str, prompt: str) -> bool:
    """Whether a prompt is the end of a text, perhaps with a mark that it goes on."""
    return text.rstrip().endswith(prompt.removeprefix(messages.GOES_ON))


def page(message: Message) -> messages.Page:
    return messages.parse(message.content)


def use_message(use: Interaction) -> Message:
    assert use.original
    return use.original


async def begun(
    wood: Stage,
    person: Person,
    stop: str = "Stop",
    **options: Any,  # noqa: ANN401
) -> Message:
    """A story that is being written and shows its Stop button; the network is held."""
    wood.decoder.hold()
    use = person.command("pooh", **options)
    await wood.server.until(lambda: use.original)
    wood.decoder.allow(60)
    story = use_message(use)
    await wood.until(lambda: stop in story.buttons)
    return story
