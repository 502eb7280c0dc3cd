"""Modals, as pure functions: what Discord refuses of one, and what a person's answers look like."""

from collections.abc import Iterator, Mapping

from tests.fake_discord.rules import CUSTOM_ID, Json, RefusedError, invalid

ACTION_ROW, STRING_SELECT, TEXT_INPUT, TEXT_DISPLAY, LABEL = 1, 3, 4, 10, 18
# What a label may hold: inputs, selects, uploads, radio buttons, checkboxes.
FIELDS = frozenset({STRING_SELECT, TEXT_INPUT, 5, 6, 7, 8, 19, 21, 22, 23})
PARTS, TITLE, NAME, PLACEHOLDER, DESCRIPTION, TEXT = 5, 45, 45, 100, 100, 4000


def check_modal(data: Json) -> None:
    """Refuses a modal that Discord would refuse."""
    _length("custom_id", data.get("custom_id"), CUSTOM_ID, 1)
    _length("title", data.get("title"), TITLE, 1)
    parts = data.get("components") or []
    if not 1 <= len(parts) <= PARTS:
        raise invalid("components", f"a modal has 1 to {PARTS} parts")
    for part in parts:
        if part.get("type") == LABEL:
            _length("components.label", part.get("label"), NAME, 1)
            if part.get("description") is not None:
                _length("components.description", part["description"], DESCRIPTION, 1)
        elif part.get("type") not in (ACTION_ROW, TEXT_DISPLAY):
            raise invalid("components.type", "must be a label, a text or an action row")
    seen: set[str] = set()
    for field in fields(data):
        if field.get("type") not in FIELDS:
            raise invalid("components.component.type", "cannot stand in a modal")
        custom_id = field.get("custom_id")
        _length("components.custom_id", custom_id, CUSTOM_ID, 1)
        if custom_id in seen:
            raise invalid("components.custom_id", "Component custom id cannot be duplicated")
        seen.add(str(custom_id))
        if field["type"] == TEXT_INPUT:
            _length("components.placeholder", field.get("placeholder") or "", PLACEHOLDER)
            _length("components.value", field.get("value") or "", TEXT)
            least, most = field.get("min_length") or 0, field.get("max_length") or TEXT
            if not 0 <= least <= most <= TEXT:
                raise invalid("components.min_length", f"must be at most {most}")


def fields(data: Json) -> Iterator[Json]:
    """What people fill in."""
    for part in data["components"]:
        if part["type"] == LABEL:
            yield part["component"]
        elif part["type"] == ACTION_ROW:
            yield from part["components"]


def fill_in(modal: Json, given: Mapping[str, object]) -> Json:
    """The answers as an interaction carries them, checked as Discord's client checks them.

    Args:
        modal: as the bot sent it.
        given: by custom id; a text, a list of what is chosen, or whether a box is ticked. What is
            left out stays as the bot has filled it in.
    """
    known = {field["custom_id"]: field for field in fields(modal)}
    if unknown := given.keys() - known.keys():
        raise RefusedError(f"no field {', '.join(sorted(unknown))} among {list(known)}")
    components: list[Json] = []
    for place, part in enumerate(modal["components"]):
        if part["type"] == TEXT_DISPLAY:
            components.append({"type": TEXT_DISPLAY, "id": place + 1})
            continue
        inside = [part["component"]] if part["type"] == LABEL else part["components"]
        answers = [_answer(field, given, 100 + place) for field in inside]
        held = {"component": answers[0]} if part["type"] == LABEL else {"components": answers}
        components.append({"type": part["type"], "id": place + 1, **held})
    return {"custom_id": modal["custom_id"], "components": components}


def _answer(field: Json, given: Mapping[str, object], number: int) -> Json:
    name, kind = field["custom_id"], field["type"]
    answer: Json = {"type": kind, "id": number, "custom_id": name}
    if kind == TEXT_INPUT:
        text = given.get(name, field.get("value") or "")
        if not isinstance(text, str):
            raise RefusedError(f"{name} is a text")
        least, most = field.get("min_length") or 0, field.get("max_length") or TEXT
        if field.get("required", True) and not text:
            raise RefusedError(f"{name} is required")
        if text and not least <= len(text) <= most:
            raise RefusedError(f"{name} must have {least} to {most} characters, not {len(text)}")
        return answer | {"value": text}
    if kind in (21, 23):  # one radio button, one checkbox
        return answer | {"value": given.get(name)}
    chosen = given.get(name, _chosen_before(field))
    if not isinstance(chosen, list | tuple):
        raise RefusedError(f"{name} is a list of what is chosen")
    options = [option["value"] for option in field.get("options") or []]
    if options and set(chosen) - set(options):
        raise RefusedError(f"{name} has only {options}")
    least, most = field.get("min_values", 1), field.get("max_values", 1)
    if field.get("required", True) and not least <= len(chosen) <= most:
        raise RefusedError(f"{name} wants {least} to {most} choices, not {len(chosen)}")
    return answer | {"values": list(chosen)}


def _chosen_before(field: Json) -> list[str]:
    options = [option["value"] for option in field.get("options") or [] if option.get("default")]
    return options or [value["id"] for value in field.get("default_values") or []]


def _length(field: str, text: object, most: int, least: int = 0) -> None:
    if not isinstance(text, str):
        raise invalid(field, "must be a string")
    if not least <= len(text) <= most:
        raise invalid(field, f"must be between {least} and {most} in length, not {len(text)}")
