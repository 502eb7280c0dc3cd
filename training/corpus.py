"""The books: which ones, where they come from, what of them is for what."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path


from training.text import book_text as clean_book
from training.text import chapters, unquote

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("voice", "library")


class CorpusError(ValueError):
    """A recipe, a book or a download that cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Book:
    """One book of the recipe. Chapter ranges are inclusive and count from 1; none: all trains."""

    slug: str
    title: str
    author: str
    year: int
    ebook: int
    url: str
    stage: str = "library"
    weight: float = 1.0
    quotes: str = "double"
    width: int = 56
    start: str = ""
    end: str = ""
    train: tuple[int, int] | None = None
    validation: tuple[int, int] | None = None
    test: tuple[int, int] | None = None


@dataclass(frozen=True)
class Texts:
    """Clean text. train is by slug, in the recipe's order; missing names books not found."""

    train: dict[str, str]
    validation: str = ""
    test: str = ""
    missing: list[str] = field(default_factory=list)


def read_recipe(path: Path = ROOT / "data" / "books.toml") -> list[Book]:
    """The books of a recipe, in its order. Raise CorpusError naming the file and the field."""
    data = tomllib.loads(path.read_text("utf-8"))
    books = []
    for entry in data["book"]:
        for part in ("train", "validation", "test"):
            if part in entry:
                entry[part] = tuple(entry[part])
        books.append(Book(**entry))
    return books


def slur_pattern(path: Path = ROOT / "data" / "slurs.txt") -> re.Pattern[str]:
    """The list of slurs as one pattern."""
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    words = [re.escape(w).replace(r"\*", r"\w*").replace(r"\ ", r"[\s-]+") for w in lines if w and w[0] != "#"]
    return re.compile(r"\b(?:" + "|".join(words) + r")s?\b", re.I)


def book_text(path: Path, book: Book | None = None) -> str:
    """The clean text of a file."""
    raw = path.read_bytes().decode("utf-8-sig", "replace")
    if book is None:
        return clean_book(raw)
    text = clean_book(raw, width=book.width, start=book.start, end=book.end)
    return unquote(text) if book.quotes == "single" else text


def find(folder: Path, books: list[Book]) -> dict[str, Path]:
    """Where each book lies under `folder`: <slug>.txt, pg<ebook>.txt or pg<ebook>-<...>.txt."""
    files = {path.stem: path for path in sorted(folder.rglob("*.txt"))}
    found = {}
    for book in books:
        number = re.compile(rf"pg{book.ebook}(?:-.*)?$")
        path = files.get(book.slug) or next((p for s, p in files.items() if number.match(s)), None)
        if path:
            found[book.slug] = path
    return found


def without_slurs(text: str, slurs: re.Pattern[str]) -> str:
    """The text without the paragraphs that hold a slur."""
    if not slurs.search(text):
        return text
    return "\n\n".join(p for p in text.strip("\n").split("\n\n") if not slurs.search(p)) + "\n"


def load_texts(folder: Path, recipe: list[Book] | None = None) -> Texts:
    """Clean texts of the recipe's books that lie in `folder`."""
    books = read_recipe() if recipe is None else recipe
    paths = find(folder, books)
    slurs = slur_pattern()
    train: dict[str, str] = {}
    other = {"validation": "", "test": ""}
    for book in books:
        if book.slug not in paths:
            continue
        text = book_text(paths[book.slug], book)
        if book.train:
            cut = chapters(text)
            for name in other:
                span = getattr(book, name)
                if span:
                    other[name] += "\n".join(cut[span[0] - 1 : span[1]])
            text = "\n".join(cut[book.train[0] - 1 : book.train[1]])
        train[book.slug] = without_slurs(text, slurs)
    return Texts(train, **other, missing=[b.slug for b in books if b.slug not in paths])
