"""The fingerprint of the books: what it finds, how it errs, that it holds no text, and its file."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.fingerprint import (
    LEAST,
    SHINGLE,
    WINDOW,
    Fingerprint,
    FingerprintError,
    shingles,
    winnow,
    words,
)
from model.tensors import write
from training.fingerprint import ExactList, measure
from training.fingerprint import main as make

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = (ROOT / "data" / "sample.txt").read_text("utf-8")
VOICE, LIBRARY = SAMPLE[:8000], SAMPLE[8000:18000]
UNSEEN = SAMPLE[18000:]
BOOKS = Fingerprint.learn([VOICE], [LIBRARY])
SHIPPED = ROOT / "weights" / "race" / "books.safetensors"


def test_what_stands_in_the_voice_is_found_to_the_word() -> None:
    start = VOICE.index(" ", 3000) + 1
    copied = VOICE[start : start + 200].rpartition(" ")[0]
    text = f"Nobody knew of it yet. {copied} purple elephants telephoned."
    found = BOOKS.copies(text)
    ((first, last),) = found.spans
    assert words(text[first:last]).__next__() == next(words(copied))
    assert list(words(text[first:last])) == list(words(copied))
    assert found.copied == len(list(words(copied))) and found.words == found.copied + 8
    assert found.share == found.copied / found.words


def test_marks_line_ends_and_italics_do_not_matter() -> None:
    start = VOICE.index(" ", 3000) + 1
    copied = " ".join(words(VOICE[start : start + 200])).upper().replace(" ", "\n_", 3)
    assert BOOKS.copies(copied).share > 0.9


def test_runs_that_are_too_short_are_not_told() -> None:
    found = list(words(VOICE))[100 : 100 + LEAST]
    assert BOOKS.copies(" ".join(found)).copied == LEAST
    assert BOOKS.copies(" ".join(found[1:])).spans == ()
    assert BOOKS.copies("").share == 0.0 and BOOKS.copies("One word").spans == ()


def test_of_the_library_most_of_a_long_passage_is_found() -> None:
    found = BOOKS.copies(LIBRARY[2000:4000])
    assert found.share > 0.9


def test_a_run_that_begins_before_the_text_counts_within_it_only() -> None:
    start, middle = VOICE.index(" ", 3000), VOICE.index(" ", 3030)
    before, text = VOICE[start:middle], VOICE[middle:3100].rpartition(" ")[0]
    found = BOOKS.copies(text, before)
    assert found.spans and found.spans[0][0] >= 0 and found.spans[-1][1] <= len(text)
    assert found.words == found.copied == len(list(words(text)))
    short = " ".join(text.split()[:4])
    assert BOOKS.copies(short).copied == 0 < BOOKS.copies(f" {short}", before).copied


def test_of_what_is_in_no_book_hardly_anything_is_told() -> None:
    rng = np.random.default_rng(1)
    vocabulary = sorted(set(words(SAMPLE)))
    texts = [" ".join(rng.choice(vocabulary, 60)) for _ in range(400)]
    exact = ExactList([VOICE, LIBRARY])
    found = measure(BOOKS, exact, texts)
    assert found["true"] == 0.0 and found["texts_without_copies"] == 400
    assert found["told_wrongly"] <= 12
    assert measure(BOOKS, exact, [UNSEEN[i : i + 300] for i in range(0, 5000, 300)])["told"] < 0.05


def test_a_single_shingle_errs_as_often_as_the_formula_says() -> None:
    rng = np.random.default_rng(2)
    never = rng.integers(0, 2**63, 40_000).astype(np.uint64)
    voice, library = BOOKS.knows(never)
    assert 0.012 < voice.mean() < 0.032 and 0.012 < library.mean() < 0.032
    assert BOOKS.knows(shingles(words(VOICE)))[0].all(), "what is there is never missed"


@given(st.integers(0, 60), st.integers(1, 12), st.integers(0, 9))
def test_winnowing_picks_one_of_any_neighbours_wherever_the_passage_stands(
    length: int, window: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    passage = rng.integers(0, 50, length).astype(np.uint64)
    other = rng.integers(0, 50, 30).astype(np.uint64)
    picked = winnow(passage, window)
    assert (np.diff(picked) <= window).all()
    assert len(picked) >= (length >= window)
    inside = winnow(np.concatenate([other, passage, other]), window) - len(other)
    # What has all its neighbours within the passage is picked there, too.
    core = [p for p in picked if window - 1 <= p <= length - window]
    assert set(core) <= set(inside.tolist())


def test_of_a_passage_both_texts_hold_neighbours_are_found_from_a_length_on() -> None:
    """The bound of the docs: two picks need SHINGLE - 1 + 2 x WINDOW words."""
    bound = SHINGLE - 1 + 2 * WINDOW
    tokens = list(words(LIBRARY))
    for start in range(0, 600, 7):
        passage = " ".join(tokens[start : start + bound])
        assert BOOKS.copies(f"zebra zither {passage} quagga quorum").copied >= LEAST


def test_a_file_gives_back_the_same_fingerprint_and_no_words(tmp_path: Path) -> None:
    path = tmp_path / "books.safetensors"
    BOOKS.save(path)
    again = Fingerprint.load(path)
    assert (again.voice == BOOKS.voice).all() and (again.library == BOOKS.library).all()
    held = path.read_bytes().lower()
    assert not any(word.encode() in held for word in set(words(VOICE)) if len(word) > 8)


def test_what_is_damaged_or_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "books.safetensors"
    with pytest.raises(FingerprintError, match="cannot read"):
        Fingerprint.load(path)
    BOOKS.save(path)
    good = path.read_bytes()
    for content in (good[:-1], good[:-9] + b"\x01" + good[-8:], b"", b"x" * 100):
        path.write_bytes(content)
        with pytest.raises(FingerprintError, match="damaged"):
            Fingerprint.load(path)
    write(path, {"voice": BOOKS.voice}, {"format": "pooh fingerprint 1"})
    with pytest.raises(FingerprintError, match="no fingerprint that this program can ask"):
        Fingerprint.load(path)


def test_the_shipped_one_is_whole_and_its_summary_is_of_it() -> None:
    books = Fingerprint.load(SHIPPED)
    told = json.loads(SHIPPED.with_suffix(".summary.json").read_text())
    assert told["bytes"] == {"voice": len(books.voice), "library": len(books.library)}
    assert (told["shingle_words"], told["library_window"]) == (SHINGLE, WINDOW)
    nowhere = told["measured"]["words in any order"]
    assert nowhere["told_wrongly"] < 0.02 * nowhere["texts"]
    assert books.copies(SAMPLE).share < 0.02, "an original story of this project"


def test_without_books_it_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make(["--books", str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "books are missing" in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
