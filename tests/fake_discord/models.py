"""What a Discord holds: guilds, channels, messages, interactions, and how they are sent."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.fake_discord import rules

if TYPE_CHECKING:
    from tests.fake_discord.person import Person
    from tests.fake_discord.world import World

Json = dict[str, Any]

EPOCH = 1_420_070_400  # s, 1 January 2015: where snowflakes begin

GUILD, BOT_DM, PRIVATE = 0, 1, 2  # interaction contexts
COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5  # interaction types
TEXT, NEWS, PUBLIC_THREAD, PRIVATE_THREAD = 0, 5, 11, 12  # types of a guild's channels

SEND_MESSAGES, MANAGE_MESSAGES, VIEW, HISTORY = 1 << 11, 1 << 13, 1 << 10, 1 << 16
MANAGE_GUILD, ATTACH_FILES = 1 << 5, 1 << 15
MANAGE_THREADS, CREATE_THREADS, SEND_IN_THREADS = 1 << 34, 1 << 35, 1 << 38
MEMBER_PERMISSIONS = VIEW | SEND_MESSAGES | 1 << 14 | ATTACH_FILES | HISTORY | 1 << 31
MEMBER_PERMISSIONS |= CREATE_THREADS | SEND_IN_THREADS
MODERATOR = MEMBER_PERMISSIONS | MANAGE_MESSAGES


@dataclass(eq=False)
class Guild:
    """A server. Without the bot in it, only user-installed commands work there."""

    id: int
    name: str
    installed: bool = True
    locale: str = "en-US"
    roles: dict[int, str] = field(default_factory=dict)  # beside @everyone and the bot's own
    bot_role: int = 0  # made by Discord when the bot is invited
    channels: list["Channel"] = field(default_factory=list)  # with its threads
    active_threads: int = 1000  # that it may have at once


@dataclass(eq=False)
class Channel:
    """A place to write: in a guild, with the bot alone, or a group without the bot."""

    id: int
    context: int
    guild: Guild | None = None
    people: list["Person"] = field(default_factory=list)
    messages: dict[int, "Message"] = field(default_factory=dict)
    bot_permissions: int = MODERATOR & ~MANAGE_MESSAGES
    external_apps: bool = True
    name: str = "wood"
    blocked: tuple[str, ...] = ()  # what this server's AutoMod lets nobody write
    nonces: dict[str, "Message"] = field(default_factory=dict)
    denied: int = 0  # permissions that the channel takes from everybody
    kind: int = TEXT  # of a guild's channel
    parent: "Channel | None" = None  # of a thread: where it hangs ...
    owner: str = ""  # ... who began it ...
    members: set[str] = field(default_factory=set)  # ... who is in it ...
    archived: bool = False
    locked: bool = False  # ... and whether only moderators may write there and open it again.
    auto_archive: int = 1440  # minutes

    @property
    def may_write(self) -> bool:
        """Whether the bot may write here."""
        return bool(self.bot_permissions & (SEND_IN_THREADS if self.parent else SEND_MESSAGES))

    def check_writable(self) -> None:
        """Refuses what cannot be changed in an archived thread: its messages."""
        if self.archived:
            raise rules.ApiError(
                400,
                50083,
                "Tried to perform an operation on an archived thread, such as editing a message "
                "or adding a user to the thread",
            )

    def screen(self, content: str) -> None:
        """Refuses what AutoMod blocks."""
        if any(word in content.lower() for word in self.blocked):
            raise rules.ApiError(400, 200000, "Message was blocked by automatic moderation")

    @property
    def guild_id(self) -> int | None:
        """Its guild's id; None where there is no guild."""
        return self.guild.id if self.guild else None

    @property
    def seen(self) -> bool:
        """Whether the bot is told what happens here and may write here."""
        return self.context == BOT_DM or bool(self.guild and self.guild.installed)

    def payload(self) -> Json:
        if self.parent:
            return self._thread_payload(self.parent)
        if self.guild:
            return {
                "id": str(self.id),
                "type": self.kind,
                "name": self.name,
                "position": 0,
                "nsfw": False,
                "flags": 0,
                "parent_id": None,
                "last_message_id": None,
                "topic": None,
                "rate_limit_per_user": 0,
                "permission_overwrites": [
                    {"id": str(self.guild.id), "type": 0, "allow": "0", "deny": str(self.denied)}
                ],
                "guild_id": str(self.guild.id),
                "permissions": str(MODERATOR),
            }
        kind = 1 if self.context == BOT_DM else 3
        people = [person.user() for person in self.people]
        data: Json = {
            "id": str(self.id),
            "type": kind,
            "recipients": people,
            "flags": 0,
            "last_message_id": None,
        }
        if kind == 3:
            data |= {"name": "a group", "icon": None, "owner_id": str(self.people[0].id)}
        return data

    def _thread_payload(self, parent: "Channel") -> Json:
        return {
            "id": str(self.id),
            "type": self.kind,
            "guild_id": str(self.guild_id),
            "parent_id": str(parent.id),
            "owner_id": self.owner,
            "name": self.name,
            "last_message_id": None,
            "flags": 0,
            "rate_limit_per_user": 0,
            "message_count": len(self.messages),
            "member_count": len(self.members),
            "total_message_sent": len(self.messages),
            "permissions": str(MODERATOR),
            "thread_metadata": {
                "archived": self.archived,
                "locked": self.locked,
                "auto_archive_duration": self.auto_archive,
                "archive_timestamp": iso(EPOCH),
                "create_timestamp": iso(EPOCH),
            },
        }


@dataclass(eq=False)
class Message:
    """A message as Discord keeps it; ``edits`` are all texts it had, with their times."""

    world: "World"
    id: int
    channel: Channel
    author: Json
    created: float
    content: str = ""
    type: int = 0
    flags: int = 0
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    reference: "Message | None" = None
    mentions: list[Json] = field(default_factory=list)
    mention_roles: list[int] = field(default_factory=list)
    forwarded: "Message | None" = None  # what this message forwards
    poll: Json | None = None
    stickers: list[Json] = field(default_factory=list)
    webhook: int = 0
    thread: Channel | None = None  # that hangs from it
    interaction: "Interaction | None" = None
    visible_to: "Person | None" = None
    pinged: list[str] = field(default_factory=list)
    edits: list[tuple[float, str]] = field(default_factory=list)
    old_edits: int = 0
    deleted: bool = False

    @property
    def buttons(self) -> dict[str, Json]:
        """The buttons by label (or by the name of their emoji)."""
        found = [c for c in rules.walk(self.components) if c.get("type") == 2]
        return {b.get("label") or b["emoji"]["name"]: b for b in found}

    @property
    def menus(self) -> dict[str, Json]:
        """The menus by their ids."""
        found = [c for c in rules.walk(self.components) if c.get("type") in rules.MENUS]
        return {menu["custom_id"]: menu for menu in found}

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & rules.EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Still "Pooh is thinking ..."."""
        return bool(self.flags & rules.LOADING)

    @property
    def mine(self) -> bool:
        """Whether the bot wrote it."""
        return bool(self.author["id"] == str(self.world.application_id))

    @property
    def text(self) -> str:
        """All that a reader reads: content, embeds and text components."""
        parts: list[str | None] = [self.content]
        for embed in self.embeds:
            parts += [embed.get("title"), embed.get("description")]
            parts += [f"{f['name']}\n{f['value']}" for f in embed.get("fields") or []]
            parts += [(embed.get("footer") or {}).get("text")]
        parts += [c["content"] for c in rules.walk(self.components) if c.get("type") == 10]
        if self.poll:
            parts += [self.poll["question"]["text"]]
            parts += [answer["poll_media"]["text"] for answer in self.poll["answers"]]
        parts += [self.forwarded.text] if self.forwarded else []
        return "\n".join(part for part in parts if part)

    def payload(self, *, nested: bool = False, stripped: bool = False) -> Json:
        """As it goes over the wire; stripped as for a bot without the message content intent."""
        data: Json = {
            "id": str(self.id),
            "channel_id": str(self.channel.id),
            "type": self.type,
            "content": self.content,
            "author": self.author,
            "flags": self.flags,
            "embeds": self.embeds,
            "components": self.components,
            "mention_everyone": False,
            "attachments": self.attachments,
            "mentions": self.mentions,
            "mention_roles": [str(role) for role in self.mention_roles],
            "sticker_items": self.stickers,
            "pinned": False,
            "tts": False,
            "timestamp": iso(self.created),
            "edited_timestamp": iso(self.edits[-1][0]) if len(self.edits) > 1 else None,
        }
        if self.poll:
            data["poll"] = self.poll
        if self.thread:
            data["thread"] = self.thread.payload()
            data["flags"] |= 1 << 5
        if self.webhook:
            data["webhook_id"] = str(self.webhook)
        if self.forwarded:
            data["message_snapshots"] = [{"message": self.forwarded.snapshot(stripped=stripped)}]
            data["message_reference"] = {
                "type": 1,
                "message_id": str(self.forwarded.id),
                "channel_id": str(self.forwarded.channel.id),
            }
        if stripped:
            data |= {"content": "", "embeds": [], "components": [], "attachments": []}
            data.pop("poll", None)
        if self.channel.guild and not nested:
            data["guild_id"] = str(self.channel.guild.id)
        if self.interaction:
            data["webhook_id"] = data["application_id"] = str(self.world.application_id)
            data["interaction_metadata"] = self.interaction.metadata()
        if self.reference:
            where = {"message_id": str(self.reference.id), "channel_id": str(self.channel.id)}
            if self.channel.guild:
                where["guild_id"] = str(self.channel.guild.id)
            data["message_reference"] = {"type": 0, **where}
            if not nested:
                gone = self.reference.deleted
                data["referenced_message"] = (
                    None
                    if gone
                    else self.reference.payload(
                        nested=True, stripped=stripped and not self.reference.mine
                    )
                )
        return data

    def snapshot(self, *, stripped: bool = False) -> Json:
        """What a forward carries of this message: not who wrote it."""
        whole = self.payload(nested=True, stripped=stripped)
        kept = (
            *("type", "content", "embeds", "attachments", "timestamp", "edited_timestamp"),
            *("flags", "mentions", "mention_roles", "sticker_items", "components"),
        )
        return {key: whole[key] for key in kept}


@dataclass(eq=False)
class Interaction:
    """One use of the bot, from the user's press to the last message it led to."""

    world: "World"
    id: int
    token: str
    kind: int
    person: "Person"
    channel: Channel
    data: Json
    created: float
    started: float  # real time, time.perf_counter
    source: Message | None = None  # the message whose button was pressed
    answered: float | None = None  # by the clock
    responded: float | None = None  # real time
    response_type: int | None = None
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)
    choices: list[Json] | None = None
    modal: Json | None = None  # that it was answered with
    expired: bool = False  # its token is dead before its time

    @property
    def owners(self) -> dict[str, str]:
        """Who installed the app: "0" the guild, "1" the user."""
        guild = self.channel.guild
        if guild and guild.installed:
            return {"0": str(guild.id)}
        if self.channel.context == BOT_DM:
            return {"0": "0", "1": str(self.person.id)}
        return {"1": str(self.person.id)}

    @property
    def messages(self) -> list[Message]:
        """Everything that answered it and is still there."""
        mine = self.response_type in (4, 5)
        found = [self.original] if self.original and mine else []
        return [m for m in [*found, *self.followups] if not m.deleted]

    def metadata(self) -> Json:
        data: Json = {
            "id": str(self.id),
            "type": self.kind,
            "user": self.person.user(),
            "authorizing_integration_owners": self.owners,
        }
        if self.kind == COMMAND:
            data |= {"name": self.data["name"], "command_type": self.data["type"]}
        if self.source:
            data["interacted_message_id"] = str(self.source.id)
        return data

    def payload(self) -> Json:
        channel = self.channel
        data: Json = {
            "id": str(self.id),
            "application_id": str(self.world.application_id),
            "version": 1,
            "type": self.kind,
            "token": self.token,
            "data": self.data,
            "entitlements": [],
            "entitlement_sku_ids": [],
            "channel_id": str(channel.id),
            "channel": channel.payload(),
            "context": channel.context,
            "authorizing_integration_owners": self.owners,
            "attachment_size_limit": 10_485_760,
            "locale": self.person.locale,
            "app_permissions": str(channel.bot_permissions),
        }
        if channel.guild:
            data |= {
                "guild_id": str(channel.guild.id),
                "guild_locale": channel.guild.locale,
                "guild": {
                    "id": str(channel.guild.id),
                    "locale": channel.guild.locale,
                    "features": [],
                },
                "member": self.person.member(),
            }
        else:
            data["user"] = self.person.user()
        if self.source:
            data["message"] = self.source.payload()
        return data

    async def answer(self) -> Message:
        """Waits for the first message that is more than a promise, and returns it."""
        return await self.world.until(
            lambda: next((m for m in self.messages if not m.loading), None), f"an answer to {self}"
        )

    def __repr__(self) -> str:
        what = self.data.get("name") or self.data.get("custom_id")
        return f"<Interaction {what!r} by {self.person.name}, response {self.response_type}>"


def iso(seconds: float) -> str:
    """A time as Discord writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
