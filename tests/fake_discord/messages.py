"""What becomes of a message: it is edited, and its files are kept."""

from collections.abc import Sequence
from typing import Any

from tests.fake_discord import rules
from tests.fake_discord.calls import Call, Upload
from tests.fake_discord.limits import too_many
from tests.fake_discord.models import Message
from tests.fake_discord.rules import ApiError
from tests.fake_discord.world import World

Json = dict[str, Any]

OLD_MESSAGE = 3600.0  # seconds
OLD_EDITS = 3  # Discord publishes no number


class Messages:
    """Edits messages by the rules; the route groups of channels and interactions share it."""

    def __init__(self, world: World) -> None:
        self.world = world

    def patch(self, message: Message, call: Call) -> Json:
        self.check_edit(message, call.body, call.files)
        if not message.ephemeral:
            message.channel.check_writable()
            message.channel.screen(call.body.get("content") or "")
        if self.world.clock() - message.created > OLD_MESSAGE:
            message.old_edits += 1
            if message.old_edits > OLD_EDITS:
                raise too_many(
                    0.05,
                    code=30046,
                    message="Maximum number of edits to messages "
                    "older than 1 hour reached. Try again later",
                )
        self.edit(message, call.body, call.files)
        return message.payload()

    def check_edit(self, message: Message, body: Json, files: Sequence[Upload]) -> None:
        flags = message.flags | int(body.get("flags") or 0)
        rules.check_message(body, len(files), flags=flags)
        merged = {
            k: body[k] if k in body else getattr(message, k)
            for k in ("content", "embeds", "components", "attachments")
        }
        if not message.loading or body.get("content") is not None:
            check_not_empty(merged, files)

    def edit(self, message: Message, body: Json, files: Sequence[Upload]) -> None:
        if "content" in body:
            message.content = (body["content"] or "").strip()
        if "embeds" in body:
            message.embeds = body["embeds"] or []
        if "components" in body:
            message.components = body["components"] or []
        if "attachments" in body or files:
            message.attachments = self.store_files(
                body.get("attachments"), files, message.attachments
            )
        if "flags" in body:
            kept = message.flags & ~(rules.COMPONENTS_V2 | 1 << 2)
            message.flags = kept | int(body["flags"] or 0) & (rules.COMPONENTS_V2 | 1 << 2)
        message.flags &= ~rules.LOADING
        message.pinged += rules.pinged(
            message.content,
            body.get("allowed_mentions"),
            interaction=message.interaction is not None,
        )
        message.edits.append((self.world.clock(), message.content))
        self.world.tell("MESSAGE_UPDATE", message)

    def store_files(
        self, described: list[Json] | None, files: Sequence[Upload], before: list[Json]
    ) -> list[Json]:
        kept = before
        if described is not None:
            ids = {str(a["id"]) for a in described}
            kept = [a for a in before if a["id"] in ids]
        about = {str(a.get("filename")): a for a in described or []}
        for upload in files:
            key = f"{self.world.snowflake()}/{upload.name}"
            self.world.files[key] = upload.data
            url = f"http://127.0.0.1:{self.world.port}/attachments/{key}"
            kept = [
                *kept,
                {
                    "id": str(self.world.snowflake()),
                    "filename": upload.name,
                    "size": len(upload.data),
                    "url": url,
                    "proxy_url": url,
                    "content_type": upload.kind,
                    "description": about.get(upload.name, {}).get("description"),
                },
            ]
        return kept


def check_not_empty(body: Json, files: Sequence[Upload]) -> None:
    if (
        not (body.get("content") or "").strip()
        and not files
        and not any(
            body.get(part)
            for part in ("embeds", "components", "attachments", "sticker_ids", "poll")
        )
    ):
        raise ApiError(400, 50006, "Cannot send an empty message")
