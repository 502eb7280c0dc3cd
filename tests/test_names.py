"""Other names for the people of the library."""

import re
from collections import Counter
from string import ascii_letters

import numpy as np
import pytest

from model.vocab import Vocab
from training.dataset import Window
from training.names import FEMALE, MALE, Names, Rewriter, invent, make_up, rename

TEXT = (
    "Then Wiggily put on his hat, and Wiggily went out with his stick in the rain, and it rained "
    "and rained, as it always does when one has just put on a hat. "
    "But Neddie stayed, and Neddie ate her cake, for she was hungry. "
    "In the grass, Grass grew. "
) * 20
NAMES = Names(("Wiggily", "Neddie"), frozenset({"Wiggily"}), frozenset({"Neddie"}))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_names_are_what_is_capitalised_in_mid_sentence_and_nowhere_small() -> None:
    found = Names.find([TEXT, "said Wiggily. "])
    assert found.all == ("Wiggily", "Neddie")
    assert found.male == {"Wiggily"}
    assert found.female == {"Neddie"}


@pytest.mark.parametrize("seed", range(20))
def test_each_person_has_one_other_name_throughout(seed: int) -> None:
    written = rename(TEXT, NAMES, rng(seed))
    was, now = re.findall(r"[A-Za-z]+|[^A-Za-z]+", TEXT), re.findall(
        r"[A-Z][a-z]+(?: Robin)?|[A-Za-z]+|[^A-Za-z]+", written
    )  # fmt: skip
    assert len(was) == len(now)
    became = {old: {b for a, b in zip(was, now, strict=True) if a == old} for old in NAMES.all}
    assert all(len(new) == 1 for new in became.values())
    kept = [(a, b) for a, b in zip(was, now, strict=True) if a not in NAMES.all]
    assert all(a == b for a, b in kept)


def test_he_becomes_a_he_of_the_forest_and_she_a_she() -> None:
    given: dict[str, set[str]] = {"Wiggily": set(), "Neddie": set()}
    for seed in range(200):
        words = rename("Wiggily met Neddie.", NAMES, rng(seed)).removesuffix(".").split(" met ")
        for name, new in zip(given, words, strict=True):
            given[name].add(new)
    assert given["Wiggily"] & set(MALE) and not given["Wiggily"] & set(FEMALE)
    assert given["Neddie"] & set(FEMALE) and not given["Neddie"] & set(MALE)


def test_invented_names_hardly_ever_come_twice() -> None:
    random = rng()
    counted = Counter(invent(random) for _ in range(2000))
    assert len(counted) > 1900
    assert all(re.fullmatch(r"[A-Z][a-z]{3,11}", name) for name in counted)


def test_a_made_up_text_is_about_two() -> None:
    text = make_up(2000, rng(3))
    frames = {"Hallo", "Well", "But", "So", "And", "Where", "Then", "That", "Good", "It", "Oh", "I"}
    people = {w for w in re.findall(r"[A-Z][a-z]+", text) if w not in frames}
    assert len(text) >= 2000
    assert len(people) == 2


def window(text: str, vocab: Vocab, length: int) -> Window:
    ids = np.array(vocab.encode(text[: length + 1]), np.uint8)
    return Window(ids, np.ones(length, np.bool_), 0, 0)


def test_windows_are_rewritten_as_often_as_told() -> None:
    vocab = Vocab("".join(sorted({*TEXT, *ascii_letters, *" \n\"',.?!-"})))
    text = np.array(vocab.encode(TEXT), np.uint8)
    rewriter, whole = Rewriter(NAMES, vocab), window(TEXT, vocab, 300)
    kinds: Counter[str] = Counter()
    for number in range(400):
        new = rewriter(whole, text, rng(number), 0.5, 0.25)
        assert new.ids.shape == whole.ids.shape and new.ids.dtype == whole.ids.dtype
        said = vocab.decode(new.ids.tolist())
        kind = "printed" if "Wiggily" in said and "Neddie" in said else "renamed"
        kinds[kind if "hungry" in said else "made up"] += 1
    assert kinds["made up"] == pytest.approx(100, abs=35)
    assert kinds["renamed"] == pytest.approx(200, abs=45)
    assert kinds["printed"] == pytest.approx(100, abs=35)
    same = [rewriter(whole, text, rng(7), 0.5, 0.25).ids.tolist() for _ in range(2)]
    assert same[0] == same[1]


def test_where_a_text_ends_or_counts_in_part_it_stays_as_printed() -> None:
    vocab = Vocab("".join(sorted(set(TEXT))))
    text = np.array(vocab.encode(TEXT), np.uint8)
    partly = window(TEXT, vocab, 300)
    partly = Window(partly.ids, np.arange(300) > 9, 0, 0)
    assert Rewriter(NAMES, vocab)(partly, text, rng(), 1.0, 0.0) is partly
