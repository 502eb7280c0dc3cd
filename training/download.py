"""Fetching the books: politely, whole or not at all."""

import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from model.files import write_atomically
from training.recipe import Book, CorpusError, find_books

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


class SiteError(CorpusError):
    """The site does not answer, so asking it for the next book is of no use."""


class Downloader:
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

        Raises:
            SiteError: the site does not answer, or breaks off again and again.
            CorpusError: what it sends is not this book.
        """
        url = self.site + urlsplit(book.url).path if self.site else book.url
        deadline = self.clock() + BOOK_TIME
        for attempt in range(ATTEMPTS):
            pause = 2.0 ** (attempt + 1)
            self.pace()
            try:
                return _checked(url, self._body(url, book, deadline), book)
            except urllib.error.HTTPError as error:
                trouble = f"answers {error.code} {error.reason}"
                error.close()
                if error.code in (401, 403):  # it will not have us: do not ask for the others
                    raise SiteError(f"{url}: the site {trouble}") from None
                if error.code != 429 and error.code < 500:
                    raise CorpusError(f"{url}: the site {trouble}") from None
                pause = max(pause, _retry_after(error.headers.get("Retry-After", "")))
                if pause > PATIENCE:
                    raise SiteError(
                        f"{url}: the site {trouble} and wants {pause / 60:.0f} minutes of peace; "
                        "try again then"
                    ) from None
            except _BrokenOffError as error:
                trouble = str(error)
            except (OSError, HTTPException, UnicodeError) as error:
                reason = getattr(error, "reason", error)
                trouble = f"does not answer ({reason or type(error).__name__})"
            if attempt + 1 < ATTEMPTS:
                self.sleep(pause)
        raise SiteError(f"{url}: the site {trouble}, {ATTEMPTS} times; try again later")

    def _body(self, url: str, book: Book, deadline: float) -> bytes:
        """The answer to one request, whole. Raises what `fetch` tries again, or gives up on."""
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
        request = urllib.request.Request(url, headers=headers)
        body = bytearray()
        with closing(self.opener.open(request, timeout=self.timeout)) as answer:
            length = answer.headers.get("Content-Length", "")
            total = int(length) if length.isdigit() else None
            while piece := answer.read1(65536):
                body += piece
                self.progress(book, len(body), total)
                if len(body) > SIZE_LIMIT:
                    raise CorpusError(f"{url}: more than {SIZE_LIMIT:,} bytes: not a book")
                if self.clock() > deadline:
                    raise SiteError(f"{url}: too slow: not whole after {BOOK_TIME:.0f} s")
        if total is not None and len(body) < total:
            raise _BrokenOffError(f"broke off after {len(body):,} of {total:,} bytes")
        return bytes(body)


class _BrokenOffError(Exception):
    """A connection ended before the body did."""


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
    books: Sequence[Book], folder: Path, downloader: Downloader
) -> Iterator[tuple[Book, Path | CorpusError]]:
    """Fetch the books that are not in `folder` or below it; yield each with its file or trouble.

    A file is written whole or not at all, so after a stop only the missing books are fetched.

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
            body = downloader.fetch(book)
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


def fetch_missing(books: Sequence[Book], folder: Path, site: str = "") -> None:
    """Download the books that are not in `folder`, showing how far it is.

    Raises:
        CorpusError: a book could not be had; the others are there. Or what shows it is not here.
    """
    try:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
    except ModuleNotFoundError:
        raise CorpusError("rich is not installed: pip install '.[train]'") from None
    missing = len(books) - len(find_books(folder, books))
    bar = Progress(
        TextColumn("{task.fields[count]}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.description}"),
        console=(console := Console(stderr=True)),
        disable=not console.is_terminal,
    )
    task = bar.add_task("", total=None, count=f"0/{missing}")

    def show(book: Book, done: int, total: int | None) -> None:
        bar.update(task, description=book.title, completed=done, total=total)

    fetched, troubles, kinds = 0, list[str](), set[str]()
    with bar:
        for book, result in download(books, folder, Downloader(site, progress=show)):
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
