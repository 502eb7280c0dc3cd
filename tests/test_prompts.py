"""What is read of what people type is bounded, before anything is done with it."""

import pytest

from bot import messages
from bot.errors import Refusal
from bot.options import MAX_PROMPT
from bot.prompts import READ, TAIL, Prompt, read_prompt
from model.vocab import Vocab
from model.words import WordFilter
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


def test_what_goes_on_in_a_new_message_is_read_whole_and_shown_by_its_end() -> None:
    before = "".join(f"The bee sat on bun {i}. " for i in range(60)).strip()
    prompt = read("", before)
    assert prompt.context == before and len(prompt.text) <= TAIL and before.endswith(prompt.text)
    reply = read("And then it went ho-", before)
    assert reply.context == f"{before} And then it went ho" and reply.goes_on
    assert reply.text.endswith("And then it went ho")
    assert not read("", "The bee sat down and-").goes_on, "only what is typed asks for that"
    assert read("The bee").context == "The bee"


def test_a_word_that_is_refused_is_found_in_all_that_is_read() -> None:
    before = "The zounds sat. " + "The bee sat on a bun. " * 40
    words = WordFilter(refused=["zounds"])
    with pytest.raises(Refusal):
        read_prompt("", VOCAB, words, before=before)
