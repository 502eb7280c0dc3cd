"""What is read of what people type is bounded, before anything is done with it."""

import pytest

from bot import messages
from bot.options import MAX_PROMPT
from bot.prompts import READ, Prompt, read_prompt
from bot.words import WordFilter
from model.vocab import Vocab
from tests.hosting import CHARACTERS

VOCAB, WORDS = Vocab(CHARACTERS), WordFilter()


def read(text: str, before: str = "") -> Prompt:
    return read_prompt(text, VOCAB, WORDS, before=before)


@pytest.mark.parametrize(
    "flood",
    [
        "\ufdfa",  # one character becomes eighteen
        "\u0301\u0316",
        "".join(map(chr, range(0x4E00, 0x9000))),
        "\U0001f41d ",
        "\u200b",
        " ",
        "<@",
    ],
)
def test_a_flood_of_anything_is_read_from_its_end_only(flood: str) -> None:
    # Most of these would take seconds or minutes if all of it were looked at.
    prompt = read(flood * (4_000_000 // len(flood)) + "\n\nThe bee sat down.")
    assert prompt.text.endswith("The bee sat down.") and len(prompt.text) <= MAX_PROMPT
    assert prompt.dropped <= READ


def test_a_long_prompt_begins_with_a_sentence_or_a_mark() -> None:
    long = "And the bee, who sat in the sun, went on and on and on and on, " * 20
    assert read(long).text.startswith(messages.GOES_ON)
    assert read("The bee sat in the sun. " * 40).text.startswith("The bee")
