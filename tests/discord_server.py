"""A Discord to test against: the real discord.py talks to it over real sockets.

``DiscordServer`` holds what Discord holds (users, guilds, channels, messages, commands,
interactions) and answers the REST routes that a text bot uses; ``discord_gateway`` is its
gateway, ``discord_rules`` what it refuses, ``discord_schema`` its official description. A
``Person`` does what a user does: types commands, presses buttons, uses menus, writes, deletes.

Time is a clock passed in: it decides token lives, the three seconds to the first response and
the age of messages. Only rate limits run on real time, for discord.py sleeps on them.
"""

import asyncio
import base64
import contextlib
import enum
import itertools
import json
import re
import secrets
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import BodyPartReader, web

from tests import discord_rules as rules
from tests.discord_gateway import Gateway, Session
from tests.discord_rules import ApiError
from tests.discord_schema import Schemas, default_path
from tests.discord_world import (
    AUTOCOMPLETE,
    BOT_DM,
    COMMAND,
    COMPONENT,
    EPOCH,
    GUILD,
    HISTORY,
    MANAGE_MESSAGES,
    MEMBER_PERMISSIONS,
    MODERATOR,
    SEND_MESSAGES,
    VIEW,
    Channel,
    Guild,
    Interaction,
    Message,
    Person,
    iso,
)

Json = dict[str, Any]
T = TypeVar("T")

FIRST_RESPONSE = 3.0
TOKEN_LIFE = 900.0
OLD_MESSAGE = 3600.0
OLD_EDITS = 3  # Discord publishes no number
FOLLOW_UPS = 5
PATIENCE = 120.0  # real seconds that a test waits before it says that nothing happens


# How many requests in how many (real) seconds, by route; Discord publishes none of these.
RATES: dict[str, tuple[int, float]] = {
    "POST /webhooks": (5, 2.0),
    "PATCH /webhooks": (5, 2.0),
    "DELETE /webhooks": (5, 2.0),
    "POST /channels": (5, 5.0),
    "PATCH /channels": (5, 5.0),
    "DELETE /channels": (5, 1.0),
}
GLOBAL_RATE = (50, 1.0)


@dataclass
class Request:
    """One line of the request log."""

    method: str
    route: str
    path: str
    body: Any
    at: float  # by the clock
    real: float  # time.perf_counter when it came
    status: int = 0
    code: int = 0
    answer: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Cut(enum.Enum):
    """A connection that breaks where an answer should come."""

    RESET = "connection reset by peer, errno 104"
    CLOSED = "closed without a word: aiohttp's ServerDisconnectedError"


@dataclass
class Fault:
    """What happens to the next matching requests.

    Attributes:
        method, route: of requests on routes that begin so.
        answer: an error or a broken connection instead of the answer; None for the true answer.
        carried_out: whether the request is carried out all the same, and only its answer lost.
        delay: real seconds before the answer.
        times: how many requests.
        when: which of them.
    """

    method: str
    route: str
    answer: ApiError | Cut | None = None
    carried_out: bool = False
    delay: float = 0.0
    times: int = 1
    when: Callable[[Request], bool] = lambda _: True

    def matches(self, request: Request) -> bool:
        return (
            self.method in ("", request.method)
            and request.route.startswith(self.route)
            and self.when(request)
        )


class DiscordServer:
    """The whole stand-in: ``async with DiscordServer() as discord: ...``.

    Args:
        clock: seconds since 1970; the real time by default.
        token: the bot token that is accepted.
        rates: requests allowed per route, ``{"PATCH /webhooks": (5, 2.0)}``; {} for none.
        schemas: the OpenAPI description to check bodies with; None for none.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        *,
        token: str | None = None,
        rates: dict[str, tuple[int, float]] | None = None,
        schemas: Schemas | None = None,
    ) -> None:
        self.clock = clock
        self.rates = RATES if rates is None else rates
        self.schemas = schemas
        self._ids = itertools.count()
        self.application_id = self.snowflake()
        self.token = token or f"{_base64(str(self.application_id))}.GabcDe.{secrets.token_hex(19)}"
        self.application_flags = 0
        self.log: list[Request] = []
        self.faults: list[Fault] = []
        self.weather: Callable[[Request], Fault | None] = lambda _: None  # faults by chance
        self.commands: dict[int, Json] = {}
        self.guild_commands: dict[int, dict[int, Json]] = {}
        self.people: list[Person] = []
        self.guilds: list[Guild] = []
        self.channels: dict[int, Channel] = {}
        self.interactions: dict[str, Interaction] = {}
        self.files: dict[str, bytes] = {}
        self.typing: list[Channel] = []
        self.unexpected: list[str] = []
        self.invalid_requests = 0
        self.port = 0
        self._buckets: dict[str, tuple[float, int]] = {}
        self._waiters: set[asyncio.Event] = set()
        self.gateway = Gateway(self.token, self._ready, self._guild_payloads, clock, self.changed)
        self.guild = self.add_guild("Hundred Acre Wood")
        self.channel = self.add_channel(self.guild)

    # -- the wood and its people

    def snowflake(self) -> int:
        return (int((self.clock() - EPOCH) * 1000) << 22) + next(self._ids) % (1 << 22)

    def add_guild(self, name: str, *, installed: bool = True) -> Guild:
        guild = Guild(self.snowflake(), name, installed)
        guild.bot_role = self.snowflake() if installed else 0
        self.guilds.append(guild)
        return guild

    def add_channel(
        self, guild: Guild | None = None, *people: Person, context: int = GUILD
    ) -> Channel:
        """A guild's channel, or with people one between them (``BOT_DM`` or ``PRIVATE``)."""
        channel = Channel(self.snowflake(), context, guild, list(people))
        self.channels[channel.id] = channel
        return channel

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

    # -- running and watching

    @property
    def api_base(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v10"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/gateway"

    async def __aenter__(self) -> "DiscordServer":
        app = web.Application(client_max_size=30 << 20)
        app.router.add_get("/gateway", self.gateway.handle)
        app.router.add_get("/gateway/", self.gateway.handle)
        app.router.add_get("/attachments/{name:.*}", self._file)
        for (method, route), handler in ROUTES.items():
            path = re.sub(r"{(\w+_id)}", r"{\1:[0-9]+}", route)
            app.router.add_route(method, f"/api/v10{path}", self._serve(route, handler))
        app.router.add_route("*", "/{path:.*}", self._serve("", DiscordServer._unknown))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        assert site._server is not None
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gateway.drop()
        await self._runner.cleanup()

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
            tail = "\n".join(
                f"  {r.method} {r.route} {r.body} -> {r.status} {r.code}" for r in self.log[-20:]
            )
            raise AssertionError(
                f"waited {patience:.0f} s for {what or condition}:\n{tail}"
            ) from None
        finally:
            self._waiters.discard(waiter)

    async def online(self, times: int = 1) -> None:
        """Waits until the bot has come online ``times`` times (identified or resumed)."""
        await self.until(
            lambda: self.gateway.connected >= times and self.gateway.socket, "the bot to connect"
        )

    def requests(self, method: str = "", route: str = "") -> list[Request]:
        """The log, of one method and of routes that begin so."""
        return [
            r for r in self.log if (not method or r.method == method) and r.route.startswith(route)
        ]

    def refused(self) -> list[Request]:
        """The requests that were answered with an error."""
        return [r for r in self.log if r.status >= 400]

    def violations(self) -> list[str]:
        """All that a well-behaved bot would not have sent: bad bodies, unknown routes."""
        found = list(self.unexpected)
        if self.schemas:
            for request in self.log:
                if request.route and request.status != 401:
                    found += self.schemas.violations(request.method, request.route, request.body)
        return found

    def fail(
        self,
        method: str,
        route: str,
        answer: ApiError | Cut | None = None,
        *,
        carried_out: bool = False,
        delay: float = 0.0,
        times: int = 1,
        when: Callable[[Request], bool] = lambda _: True,
    ) -> None:
        """Lets the next ``times`` requests on routes that begin so fail; see ``Fault``."""
        self.faults.append(Fault(method, route, answer, carried_out, delay, times, when))

    # -- what people do

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
        self.gateway.dispatch("INTERACTION_CREATE", interaction.payload())
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
        for message in list(channel.messages.values()):
            message.deleted = True
        channel.messages.clear()
        if self.gateway.session and channel.seen:
            self.gateway.dispatch("CHANNEL_DELETE", channel.payload())
        self.changed()

    def tell(self, event: str, message: Message) -> None:
        """Sends a message event to the bot, as much of it as the bot's intents allow."""
        self.changed()
        session, channel = self.gateway.session, message.channel
        if session is None or not channel.seen or message.ephemeral:
            return
        if not session.intents & (1 << 9 if channel.guild else 1 << 12):
            return
        if event == "MESSAGE_DELETE":
            data: Json = {"id": str(message.id), "channel_id": str(channel.id)}
            if channel.guild:
                data["guild_id"] = str(channel.guild.id)
        else:
            me = str(self.application_id)
            told = (
                session.intents & 1 << 15
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
        self.gateway.dispatch(event, data)

    def _ready(self, session: Session) -> Json:
        return {
            "v": 10,
            "user": self.bot_user(),
            "session_id": session.id,
            "resume_gateway_url": self.gateway_url,
            "shard": [0, 1],
            "guilds": [{"id": str(g.id), "unavailable": True} for g in self.guilds if g.installed],
            "application": {"id": str(self.application_id), "flags": self.application_flags},
        }

    def _guild_payloads(self) -> list[Json]:
        bot_member = {
            "user": self.bot_user(),
            "roles": [],
            "joined_at": iso(EPOCH),
            "deaf": False,
            "mute": False,
            "flags": 0,
        }
        return [
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
                "channels": [c.payload() for c in self.channels.values() if c.guild is guild],
                "preferred_locale": guild.locale,
                "premium_tier": 0,
                "nsfw_level": 0,
                "verification_level": 0,
                "emojis": [],
                "stickers": [],
                "threads": [],
                "voice_states": [],
                "presences": [],
                "stage_instances": [],
                "guild_scheduled_events": [],
                "soundboard_sounds": [],
                "mfa_level": 0,
            }
            for guild in self.guilds
            if guild.installed
        ]

    # -- HTTP

    def _serve(
        self, route: str, handler: Callable[["DiscordServer", "Call"], Any]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            body, files = await _read(request)
            entry = Request(
                request.method, route, request.path, body, self.clock(), time.perf_counter()
            )
            self.log.append(entry)
            call = Call(entry, request.match_info, body, files, dict(request.query))
            fault = self._fault(entry)
            if fault:
                await asyncio.sleep(fault.delay)
            broken = fault.answer if fault else None
            try:
                entry.headers |= self._limit(request.method, route, request.match_info)
                needs_token = not route.startswith(("/webhooks", "/interactions"))
                if needs_token and request.headers.get("Authorization") != f"Bot {self.token}":
                    raise ApiError(401, 0, "401: Unauthorized")
                if not broken or (fault and fault.carried_out):
                    entry.answer = handler(self, call)
                    entry.status = 200 if entry.answer is not None else 204
                if isinstance(broken, ApiError):
                    raise broken
            except ApiError as error:
                entry.answer, entry.status, entry.code = error.body, error.status, error.code
                entry.headers |= error.headers
                self.invalid_requests += error.status in (401, 403, 429)
            self.changed()
            if isinstance(broken, Cut):
                entry.status = 0
                return _cut(request, broken)
            if entry.answer is None:
                return web.Response(status=204, headers=entry.headers)
            # discord.py reads JSON only under this very name, without a charset.
            headers = {"Content-Type": "application/json", **entry.headers}
            data = json.dumps(entry.answer).encode()
            return web.Response(body=data, status=entry.status, headers=headers)

        return serve

    def _fault(self, entry: Request) -> Fault | None:
        for fault in self.faults:
            if fault.matches(entry):
                fault.times -= 1
                if not fault.times:
                    self.faults.remove(fault)
                return fault
        return self.weather(entry)

    def _limit(self, method: str, route: str, match: Any) -> dict[str, str]:  # noqa: ANN401
        """Counts a request; the headers of its bucket, or the 429 that it earns."""
        if route.startswith("/interactions") or not route:
            return {}
        now = asyncio.get_running_loop().time()
        if self.rates and not route.startswith("/webhooks"):
            self._count("global", *GLOBAL_RATE, now, route)
        name = f"{method} /{route.split('/')[1]}"
        if name not in self.rates:
            return {}
        major = match.get("webhook_token") or match.get("channel_id") or ""
        return self._count(f"{name} {major}", *self.rates[name], now, route)

    def _count(self, key: str, most: int, per: float, now: float, route: str) -> dict[str, str]:
        reset, used = self._buckets.get(key, (0.0, 0))
        if now >= reset:
            reset, used = now + per, 0
        left = reset - now
        if used >= most:
            raise too_many(left, everywhere=key == "global")
        self._buckets[key] = reset, used + 1
        return {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(most - used - 1),
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "Via": "1.1 google",
            "X-RateLimit-Reset": f"{time.time() + left:.3f}",
            "X-RateLimit-Bucket": re.sub(r"\W", "", key.split(" ")[0] + route)[:32],
        }

    def _unknown(self, call: "Call") -> None:
        self.unexpected.append(
            f"{call.entry.method} {call.entry.path}: not a route of the stand-in"
        )
        raise ApiError(404, 0, "404: Not Found")

    async def _file(self, request: web.Request) -> web.Response:
        data = self.files.get(request.match_info["name"])
        return web.Response(status=404) if data is None else web.Response(body=data)

    # -- routes: the application

    def _me(self, call: "Call") -> Json:
        return self.bot_user()

    def _application(self, call: "Call") -> Json:
        return {
            "id": str(self.application_id),
            "name": "Pooh",
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "00" * 32,
            "owner": {**self.bot_user(), "id": "1", "username": "owner", "bot": False},
            "team": None,
            "flags": self.application_flags,
            "bot": self.bot_user(),
            "interactions_endpoint_url": None,
            "summary": "",
            "tags": [],
            "integration_types_config": {"0": {}, "1": {}},
        }

    def _gateway_bot(self, call: "Call") -> Json:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return {"url": self.gateway_url, "shards": 1, "session_start_limit": limit}

    def _get_commands(self, call: "Call") -> list[Json]:
        localised = call.query.get("with_localizations", "").lower() in ("1", "true")
        return [_listed(c, localised) for c in self._commands_of(call).values()]

    def _commands_of(self, call: "Call") -> dict[int, Json]:
        self._own(call)
        if "guild_id" in call.match:
            return self.guild_commands.setdefault(int(call.match["guild_id"]), {})
        return self.commands

    def _own(self, call: "Call") -> None:
        if call.match["application_id"] != str(self.application_id):
            raise ApiError(403, 20012, "You are not authorized to perform this action")

    def _put_commands(self, call: "Call") -> list[Json]:
        commands = self._commands_of(call)
        rules.check_commands(call.body)
        known = {(c["type"], c["name"]): c["id"] for c in commands.values()}
        commands.clear()
        for given in call.body:
            kind = given.get("type") or rules.CHAT_INPUT
            command = self._command(given, known.get((kind, given["name"])))
            commands[int(command["id"])] = command
        return list(commands.values())

    def _post_command(self, call: "Call") -> Json:
        commands = self._commands_of(call)
        kind = call.body.get("type") or rules.CHAT_INPUT
        same = next(
            (
                c
                for c in commands.values()
                if (c["type"], c["name"]) == (kind, call.body.get("name"))
            ),
            None,
        )
        others = [c for c in commands.values() if c is not same]
        rules.check_commands([*others, call.body])
        command = self._command(call.body, same["id"] if same else None)
        commands[int(command["id"])] = command
        return command

    def _patch_command(self, call: "Call") -> Json:
        commands, key = self._commands_of(call), int(call.match["command_id"])
        if key not in commands:
            raise ApiError(404, 10063, "Unknown application command")
        changed = {**commands[key], **call.body}
        rules.check_commands([*(c for k, c in commands.items() if k != key), changed])
        commands[key] = self._command(changed, str(key))
        return commands[key]

    def _delete_command(self, call: "Call") -> None:
        if self._commands_of(call).pop(int(call.match["command_id"]), None) is None:
            raise ApiError(404, 10063, "Unknown application command")

    def _command(self, given: Json, known: str | None) -> Json:
        """As Discord stores it: with its defaults filled in and what is empty left out."""
        return {
            "id": known or str(self.snowflake()),
            "application_id": str(self.application_id),
            "version": str(self.snowflake()),
            "type": given.get("type") or rules.CHAT_INPUT,
            "name": given["name"],
            "description": given.get("description") or "",
            "name_localizations": given.get("name_localizations") or None,
            "description_localizations": given.get("description_localizations") or None,
            "default_member_permissions": given.get("default_member_permissions"),
            "dm_permission": given.get("dm_permission") is not False,
            "contexts": _sorted(given.get("contexts")),
            "integration_types": _sorted(given.get("integration_types")) or [0],
            "nsfw": bool(given.get("nsfw")),
            "options": [
                {k: v for k, v in option.items() if v or (v == 0 and v is not False)}
                | {
                    "name_localizations": option.get("name_localizations") or None,
                    "description_localizations": option.get("description_localizations") or None,
                }
                for option in given.get("options") or []
            ],
        }

    # -- routes: interactions

    def _callback(self, call: "Call") -> Json | None:
        interaction = self.interactions.get(call.match["interaction_token"])
        now = self.clock()
        if interaction is None or str(interaction.id) != call.match["interaction_id"]:
            raise ApiError(404, 10062, "Unknown interaction")
        if interaction.answered is not None:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        if now - interaction.created > FIRST_RESPONSE:
            raise ApiError(404, 10062, "Unknown interaction")
        kind, data = call.body.get("type"), call.body.get("data") or {}
        allowed = {COMMAND: (4, 5, 9), COMPONENT: (4, 5, 6, 7, 9), AUTOCOMPLETE: (8,)}
        if kind not in allowed[interaction.kind]:
            raise rules.invalid("type", f"{kind} does not answer this interaction")
        if kind == 8:
            rules.check_choices(data.get("choices") or [])
            interaction.choices = data.get("choices") or []
        elif kind in (4, 5):
            if kind == 4:
                rules.check_message(data, len(call.files))
                _not_empty(data, call.files)
            interaction.original = self._respond(interaction, data, call.files, thinking=kind == 5)
        elif kind in (6, 7):
            interaction.original = interaction.source
            if kind == 7 and interaction.source:
                self._check_edit(interaction.source, data, call.files)
                self._edit(interaction.source, data, call.files)
        interaction.response_type = kind
        interaction.answered, interaction.responded = now, time.perf_counter()
        if call.query.get("with_response", "").lower() not in ("1", "true"):
            return None
        about: Json = {"id": str(interaction.id), "type": interaction.kind}
        answer: Json = {"interaction": about}
        if message := interaction.original:
            about |= {
                "response_message_id": str(message.id),
                "response_message_loading": message.loading,
                "response_message_ephemeral": message.ephemeral,
            }
            answer["resource"] = {"type": kind, "message": message.payload()}
        return answer

    def _respond(
        self,
        interaction: Interaction,
        data: Json,
        files: list["Upload"],
        *,
        thinking: bool = False,
        reply_to: Message | None = None,
    ) -> Message:
        """Makes a message that answers an interaction: the original or a follow-up."""
        channel = interaction.channel
        if channel.id not in self.channels:
            raise ApiError(404, 10003, "Unknown Channel")
        flags = int(data.get("flags") or 0) & (rules.EPHEMERAL | rules.COMPONENTS_V2 | 1 << 2)
        if "0" not in interaction.owners and not channel.external_apps:
            flags |= rules.EPHEMERAL
        if interaction.kind == COMMAND:
            kind = 20 if interaction.data["type"] == rules.CHAT_INPUT else 23
        else:
            kind = 19 if interaction.source else 0
        content = "" if thinking else (data.get("content") or "").strip()
        if not flags & rules.EPHEMERAL:
            channel.screen(content)
        return self.post(
            channel,
            self.bot_user(),
            type=19 if reply_to else kind,
            flags=flags | (rules.LOADING if thinking else 0),
            content=content,
            embeds=data.get("embeds") or [],
            components=data.get("components") or [],
            attachments=self._store(data.get("attachments"), files, []),
            reference=reply_to or (interaction.source if kind == 19 else None),
            interaction=interaction,
            visible_to=interaction.person if flags & rules.EPHEMERAL else None,
            pinged=rules.pinged(content, data.get("allowed_mentions"), interaction=True),
        )

    def _alive(self, call: "Call") -> Interaction:
        """The interaction behind a webhook token that is still good."""
        interaction = self.interactions.get(call.match["webhook_token"])
        if interaction is None or call.match["webhook_id"] != str(self.application_id):
            raise ApiError(404, 10015, "Unknown Webhook")
        if interaction.expired or self.clock() - interaction.created > TOKEN_LIFE:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        if interaction.answered is None:
            raise ApiError(404, 10015, "Unknown Webhook")
        return interaction

    def _follow_up(self, call: "Call") -> Json:
        interaction = self._alive(call)
        rules.check_message(call.body, len(call.files))
        _not_empty(call.body, call.files)
        original = interaction.original
        # The first follow-up fulfils the promise, unless that was taken back.
        if original and original.loading and not original.deleted:
            self._edit(original, call.body, call.files)
            return original.payload()
        if "0" not in interaction.owners and len(interaction.followups) >= FOLLOW_UPS:
            raise ApiError(
                400, 40094, "This interaction has reached the maximum number of follow-up messages"
            )
        message = self._respond(interaction, call.body, call.files, reply_to=original)
        interaction.followups.append(message)
        return message.payload()

    def _webhook_message(self, call: "Call") -> Message:
        interaction = self._alive(call)
        if "message_id" not in call.match:
            message = interaction.original
        else:
            known = [
                *interaction.followups,
                *([interaction.original] if interaction.original else []),
            ]
            message = next((m for m in known if str(m.id) == call.match["message_id"]), None)
        if interaction.channel.id not in self.channels:
            raise ApiError(404, 10003, "Unknown Channel")
        if message is None or message.deleted:
            raise ApiError(404, 10008, "Unknown Message")
        return message

    def _get_webhook_message(self, call: "Call") -> Json:
        return self._webhook_message(call).payload()

    def _patch_webhook_message(self, call: "Call") -> Json:
        return self._patched(self._webhook_message(call), call)

    def _delete_webhook_message(self, call: "Call") -> None:
        self.remove(self._webhook_message(call))

    # -- routes: channels

    def _channel(self, call: "Call") -> Channel:
        channel = self.channels.get(int(call.match["channel_id"]))
        if channel is None:
            raise ApiError(404, 10003, "Unknown Channel")
        if not channel.seen or not channel.bot_permissions & VIEW:
            raise ApiError(403, 50001, "Missing Access")
        return channel

    def _message(self, call: "Call") -> Message:
        message = self._channel(call).messages.get(int(call.match["message_id"]))
        if message is None or message.ephemeral:
            raise ApiError(404, 10008, "Unknown Message")
        return message

    def _get_channel(self, call: "Call") -> Json:
        return self._channel(call).payload()

    def _get_message(self, call: "Call") -> Json:
        return self._message(call).payload()

    def _get_messages(self, call: "Call") -> list[Json]:
        messages = [m for m in self._channel(call).messages.values() if not m.ephemeral]
        return [m.payload() for m in messages[::-1][: int(call.query.get("limit", 50))]]

    def _post_message(self, call: "Call") -> Json:
        channel, body = self._channel(call), call.body
        if not channel.bot_permissions & SEND_MESSAGES:
            raise ApiError(403, 50013, "Missing Permissions")
        rules.check_message(body, len(call.files))
        _not_empty(body, call.files)
        nonce = str(body["nonce"]) if body.get("enforce_nonce") else None
        if nonce and (known := channel.nonces.get(nonce)):
            return known.payload()  # it was sent before: no second
        channel.screen(body.get("content") or "")
        reference, allowed = None, body.get("allowed_mentions")
        if about := body.get("message_reference"):
            if not channel.bot_permissions & HISTORY:
                raise ApiError(
                    403, 160002, "Cannot reply without permission to read message history"
                )
            reference = channel.messages.get(int(about["message_id"]))
            if reference is None and about.get("fail_if_not_exists") is not False:
                raise rules.invalid("message_reference", "Unknown message")
        content = (body.get("content") or "").strip()
        pings = rules.pinged(content, allowed, interaction=False)
        if reference and (allowed is None or allowed.get("replied_user")):
            pings.append(reference.author["id"])
        message = self.post(
            channel,
            self.bot_user(),
            type=19 if reference else 0,
            content=content,
            flags=int(body.get("flags") or 0),
            embeds=body.get("embeds") or [],
            components=body.get("components") or [],
            reference=reference,
            pinged=pings,
            attachments=self._store(body.get("attachments"), call.files, []),
        )
        if nonce:
            channel.nonces[nonce] = message
        return message.payload()

    def _patch_message(self, call: "Call") -> Json:
        message = self._message(call)
        if not message.mine:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        return self._patched(message, call)

    def _delete_message(self, call: "Call") -> None:
        message = self._message(call)
        if not message.mine and not message.channel.bot_permissions & MANAGE_MESSAGES:
            raise ApiError(403, 50013, "Missing Permissions")
        self.remove(message)

    def _typing(self, call: "Call") -> None:
        self.typing.append(self._channel(call))

    def _create_dm(self, call: "Call") -> Json:
        wanted = str(call.body.get("recipient_id"))
        person = next((p for p in self.people if str(p.id) == wanted), None)
        if person is None:
            raise ApiError(404, 10013, "Unknown User")
        return self.dm(person).payload()

    # -- messages

    def _patched(self, message: Message, call: "Call") -> Json:
        self._check_edit(message, call.body, call.files)
        if not message.ephemeral:
            message.channel.screen(call.body.get("content") or "")
        if self.clock() - message.created > OLD_MESSAGE:
            message.old_edits += 1
            if message.old_edits > OLD_EDITS:
                raise too_many(
                    0.05,
                    code=30046,
                    message="Maximum number of edits to messages "
                    "older than 1 hour reached. Try again later",
                )
        self._edit(message, call.body, call.files)
        return message.payload()

    def _check_edit(self, message: Message, body: Json, files: list["Upload"]) -> None:
        flags = message.flags | int(body.get("flags") or 0)
        rules.check_message(body, len(files), flags=flags)
        merged = {
            k: body[k] if k in body else getattr(message, k)
            for k in ("content", "embeds", "components", "attachments")
        }
        if not message.loading or body.get("content") is not None:
            _not_empty(merged, files)

    def _edit(self, message: Message, body: Json, files: list["Upload"]) -> None:
        if "content" in body:
            message.content = (body["content"] or "").strip()
        if "embeds" in body:
            message.embeds = body["embeds"] or []
        if "components" in body:
            message.components = body["components"] or []
        if "attachments" in body or files:
            message.attachments = self._store(body.get("attachments"), files, message.attachments)
        if "flags" in body:
            kept = message.flags & ~(rules.COMPONENTS_V2 | 1 << 2)
            message.flags = kept | int(body["flags"] or 0) & (rules.COMPONENTS_V2 | 1 << 2)
        message.flags &= ~rules.LOADING
        message.pinged += rules.pinged(
            message.content,
            body.get("allowed_mentions"),
            interaction=message.interaction is not None,
        )
        message.edits.append((self.clock(), message.content))
        self.tell("MESSAGE_UPDATE", message)

    def _store(
        self, described: list[Json] | None, files: list["Upload"], before: list[Json]
    ) -> list[Json]:
        kept = before
        if described is not None:
            ids = {str(a["id"]) for a in described}
            kept = [a for a in before if a["id"] in ids]
        about = {str(a.get("filename")): a for a in described or []}
        for upload in files:
            key = f"{self.snowflake()}/{upload.name}"
            self.files[key] = upload.data
            url = f"http://127.0.0.1:{self.port}/attachments/{key}"
            kept = [
                *kept,
                {
                    "id": str(self.snowflake()),
                    "filename": upload.name,
                    "size": len(upload.data),
                    "url": url,
                    "proxy_url": url,
                    "content_type": upload.kind,
                    "description": about.get(upload.name, {}).get("description"),
                },
            ]
        return kept


@dataclass
class Upload:
    """A file of a multipart request."""

    name: str
    kind: str
    data: bytes


@dataclass
class Call:
    """A request as its route's handler sees it."""

    entry: Request
    match: Any
    body: Any
    files: list[Upload]
    query: dict[str, str]


ROUTES: dict[tuple[str, str], Callable[[DiscordServer, Call], Any]] = {
    ("GET", "/users/@me"): DiscordServer._me,
    ("POST", "/users/@me/channels"): DiscordServer._create_dm,
    ("GET", "/applications/@me"): DiscordServer._application,
    ("GET", "/oauth2/applications/@me"): DiscordServer._application,
    ("GET", "/gateway"): DiscordServer._gateway_bot,
    ("GET", "/gateway/bot"): DiscordServer._gateway_bot,
    **{
        (method, f"/applications/{{application_id}}{scope}/commands{rest}"): handler
        for scope in ("", "/guilds/{guild_id}")
        for method, rest, handler in (
            ("GET", "", DiscordServer._get_commands),
            ("PUT", "", DiscordServer._put_commands),
            ("POST", "", DiscordServer._post_command),
            ("PATCH", "/{command_id}", DiscordServer._patch_command),
            ("DELETE", "/{command_id}", DiscordServer._delete_command),
        )
    },
    (
        "POST",
        "/interactions/{interaction_id}/{interaction_token}/callback",
    ): DiscordServer._callback,
    ("POST", "/webhooks/{webhook_id}/{webhook_token}"): DiscordServer._follow_up,
    **{
        (method, f"/webhooks/{{webhook_id}}/{{webhook_token}}/messages/{which}"): handler
        for which in ("@original", "{message_id}")
        for method, handler in (
            ("GET", DiscordServer._get_webhook_message),
            ("PATCH", DiscordServer._patch_webhook_message),
            ("DELETE", DiscordServer._delete_webhook_message),
        )
    },
    ("GET", "/channels/{channel_id}"): DiscordServer._get_channel,
    ("GET", "/channels/{channel_id}/messages"): DiscordServer._get_messages,
    ("POST", "/channels/{channel_id}/messages"): DiscordServer._post_message,
    ("GET", "/channels/{channel_id}/messages/{message_id}"): DiscordServer._get_message,
    ("PATCH", "/channels/{channel_id}/messages/{message_id}"): DiscordServer._patch_message,
    ("DELETE", "/channels/{channel_id}/messages/{message_id}"): DiscordServer._delete_message,
    ("POST", "/channels/{channel_id}/typing"): DiscordServer._typing,
}


def too_many(
    after: float,
    *,
    everywhere: bool = False,
    code: int = 0,
    message: str = "You are being rate limited.",
) -> ApiError:
    """A 429. The Via header tells discord.py that it is no ban."""
    headers = {"Via": "1.1 google", "Retry-After": f"{after:.3f}"}
    if everywhere:
        headers["X-RateLimit-Global"] = "true"
    else:
        headers["X-RateLimit-Scope"] = "user"
    extra = {"retry_after": round(after, 3), "global": everywhere}
    return ApiError(429, code, message, extra=extra, headers=headers)


def _cut(request: web.Request, how: Cut) -> web.Response:
    """Breaks the connection of a request; nothing of the response reaches the client."""
    if transport := request.transport:
        if how is Cut.RESET:  # what is not sent is thrown away, and the other side told so
            linger = struct.pack("ii", 1, 0)
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    return web.Response()


def describe() -> Schemas | None:
    """Discord's own description, if it is at hand."""
    path = default_path()
    return Schemas(path) if path else None


async def _read(request: web.Request) -> tuple[Any, list[Upload]]:
    """The JSON body and the files of a request; None without a body."""
    if request.content_type == "multipart/form-data":
        body: Any = None
        files = []
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            if part.name == "payload_json":
                body = json.loads(await part.text())
            elif re.fullmatch(r"files\[\d+\]", part.name or ""):
                data = bytes(await part.read())
                kind = part.headers.get("Content-Type", "application/octet-stream")
                files.append(Upload(part.filename or "file", kind, data))
        return body, files
    raw = await request.read()
    return (json.loads(raw) if raw else None), []


def _not_empty(body: Json, files: Sequence[Upload]) -> None:
    if (
        not (body.get("content") or "").strip()
        and not files
        and not any(
            body.get(part)
            for part in ("embeds", "components", "attachments", "sticker_ids", "poll")
        )
    ):
        raise ApiError(400, 50006, "Cannot send an empty message")


def _listed(command: Json, localised: bool) -> Json:
    """A command in a list: its translations are left out unless asked for."""
    if localised:
        return command
    plain = {k: v for k, v in command.items() if not k.endswith("_localizations")}
    return (
        plain | {"options": [_listed(o, localised) for o in command.get("options") or []]}
        if ("options" in command)
        else plain
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


def _sorted(values: Sequence[int] | None) -> list[int] | None:
    return sorted(values) if values else None


def _base64(text: str) -> str:

    return base64.b64encode(text.encode()).decode().rstrip("=")
