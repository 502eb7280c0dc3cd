"""What is shown of how a text was written: an excerpt, its picture, the same in words."""

import colorsys
import io
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from model import how
from model.decoder import Decoder
from model.explain import ExplainError, Explanation, Word
from model.how import Arc, CallOut, Excerpt, alt_text, excerpt, in_terminal, liveliest, windows
from model.picture import PAPER, SHADES, TYPE, draw, drawn
from model.vocab import Vocab
from model.weights import ROOT, load_decoder
from tests.console import at_a_terminal
from tests.networks import TABLE, random_gpt, tensors

SHIPPED = sorted((ROOT / "weights").glob("*.safetensors"))
TEXT = (
    'Piglet met a Heffalump in the wood.\n\n"Oh, Piglet!" said Pooh, and don\'t ask _why_. He ate '
    "the moon (and some honey). Piglet said nothing at all, and then Piglet went home."
)


@pytest.fixture(scope="module", params=SHIPPED, ids=lambda path: path.stem)
def explained(request: pytest.FixtureRequest) -> Iterator[Explanation]:
    decoder, vocab = load_decoder(request.param)
    yield Explanation(decoder, vocab, vocab.clean(TEXT).text)


def shown_text(shown: Excerpt) -> list[str]:
    return [text.get_text() for text in drawn(shown).figure.texts]


def every_excerpt(explanation: Explanation) -> list[Excerpt]:
    return [excerpt(explanation, i) for i in range(len(windows(explanation)))]


def full(explanation: Explanation) -> Excerpt:
    """As much as can be on a picture: a run, an arc, and three times what was not guessed."""
    shown = max(every_excerpt(explanation), key=lambda shown: len(shown.words))
    last = shown.words[-1]
    return replace(
        shown,
        runs=((shown.start, shown.start + 9),),
        arc=Arc(last, shown.words[0], 0.5),
        call_outs=tuple(
            CallOut(call_out.word, tuple((f"{text}x", 0.2) for text, _ in call_out.guesses))
            for call_out in shown.call_outs
        ),
    )


# The excerpt


def test_excerpts_hold_every_word_once(explained: Explanation) -> None:
    parts = every_excerpt(explained)
    assert [word for part in parts for word in part.words] == list(explained.words)
    for part in parts:
        for word in part.words:
            assert part.text[word.start - part.start :].startswith(word.text)
        assert len(part.text) <= how.CHARACTERS
        assert len(part.words) <= how.WORDS
        assert part.rarest in part.words
        assert part.rarest is not None
        least = min(word.probability or 0.0 for word in part.words)
        assert part.rarest.probability == least


def test_a_story_is_shown_from_where_it_begins(explained: Explanation) -> None:
    decoder, vocab = load_decoder(SHIPPED[0])
    explanation = Explanation(decoder, vocab, " ate the moon.", "Here is Edward Bear")
    shown = excerpt(explanation, liveliest(explanation))
    assert [word.text for word in shown.words] == ["ate", "the", "moon"]
    assert (shown.before, shown.after) == (True, False)
    assert explained.written == 0


def test_the_call_outs_are_where_most_is_open(explained: Explanation) -> None:
    for part in every_excerpt(explained):
        opened = [call_out.word for call_out in part.call_outs]
        assert opened == sorted(opened, key=lambda word: word.start)
        others = set(part.words) - set(opened)
        assert len(opened) == min(3, len(part.words))
        assert min(explained.openness(word.start) for word in opened) >= max(
            (explained.openness(word.start) for word in others), default=0.0
        )
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


# The picture


def test_the_picture_has_the_size_and_nothing_is_seen_through(explained: Explanation) -> None:
    for shown in (*every_excerpt(explained), full(explained)):
        png = draw(shown)
        assert len(png) < 200_000
        pixels = imread(io.BytesIO(png), format="png")
        assert pixels.shape[:2] == (675, 1200)
        assert pixels.shape[2] == 3 or pixels[:, :, 3].min() == 1.0


def test_at_most_40_words_of_28_pixels_and_more(explained: Explanation) -> None:
    for shown in (*every_excerpt(explained), full(explained)):
        canvas = drawn(shown)
        words = re.findall(r"[^\W\d_]{2}[\w']*", " ".join(shown_text(shown)))
        assert len(words) <= 40, words
        for text in canvas.figure.texts:
            assert float(text.get_fontsize()) * 100 / 72 >= TYPE - 1e-9


def test_everything_lies_on_the_picture(explained: Explanation) -> None:
    for shown in (*every_excerpt(explained), full(explained)):
        canvas = drawn(shown)
        boxes = [text.get_window_extent(canvas.renderer) for text in canvas.figure.texts]
        for text, box in zip(canvas.figure.texts, boxes, strict=True):
            assert box.x0 >= 0 and box.y0 >= 0, text
            assert box.x1 <= 1200 and box.y1 <= 675, text
        for i, box in enumerate(boxes):  # no words on top of others
            for other in boxes[:i]:
                wide = min(box.x1, other.x1) - max(box.x0, other.x0)
                high = min(box.y1, other.y1) - max(box.y0, other.y0)
                assert wide < 4 or high < 12


def test_whatever_is_written_can_be_drawn() -> None:
    """Long words, dollars, letters that no font of ours has."""
    letters = "\n aWm$_{}^\\\u6a39\U0001f43b\u0301"
    vocab = Vocab(letters)
    gpt = random_gpt(replace(TABLE, vocab_size=len(vocab), context_length=64))
    decoder = Decoder(gpt.config, tensors(gpt))
    texts = ["W" * 200, "W\n" * 60, "$a_{m}^$ \\a $", "\u6a39a\U0001f43b a\u0301" * 9, "mm " * 60]
    for text in (*texts, "\n" * 50 + "a", "$$$$ a", "a " * 30):
        explanation = Explanation(decoder, vocab, text)
        for i in range(len(windows(explanation))):
            shown = excerpt(explanation, i)
            assert draw(shown).startswith(b"\x89PNG")
            drawn_text = "".join(shown_text(shown))
            assert drawn_text.count("$") >= shown.text.count("$")
            assert len(alt_text(shown)) <= how.LONGEST_ALT


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_the_shades_are_one_hue_in_even_steps_that_can_be_read() -> None:
    fills = [fill for fill, _ in SHADES]
    for fill, ink in (*SHADES, (PAPER, SHADES[0][1])):
        lighter, darker = sorted((_luminance(fill), _luminance(ink)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5
    hues = [
        colorsys.rgb_to_hls(*(int(fill[i : i + 2], 16) / 255 for i in (1, 3, 5)))[0] * 360
        for fill in fills
    ]
    assert max(hues) - min(hues) < 15
    for light, dark in itertools.pairwise(fills):
        assert (_luminance(light) + 0.05) / (_luminance(dark) + 0.05) >= 1.35


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
            assert f"At {shown.arc.word.text} he looked at the same name" in alt
        for temperature in how.TEMPERATURES:
            assert f"at temperature {temperature}" in alt


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
    assert alt_text(shown).startswith(how.QUESTION)
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
