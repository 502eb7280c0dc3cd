"""Compares the commands that Discord has with ours, and sends ours if they are others."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import discord
from discord import app_commands

from bot.languages import Translations

_log = logging.getLogger(__name__)


async def is_current(tree: app_commands.CommandTree) -> bool:
    """Whether Discord has exactly these commands."""
    translator = Translations()
    await tree.set_translator(translator)
    # `tree.fetch_commands` leaves out the translations: Discord sends them only on request.
    route = discord.http.Route(
        "GET",
        "/applications/{application_id}/commands",
        application_id=tree.client.application_id,
    )
    theirs = await tree.client.http.request(route, params={"with_localizations": "true"})
    ours = [
        await command.get_translated_payload(tree, translator) for command in tree.get_commands()
    ]
    return not differ(ours, theirs)


async def send_if_new(tree: app_commands.CommandTree) -> bool:
    """Send the commands to Discord if it has others; whether they were sent."""
    try:
        if await is_current(tree):
            return False
    except Exception as error:
        # To compare is only polite: sending what Discord has changes nothing.
        _log.warning("the commands could not be compared (%s)", type(error).__name__)
    await tree.sync()
    return True


def differ(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether Discord has other commands than we do.

    Args:
        ours: as they are sent.
        theirs: as Discord sends them, with ids and with its defaults filled in.
    """

    def by_name(commands: Sequence[Mapping[str, Any]]) -> dict[tuple[int, str], Any]:
        return {(c.get("type", 1), c["name"]): _essence(c) for c in commands}

    return len(ours) != len(theirs) or by_name(ours) != by_name(theirs)


_COMPARED = frozenset(
    {"name", "description", "type", "options", "required", "autocomplete", "choices", "value"}
    | {"min_value", "max_value", "min_length", "max_length", "nsfw", "contexts"}
    | {"integration_types", "default_member_permissions", "dm_permission"}
    | {"name_localizations", "description_localizations"}
)


def _essence(part: Any) -> Any:  # noqa: ANN401  (JSON)
    """What we say of a command, without what says nothing: None, False, and what is empty."""
    if isinstance(part, Mapping):
        kept = {key: part[key] for key in part if key in _COMPARED}
        for key in ("name_localizations", "description_localizations"):
            if key in kept:
                kept[key] = tuple(sorted((kept[key] or {}).items()))
        for key in ("contexts", "integration_types"):
            if key in kept:
                kept[key] = sorted(kept[key] or ())
        if kept.get("dm_permission") is not False or kept.get("contexts"):  # these say it all
            kept.pop("dm_permission", None)
        if kept.get("default_member_permissions") is not None:  # a number, or the same as text
            kept["default_member_permissions"] = str(kept["default_member_permissions"])
        cleaned = {key: _essence(value) for key, value in kept.items()}
        return {
            key: value
            for key, value in cleaned.items()
            if value is not None and value is not False and value not in ("", [], ())
        }
    if isinstance(part, list):
        return [_essence(value) for value in part]
    return part
