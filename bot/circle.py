"""A story circle as text: what its message shows, what its buttons remember, and who may go on.

    **The bee sat on a bun.** A mouse ran to the mill.

    **Then a wind came by** and took the bun.
    -# story circle · turn 2 of 60

What people wrote is bold, what Pooh answered follows; each turn is a paragraph. The message and the
ids of its buttons are all that is kept, so that a circle goes on after a restart.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from bot import messages
from bot.circle_seal import Seal, sealed_length
from model.cuts import begins_well, ends_well
from model.sentences import last_end

TURNS = 60  # of people, in one circle
SENTENCE = 200  # characters that somebody may add at once
ANSWER = 240  # characters that are written for Pooh's answer ...
SENTENCES = 2  # ... of which so many sentences are shown
CONTEXT = 1024  # characters of the story that the network reads
ALONE = 5 * 60.0  # seconds without anybody else, after which the last writer may go on
REST = 24 * 3600.0  # seconds without a turn, after which another circle may begin in its place
STALE = 60.0  # seconds, after which nobody believes a message that says it is being written
NOTE = 120  # characters that the small line may take
PIECES = 3  # messages that the end of a circle fills; what is longer is a file

KNOWN = 5  # latest turns whose writers a button's id has room for

# People in an id: as a seal makes them, or as three numbers or up to seven were written before.
_PEOPLE = rf"[0-9]{{1,20}}(?::[0-9]{{1,20}}){{2}}|[A-Za-z0-9_-]{{11,{sealed_length(KNOWN + 1)}}}"
TEMPLATE = (  # of a button's id, as `CircleState.custom_id` makes it
    rf"pooh:circle:(?P<action>add|undo|end):(?P<people>{_PEOPLE})"
    r":(?P<turn>[0-9]{1,3}):(?P<flags>a?w?)"
)
FORM = r"pooh:circle:form:(?P<turn>[0-9]{1,3}):(?P<last>[A-Za-z0-9_-]{1,23})"  # of the form's id

_TURN_START = re.compile(r"^(?=\*\*)", re.M)
_TURN = re.compile(r"\*\*((?:\\.|[^\\*])+)\*\*(.*)", re.S)


@dataclass(frozen=True)
class Turn:
    """What somebody added, and what Pooh answered.

    Attributes:
        sentence: "" where Pooh began the story.
        answer: with the white space before it; "" where there is none.
    """

    sentence: str
    answer: str = ""

    @property
    def text(self) -> str:
        """Both."""
        return self.sentence + self.answer


@dataclass(frozen=True)
class CircleState:
    """What the buttons of a circle remember.

    Attributes:
        starter: who began it; 0 if nobody knows any more.
        writers: of the latest turns, the last first; `KNOWN` at the most.
        turn: how many turns there were.
        is_alone: only one person has written.
        is_writing: Pooh is about to answer.
    """

    starter: int
    writers: tuple[int, ...] = ()
    turn: int = 0
    is_alone: bool = True
    is_writing: bool = False

    @classmethod
    def of(cls, match: re.Match[str], seal: Seal) -> Self:
        """Read from an id that matches `TEMPLATE`."""
        starter, *writers = seal.open(match["people"]) or (0,)
        known, flags = tuple(filter(None, writers))[:KNOWN], match["flags"]
        return cls(starter, known, int(match["turn"]), "a" in flags, "w" in flags)

    @classmethod
    def of_form(cls, match: re.Match[str], seal: Seal) -> Self:
        """What a form was shown for, as its id tells, which matches `FORM`."""
        return cls(0, tuple(filter(None, seal.open(match["last"]))), int(match["turn"]))

    @property
    def last(self) -> int:
        """Who wrote last; 0 for nobody, or nobody knows."""
        return self.writers[0] if self.writers else 0

    def custom_id(self, action: str, seal: Seal) -> str:
        """An id of at most 100 characters for a button: add, undo or end."""
        flags = "a" * self.is_alone + "w" * self.is_writing
        people = seal.close((self.starter, *self.writers))
        return f"pooh:circle:{action}:{people}:{self.turn}:{flags}"

    def form_id(self, seal: Seal) -> str:
        """The id of the form for the next sentence: it tells which one that is."""
        return f"pooh:circle:form:{self.turn}:{seal.close((self.last,))}"

    def may_add(self, person: int, idle: float) -> bool:
        """Whether it is this person's turn.

        Nobody adds twice running, unless they are alone: only one person has written so far, or
        nobody has added anything for `ALONE` seconds.

        Args:
            person: who wants to.
            idle: seconds since the last turn.
        """
        return person != self.last or self.is_alone or idle >= ALONE

    def after(self, person: int) -> "CircleState":
        """This person has added a sentence, and Pooh is about to answer.

        Where nobody knows who began the circle, it is theirs from now on.
        """
        is_alone = self.turn == 0 or (self.is_alone and self.last == person)
        writers = (person, *self.writers)[:KNOWN]
        return CircleState(self.starter or person, writers, self.turn + 1, is_alone, True)

    def writing(self) -> "CircleState":
        """Pooh is about to begin."""
        return replace(self, is_writing=True)

    def undone(self) -> "CircleState":
        """The last turn was taken back."""
        turn, writers = max(self.turn - 1, 0), self.writers[1:]
        if self.is_alone and turn and not writers:
            writers = self.writers  # all that is left is by the same person
        return replace(self, writers=writers, turn=turn)

    def at_rest(self) -> "CircleState":
        """Nobody is about to answer."""
        return replace(self, is_writing=False)


def text_of(turns: Sequence[Turn]) -> str:
    """The story of some turns, as it is read: each is a paragraph."""
    return "\n\n".join(text for turn in turns if (text := turn.text.strip()))


def show(turns: Sequence[Turn], note: str) -> str:
    """The message of a circle: its turns and the small line."""
    shown = "\n\n".join(map(_shown, turns))
    return messages.with_note(shown, note)


def _shown(turn: Turn) -> str:
    if not turn.sentence:
        return messages.escape(turn.answer.strip(), italics=True)
    sentence = f"**{messages.escape(turn.sentence)}**"
    return sentence + messages.escape(turn.answer, italics=True).rstrip()


def parse(content: str) -> tuple[Turn, ...]:
    """Read back the turns that `show` was given."""
    shown, _ = messages.split_note(content)
    turns = []
    for part in _TURN_START.split(shown):
        match = _TURN.fullmatch(part.strip())
        if match:
            turns.append(Turn(messages.unescape(match[1]), messages.unescape(match[2])))
        elif part.strip():
            turns.append(Turn("", messages.unescape(part.strip())))
    return tuple(turns)


def fits(turns: Sequence[Turn], sentence: str) -> bool:
    """Whether a message has room for one more turn, whatever Pooh answers."""
    content = show([*turns, Turn(sentence)], "")
    return messages.length(content) + 2 * ANSWER + NOTE <= messages.LIMIT


def pieces(text: str) -> Iterator[str]:
    """A story in parts that fit into messages, with their small lines; each ends well."""
    room = messages.LIMIT - messages.ROOM
    while text := text.strip():
        end = min(len(text), room)
        while (over := messages.length(messages.escape(text[:end], italics=True)) - room) > 0:
            end -= (over + 1) // 2
        if end < len(text):
            end = last_end(text[:end], end // 2) or _between_words(text, end)
        yield text[:end].strip()
        text = text[end:]


def _between_words(text: str, end: int) -> int:
    """Where a text may be parted, up to there."""
    at = end
    while (at := text.rfind(" ", 1, at) + 1) > 1:
        if ends_well(text, at) and begins_well(text, at):
            return at
        at -= 1
    return end
