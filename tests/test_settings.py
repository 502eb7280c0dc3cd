"""Settings come from the environment and `.env`; what is wrong is one line that says what to do."""

import base64
import dataclasses
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.parsers import Address, application_id
from bot.settings import (
    LARGEST,
    VARIABLES,
    Settings,
    SettingsError,
    read_settings,
)
from bot.shards import ShardRange

TOKEN = f"{base64.urlsafe_b64encode(b'123456789012345678').decode()}.GabcdE.{'x' * 38}"


def test_without_anything_there_are_defaults(tmp_path: Path) -> None:
    assert read_settings({}, tmp_path) == Settings()


def test_the_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"DISCORD_TOKEN={TOKEN}\nPOOH_SLOTS=3\nPOOH_QUEUE='7'\n# end\n")
    found = read_settings({"POOH_SLOTS": "5", "POOH_BURST": " "}, tmp_path)
    assert (found.token, found.slots, found.queue, found.burst) == (TOKEN, 5, 7, Settings().burst)


def test_every_variable_sets_its_field(tmp_path: Path) -> None:
    values = {
        "DISCORD_TOKEN": TOKEN,
        "POOH_MODEL": "classic",
        "POOH_GUILDS": "12, 34",
        "POOH_SLOTS": "2",
        "POOH_CANDIDATES": "3",
        "POOH_THREADS": "4",
        "POOH_QUEUE": "9",
        "POOH_DEADLINE": "60.5",
        "POOH_COOLDOWN": "0",
        "POOH_BURST": "1",
        "POOH_WORD_FILTER": "OFF",
        "POOH_WORDS_REFUSED": "Heffalump,woozle",
        "POOH_WORDS_ALLOWED": "bother",
        "POOH_SOURCE": "https://example.org/pooh/",
        "POOH_SHARDS": "0-3/8",
        "POOH_VALKEY": "redis://:honey@valkey:6379/0",
        "POOH_LOG_LEVEL": "debug",
        "POOH_LOG_FORMAT": "JSON",
        "POOH_METRICS_PORT": "[::]:9464",
        "DISCORD_API_BASE": "http://127.0.0.1:1/api/v10/",
        "DISCORD_GATEWAY": "ws://127.0.0.1:1",
        "POOH_DATABASE": str(tmp_path / "kept" / "own.db"),
    }
    assert values.keys() == VARIABLES.keys()
    found = read_settings(values, tmp_path)
    assert found == Settings(
        token=TOKEN,
        model="classic",
        guilds=frozenset({12, 34}),
        slots=2,
        candidates=3,
        threads=4,
        queue=9,
        deadline=60.5,
        cooldown=0.0,
        burst=1,
        word_filter=False,
        words_refused=frozenset({"heffalump", "woozle"}),
        words_allowed=frozenset({"bother"}),
        shards=ShardRange(0, 3, 8),
        valkey="redis://:honey@valkey:6379/0",
        log_level="DEBUG",
        log_format="json",
        metrics=Address("::", 9464),
        source="https://example.org/pooh",
        api_base="http://127.0.0.1:1/api/v10",
        gateway="ws://127.0.0.1:1",
        database=tmp_path / "kept" / "own.db",
    )
    untouched = [f.name for f in dataclasses.fields(found) if getattr(found, f.name) == f.default]
    assert untouched == []


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("DISCORD_TOKEN", "secret", "Reset Token"),
        ("DISCORD_TOKEN", "Bot " + TOKEN, "Reset Token"),
        ("DISCORD_TOKEN", "a.b.c", "Reset Token"),
        ("POOH_GUILDS", "wood", "Copy Server ID"),
        ("POOH_DATABASE", "kept/", "name a file"),
        ("POOH_DATABASE", "~nobody-of-that-name/pooh.db", "home"),
        ("POOH_DATABASE", "a" * 300, "too long"),
        ("POOH_SLOTS", "1_0", "whole number"),
        ("POOH_CANDIDATES", "١٢", "from 1 to 16"),
        ("POOH_CANDIDATES", "17", "from 1 to 16"),
        ("POOH_SOURCE", "https://owl:honey@example.org", "without brackets or a password"),
        ("POOH_VALKEY", "redis://valkey:0", "from 1 to 65535"),
        ("POOH_GUILDS", ",", "comma"),
        ("POOH_GUILDS", "1,,2", "comma"),
        ("POOH_GUILDS", "1 2", "Copy Server ID"),
        ("POOH_WORDS_REFUSED", "a,", "comma"),
        ("POOH_SLOTS", "0", "from 1 to 64"),
        ("POOH_SLOTS", "two", "from 1 to 64"),
        ("POOH_SLOTS", "2.5", "whole number"),
        ("POOH_DEADLINE", "nan", "from 10 to 800"),
        ("POOH_DEADLINE", "inf", "from 10 to 800"),
        ("POOH_COOLDOWN", "-1", "from 0 to 3600"),
        ("POOH_WORD_FILTER", "maybe", "on or off"),
        ("POOH_WORDS_REFUSED", "two words", "by commas"),
        ("POOH_SOURCE", "example.org", "https"),
        ("POOH_SOURCE", "https://example.org/a)b", "brackets"),
        ("POOH_SHARDS", "0-8/8", "the last is 7"),
        ("POOH_SHARDS", "all", "number of shards"),
        ("POOH_VALKEY", "valkey:6379", "redis://"),
        ("POOH_VALKEY", "redis://:honey@", "redis://"),
        ("POOH_VALKEY", "redis://:honey@valkey:66666", "0-65535"),
        ("POOH_VALKEY", "redis://:honey@valkey/first", "redis://"),
        ("POOH_LOG_LEVEL", "loud", "INFO"),
        ("POOH_LOG_FORMAT", "xml", "text or json"),
        ("POOH_METRICS_PORT", "0", "from 1 to 65535"),
        ("POOH_METRICS_PORT", "65536", "from 1 to 65535"),
        ("POOH_METRICS_PORT", "everywhere:9464", "0.0.0.0:9464"),
        ("POOH_METRICS_PORT", "::1:9464", "[::1]:9464"),
        ("POOH_METRICS_PORT", "[127.0.0.1]:9464", "0.0.0.0:9464"),
        ("POOH_METRICS_PORT", ":9464:", "from 1 to 65535"),
        ("DISCORD_API_BASE", "discord.com", "http://"),
        ("DISCORD_GATEWAY", "http://x", "ws://"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_it_and_the_remedy(
    variable: str, value: str, remedy: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({variable: value}, tmp_path)
    message = str(caught.value)
    assert variable in message and remedy in message and "\n" not in message
    if variable == "DISCORD_TOKEN":
        assert value not in message
    assert "honey" not in message


@given(st.sampled_from(sorted(VARIABLES)), st.text(st.characters(exclude_characters="\0")))
def test_no_value_is_more_than_a_setting_or_one_line(variable: str, value: str) -> None:
    try:
        read_settings({variable: value}, Path("nowhere"))
    except SettingsError as error:
        assert variable in str(error) and "\n" not in str(error)


def test_a_server_needs_both_addresses(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="set both"):
        read_settings({"DISCORD_GATEWAY": "ws://x"}, tmp_path)


@pytest.mark.parametrize(
    ("variable", "remedy"),
    [
        ("POOH_GUILD", "do you mean POOH_GUILDS?"),
        ("pooh_guilds", "do you mean POOH_GUILDS?"),
        ("POOH_WORD_REFUSED", "do you mean POOH_WORDS_REFUSED?"),
        ("POOH_HONEY", "see .env.example"),
        ("POOHGUILDS", "do you mean POOH_GUILDS?"),
        ("PO0H_GUILDS", "do you mean POOH_GUILDS?"),
        ("\uff30\uff2f\uff2f\uff28_GUILDS", "do you mean POOH_GUILDS?"),
        ("\u0420\u041e\u041e\u041d_GUILDS", "do you mean POOH_GUILDS?"),  # Cyrillic
        ("PO\u00d6H_GUILDS", "do you mean POOH_GUILDS?"),
    ],
)
def test_a_setting_that_there_is_not_is_named(variable: str, remedy: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=rf"^{variable}: .*{re.escape(remedy)}"):
        read_settings({variable: "1"}, tmp_path)
    (tmp_path / ".env").write_text(f"# one\n\n{variable}=1\n")
    with pytest.raises(SettingsError, match=rf"\.env: line 3: {variable}: .*{re.escape(remedy)}"):
        read_settings({}, tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("POOH_GUILDS 1", "line 1: this is no assignment"),
        ("POOH_GUILDS: 1", "line 1: this is no assignment"),
        ("\nPOOH_GUILDS\n", "line 2: this is no assignment"),
        ("heffalump", "line 1: this is no assignment"),
        ("POOH_SLOTS=2\nPOOH_GUILDS='1\n", "line 2: this is no assignment NAME=value, or a quote"),
        ('POOH_MODEL="pooh\nPOOH_GUILDS="1"\n', "line 1: .*quote is open"),
        ('TITLE="a\nPOOH_GUILDS=1\nB="\n', "line 1: TITLE: a quote is open"),
        ("POOH_GUILDS=1\nPOOH_GUILDS=\n", "line 2: POOH_GUILDS: it has been set further up"),
        ("GUILDS=1", "do you mean POOH_GUILDS"),
        ("\u0420\u041e\u041e\u041d_SLOTS=1", "do you mean POOH_SLOTS"),
        ("DISCORD_TOKN=x", "do you mean DISCORD_TOKEN"),
        ('POOH_MODEL="a\\nb"', "POOH_MODEL: a quote is open, or it holds a line end"),
        ("POOH_MODEL=a\0b", "POOH_MODEL"),
    ],
)
def test_a_line_that_is_not_understood_is_an_error(
    content: str, reason: str, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(content)
    with pytest.raises(SettingsError, match=reason) as caught:
        read_settings({}, tmp_path)
    assert "\n" not in str(caught.value)


def test_what_people_write_in_such_files_is_understood(tmp_path: Path) -> None:
    content = (
        "\ufeff# settings\r\nexport POOH_SLOTS=3\r\n  POOH_QUEUE = 7  # few\r\n"
        "POOH_GUILDS='1,2'\nCOMPOSE_PROJECT_NAME=wood\nTZ=Europe/London\nPOOH_BURST=\n"
    )
    (tmp_path / ".env").write_bytes((content + "MOD\u00c8LE=x\nB\u00dcRO_TOKEN=x\n").encode())
    theirs = {"PATH": "/bin", "MOD\u00c8LE": "x", "B\u00dcRO_TOKEN": "x"}
    found = read_settings({"POOH_QUEUE": "", "POOH_SLOTS": "  ", **theirs}, tmp_path)
    assert (found.slots, found.queue, found.guilds) == (3, 7, frozenset({1, 2}))
    assert found.burst == Settings().burst


def test_what_others_keep_in_the_environment_is_not_ours(tmp_path: Path) -> None:
    others = {"DISCORD_TOKEN_2": "x", "DISCORD_OPENAPI": "x", "TOKEN": "x", "MODEL": "x"}
    ours = ("POOH_", "DISCORD_")  # whoever runs the tests may have set some
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    assert read_settings({**environment, **others}, tmp_path) == Settings()


def test_a_word_cannot_be_both_refused_and_allowed(tmp_path: Path) -> None:
    words = {"POOH_WORDS_REFUSED": "bee,hum", "POOH_WORDS_ALLOWED": "Hum"}
    with pytest.raises(SettingsError, match="both have 'hum'"):
        read_settings(words, tmp_path)


@pytest.mark.parametrize("kind", ["folder", "dangling"])
def test_what_is_named_so_and_is_no_file_is_an_error(kind: str, tmp_path: Path) -> None:
    if kind == "folder":
        (tmp_path / ".env").mkdir()
    else:
        (tmp_path / ".env").symlink_to(tmp_path / "gone")
    with pytest.raises(SettingsError, match=r"\.env: cannot read it"):
        read_settings({}, tmp_path)


def test_what_would_never_end_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    with pytest.raises(SettingsError, match=r"\.env: cannot read it .*not a file"):
        read_settings({}, tmp_path)
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").write_text("#" * LARGEST + "\n")
    with pytest.raises(SettingsError, match=r"at most 1,048,576"):
        read_settings({}, tmp_path)


def test_addresses_may_be_of_ip_v6(tmp_path: Path) -> None:
    for address in ("redis://[::1]:6379", "rediss://:honey@[fe80::1]/0"):
        assert read_settings({"POOH_VALKEY": address}, tmp_path).valkey == address


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=re.escape(os.fspath(tmp_path / ".env"))):
        read_settings({}, tmp_path)


def test_a_missing_token_says_how_to_get_one() -> None:
    with pytest.raises(SettingsError, match="DISCORD_TOKEN is not set: get one"):
        Settings().require_token()
    assert Settings(token=TOKEN).require_token() == TOKEN


def test_settings_do_not_show_the_token() -> None:
    shown = f"{Settings(token=TOKEN)!r} {Settings(token=TOKEN)}"
    assert TOKEN not in shown


def test_a_token_begins_with_its_application() -> None:
    assert application_id(TOKEN) == 123456789012345678
    assert application_id("not.a.token") is None
    assert application_id("") is None
    assert application_id("é.b.c") is None


def test_settings_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().slots = 3  # type: ignore[misc]
