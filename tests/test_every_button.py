"""Every button of every card: by owner, another and a moderator, everywhere, also after a restart.

One bot, and one table. A line is a press: where, before (1) or after (2) the restart, the card, the
button, and then who presses it, one after the other, and what comes of it. ``boss`` is the owner in
one half of the places and a moderator in the other; who is not in a place is passed over.
"""

import asyncio
import re
from dataclasses import dataclass, field

import pytest

from tests.bot_steps import told
from tests.fake_discord import (
    MANAGE_GUILD,
    PRIVATE,
    Channel,
    Interaction,
    Message,
    Person,
    RefusedError,
    Schemas,
)
from tests.hosting import Stage, stage
from tests.test_circle import at_rest, newest

# What comes of a press:
#   here    the message changes, for all who see it
#   gone    the message is deleted
#   new     another message, for all
#   own     another message, for the presser alone, with something to press
#   form    a form to fill in
#   no      a word that the presser alone reads, and the message stays as it is
#   unseen  Discord shows this person no such button
TABLE = """
all      -  story    again    other:new moderator:new owner:here
all      -  story    wilder   other:new moderator:new owner:here
all      -  story    calmer   other:new moderator:new owner:here
all      -  story    earlier  other:own moderator:own owner:here
all      -  story    later    other:own moderator:own owner:here
all      -  story    continue other:new moderator:new owner:new
all      -  story    how      other:own moderator:own owner:new
all      -  story    keep     other:own moderator:own owner:own
all      -  story    delete   other:no  owner:here
all      -  story    cancel   other:here
dm       -  story    cancel   owner:here
guild    -  story    delete   moderator:here
guild    -  story    confirm  other:no
guild    -  story    cancel   moderator:here
all      -  story    delete   owner:here
all      -  story    confirm  other:no boss:gone

all      -  sequel   continue other:new moderator:new owner:here
company  1  sequel   fork     other:no  moderator:no owner:no
company  2  sequel   fork     boss:new  other:no

all      -  how      next     other:own moderator:own owner:here
all      -  how      letters  other:own moderator:own owner:here
all      -  how      layers   other:own moderator:own owner:here

all      -  keep     name     other:unseen moderator:unseen owner:here
all      -  keep     show     other:unseen moderator:unseen owner:new

all      -  race     A        other:here moderator:here owner:here
all      -  race     B        other:here owner:here
all      -  race     C        other:here
all      -  race     who      other:no   boss:here

company  1  fork     vote-a   other:here moderator:here owner:here
company  1  fork     vote-b   other:here
company  1  fork     count    other:no   boss:here
company  -  fork     take     other:no   boss:new
dm       -  fork     take-a   owner:new
dm       -  fork     take-b   owner:new

all      -  circle   add      other:form moderator:form owner:form
company  -  circle   write    other:here
company  -  circle   add      other:no   owner:form
company  -  circle   undo     owner:no   other:here
guild    -  circle   write    other:here
guild    -  circle   undo     owner:no   moderator:here
dm       -  circle   write    owner:here
dm       -  circle   undo     owner:here
all      -  circle   end      other:no   boss:new

all      -  privacy  refuse   other:unseen moderator:unseen owner:here
all      -  privacy  allow    other:unseen moderator:unseen owner:here
home     -  setup    on       other:unseen moderator:unseen owner:here
home     -  setup    off      other:unseen moderator:unseen owner:here
"""


@dataclass
class Place:
    """Somewhere, with people of its own, and what stands there."""

    name: str
    where: Channel
    people: dict[str, Person]
    drawing: asyncio.Semaphore  # few may wait for a picture at a time
    deciding: asyncio.Lock  # what is set up in one place is set up for the whole server
    cards: dict[str, Message] = field(default_factory=dict)

    @property
    def kinds(self) -> set[str]:
        """Which lines are for it."""
        kinds = {"all", "dm" if "other" not in self.people else "company"}
        if self.where.guild:
            kinds.add("guild")
            kinds |= {"home"} if self.where.guild.installed else set()
        return kinds


def places(wood: Stage, number: int, drawing: asyncio.Semaphore) -> list[Place]:
    server, found, deciding = wood.server, list[Place](), asyncio.Lock()
    for name in ("server", "thread", "elsewhere", "group", "dm"):
        people = {
            who: server.person(f"{who.title()} {number}", moderator=who == "moderator")
            for who in ("owner", "other", "moderator")
            if (who != "moderator" or name in ("server", "thread", "elsewhere"))
            and (who == "owner" or name != "dm")
        }
        people["owner"].permissions |= MANAGE_GUILD
        boss = people.get("moderator") if (len(found) + number) % 2 else None
        people["boss"] = boss or people["owner"]
        match name:
            case "elsewhere":
                where = server.add_channel(server.add_guild("Elsewhere", installed=False))
            case "group":
                where = server.add_channel(None, *people.values(), context=PRIVATE)
            case "dm":
                where = server.dm(people["owner"])
            case _:
                where = server.add_channel(server.guild)
        if name == "thread":
            where = server.add_thread(where, "a thread", str(people["owner"].id))
        found.append(Place(name, where, people, drawing, deciding))
    return found


def custom_id(message: Message, button: str) -> str | None:
    """The id of a button, as its middle part begins; None if there is no such button."""
    for found in message.buttons.values():
        what = found["custom_id"].split(":", 3)[1:3]
        if any(part.startswith(button) for part in what) and not found.get("disabled"):
            return str(found["custom_id"])
    return None


def is_busy(message: Message) -> bool:
    ids = [button["custom_id"] for button in message.buttons.values()]
    return any(re.match(r"pooh:(stop:|circle:.*w$)", each) for each in ids)


async def make(wood: Stage, place: Place) -> None:
    """The owner asks for each card."""
    server, where, owner = wood.server, place.where, place.people["owner"]

    async def card(use: Interaction) -> Message:
        answer = await use.answer()
        return await server.until(lambda: answer if answer.buttons else None, f"a card: {use}")

    async def press(message: Message, button: str) -> Message:
        return await card(owner.press(message, custom_id=custom_id(message, button)))

    for name in ("story", "sequel"):
        use = owner.command("pooh", prompt="The bee", length=60, seed=7, where=where)
        place.cards[name] = await told(wood, use)
    async with place.drawing:
        place.cards["how"] = await press(place.cards["sequel"], "how")
        place.cards["keep"] = await press(place.cards["sequel"], "keep")
    place.cards["fork"] = await press(place.cards["sequel"], "fork")
    place.cards["race"] = await card(owner.command("race", prompt="The bee", where=where))
    use = owner.command("circle", sentence="A bee sat.", where=where)

    def begun() -> Message | None:
        if use.original is None or use.original.loading:
            return None
        thread = server.channels.get(use.original.id)
        return at_rest(newest(thread) if thread else use.original)

    place.cards["circle"] = await server.until(begun, "a circle")
    place.cards["privacy"] = await card(owner.command("privacy", where=where))
    if "home" in place.kinds:
        setup = place.cards["setup"] = await card(owner.command("setup", where=where))
        text_channel = where.parent or where
        owner.choose(setup, "pooh:setup:story_channel", text_channel)
        await server.until(lambda: custom_id(setup, "on"), "a channel for the story of the day")


async def outcome(wood: Stage, person: Person, message: Message, button: str) -> str:
    """Press, and see what comes of it."""
    server, edits, before = wood.server, len(message.edits), set(message.channel.messages)
    writes = button == "write"  # adds a sentence by the form that the press brings
    shown = "add" if writes else button
    number = await server.until(lambda: custom_id(message, shown), f"the button {button}")
    try:
        use = person.press(message, custom_id=number)
    except RefusedError:
        return "unseen"
    if writes:
        await server.until(lambda: use.modal, "a form")
        use = person.submit(use, sentence="It slept.")

    def found() -> str:
        # Where the bot is at home, what stands below is a message of its own that replies to this.
        own = [m for at, m in message.channel.messages.items() if at not in before and m.mine]
        said = [m for m in use.messages if not m.loading]
        if button.startswith(("take", "end")):
            said += [m for m in own if m.reference is message and m.interaction is None]
        if use.modal:
            return "form"
        if message.deleted:
            return "gone"
        if said and not said[0].ephemeral:
            return "" if is_busy(said[0]) else "new"
        if said:
            return "own" if said[0].buttons else "no"
        return "here" if len(message.edits) > edits and not is_busy(message) else ""

    result = await server.until(found, f"what comes of {button} by {person.name}")
    if button.startswith("take"):  # the card says so, too, a moment after
        await server.until(lambda: result == "no" or len(message.edits) > edits)
    await server.until(lambda: not is_busy(message))
    if result == "no":
        assert len(message.edits) == edits, f"{button} by {person.name} changed something"
    return result


async def drive(wood: Stage, place: Place, half: str, wrong: list[str]) -> None:
    """All presses in one place, and what came out otherwise than the table says."""
    lines = [line.split() for line in TABLE.splitlines() if line]
    mine = [line for line in lines if line[0] in place.kinds and line[1] in ("-", half)]
    setup = [line for line in mine if line[2] == "setup"]
    await press_all(wood, place, half, [line for line in mine if line not in setup], wrong)
    async with place.deciding:
        await press_all(wood, place, half, setup, wrong)


async def press_all(
    wood: Stage, place: Place, half: str, lines: list[list[str]], wrong: list[str]
) -> None:
    for _, _, card, button, *presses in lines:
        for press in presses:
            who, _, expected = press.partition(":")
            if who not in place.people:
                continue
            async with place.drawing:
                found = await outcome(wood, place.people[who], place.cards[card], button)
            if found != expected:
                wrong.append(f"{place.name}, {half}: {card} {button} by {who}: {found}, {expected}")


async def test_every_button_by_everybody_everywhere_before_and_after_a_restart(
    schemas: Schemas | None,
) -> None:
    async with stage(schemas=schemas) as wood:

        async def let_time_pass() -> None:
            while True:
                await wood.pass_seconds(0.1)

        wrong: list[str] = []
        passing = asyncio.create_task(let_time_pass())
        drawing = asyncio.Semaphore(6)
        first, second = places(wood, 1, drawing), places(wood, 2, drawing)
        for those in (first, second):
            await asyncio.gather(*(make(wood, place) for place in those))
        await asyncio.gather(*(drive(wood, place, "1", wrong) for place in first))
        await wood.restart()
        await asyncio.gather(*(drive(wood, place, "2", wrong) for place in second))
        passing.cancel()
        assert not wrong, "\n".join(wrong)
        assert not wood.stories.active
        with pytest.raises(asyncio.CancelledError):
            await passing
