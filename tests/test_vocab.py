"""Characters and ids, and any Unicode made into what a vocabulary can say."""
# ruff: noqa: RUF001  (look-alike characters are what this is about)

import copy
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.vocab import Vocab, VocabError, fold

ASCII = Vocab("\n" + "".join(map(chr, range(32, 127))))
ANY = st.text(st.characters(codec=None, categories=None))  # lone surrogates too
WORDS = st.text("abc .,-\n", max_size=40)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("“Oh!” said Pooh. ‘Help’", "\"Oh!\" said Pooh. 'Help'"),
        ("one—two – three", "one--two -- three"),
        ("wait… a ½ moment", "wait... a 1/2 moment"),
        ("café, naïve, Æsop, œuvre, ﬁnd, straße", "cafe, naive, AEsop, oeuvre, find, strasse"),
        ("Cafe\u0301", "Cafe"),
        ("ＷＯＬ ™ ①", "WOL TM 1"),
        ("a\r\nb\rc\u2028d\te\u00a0f", "a\nb\nc\nd e f"),
        ("soft\u00adhyphen, zero\u200bwidth\ufeff", "softhyphen, zerowidth"),
    ],
)
def test_print_becomes_plain_text(text: str, folded: str) -> None:
    assert fold(text) == (folded, "")


def test_what_cannot_be_said_is_named_once_and_in_order() -> None:
    assert fold("a日b😀c日\ud800") == ("abc", "日😀")


@given(ANY)
def test_folding_gives_ascii_and_is_idempotent(text: str) -> None:
    folded, dropped = fold(text)
    assert set(folded) <= set(ASCII.characters)
    assert set(dropped) <= set(text)
    assert fold(folded) == (folded, "")


@given(ANY)
def test_a_vocabulary_of_ascii_cleans_as_fold_does(text: str) -> None:
    cleaned, folded = ASCII.clean(text).text, fold(text)[0]
    assert cleaned.replace(" ", "") == folded.replace(" ", "")
    if all(fold(character)[0] for character in text):  # around what is dropped one space is left
        assert cleaned == folded


@given(ANY, st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_cleaning_says_only_what_the_vocabulary_can_and_is_idempotent(
    text: str, characters: str
) -> None:
    vocab = Vocab.from_text(characters)
    cleaned, dropped = vocab.clean(text)
    assert vocab.decode(vocab.encode(cleaned)) == cleaned
    assert vocab.clean(cleaned) == (cleaned, "")
    assert not set(dropped) & set(vocab.characters)


def test_a_vocabulary_keeps_the_accents_it_knows() -> None:
    vocab = Vocab.from_text("caféX ")
    assert vocab.clean("cafe\u0301 ì") == ("café ", "ì")
    assert vocab.clean("Ì") == ("", "Ì")


@pytest.mark.parametrize(
    ("characters", "typed", "cleaned"),
    [
        ("Привет «п»—…!\n", 'Привет "Привет" -- привет...', "Привет «Привет» — привет…"),
        ("“Well,” he said’ dont\n", '"Well," he didn\'t', "“Well,” he didn’t"),
        ("„Grüß Gott“ sagte\n", '"Grüß Gott" sagte', "„Grüß Gott“ sagte"),
        ("grüßs gott\n", "GRÜSS GOTT", "grüss gott"),
        ("hello\n", "Hello", "hello"),
        ("ΓΕΙΆ\n", "γειά", "ΓΕΙΆ"),
        ("こんにちは！\n", "こんにちは!", "こんにちは！"),
        ("a–b \n", "a -- b - a", "a – b – a"),
        ("日本 🐻\n", "日本🐻 x", "日本🐻 "),
    ],
)
def test_what_is_typed_is_put_as_the_text_puts_it(
    characters: str, typed: str, cleaned: str
) -> None:
    vocab = Vocab.from_text(characters)
    assert vocab.clean(typed).text == cleaned
    assert vocab.clean(cleaned) == (cleaned, "")


def test_a_vocabulary_grows_at_its_end() -> None:
    vocab = Vocab.from_text("pooh")
    assert vocab.grown("zoé a").characters == "hop azé"
    assert vocab.grown("hop") == vocab


@given(WORDS)
def test_decode_undoes_encode(text: str) -> None:
    vocab = Vocab.from_text("abc .,-\n")
    ids = vocab.encode(text)
    assert vocab.decode(ids) == text
    assert all(0 <= i < len(vocab) for i in ids)


def test_characters_stand_in_code_point_order_whatever_the_text() -> None:
    vocab = Vocab.from_text("cab\nba")
    assert vocab.characters == "\nabc"
    assert vocab.encode("\nabc") == [0, 1, 2, 3]
    assert vocab == Vocab.from_text("abc\n") != Vocab("abc")
    assert len(vocab) == 4
    assert "a" in vocab
    assert "d" not in vocab
    assert len({vocab, Vocab("\nabc")}) == 1


def test_encoding_is_strict() -> None:
    with pytest.raises(VocabError, match="'z' at position 2"):
        Vocab("ab").encode("abz")
    with pytest.raises(VocabError, match="id 2"):
        Vocab("ab").decode([0, 2])
    with pytest.raises(VocabError, match="id -1"):
        Vocab("ab").decode([-1])


@pytest.mark.parametrize("characters", ["", "aba", "aa", "\ud800"])
def test_a_vocabulary_has_each_character_once(characters: str) -> None:
    with pytest.raises(VocabError):
        Vocab(characters)


def test_a_vocabulary_does_not_change() -> None:
    vocab = Vocab("ab")
    with pytest.raises(AttributeError):
        vocab.characters = "abc"
    assert copy.deepcopy(vocab) == vocab
    assert repr(vocab) == "Vocab('ab')"


def test_a_saved_vocabulary_is_read_back_and_can_be_read_by_people(tmp_path: Path) -> None:
    vocab = Vocab.from_text('a "quoted" é\n')
    path = tmp_path / "new" / "v.json"
    vocab.save(path)
    assert Vocab.load(path) == vocab
    assert Vocab.load(path).digest == vocab.digest != Vocab("a").digest
    assert "é" in path.read_text(encoding="utf-8")
    assert [file.name for file in path.parent.iterdir()] == ["v.json"]


GOOD = {"format": "pooh vocabulary", "version": 1, "characters": ["a", "b"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no valid JSON"),
        (b"\xff\xfe", "no valid JSON"),
        (b"[]", "not a vocabulary"),
        (json.dumps({**GOOD, "format": "other"}).encode(), "not a vocabulary"),
        (json.dumps({**GOOD, "version": 2}).encode(), "version 2"),
        (json.dumps({**GOOD, "characters": "ab"}).encode(), "list of single characters"),
        (json.dumps({**GOOD, "characters": ["a", "bc"]}).encode(), "list of single characters"),
        (json.dumps({**GOOD, "characters": ["b", "a", "b"]}).encode(), "'b' twice"),
    ],
)
def test_a_damaged_vocabulary_is_one_clear_error(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "v.json"
    path.write_bytes(content)
    with pytest.raises(VocabError, match=message) as caught:
        Vocab.load(path)
    assert str(path) in str(caught.value)


def test_a_missing_vocabulary_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(VocabError, match="cannot read"):
        Vocab.load(tmp_path / "none.json")
    with pytest.raises(VocabError, match="cannot read"):
        Vocab.load(tmp_path)


def test_a_vocabulary_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    path.mkdir()  # a folder is in the way
    with pytest.raises(OSError):
        Vocab("ab").save(path)
    assert list(tmp_path.iterdir()) == [path]


def test_every_letter_with_an_accent_folds_to_its_letter() -> None:
    for letter in map(chr, range(0xC0, 0x17F)):
        base = unicodedata.normalize("NFD", letter)[0]
        if base.isascii():
            assert fold(letter) == (base, "")


def test_a_text_of_all_characters_is_cleaned_as_quickly_as_any() -> None:
    # An expression of all that is dropped would take minutes to make.
    every = "".join(map(chr, [*range(0x4E00, 0xA000), *range(0x20000, 0x2A000)]))
    cleaned = Vocab(" ab").clean(f"a {every} b")
    assert cleaned.text == "a b" and cleaned.dropped == every


@given(st.characters())
def test_a_character_alone_is_spelled_as_in_a_text(character: str) -> None:
    vocab = Vocab(" '-.abc")
    assert vocab.spell(character) == vocab.clean(character).text
