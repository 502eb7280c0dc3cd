"""The books: recipe, splits, slurs."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.wordlist import read_word_list
from training.corpus import Texts, book_text, load_texts, read_slurs, without_slurs
from training.recipe import Book, CorpusError, find_books, read_recipe

TEXT = "".join(
    f"CHAPTER {n}\r\n\r\nThe otter went out on day {n}, and it rained, and she came home.\r\n\r\n"
    for n in ("I", "II", "III", "IV")
)
BODY = (
    "*** START OF THE PROJECT GUTENBERG EBOOK A DAY OUT ***\r\n\r\n"
    f"{TEXT}\r\n\r\n*** END OF THE PROJECT GUTENBERG EBOOK A DAY OUT ***\r\n"
).encode()
scripts = pytest.mark.parametrize


def book(url: str = "https://example.org/a.txt", **fields: object) -> Book:
    """A book of a recipe."""
    base = Book("a-day-out", "A Day Out", "Nobody", 1900, 7, url)
    return replace(base, **fields)  # type: ignore[arg-type]


def test_the_recipe_of_the_repository() -> None:
    books = read_recipe()
    pooh = books[0]
    assert (pooh.slug, pooh.ebook, pooh.year) == ("winnie-the-pooh", 67098, 1926)
    assert (pooh.train, pooh.validation, pooh.test) == ((1, 6), (7, 8), (9, 10))
    assert {b.stage for b in books} == {"voice", "library"}
    assert all(b.year < 1929 for b in books)  # public domain in the USA
    assert all(b.url.endswith(f"/{b.ebook}/pg{b.ebook}.txt") for b in books)
    assert len({b.ebook for b in books}) == len(books)
    assert not any(b.validation or b.test for b in books[1:])


LINES = """\
slug = "a-day-out"
title = "A Day Out"
author = "Nobody"
year = 1900
ebook = 7
url = "https://example.org/a.txt"
"""


def test_a_recipe_is_read(tmp_path: Path) -> None:
    path = tmp_path / "books.toml"
    path.write_text(f"[[book]]\n{LINES}train = [1, 2]\nweight = 3\n", "utf-8")
    assert read_recipe(path) == [book(train=(1, 2), weight=3)]


@scripts(
    ("recipe", "message"),
    [
        ("", "no \\[\\[book\\]\\]"),
        ("book = 3", "no \\[\\[book\\]\\]"),
        ("book = [3]", "book 1: not a"),
        ("[[book", "not valid TOML"),
        (
            "[[book]]\n" + LINES.replace("year = 1900\n", ""),
            r"book 1 \(a-day-out\): year is missing",
        ),
        (f"[[book]]\n{LINES}pages = 3", "pages is not a field"),
        (f"[[book]]\n{LINES}weight = 0", "weight = 0: must be a number above 0"),
        (f"[[book]]\n{LINES}weight = true", "weight = True: must be"),
        (f"[[book]]\n{LINES}stage = 'x'", "stage = 'x': must be one of voice, library"),
        (f"[[book]]\n{LINES}quotes = 'x'", "quotes = 'x': must be single or double"),
        (f"[[book]]\n{LINES}train = [2, 1]", r"train = \(2, 1\): must be \[first chapter"),
        (f"[[book]]\n{LINES}train = 6", "train = 6: must be"),
        (f"[[book]]\n{LINES}test = ['a', 'b']", "test = .*: must be"),
        ("[[book]]\n" + LINES.replace("a-day-out", "../a"), "slug = '../a': must be small letters"),
        ("[[book]]\n" + LINES.replace("https:", "file:"), "url = .* must begin with"),
        ("[[book]]\n" + LINES.replace('"Nobody"', "3"), "author = 3: must be text"),
        (f"[[book]]\n{LINES}[[book]]\n{LINES}", "this slug was there before"),
    ],
)
def test_a_wrong_recipe_is_one_clear_error(recipe: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "books.toml"
    path.write_text(recipe, "utf-8")
    with pytest.raises(CorpusError, match=rf"books\.toml: .*{message}") as caught:
        read_recipe(path)
    assert "\n" not in str(caught.value) or "TOML" in message
    with pytest.raises(CorpusError, match="cannot read the recipe"):
        read_recipe(tmp_path / "none.toml")


# -- texts


def test_chapters_go_to_their_parts(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "pg7-first-edition.txt").write_bytes(BODY)
    split = book(train=(1, 2), validation=(3, 3), test=(4, 9))
    texts = load_texts(tmp_path, [split, book(slug="other", ebook=8)])
    assert texts.missing == ["other"]
    assert texts.train["a-day-out"].startswith("CHAPTER I\n\nThe otter")
    assert texts.train["a-day-out"].endswith("day II, and it rained, and she came home.\n")
    assert texts.validation.startswith("CHAPTER III\n\n")
    assert "CHAPTER IV" not in texts.validation
    assert texts.test.startswith("CHAPTER IV\n\n")
    absent = load_texts(tmp_path, [replace(split, test=(5, 6))])
    assert absent.test == ""
    with pytest.raises(CorpusError, match="has 4 chapters, needs 5 to train on"):
        load_texts(tmp_path, [book(train=(1, 5))])


def test_single_quotes_are_converted_where_the_recipe_says(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("'It's late,' she said.\n", "utf-8")
    assert book_text(path) == "'It's late,' she said.\n"
    assert book_text(path, book(quotes="single")) == '"It\'s late," she said.\n'


@scripts("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_files_of_any_encoding(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("“Olé,” she said.\r\n".encode(encoding))
    assert book_text(path) == '"Ole," she said.\n'


def test_a_text_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"none\.txt: cannot read the text: No such file"):
        book_text(tmp_path / "none.txt")


# -- slurs


def test_a_paragraph_with_a_slur_is_left_out() -> None:
    text = 'One.\n\nTwo negro\nminstrels.\n\nThree.\n\nThe "Savages!"\n\nFour.\n'
    slurs = read_slurs()
    assert without_slurs(text, slurs) == "One.\n\nThree.\n\nFour.\n"
    assert without_slurs("A red\nman.\n", slurs) == ""
    assert without_slurs("Gipsies.\n\nOne.\n", slurs) == "One.\n"


@scripts(
    "innocent",
    [
        "An ass and a cock.",
        "Bobby Coon was gay and queer.",
        "Dick was niggardly with his chink.",
        "The savage wolf sniggered.",
        "A tramp came by, and a blackbird.",
        "The denizens of hell",
        "A niggard sniggered half with a spick and span pussy willow.",
    ],
)
def test_old_words_that_are_innocent_stay(innocent: str) -> None:
    assert without_slurs(innocent + "\n", read_slurs()) == innocent + "\n"


def test_every_entry_of_the_list_is_found_in_any_case_and_number() -> None:
    slurs = read_slurs()
    words = read_word_list()
    for entry in (*words["anywhere"], *words["word"], *words["training"]):
        word = entry.removesuffix("*")
        forms = (word, word.upper(), f'"{word.capitalize()}s!"', word.replace(" ", "\n"))
        for form in (*forms, f"_{word}_"):
            assert without_slurs(f"He saw a {form}, he said.\n", slurs) == "", form
        assert without_slurs(f"A q{word.replace(' ', 'q')} word.\n", slurs) != "", entry


def test_an_empty_list_drops_nothing(tmp_path: Path) -> None:
    (tmp_path / "slurs.txt").write_text("# none\n\n", "utf-8")
    slurs = read_slurs(tmp_path / "slurs.txt")
    assert without_slurs("Any text.\n", slurs) == "Any text.\n"
    with pytest.raises(CorpusError, match="cannot read the list of slurs"):
        read_slurs(tmp_path / "none.txt")


PARAGRAPHS = st.lists(st.sampled_from(["Rain.", "A gipsy.", "A verse,\nand more", "Red men", "x"]))


@given(PARAGRAPHS)
def test_slurs_take_their_paragraphs_and_no_others(paragraphs: list[str]) -> None:
    text = "\n\n".join(paragraphs) + "\n" if paragraphs else ""
    slurs = re.compile(r"\b(?:gipsy|red men)s?\b")
    kept = [p for p in paragraphs if "gipsy" not in p and "Red" not in p]
    assert without_slurs(text, slurs) == ("\n\n".join(kept) + "\n" if kept else "")


def test_nothing_of_the_list_is_in_the_training_texts(shared: Path, library: Texts) -> None:
    recipe = read_recipe()
    assert len(find_books(shared / "corpus", recipe)) == len(recipe)
    texts = library
    slurs = read_slurs()
    found = {slug for slug, text in texts.train.items() if slurs.search(text.lower())}
    assert found == set()
    assert list(texts.train) == [b.slug for b in recipe]
    assert texts.missing == []
    # The chapters of the book are apart, and the test chapters are not there at all.
    pooh = texts.train["winnie-the-pooh"]
    assert [line for line in pooh.split("\n") if line.startswith("CHAPTER")] == [
        "CHAPTER I",
        "CHAPTER II",
        "CHAPTER III",
        "CHAPTER IV",
        "CHAPTER V",
        "CHAPTER VI",
    ]
    assert texts.validation.startswith("CHAPTER VII\n")
    assert texts.test == ""
