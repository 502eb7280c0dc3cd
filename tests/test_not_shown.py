"""What Discord does not let the bot show, wherever it is: whoever asked is told why, and only they.

Each card has a way of its own to be shown. None answers "Bother!", as if something were broken.
"""

import pytest

from bot.languages import Language
from bot.translations import Text
from tests.fake_discord import ApiError, Message, Person
from tests.fork_steps import begin
from tests.hosting import Stage

BLOCKED = ApiError(400, 200000, "Message was blocked by automatic moderation")
FORBIDDEN = ApiError(403, 50013, "Missing Permissions")


async def shown(wood: Stage, person: Person, asks: str, *presses: str) -> Message:
    """A card, when these buttons were pressed on the way to it: they are named as their ids are."""
    if asks == "story":
        message = await begin(wood, person, length=60)
    else:
        message = await person.command(asks, prompt="The bee").answer()
        await wood.server.until(lambda: message.buttons, "a card")
    for press in presses:
        message = await person.press(message, custom_id=button(message, press)).answer()
        await wood.server.until(lambda: message.buttons, "a card")  # noqa: B023
    return message


def button(message: Message, what: str) -> str:
    ids = [str(button["custom_id"]) for button in message.buttons.values()]
    return next(each for each in ids if each.startswith(f"pooh:{what}"))


@pytest.mark.parametrize(
    ("error", "why"), [(BLOCKED, Text.BLOCKED), (FORBIDDEN, Text.MAY_NOT_WRITE)]
)
@pytest.mark.parametrize(
    "way", ["race race:A", "race race:who", "story how", "story how how:next", "story keep",
            "story keep keep:name", "story fork"],
)  # fmt: skip
async def test_a_card_that_may_not_be_shown_says_why(
    wood: Stage, way: str, error: ApiError, why: Text
) -> None:
    kanga = wood.server.person()
    asks, *presses, last = way.split()
    message = await shown(wood, kanga, asks, *presses)
    wood.server.fail("PATCH", "/webhooks", error)
    use = kanga.press(message, custom_id=button(message, last))
    said = await wood.until(lambda: next((m for m in use.messages if m.content), None))
    assert said.content == Language.ENGLISH.say(why) and said.ephemeral
