"""What the stand-in for Discord has seen of several processes, to hold their metrics against.

And what has become of each request for a story: told by what the processes have sent for it, not by
how its message looks, for several people may press the buttons of one message.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

from tests.fake_discord import DiscordServer, Interaction, Message, Request

KINDS = {
    ("POST", "/interactions"): "respond",
    ("PATCH", "/webhooks"): "edit",
    ("PATCH", "/channels"): "edit",
    ("POST", "/webhooks"): "send",
    ("POST", "/channels"): "send",
    ("DELETE", "/webhooks"): "delete",
    ("DELETE", "/channels"): "delete",
}
UNKNOWN = 10062  # the error: this interaction is not, or no longer, waited for
ANSWERED = 40060  # the error: while two processes overlap, the other one has answered it
DEFERS = (5, 6)  # first responses with which a story is begun
STORY, TOLD, LATE = "a story", "told why not", "too late for Discord"
Numbers = dict[str, float]


@dataclass(eq=False)
class Use:
    """Somebody's request for a story.

    Attributes:
        away: whether no process had its shard when it was asked, or the only one was told to stop.
    """

    what: str
    asked: Interaction | Message
    away: bool

    @property
    def message(self) -> Message | None:
        """Where its story stands, or grows."""
        if isinstance(self.asked, Interaction):
            return self.asked.original
        return next(iter(self.replies), None)

    @property
    def replies(self) -> list[Message]:
        """All stories that answer a message; never more than one."""
        asked = self.asked
        assert isinstance(asked, Message)
        return [m for m in asked.channel.messages.values() if m.mine and m.reference is asked]

    @property
    def key(self) -> str:
        """What tells its story from others in the stand-in's log: several may share a message."""
        if isinstance(self.asked, Interaction):
            return self.asked.token
        return str(self.message.id) if self.message else ""

    def told(self) -> bool:
        """Whether it was told why there is no story."""
        if isinstance(self.asked, Interaction):
            return bool(self.asked.followups) or bool(self.message and self.message.ephemeral)
        # By a note, which goes away.
        return f"note {self.asked.id}" in self.asked.channel.nonces


def of_metrics(numbers: Numbers) -> Counter[str]:
    """What a process says of itself, as far as the stand-in can tell, too."""
    told = Counter({k: int(v) for k, v in numbers.items() if k.startswith("pooh_requests_total")})
    told["stories"] = sum(int(v) for k, v in numbers.items() if k.startswith("pooh_stories_total"))
    return told


class Counts:
    """Reads the stand-in's log, each request once it is answered."""

    def __init__(self, discord: DiscordServer) -> None:
        self._discord = discord
        self._read = 0  # how much of the log is counted
        self._unread: list[Request] = []  # but for these, which were not answered yet
        self._requests: defaultdict[str, Counter[str]] = defaultdict(Counter)  # by process
        self._shown: defaultdict[str, set[str]] = defaultdict(set)  # stories to their end, the same
        self._in_vain: defaultdict[str, set[str]] = defaultdict(set)  # that Discord did not want
        self._late: set[str] = set()
        self._at: dict[str, float] = {}  # when a story was shown to its end

    def update(self) -> None:
        """Read on."""
        log = self._discord.log
        waiting, self._unread = [*self._unread, *log[self._read :]], []
        self._read = len(log)
        for request in waiting:
            if not request.status:  # it is not answered yet
                self._unread.append(request)
                continue
            prefix = f"/{request.route.split('/')[1]}"
            is_message = prefix != "/channels" or "/messages" in request.route
            kind = KINDS.get((request.method, prefix), "other") if is_message else "other"
            code = "ok" if request.status < 400 else str(request.code or request.status)
            self._requests[request.client][f"pooh_requests_total code={code} kind={kind}"] += 1
            place = request.path.rpartition("/api/v10/")[2].split("/")
            if request.status < 400 and "pooh:again" in str(request.body):
                key = place[2] if place[0] == "webhooks" else str(request.answer["id"])
                self._shown[request.client].add(key)
                self._at[key] = request.at
            elif kind == "respond" and request.code in (UNKNOWN, ANSWERED):
                if request.code == UNKNOWN:
                    self._late.add(place[2])
                if request.body["type"] in DEFERS:
                    self._in_vain[request.client].add(place[2])

    def seen(self, process: str) -> Counter[str]:
        """What a process has done so far, under the names that its metrics have."""
        self.update()
        others = Counter(stories=len(self._shown[process] | self._in_vain[process]))
        # A WebSocket begins as a request, too.
        others["pooh_requests_total code=ok kind=other"] = self._discord.gateway.opened[process]
        return self._requests[process] + others

    def end(self, use: Use) -> str:
        """What had become of a request at the last update; "" while nothing has."""
        if use.told():
            return TOLD
        if use.key in self._at:
            return STORY
        return LATE if use.key in self._late else ""

    def time(self, use: Use) -> float:
        """Seconds from a request to the end of its story."""
        return self._at[use.key] - use.asked.created
