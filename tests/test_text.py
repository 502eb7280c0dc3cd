"""Cleaning: from a Gutenberg file to clean text."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.vocab import fold
from training.chapters import chapters, is_heading
from training.corpus import book_text as read_book
from training.quotes import unquote
from training.text import ALPHABET, book_text

# A book as it is printed: full lines, a centred title, a verse, a picture, torn words and dashes.
BOOK = """\
A DAY OUT

by Nobody

CONTENTS

   I. A Start
  II. An End

                              CHAPTER I

                       IN WHICH NOTHING MUCH
                        HAPPENS TO ANYBODY

The otter went down to the river, as otters do in the morning, and found--
rather to her surprise--that it was not there. She looked behind the old mill-
stone, and beneath the bridge. "It was here yesterday," she said. “How very
odd!”

[Illustration: The otter looks behind
a stone [page 4]]

    The river ran
      Away one day
    And no one saw it go.

           *       *       *       *       *

Then it came back …. It had been _extremely_ thirsty, it said[1], and the mill-
stone nodded; for it was an old millstone, and had seen such a thing before.

                              CHAPTER II

So they all went home \u2013 even the café owner \u2013 by the road that the river had
been so kind as to leave open for them, and the supper was still quite warm.

THE END

OTHER BOOKS BY THE SAME PUBLISHER

A NIGHT IN
"""

CLEAN = """\
CHAPTER I

IN WHICH NOTHING MUCH HAPPENS TO ANYBODY

The otter went down to the river, as otters do in the morning, and found--rather to her surprise\
--that it was not there. She looked behind the old millstone, and beneath the bridge. "It was here \
yesterday," she said. "How very odd!"

The river ran
Away one day
And no one saw it go.

* * *

Then it came back .... It had been _extremely_ thirsty, it said, and the millstone nodded; for it \
was an old millstone, and had seen such a thing before.

CHAPTER II

So they all went home -- even the cafe owner -- by the road that the river had been so kind as to \
leave open for them, and the supper was still quite warm.
"""


def gutenberg(book: str, number: int = 1) -> str:
    """The book as Gutenberg serves it."""
    return (
        "\ufeffThe Project Gutenberg eBook of A Day Out\n\n"
        f"Release date: today [eBook #{number}]\n\n"
        "*** START OF THE PROJECT GUTENBERG EBOOK A DAY OUT ***\n\n\n"
        f"Produced by some friends\n\n{book}\n\n"
        "*** END OF THE PROJECT GUTENBERG EBOOK A DAY OUT ***\n\nSection 1. General Terms\n"
    ).replace("\n", "\r\n")


@pytest.mark.parametrize("raw", [BOOK, gutenberg(BOOK)], ids=["plain", "served"])
def test_a_book_becomes_clean_text(raw: str) -> None:
    assert book_text(raw) == CLEAN


def test_notes_behind_a_chapter_do_not_end_the_book() -> None:
    first = "\n\n".join(f"On day {n} it rained as it had never rained before." for n in range(9))
    notes = "FOOTNOTES:\n\n1: It rained later, too."
    last = "CHAPTER II\n\nThen the sun came out and nobody could believe it at all."
    text = book_text(f"CHAPTER I\n\n{first}\n\n{notes}\n\n{last}\n\n{notes}\n")
    assert text.endswith(f"{last}\n")


def test_an_older_edition_with_other_markers_is_the_same_text() -> None:
    older = BOOK.replace("\n", "\r\n")
    older = f"Title: A Day Out\r\n\r\n***START OF THIS PROJECT GUTENBERG EBOOK A***\r\n\r\n{older}"
    older += "\r\n***END OF THIS PROJECT GUTENBERG EBOOK A***\r\nMost people start at our site\r\n"
    assert book_text(older) == CLEAN


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        ("a very well-\nknown otter", "a very well-known otter"),
        ("the moon--\nso they said", "the moon--so they said"),
        ("the moon\n--so they said", "the moon--so they said"),
        ("'It is late.'\n--A saying", "'It is late.' --A saying"),
        ("both half-\nand quarter-moons", "both half-and quarter-moons"),
        ("and when he was----\nSuddenly", "and when he was---- Suddenly"),
        ("it rained . . .\nand rained", "it rained ... and rained"),
        ("a gather-\ning of rooks, together", "a gather-ing of rooks, together"),
        ("a to-\ngether; all together", "a together; all together"),
    ],
)
def test_what_was_torn_at_a_line_end_is_mended(lines: str, joined: str) -> None:
    padding = "Once upon a time there was somebody who walked along the road,"
    if joined.startswith("both half-and"):
        joined = "both half- and quarter-moons"
    assert book_text(f"{padding} {lines}") == f"{padding} {joined}\n"


def test_an_otter_is_not_torn_by_a_picture_or_a_page_number() -> None:
    raw = "The otter looked at the\n\n[Illustration]\n\n123\n\nmoon, and sighed.\n\nIt was late."
    assert book_text(raw) == "The otter looked at the moon, and sighed.\n\nIt was late.\n"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("*very* small", "_very_ small"),
        ("a note* of it", "a note of it"),
        ("BANG!!!???***!!!", "BANG!!!???***!!!"),
        ("[she] said {it} 5/6 & 7% ~", "(she) said (it) 5-6 and 7 per cent"),
        ("Æsop\u2019s façade \u2014 ﬁne", "AEsop's facade -- fine"),
        ("", ""),
        ("\n \n", ""),
        ("------", ""),
    ],
)
def test_marks(raw: str, text: str) -> None:
    assert book_text(raw).rstrip("\n") == text


def test_the_alphabet_is_small_and_plain() -> None:
    assert ALPHABET.isascii()
    assert list(ALPHABET) == sorted(set(ALPHABET))
    assert set(book_text("".join(map(chr, range(128))))) <= set(ALPHABET)


PIECES = st.sampled_from(
    [
        "CHAPTER I",
        "CHAPTER II",
        "I",
        "II.",
        "PART ONE",
        "THE END",
        "CONTENTS",
        "ILLUSTRATIONS",
        "FOOTNOTES",
        "TITLE IN CAPITALS",
        " ",
        "  ",
        "* * *",
        "*",
        "**",
        "***",
        "--",
        "-",
        "---",
        ".",
        ". ",
        ". . .",
        "...",
        "'",
        '"',
        "_",
        "word",
        "well-",
        "known",
        "and",
        "12",
        "1.",
        "[1]",
        "{12}",
        "[",
        "]",
        "&",
        "/",
        "[Illustration: x]",
        "lower,",
        "he said",
        "'Tis",
        "boys'",
        "é",
        "—",
        "…",
        "\ufeff",
        "\t",
        "\r\n",
        "\n",
        "\n\n",
        "The cat sat on the mat and looked at the moon for a very long while indeed. ",
        "*** START OF THE PROJECT GUTENBERG EBOOK X ***",
        "*** END OF THE PROJECT GUTENBERG EBOOK X ***",
    ]
)
ANY_TEXT = st.one_of(
    st.text(),
    *(st.lists(PIECES, max_size=25).map(glue.join) for glue in ("", "\n", "\n\n")),
)


@given(ANY_TEXT)
def test_cleaning_takes_any_text_and_what_is_clean_stays(raw: str) -> None:
    text = book_text(raw)
    assert set(text) <= set(ALPHABET)
    assert "\n\n\n" not in text
    assert not text.startswith("\n")
    assert text == "" or re.search(r"[^\n]\n\Z", text)
    assert book_text(text) == text


@given(ANY_TEXT)
def test_unquoting_changes_quotes_only(raw: str) -> None:
    text = book_text(raw)
    plain = str.maketrans('"', "'")
    assert unquote(text).translate(plain) == text.translate(plain)


@given(ANY_TEXT)
def test_chapters_are_the_text_from_the_first_heading_on(raw: str) -> None:
    text = book_text(raw)
    cut = chapters(text)
    assert text.endswith("\n".join(cut)) or not text
    assert len(cut) == 1 or all(is_heading(chapter.split("\n\n")[0].rstrip()) for chapter in cut)


def test_a_list_of_chapters_is_no_chapter() -> None:
    contents = "CHAPTER I\nCHAPTER II"
    cut = chapters(f"{contents}\n\nCHAPTER I\n\nOne.\n\nCHAPTER II\n\nTwo.\n")
    assert cut == ["CHAPTER I\n\nOne.\n", "CHAPTER II\n\nTwo.\n"]


def test_chapters_keep_their_headings() -> None:
    first, second = chapters("A preface.\n\nCHAPTER I\n\nOne.\n\nII.\n\nCHAPTER II\n\nTwo.\n")
    assert first == "CHAPTER I\n\nOne.\n\nII.\n"
    assert second == "CHAPTER II\n\nTwo.\n"
    assert chapters("No heading at all.\n") == ["No heading at all.\n"]


@pytest.mark.parametrize(
    "heading",
    [
        "CHAPTER I",
        "Chapter 12",
        "CHAPTER TWENTY-ONE. The Bridge",
        "XIV",
        "IV. The Bridge",
        "STORY II",
        "_CHAPTER IX_",
        "_THE THIRD CHAPTER_",
        "PART ONE",
        "CHAPTER 1\nBEAUTIFUL AS THE DAY",
    ],
)
def test_headings(heading: str) -> None:
    assert is_heading(heading)


@pytest.mark.parametrize(
    "other",
    [
        "I went out.",
        "I'm late!",
        "Mix it. Now!",
        "Chapters are long.",
        "CIVIL",
        "* * *",
        "I. A Start\nII. An End",
    ],
)
def test_what_is_no_heading(other: str) -> None:
    assert not is_heading(other)


@pytest.mark.parametrize(
    ("single", "double"),
    [
        ("'Well,' said he, 'I don't mind.'", '"Well," said he, "I don\'t mind."'),
        ("'It's the boys' hats!' she said.", "\"It's the boys' hats!\" she said."),
        ("She called it 'home' and went.", 'She called it "home" and went.'),
        ("'He said \"no\" to me,' I said.", "\"He said 'no' to me,\" I said."),
        ("Then 'twas late, and he held 'em.", "Then 'twas late, and he held 'em."),
        ("'No,' he said, 'till then.'", '"No," he said, "till then."'),
        ("'Tis late,' said he.", '"Tis late," said he.'),
        ("'One long speech", '"One long speech'),
        ("'_You!_' he cried--'you!'", '"_You!_" he cried--"you!"'),
        ("The boys' boat and the girls' oar.", "The boys' boat and the girls' oar."),
    ],
)
def test_single_quotes_become_double(single: str, double: str) -> None:
    assert unquote(single) == double


def balanced(text: str) -> float:
    """Share of the paragraphs with double quotes in which every quote that opens also closes."""
    quoted = [block for block in text.split("\n\n") if '"' in block]
    return sum(block.count('"') % 2 == 0 for block in quoted) / max(1, len(quoted))


def test_balance() -> None:
    assert balanced('"A," he said.\n\nNo quotes.\n\n"B') == 0.5
    assert balanced("none") == 0


def test_the_sample_is_clean(root: Path) -> None:
    path = root / "data" / "sample.txt"
    text = path.read_text("utf-8")
    assert len(text) >= 20_000
    assert read_book(path) == text
    assert len(chapters(text)) == 8
    assert balanced(text) == 1


def test_the_real_book(shared: Path) -> None:
    served = (shared / "corpus" / "pg67098-chapters-1-8.txt").read_bytes().decode("utf-8")
    text = book_text(served)
    cut = chapters(text)
    assert [chapter.split("\n")[0] for chapter in cut] == [
        f"CHAPTER {n}" for n in ["I", "II", "III", "IV", "V", "VI", "VII", "VIII"]
    ]
    assert all(block.isupper() for block in (chapter.split("\n\n")[1] for chapter in cut))
    assert text.startswith("CHAPTER I\n\nIN WHICH WE ARE")
    assert text.rstrip().endswith("something to revive himself.")
    assert balanced(text) > 0.97
    # Nothing of the story is lost and no word is torn: letter for letter, from chapter I to VIII.
    story, _ = fold(served[served.index("Here is Edward Bear,") : served.index("*** END OF")])
    wanted = "".join(re.findall(r"[A-Za-z]", story))
    found = "".join(re.findall(r"[A-Za-z]", text[text.index("Here is Edward Bear,") :]))
    assert found == wanted
    words = set(re.findall(r"[A-Za-z]+", story))
    assert set(re.findall(r"[A-Za-z]+", text[text.index("Here is Edward Bear,") :])) <= words


def test_an_older_edition_of_the_real_book_is_the_same_text(shared: Path) -> None:
    served = (shared / "corpus" / "pg67098-chapters-1-8.txt").read_bytes().decode("utf-8")
    body = served[served.index("*** START OF") : served.index("*** END OF")].split("***", 2)[2]
    assert body.count("knew it wasn't Piglet") == 1
    older = (
        "*** START OF THIS PROJECT GUTENBERG EBOOK WINNIE-THE-POOH ***\r\n\r\n"
        "Produced by Greg Weeks\r\n\r\n"
        + body.replace("knew it wasn't Piglet", "knew if wasn't Piglet")
        + "\r\nEnd of Project Gutenberg's Winnie-the-Pooh, by A. A. Milne\r\n\r\n"
        "*** END OF THIS PROJECT GUTENBERG EBOOK WINNIE-THE-POOH ***\r\n"
    )
    now, then = book_text(served), book_text(older)
    assert [(a, b) for a, b in zip(now, then, strict=True) if a != b] == [("t", "f")]
