"""What is shown of how a text was written: an excerpt, its picture, the same in words."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from model import how
from model.explain import ExplainError, Explanation, Word
from model.how import alt_text, excerpt, in_terminal, liveliest
from model.picture import draw
from model.weights import ROOT, load_decoder
from model.windows import CHARACTERS, WORDS
from model.wording import ENGLISH
from tests.console import at_a_terminal
from tests.excerpts import SHIPPED, WORDINGS, every_excerpt, explanation, full


@pytest.fixture(params=SHIPPED, ids=lambda path: path.stem)
def explained(request: pytest.FixtureRequest) -> Explanation:
    return explanation(request.param)


# The excerpt


def test_excerpts_hold_every_word_once(explained: Explanation) -> None:
    parts = every_excerpt(explained)
    assert [word for part in parts for word in part.words] == list(explained.words)
    for part in parts:
        for word in part.words:
            assert part.text[word.start - part.start :].startswith(word.text)
        assert len(part.text) <= CHARACTERS
        assert len(part.words) <= WORDS
        assert part.rarest in part.words
        assert part.rarest is not None
        least = min(word.probability or 0.0 for word in part.words)
        assert part.rarest.probability == least


def test_a_story_is_shown_from_where_it_begins(explained: Explanation) -> None:
    decoder, vocab = load_decoder(SHIPPED[0])
    explanation = Explanation(decoder, vocab, " ate the moon.", "Here is Edward Bear")
    shown = excerpt(explanation, liveliest(explanation))
    assert [word.text for word in shown.words] == ["ate", "the", "moon"]
    assert shown.text == "Here is Edward Bear ate the moon.", "its prompt stands before it"
    assert (shown.before, shown.after) == (False, False)
    assert explained.written == 0
    long = "He sat down. So Piglet and the others all went to look for the old Bear"
    shown = excerpt(Explanation(decoder, vocab, " and ate.", long), 0)
    assert (shown.text, shown.before) == ("look for the old Bear and ate.", True)
    after_end = excerpt(Explanation(decoder, vocab, " He sat.", "Oh, Bear."), 0)
    assert (after_end.text, after_end.before) == ("He sat.", True)


def test_excerpts_are_whole_sentences_or_clauses_where_they_fit() -> None:
    decoder, vocab = load_decoder("classic")
    text = (
        'Piglet met a bear. "Oh," said the bear, "who are you?" Pooh said nothing at all, but Roo '
        "asked why Kanga was so wet and so cold and so cross and so tired and so very hungry."
    )
    parts = [part.text for part in every_excerpt(Explanation(decoder, vocab, text))]
    assert parts == [
        'Piglet met a bear. "Oh," said the bear, "who are you?"',
        "Pooh said nothing at all,",
        "but Roo asked why Kanga was so wet and so cold and",
        "so cross and so tired and so very hungry.",
    ]


def test_the_call_outs_are_the_least_expected_word_and_where_most_is_open(
    explained: Explanation,
) -> None:
    for part in every_excerpt(explained):
        opened = [call_out.word for call_out in part.call_outs]
        assert opened == sorted(opened, key=lambda word: word.start)
        others = set(part.words) - set(opened)
        assert len(opened) == min(2, len(part.words)) and part.rarest in opened
        for word in opened:
            least = max((explained.openness(other.start) for other in others), default=0.0)
            assert word == part.rarest or explained.openness(word.start) >= least
        for call_out in part.call_outs:
            assert [text for text, _, taken in call_out.rows if taken] == [call_out.word.text]
            assert list(call_out.guesses) == explained.next_words(call_out.word.start)
        assert part.open_word in opened
        assert part.open_word is not None
        assert len(part.charts) == 3
        for temperature, chart in zip(how.TEMPERATURES, part.charts, strict=True):
            order = [explained.characters.index(c) for c in part.characters]
            wanted = explained.after(part.open_word.start, temperature)[order]
            np.testing.assert_array_equal(chart, wanted)
            assert chart.sum() == pytest.approx(1.0)
            assert (np.diff(chart) <= 0).all()
        letters = [letter for letter, _, _ in part.bars]
        assert letters[:3] == list(part.characters[:3]) and letters[-1] == ""
        assert [letter for letter, _, taken in part.bars if taken] == [part.open_word.text[0]]
        for chances in zip(*(chances for _, chances, _ in part.bars), strict=True):
            assert sum(chances) == pytest.approx(1.0), "all characters are on the charts"


def test_runs_are_what_the_table_has(explained: Explanation) -> None:
    covered = {
        place
        for end, row in enumerate(explained.known, 1)
        for first in explained.ngram_starts[end - 1][row]
        for place in range(max(first, 0), end)
        if end - first >= how.RUN
    }
    for part in every_excerpt(explained):
        places = {place for first, last in part.runs for place in range(first, last)}
        inside = range(part.start, part.start + len(part.text))
        assert places == covered & set(inside)


def test_only_a_network_with_memory_has_arcs(explained: Explanation) -> None:
    arcs = [part.arc for part in every_excerpt(explained) if part.arc]
    assert bool(arcs) == bool(explained._decoder.config.far_blocks)
    for arc in arcs:
        assert arc.word.text == arc.source.text == "Piglet"
        assert arc.source.stop <= arc.word.start
    for part in every_excerpt(explained):
        assert part.arc is None or {part.arc.word, part.arc.source} <= set(part.words)


@pytest.mark.parametrize(
    ("probability", "step", "percent"),
    [
        (None, 0, ""),
        (1.0, 0, "100 %"),
        (0.496, 0, "50 %"),
        (0.494, 1, "49 %"),
        (0.096, 1, "10 %"),
        (0.094, 2, "9 %"),
        (0.006, 2, "1 %"),
        (0.004, 3, "<1 %"),
        (0.0, 3, "<1 %"),
    ],
)
def test_shade_and_figure_say_the_same(probability: float | None, step: int, percent: str) -> None:
    assert how.step(probability) == step
    if probability is not None:
        assert how.percent(probability) == percent


# In words


def test_the_words_beside_the_picture_say_the_same(explained: Explanation) -> None:
    for shown in (*every_excerpt(explained), full(explained)):
        alt = alt_text(shown)
        assert len(alt) <= how.LONGEST_ALT
        assert shown.text in alt
        assert shown.rarest is not None
        assert f"surprised him most: {shown.rarest.text}, " in alt
        for call_out in shown.call_outs:
            for text, chance, _ in call_out.rows:
                assert f"{text} {how.percent(chance)}" in alt
        if shown.arc:
            assert f"At {shown.arc.word.text} he looked back at the same name" in alt
        assert "at temperature 0.3 / 0.8 / 1.5: " in alt
        for letter, chances, _ in shown.bars:
            told = " / ".join(how.percent(chance) for chance in chances)
            assert f"{letter or ENGLISH.rest} {told}" in alt
        for word in shown.words:
            assert f"{word.text} {how.percent(word.probability or 0.0)}" in alt
        for words in WORDINGS:
            translated = alt_text(shown, words)
            assert translated.startswith(words.question) and len(translated) <= how.LONGEST_ALT
            figures = re.compile(r"<?\d+ %")
            assert figures.findall(translated) == figures.findall(alt)
            assert "{" not in translated.replace(shown.text, "")


def test_without_shades_every_rare_word_has_its_figure(explained: Explanation) -> None:
    call_outs = excerpt(explained, 0).call_outs
    plain = in_terminal(explained, call_outs, shaded=False)
    assert "\033" not in plain
    story = plain.split("\n\n[n %]")[0]
    for number, call_out in enumerate(call_outs, 1):
        assert f"({number}) {call_out.word.text}" in story
        assert f"\n({number}) " in plain
        assert f">{call_out.word.text} " in plain
    rare = [word for word in explained.words if how.step(word.probability) > 1]
    assert story.count(" %]") == len(rare)
    assert re.sub(r" \[<?\d %\]|\(\d\) ", "", story) == explained.text


def test_shades_are_those_of_the_picture(explained: Explanation) -> None:
    shaded = in_terminal(explained, (), shaded=True)
    story = shaded.split("\n\n\033")[0]
    assert re.sub(r"\033\[[\d;]*m", "", story) == explained.text
    found = re.findall(r"\033\[(4;)?48;5;(\d+);38;5;(\d+)m([^\033]*)\033\[0m", story)
    backs = sorted((255, 250, 242, 234), reverse=True)
    assert [how.step(w.probability) for w in explained.words] == [
        backs.index(int(back)) for _, back, _, _ in found
    ]
    (rarest,) = [text for line, _, _, text in found if line]
    assert rarest == min(explained.words, key=lambda w: w.probability or 0.0).text


def test_a_text_without_a_word_is_one_error(explained: Explanation) -> None:
    decoder, vocab = load_decoder(SHIPPED[0])
    with pytest.raises(ExplainError, match="no word"):
        liveliest(Explanation(decoder, vocab, "... !\n"))
    alone = Explanation(decoder, vocab, "...", "Bear")  # nothing was read before the only word
    assert alone.words == (Word(0, 4, "Bear", None),)
    shown = excerpt(alone, liveliest(alone))
    assert (shown.rarest, shown.call_outs, shown.charts) == (None, (), ())
    assert draw(shown).startswith(b"\x89PNG")
    assert alt_text(shown).startswith(ENGLISH.question)
    assert in_terminal(alone, shown.call_outs, shaded=False).startswith("Bear...\n")


# `python -m model --how`


def call(
    *arguments: str | Path, given: str = "", **more: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "model", *map(str, arguments)],
        cwd=ROOT,
        input=given,
        capture_output=True,
        encoding="utf-8",
    )


def test_in_a_pipe_it_is_plain_and_the_picture_is_saved(tmp_path: Path) -> None:
    file = tmp_path / "new" / "how.png"
    words = ["Here", "is", "Edward", "Bear,", "who", "ate", "the", "moon"]
    done = call("--how", *words, "\U0001f43b", "--model", "classic", "--picture", file)
    assert (done.stderr, done.returncode) == (
        "the model cannot say, so dropped: '\\U0001f43b'\n",
        0,
    )
    decoder, vocab = load_decoder("classic")
    explanation = Explanation(decoder, vocab, " ".join(words) + " ")
    shown = excerpt(explanation, liveliest(explanation))
    assert done.stdout == in_terminal(explanation, shown.call_outs, shaded=False) + "\n"
    assert imread(file).shape[:2] == (675, 1200)


def test_every_line_that_is_read_is_explained() -> None:
    done = call("--how", "--model", "classic", given="Oh, Bear!\nPiglet\n")
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.count("likeliest words") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--how", ""], "there is no text to explain"),
        (["--how", "...!"], "there is no word in the text"),
        (["--how", "a " * 5000], "the text has 10,000 characters: at most 8,000 can be explained"),
        (["--picture", "a.png", "Bear"], "argument --picture: needs --how and a text; see --help"),
        (["--picture", "a.png", "--how"], "argument --picture: needs --how and a text; see --help"),
        (
            ["--how", "Bear", "--picture", "/dev/null/a.png"],
            "a.png: cannot write the picture",
        ),
    ],
)
def test_what_cannot_be_shown_is_one_line_and_exit_code_2(
    arguments: list[str], message: str
) -> None:
    done = call(*arguments, "--model", "classic")
    assert message in done.stderr
    assert done.stderr.startswith("python -m model: ")
    assert (done.stderr.count("\n"), done.returncode) == (1, 2)


@pytest.mark.parametrize(
    ("environment", "shaded"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_only_a_terminal_that_wants_them_gets_shades(
    environment: dict[str, str], shaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    command = [sys.executable, "-m", "model", "--how", "Oh, Bear!", "--model", "classic"]
    environment = {"TERM": "xterm-256color", **environment}
    with at_a_terminal(command, cwd=ROOT, **environment) as terminal:
        assert ("48;5;" in terminal.wait_for("> was taken\r\n")) == shaded
        assert terminal.end() == 0
