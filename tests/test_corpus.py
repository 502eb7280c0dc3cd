"""The books: recipe, slurs, splits, and downloads from a real server on this machine."""

import dataclasses
import re
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
from hypothesis import given
from hypothesis import strategies as st

from model.wordlist import read_word_list
from training import corpus
from training.corpus import (
    Book,
    CorpusError,
    Library,
    SiteError,
    book_text,
    download,
    find_books,
    load_texts,
    main,
    read_recipe,
    read_slurs,
    without_slurs,
)

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
            self.answer(200, BODY[:50_000], {"ETag": '"one"'}, len(BODY))
        elif act == "no tag, cut":
            self.answer(200, BODY[:50_000], length=len(BODY))
        elif act == "rest":
            self.rest('"one"')
        elif act == "changed rest":
            self.rest('"two"')
        elif act == "wrong rest":
            self.answer(206, BODY[9:100], {"Content-Range": f"bytes 9-99/{len(BODY)}"})
        elif act == "slow":
            self.answer(200, b"", length=len(BODY))
            for start in range(0, len(BODY), 20_000):
                self.wfile.write(BODY[start : start + 20_000])
                self.wfile.flush()
                time.sleep(0.01)
        else:
            assert act == "whole"
            self.answer(200, BODY, {"ETag": '"one"'})

    def rest(self, version: str) -> None:
        """What was asked for, if it is still the same file; else all of it."""
        begin = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if self.headers["If-Range"] != version:
            self.answer(200, BODY, {"ETag": version})
        else:
            part = {"Content-Range": f"bytes {begin}-{len(BODY) - 1}/{len(BODY)}"}
            self.answer(206, BODY[begin:], part)

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
    """What the library gets from this server."""
    return Library(timeout=timeout, clock=clock, sleep=clock.sleep).fetch(book(shelf.url))


scripts = pytest.mark.parametrize


@scripts("shelf", [("whole",), ("slow",)], indirect=True)
def test_a_book_is_fetched(shelf: Shelf) -> None:
    clock, seen = Clock(), []
    library = Library(
        clock=clock, sleep=clock.sleep, progress=lambda _, done, total: seen.append((done, total))
    )
    assert library.fetch(book(shelf.url)) == BODY
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
        ("cut", "rest"),
        ("cut", "changed rest"),
        ("no tag, cut", "whole"),
        ("cut", "wrong rest", "whole"),
        ("cut", "416", "whole"),
        ("503", "429", "cut", "hang up", "rest"),
    ],
    indirect=True,
)
def test_what_goes_wrong_is_tried_again(shelf: Shelf) -> None:
    silent = shelf.script[0] == "silent"
    assert fetched(shelf, Clock(), timeout=0.2 if silent else 30.0) == BODY


@scripts("shelf", [("cut", "rest")], indirect=True)
def test_only_the_rest_is_asked_for(shelf: Shelf) -> None:
    fetched(shelf, Clock())
    first, second = shelf.headers
    assert "Range" not in first
    assert second["Range"] == "bytes=50000-"
    assert second["If-Range"] == '"one"'


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
        list(download(books, tmp_path, Library(clock=clock, sleep=clock.sleep)))
    assert len(shelf.headers) == 1
    assert clock.waits == []


def test_a_site_that_is_not_there(tmp_path: Path) -> None:
    with Shelf("whole") as closed:
        url = closed.url
    clock = Clock()
    with pytest.raises(SiteError, match="does not answer"):
        next(download([book(url)], tmp_path, Library(clock=clock, sleep=clock.sleep)))
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
    library = Library(clock=clock, sleep=clock.sleep)
    [(_, trouble)] = download([book(shelf.url)], tmp_path, library)
    assert isinstance(trouble, CorpusError)
    assert not isinstance(trouble, SiteError)
    with pytest.raises(CorpusError, match=message):
        raise trouble
    assert "\n" not in str(trouble)
    assert len(shelf.headers) == 1  # asking again would not help
    assert list(tmp_path.iterdir()) == []


@scripts("shelf", [("whole",)], indirect=True)
def test_too_long_a_body_is_not_a_book(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "SIZE_LIMIT", 1000)
    with pytest.raises(CorpusError, match="more than 1,000 bytes"):
        fetched(shelf, Clock())


@scripts("shelf", [("slow",)], indirect=True)
def test_a_trickle_is_given_up(shelf: Shelf) -> None:
    clock = Clock()

    def tick(_: Book, done: int, total: int | None) -> None:
        clock.now += 400

    with pytest.raises(SiteError, match="too slow"):
        Library(clock=clock, sleep=clock.sleep, progress=tick).fetch(book(shelf.url))


@scripts("shelf", [("whole",)], indirect=True)
def test_requests_are_two_seconds_apart(shelf: Shelf, tmp_path: Path) -> None:
    clock = Clock()
    books = [book(shelf.url, slug=f"a-{n}") for n in range(3)]
    results = list(download(books, tmp_path, Library(clock=clock, sleep=clock.sleep)))
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
    library = Library(clock=clock, sleep=clock.sleep)
    assert [b.slug for b, _ in download([here, there], tmp_path, library)] == ["a-day-out"]
    assert list(download([here, there], tmp_path, library)) == []
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
                Library(clock=clock, sleep=clock.sleep),
            )
        )


@scripts("shelf", [("whole",)], indirect=True)
def test_another_site_serves_the_same_path(shelf: Shelf) -> None:
    site = shelf.url.removesuffix("/cache/epub/7/pg7.txt")
    clock = Clock()
    library = Library(site, clock=clock, sleep=clock.sleep)
    assert library.fetch(book("https://www.gutenberg.org/cache/epub/7/pg7.txt")) == BODY


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


# -- the recipe


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
    absent = load_texts(tmp_path, [dataclasses.replace(split, test=(5, 6))])
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


def test_nothing_of_the_list_is_in_the_training_texts(shared: Path) -> None:
    recipe = read_recipe()
    folder = shared / "corpus"
    assert len(find_books(folder, recipe)) == len(recipe)
    texts = load_texts(folder, recipe)
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
