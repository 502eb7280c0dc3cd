"""What is read of what people type is bounded, before anything is done with it."""

import pytest

from bot import messages
from bot.answers import PROMPT, READ, Answers
from bot.clock import Clock
from bot.delivery import Delivery
from bot.settings import Settings
from bot.words import WordFilter
from bot.writer import Writer
from model.decoder import Decoder
from model.vocab import Vocab
from tests.hosting import CHARACTERS, small_weights


@pytest.fixture(scope="module")
def answers() -> Answers:
    vocab, words, clock = Vocab(CHARACTERS), WordFilter(), Clock()
    writer = Writer(Decoder(*small_weights(vocab)), vocab, words)
    return Answers(Settings(), writer, words, clock, Delivery(clock), "small")


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
def test_a_flood_of_anything_is_read_from_its_end_only(answers: Answers, flood: str) -> None:
    # Most of these would take seconds or minutes if all of it were looked at.
    prompt = answers.read(flood * (4_000_000 // len(flood)) + "\n\nThe bee sat down.")
    assert prompt.text.endswith("The bee sat down.") and len(prompt.text) <= PROMPT
    assert prompt.dropped <= READ


def test_a_long_prompt_begins_with_a_sentence_or_a_mark(answers: Answers) -> None:
    long = "And the bee, who sat in the sun, went on and on and on and on, " * 20
    assert answers.read(long).text.startswith(messages.GOES_ON)
    assert answers.read("The bee sat in the sun. " * 40).text.startswith("The bee")
