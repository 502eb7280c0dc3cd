"""The commands' texts and the buttons' ids: within Discord's limits, and good after a restart."""

import copy
import re
import string
import unicodedata
from dataclasses import replace
from typing import Any

import discord
import pytest
from discord import app_commands
from hypothesis import given
from hypothesis import strategies as st

from bot.about_texts import AboutText
from bot.actions import ASKING, FINAL, WRITING, Action, ButtonState
from bot.buttons import StoryButton, row
from bot.commands import make_tree
from bot.explanation_texts import PictureText
from bot.languages import Language, Translations, named
from bot.names import Name
from bot.openings import CHOICES, OPENINGS, suggestions
from bot.options import MAX_LENGTH, MAX_SEED, MAX_TOP_K
from bot.pages import MOST, Pages, as_remembered, warmer
from bot.said import Row, Said
from bot.setup_texts import SetupText
from bot.sync import differ
from bot.translations import Text
from model.sampling import Sampling
from model.words import WordFilter

FRIENDS = (
    *("Pooh", "Winnie-the-Pooh", "Edward Bear", "Piglet", "Eeyore", "Rabbit", "Owl", "Kanga"),
    *("Roo", "Tigger", "Christopher Robin", "Heffalump", "Woozle", "Alexander Beetle"),
)
LOCALES = {"de", "fr", "es-ES", "es-419"}
NAME = re.compile(r"[-_'\w]{1,32}")


async def payload() -> list[dict[str, Any]]:
    """The commands as they are sent."""
    tree = make_tree(discord.Client(intents=discord.Intents.none()))
    return [
        await command.get_translated_payload(tree, Translations())
        for command in tree.get_commands()
    ]


def as_discord_has_it(commands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With ids, with defaults filled in or left out, in another order."""
    listed = []
    for i, command in enumerate(reversed(copy.deepcopy(commands))):
        for part in (command, *command.get("options", [])):
            for key in [key for key, value in part.items() if value is not None and not value]:
                if part[key] != 0 or part[key] is False:
                    del part[key]
        command |= {"id": str(i), "application_id": "1", "version": "7", "nsfw": False}
        command["contexts"] = command["contexts"][::-1]
        wanted = command.get("default_member_permissions")
        command["default_member_permissions"] = None if wanted is None else str(wanted)
        command.pop("dm_permission", None)
        if command["contexts"] == [0]:
            command["dm_permission"] = False
        command.setdefault("description", "")
        listed.append(command)
    return listed


async def test_what_discord_has_is_recognised_and_every_change_is_seen() -> None:
    ours = await payload()
    theirs = as_discord_has_it(ours)
    assert not differ(ours, theirs)
    assert differ(ours, theirs[1:]) and differ(ours, [])
    assert differ(ours, [*theirs, theirs[0] | {"name": "more"}])
    pooh = next(i for i, command in enumerate(theirs) if command["name"] == "pooh")

    def changed(key: str, value: object, option: int | None = None) -> bool:
        other = copy.deepcopy(theirs)
        part = other[pooh] if option is None else other[pooh]["options"][option]
        assert part.get(key) != value
        part[key] = value
        return differ(ours, other)

    assert changed("description", "Other")
    assert changed("integration_types", [0])
    assert changed("contexts", [0])
    assert changed("name_localizations", {"de": "pu"})
    assert changed("description_localizations", {"de": "Anders"})
    assert changed("default_member_permissions", "8")
    assert changed("max_length", 499, option=0)
    assert changed("autocomplete", None, option=0)
    assert changed("min_value", 0.5, option=1)
    assert changed("required", True, option=2)


async def test_every_text_is_translated_and_within_discords_limits() -> None:
    commands = await payload()
    assert {command["name"] for command in commands} == {
        "pooh",
        "how",
        "circle",
        "How did Pooh write this?",
        "race",
        "about",
        "help",
        "privacy",
        "setup",
        "Continue as Pooh",
        "Who wrote this?",
    }
    for command in commands:
        at_home = command["name"] in ("setup", "Who wrote this?")
        assert command["integration_types"] == ([0] if at_home else [0, 1])
        assert command["contexts"] == ([0] if at_home else [0, 1, 2])
        for part in (command, *command.get("options", [])):
            names = [part["name"], *part.get("name_localizations", {}).values()]
            if command["type"] == 1:
                assert all(NAME.fullmatch(name) and name == name.lower() for name in names)
                texts = [part["description"], *part["description_localizations"].values()]
                assert all(1 <= len(text) <= 100 for text in texts)
                assert set(part["description_localizations"]) == LOCALES
        options = [option["name"] for option in command.get("options", [])]
        assert len(set(options)) == len(options)
        for locale in LOCALES:
            names = [o.get("name_localizations", {}) for o in command.get("options", [])]
            known = [name[locale] for name in names if locale in name]
            assert len(set(known)) == len(known)


def test_openings_are_safe_and_short() -> None:
    assert len(set(OPENINGS)) == len(OPENINGS)
    assert all(1 <= len(text) <= 100 and text.isascii() for text in OPENINGS)
    assert not any(WordFilter().refuses(text) for text in OPENINGS)


@given(st.text(max_size=30) | st.sampled_from(OPENINGS).map(lambda text: text[:6].upper()))
def test_suggestions_hold_what_is_typed(typed: str) -> None:
    found = suggestions(typed)
    wanted = letters(typed)
    assert len(found) <= CHOICES
    assert all(wanted in letters(text) for text in found)
    begins = [letters(text).startswith(wanted) for text in found]
    assert begins == sorted(begins, reverse=True)


def letters(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold().replace("'", "")))


@pytest.mark.parametrize("friend", FRIENDS)
def test_every_friend_is_known_however_the_name_is_typed(friend: str) -> None:
    for typed in (friend, friend.lower(), f"  {friend.upper()} ", friend.replace("-", " ")):
        assert any(letters(friend) in letters(text) for text in suggestions(typed)), typed
    assert suggestions("!?") == [] and suggestions("tigger and") == []


def test_with_nothing_typed_the_first_openings_are_suggested() -> None:
    assert suggestions("") == list(OPENINGS[:CHOICES])


TEMPLATE = StoryButton.__discord_ui_compiled_template__


async def remade(custom_id: str) -> StoryButton:
    """A button from its id, as discord.py makes it."""
    match = TEMPLATE.fullmatch(custom_id)
    assert match is not None, custom_id
    interaction: Any = None  # not looked at
    any_button = StoryButton(Action.AGAIN, ButtonState(1, Sampling()))
    return await StoryButton.from_custom_id(interaction, any_button, match)


async def pressed(custom_id: str) -> ButtonState:
    return (await remade(custom_id)).state


@given(
    st.integers(1, 2**64 - 1),
    st.integers(1, MAX_LENGTH),
    st.floats(0.0, 2.0),
    st.integers(0, MAX_TOP_K),
    st.integers(100, 10_000).map(lambda n: n / 10_000),
    st.booleans(),
    st.booleans(),
)
async def test_a_button_remembers_its_state_in_its_id(
    owner: int,
    length: int,
    temperature: float,
    top_k: int,
    top_p: float,
    whole_word: bool,
    continued: bool,
) -> None:
    sampling = Sampling(length, temperature, top_k, top_p, seed=3, whole_word=whole_word)
    state = ButtonState(owner, sampling, continued)
    for action in Action:
        custom_id = state.custom_id(action)
        assert len(custom_id) <= 100
        again = await remade(custom_id)
        assert again.action is action and again.state.owner == owner
        assert again.state.sampling == replace(state.sampling, seed=None)
        assert again.state.continued == continued


@given(
    st.integers(1, 2**64 - 1),
    st.floats(0.0, 2.0),
    st.integers(100, 10_000).map(lambda n: n / 10_000),
    st.booleans(),
    st.integers(0, MAX_SEED),
    st.lists(st.tuples(st.integers(-MOST, MOST), st.integers(-1, 1)), max_size=MOST - 1),
)
async def test_a_button_remembers_every_page_in_its_id(
    owner: int,
    temperature: float,
    top_p: float,
    whole_word: bool,
    seed: int,
    presses: list[tuple[int, int]],
) -> None:
    sampling = Sampling(MAX_LENGTH, temperature, MAX_TOP_K, top_p, whole_word=whole_word)
    pages = Pages.first(seed, "0a1b2f")
    for turns, wilder in presses:
        before = pages.turned(turns)
        pages = before.added(wilder)
        assert pages.number == pages.count and pages.levels[:-1] == before.levels
    state = ButtonState(owner, as_remembered(sampling), pages=pages)
    for action in Action:
        custom_id = state.custom_id(action)
        assert len(custom_id) <= 100
        again = await remade(custom_id)
        assert again.action is action and again.state == state
    numbers = range(1, pages.count + 1)
    told = [replace(pages, number=number).sampling(state.sampling) for number in numbers]
    assert len({one.seed for one in told}) == pages.count
    assert all(0.0 <= one.temperature <= 2.0 for one in told)
    assert told[0] == replace(state.sampling, seed=seed)


@pytest.mark.parametrize("temperature", [0.004, 0.0049999, 1e-7, 5e-324, 0.1 + 0.2, 1.9999999])
async def test_a_temperature_is_not_rounded_by_a_button(temperature: float) -> None:
    state = await pressed(ButtonState(1, Sampling(temperature=temperature)).custom_id(Action.AGAIN))
    assert state.sampling.temperature == temperature > 0


async def test_a_small_temperature_is_left_by_wilder_and_calmer() -> None:
    state = ButtonState(1, Sampling(temperature=0.004))
    assert warmer(warmer(state.sampling, 1), -1) == state.sampling
    assert warmer(Sampling(temperature=0.8), -1).temperature == 0.6


@pytest.mark.parametrize(
    ("numbers", "length", "temperature", "top_k"),
    [
        ("0.80:300:0", 300, 0.8, 0),  # as they were written at first
        ("2.01:300:0", 300, 2.0, 0),
        ("9.99:0:999", 1, 2.0, MAX_TOP_K),
        ("12:99999:12345", MAX_LENGTH, 2.0, MAX_TOP_K),
        ("1e-07:1501:101", MAX_LENGTH, 1e-7, MAX_TOP_K),
        ("1e999:0000:00", 1, 2.0, 0),
    ],
)
async def test_an_old_button_gets_the_nearest_numbers_of_today(
    numbers: str, length: int, temperature: float, top_k: int
) -> None:
    state = await pressed(f"pooh:again:1:{numbers}")
    # Those stories were written before there was a top_p.
    assert state == ButtonState(1, Sampling(length, temperature, top_k, top_p=1.0))


@pytest.mark.parametrize(
    ("end", "top_p"),
    [("", 1.0), (":p0.9", 0.9), (":p0", 0.01), (":p1e-9", 0.01), (":p7", 1.0), (":continued", 1.0)],
)
async def test_a_button_carries_top_p_and_an_older_one_none(end: str, top_p: float) -> None:
    state = await pressed(f"pooh:wilder:1:0.8:300:0{end}")
    assert state == ButtonState(1, Sampling(300, 0.8, 0, top_p), continued=end == ":continued")
    assert warmer(state.shown, 1).top_p == state.sampling.top_p


async def test_wilder_and_calmer_end_where_the_temperature_does() -> None:
    sampling = Sampling(temperature=0.3)
    assert warmer(sampling, 1).temperature == 0.5
    assert warmer(sampling, -2).temperature == 0.0
    assert warmer(sampling, 9).temperature == 2.0
    for temperature, disabled in ((0.0, Action.CALMER), (2.0, Action.WILDER), (1.0, None)):
        view = row(FINAL, ButtonState(1, Sampling(temperature=temperature)))
        off = [b.action for b in view.children if isinstance(b, StoryButton) and b.item.disabled]
        assert off == ([disabled] if disabled else [])


async def test_rows_fit_and_ids_differ() -> None:
    pages = Pages.first(1, "abcdef").added(1)
    for actions, rows in ((FINAL, [5, 3, 3]), (WRITING, [2]), (ASKING, [2])):
        lines = row(actions, ButtonState(1, Sampling(), pages=pages)).to_components()
        assert [len(line["components"]) for line in lines] == rows
        items = [item for line in lines for item in line["components"]]
        assert len({item["custom_id"] for item in items}) == len(items)


async def test_translations_leave_alone_what_they_do_not_know() -> None:
    context: Any = None
    text = named(Name.ON_POOH)
    assert await Translations().translate(text, discord.Locale.german, context)
    assert await Translations().translate(text, discord.Locale.japanese, context) is None
    other = app_commands.locale_str("pooh")
    assert await Translations().translate(other, discord.Locale.german, context) is None


ALL = [text for table in Said.__subclasses__() for text in table]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("text", ALL)
def test_every_language_says_everything_with_the_same_gaps(text: Said) -> None:
    row = text.value
    assert isinstance(row, Row) and len(row) == len(Language)
    for language in Language:
        said = getattr(row, language.value)
        assert said and said == said.strip(), "white space at an end is lost on Discord"
        assert placeholders(said) == placeholders(row.en)
        assert said == unicodedata.normalize("NFC", said)
        assert said.count("**") % 2 == 0 and said.count("`") % 2 == 0
    # A text is a language's own, unless it is a name, or a word that both languages have.
    same = [language for language in Language if getattr(row, language.value) == row.en]
    shared: set[Said] = {
        Name.TOP_K,
        Name.TOP_P,
        Text.AT_TOP_K,
        Text.AT_TOP_P,
        Name.WILDER,
        AboutText.VERSION,
    }
    shared |= {Name.EARLIER, Name.PAGE, Name.LATER, PictureText.WILD}
    assert same == [Language.ENGLISH] or text in shared


@pytest.mark.parametrize("language", Language)
def test_every_text_fits_where_it_is_shown(language: Language) -> None:
    filled: dict[str, object] = {
        name: "1234567" for text in ALL for name in placeholders(text.value.en)
    }
    named_so = set(language.names)
    filled = {name: value for name, value in filled.items() if name not in named_so}
    longer: dict[Said, int] = {Text.HELP_PAGE: 2000, SetupText.PRIVACY: 1000}
    for text in ALL:
        said = language.say(text, **filled)
        assert "{" not in said and len(said) <= longer.get(text, 700)
    help_page = language.say(Text.HELP_PAGE)
    for name in (*language.names.values(), "/pooh"):
        assert name in help_page or name in (language.say(Name.HELP),)
    labels = [language.say(text, number=9, count=9) for text in BUTTONS]
    assert len(set(labels)) == len(BUTTONS) and all(len(label) <= 80 for label in labels)
    assert all(len(language.say(text)) <= 1024 for text in (AboutText.LOSS_PLOT,))


BUTTONS = [Name[action.name] for action in Action]


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        (discord.Locale.german, Language.GERMAN),
        (discord.Locale.french, Language.FRENCH),
        (discord.Locale.spain_spanish, Language.SPANISH),
        (discord.Locale.latin_american_spanish, Language.SPANISH),
        (discord.Locale.british_english, Language.ENGLISH),
        (discord.Locale.japanese, Language.ENGLISH),
    ],
)
def test_everybody_is_spoken_to_in_their_language_if_there_is_one(
    locale: discord.Locale, language: Language
) -> None:
    assert Language.of(locale) is language


def test_every_language_is_some_locales() -> None:
    assert {Language.of(locale) for locale in discord.Locale} == set(Language)


def test_every_button_is_found_by_its_id() -> None:
    state = ButtonState(7, Sampling())
    for action in Action:
        found = TEMPLATE.fullmatch(state.custom_id(action))
        assert found and found["action"] == action


def test_numbers_are_written_as_people_write_them() -> None:
    assert [language.number(1234567) for language in Language] == [
        "1,234,567",
        "1.234.567",
        "1\u202f234\u202f567",
        "1\xa0234\xa0567",
    ]
    assert [language.number(0.8) for language in Language] == ["0.8", "0,8", "0,8", "0,8"]
    assert [language.number(1.5, 2) for language in Language] == ["1.50", "1,50", "1,50", "1,50"]
