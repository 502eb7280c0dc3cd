"""A prompt's last word stays whole, and a text ends where a sentence does, in any alphabet."""
# ruff: noqa: RUF001  (letters of other alphabets are what is tried)

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.worker import Outcome
from bot.writer import Writer
from model.decoder import Decoder
from model.sampling import Sampling
from model.sentences import (
    REACH,
    STOPS,
    barred,
    certain,
    ending,
    first_words,
    last_end,
    shown,
    unfinished,
)
from model.sequence import START
from model.vocab import Vocab
from model.weights import load_decoder
from model.words import WordFilter
from model.writing import generate
from tests.networks import PLAIN, random_gpt, tensors
from training.measures import write

ASCII = "".join(map(chr, range(32, 127))) + "\n"
RUSSIAN = "\n !\"'(),-.0123456789:;?АБВГДЕЖЗабвгдежзийклмнопрстуфхцчшщъыьэюя\u0301«»—"
GERMAN = ASCII + "äöüßÄÖÜ„“‚‘–"
HINDI = "\n ।?कखगनमि\u093f\u0940\u094d"
JAPANESE = "\n。、「」『』！？くまのプーさん森蜂蜜ー"


def bars(prompt: str, characters: str = ASCII, written: str = "", **how: bool) -> str:
    return "".join(characters[i] for i in barred(prompt, written, characters, **how))


@pytest.mark.parametrize(
    ("prompt", "characters", "never", "still"),
    [
        ("Rabbit found a car", ASCII, "tepAZ09'-", ' \n.,!?:;"'.replace('"', "")),
        ("He counted to 1", ASCII, "0a'", " .,"),
        ("Pooh's", ASCII, "xs'-", " ."),
        ("What is your name?", ASCII, "\"'_)]", " \n!?-a("),
        ('"What is your name?', ASCII, "'_)", ' "'),
        ('"Oh," said Pooh. "Hallo', ASCII, "ab'", '" !'),
        ("He sang 'Ho for a bear", ASCII, "ab", "' ."),
        ("It was the bears'", ASCII, "as9'\"", " .-"),
        ("rock 'n'", ASCII, "at'", " .,"),
        ("He said 'car'", ASCII, "as9", " .-"),
        ("He _said_", ASCII, "as_", " ,"),
        ("He had one (a car)", ASCII, "as)", " ,"),
        ("„Auf“", GERMAN, "aß", " ,"),
        ("At 3.", ASCII, "09", " .a"),
        ("He said '", ASCII, "", "a"),
        ("He said --", ASCII, "", "\"'_a -"),
        ("He said (", ASCII, "", "\"'_a"),
        ("(so he said", ASCII, "a", ") "),
        ("He _said", ASCII, "a", "_ "),
        ("He said ", ASCII, "", ASCII),
        ("", ASCII, "", ASCII),
        ("Медведь", RUSSIAN, "абя0'-\u0301»\"", " .,!—"),
        ("«Медведь", RUSSIAN, "абя", "» ."),
        ("Wie heißt du?", GERMAN, "“\"‘'", " „!–"),
        ("„Wie heißt du?", GERMAN, "‘'", "“ "),
        ("Der Bär", GERMAN, "eßü-'", " .–"),
        ("मीन".replace("मीन", "नमक"), HINDI, "कि\u0940\u094d", " ।?"),
        ("नमक।", HINDI, "\u0940\u094d", "क "),
        ("くまのプー", JAPANESE, "」』", "さん森、。「\n"),
        ("「くまのプー", JAPANESE, "』", "」さん、"),
        (
            "\U0001f43b\ufe0f",
            "\n a\u0301\u200d\ufe0f\U0001f43b",
            "\u0301\u200d\ufe0f",
            " a\U0001f43b",
        ),
    ],
)
def test_nothing_goes_on_with_the_last_word_or_closes_what_is_not_open(
    prompt: str, characters: str, never: str, still: str
) -> None:
    found = bars(prompt, characters)
    assert set(never) <= set(found)
    assert not set(still) & set(found)


@pytest.mark.parametrize(
    ("prompt", "written", "never", "still"),
    [
        ("What is your name", "?", '")_', " \n!?a"),
        ('"What is your name', "?", ")", '" '),
        ("What is your name", "? ", "", ASCII),
        ("It cost 3", ".", '5"', " .a"),
        ("It cost 3", ". ", "", ASCII),
        ("So they went", "--", "", "\"'a "),
        ("So they went", "!" * REACH, "", ASCII),
    ],
)
def test_until_a_space_is_written_no_mark_closes_nothing(
    prompt: str, written: str, never: str, still: str
) -> None:
    found = bars(prompt, written=written)
    assert set(never) <= set(found)
    assert not set(still) & set(found)


def test_a_word_that_is_to_go_on_goes_on() -> None:
    assert unfinished("Kanga had a pan-") == ("Kanga had a pan", True)
    assert unfinished("Медведь-") == ("Медведь", True)
    for whole in ("Kanga had a pan", "Well--", "Well -", "-", "", "pan- "):
        assert unfinished(whole) == (whole, False)
    free = set(ASCII) - set(bars("Kanga had a pan", whole_word=False))
    assert free == {c for c in ASCII if c.isalnum()} | {"'", "-"}
    assert set(ASCII) - set(bars("Winnie", written="-", whole_word=False)) == {
        c for c in ASCII if c.isalnum()
    }


@given(st.text(ASCII, max_size=12), st.text(ASCII, max_size=3), st.text(ASCII, max_size=5))
@settings(max_examples=200, deadline=None)
def test_something_may_always_be_written(prompt: str, written: str, characters: str) -> None:
    for whole_word in (True, False):
        found = barred(prompt, written, characters, whole_word=whole_word)
        assert found == sorted(set(found))
        assert len(found) < len(characters) or not characters


PROMPTS = ("Kanga had a pan", "Rabbit found a car", "What is your name?", "Piglet had a plan", "")


def test_the_shipped_model_keeps_the_last_word_in_every_seed_alone_and_in_company() -> None:
    decoder, vocab = load_decoder("classic", slots=40)
    requests = [(p, Sampling(length=20, seed=seed)) for p in PROMPTS for seed in range(8)]
    written = write(decoder, vocab, requests)
    for (prompt, sampling), text in zip(requests, written, strict=True):
        assert text == "".join(generate(decoder, vocab, prompt, sampling))
        if prompt:
            assert not text[0].isalnum() and text[0] not in "'-"
            assert not text.split()[0].endswith('"') or text[0].isspace()


async def test_the_bots_writer_keeps_to_the_same_bars() -> None:
    vocab = Vocab("\n '-.abcdef")
    decoder = Decoder(PLAIN, tensors(random_gpt(PLAIN)), slots=4)
    writer = Writer(decoder, vocab, WordFilter(active=False))
    writer.start()
    wishes = [
        (prompt, Sampling(length=12, seed=seed, temperature=2.0, whole_word=whole))
        for prompt in ("abc", "a.", "bad-a", "")
        for whole in (True, False)
        for seed in range(4)
    ]
    try:
        stories = [writer.submit(i, *wish) for i, wish in enumerate(wishes)]
        for story, wish in zip(stories, wishes, strict=True):
            await story.ended.wait()
            assert story.outcome is Outcome.WRITTEN
            assert story.text == "".join(generate(decoder_of(vocab), vocab, *wish))
            prompt, sampling = wish
            if prompt.endswith(("c", "a")):
                assert (story.text[0] in "abcdef-'") != sampling.whole_word
    finally:
        await writer.close()


def decoder_of(vocab: Vocab) -> Decoder:
    assert len(vocab) == PLAIN.vocab_size
    return Decoder(PLAIN, tensors(random_gpt(PLAIN)))


def test_an_alphabet_without_any_other_character_writes_on() -> None:
    vocab = Vocab("abcdefghijk")
    decoder = decoder_of(vocab)
    assert len("".join(generate(decoder, vocab, "abc", Sampling(length=9, seed=1)))) == 9
    with pytest.raises(ValueError, match="whole_word"):
        Sampling(whole_word=1)  # type: ignore[arg-type]
    assert START == "\n\n"


@pytest.mark.parametrize(
    ("text", "least", "before", "end"),
    [
        ("Он сел. «Да!» сказал он. «Я", 0, "", "Он сел. «Да!» сказал он."),
        ("Er saß. „Ja!“ sagte er. „Ich. Nein", 0, "", "Er saß. „Ja!“ sagte er."),
        ("くまは森へ行った。「はい。」と言", 0, "", "くまは森へ行った。「はい。」"),
        ("он. Но", 0, "«Да, сказал ", "он."),
    ],
)
def test_sentences_end_in_other_alphabets_too(text: str, least: int, before: str, end: str) -> None:
    found = last_end(text, least, before)
    assert found is not None and text[:found] == end


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("くまは森へ行った、そしてはちみつ", "くまは森へ行った、そしてはちみつ"),
        ("Он пошёл в лес и наш", "Он пошёл в лес и"),
        ("नमक नम\u0940", "नमक"),
    ],
)
def test_half_a_word_is_not_shown_where_words_are_parted(text: str, result: str) -> None:
    assert ending(text, len(text)) == (result, True)


WORDS = st.lists(st.sampled_from(["He", "sat.", '"Oh!"', '"', "森。", "くま", " ", "\n\n", "Mr."]))


@given(WORDS.map(" ".join) | WORDS.map("".join), st.integers(1, 80), st.sampled_from(["", 'a "b']))
@settings(max_examples=300, deadline=None)
def test_what_is_shown_while_it_is_written_is_what_is_shown_at_the_end(
    text: str, length: int, before: str
) -> None:
    text = text[:length]
    story, cut = ending(text, length, before)
    parts = list(shown(iter(text), length, before))
    assert "".join(parts) == story + "..." * cut
    for so_far in itertools.accumulate(text):
        assert story.startswith(so_far[: certain(so_far, length)])


def test_a_text_is_shown_word_by_word() -> None:
    parts = list(shown(iter("One two three four five. Six"), 28))
    assert parts[:4] == ["One", " two", " three", " four"]
    assert "".join(parts) == "One two three four five."


@pytest.mark.parametrize(
    ("text", "length", "short"),
    [
        ("a short title", 13, "a short title"),
        ("a short title ", 13, "a short..."),
        ("a short title", 12, "a short..."),
        ("a short title", 10, "a short..."),
        ("a short title", 9, "a..."),
        ("a\n\nb cdefgh", 7, "a\n\nb..."),
        ("Peterborough and more", 12, "Peterboro..."),
        ("Scunthorpe and more", 12, "..."),
        ("The analysis", 11, "The..."),
        ("\u6843\u592a\u90ce\u306f\u5ddd\u3067", 5, "\u6843\u592a..."),
        ("", 5, ""),
    ],
)
def test_a_text_in_short_is_whole_words(text: str, length: int, short: str) -> None:
    assert first_words(text, length) == short
    assert len(short) <= length


@pytest.mark.parametrize("stop", STOPS)
def test_sentences_end_as_their_script_ends_them(stop: str) -> None:
    for behind in ("", " ", "\n", "\u201d "):
        closed = behind.rstrip()
        assert last_end(f"ab{stop}{behind}cd", 0) == (3 + len(closed) if behind else None)
