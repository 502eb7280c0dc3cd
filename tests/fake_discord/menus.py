"""Menus in messages (selects): what is chosen in them, and what a person can choose."""

from collections.abc import Sequence

from tests.fake_discord.rules import STRING_MENU, Json, RefusedError, bounds


def chosen(menu: Json) -> list[str]:
    """What a menu shows as chosen."""
    options = [option["value"] for option in menu.get("options") or [] if option.get("default")]
    return options or [value["id"] for value in menu.get("default_values") or []]


def check_choice(menu: Json, values: Sequence[str]) -> None:
    """Refuses what the client does not let a person choose."""
    least, most = bounds(menu)
    if menu.get("disabled"):
        raise RefusedError(f"{menu['custom_id']} is greyed out")
    if not least <= len(values) <= most:
        raise RefusedError(f"{menu['custom_id']} takes {least} to {most}, not {len(values)}")
    if menu["type"] == STRING_MENU:
        known = [option["value"] for option in menu["options"]]
        if unknown := set(values) - set(known):
            raise RefusedError(f"{menu['custom_id']} has no {unknown} among {known}")
