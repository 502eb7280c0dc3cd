"""Which books there are, what of each is for what (data/books.toml), and where they lie."""

import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from model.weights import ROOT
from training.text import VERSE_WIDTH

RECIPE = ROOT / "data" / "books.toml"
STAGES = ("voice", "library")
PARTS = ("train", "validation", "test")


class CorpusError(ValueError):
    """A recipe, a book or a download that cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Book:
    """One book of the recipe.

    Attributes:
        slug: its name here, and the stem of its file.
        title: as printed.
        author: as printed.
        year: of first publication.
        ebook: its number at Project Gutenberg.
        url: of its plain text.
        stage: "library" teaches English storytelling, "voice" the tone.
        weight: how often it is read, compared with a book of weight 1.
        quotes: "single" if speech stands in single quotes, which are then converted.
        width: see training.text.VERSE_WIDTH.
        start: how the first paragraph begins, where cleaning does not find it by itself.
        end: how the first paragraph after the book begins, likewise.
        train: first and last chapter to train on, counted from 1; None: the whole book.
        validation: chapters to validate on.
        test: chapters to test on.
    """

    slug: str
    title: str
    author: str
    year: int
    ebook: int
    url: str
    stage: str = "library"
    weight: float = 1.0
    quotes: str = "double"
    width: int = VERSE_WIDTH
    start: str = ""
    end: str = ""
    train: tuple[int, int] | None = None
    validation: tuple[int, int] | None = None
    test: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Raise CorpusError naming the field, its value and what is allowed."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in PARTS:
                good = value is None or (
                    isinstance(value, tuple)
                    and [type(number) for number in value] == [int, int]
                    and 1 <= value[0] <= value[1]
                )
                allowed = "[first chapter, last chapter], counted from 1"
            elif field.type in (int, float):
                good, allowed = type(value) in (int, field.type) and value > 0, "a number above 0"
            else:
                good, allowed = isinstance(value, str), "text"
            if not good:
                raise CorpusError(f"{field.name} = {value!r}: must be {allowed}")
        if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", self.slug):
            raise CorpusError(f"slug = {self.slug!r}: must be small letters, digits and hyphens")
        if self.stage not in STAGES:
            raise CorpusError(f"stage = {self.stage!r}: must be one of {', '.join(STAGES)}")
        if self.quotes not in ("single", "double"):
            raise CorpusError(f"quotes = {self.quotes!r}: must be single or double")
        if not self.url.startswith(("https://", "http://")):
            raise CorpusError(f"url = {self.url!r}: must begin with https:// or http://")


def read_recipe(path: Path = RECIPE) -> list[Book]:
    """The books of a recipe, in its order. Raise CorpusError naming the file and the field."""
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("book")
    except OSError as error:
        raise CorpusError(f"{path}: cannot read the recipe: {error.strerror}") from error
    except ValueError as error:
        raise CorpusError(f"{path}: not valid TOML: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise CorpusError(f"{path}: no [[book]] in it")
    books: dict[str, Book] = {}
    needed = {field.name for field in fields(Book) if field.default is MISSING}
    for number, entry in enumerate(entries, 1):
        where = f"{path}: book {number}"
        if not isinstance(entry, dict):
            raise CorpusError(f"{where}: not a [[book]] table")
        where += f" ({entry['slug']})" if "slug" in entry else ""
        if lacking := needed - entry.keys():
            raise CorpusError(f"{where}: {sorted(lacking)[0]} is missing")
        if unknown := entry.keys() - {field.name for field in fields(Book)}:
            raise CorpusError(f"{where}: {sorted(unknown)[0]} is not a field of a book")
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
        }
        try:
            book = Book(**values)
        except CorpusError as error:
            raise CorpusError(f"{where}: {error}") from None
        if book.slug in books:
            raise CorpusError(f"{where}: this slug was there before")
        books[book.slug] = book
    return list(books.values())


def find_books(folder: Path, books: Sequence[Book]) -> dict[str, Path]:
    """Where books lie in a folder or below it, by slug.

    A file belongs to a book if its name is <slug>.txt, pg<ebook>.txt or pg<ebook>-<anything>.txt.
    """
    paths: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.txt"), reverse=True):
        paths[path.stem] = path
        if number := re.match(r"pg\d+(?=-)", path.stem):
            paths.setdefault(number[0], path)
    names = {book.slug: (book.slug, f"pg{book.ebook}") for book in books}
    return {s: paths[n] for s, pair in names.items() for n in reversed(pair) if n in paths}


def books_folder() -> Path:
    """data/books of the clone this module lies in, or of the working directory if installed."""
    clone = (ROOT / "pyproject.toml").is_file() and os.access(ROOT, os.W_OK)
    return (ROOT if clone else Path()) / "data" / "books"
