"""Downloads of books, from a real server on this machine."""

import dataclasses
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from training import download as downloads
from training.corpus import main
from training.download import Downloader, SiteError, download
from training.recipe import Book, CorpusError

BODY = (
    "\ufeffThe Project Gutenberg eBook of A Day Out\r\n\r\nRelease date: today [eBook #7]\r\n\r\n"
    "*** START OF THE PROJECT GUTENBERG EBOOK A DAY OUT ***\r\n\r\n"
    + "".join(
        f"CHAPTER {n}\r\n\r\n"
        f"The otter went out on day {n}, and it rained, and she came home.\r\n\r\n"
        for n in ("I", "II", "III", "IV")
    )
    + "The rain went on and on. " * 3000
    + "\r\n\r\n*** END OF THE PROJECT GUTENBERG EBOOK A DAY OUT ***\r\n"
).encode()


def book(url: str = "https://example.org/a.txt", **fields: object) -> Book:
    """The book that the server has."""
    base = Book("a-day-out", "A Day Out", "Nobody", 1900, 7, url)
    return dataclasses.replace(base, **fields)  # type: ignore[arg-type]


class Shelf(ThreadingHTTPServer):
    """A server that answers each request as the next line of its script says."""

    daemon_threads = True

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.headers: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), Answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/cache/epub/7/pg7.txt"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the tests."""


class Answer(BaseHTTPRequestHandler):
    """One request."""

    server: Shelf
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        """Follow the script; its last line is repeated."""
        script = self.server.script
        act = script.pop(0) if len(script) > 1 else script[0]
        self.server.headers.append(dict(self.headers))
        self.close_connection = True
        if act.startswith("moved"):
            self.answer(302, b"", {"Location": act.split()[1]})
        elif act.isdigit():
            self.answer(int(act), b"<html>no</html>", {"Retry-After": "40"})
        elif act == "come in an hour":
            self.answer(503, b"", {"Retry-After": "3600"})
        elif act == "come at a time":  # in 90 s
            self.answer(503, b"", {"Retry-After": formatdate(time.time() + 90, usegmt=True)})
        elif act == "hang up":
            self.connection.shutdown(socket.SHUT_RDWR)
        elif act == "silent":
            time.sleep(1)
        elif act == "page":
            self.answer(200, b"<!DOCTYPE html><title>Too many requests</title>")
        elif act == "other book":
            self.answer(200, BODY.replace(b"#7]", b"#8]"))
        elif act == "cut":
            self.answer(200, BODY[:50_000], length=len(BODY))
        elif act == "slow":
            self.answer(200, b"", length=len(BODY))
            for start in range(0, len(BODY), 20_000):
                self.wfile.write(BODY[start : start + 20_000])
                self.wfile.flush()
                time.sleep(0.01)
        else:
            assert act == "whole"
            self.answer(200, BODY)

    def answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, length: int = -1
    ) -> None:
        """Send it, whether or not it is as long as it says."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length < 0 else length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def shelf(request: pytest.FixtureRequest) -> Iterator[Shelf]:
    """A server that follows the script in the test's parameters."""
    with Shelf(*request.param) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetched(shelf: Shelf, clock: Clock, timeout: float = 30.0) -> bytes:
    """What the downloader gets from this server."""
    return Downloader(timeout=timeout, clock=clock, sleep=clock.sleep).fetch(book(shelf.url))


scripts = pytest.mark.parametrize


@scripts("shelf", [("whole",), ("slow",)], indirect=True)
def test_a_book_is_fetched(shelf: Shelf) -> None:
    clock, seen = Clock(), []
    downloader = Downloader(
        clock=clock, sleep=clock.sleep, progress=lambda _, done, total: seen.append((done, total))
    )
    assert downloader.fetch(book(shelf.url)) == BODY
    assert seen[-1] == (len(BODY), len(BODY))
    assert seen == sorted(seen)
    assert clock.waits == []
    assert "pooh-corpus" in shelf.headers[0]["User-Agent"]


@scripts(
    "shelf",
    [
        ("500", "whole"),
        ("hang up", "whole"),
        ("silent", "whole"),
        ("cut", "whole"),
        ("503", "429", "cut", "hang up", "whole"),
    ],
    indirect=True,
)
def test_what_goes_wrong_is_tried_again(shelf: Shelf) -> None:
    silent = shelf.script[0] == "silent"
    assert fetched(shelf, Clock(), timeout=0.2 if silent else 30.0) == BODY


@scripts("shelf", [("cut", "whole")], indirect=True)
def test_a_book_that_broke_off_is_asked_for_from_its_beginning(shelf: Shelf) -> None:
    assert fetched(shelf, Clock()) == BODY
    assert len(shelf.headers) == 2
    assert not any("Range" in headers for headers in shelf.headers)


@scripts("shelf", [("cut",)], indirect=True)
def test_a_site_that_always_breaks_off_is_given_up(shelf: Shelf) -> None:
    clock = Clock()
    with pytest.raises(SiteError, match=r"pg7\.txt: the site broke off after .* 5 times"):
        fetched(shelf, clock)
    assert len(shelf.headers) == 5
    assert clock.waits == [2, 4, 8, 16]  # back-off


@scripts("shelf", [("503", "whole")], indirect=True)
def test_the_site_says_how_long_to_wait(shelf: Shelf) -> None:
    clock = Clock()
    fetched(shelf, clock)
    assert clock.waits == [40]


@scripts("shelf", [("come at a time", "whole")], indirect=True)
def test_the_site_says_when_to_come_back(shelf: Shelf) -> None:
    clock = Clock()
    fetched(shelf, clock)
    [wait] = clock.waits
    assert 2 < wait <= 90  # 2 is the pause of its own


@scripts(
    ("shelf", "message"),
    [
        (("come in an hour",), "wants 60 minutes of peace"),
        (("403",), "answers 403"),
        (("401",), "answers 401"),
    ],
    indirect=["shelf"],
)
def test_a_site_that_refuses_is_not_asked_for_the_other_books(
    shelf: Shelf, message: str, tmp_path: Path
) -> None:
    clock = Clock()
    books = [dataclasses.replace(book(shelf.url), slug=slug) for slug in ("one", "two")]
    with pytest.raises(SiteError, match=message):
        list(download(books, tmp_path, Downloader(clock=clock, sleep=clock.sleep)))
    assert len(shelf.headers) == 1
    assert clock.waits == []


def test_a_site_that_is_not_there(tmp_path: Path) -> None:
    with Shelf("whole") as closed:
        url = closed.url
    clock = Clock()
    with pytest.raises(SiteError, match="does not answer"):
        next(download([book(url)], tmp_path, Downloader(clock=clock, sleep=clock.sleep)))
    assert list(tmp_path.iterdir()) == []


@scripts(
    ("shelf", "message"),
    [
        (("404",), "answers 404"),
        (("page",), "not a whole Project Gutenberg text .*DOCTYPE.* save the book yourself"),
        (("other book",), "is ebook 8, not 7"),
    ],
    indirect=["shelf"],
)
def test_a_wrong_body_is_one_clear_error_and_is_not_kept(
    shelf: Shelf, message: str, tmp_path: Path
) -> None:
    clock = Clock()
    downloader = Downloader(clock=clock, sleep=clock.sleep)
    [(_, trouble)] = download([book(shelf.url)], tmp_path, downloader)
    assert isinstance(trouble, CorpusError)
    assert not isinstance(trouble, SiteError)
    with pytest.raises(CorpusError, match=message):
        raise trouble
    assert "\n" not in str(trouble)
    assert len(shelf.headers) == 1  # asking again would not help
    assert list(tmp_path.iterdir()) == []


@scripts("shelf", [("whole",)], indirect=True)
def test_too_long_a_body_is_not_a_book(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "SIZE_LIMIT", 1000)
    with pytest.raises(CorpusError, match="more than 1,000 bytes"):
        fetched(shelf, Clock())


@scripts("shelf", [("slow",)], indirect=True)
def test_a_trickle_is_given_up(shelf: Shelf) -> None:
    clock = Clock()

    def tick(_: Book, done: int, total: int | None) -> None:
        clock.now += 400

    with pytest.raises(SiteError, match="too slow"):
        Downloader(clock=clock, sleep=clock.sleep, progress=tick).fetch(book(shelf.url))


@scripts("shelf", [("whole",)], indirect=True)
def test_requests_are_two_seconds_apart(shelf: Shelf, tmp_path: Path) -> None:
    clock = Clock()
    books = [book(shelf.url, slug=f"a-{n}") for n in range(3)]
    results = list(download(books, tmp_path, Downloader(clock=clock, sleep=clock.sleep)))
    assert [path for _, path in results] == [tmp_path / f"a-{n}.txt" for n in range(3)]
    assert clock.waits == [2, 2]
    assert all(path.read_bytes() == BODY for path in tmp_path.iterdir())


@scripts("shelf", [("moved /elsewhere", "whole")], indirect=True)
def test_a_redirect_waits_its_turn(shelf: Shelf) -> None:
    clock = Clock()
    assert fetched(shelf, clock) == BODY
    assert clock.waits == [2]


@scripts("shelf", [("whole",)], indirect=True)
def test_what_is_there_is_not_fetched_again(shelf: Shelf, tmp_path: Path) -> None:
    clock = Clock()
    here, there = book(shelf.url, slug="here", ebook=1), book(shelf.url)
    (tmp_path / "pg1.txt").write_text("A book.", "utf-8")
    downloader = Downloader(clock=clock, sleep=clock.sleep)
    assert [b.slug for b, _ in download([here, there], tmp_path, downloader)] == ["a-day-out"]
    assert list(download([here, there], tmp_path, downloader)) == []
    assert len(shelf.headers) == 1


@scripts("shelf", [("whole",)], indirect=True)
def test_a_folder_that_cannot_be_written(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    clock = Clock()
    with pytest.raises(CorpusError, match=r"a-day-out\.txt: cannot write"):
        list(
            download(
                [book(shelf.url)],
                tmp_path / "file" / "books",
                Downloader(clock=clock, sleep=clock.sleep),
            )
        )


@scripts("shelf", [("whole",)], indirect=True)
def test_another_site_serves_the_same_path(shelf: Shelf) -> None:
    site = shelf.url.removesuffix("/cache/epub/7/pg7.txt")
    clock = Clock()
    downloader = Downloader(site, clock=clock, sleep=clock.sleep)
    assert downloader.fetch(book("https://www.gutenberg.org/cache/epub/7/pg7.txt")) == BODY


# -- the command line


@scripts("shelf", [("page",)], indirect=True)
def test_the_command_line_ends_a_wrong_body_in_one_line(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = shelf.url.removesuffix("/cache/epub/7/pg7.txt")
    only = ["--only", "winnie-the-pooh", "--site", site, "--folder", str(tmp_path / "books")]
    assert main(only) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "pg67098.txt: not a whole Project Gutenberg text" in captured.err
    assert "0 books fetched; 1 of 1 missing" in captured.out
    assert not (tmp_path / "books").exists()


@scripts("shelf", [("404",) * 9], indirect=True)
def test_a_wrong_address_is_asked_for_a_few_books_only(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = shelf.url.removesuffix("/cache/epub/7/pg7.txt") + "/wrong"
    assert main(["--site", site, "--folder", str(tmp_path / "books")]) == 2
    assert len(shelf.headers) == 3
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert len(errors) < 400
    assert "--site" in errors
    assert not (tmp_path / "books").exists()


def test_the_command_line_as_a_user_calls_it(root: Path, tmp_path: Path) -> None:
    """It fetches the real recipe's book from a server that has one of that number."""
    body = BODY.replace(b"#7]", b"#67098]")

    class Real(Answer):
        def do_GET(self) -> None:
            self.answer(200 if self.path == "/cache/epub/67098/pg67098.txt" else 404, body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Real) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        command = [sys.executable, "-m", "training.corpus", "--folder", str(tmp_path)]
        command += ["--only", "winnie-the-pooh"]
        site = ["--site", f"http://127.0.0.1:{server.server_address[1]}"]
        runs = [
            subprocess.run(c, cwd=root, capture_output=True, text=True, check=False)
            for c in (command + site, [*command, "--list"], command + site)
        ]
        server.shutdown()
    assert [run.returncode for run in runs] == [0, 0, 0], runs
    assert "1/1 winnie-the-pooh" in runs[0].stdout
    assert runs[1].stdout.startswith("there    winnie-the-pooh")
    assert "0 books fetched; 0 of 1 missing" in runs[2].stdout
    assert (tmp_path / "winnie-the-pooh.txt").read_bytes() == body
    assert [run.stderr for run in runs] == ["", "", ""]


@scripts(
    ("arguments", "message"),
    [
        (["--only", "moby-dick"], "--only moby-dick: no such book"),
        (["--site", "ftp://x"], "--site ftp://x: must begin with"),
        (["--folder", __file__], "not a folder"),
    ],
)
def test_usage_errors_are_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert message in captured.err
