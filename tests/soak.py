"""A long day in bad weather: python -m tests.soak [--people 150] [--uses 3000] [--model pooh].

The bot runs in a process of its own, as a host runs it, with a real model, and talks to the
stand-in for Discord in this process over real sockets, in real time, under rate limits like
Discord's. So many people use it in every way there is, while answers are lost before and after
requests were carried out, come late, are 429 or 5xx, the gateway breaks, tokens die, channels are
deleted, AutoMod blocks, and the bot may not write. At the end a table says what became of each use.
The exit code is 1 when one was left loading or unanswered, was answered twice or with another's
story, when memory grew, or when the bot did not go to sleep in time with a clean log. The table is
Markdown, with the kind of machine, for docs/performance.md.
"""

import argparse
import asyncio
import contextlib
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bot.messages import parse  # noqa: E402
from tests.fake_discord import (  # noqa: E402
    MANAGE_GUILD,
    PRIVATE,
    VIEW,
    ApiError,
    Channel,
    Cut,
    DiscordServer,
    Fault,
    Interaction,
    Message,
    Person,
    RefusedError,
    Request,
    describe,
    too_many,
)
from tests.soak_process import Process, Report, machine  # noqa: E402

PATIENCE = 120.0  # seconds a person waits for an answer before doing something else
QUIET = 400.0  # seconds at the end until everything is at rest: a story may take 300
EAGER = 0.002  # of looks at circles, in which somebody presses though Pooh is about to answer
FLAT = 24.0  # MB that the bot may grow in the second half
# How many of a thousand requests meet which fault.
WEATHER: dict[str, int] = {
    "connection reset before": 8,
    "connection reset after": 8,
    "connection closed before": 8,
    "connection closed after": 8,
    "502 before": 4,
    "502 after": 4,
    "429": 8,
    "slow answer": 15,
    "400": 2,
}


@dataclass(eq=False)
class Use:
    """One use of the bot: an interaction, or a message that asks for a story."""

    what: str
    mark: str
    asked: Interaction | Message
    at_home: bool = True
    end: str = ""  # what had become of it when somebody last looked, if it had ended well


class Soak:
    """The day."""

    def __init__(
        self,
        server: DiscordServer,
        people: int,
        uses: int,
        seed: int,
        severity: int,
        circles: float,
    ) -> None:
        self.server = server
        self.report = Report()
        self._left = uses
        self._severity = severity
        self._circles = circles
        self._chance = random.Random(seed)
        self._people = [server.person(f"Relation {i}") for i in range(people)]
        for manager in self._people[::5]:
            manager.permissions |= MANAGE_GUILD
        self._done: list[Use] = []
        self._stories: list[Message] = []
        self._forms: list[Interaction] = []  # that nobody has filled in yet
        self._channels = [server.add_channel(server.guild) for _ in range(max(4, people // 8))]
        self._strict = server.add_channel(server.guild)
        self._strict.blocked = ("honey", " the ")
        self._closed = server.add_channel(server.guild)
        self._closed.bot_permissions = VIEW
        self._group = server.add_channel(None, *self._people, context=PRIVATE)
        server.random_fault = self._weather

    # The weather

    def _weather(self, request: Request) -> Fault | None:
        if not request.route.startswith(("/interactions", "/webhooks", "/channels")):
            return None
        lot = self._chance.randrange(1000)
        for name, share in WEATHER.items():
            lot -= share * self._severity
            if lot < 0:
                self.report.faults[name] += 1
                return self._fault(name, request)
        return None

    def _fault(self, name: str, request: Request) -> Fault:
        after = name.endswith("after")
        if name.startswith("connection"):
            cut = Cut.RESET if "reset" in name else Cut.CLOSED
            return Fault("", "", cut, carried_out=after)
        if name.startswith("502"):
            return Fault("", "", ApiError(502, 0, "bad gateway"), carried_out=after)
        if name == "429":
            return Fault("", "", too_many(0.3))
        if name == "400":
            return Fault("", "", ApiError(400, 50035, "Invalid Form Body"))
        return Fault("", "", delay=self._chance.uniform(0.2, 2.0))

    async def storms(self) -> None:
        """The gateway breaks, and channels are deleted, now and then."""
        while True:
            await asyncio.sleep(self._chance.uniform(6.0, 12.0) / self._severity)
            self.server.gateway.drop()
            self.report.faults["gateway broken"] += 1
            await asyncio.sleep(self._chance.uniform(3.0, 6.0) / self._severity)
            self.server.remove_channel(self._channels.pop(0))
            self._channels.append(self.server.add_channel(self.server.guild))
            self.report.faults["channel deleted"] += 1

    # The people

    async def live(self, person: Person) -> None:
        """One person's day."""
        await asyncio.sleep(self._chance.uniform(0.0, 3.0))
        while self._left > 0:
            self._left -= 1
            try:
                use = self._use(person)
            except RefusedError:  # somebody else was quicker: that button is not there any more
                self._left += 1
                await asyncio.sleep(0.1)
                continue
            self.report.uses[use.what] += 1
            self._done.append(use)
            if isinstance(use.asked, Interaction) and self._chance.random() < 0.02:
                asyncio.get_running_loop().call_later(1.5, self._expire, use.asked)
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until and not use.end:
                await asyncio.sleep(0.1)
                end, good = self._end(use)
                use.end = end if good else ""
            self._stories += [
                message
                for message in _messages(use)
                if "Again" in message.buttons and message not in self._stories
            ]
            await asyncio.sleep(self._chance.uniform(0.0, 0.5))

    def _expire(self, use: Interaction) -> None:
        """Its token dies, but not before the bot could use it once.

        Discord's live for a quarter of an hour. By then the bot has learned which message is its
        answer, even when the first response was lost and a busy machine was slow to ask.
        """
        used = any(
            use.token in request.path and request.route.startswith("/webhooks")
            for request in self.server.log
            if request.status < 300
        )
        if not used:
            asyncio.get_running_loop().call_later(0.5, self._expire, use)
            return
        use.expired = True
        self.report.faults["token dead"] += 1

    def _use(self, person: Person) -> Use:
        chance = self._chance
        mark = f"number {len(self._done) + 1}"
        prompt = f"Friend {mark}, who liked {chance.choice(('honey', 'tea', 'cake'))}"
        lot = chance.random()
        place = chance.choice(
            [*self._channels, *self._channels, self._strict, self._closed, self._group]
        )
        at_home = place is not self._group
        self._forms = [use for use in self._forms if use.modal or use.answered is None]
        sees_form = any(use.person is person and use.modal for use in self._forms)
        if sees_form or (self._circles and chance.random() < self._circles):
            return self._use_circle(person, place, mark)
        stories = [story for story in self._stories if not story.deleted]
        if lot < 0.40 or not stories:
            use = person.command(
                "pooh", where=place, prompt=prompt, length=chance.randint(10, 80), temperature=0.7
            )
            return Use("/pooh", mark, use, at_home)
        if lot < 0.45:
            return Use(
                "refused /pooh", "", person.command("pooh", where=place, prompt="🐝"), at_home
            )
        if lot < 0.50:
            managers = person.permissions & MANAGE_GUILD and place.guild
            name = chance.choice(("about", "help", "race"))
            if len(self._done) % 2:
                name = "setup" if managers else "privacy"
            return Use(f"/{name}", "", person.command(name, where=place), at_home)
        if lot < 0.60:
            where = chance.choice((*self._channels, self._strict, self._closed))
            return Use("mention", mark, person.say(f"@pooh {prompt}", where))
        if lot < 0.64:
            return Use("private message", mark, person.say(prompt, self.server.dm(person)))
        story = chance.choice(stories)
        at_home = story.channel is not self._group
        if lot < 0.68:
            return Use("menu", "", person.menu("Continue as Pooh", story), at_home)
        if lot < 0.72 and at_home:
            return Use("reply", "", person.say("and then", reply_to=story))
        if lot < 0.76:
            busy = [
                message
                for channel in self.server.channels.values()
                for message in channel.messages.values()
                if "Stop" in message.buttons
            ]
            if busy:
                story = chance.choice(busy)
                at_home = story.channel is not self._group
                return Use("Stop", "", person.press(story, "Stop"), at_home)
        if lot < 0.80:
            cards = [
                message
                for channel in self.server.channels.values()
                for message in channel.messages.values()
                if "Count now" in message.buttons or "Who was who?" in message.buttons
            ]
            if cards:
                story = chance.choice(cards)
                label = chance.choice([*list(story.buttons)[:2] * 3, list(story.buttons)[-1]])
                at_home = story.channel is not self._group
                return Use("vote", "", person.press(story, label), at_home)
        if lot < 0.88:
            return self._use_circle(person, place, mark)
        label = chance.choice([text for text in _BUTTONS if text in story.buttons] or ["Delete"])
        return Use(label, "", person.press(story, label), at_home)

    def _use_circle(self, person: Person, place: Channel, mark: str) -> Use:
        """Begins a story circle, fills in a form that this person sees, or presses its buttons."""
        at_home, chance = place is not self._group, self._chance
        sentence = f"Then came {mark}, who liked tea."
        if forms := [use for use in self._forms if use.person is person and use.modal]:
            self._forms.remove(form := forms[0])
            at_home = form.channel is not self._group
            use = person.submit(form, sentence=sentence)
            return Use("sentence", "", use, at_home)
        circles = [
            message
            for channel in self.server.channels.values()
            for message in channel.messages.values()
            if "Add a sentence" in message.buttons and not message.ephemeral
        ]
        if circles and chance.random() >= EAGER:
            circles = [message for message in circles if not _is_told(message)]
            if not circles:
                raise RefusedError("Pooh is about to answer")
        if not circles or chance.random() < 0.2:
            use = person.command("circle", where=place, sentence=sentence)
            return Use("/circle", "", use, at_home)
        message = chance.choice(circles)
        label = chance.choice(("Add a sentence",) * 6 + ("Undo", "The end"))
        use = person.press(message, label)
        if label == "Add a sentence":
            self._forms.append(use)
        return Use(label, "", use, message.channel is not self._group)

    # What became of it

    def _end(self, use: Use) -> tuple[str, bool]:
        """How a use ended, and whether it has ended well or cannot end better."""
        asked = use.asked
        if isinstance(asked, Message):
            return self._end_of_message(use, asked)
        gone = asked.channel.id not in self.server.channels
        if gone and use.end:
            return use.end, True
        if asked.answered is None:
            codes = {
                request.code
                for request in self.server.log
                if request.route.startswith("/interactions") and asked.token in request.path
            }
            if 10062 in codes:
                return "too late for Discord", True
            return ("channel deleted", True) if gone else (f"no answer {codes or ''}", False)
        message = asked.source if asked.response_type == 6 else asked.original
        if gone:
            return "channel deleted", True
        if asked.modal is not None:
            return "a form", True
        assert message is not None
        if message.deleted:
            told = any(word.ephemeral for word in asked.followups)
            return ("taken back and explained", True) if told else ("deleted", True)
        if message.loading or "Stop" in message.buttons:
            if asked.expired and not use.at_home:
                return "token dead, and the bot is not at home there", True
            return ("loading", False) if message.loading else ("writing", False)
        if any(word.ephemeral for word in asked.followups):
            return "explained", True
        if use.what in ("sentence", "/circle") and not message.ephemeral:
            busy = _is_told(message)
            if busy and use.end:  # the turn of somebody after it is being written, or was cut off
                return use.end, True
            if busy and asked.expired:  # after a minute whoever presses goes on from there
                return "token dead, and the sentence stands there", True
            return ("writing", False) if busy else ("a circle", True)
        if "Again" in message.buttons:
            return "a story", True
        return "a word", True

    def _end_of_message(self, use: Use, asked: Message) -> tuple[str, bool]:
        if asked.channel.id not in self.server.channels:
            return use.end or "channel deleted", True
        replies = _messages(use)
        if any(message.loading or "Stop" in message.buttons for message in replies):
            return "writing", False
        if replies:
            return "a story", True
        posts = [
            request
            for request in self.server.log
            if request.route.startswith("/channels") and request.method == "POST"
            if isinstance(request.body, dict)
            and str(request.body.get("nonce", "")).endswith(str(asked.id))
        ]
        if any(request.status == 200 for request in posts):
            return "explained", True
        # Who is told something in a channel is told nothing more for 15 seconds.
        return ("no answer", False) if not posts else ("refused by Discord", True)

    async def rest(self) -> None:
        """Wait until everything is at rest."""
        until = time.monotonic() + QUIET
        while time.monotonic() < until:
            if all(self._end(use)[1] for use in self._done if use.what not in _MAY_BE_SILENT):
                return
            await asyncio.sleep(0.5)

    def judge(self) -> None:
        """Write down how every use ended, and what is wrong."""
        report = self.report
        for use in self._done:
            end, good = self._end(use)
            if not good and end.startswith("no answer") and use.what in _MAY_BE_SILENT:
                end, good = "silent: was told a moment before", True
            report.ends[end] += 1
            if not good:
                report.wrong.append(f"{use.what} {use.mark}: {end} ({self._history(use)})")
            messages = _messages(use)
            stories = [m for m in messages if "Again" in m.buttons]
            if len(stories) > 1:
                report.wrong.append(f"{use.what} {use.mark}: {len(stories)} stories")
            for message in messages:
                report.wrong += self._mixed(use, message)
        report.wrong += self.server.violations()[:10]
        waits = sorted(
            use.asked.answered - use.asked.created
            for use in self._done
            if isinstance(use.asked, Interaction) and use.asked.answered is not None
        )
        if waits:
            middle, most = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
            report.notes.append(
                ("first response", f"median {middle:.2f} s, 99 of 100 within {most:.2f} s")
            )

    def _history(self, use: Use) -> str:
        """What the bot has asked Discord for it, and what became of that."""
        asked = use.asked
        known = asked.token if isinstance(asked, Interaction) else str(asked.id)
        return ", ".join(
            f"{request.method} after {request.at - asked.created:.1f} s: "
            f"{request.status} {request.code}"
            for request in self.server.log
            if known in request.path or known in str(request.body)
        )

    def _mixed(self, use: Use, message: Message) -> Iterator[str]:
        """Texts in a message that belong to another use."""
        if not use.mark or "Again" not in message.buttons:
            return
        for _, text in message.edits[1:]:
            numbers = re.findall(r"number (\d+),", parse(text).prompt)
            if numbers and f"number {numbers[0]}" != use.mark:
                yield f"{use.what} {use.mark}: shows {numbers}"


_BUTTONS = (
    *("Again", "Again", "Continue", "Continue", "Wilder", "Calmer", "◀", "▶", "Delete"),
    *("How?", "Keep", "Fork"),
    *("Yes, delete it", "No, leave it"),
)
_MAY_BE_SILENT = ("mention", "private message", "reply")


def _is_told(message: Message) -> bool:
    """Whether a circle's message says that Pooh is about to answer."""
    ids = [button["custom_id"] for button in message.buttons.values()]
    return any(re.fullmatch(r"pooh:circle:.*w", custom_id) for custom_id in ids)


def _messages(use: Use) -> list[Message]:
    """The stories and words that answer it, where everybody sees them."""
    asked = use.asked
    if isinstance(asked, Interaction):
        return [message for message in asked.messages if not message.ephemeral]
    return [
        message
        for message in asked.channel.messages.values()
        if message.mine and message.reference is asked and message.buttons
    ]


async def soak(
    people: int, uses: int, model: str, seed: int = 0, severity: int = 1, circles: float = 0.0
) -> Report:
    """Run the whole day.

    Args:
        people: who use the bot at the same time.
        uses: of all of them together.
        model: a name or a path, as POOH_MODEL.
        seed: of what people do, and of the weather.
        severity: of the weather; 1 is what the table `WEATHER` says.
        circles: the share of uses that are of story circles, beside those there are anyway.
    """
    kind = machine()
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = await stack.enter_async_context(DiscordServer(schemas=describe()))
        bot = await Process.start(server, model, folder / "pooh.db")
        early = server.person("Early Bird").command("how", text="Here is Edward Bear")
        # What draws pictures is loaded once; memory is compared after that.
        await server.until(lambda: early.original and early.original.attachments)
        day = Soak(server, people, uses, seed, severity, circles)
        report = day.report
        report.setting.append(("machine", kind))
        setting = f"{people}, {Path(model).stem}, {severity}"
        report.setting.append(("people, model, weather", setting))
        began = time.monotonic()
        storms = asyncio.create_task(day.storms())
        crowd = asyncio.gather(*map(day.live, day._people))
        while day._left > uses / 2:
            await asyncio.sleep(0.2)
        half = bot.resident()
        await crowd
        storms.cancel()
        server.random_fault = lambda _: None
        await day.rest()
        whole = bot.resident()
        report.notes.append(("time", f"{time.monotonic() - began:.0f} s"))
        report.notes.append(("requests", f"{len(server.log):,}"))
        report.notes.append(("memory", f"{half:.0f} MB after half, {whole:.0f} MB at the end"))
        if whole - half > FLAT:
            report.wrong.append(f"memory grew by {whole - half:.0f} MB")
        day.judge()
        await bot.stop(report)
    return report


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--people", type=int, default=150)
    parser.add_argument("--uses", type=int, default=3000)
    parser.add_argument("--model", default="pooh")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--severity", type=int, default=1, help="of the weather")
    parser.add_argument("--circles", type=float, default=0.0, help="share of story circles")
    options = parser.parse_args()
    report = asyncio.run(soak(**vars(options)))
    print(report)
    return bool(report.wrong)


if __name__ == "__main__":
    sys.exit(main())
