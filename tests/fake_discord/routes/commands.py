"""Routes of application commands, global ones and those of one guild."""

from collections.abc import Sequence
from typing import Any

from tests.fake_discord import rules
from tests.fake_discord.calls import Call
from tests.fake_discord.routes.handlers import Handlers
from tests.fake_discord.rules import ApiError
from tests.fake_discord.world import World

Json = dict[str, Any]


class CommandRoutes:
    """Keeps commands as Discord does: ids stay, defaults are filled in."""

    def __init__(self, world: World) -> None:
        self.world = world

    def handlers(self) -> Handlers:
        """The handlers by method and route."""
        return {
            (method, f"/applications/{{application_id}}{scope}/commands{rest}"): handler
            for scope in ("", "/guilds/{guild_id}")
            for method, rest, handler in (
                ("GET", "", self._get_commands),
                ("PUT", "", self._put_commands),
                ("POST", "", self._post_command),
                ("PATCH", "/{command_id}", self._patch_command),
                ("DELETE", "/{command_id}", self._delete_command),
            )
        }

    def _get_commands(self, call: Call) -> list[Json]:
        localised = call.query.get("with_localizations", "").lower() in ("1", "true")
        return [_listed(c, localised) for c in self._commands_of(call).values()]

    def _commands_of(self, call: Call) -> dict[int, Json]:
        self._check_application(call)
        if "guild_id" in call.match:
            return self.world.guild_commands.setdefault(int(call.match["guild_id"]), {})
        return self.world.commands

    def _check_application(self, call: Call) -> None:
        if call.match["application_id"] != str(self.world.application_id):
            raise ApiError(403, 20012, "You are not authorized to perform this action")

    def _put_commands(self, call: Call) -> list[Json]:
        commands = self._commands_of(call)
        rules.check_commands(call.body)
        known = {(c["type"], c["name"]): c["id"] for c in commands.values()}
        commands.clear()
        for given in call.body:
            kind = given.get("type") or rules.CHAT_INPUT
            command = self._command(given, known.get((kind, given["name"])))
            commands[int(command["id"])] = command
        return list(commands.values())

    def _post_command(self, call: Call) -> Json:
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

    def _patch_command(self, call: Call) -> Json:
        commands, key = self._commands_of(call), int(call.match["command_id"])
        if key not in commands:
            raise ApiError(404, 10063, "Unknown application command")
        changed = {**commands[key], **call.body}
        rules.check_commands([*(c for k, c in commands.items() if k != key), changed])
        commands[key] = self._command(changed, str(key))
        return commands[key]

    def _delete_command(self, call: Call) -> None:
        if self._commands_of(call).pop(int(call.match["command_id"]), None) is None:
            raise ApiError(404, 10063, "Unknown application command")

    def _command(self, given: Json, known: str | None) -> Json:
        """As Discord stores it: with its defaults filled in and what is empty left out."""
        return {
            "id": known or str(self.world.snowflake()),
            "application_id": str(self.world.application_id),
            "version": str(self.world.snowflake()),
            "type": given.get("type") or rules.CHAT_INPUT,
            "name": given["name"],
            "description": given.get("description") or "",
            "name_localizations": given.get("name_localizations") or None,
            "description_localizations": given.get("description_localizations") or None,
            "default_member_permissions": _text(given.get("default_member_permissions")),
            "dm_permission": given.get("dm_permission") is not False
            and 1 in (given.get("contexts") or [1]),
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


def _text(permissions: object) -> str | None:
    return None if permissions is None else str(permissions)


def _sorted(values: Sequence[int] | None) -> list[int] | None:
    return sorted(values) if values else None
