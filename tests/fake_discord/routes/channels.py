"""Routes of channels and of the messages in them."""

from typing import Any

from tests.fake_discord import rules
from tests.fake_discord.calls import Call
from tests.fake_discord.messages import Messages, check_not_empty
from tests.fake_discord.models import (
    ATTACH_FILES,
    HISTORY,
    MANAGE_MESSAGES,
    VIEW,
    Channel,
    Message,
)
from tests.fake_discord.routes.handlers import Handlers
from tests.fake_discord.rules import ApiError
from tests.fake_discord.world import World

Json = dict[str, Any]


class ChannelRoutes:
    """Lets a bot read, write, edit and delete where it may."""

    def __init__(self, world: World, messages: Messages) -> None:
        self.world = world
        self.messages = messages

    def handlers(self) -> Handlers:
        """The handlers by method and route."""
        messages = "/channels/{channel_id}/messages"
        return {
            ("GET", "/channels/{channel_id}"): self._get_channel,
            ("GET", messages): self._get_messages,
            ("POST", messages): self._post_message,
            ("GET", messages + "/{message_id}"): self._get_message,
            ("PATCH", messages + "/{message_id}"): self._patch_message,
            ("DELETE", messages + "/{message_id}"): self._delete_message,
            ("POST", "/channels/{channel_id}/typing"): self._typing,
            ("POST", "/users/@me/channels"): self._create_dm,
        }

    def _channel(self, call: Call) -> Channel:
        channel = self.world.channels.get(int(call.match["channel_id"]))
        if channel is None:
            raise ApiError(404, 10003, "Unknown Channel")
        if not channel.seen or not channel.bot_permissions & VIEW:
            raise ApiError(403, 50001, "Missing Access")
        return channel

    def _message(self, call: Call) -> Message:
        message = self._channel(call).messages.get(int(call.match["message_id"]))
        if message is None or message.ephemeral:
            raise ApiError(404, 10008, "Unknown Message")
        return message

    def _get_channel(self, call: Call) -> Json:
        return self._channel(call).payload()

    def _get_message(self, call: Call) -> Json:
        return self._message(call).payload()

    def _get_messages(self, call: Call) -> list[Json]:
        messages = [m for m in self._channel(call).messages.values() if not m.ephemeral]
        return [m.payload() for m in messages[::-1][: int(call.query.get("limit", 50))]]

    def _post_message(self, call: Call) -> Json:
        channel, body = self._channel(call), call.body
        if not channel.may_write:
            raise ApiError(403, 50013, "Missing Permissions")
        rules.check_message(body, len(call.files))
        check_not_empty(body, call.files)
        nonce = str(body["nonce"]) if body.get("enforce_nonce") else None
        if nonce and (known := channel.nonces.get(nonce)):  # it was sent before: no second
            if known.deleted:
                raise ApiError(404, 10008, "Unknown Message")
            return known.payload()
        if call.files and not channel.bot_permissions & ATTACH_FILES:
            raise ApiError(403, 50013, "Missing Permissions")
        channel.screen(body.get("content") or "")
        self.world.wake(channel)
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
        message = self.world.post(
            channel,
            self.world.bot_user(),
            type=19 if reference else 0,
            content=content,
            flags=int(body.get("flags") or 0),
            embeds=body.get("embeds") or [],
            components=body.get("components") or [],
            reference=reference,
            pinged=pings,
            attachments=self.messages.store_files(body.get("attachments"), call.files, []),
        )
        if nonce:
            channel.nonces[nonce] = message
        return message.payload()

    def _patch_message(self, call: Call) -> Json:
        message = self._message(call)
        if not message.mine:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        return self.messages.patch(message, call)

    def _delete_message(self, call: Call) -> None:
        message = self._message(call)
        if not message.mine and not message.channel.bot_permissions & MANAGE_MESSAGES:
            raise ApiError(403, 50013, "Missing Permissions")
        self.world.remove(message)

    def _typing(self, call: Call) -> None:
        self.world.typing.append(self._channel(call))

    def _create_dm(self, call: Call) -> Json:
        wanted = str(call.body.get("recipient_id"))
        person = next((p for p in self.world.people if str(p.id) == wanted), None)
        if person is None:
            raise ApiError(404, 10013, "Unknown User")
        return self.world.dm(person).payload()
