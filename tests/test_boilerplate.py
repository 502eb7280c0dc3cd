"""Books of other libraries than Project Gutenberg: their headers are cut off, and only these."""

from collections.abc import Callable

import pytest

from training.boilerplate import find_runs
from training.gutenberg import bodies
from training.own_text import own_text
from training.text import book_text

FIRST = "The otter went out, and it was morning.\n\nThen it rained, and nobody minded."
SECOND = "A bear came by and went on.\n\nThat was all that he did."


# As the libraries put it, but for what is not needed to know them.
def australia(name: str, body: str) -> str:
    return (
        f"Project Gutenberg Australia\n\nA Project Gutenberg of Australia eBook\n\n"
        f"Title:      {name}\nAuthor:     A. Bear\neBook No.:  0300000.txt\nEdition:    1\n"
        "Language:   English\nDate first posted:          March 2003\n\n"
        "This eBook was produced by: Nobody\n\nProduction notes: none\n\n"
        "Project Gutenberg of Australia eBooks are created from printed editions\n"
        "which are free there.\n\n"
        "Copyright laws are changing all over the world. Be sure.\n\n"
        "This eBook is made available at no cost.\n\n"
        "To contact Project Gutenberg of Australia go to http://gutenberg.net.au\n\n"
        "-----------------------------------------------\n\n"
        f"Title:      {name}\nAuthor:     A. Bear\n\n\n"
        f"{body}\n\n\nProject Gutenberg Australia\n"
    )


def australia_copied_from_the_page(name: str, body: str) -> str:
    return (
        "Project Gutenberg\nAustralia\n\na treasure-trove of literature\n\n"
        "treasure found hidden with no evidence of ownership\n\n"
        "BROWSE the site for other works by this author\n\nSEARCH the entire site\n\n"
        f"Title: {name} Author: A. Bear * A Project Gutenberg Australia eBook * eBook No.: 1h.html "
        "Project Gutenberg Australia eBooks are created from printed editions, and more.\n\n"
        "GO TO Project Gutenberg Australia HOME PAGE\n\n"
        f"{body}\n\n"
        "This site is full of FREE ebooks - Project Gutenberg Australia\n\n"
    )


def australia_of_late(name: str, body: str) -> str:
    return (
        f"Title: {name}\nAuthor: A. Bear\n* A Project Gutenberg Australia eBook *\n"
        "eBook No.: 2300000h.html\nLanguage: English\nMost recent update: Jan 2023\n\n"
        "This eBook was produced by: Nobody\n\nView our licence and header\n\n"
        f"{body}\n\nProject Gutenberg Australia\n"
    )


def canada(name: str, body: str) -> str:
    return (
        "* A Project Gutenberg Canada Ebook *\n\n"
        "This ebook is made available at no cost and with very few\nrestrictions: two.\n\n"
        f"Title: {name}\nAuthor: Bear, A.\nDate of first publication: 1912\n"
        "Edition used as base for this ebook: Den, 1912\nDate first posted: 1 May 2010\n"
        "Project Gutenberg Canada ebook #1\n\nThis ebook was produced by nobody\n\n\n"
        f"{body}\n\n[End of {name}, by A. Bear]\n"
    )


def faded_page(name: str, body: str) -> str:
    return (
        "=* A Distributed Proofreaders Canada eBook *=\n\n"
        "This eBook is made available at no cost and with very few\nrestrictions.\n\n"
        "This work is in the Canadian public domain, but may be elsewhere.\n\n"
        f"_Title:_ {name}\n_Date of first publication:_ 1912\n_Author:_ A. Bear\n"
        "_Date first posted:_ May 1, 2010\nFaded Page eBook #20100000\n\n"
        "This eBook was produced by: Nobody\n\n\n"
        f"{body}\n\n\n[The end of _{name}_ by A. Bear]\n"
    )


def standard(name: str, body: str) -> str:
    return (
        "Imprint\n\nThis ebook is the product of many hours of hard work by volunteers for "
        "Standard Ebooks, and of others.\n\n"
        "This particular ebook is based on a transcription from somewhere.\n\n"
        "Standard Ebooks is a volunteer-driven project that makes ebooks.\n\n"
        f"{body}\n\n"
        f"Colophon\n\n{name}\nwas published in 1912 by\nA. Bear.\n\n"
        "This ebook was produced for\nStandard Ebooks\nby\nNobody.\n\n"
        "The cover page is adapted from\nA Picture.\n\n"
        "The volunteer-driven Standard Ebooks project relies on readers.\n\n"
        "Uncopyright\n\nMay you do good and not evil.\n\n"
        "Copyright pages exist to tell you that you can\u2019t do something. Not this one.\n\n"
        "Copyright laws are different, and Standard Ebooks makes no representations.\n"
    )


def wikisource(name: str, body: str) -> str:
    return (
        "Exported from Wikisource on May 1, 2024\n\n"
        f"{body}\n\n"
        "About this digital edition\n\n"
        "This e-book comes from the online library Wikisource. It was built by volunteers.\n\n"
        "We distribute our books for free, starting from works not copyrighted.\n\n"
        "The following users contributed to this book:\n\nOtter\nBear\n\n"
        "\u2191 https://wikisource.org\n"
    )


Around = Callable[[str, str], str]
LIBRARIES: dict[Around, str] = {
    australia: "Project Gutenberg Australia",
    australia_copied_from_the_page: "Project Gutenberg Australia",
    australia_of_late: "Project Gutenberg Australia",
    canada: "Project Gutenberg Canada",
    faded_page: "Faded Page",
    standard: "Standard Ebooks",
    wikisource: "Wikisource",
}


@pytest.mark.parametrize("around", LIBRARIES)
def test_what_a_library_puts_around_its_book_is_cut_off_and_it_is_said(around: Around) -> None:
    raw = around("Otters", FIRST)
    text, notes = own_text(raw)
    assert text == FIRST + "\n"
    count = len(raw) - len(bodies(raw).texts[0])
    assert notes == (f"left out {count:,} characters around the text: {LIBRARIES[around]}'s",)
    assert book_text(raw) == text, "also where brackets and signs were changed before"


@pytest.mark.parametrize("second", LIBRARIES)
@pytest.mark.parametrize("first", LIBRARIES)
def test_of_joined_books_and_stories_of_one_s_own_each_is_read(
    first: Around, second: Around
) -> None:
    own = "I wrote this myself.\n\nAnd this."
    joined = "\n\n".join((own, first("Otters", FIRST), second("Bears", SECOND), own))
    text, (note,) = own_text(joined)
    assert text == f"{own}\n\n{FIRST}\n\n{SECOND}\n\n{own}\n"
    assert LIBRARIES[first] in note and LIBRARIES[second] in note


def test_a_book_of_project_gutenberg_beside_another_library_s() -> None:
    gutenberg = (
        "*** START OF THE PROJECT GUTENBERG EBOOK OTTERS ***\n\n"
        f"{FIRST}\n\n*** END OF THE PROJECT GUTENBERG EBOOK OTTERS ***\n\n"
    )
    text, (note,) = own_text(gutenberg + canada("Bears", SECOND))
    assert text == f"{FIRST}\n\n{SECOND}\n"
    assert note.endswith(": Project Gutenberg's and Project Gutenberg Canada's")


@pytest.mark.parametrize(
    "story",
    [
        "I read a Project Gutenberg Australia eBook.\n\nIt was long.",
        "Project Gutenberg Australia\n\nis what he had written on the wall.",
        "To contact Project Gutenberg Australia go to the wood, said Owl.",
        "This site is full of FREE ebooks, said Rabbit.\n\nProject Gutenberg Australia, he added.",
        "A Project Gutenberg Canada ebook is what Owl wanted.\n\n[End of the day]\n\nHe slept.",
        "Title: My story\nAuthor: me\n\nOnce Standard Ebooks was an owl.",
        "Imprint\n\nis a word that Wikisource knows.\n\nColophon\n\nis another.",
        "About this digital edition\n\nOwl said that Wikisource had it.",
        "[The end of _Faded Page_ by nobody]\n\nWas it? A Distributed Proofreaders Canada eBook.",
        "A Project Gutenberg of Australia eBook\n\n1\n\n2\n\n3\n\n4\n\n"
        "To contact Project Gutenberg of Australia go to sleep.",
        "A Project Gutenberg of Australia eBook\n\n" + "Go to sleep. " * 300
        + "Project Gutenberg of Australia eBooks are created from printed editions.",
    ],
)  # fmt: skip
def test_a_story_that_only_speaks_of_a_library_is_left_alone(story: str) -> None:
    assert bodies(story) == ([story], 0, ())


@pytest.mark.parametrize(
    "unit",
    [
        "A Project Gutenberg of Australia eBook\n\n",
        "A Project Gutenberg of Australia eBook\n\nTitle: Otters\n\n----\n\n",
        "Title: Otters\n\n",
        "Project Gutenberg Australia\n",
        "Imprint\n\nColophon\n\n",
        "[End of ",
        "Standard Ebooks ",
        " \n",
    ],
)
def test_marks_without_end_take_no_longer_than_other_text(unit: str) -> None:
    # Where the time grew with the square of the length, each of these took minutes.
    count = 300_000 // len(unit)
    assert find_runs(f"Wikisource\n\n{unit * count}") == []


def test_what_ends_a_book_is_only_known_after_its_beginning() -> None:
    raw = canada("Otters", FIRST)
    without = raw[raw.index(FIRST) :]
    assert bodies(without).left_out == 0
    assert [run.library for run in find_runs(raw)] == ["Project Gutenberg Canada"] * 2
    part = canada("Otters", f"{FIRST}\n\n[End of Part One]\n\n{SECOND}")
    assert [run.library for run in find_runs(part)] == ["Project Gutenberg Canada"] * 2
