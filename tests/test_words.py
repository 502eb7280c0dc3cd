"""Which words are kept out of prompts and stories, and which are not."""

import re
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.wordlist import SECTIONS, WordListError, read_word_list
from model.words import Verdict, WordFilter, ends_word

CASES = Path(__file__).with_name("word_cases.txt")
LIST = read_word_list()
FILTER = WordFilter()
SIGNS = str.maketrans("aeigost", "4316057")


def cases(kind: str) -> list[str]:
    """The lines of the table whose section begins with this word."""
    found: list[str] = []
    section = ""
    for line in CASES.read_text("utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("# ") and section.startswith(kind):
            found.append(re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), line))
    return found


def entries(*sections: str) -> list[str]:
    return [entry.rstrip("*") for section in sections for entry in LIST[section]]


def write(text: str, words: WordFilter) -> str:
    """What is certain of `text` when it is written a character at a time, as the worker does it."""
    certain = ""
    for end, character in enumerate(text, 1):
        if character.isalnum():
            continue
        match words.judge(certain, text[len(certain) : end]):
            case Verdict.REFUSED:
                break
            case Verdict.CLEAN:
                certain = text[:end]
    return certain


def test_the_table_is_large_either_way_and_says_nothing_twice() -> None:
    refused, allowed = cases("refused"), cases("allowed")
    assert len(refused) >= 300 and len(allowed) >= 300
    assert len({*refused, *allowed}) == len(refused) + len(allowed)


def test_what_the_table_refuses_is_refused() -> None:
    assert [case for case in cases("refused") if not FILTER.refuses(case)] == []
    switched_off = WordFilter(active=False)
    assert not any(switched_off.refuses(case) for case in cases("refused"))


def test_what_the_table_allows_is_allowed() -> None:
    assert [case for case in cases("allowed") if FILTER.refuses(case)] == []


def test_it_is_the_same_while_a_story_is_written() -> None:
    # A phrase that is innocent in the end is waited for; what is refused is never certain.
    for case in cases("allowed"):
        for text in (f"{case} \n", f"Then {case}, said Pooh.\n"):
            assert write(text, FILTER) == text
    for case in cases("refused"):
        assert not FILTER.refuses(write(f"{case}, said Pooh.\n", FILTER)), case


def test_a_word_waits_only_as_long_as_it_may_become_innocent() -> None:
    assert FILTER.judge("The ", "pussy-") is Verdict.UNDECIDED
    assert FILTER.judge("The ", "pussy-cat ") is Verdict.CLEAN
    assert FILTER.judge("The ", "pussy ran ") is Verdict.REFUSED
    assert FILTER.judge("blue ", "tits ") is Verdict.CLEAN
    assert FILTER.judge("nigger ", "an ass ") is Verdict.CLEAN, "it had ended before"


def test_every_entry_is_refused_in_any_case_number_and_spelling() -> None:
    for word in entries("anywhere", "word", "ambiguous"):
        forms = [word, word.upper(), f'"{word.capitalize()}s!"', f"_{word}_", f"x {word}'s y"]
        if word.isalpha():
            forms += [" ".join(word), ".".join(word), "-".join(word), word.translate(SIGNS)]
            forms += [word.replace(letter, letter * 4) for letter in set(word)]
        assert [form for form in forms if not FILTER.refuses(form)] == []


def test_what_has_no_innocent_meaning_is_found_in_any_disguise() -> None:
    for word in entries("anywhere"):
        forms = [f"super{word}ish", f"123{word}456", word.replace("i", "l").replace("s", "z")]
        forms += [word[:cut] + between + word[cut:] for between in " .-_" for cut in (1, 2, 3)]
        assert [form for form in forms if not FILTER.refuses(form)] == []
    for word in filter(str.isalpha, entries("word")):
        doubled = word[:2] + word[1:]
        assert FILTER.refuses(f"{word[:2]}-{word[2:]}"), word
        assert FILTER.refuses(doubled) or doubled in LIST["allowed"], word


def test_a_letter_may_stand_however_often() -> None:
    for word in filter(str.isalpha, entries("anywhere", "word")):
        text = f"Oh {word[0]}{word[1] * 300}{word[2:]}, he said"
        assert FILTER.ends(text)[-1] == text.index(","), word


def test_no_word_is_too_long_to_be_found_while_it_is_written() -> None:
    for word in entries("anywhere", "word", "ambiguous"):
        letters = word.replace(" ", "").replace("-", "")
        forms = ["   ".join(letters), "  ".join(c * 9 for c in letters), word[:-1] + word[-1] * 300]
        forms += [f"{word[:-2]}{word[-2] * 300}{word[-1]}", "".join(c * 9 for c in word)]
        for form in filter(FILTER.refuses, forms):
            assert FILTER.judge(form[:-1], f"{form[-1]} ") is Verdict.REFUSED, form
            assert not FILTER.refuses(write(f"{form} \n", FILTER)), form


def test_no_text_takes_long(root: Path) -> None:
    # What stands for several letters took the cube of its length: 1.6 seconds at 500 characters.
    code = (
        "from model.words import WordFilter; words = WordFilter()\n"
        "for sign in ('1', '1i', '1il!', 'ck', '*', '*#', 'uv', '5s', 'f', '4a', '0o', '- '):\n"
        "    assert words.judge('', sign * (20_000 // len(sign)) + ' ') and not words.refuses(sign)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True, timeout=300)


@given(st.data())
def test_disguises_do_not_help_together(data: st.DataObject) -> None:
    word = data.draw(st.sampled_from([e for e in entries("anywhere") if e.isalpha()]))
    between = data.draw(st.sampled_from(["", ".", "-", "_", " ", "  ", "\u200b", ". "]))
    letters = [data.draw(st.sampled_from([c, c.upper(), c * 3, c.translate(SIGNS)])) for c in word]
    assert FILTER.refuses(f"He is a {between.join(letters)}!")


@given(st.text(max_size=80))
def test_any_text_is_judged(text: str) -> None:
    ends = FILTER.ends(text)
    assert FILTER.refuses(text) == bool(ends)
    assert all(0 < end <= len(text) for end in ends)


@given(st.text(string.ascii_lowercase + " ", max_size=30), st.sampled_from(cases("refused")))
def test_nothing_before_it_hides_a_word(before: str, case: str) -> None:
    assert FILTER.refuses(f"{before}; {case}")


def test_the_host_adds_and_allows_words() -> None:
    words = WordFilter(refused={"heffalump", "ass", "snigger"}, allowed={"porn", "kike"})
    for text in ("a Heffalump!", "heffalumps", "h3ffalump", "an ass", "a snigger"):
        assert words.refuses(text), text
    assert not words.refuses("porn") and not words.refuses("kike") and not words.refuses("bass")
    assert words.refuses("nigger")
    assert not FILTER.refuses("a Heffalump!"), "one host's words are not another's"


def test_it_says_where_a_word_ends() -> None:
    text = "who're \ufb03 you, ni\u0308gger, you"
    assert [text[:end] for end in FILTER.ends(text)] == ["who're \ufb03 you, ni\u0308gger"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"word\n", "line 1: 'word' is in no section"),
        (b"[word]\na\n[other]\n", r"line 3: '\[other\]' is in no section"),
        (b"[word]\n\xff\n", "it is not UTF-8"),
    ],
)
def test_a_list_that_is_wrong_is_named(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    with pytest.raises(WordListError, match=reason):
        read_word_list(path)
    with pytest.raises(WordListError, match=r"none\.txt: cannot read"):
        WordFilter(path=tmp_path / "none.txt")


def test_the_list_is_in_order() -> None:
    assert LIST.keys() == set(SECTIONS)
    for section in SECTIONS:
        assert len(set(LIST[section])) == len(LIST[section]) > 0, section
    # What is allowed shields something, or it need not be there.
    unshielded = WordFilter(allowed=())
    unshielded._allowed = []
    needless = [e for e in LIST["allowed"] if "*" not in e and not unshielded.refuses(e)]
    assert needless == []


@pytest.mark.parametrize(
    ("characters", "whole"),
    [
        ("azAZ09äßéдЖαªＡⅧ", False),  # noqa: RUF001
        (" .,!\"'\n-–…。、「", True),  # noqa: RUF001
        ("漢字かなカナกขאبक", True),
    ],
)
def test_a_word_ends_where_no_letter_of_the_list_can_follow(characters: str, whole: bool) -> None:
    assert [c for c in characters if ends_word(c) is not whole] == []
