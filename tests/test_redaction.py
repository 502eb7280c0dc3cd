"""Nothing secret is printed or logged."""

import io
import logging
import sys

import pytest

from bot.redaction import RedactingFormatter, RedactingStream, Redactor, redacted_output
from tests.test_settings import TOKEN

SECRETS = [
    TOKEN,
    "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GabcdE.abcdefghijklmnopqrstuvwxyz_-0123456789",
    "mfa.VkO_2G4Qv3T--NO--lWetW_tjND--QFTm6YGtzq9PH",
    "aW50ZXJhY3Rpb246MTIzNDU2Nzg5OmFiY2RlZg",
    "Xk3v9QmZr7TbLw2YpN8sGd5HfJc1VaE4",
    "A1b2" * 17,
]
HARMLESS = [
    "python -m bot: POOH_SLOTS: 'two' must be a whole number from 1 to 64",
    "weights: 3f786850e387550fdab836ed7e6dc881de23001b, sha256 " + "0f" * 32,
    "discord.ext.commands.Bot, e.g. bot.client.Pooh.on_message.callback",
    "https://discord.com/oauth2/authorize?client_id=123456789012345678&scope=bot",
    "https://www.mozilla.org/MPL/ or mail to pooh@wood.example; redis://valkey:6379",
    "Winnie-the-Pooh... went home. And. So. On.",
    "PATCH https://discord.com/api/v10/channels/12/messages/34/reactions/bee/@me has had 429",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "'{}'", "Bot {}", "x={}&y", "\n{}\n", "{}: wrong"])
def test_what_looks_like_a_secret_is_hidden_and_nothing_else(secret: str, around: str) -> None:
    assert Redactor()(around.format(secret)) == around.format("<hidden>")


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert Redactor()(text) == text


@pytest.mark.parametrize("secret", [":hunter2", "pooh:hunter2", "hunter2", "a:b/c@d!", ":'x y'"])
@pytest.mark.parametrize(
    "around",
    [
        "redis://{}@valkey:6379/0",
        "POOH_SLOTS: 'rediss://{}@v' must be",
        "no file redis:/{}@v",
        "https://{}@a.b/c?d",
    ],
)
def test_name_and_password_in_an_address_are_hidden(secret: str, around: str) -> None:
    secret = secret.replace(" ", "%20")
    assert Redactor()(around.format(secret)) == around.format("<hidden>")


def test_a_secret_it_is_told_may_look_like_anything() -> None:
    redact = Redactor(["not-even-a-token", ""])
    redact.add("another one")
    redact.add("short")
    assert redact("not-even-a-token, another one, short") == "<hidden>, <hidden>, short"


def test_logs_show_no_token_of_bot_or_interaction() -> None:
    text = "%s /webhooks/123/aW50ZXJhY3Rpb24_x-y/messages /interactions/45/abc_D-e/callback"
    record = logging.LogRecord("x", logging.INFO, "x", 1, text, (TOKEN,), None)
    assert RedactingFormatter(logging.Formatter(), Redactor()).format(record) == (
        "<hidden> /webhooks/<hidden>/messages /interactions/<hidden>/callback"
    )


def test_whatever_is_printed_goes_through_it(capsys: pytest.CaptureFixture[str]) -> None:
    with redacted_output(Redactor()):
        sys.stdout.write(f"out {TOKEN}\n")
        sys.stderr.write(f"err {TOKEN}\n")
        sys.stdout.writelines([TOKEN, "\n"])
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("out <hidden>\n<hidden>\n", "err <hidden>\n")


def test_it_is_the_stream_it_was_in_all_else() -> None:
    inner = io.TextIOWrapper(io.BytesIO(), "utf-8")
    stream = RedactingStream(inner, Redactor())
    assert stream.write("\u00fc") == 1
    stream.flush()
    assert inner.buffer.getvalue() == "\u00fc".encode()
    assert stream.encoding == "utf-8" and not stream.isatty()
