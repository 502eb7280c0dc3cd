"""The books as clean texts, parted into what is trained, validated and tested on.

`python -m training.corpus` downloads what is missing into data/books/; with `--list` it says what
is there.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.console import (
    ConsoleError,
    Parser,
    add_version,
    forgive_outputs,
    standard_output,
    tell,
)
from model.wordlist import WORD_LIST, WordListError, make_trie, read_word_list
from training import text as cleaning
from training.chapters import chapters
from training.download import fetch_missing
from training.encodings import Decoded, EncodingError, decode
from training.quotes import unquote
from training.recipe import Book, CorpusError, books_folder, find_books, read_recipe


@dataclass(frozen=True)
class Texts:
    """Clean texts.

    Attributes:
        train: by slug, in the recipe's order; paragraphs with slurs are left out.
        validation: never trained on; "" if its book is missing.
        test: never trained on, never used to choose; "" if its chapters are missing.
        missing: slugs of books that are not there.
    """

    train: dict[str, str]
    validation: str
    test: str
    missing: list[str]


def read_slurs(path: Path = WORD_LIST) -> re.Pattern[str]:
    """The list of slurs as one pattern for text in small letters: whole words, plurals too."""
    try:
        words = read_word_list(path)
    except WordListError as error:
        raise CorpusError(str(error)) from error
    letter = r"[^\W_]"  # in italics a word stands between two _
    signs = {"*": f"{letter}*", " ": r"(?:[ -]|\n(?!\n))+"}

    def pattern(entries: Iterable[str]) -> str:
        return make_trie((signs.get(c, re.escape(c)) for c in entry) for entry in entries)

    whole = [
        *words["word"],
        *words["training"],
        *(f"{entry.rstrip('*')}*" for entry in words["anywhere"]),
    ]
    # "niggardly" begins with a word that is found with any ending.
    innocent = pattern(entry for entry in words["allowed"] if " " not in entry) or "(?!)"
    found = f"{pattern(whole)}s?(?!{letter})" if whole else "(?!)"
    return re.compile(f"(?<!{letter})(?!{innocent}(?!{letter})){found}")


def without_slurs(text: str, slurs: re.Pattern[str]) -> str:
    """Clean text without the paragraphs that hold a slur."""
    marked = {text.rfind("\n\n", 0, match.start()) for match in slurs.finditer(text.lower())}
    kept, at = [], -1
    for paragraph in text.rstrip("\n").split("\n\n"):
        if at not in marked:
            kept.append(paragraph)
        at = max(0, at + 2 * (at >= 0)) + len(paragraph)
    return "\n\n".join(kept) + "\n" if any(kept) else ""


def read_file(path: Path, encoding: str = "") -> Decoded:
    """A text file, decoded: see `training.encodings.decode`.

    Raises:
        CorpusError: it cannot be read, or is no text.
    """
    try:
        return decode(path.read_bytes(), encoding)
    except OSError as error:
        raise CorpusError(f"{path}: cannot read the text: {error.strerror}") from error
    except EncodingError as error:
        raise CorpusError(f"{path}: {error}") from None


def book_text(path: Path, book: Book | None = None) -> str:
    """A file as clean text in plain ASCII: any Gutenberg file or plain text.

    Args:
        path: the file.
        book: what the recipe says of it, if it does.

    Raises:
        CorpusError: it cannot be read.
    """
    text = read_file(path).text
    if book is None:
        return cleaning.book_text(text)
    text = cleaning.book_text(text, width=book.width, start=book.start, end=book.end)
    return unquote(text) if book.quotes == "single" else text


def load_texts(folder: Path, recipe: Sequence[Book] | None = None) -> Texts:
    """Clean texts of the recipe's books (those of data/books.toml) that lie in a folder.

    Raises:
        CorpusError: a file cannot be read, or has fewer chapters than it is to train on.
    """
    books = read_recipe() if recipe is None else recipe
    paths, slurs = find_books(folder, books), read_slurs()
    train: dict[str, str] = {}
    kept_back = {"validation": "", "test": ""}
    for book in books:
        if book.slug not in paths:
            continue
        text = book_text(paths[book.slug], book)
        if book.train:
            cut = chapters(text)
            if len(cut) < book.train[1]:
                raise CorpusError(
                    f"{paths[book.slug]}: has {len(cut)} chapters, needs {book.train[1]} to train "
                    "on; remove it and download it again: python -m training.corpus"
                )
            text = "\n".join(cut[book.train[0] - 1 : book.train[1]])
            for part in kept_back:
                first, last = getattr(book, part) or (1, 0)
                kept_back[part] += "\n".join(cut[first - 1 : last])
        train[book.slug] = without_slurs(text, slurs)
    missing = [book.slug for book in books if book.slug not in paths]
    return Texts(train, missing=missing, **kept_back)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = Parser(
        prog="python -m training.corpus",
        description="Download the books of data/books.toml that are missing.",
    )
    add_version(parser)
    parser.add_argument(
        "--folder", type=Path, default=None, help="where the books lie (default: data/books)"
    )
    parser.add_argument(
        "--only", nargs="+", metavar="SLUG", default=[], help="these books only (default: all)"
    )
    parser.add_argument(
        "--site",
        default="",
        metavar="URL",
        help="ask this mirror instead of the sites in data/books.toml",
    )
    parser.add_argument(
        "--list", action="store_true", help="say which books are there and which are missing"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    forgive_outputs()
    usage = parser()
    options = usage.parse_args(arguments)
    folder = options.folder or books_folder()
    try:
        recipe = read_recipe()
        if unknown := set(options.only) - {book.slug for book in recipe}:
            raise CorpusError(f"--only {sorted(unknown)[0]}: no such book; see --list")
        if options.site and not re.match(r"https?://[^/]", options.site):
            raise CorpusError(f"--site {options.site}: must begin with https:// or http://")
        if folder.exists() and not folder.is_dir():
            raise CorpusError(f"--folder {folder}: not a folder")
        books = [book for book in recipe if not options.only or book.slug in options.only]
        if options.list:
            with standard_output():
                _print_list(books, find_books(folder, books), folder)
        else:
            fetch_missing(books, folder, options.site)
        return 0
    except ConsoleError as error:
        if str(error):
            tell(f"python -m training.corpus: {error}")
        return 1
    except CorpusError as error:
        tell(f"python -m training.corpus: {error}")
        return 2
    except KeyboardInterrupt:
        tell("\nstopped; the same command goes on from here")
        return 130


def _print_list(books: Sequence[Book], there: dict[str, Path], folder: Path) -> None:
    for book in books:
        state = "there  " if book.slug in there else "missing"
        print(f"{state}  {book.slug}  ({book.author}: {book.title}, {book.year})")
    print(f"{len(there)} of {len(books)} books are in {folder}")


if __name__ == "__main__":
    sys.exit(main())
