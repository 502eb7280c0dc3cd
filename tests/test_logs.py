"""The host's log as JSON: whole lines, no secret, no text of an error."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest

from bot import logs
from bot.settings import Settings
from tests.test_settings import TOKEN


@pytest.fixture(autouse=True)
def _loggers() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("bot").level
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    logging.getLogger("bot").setLevel(before[2])


def test_each_line_is_an_object_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(Settings(token=TOKEN, log_format="json"))
    logging.getLogger("bot.client").warning('two\nlines, "quoted", %s', TOKEN)
    logging.getLogger("discord.http").info("here is a webhook: /webhooks/12/abcDEF_-345")
    logging.getLogger("discord.http").debug("what somebody wrote")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first["message"] == 'two\nlines, "quoted", <hidden>'
    assert (first["level"], first["logger"]) == ("WARNING", "bot.client")
    assert datetime.fromisoformat(first["time"]).utcoffset() is not None
    assert second["message"] == "here is a webhook: /webhooks/<hidden>"


def test_an_error_is_named_and_placed_but_not_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(Settings(log_format="json"))
    try:
        raise ValueError("once upon a time")
    except ValueError:
        logging.getLogger("bot").exception("it failed")
    line = capsys.readouterr().err
    entry = json.loads(line)
    assert entry["error"] == "ValueError"
    assert "test_an_error_is_named_and_placed" in entry["traceback"]
    assert "upon" not in line.replace('raise ValueError(\\"once upon', "")


@pytest.mark.parametrize("force_colour", [False, True])
def test_in_text_it_is_not_quoted_either(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, force_colour: bool
) -> None:
    if force_colour:
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
    logs.set_up(Settings())
    try:
        raise ValueError("once upon a time")
    except ValueError:
        logging.getLogger("discord.ui.view").exception("it failed")
    line = capsys.readouterr().err
    assert ("\x1b[" in line) == force_colour
    assert "it failed" in line and "ValueError" in line and "test_in_text" in line
    assert "upon" not in line.replace('raise ValueError("once upon', "")


def test_text_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(Settings())
    logging.getLogger("bot").info("hello")
    assert capsys.readouterr().err.endswith("[INFO    ] bot: hello\n")


def test_without_anywhere_to_log_to_nothing_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    for log_format in ("text", "json"):
        logs.set_up(Settings(log_format=log_format))
        logging.getLogger("bot").warning("nobody hears this")
