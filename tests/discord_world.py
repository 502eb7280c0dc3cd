"""What a Discord holds and who uses it: guilds, channels, messages, interactions, people.

A ``Person`` does what a user does: types commands, presses buttons, uses menus, writes, deletes.
"""

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests import discord_rules as rules

if TYPE_CHECKING:
    from tests.discord_server import DiscordServer

Json = dict[str, Any]

EPOCH = 1_420_070_400  # s, 1 January 2015: where snowflakes begin

GUILD, BOT_DM, PRIVATE = 0, 1, 2  # interaction contexts
COMMAND, COMPONENT, AUTOCOMPLETE = 2, 3, 4  # interaction types

SEND_MESSAGES, MANAGE_MESSAGES, VIEW, HISTORY = 1 << 11, 1 << 13, 1 << 10, 1 << 16
MEMBER_PERMISSIONS = VIEW | SEND_MESSAGES | 1 << 14 | 1 << 15 | HISTORY | 1 << 31
MODERATOR = MEMBER_PERMISSIONS | MANAGE_MESSAGES


class ManualClock:
    """Time that passes when a test says so. Starts now, for ids carry their date."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass(eq=False)
class Guild:
    """A server. Without the bot in it, only user-installed commands work there."""

    id: int
    name: str
    installed: bool = True
    locale: str = "en-US"
    roles: dict[int, str] = field(default_factory=dict)  # beside @everyone and the bot's own
    bot_role: int = 0  # made by Discord when the bot is invited


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

    def screen(self, content: str) -> None:
        """Refuses what AutoMod blocks."""
        if any(word in content.lower() for word in self.blocked):
            raise rules.ApiError(400, 200000, "Message was blocked by automatic moderation")

    @property
    def seen(self) -> bool:
        """Whether the bot is told what happens here and may write here."""
        return self.context == BOT_DM or bool(self.guild and self.guild.installed)

    def payload(self) -> Json:
        if self.guild:
            return {
                "id": str(self.id),
                "type": 0,
                "name": self.name,
                "position": 0,
                "nsfw": False,
                "flags": 0,
                "parent_id": None,
                "last_message_id": None,
                "topic": None,
                "rate_limit_per_user": 0,
                "permission_overwrites": [],
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


@dataclass(eq=False)
class Message:
    """A message as Discord keeps it; ``edits`` are all texts it had, with their times."""

    server: "DiscordServer"
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
    def ephemeral(self) -> bool:
        return bool(self.flags & rules.EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Still "Pooh is thinking ..."."""
        return bool(self.flags & rules.LOADING)

    @property
    def mine(self) -> bool:
        """Whether the bot wrote it."""
        return bool(self.author["id"] == str(self.server.application_id))

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
            data["webhook_id"] = data["application_id"] = str(self.server.application_id)
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

    server: "DiscordServer"
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
        channel, server = self.channel, self.server
        data: Json = {
            "id": str(self.id),
            "application_id": str(server.application_id),
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
        return await self.server.until(
            lambda: next((m for m in self.messages if not m.loading), None), f"an answer to {self}"
        )

    def __repr__(self) -> str:
        what = self.data.get("name") or self.data.get("custom_id")
        return f"<Interaction {what!r} by {self.person.name}, response {self.response_type}>"


class Person:
    """A user of Discord, driving the bot the way a user can."""

    def __init__(self, server: "DiscordServer", name: str, locale: str, permissions: int) -> None:
        self.server = server
        self.id = server.snowflake()
        self.name = name
        self.locale = locale
        self.permissions = permissions
        self.nick: str | None = None  # how others read the name in a guild

    def user(self) -> Json:
        return {
            "id": str(self.id),
            "username": self.name.lower(),
            "global_name": self.name,
            "discriminator": "0",
            "avatar": None,
            "public_flags": 0,
            "bot": False,
        }

    def member(self) -> Json:
        return {
            "user": self.user(),
            "nick": self.nick,
            "roles": [],
            "joined_at": iso(EPOCH),
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "permissions": str(self.permissions),
            "avatar": None,
        }

    def command(
        self, name: str, /, *, where: Channel | None = None, force: bool = False, **options: object
    ) -> Interaction:
        """Types a slash command. ``force``: as an old client would, ranges unchecked."""
        command = self._registered(name, rules.CHAT_INPUT, where or self.server.channel)
        data = {
            "id": command["id"],
            "name": name,
            "type": rules.CHAT_INPUT,
            "options": rules.read_options(command, options, force=force),
        }
        where = where or self.server.channel
        if resolved := self.server.resolve(" ".join(map(str, options.values())), where):
            data["resolved"] = resolved
        return self.server.interact(COMMAND, self, where or self.server.channel, data)

    async def suggestions(
        self, name: str, option: str, typed: str, *, where: Channel | None = None, **others: object
    ) -> list[Json]:
        """What autocomplete offers while ``typed`` stands in ``option``."""
        where = where or self.server.channel
        command = self._registered(name, rules.CHAT_INPUT, where)
        focused = next(o for o in command["options"] if o["name"] == option)
        if not focused.get("autocomplete"):
            raise rules.RefusedError(f"{option} has no autocomplete")
        options = rules.read_options(command, others)
        options.append({"name": option, "type": focused["type"], "value": typed, "focused": True})
        data = {"id": command["id"], "name": name, "type": rules.CHAT_INPUT, "options": options}
        asked = self.server.interact(AUTOCOMPLETE, self, where, data)
        await self.server.until(lambda: asked.choices is not None, f"choices for {typed!r}")
        assert asked.choices is not None
        return asked.choices

    def menu(self, name: str, message: Message) -> Interaction:
        """Right-clicks a message and chooses a command of the app."""
        self._sees(message)
        command = self._registered(name, rules.MESSAGE_MENU, message.channel)
        data = {
            "id": command["id"],
            "name": name,
            "type": rules.MESSAGE_MENU,
            "target_id": str(message.id),
            "resolved": {"messages": {str(message.id): message.payload(nested=True)}},
        }
        return self.server.interact(COMMAND, self, message.channel, data)

    def press(
        self, message: Message, label: str | None = None, *, custom_id: str | None = None
    ) -> Interaction:
        """Presses a button, by its label; by ``custom_id`` also one that is no longer shown."""
        self._sees(message)
        if custom_id is None:
            if label not in message.buttons:
                raise rules.RefusedError(f"no button {label!r} among {list(message.buttons)}")
            button = message.buttons[label]
            if button.get("disabled"):
                raise rules.RefusedError(f"{label!r} is greyed out")
            custom_id = button["custom_id"]
        data = {"custom_id": custom_id, "component_type": 2, "id": 1}
        return self.server.interact(COMPONENT, self, message.channel, data, source=message)

    def say(
        self,
        text: str,
        where: Channel | None = None,
        *,
        reply_to: Message | None = None,
        ping: bool = True,
        **fields: Any,  # noqa: ANN401 -- of Message
    ) -> Message:
        """Writes a message; ``@pooh`` in it mentions the bot, a reply pings who it answers."""
        where = where or (reply_to.channel if reply_to else self.server.channel)
        text = text.replace("@pooh", f"<@{self.server.application_id}>")
        people = {str(p.id): p.user() for p in self.server.people}
        people[str(self.server.application_id)] = self.server.bot_user()
        mentioned = re.findall(r"<@!?(\d+)>", text)
        if reply_to and ping:
            mentioned.append(reply_to.author["id"])
        return self.server.post(
            where,
            self.user(),
            content=text,
            type=19 if reply_to else 0,
            reference=reply_to,
            mentions=[
                people[m] | self.server.membership(m, where)
                for m in dict.fromkeys(mentioned)
                if m in people
            ],
            mention_roles=[int(role) for role in re.findall(r"<@&(\d+)>", text)],
            **fields,
        )

    def forward(self, message: Message, where: Channel | None = None) -> Message:
        """Forwards a message to another channel, or to the same."""
        self._sees(message)
        return self.server.post(
            where or self.server.channel,
            self.user(),
            forwarded=message.forwarded or message,  # of a forward: what it forwards
            flags=1 << 14,
        )

    def edit(self, message: Message, text: str) -> None:
        assert message.author["id"] == str(self.id), "people edit only what they wrote"
        message.content = text
        message.edits.append((self.server.clock(), text))
        self.server.tell("MESSAGE_UPDATE", message)

    def delete(self, message: Message) -> None:
        """Deletes a message of one's own, or as a moderator anybody's."""
        own = message.author["id"] == str(self.id)
        if not own and not message.ephemeral and not self.permissions & MANAGE_MESSAGES:
            raise rules.RefusedError(f"{self.name} may not delete this")
        self.server.remove(message)

    def _sees(self, message: Message) -> None:
        if message.deleted or (message.visible_to and message.visible_to is not self):
            raise rules.RefusedError(f"{self.name} does not see that message")

    def _registered(self, name: str, kind: int, where: Channel) -> Json:
        for command in self.server.commands.values():
            if command["name"] == name and command["type"] == kind:
                break
        else:
            raise rules.RefusedError(f"no command {name!r}")
        contexts, installs = command["contexts"], command["integration_types"]
        if contexts is not None and where.context not in contexts:
            raise rules.RefusedError(f"{name!r} is not offered in context {where.context}")
        alone = where.context == PRIVATE or (where.guild and not where.guild.installed)
        if alone and 1 not in installs:
            raise rules.RefusedError(f"{name!r} cannot be installed by a user")
        return command


def iso(seconds: float) -> str:
    """A time as Discord writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
