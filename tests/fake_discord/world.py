"""The state that all parts of the stand-in share: who and what there is on this Discord.

Guilds, channels, people, commands, interactions; what happens there is told to the bot through the
gateway.
"""

import asyncio
import base64
import contextlib
import itertools
import re
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from tests.fake_discord.calls import Request
from tests.fake_discord.gateway import Gateway, Session
from tests.fake_discord.models import (
    BOT_DM,
    EPOCH,
    GUILD,
    MANAGE_THREADS,
    MEMBER_PERMISSIONS,
    MODERATOR,
    PUBLIC_THREAD,
    Channel,
    Guild,
    Interaction,
    Message,
    iso,
)
from tests.fake_discord.person import Person
from tests.fake_discord.rules import ApiError

Json = dict[str, Any]
T = TypeVar("T")

FIRST_GUILD = 31_536_000_000  # ms after EPOCH, a year
PATIENCE = 120.0  # real seconds that a test waits before it says that nothing happens


class World:
    """What Discord holds.

    Args:
        clock: seconds since 1970.
        token: the bot token that is accepted; by default a new one.
    """

    def __init__(self, clock: Callable[[], float], token: str | None) -> None:
        self.clock = clock
        self._ids = itertools.count()
        self.application_id = self.snowflake()
        self.token = token or f"{_base64(str(self.application_id))}.GabcDe.{secrets.token_hex(19)}"
        self.application_flags = 0
        self.port = 0  # where the stand-in listens; 0 until it does
        self.log: list[Request] = []
        self.commands: dict[int, Json] = {}
        self.guild_commands: dict[int, dict[int, Json]] = {}
        self.people: list[Person] = []
        self.guilds: list[Guild] = []
        self.channels: dict[int, Channel] = {}
        self.interactions: dict[str, Interaction] = {}
        self.files: dict[str, bytes] = {}
        self.typing: list[Channel] = []
        self._waiters: set[asyncio.Event] = set()
        self.gateway = Gateway(self.token, self._ready, self._guild_payloads, clock, self.changed)
        self.guild = self.add_guild("Hundred Acre Wood")
        self.channel = self.add_channel(self.guild)

    # -- who and what there is

    def snowflake(self) -> int:
        return (int((self.clock() - EPOCH) * 1000) << 22) + next(self._ids) % (1 << 22)

    def add_guild(self, name: str, *, installed: bool = True) -> Guild:
        # Each was made a millisecond after the one before: neighbours lie on different shards.
        made = FIRST_GUILD + len(self.guilds)
        guild = Guild((made << 22) + next(self._ids) % (1 << 22), name, installed)
        guild.bot_role = self.snowflake() if installed else 0
        self.guilds.append(guild)
        return guild

    def add_channel(
        self, guild: Guild | None = None, *people: Person, context: int = GUILD
    ) -> Channel:
        """A guild's channel, or with people one between them (``BOT_DM`` or ``PRIVATE``)."""
        channel = Channel(self.snowflake(), context, guild, list(people))
        self.channels[channel.id] = channel
        if guild:
            guild.channels.append(channel)
        return channel

    def add_thread(
        self,
        parent: Channel,
        name: str,
        owner: str,
        *,
        message: Message | None = None,
        kind: int = PUBLIC_THREAD,
    ) -> Channel:
        """A thread in a channel, that hangs from a message if there is one; the bot is told."""
        number = message.id if message else self.snowflake()
        thread = Channel(number, GUILD, parent.guild, name=name, kind=kind, parent=parent)
        thread.bot_permissions, thread.blocked = parent.bot_permissions, parent.blocked
        thread.owner, thread.external_apps = owner, parent.external_apps
        thread.members.add(owner)
        self.channels[thread.id] = thread
        if message:
            message.thread = thread
        if parent.guild:
            parent.guild.channels.append(thread)
        self._tell_of(thread, "THREAD_CREATE", newly_created=True)
        return thread

    def change_thread(
        self, thread: Channel, *, archived: bool | None = None, locked: bool | None = None
    ) -> None:
        """Archives a thread, locks it, or undoes that, as moderators and time do."""
        thread.archived = thread.archived if archived is None else archived
        thread.locked = thread.locked if locked is None else locked
        self._tell_of(thread, "THREAD_UPDATE")

    def wake(self, thread: Channel) -> None:
        """Something is written: an archived thread is active again, unless it is locked."""
        if thread.locked and not thread.bot_permissions & MANAGE_THREADS:
            raise ApiError(403, 160005, "Thread is locked")
        if thread.archived:
            self.change_thread(thread, archived=False)

    def _tell_of(self, thread: Channel, event: str, **fields: object) -> None:
        self.changed()
        if thread.seen:
            self.gateway.dispatch(event, thread.payload() | fields, thread.guild_id)

    def person(
        self, name: str = "Kanga", *, locale: str = "en-US", moderator: bool = False
    ) -> Person:
        permissions = MODERATOR if moderator else MEMBER_PERMISSIONS
        self.people.append(Person(self, name, locale, permissions))
        return self.people[-1]

    def dm(self, person: Person) -> Channel:
        """The channel in which a person and the bot are alone."""
        for channel in self.channels.values():
            if channel.context == BOT_DM and channel.people == [person]:
                return channel
        return self.add_channel(None, person, context=BOT_DM)

    def membership(self, user: str, channel: Channel) -> Json:
        """What a mention says of somebody's membership, where there is a guild."""
        person = next((p for p in self.people if str(p.id) == user), None)
        if channel.guild is None or person is None:
            return {}
        member = person.member()
        del member["user"], member["permissions"]
        return {"member": member}

    def resolve(self, text: str, channel: Channel) -> Json:
        """Who and what is mentioned in the text of an option, as an interaction tells it."""
        resolved: Json = {}
        for person in self.people:
            if re.search(rf"<@!?{person.id}>", text):
                resolved.setdefault("users", {})[str(person.id)] = person.user()
                if channel.guild:
                    member = person.member()
                    del member["user"]
                    resolved.setdefault("members", {})[str(person.id)] = member
        for role, name in channel.guild.roles.items() if channel.guild else ():
            if f"<@&{role}>" in text:
                resolved.setdefault("roles", {})[str(role)] = _role(role, name)
        for other in self.channels.values():
            if f"<#{other.id}>" in text and other.guild is channel.guild:
                kept = {"id": str(other.id), "type": 0, "name": other.name, "permissions": "0"}
                resolved.setdefault("channels", {})[str(other.id)] = kept
        return resolved

    def bot_user(self) -> Json:
        return {
            "id": str(self.application_id),
            "username": "pooh",
            "global_name": None,
            "discriminator": "4242",
            "avatar": None,
            "bot": True,
            "public_flags": 0,
            "verified": True,
            "mfa_enabled": False,
            "flags": 0,
        }

    @property
    def gateway_url(self) -> str:
        return self.gateway_address()

    def gateway_address(self, client: str = "") -> str:
        """Where a process of the bot finds the gateway; see ``DiscordServer.api_address``."""
        return f"ws://127.0.0.1:{self.port}{'/as/' + client if client else ''}/gateway"

    # -- watching

    def changed(self) -> None:
        """Wakes those who wait in ``until``."""
        for waiter in self._waiters:
            waiter.set()

    async def until(
        self, condition: Callable[[], T | None], what: str = "", patience: float = PATIENCE
    ) -> T:
        """Waits until the condition holds and returns its value; fails after ``patience``."""
        waiter = asyncio.Event()
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout(patience):
                while not (value := condition()):
                    # What happens here wakes us; what happens in the bot is looked for.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.02):
                            await waiter.wait()
                    waiter.clear()
                return value
        except TimeoutError:
            raise AssertionError(self.waited(patience, what or condition)) from None
        finally:
            self._waiters.discard(waiter)

    def waited(self, seconds: float, what: object) -> str:
        """What there is to say when somebody has waited in vain: what came of it meanwhile."""
        tail = [
            f"  {r.method} {r.route} {r.body!s:.300} -> {r.status} {r.code}" for r in self.log[-20:]
        ]
        return "\n".join([f"waited {seconds:.0f} s for {what}:", *tail])

    # -- what happens

    def interact(
        self,
        kind: int,
        person: Person,
        channel: Channel,
        data: Json,
        *,
        source: Message | None = None,
    ) -> Interaction:
        """Sends an interaction to the bot over the gateway."""
        interaction = Interaction(
            self,
            self.snowflake(),
            f"aW50ZXJhY3Rpb246{secrets.token_urlsafe(48)}",
            kind,
            person,
            channel,
            data,
            self.clock(),
            time.perf_counter(),
            source,
        )
        self.interactions[interaction.token] = interaction
        self.gateway.dispatch("INTERACTION_CREATE", interaction.payload(), channel.guild_id)
        return interaction

    def post(self, channel: Channel, author: Json, **fields: Any) -> Message:  # noqa: ANN401
        """Puts a message into a channel and tells the bot if it may know."""
        message = Message(self, self.snowflake(), channel, author, self.clock(), **fields)
        message.edits.append((message.created, message.content))
        channel.messages[message.id] = message
        self.tell("MESSAGE_CREATE", message)
        return message

    def remove(self, message: Message) -> None:
        message.deleted = True
        message.channel.messages.pop(message.id, None)
        self.tell("MESSAGE_DELETE", message)

    def remove_channel(self, channel: Channel) -> None:
        """Deletes a channel and all that was written there."""
        del self.channels[channel.id]
        for thread in [c for c in self.channels.values() if c.parent is channel]:
            self.remove_channel(thread)
        if channel.guild:
            channel.guild.channels.remove(channel)
        for message in list(channel.messages.values()):
            message.deleted = True
        channel.messages.clear()
        if channel.parent:
            kept = ("id", "guild_id", "parent_id", "type")
            data = {key: channel.payload()[key] for key in kept}
            self.gateway.dispatch("THREAD_DELETE", data, channel.guild_id)
        elif channel.seen:
            self.gateway.dispatch("CHANNEL_DELETE", channel.payload(), channel.guild_id)

    def remove_bot(self, guild: Guild) -> None:
        """Sends the bot out of a guild."""
        guild.installed = False
        self.gateway.dispatch("GUILD_DELETE", {"id": str(guild.id)}, guild.id)

    def tell(self, event: str, message: Message) -> None:
        """Sends a message event to the bot, as much of it as the bot's intents allow."""
        self.changed()
        channel = message.channel
        if not channel.seen or message.ephemeral:
            return
        for session in self.gateway.covering(channel.guild_id):
            if not session.intents & (1 << 9 if channel.guild else 1 << 12):
                continue
            if event == "MESSAGE_DELETE":
                data: Json = {"id": str(message.id), "channel_id": str(channel.id)}
                if channel.guild:
                    data["guild_id"] = str(channel.guild.id)
            else:
                data = self._told(message, content=bool(session.intents & 1 << 15))
            session.dispatch(event, data)

    def _told(self, message: Message, *, content: bool) -> Json:
        """A message as an event has it; ``content``: whether the bot may read all there is."""
        me, channel = str(self.application_id), message.channel
        told = (
            content
            or not channel.guild
            or message.mine
            or any(user["id"] == me for user in message.mentions)
        )
        data = message.payload(stripped=not told)
        author = next((p for p in self.people if str(p.id) == message.author["id"]), None)
        if channel.guild and author:
            member = author.member()
            del member["user"], member["permissions"]
            data["member"] = member
        return data

    # -- what the gateway tells of it

    def _ready(self, session: Session) -> Json:
        return {
            "v": 10,
            "user": self.bot_user(),
            "session_id": session.id,
            "resume_gateway_url": self.gateway_address(session.client),
            "shard": [session.shard, session.shards],
            "guilds": [
                {"id": str(guild.id), "unavailable": True}
                for guild in self.guilds
                if guild.installed and session.covers(guild.id)
            ],
            "application": {"id": str(self.application_id), "flags": self.application_flags},
        }

    def _guild_payloads(self, session: Session) -> Iterator[Json]:
        bot_member = {
            "user": self.bot_user(),
            "roles": [],
            "joined_at": iso(EPOCH),
            "deaf": False,
            "mute": False,
            "flags": 0,
        }
        return (
            {
                "id": str(guild.id),
                "name": guild.name,
                "unavailable": False,
                "large": False,
                "owner_id": "1",
                "member_count": 100,
                "members": [bot_member],
                "features": [],
                "roles": [
                    _role(guild.id, "@everyone", permissions=str(MEMBER_PERMISSIONS)),
                    _role(
                        guild.bot_role,
                        "pooh",
                        managed=True,
                        tags={"bot_id": str(self.application_id)},
                    ),
                    *(_role(role, name) for role, name in guild.roles.items()),
                ],
                "channels": [c.payload() for c in guild.channels if not c.parent],
                "preferred_locale": guild.locale,
                "premium_tier": 0,
                "nsfw_level": 0,
                "verification_level": 0,
                "emojis": [],
                "stickers": [],
                "threads": [c.payload() for c in guild.channels if c.parent and not c.archived],
                "voice_states": [],
                "presences": [],
                "stage_instances": [],
                "guild_scheduled_events": [],
                "soundboard_sounds": [],
                "mfa_level": 0,
            }
            for guild in self.guilds
            if guild.installed and session.covers(guild.id)
        )


def _role(role: int, name: str, **fields: Any) -> Json:  # noqa: ANN401
    return {
        "id": str(role),
        "name": name,
        "position": 0,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "permissions": "0",
        "hoist": False,
        "managed": False,
        "mentionable": True,
        "flags": 0,
    } | fields


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode().rstrip("=")
