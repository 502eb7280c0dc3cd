"""The books: which ones there are, where they come from, and what of each is for what.

`python -m training.corpus` downloads what is missing into data/books/; with `--list` it says what
is there.
"""

import argparse
import os
import re
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import MISSING, dataclass, fields
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from model.console import add_version, forgive_outputs
from model.files import write_atomically
from model.weights import ROOT
from model.wordlist import WORD_LIST, WordListError, make_trie, read_word_list
from training import text as cleaning
from training.encodings import Decoded, EncodingError, decode
from training.text import VERSE_WIDTH, chapters, unquote

RECIPE = ROOT / "data" / "books.toml"
STAGES = ("voice", "library")
PARTS = ("train", "validation", "test")

USER_AGENT = "pooh-corpus/1.0 (a story-writing character model; one request every two seconds)"
PAUSE = 2.0
"""Seconds between two requests, whatever became of the first."""
TIMEOUT = 30.0
"""Seconds without a byte after which a request is given up."""
BOOK_TIME = 600.0
"""Seconds after which a book that only trickles in is given up."""
ATTEMPTS = 5
PATIENCE = 120.0  # seconds: a site that wants a longer pause is left in peace
SIZE_LIMIT = 20_000_000
"""Bytes; the longest book of the recipe has less than a million."""


class CorpusError(ValueError):
    """A recipe, a book or a download that cannot be used; the message says what to do."""


class SiteError(CorpusError):
    """The site does not answer, so asking it for the next book is of no use."""


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


def books_folder() -> Path:
    """data/books of the clone this module lies in, or of the working directory if installed."""
    clone = (ROOT / "pyproject.toml").is_file() and os.access(ROOT, os.W_OK)
    return (ROOT if clone else Path()) / "data" / "books"


class Library:
    """A polite reader of Project Gutenberg, or of a site that serves the same paths.

    Args:
        site: scheme and host to ask instead of those in the recipe, such as a mirror's; "": none.
        timeout: see TIMEOUT.
        clock: seconds that only grow.
        sleep: waits so many seconds.
        progress: is told of each book's bytes so far and in all (None: not known).
    """

    def __init__(
        self,
        site: str = "",
        *,
        timeout: float = TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        progress: Callable[[Book, int, int | None], None] = lambda book, done, total: None,
    ) -> None:
        self.site, self.timeout = site.rstrip("/"), timeout
        self.clock, self.sleep, self.progress = clock, sleep, progress
        self.next_request = float("-inf")
        self.opener = urllib.request.build_opener(_PacedRedirects(self.pace))

    def pace(self) -> None:
        """Wait until the next request may go out."""
        if (wait := self.next_request - self.clock()) > 0:
            self.sleep(wait)
        self.next_request = self.clock() + PAUSE

    def fetch(self, book: Book) -> bytes:
        """A book as the site serves it, checked.

        What was read before a connection broke is kept, and the rest asked for (RFC 9110, 14.2).

        Raises:
            SiteError: the site does not answer, or breaks off again and again.
            CorpusError: what it sends is not this book.
        """
        url = self.site + urlsplit(book.url).path if self.site else book.url
        body, version, deadline = b"", "", self.clock() + BOOK_TIME
        for attempt in range(ATTEMPTS):
            trouble, pause = "", 2.0 ** (attempt + 1)
            headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
            if body and version:
                headers |= {"Range": f"bytes={len(body)}-", "If-Range": version}
            self.pace()
            try:
                request = urllib.request.Request(url, headers=headers)
                with closing(self.opener.open(request, timeout=self.timeout)) as answer:
                    if answer.status != 206:
                        body = b""
                    elif not answer.headers.get("Content-Range", "").startswith(
                        f"bytes {len(body)}-"
                    ):
                        body = b""
                        raise HTTPException("it sends another part than asked for")
                    version = answer.headers.get("ETag") or answer.headers.get("Last-Modified", "")
                    if version.startswith("W/"):  # a weak tag promises nothing about bytes
                        version = ""
                    length = answer.headers.get("Content-Length", "")
                    total = len(body) + int(length) if length.isdigit() else None
                    for piece in _pieces(answer):
                        body += piece
                        self.progress(book, len(body), total)
                        if len(body) > SIZE_LIMIT:
                            raise CorpusError(f"{url}: more than {SIZE_LIMIT:,} bytes: not a book")
                        if self.clock() > deadline:
                            raise SiteError(f"{url}: too slow: not whole after {BOOK_TIME:.0f} s")
                if total is None or len(body) >= total:
                    return _checked(url, body, book)
                trouble = f"broke off after {len(body):,} of {total:,} bytes"
            except urllib.error.HTTPError as error:
                trouble = f"answers {error.code} {error.reason}"
                error.close()
                if error.code == 416:  # the range is not there: begin again
                    body = b""
                elif error.code in (401, 403):  # it will not have us: do not ask for the others
                    raise SiteError(f"{url}: the site {trouble}") from None
                elif error.code != 429 and error.code < 500:
                    raise CorpusError(f"{url}: the site {trouble}") from None
                pause = max(pause, _retry_after(error.headers.get("Retry-After", "")))
                if pause > PATIENCE:
                    raise SiteError(
                        f"{url}: the site {trouble} and wants {pause / 60:.0f} minutes of peace; "
                        "try again then"
                    ) from None
            except (OSError, HTTPException, UnicodeError) as error:
                reason = getattr(error, "reason", error)
                trouble = f"does not answer ({reason or type(error).__name__})"
            if attempt + 1 < ATTEMPTS:
                self.sleep(pause)
        raise SiteError(f"{url}: the site {trouble}, {ATTEMPTS} times; try again later")


class _PacedRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is one more request, so it waits its turn too."""

    def __init__(self, pace: Callable[[], None]) -> None:
        self.pace = pace

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        self.pace()
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _retry_after(value: str) -> float:
    """The seconds that a `Retry-After` asks for (RFC 9110, 10.2.3), 0 where it says nothing."""
    if value.isdigit():
        return float(value)
    try:
        return parsedate_to_datetime(value).timestamp() - time.time()
    except ValueError:
        return 0.0


def _pieces(answer: HTTPResponse) -> Iterator[bytes]:
    while piece := answer.read1(65536):
        yield piece


def _checked(url: str, body: bytes, book: Book) -> bytes:
    """The body, if it is a whole Gutenberg text of this book; else raise CorpusError."""
    text = body.decode("utf-8", "replace")
    marks = re.search(r"\*\*\* ?START OF TH.*\*\*\* ?END OF TH", text, re.S)
    if not marks:
        begins = " ".join(text[:200].split())[:40]
        raise CorpusError(
            f"{url}: not a whole Project Gutenberg text (it begins {begins!r}); try again later, "
            f"or save the book yourself as {book.slug}.txt in the folder"
        )
    number = re.search(r"\[e?book #(\d+)\]", text[: marks.start() + 1], re.I)
    if number and int(number[1]) != book.ebook:
        raise CorpusError(f"{url}: is ebook {number[1]}, not {book.ebook}; correct the recipe")
    return body


def download(
    books: Sequence[Book], folder: Path, library: Library
) -> Iterator[tuple[Book, Path | CorpusError]]:
    """Fetch the books that are not in `folder` or below it; yield each with its file or trouble.

    A file is written whole or not at all, so a stopped download goes on where it was.

    Raises:
        SiteError: the site does not answer.
        CorpusError: a file cannot be written.
    """
    there = find_books(folder, books)
    for book in books:
        if book.slug in there:
            continue
        path = folder / f"{book.slug}.txt"
        try:
            body = library.fetch(book)
        except SiteError:
            raise
        except CorpusError as error:
            yield book, error
            continue
        try:
            write_atomically(path, body)
        except OSError as error:
            raise CorpusError(f"{path}: cannot write the book: {error.strerror}") from error
        yield book, path


FEW = 3
"""Books that fail in the same way at the beginning, after which no other is asked for."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
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
            _print_list(books, find_books(folder, books), folder)
            return 0
        fetch_missing(books, folder, options.site)
        return 0
    except CorpusError as error:
        print(f"python -m training.corpus: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130


def _print_list(books: Sequence[Book], there: dict[str, Path], folder: Path) -> None:
    for book in books:
        state = "there  " if book.slug in there else "missing"
        print(f"{state}  {book.slug}  ({book.author}: {book.title}, {book.year})")
    print(f"{len(there)} of {len(books)} books are in {folder}")


def fetch_missing(books: Sequence[Book], folder: Path, site: str = "") -> None:
    """Download the books that are not in `folder`, showing how far it is.

    Raises:
        CorpusError: a book could not be had; the others are there.
    """
    missing = len(books) - len(find_books(folder, books))
    bar = Progress(
        TextColumn("{task.fields[count]}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
    task = bar.add_task("", total=None, count=f"0/{missing}")

    def show(book: Book, done: int, total: int | None) -> None:
        bar.update(task, description=book.title, completed=done, total=total)

    fetched, troubles, kinds = 0, list[str](), set[str]()
    with bar:
        for book, result in download(books, folder, Library(site, progress=show)):
            if isinstance(result, CorpusError):
                troubles.append(str(result))
                kinds.add(str(result).partition(": ")[2])
                if not fetched and len(troubles) == FEW and len(kinds) == 1:
                    raise CorpusError(
                        f"{troubles[0]}; so for the first {FEW} books: nothing more is asked; "
                        "is the address right (--site, or site in data/books.toml)?"
                    )
                continue
            fetched += 1
            bar.update(task, count=f"{fetched}/{missing}")
            if bar.disable:
                print(f"{fetched}/{missing} {book.slug} ({result.stat().st_size:,} bytes)")
    print(f"{fetched} books fetched; {missing - fetched} of {len(books)} missing in {folder}")
    if troubles:
        more = f"; and {len(troubles) - FEW} more" if len(troubles) > FEW else ""
        raise CorpusError("; ".join(troubles[:FEW]) + more)


if __name__ == "__main__":
    sys.exit(main())
