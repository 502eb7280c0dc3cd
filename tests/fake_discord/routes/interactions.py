"""Routes of interactions: the first response, and the webhook that is good for 15 minutes."""

import time
from collections.abc import Sequence
from typing import Any

from tests.fake_discord import forms, rules
from tests.fake_discord.calls import Call, Upload
from tests.fake_discord.messages import Messages, check_not_empty
from tests.fake_discord.models import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL,
    Interaction,
    Message,
)
from tests.fake_discord.routes.handlers import Handlers
from tests.fake_discord.rules import ApiError
from tests.fake_discord.world import World

Json = dict[str, Any]

FIRST_RESPONSE = 3.0  # seconds
TOKEN_LIFE = 900.0  # seconds
FOLLOW_UPS = 5  # where only a user has installed the application


class InteractionRoutes:
    """Answers what a bot sends to an interaction, from the promise to the last follow-up."""

    def __init__(self, world: World, messages: Messages) -> None:
        self.world = world
        self.messages = messages

    def handlers(self) -> Handlers:
        """The handlers by method and route."""
        webhook = "/webhooks/{webhook_id}/{webhook_token}"
        return {
            (
                "POST",
                "/interactions/{interaction_id}/{interaction_token}/callback",
            ): self._callback,
            ("POST", webhook): self._follow_up,
            **{
                (method, f"{webhook}/messages/{which}"): handler
                for which in ("@original", "{message_id}")
                for method, handler in (
                    ("GET", self._get_webhook_message),
                    ("PATCH", self._patch_webhook_message),
                    ("DELETE", self._delete_webhook_message),
                )
            },
        }

    def _callback(self, call: Call) -> Json | None:
        interaction = self.world.interactions.get(call.match["interaction_token"])
        now = self.world.clock()
        if interaction is None or str(interaction.id) != call.match["interaction_id"]:
            raise ApiError(404, 10062, "Unknown interaction")
        if interaction.answered is not None:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        if now - interaction.created > FIRST_RESPONSE:
            raise ApiError(404, 10062, "Unknown interaction")
        kind, data = call.body.get("type"), call.body.get("data") or {}
        allowed = {
            COMMAND: (4, 5, 9),
            COMPONENT: (4, 5, 6, 7, 9),
            AUTOCOMPLETE: (8,),
            MODAL: (4, 5, 6, 7) if interaction.source else (4, 5),
        }
        if kind not in allowed[interaction.kind]:
            raise rules.invalid("type", f"{kind} does not answer this interaction")
        if kind == 8:
            rules.check_choices(data.get("choices") or [])
            interaction.choices = data.get("choices") or []
        elif kind == 9:
            forms.check_modal(data)
            interaction.modal = data
        elif kind in (4, 5):
            if kind == 4:
                rules.check_message(data, len(call.files))
                check_not_empty(data, call.files)
            interaction.original = self._respond(interaction, data, call.files, thinking=kind == 5)
        elif kind in (6, 7):
            interaction.original = interaction.source
            if kind == 7 and interaction.source:
                interaction.channel.check_writable()
                self.messages.check_edit(interaction.source, data, call.files)
                self.messages.edit(interaction.source, data, call.files)
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
        files: Sequence[Upload],
        *,
        thinking: bool = False,
        reply_to: Message | None = None,
    ) -> Message:
        """Makes a message that answers an interaction: the original or a follow-up."""
        channel = interaction.channel
        if channel.id not in self.world.channels:
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
            self.world.wake(channel)
        return self.world.post(
            channel,
            self.world.bot_user(),
            type=19 if reply_to else kind,
            flags=flags | (rules.LOADING if thinking else 0),
            content=content,
            embeds=data.get("embeds") or [],
            components=data.get("components") or [],
            attachments=self.messages.store_files(data.get("attachments"), files, []),
            reference=reply_to or (interaction.source if kind == 19 else None),
            interaction=interaction,
            visible_to=interaction.person if flags & rules.EPHEMERAL else None,
            pinged=rules.pinged(content, data.get("allowed_mentions"), interaction=True),
        )

    def _alive(self, call: Call) -> Interaction:
        """The interaction behind a webhook token that is still good."""
        interaction = self.world.interactions.get(call.match["webhook_token"])
        if interaction is None or call.match["webhook_id"] != str(self.world.application_id):
            raise ApiError(404, 10015, "Unknown Webhook")
        if interaction.expired or self.world.clock() - interaction.created > TOKEN_LIFE:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        if interaction.answered is None:
            raise ApiError(404, 10015, "Unknown Webhook")
        return interaction

    def _follow_up(self, call: Call) -> Json:
        interaction = self._alive(call)
        rules.check_message(call.body, len(call.files))
        check_not_empty(call.body, call.files)
        original = interaction.original
        # The first follow-up fulfils the promise, unless that was taken back.
        if original and original.loading and not original.deleted:
            self.messages.edit(original, call.body, call.files)
            return original.payload()
        if "0" not in interaction.owners and len(interaction.followups) >= FOLLOW_UPS:
            raise ApiError(
                400, 40094, "This interaction has reached the maximum number of follow-up messages"
            )
        message = self._respond(interaction, call.body, call.files, reply_to=original)
        interaction.followups.append(message)
        return message.payload()

    def _webhook_message(self, call: Call) -> Message:
        interaction = self._alive(call)
        if "message_id" not in call.match:
            message = interaction.original
        else:
            known = [
                *interaction.followups,
                *([interaction.original] if interaction.original else []),
            ]
            message = next((m for m in known if str(m.id) == call.match["message_id"]), None)
        if interaction.channel.id not in self.world.channels:
            raise ApiError(404, 10003, "Unknown Channel")
        if message is None or message.deleted:
            raise ApiError(404, 10008, "Unknown Message")
        return message

    def _get_webhook_message(self, call: Call) -> Json:
        return self._webhook_message(call).payload()

    def _patch_webhook_message(self, call: Call) -> Json:
        return self.messages.patch(self._webhook_message(call), call)

    def _delete_webhook_message(self, call: Call) -> None:
        self.world.remove(self._webhook_message(call))
