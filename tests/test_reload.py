"""SIGHUP: what is safe is taken over while the bot runs, the rest is named."""

import logging
from dataclasses import replace

import pytest

from bot.reload import SAFE, reload
from bot.settings import Settings, SettingsError
from model.words import WordFilter
from tests.hosting import Stage, stage


def renew(theatre: Stage, settings: Settings) -> None:
    reload(theatre.bot, lambda: settings)


async def test_filter_cooldown_and_servers_change_while_it_runs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "bot.reload")
    async with stage() as theatre:
        ann = theatre.server.person("Ann")
        assert "Again" in (await ann.command("pooh", prompt="The bun").answer()).buttons
        old = theatre.bot.services.settings
        renew(theatre, replace(old, words_refused=frozenset({"bun"})))
        refused = await ann.command("pooh", prompt="The bun").answer()
        assert refused.ephemeral and "Again" not in refused.buttons
        renew(theatre, replace(old, cooldown=60.0, burst=1))
        assert "Again" in (await ann.command("pooh", prompt="The bun").answer()).buttons
        assert (await ann.command("pooh", prompt="The bun").answer()).ephemeral
        renew(theatre, replace(old, guilds=frozenset({1})))
        assert (await theatre.server.person("Bob").command("pooh").answer()).ephemeral
        renew(theatre, old)
        assert "Again" in (await ann.command("pooh", prompt="The bun").answer()).buttons
    assert "changed: POOH_WORDS_REFUSED" in caplog.text
    assert "changed: POOH_BURST, POOH_COOLDOWN, POOH_WORDS_REFUSED" in caplog.text
    assert "changed: POOH_BURST, POOH_COOLDOWN, POOH_GUILDS" in caplog.text


async def test_what_needs_a_restart_is_named_and_stays(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bot.reload")
    async with stage() as theatre:
        old = theatre.bot.services.settings
        renew(theatre, replace(old, slots=3, model="classic", source="https://example.org"))
        assert theatre.bot.services.settings == replace(old, source="https://example.org")
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == [
        "POOH_MODEL needs a restart",
        "POOH_SLOTS needs a restart",
    ]


async def test_settings_that_are_wrong_change_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def wrong() -> Settings:
        raise SettingsError("POOH_BURST: 'x' must be a whole number from 1 to 100")

    async with stage() as theatre:
        old = theatre.bot.services.settings
        reload(theatre.bot, wrong)
        assert theatre.bot.services.settings is old
        assert "Again" in (await theatre.server.person().command("pooh").answer()).buttons
    assert "the settings stay as they are: POOH_BURST" in caplog.text


def test_every_safe_setting_is_one() -> None:
    assert vars(Settings()).keys() >= SAFE


def test_a_filter_becomes_another_for_all_who_hold_it() -> None:
    held = words = WordFilter()
    assert not words.refuses("a heffalump")
    words.become(WordFilter(refused=["heffalump"]))
    assert held.refuses("a heffalump")
    words.become(WordFilter(active=False))
    assert not held.refuses("a heffalump")
