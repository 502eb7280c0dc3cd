"""What people see of a message, as plain words: no ids, no markup, whichever part they stand in.

Pure, but for the clock and the names that it is given.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import discord

from bot import messages
from bot.messages import Page

SIGNS = "#/"  # that Discord writes before the names of channels and commands
_RESULT = ("poll_question_text", "victor_answer_text")  # of a poll's result, what people read
PREVIEWS = frozenset({"article", "gifv", "image", "link", "video"})  # embeds nobody wrote

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_UNITS = (("year", 31_556_952), ("month", 2_629_746), ("day", 86_400), ("hour", 3_600))
_PLACES = {
    "browse": "Browse Channels",
    "customize": "Channels & Roles",
    "guide": "Server Guide",
    "home": "Server Guide",
    "linked-roles": "Linked Roles",
}
# What Discord draws as something else than it says: https://discord.com/developers/docs/reference
_DRAWN = re.compile(
    r"<(?:@!?(?P<user>\d{1,20})|@&(?P<role>\d{1,20})|#(?P<channel>\d{1,20})"
    r"|/(?P<command>[^:<>\n]{1,100}):\d{1,20}|a?(?P<emoji>:\w{1,32}:)\d{1,20}"
    r"|t:(?P<time>-?\d{1,17})(?::(?P<style>[tTdDfFsSR]))?|id:(?P<place>[a-z-]{1,20})(?::\d{1,20})?)>"
)
_URL = re.compile(r"<?https?://[^\s<>]+>?")
_LINK = re.compile(r"\[([^\[\]\n]+)\]\(\s*<?https?://[^\s()<>]+>?(?:\s+[\"'][^\"'\n]*[\"'])?\s*\)")
_FENCE = re.compile(r"```(?:[\w+-]*\n)?(.+?)```", re.S)
_PAIRS = tuple(
    re.compile(rf"(?<!\\){mark}(?=\S)(.+?){mark}", re.S)
    for mark in (r"\*\*", "__", "~~", r"\|\|", "``", "`")
)
_STARS = re.compile(r"(?<![\w*\\])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])")
_LINE_MARKS = re.compile(r"^(?:#{1,3} |-# |>>> |> )+", re.M)
_ESCAPED = re.compile(r"\\([^\s0-9A-Za-z])", re.A)

Lookup = Callable[[int], str | None]


class Names:
    """What the ids in a text stand for, as people read it there."""

    def __init__(
        self,
        guild: discord.Guild | None,
        people: Iterable[discord.abc.User] = (),
        resolved: Mapping[str, Any] | None = None,
    ) -> None:
        """Where it was written, who is known, and what Discord says of the ids in an option."""
        self._guild = guild
        self._people = {person.id: person.display_name for person in people}
        self._resolved = resolved or {}

    def user(self, number: int) -> str:
        """A display name."""
        member = self._field("members", number, "nick")
        user = self._field("users", number, "global_name", "username")
        cached = self._guild.get_member(number) if self._guild else None
        name = cached.display_name if cached else None
        return member or self._people.get(number) or name or user or "somebody"

    def role(self, number: int) -> str:
        """A role's name."""
        role = self._guild.get_role(number) if self._guild else None
        return (role.name if role else self._field("roles", number, "name")) or "some friends"

    def channel(self, number: int) -> str:
        """A channel's or thread's name, with its sign."""
        channel = self._guild.get_channel_or_thread(number) if self._guild else None
        name = channel.name if channel else self._field("channels", number, "name")
        return f"#{name or 'somewhere'}"

    def _field(self, kind: str, number: int, *keys: str) -> str | None:
        entry = (self._resolved.get(kind) or {}).get(str(number)) or {}
        return next((str(entry[key]) for key in keys if entry.get(key)), None)


def names_in(message: discord.Message) -> Names:
    """The names that a message's text may need."""
    return Names(message.guild, [message.author, *message.mentions])


def names_for(interaction: discord.Interaction) -> Names:
    """The names that the text of a command's option may need."""
    me = interaction.client.user
    people = [interaction.user, *([me] if me else [])]
    data: Mapping[str, Any] = interaction.data or {}
    return Names(interaction.guild, people, data.get("resolved"))


def spell_out(text: str, names: Names, now: float) -> str:
    """Text with names, emoji, dates and commands as Discord draws them: as words, never as ids.

    Args:
        text: as it goes over the wire.
        names: what the ids stand for.
        now: seconds since 1970, for dates like "2 days ago".
    """

    def spell(match: re.Match[str]) -> str:
        if match["user"]:
            return names.user(int(match["user"]))
        if match["role"]:
            return names.role(int(match["role"]))
        if match["channel"]:
            return names.channel(int(match["channel"]))
        if match["command"]:
            return f"/{match['command']}"
        if match["place"]:
            return _PLACES.get(match["place"], "somewhere")
        return match["emoji"] or _date(int(match["time"]), match["style"] or "f", now)

    return _DRAWN.sub(spell, text)


def without_markdown(text: str) -> str:
    """Text as people read it: marks taken off, links by their names, italics between `_`."""
    text = _FENCE.sub(r"\1", _LINK.sub(r"\1", text))
    for pair in _PAIRS:
        text = pair.sub(r"\1", text)
    return _ESCAPED.sub(r"\1", _STARS.sub(r"_\1_", _LINE_MARKS.sub("", text)))


def last_part(message: discord.Message) -> str:
    """What a message says last. There a card holds the text it is about, as a story."""
    *_, last = (message.content, *displays(message.components))
    return last


def own_page(message: discord.Message) -> Page | None:
    """The story in a message of the bot's, or the text in a card; None where it holds none."""
    return _page_in(last_part(message))


def read(message: discord.Message, me: int, now: float) -> str:
    """All words that people read in a message, of whichever kind it is; "" if it has none.

    Args:
        message: a text, embeds, components, a poll, a forwarded message, a story.
        me: the bot's id: its stories are read without their small line.
        now: seconds since 1970.
    """
    names = names_in(message)
    if message.author.id == me and (page := own_page(message)) is not None:
        return page.text
    parts = list(_words(message.content, message.embeds, message.components))
    if message.poll:
        parts += [message.poll.question, *(answer.text for answer in message.poll.answers)]
    for snapshot in message.message_snapshots:
        # It does not say who wrote it; a story is known by its form.
        page = _page_in(snapshot.content)
        words = _words(snapshot.content, snapshot.embeds, snapshot.components)
        parts += [page.text] if page and page.text else words
    text = "\n".join(part.strip() for part in parts if part and part.strip())
    return spell_out(_addressed(text, me), names, now)


def _addressed(text: str, me: int) -> str:
    """Text without the mentions of the bot at both ends: these only say whom it is for."""
    text = re.sub(rf"\A(?:\s*<@!?{me}>[\s,:;]*)+", "", text)
    while (text := text.rstrip()).endswith((f"<@{me}>", f"<@!{me}>")):
        text = text[: text.rindex("<")]
    return text


def _page_in(content: str) -> Page | None:
    """What holds a message that looks like one of our stories; None if it does not."""
    return messages.parse(content) if re.search(r"(?:\A|\n)-# [^\n]*\Z", content) else None


def _words(
    content: str, embeds: Sequence[discord.Embed], components: Iterable[Any]
) -> Iterator[str]:
    """The texts of a message's parts, in reading order."""
    written = [embed for embed in embeds if embed.type not in PREVIEWS]
    if _URL.sub("", content).strip() or not embeds:
        yield without_markdown(content)
    else:  # nothing but a link: what it leads to is what people read
        written = list(embeds)
    for embed in written:
        yield from map(without_markdown, _embed_texts(embed))
    for text in displays(components):
        yield without_markdown(text)


def _embed_texts(embed: discord.Embed) -> list[str]:
    """Title, text and fields; what stands small above and below only if there is nothing else."""
    if embed.type == "poll_result":  # its fields are named for programs
        return [field.value or "" for field in embed.fields if field.name in _RESULT]
    fields = [text for field in embed.fields for text in (field.name, field.value)]
    texts = [text for text in (embed.title, embed.description, *fields) if text]
    small = [text for text in (embed.author.name, embed.footer.text) if text]
    return texts or small


def displays(components: Iterable[Any]) -> Iterator[str]:
    """The text displays among components (v2), however deep they stand."""
    for component in components:
        if isinstance(component, discord.TextDisplay):
            yield component.content
        yield from displays(getattr(component, "children", ()))


def _date(seconds: int, style: str, now: float) -> str:
    """A moment as Discord words it (in UTC: whoever reads a story may be anywhere)."""
    if style == "R":
        return _from_now(seconds - now)
    try:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        return "some day"
    clock = f"{at:%H:%M:%S}" if style in "TS" else f"{at:%H:%M}"
    day = f"{at.day} {_MONTHS[at.month - 1]} {at.year}"
    if style in "tT":
        return clock
    if style in "dD":
        return day
    weekday = f"{_DAYS[at.weekday()]}, " if style == "F" else ""
    return f"{weekday}{day} at {clock}"


def _from_now(seconds: float) -> str:
    distance = abs(seconds)
    for unit, size in (*_UNITS, ("minute", 60)):
        if count := int(distance / size + 0.5) if distance >= 0.75 * size else 0:
            article = "an" if unit == "hour" else "a"
            some = f"{count} {unit}s" if count > 1 else f"{article} {unit}"
            return f"in {some}" if seconds > 0 else f"{some} ago"
    return "just now"
