"""Who uses this Discord: a ``Person`` does what a user's client lets a user do."""

import re
from typing import TYPE_CHECKING, Any

from tests.fake_discord import forms, menus, rules
from tests.fake_discord.models import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    EPOCH,
    MANAGE_MESSAGES,
    MODAL,
    PRIVATE,
    Channel,
    Interaction,
    Message,
    iso,
)

if TYPE_CHECKING:
    from tests.fake_discord.world import World

Json = dict[str, Any]


class Person:
    """A user of Discord, driving the bot the way a user can."""

    def __init__(self, world: "World", name: str, locale: str, permissions: int) -> None:
        self.world = world
        self.id = world.snowflake()
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
        command = self._registered(name, rules.CHAT_INPUT, where or self.world.channel)
        data = {
            "id": command["id"],
            "name": name,
            "type": rules.CHAT_INPUT,
            "options": rules.read_options(command, options, force=force),
        }
        where = where or self.world.channel
        if resolved := self.world.resolve(" ".join(map(str, options.values())), where):
            data["resolved"] = resolved
        return self.world.interact(COMMAND, self, where or self.world.channel, data)

    async def suggestions(
        self, name: str, option: str, typed: str, *, where: Channel | None = None, **others: object
    ) -> list[Json]:
        """What autocomplete offers while ``typed`` stands in ``option``."""
        where = where or self.world.channel
        command = self._registered(name, rules.CHAT_INPUT, where)
        focused = next(o for o in command["options"] if o["name"] == option)
        if not focused.get("autocomplete"):
            raise rules.RefusedError(f"{option} has no autocomplete")
        options = rules.read_options(command, others)
        options.append({"name": option, "type": focused["type"], "value": typed, "focused": True})
        data = {"id": command["id"], "name": name, "type": rules.CHAT_INPUT, "options": options}
        asked = self.world.interact(AUTOCOMPLETE, self, where, data)
        await self.world.until(lambda: asked.choices is not None, f"choices for {typed!r}")
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
        return self.world.interact(COMMAND, self, message.channel, data)

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
        return self.world.interact(COMPONENT, self, message.channel, data, source=message)

    def choose(self, message: Message, custom_id: str, *values: "str | Channel") -> Interaction:
        """Chooses in a menu, by its id: values, or channels."""
        self._sees(message)
        menu = message.menus[custom_id]
        ids = [value if isinstance(value, str) else str(value.id) for value in values]
        menus.check_choice(menu, ids)
        data: Json = {"custom_id": custom_id, "component_type": menu["type"], "values": ids}
        if menu["type"] == rules.CHANNEL_MENU:
            kinds, channels = menu.get("channel_types"), {}
            for channel in (value for value in values if isinstance(value, Channel)):
                if channel.guild is not message.channel.guild or (
                    kinds and channel.kind not in kinds
                ):
                    raise rules.RefusedError(f"{custom_id} does not offer {channel.name}")
                kept = {"id": str(channel.id), "type": channel.kind, "name": channel.name}
                channels[str(channel.id)] = kept | {"permissions": str(self.permissions)}
            data["resolved"] = {"channels": channels}
        return self.world.interact(COMPONENT, self, message.channel, data, source=message)

    def submit(self, shown: Interaction, **answers: object) -> Interaction:
        """Fills in the modal that a press or a command has brought, and sends it."""
        if shown.modal is None or shown.person is not self:
            raise rules.RefusedError(f"{self.name} sees no modal")
        data = forms.fill_in(shown.modal, answers)
        return self.world.interact(MODAL, self, shown.channel, data, source=shown.source)

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
        where = where or (reply_to.channel if reply_to else self.world.channel)
        text = text.replace("@pooh", f"<@{self.world.application_id}>")
        people = {str(p.id): p.user() for p in self.world.people}
        people[str(self.world.application_id)] = self.world.bot_user()
        mentioned = re.findall(r"<@!?(\d+)>", text)
        if reply_to and ping:
            mentioned.append(reply_to.author["id"])
        return self.world.post(
            where,
            self.user(),
            content=text,
            type=19 if reply_to else 0,
            reference=reply_to,
            mentions=[
                people[m] | self.world.membership(m, where)
                for m in dict.fromkeys(mentioned)
                if m in people
            ],
            mention_roles=[int(role) for role in re.findall(r"<@&(\d+)>", text)],
            **fields,
        )

    def forward(self, message: Message, where: Channel | None = None) -> Message:
        """Forwards a message to another channel, or to the same."""
        self._sees(message)
        return self.world.post(
            where or self.world.channel,
            self.user(),
            forwarded=message.forwarded or message,  # of a forward: what it forwards
            flags=1 << 14,
        )

    def edit(self, message: Message, text: str) -> None:
        assert message.author["id"] == str(self.id), "people edit only what they wrote"
        message.content = text
        message.edits.append((self.world.clock(), text))
        self.world.tell("MESSAGE_UPDATE", message)

    def delete(self, message: Message) -> None:
        """Deletes a message of one's own, or as a moderator anybody's."""
        own = message.author["id"] == str(self.id)
        if not own and not message.ephemeral and not self.permissions & MANAGE_MESSAGES:
            raise rules.RefusedError(f"{self.name} may not delete this")
        self.world.remove(message)

    def _sees(self, message: Message) -> None:
        if message.deleted or (message.visible_to and message.visible_to is not self):
            raise rules.RefusedError(f"{self.name} does not see that message")

    def _registered(self, name: str, kind: int, where: Channel) -> Json:
        for command in self.world.commands.values():
            if command["name"] == name and command["type"] == kind:
                break
        else:
            raise rules.RefusedError(f"no command {name!r}")
        contexts, installs = command["contexts"], command["integration_types"]
        if contexts is not None and where.context not in contexts:
            raise rules.RefusedError(f"{name!r} is not offered in context {where.context}")
        wanted = int(command["default_member_permissions"] or 0)
        if where.guild and wanted & ~self.permissions:
            raise rules.RefusedError(f"{name!r} is not offered to {self.name}")
        alone = where.context == PRIVATE or (where.guild and not where.guild.installed)
        if alone and 1 not in installs:
            raise rules.RefusedError(f"{name!r} cannot be installed by a user")
        return command
