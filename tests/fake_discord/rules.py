"""What Discord refuses, as pure functions: messages, buttons, commands, options, choices.

The numbers are Discord's own (documentation and OpenAPI description, November 2026); each
check raises the ``ApiError`` that Discord would answer with.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = dict[str, Any]

EPHEMERAL = 1 << 6
LOADING = 1 << 7
COMPONENTS_V2 = 1 << 15

STRING, INTEGER, BOOLEAN, NUMBER = 3, 4, 5, 10
CHAT_INPUT, MESSAGE_MENU = 1, 3

CONTENT = 2000
EMBEDS, EMBED_TOTAL = 10, 6000
EMBED_LIMITS = {"title": 256, "description": 4096}
EMBED_FIELDS, EMBED_FIELD_NAME, EMBED_FIELD_VALUE = 25, 256, 1024
EMBED_FOOTER, EMBED_AUTHOR = 2048, 256
ROWS, ROW_BUTTONS, COMPONENTS, CUSTOM_ID, LABEL, TEXT_DISPLAYS = 5, 5, 40, 100, 80, 4000
CHOICES, CHOICE_NAME, CHOICE_VALUE = 25, 100, 100
OPTIONS, COMMAND_TOTAL = 25, 8000
COMMANDS = {CHAT_INPUT: 100, 2: 15, MESSAGE_MENU: 15}
ATTACHMENTS = 10
STRING_MENU, CHANNEL_MENU = 3, 8
MENUS = frozenset({STRING_MENU, 5, 6, 7, CHANNEL_MENU})
MENU_OPTIONS, MENU_VALUES, MENU_TEXT, MENU_PLACEHOLDER = 25, 25, 100, 150

LOCALES = frozenset(
    [
        "id",
        "da",
        "de",
        "en-GB",
        "en-US",
        "es-ES",
        "es-419",
        "fr",
        "hr",
        "it",
        "lt",
        "hu",
        "nl",
        "no",
        "pl",
        "pt-BR",
        "ro",
        "fi",
        "sv-SE",
        "vi",
        "tr",
        "cs",
        "el",
        "bg",
        "ru",
        "uk",
        "hi",
        "th",
        "zh-CN",
        "ja",
        "zh-TW",
        "ko",
    ]
)


class ApiError(Exception):
    """An answer other than success: HTTP status, Discord's code, message, extra headers."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        extra: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} ({code}): {message}")
        self.status = status
        self.code = code
        self.body: Json = {"message": message, "code": code, **(extra or {})}
        self.headers = dict(headers or {})


def invalid(field: str, message: str) -> ApiError:
    """50035, Invalid Form Body, in Discord's nested form."""
    errors: Json = {"_errors": [{"code": "BASE_TYPE_INVALID", "message": message}]}
    for part in reversed(field.split(".")):
        errors = {part: errors}
    return ApiError(400, 50035, f"Invalid Form Body: {field}: {message}", extra={"errors": errors})


def _length(field: str, text: object, most: int, least: int = 0) -> int:
    if not isinstance(text, str):
        raise invalid(field, "must be a string")
    if not least <= len(text) <= most:
        raise invalid(field, f"must be between {least} and {most} in length, not {len(text)}")
    return len(text)


def check_message(body: Json, files: int, *, flags: int | None = None) -> None:
    """Refuses a message that Discord would refuse. An edit may leave fields out."""
    flags = int(body.get("flags") or 0) if flags is None else flags
    v2 = bool(flags & COMPONENTS_V2)
    if body.get("content") is not None:
        _length("content", body["content"], CONTENT)
        if v2 and body["content"]:
            raise invalid("content", "cannot be used with components V2")
    check_embeds(body.get("embeds") or [])
    check_components(body.get("components") or [], v2=v2)
    check_attachments(body.get("attachments"), files)
    check_mentions(body.get("allowed_mentions"))


def check_embeds(embeds: Sequence[Json]) -> None:
    """At most ten embeds, each part within its limit, 6,000 characters over all."""
    if len(embeds) > EMBEDS:
        raise invalid("embeds", f"must be {EMBEDS} or fewer in length")
    total = 0
    for i, embed in enumerate(embeds):
        for part, most in EMBED_LIMITS.items():
            if embed.get(part) is not None:
                total += _length(f"embeds.{i}.{part}", embed[part], most)
        fields = embed.get("fields") or []
        if len(fields) > EMBED_FIELDS:
            raise invalid(f"embeds.{i}.fields", f"must be {EMBED_FIELDS} or fewer in length")
        for j, field in enumerate(fields):
            where = f"embeds.{i}.fields.{j}"
            total += _length(f"{where}.name", field.get("name"), EMBED_FIELD_NAME, 1)
            total += _length(f"{where}.value", field.get("value"), EMBED_FIELD_VALUE, 1)
        if embed.get("footer"):
            total += _length(f"embeds.{i}.footer.text", embed["footer"].get("text"), EMBED_FOOTER)
        if embed.get("author"):
            total += _length(f"embeds.{i}.author.name", embed["author"].get("name"), EMBED_AUTHOR)
        if not any(
            embed.get(part)
            for part in ("title", "description", "fields", "image", "thumbnail", "footer", "author")
        ):
            raise invalid(f"embeds.{i}.description", "This field is required")
    if total > EMBED_TOTAL:
        raise invalid("embeds", f"Embed size exceeds maximum size of {EMBED_TOTAL}")


def walk(components: Sequence[Json]) -> Iterator[Json]:
    """Every component, nested ones included."""
    for component in components:
        yield component
        yield from walk(component.get("components") or [])
        if component.get("accessory"):
            yield component["accessory"]


def check_components(components: Sequence[Json], *, v2: bool) -> None:
    """Rows, buttons, custom ids; with components V2 also texts."""
    everything = list(walk(components))
    if len(everything) > COMPONENTS:
        raise invalid("components", f"must be {COMPONENTS} or fewer in length")
    if not v2:
        if len(components) > ROWS:
            raise invalid("components", f"must be {ROWS} or fewer in length")
        for i, row in enumerate(components):
            if row.get("type") != 1:
                raise invalid(f"components.{i}.type", "must be an action row")
    texts = 0
    seen: set[str] = set()
    for component in everything:
        if component.get("type") == 1:
            inside = component.get("components") or []
            if not 1 <= len(inside) <= ROW_BUTTONS:
                raise invalid("components", f"a row holds 1 to {ROW_BUTTONS} buttons")
            if len(inside) > 1 and any(part.get("type") != 2 for part in inside):
                raise invalid("components", "a menu has a row of its own")
        elif component.get("type") == 2:
            check_button(component)
        elif component.get("type") in MENUS:
            check_menu(component)
        elif component.get("type") == 10:
            texts += _length("components.content", component.get("content"), TEXT_DISPLAYS, 1)
        custom_id = component.get("custom_id")
        if custom_id is not None:
            if custom_id in seen:
                raise invalid("components.custom_id", "Component custom id cannot be duplicated")
            seen.add(custom_id)
    if texts > TEXT_DISPLAYS:
        raise invalid("components", f"the texts exceed {TEXT_DISPLAYS} characters")


def check_button(button: Json) -> None:
    """A button has a label or an emoji, and either a custom id or a link."""
    if button.get("style") not in range(1, 7):
        raise invalid("components.style", "Value must be one of {1, 2, 3, 4, 5, 6}")
    if button.get("label") is not None:
        _length("components.label", button["label"], LABEL)
    if not button.get("label") and not button.get("emoji") and button["style"] != 6:
        raise invalid("components", "A button needs a label or an emoji")
    if button["style"] == 5:
        if not button.get("url") or button.get("custom_id"):
            raise invalid("components.url", "A link button needs a url and no custom id")
    elif button["style"] < 5:
        if button.get("url"):
            raise invalid("components.url", "Only link buttons have a url")
        _length("components.custom_id", button.get("custom_id"), CUSTOM_ID, 1)


def check_menu(menu: Json) -> None:
    """Refuses a menu that Discord would refuse."""
    least, most = bounds(menu)
    if not 0 <= least <= most or not 1 <= most <= MENU_VALUES:
        raise invalid("components.max_values", f"{least} to {most} cannot be chosen")
    _length("components.placeholder", menu.get("placeholder") or "", MENU_PLACEHOLDER)
    _length("components.custom_id", menu.get("custom_id") or "", MENU_TEXT, 1)
    if menu["type"] == STRING_MENU:
        options = menu.get("options") or []
        if not 1 <= len(options) <= MENU_OPTIONS:
            raise invalid("components.options", f"must be between 1 and {MENU_OPTIONS} in length")
        for option in options:
            _length("components.options.label", option.get("label"), MENU_TEXT, 1)
            _length("components.options.value", option.get("value"), MENU_TEXT, 1)
            _length("components.options.description", option.get("description") or "", MENU_TEXT)
        if len({option["value"] for option in options}) < len(options):
            raise invalid("components.options", "The specified option value is already used")
        chosen = [option for option in options if option.get("default")]
    else:
        chosen = menu.get("default_values") or []
    if chosen and not least <= len(chosen) <= most:
        raise invalid("components.default_values", f"{len(chosen)}, and {least} to {most} may be")


def bounds(menu: Json) -> tuple[int, int]:
    """How many values a menu takes."""
    least, most = menu.get("min_values"), menu.get("max_values")
    return 1 if least is None else least, 1 if most is None else most


def check_attachments(attachments: Sequence[Json] | None, files: int) -> None:
    """Each uploaded file is described, and no more than ten of them."""
    if files > ATTACHMENTS:
        raise invalid("attachments", f"must be {ATTACHMENTS} or fewer in length")
    if attachments is not None and files:
        described = {int(a["id"]) for a in attachments if int(a["id"]) < ATTACHMENTS}
        if described != set(range(files)):
            raise invalid("attachments", "ids do not match the uploaded files")


def check_mentions(allowed: Json | None) -> None:
    """``parse`` holds known words once, and does not contradict the explicit lists."""
    if allowed is None:
        return
    parse = allowed.get("parse") or []
    if not set(parse) <= {"users", "roles", "everyone"} or len(set(parse)) != len(parse):
        raise invalid("allowed_mentions.parse", "unknown or repeated")
    for kind in ("users", "roles"):
        if kind in parse and allowed.get(kind):
            raise invalid(f"allowed_mentions.{kind}", f"mutually exclusive with parse: {kind}")


def pinged(content: str, allowed: Json | None, *, interaction: bool) -> list[str]:
    """Who a message notifies: "everyone", and ids of users and roles.

    Left out, ``allowed_mentions`` lets a channel message ping everyone and an interaction's
    message ping users.
    """
    if allowed is None:
        allowed = {"parse": ["users"] if interaction else ["users", "roles", "everyone"]}
    parse = allowed.get("parse") or []
    found = []
    if "everyone" in parse:
        found += re.findall(r"@(?:everyone|here)", content)
    for kind, pattern in (("users", r"<@!?(\d+)>"), ("roles", r"<@&(\d+)>")):
        listed = {str(x) for x in allowed.get(kind) or []}
        found += [x for x in re.findall(pattern, content) if kind in parse or x in listed]
    return found


_NAME = re.compile(r"[-_']")


def _check_name(field: str, name: object, *, menu: bool) -> int:
    length = _length(field, name, 32, 1)
    assert isinstance(name, str)
    if not menu:
        for char in name:
            if not (_NAME.match(char) or unicodedata.category(char)[0] in "LN"):
                raise invalid(field, "Command name is invalid")
        if name != name.lower():
            raise invalid(field, "Command name must be lower case")
    return length


def _longest(text: int, translations: Json | None) -> int:
    return max([text, *(len(value) for value in (translations or {}).values())])


def _check_texts(where: str, thing: Json, *, menu: bool) -> int:
    """Checks a name and a description with their translations; returns what they count."""
    total = _longest(
        _check_name(f"{where}name", thing.get("name"), menu=menu), thing.get("name_localizations")
    )
    for kind in ("name_localizations", "description_localizations"):
        for locale, text in (thing.get(kind) or {}).items():
            if locale not in LOCALES:
                raise invalid(f"{where}{kind}.{locale}", "unknown locale")
            if kind == "name_localizations":
                _check_name(f"{where}{kind}.{locale}", text, menu=menu)
            else:
                _length(f"{where}{kind}.{locale}", text, 100, 1)
    if menu:
        if thing.get("description"):
            raise invalid(f"{where}description", "menu commands have no description")
        return total
    text = _length(f"{where}description", thing.get("description"), 100, 1)
    return total + _longest(text, thing.get("description_localizations"))


def check_commands(commands: Sequence[Json]) -> None:
    """Refuses a set of commands that Discord would refuse."""
    counts: dict[int, int] = {}
    names: set[tuple[int, str]] = set()
    for command in commands:
        kind = command.get("type") or CHAT_INPUT
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] > COMMANDS[kind]:
            raise ApiError(400, 30032, "Maximum number of application commands reached")
        total = _check_texts("", command, menu=kind != CHAT_INPUT)
        if (kind, command["name"]) in names:
            raise ApiError(400, 50035, "Application command names must be unique")
        names.add((kind, command["name"]))
        options = command.get("options") or []
        if kind != CHAT_INPUT and options:
            raise invalid("options", "menu commands have no options")
        if len(options) > OPTIONS:
            raise invalid("options", f"must be {OPTIONS} or fewer in length")
        for kind_of in ("contexts", "integration_types"):
            if command.get(kind_of) == []:
                raise invalid(kind_of, "must be 1 or more in length")
        optional = False
        for i, option in enumerate(options):
            where = f"options.{i}."
            total += _check_texts(where, option, menu=False)
            if option.get("required") and optional:
                raise invalid(where + "required", "Required options must come first")
            optional = optional or not option.get("required")
            choices = option.get("choices") or []
            if choices and option.get("autocomplete"):
                raise invalid(where + "choices", "exclusive with autocomplete")
            check_choices(choices, where)
            total += sum(len(c["name"]) + len(str(c["value"])) for c in choices)
            low, high = option.get("min_value"), option.get("max_value")
            if low is not None and high is not None and low > high:
                raise invalid(where + "min_value", "greater than max_value")
        if total > COMMAND_TOTAL:
            raise invalid("options", f"Command exceeds maximum size ({COMMAND_TOTAL})")


def check_choices(choices: Sequence[Json], where: str = "data.") -> None:
    """At most 25 choices, names and string values of 1 to 100 characters."""
    if len(choices) > CHOICES:
        raise invalid(where + "choices", f"Must be {CHOICES} or fewer in length")
    for i, choice in enumerate(choices):
        _length(f"{where}choices.{i}.name", choice.get("name"), CHOICE_NAME, 1)
        if isinstance(choice.get("value"), str):
            _length(f"{where}choices.{i}.value", choice["value"], CHOICE_VALUE, 1)


class RefusedError(Exception):
    """What the Discord client does not let a user send; no bot ever sees it."""


def read_options(command: Json, given: Mapping[str, object], *, force: bool = False) -> list[Json]:
    """The options as an interaction carries them, checked as Discord's client checks them.

    ``force`` lets values out of range through: a bot must not trust its own registration
    (an old client may hold an older one). A name that is not registered is always refused.
    """
    known = {option["name"]: option for option in command.get("options") or []}
    if unknown := given.keys() - known.keys():
        raise RefusedError(f"/{command['name']} has no option {', '.join(sorted(unknown))}")
    for name, option in known.items():
        if option.get("required") and name not in given:
            raise RefusedError(f"/{command['name']} needs {name}")
    options = []
    for name, value in given.items():
        if not force:
            _check_value(known[name], value)
        options.append({"name": name, "type": known[name]["type"], "value": value})
    return options


def _check_value(option: Json, value: object) -> None:
    name, kind = option["name"], option["type"]
    types: tuple[type, ...] = {
        STRING: (str,),
        INTEGER: (int,),
        BOOLEAN: (bool,),
        NUMBER: (int, float),
    }[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and kind != BOOLEAN):
        raise RefusedError(f"{name} is not of type {kind}")
    if isinstance(value, str):
        low, high = option.get("min_length") or 0, option.get("max_length") or 6000
        if not low <= len(value) <= high:
            raise RefusedError(f"{name} must have {low} to {high} characters, not {len(value)}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) > 2**53:
            raise RefusedError(f"{name} is beyond 2^53")
        for bound, wrong in (("min_value", -1), ("max_value", 1)):
            limit = option.get(bound)
            if limit is not None and (value - limit) * wrong > 0:
                raise RefusedError(f"{name} {bound} is {limit}, not {value}")
    choices = [choice["value"] for choice in option.get("choices") or []]
    if choices and value not in choices:
        raise RefusedError(f"{name} must be one of {choices}")
