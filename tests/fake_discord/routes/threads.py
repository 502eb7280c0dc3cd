"""Routes of threads: they are begun, joined, and put away."""

from typing import Any

from tests.fake_discord import rules
from tests.fake_discord.calls import Call
from tests.fake_discord.models import (
    CREATE_THREADS,
    MANAGE_THREADS,
    NEWS,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    TEXT,
    VIEW,
    Channel,
)
from tests.fake_discord.routes.handlers import Handlers
from tests.fake_discord.rules import ApiError
from tests.fake_discord.world import World

Json = dict[str, Any]

NAME = 100  # characters
NEWS_THREAD = 10
DURATIONS = (None, 60, 1440, 4320, 10080)


class ThreadRoutes:
    """Lets a bot begin threads and change those that it may."""

    def __init__(self, world: World) -> None:
        self.world = world

    def handlers(self) -> Handlers:
        """The handlers by method and route."""
        channel = "/channels/{channel_id}"
        return {
            ("POST", channel + "/threads"): self._begin,
            ("POST", channel + "/messages/{message_id}/threads"): self._begin_at_message,
            ("PATCH", channel): self._change,
            ("PUT", channel + "/thread-members/@me"): self._join,
            ("DELETE", channel + "/thread-members/@me"): self._leave,
            ("GET", "/guilds/{guild_id}/threads/active"): self._active,
        }

    @property
    def _me(self) -> str:
        return str(self.world.application_id)

    def _channel(self, call: Call) -> Channel:
        channel = self.world.channels.get(int(call.match["channel_id"]))
        if channel is None:
            raise ApiError(404, 10003, "Unknown Channel")
        if not channel.seen or not channel.bot_permissions & VIEW:
            raise ApiError(403, 50001, "Missing Access")
        return channel

    def _thread(self, call: Call) -> Channel:
        thread = self._channel(call)
        if thread.parent is None:
            raise ApiError(400, 50024, "Cannot execute action on this channel type")
        return thread

    def _check(self, channel: Channel, body: Json) -> None:
        if channel.parent or channel.guild is None or channel.kind not in (TEXT, NEWS):
            raise ApiError(400, 50024, "Cannot execute action on this channel type")
        if not channel.bot_permissions & CREATE_THREADS:
            raise ApiError(403, 50013, "Missing Permissions")
        name = body.get("name")
        if not isinstance(name, str) or not 1 <= len(name) <= NAME:
            raise rules.invalid("name", f"must be between 1 and {NAME} in length")
        if body.get("auto_archive_duration") not in DURATIONS:
            raise rules.invalid("auto_archive_duration", f"must be one of {DURATIONS[1:]}")
        active = [c for c in channel.guild.channels if c.parent and not c.archived]
        if len(active) >= channel.guild.active_threads:
            raise ApiError(400, 160006, "Maximum number of active threads reached")
        channel.screen(name)

    def _begin(self, call: Call) -> Json:
        channel = self._channel(call)
        self._check(channel, call.body)
        kind = call.body.get("type", PRIVATE_THREAD)  # so it is at Discord's
        if channel.kind == NEWS or kind not in (PUBLIC_THREAD, PRIVATE_THREAD):
            raise rules.invalid("type", "not a thread that can be begun here")
        return self.world.add_thread(channel, call.body["name"], self._me, kind=kind).payload()

    def _begin_at_message(self, call: Call) -> Json:
        channel = self._channel(call)
        message = channel.messages.get(int(call.match["message_id"]))
        if message is None or message.ephemeral:
            raise ApiError(404, 10008, "Unknown Message")
        if message.thread or message.id in self.world.channels:
            raise ApiError(400, 160004, "A thread has already been created for this message")
        self._check(channel, call.body)
        kind = NEWS_THREAD if channel.kind == NEWS else PUBLIC_THREAD
        name = call.body["name"]
        thread = self.world.add_thread(channel, name, self._me, message=message, kind=kind)
        thread.auto_archive = call.body.get("auto_archive_duration") or thread.auto_archive
        return thread.payload()

    def _change(self, call: Call) -> Json:
        thread, body = self._thread(call), call.body
        moderates = bool(thread.bot_permissions & MANAGE_THREADS)
        if not moderates:
            if body.get("locked") is not None or (thread.locked and body.get("archived") is False):
                raise ApiError(403, 50013, "Missing Permissions")
            opens = body.get("archived") is False and thread.may_write
            if thread.owner != self._me and not opens:
                raise ApiError(403, 50013, "Missing Permissions")
        if thread.archived and body.get("archived") is not False:
            thread.check_writable()
        thread.name = body.get("name") or thread.name
        self.world.change_thread(thread, archived=body.get("archived"), locked=body.get("locked"))
        return thread.payload()

    def _join(self, call: Call) -> None:
        thread = self._thread(call)
        thread.check_writable()
        thread.members.add(self._me)

    def _leave(self, call: Call) -> None:
        thread = self._thread(call)
        thread.check_writable()
        thread.members.discard(self._me)

    def _active(self, call: Call) -> Json:
        guild = next((g for g in self.world.guilds if g.id == int(call.match["guild_id"])), None)
        if guild is None or not guild.installed:
            raise ApiError(404, 10004, "Unknown Guild")
        threads = [c.payload() for c in guild.channels if c.parent and not c.archived]
        return {"threads": threads, "members": []}
