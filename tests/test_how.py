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
from matplotlib.patches import Rectangle

from bot.explanation_texts import wording
from bot.translations import Language
from model import how
from model.canvas import BADGE, HEIGHT, PAPER, SHADES, TYPE, WIDTH, Canvas
from model.decoder import Decoder
from model.explain import ExplainError, Explanation, Word
from model.how import Arc, CallOut, Excerpt, alt_text, excerpt, in_terminal, liveliest
from model.picture import draw, drawn
from model.vocab import Vocab
from model.weights import ROOT, load_decoder
from model.windows import CHARACTERS, WORDS, windows
from model.wording import ENGLISH, Wording
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


WORDINGS = [wording(language) for language in Language]


def shown_text(shown: Excerpt) -> list[str]:
    return [text.get_text() for text in drawn(shown).figure.texts]


def every_excerpt(explanation: Explanation) -> list[Excerpt]:
    return [excerpt(explanation, i) for i in range(len(windows(explanation)))]


def full(explanation: Explanation) -> Excerpt:
    """As much as can be on a picture: a run, an arc, and twice what was not guessed."""
    shown = max(every_excerpt(explanation), key=lambda shown: len(shown.words))
    return replace(
        shown,
        runs=((shown.start, shown.start + 9),),
        arc=Arc(shown.words[-1], shown.words[0], 0.5),
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


# The picture


def test_the_picture_has_the_size_and_nothing_is_seen_through(explained: Explanation) -> None:
    for shown in (*every_excerpt(explained), full(explained)):
        png = draw(shown)
        assert len(png) < 200_000
        pixels = imread(io.BytesIO(png), format="png")
        assert pixels.shape[:2] == (675, 1200)
        assert pixels.shape[2] == 3 or pixels[:, :, 3].min() == 1.0


def test_at_most_40_words_of_28_pixels_and_more(explained: Explanation) -> None:
    shown = full(explained)
    for canvas in (*map(drawn, every_excerpt(explained)), *(drawn(shown, w) for w in WORDINGS)):
        written = " ".join(text.get_text() for text in canvas.figure.texts)
        words = re.findall(r"[^\W\d_]{2}[\w']*", written)
        assert len(words) <= 40, words
        for text in canvas.figure.texts:
            assert float(text.get_fontsize()) * 100 / 72 >= TYPE - 1e-9


def test_everything_lies_on_the_picture(explained: Explanation) -> None:
    shown = full(explained)
    for canvas in (*map(drawn, every_excerpt(explained)), *(drawn(shown, w) for w in WORDINGS)):
        boxes = [text.get_window_extent(canvas.renderer) for text in canvas.figure.texts]
        for text, box in zip(canvas.figure.texts, boxes, strict=True):
            assert box.x0 >= 0 and box.y0 >= 0, text
            assert box.x1 <= 1200 and box.y1 <= 675, text
        for i, box in enumerate(boxes):  # no words on top of others
            for other in boxes[:i]:
                wide = min(box.x1, other.x1) - max(box.x0, other.x0)
                high = min(box.y1, other.y1) - max(box.y0, other.y0)
                assert wide < 4 or high < 12


def corners(canvas: Canvas, name: str) -> list[np.ndarray]:
    """The outlines of what was drawn under a name, in pixels from the lower left corner."""
    artists = [a for a in canvas.figure.findobj() if a.get_gid() == name]
    return [
        np.asarray(a.get_transform().transform_path(a.get_path()).vertices)  # type: ignore[attr-defined]
        for a in artists
    ]


def arrow(canvas: Canvas) -> "np.ndarray | None":
    """Points along the arrow, in pixels from the lower left corner."""
    found = [a for a in canvas.figure.findobj() if a.get_gid() == "arrow"]
    if not found:
        return None
    path, _ = found[0]._get_path_in_displaycoord()  # type: ignore[attr-defined]
    points = np.concatenate(
        [part.vertices[part.codes != part.CLOSEPOLY] for part in path]  # that has no point
    )
    return np.concatenate([np.linspace(a, b, 50) for a, b in itertools.pairwise(points)])


def pairs(shown: Excerpt) -> list[Excerpt]:
    """The excerpt with an arrow between words that are near, far, and in each other's line."""
    words = shown.words
    last = len(words) - 1
    chosen = [(1, 0), (last, 0), (last, 1), (last // 2, 0), (last, last - 1), (last, last // 2)]
    return [replace(shown, arc=Arc(words[i], words[j], 0.5)) for i, j in chosen if i > j]


def test_the_arrow_stays_on_the_picture_and_crosses_nothing(explained: Explanation) -> None:
    for shown in pairs(full(explained)):
        canvas = drawn(shown)
        points = arrow(canvas)
        assert points is not None and shown.arc is not None
        assert (points >= 0).all() and (points <= (WIDTH, HEIGHT)).all()
        badges = [outline.mean(axis=0) for outline in corners(canvas, "badge")]
        assert len(badges) == 2 * len(shown.call_outs) + 1
        for badge in badges:
            assert np.hypot(*(points - badge).T).min() > BADGE + 4
        for text in canvas.figure.texts:
            box = text.get_window_extent(canvas.renderer)
            size = float(text.get_fontsize()) * 100 / 72
            low = HEIGHT - text.get_position()[1] - size / 4  # ink, not the room of a line
            high = low + size
            inside = ((points > (box.x0, low)) & (points < (box.x1, high))).all(axis=1)
            if text.get_text() == ENGLISH.looked_back:  # on the arrow, whose line it parts
                assert box.x0 >= 0 and box.x1 <= WIDTH
                gaps = np.abs(points[:, 1] - (box.y0 + box.y1) / 2)
                assert gaps.min() < 20
            else:
                assert not inside.any(), text


def test_where_the_name_is_not_on_the_picture_there_is_no_arrow(explained: Explanation) -> None:
    for shown in every_excerpt(explained):
        canvas = drawn(replace(shown, arc=None))
        assert arrow(canvas) is None
        assert ENGLISH.looked_back not in [text.get_text() for text in canvas.figure.texts]


def test_a_number_stands_on_its_own_words_ground(explained: Explanation) -> None:
    for shown in every_excerpt(explained):
        canvas = drawn(shown)
        grounds = [
            a.get_window_extent(canvas.renderer)
            for a in canvas.figure.findobj(Rectangle)
            if a is not canvas.figure.patch and isinstance(a, Rectangle)
        ]
        texts = canvas.figure.texts
        badges = sorted(corners(canvas, "badge"), key=lambda outline: -outline[:, 1].mean())
        for outline, call_out in zip(badges, shown.call_outs, strict=False):
            left, low = outline.min(axis=0)
            right, high = outline.max(axis=0)
            (ground,) = [
                box
                for box in grounds
                if box.x0 <= left and right <= box.x1 and box.y0 <= low and high <= box.y1
            ]
            inside = [
                text.get_text()
                for text in texts
                if ground.contains(*text.get_window_extent(canvas.renderer).get_points().mean(0))
            ]
            assert call_out.word.text in inside and len(inside) == 2


def _lines(canvas: Canvas) -> list[Rectangle]:
    """The axes of the charts."""
    boxes = [a for a in canvas.figure.findobj(Rectangle) if isinstance(a, Rectangle)]
    return [box for box in boxes if box.get_width() == 2 and box.get_height() > 100]


@pytest.mark.parametrize("words", WORDINGS, ids=[language.value for language in Language])
def test_headings_stand_beside_each_other_in_every_language(
    words: Wording, explained: Explanation
) -> None:
    for shown in (*every_excerpt(explained), full(explained)):
        canvas = drawn(shown, words)
        drawn_words = [text.get_text() for text in canvas.figure.texts]
        heads = {words.sure, words.surprised, words.undecided, words.least_expected, words.rest}
        assert heads | {words.first_letter, words.calm, words.usual, words.wild} <= set(drawn_words)
        assert set(words.temperatures) <= set(drawn_words)
        axes = [line.get_window_extent() for line in _lines(canvas)]
        for text in canvas.figure.texts:  # no label touches an axis
            box = text.get_window_extent(canvas.renderer)
            assert not any(
                box.x0 < axis.x1 + 1
                and axis.x0 - 1 < box.x1
                and axis.y0 + 8 < box.y0 < axis.y1 - 30
                for axis in axes
            ), text
        assert (words.looked_back in drawn_words) == (shown.arc is not None)
        assert (words.read_before in drawn_words) == bool(shown.runs)


def test_dots_of_capitals_stand_on_their_ground() -> None:
    vocab = Vocab(" \nÅÜÇbeginorstuv")
    gpt = random_gpt(replace(TABLE, vocab_size=len(vocab), context_length=64))
    decoder = Decoder(gpt.config, tensors(gpt))
    for text in ("Über Åse", "Über Åse Çeres b " * 3):
        shown = excerpt(Explanation(decoder, vocab, text), 0)
        canvas = drawn(replace(shown, call_outs=(), open_word=None, rarest=None))
        grounds = [b.get_window_extent(canvas.renderer) for b in canvas.figure.findobj(Rectangle)]
        tall = [t for t in canvas.figure.texts if t.get_text() in ("Über", "Åse", "Çeres")]
        assert tall
        for label in tall:
            size = float(label.get_fontsize()) * 100 / 72
            top = HEIGHT - label.get_position()[1] + 0.93 * size  # of a capital with dots
            x = label.get_window_extent(canvas.renderer).x0 + 2
            assert any(g.x0 <= x <= g.x1 and g.y1 >= top and g.height < 150 for g in grounds)


def test_long_guesses_are_whole_where_there_is_room(explained: Explanation) -> None:
    shown = full(explained)
    first, last = shown.call_outs
    guesses = (("sometimes", 1.0), ("Christopher", 0.0)), (("is", 0.5), ("expedition", 0.2))
    wide = replace(
        shown, call_outs=(replace(first, guesses=guesses[0]), replace(last, guesses=guesses[1]))
    )
    assert {"sometimes", "Christopher", "expedition"} <= set(shown_text(wide))


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
            canvas = drawn(shown)
            drawn_text = "".join(text.get_text() for text in canvas.figure.texts)
            assert drawn_text.count("$") >= shown.text.count("$")
            for label in canvas.figure.texts:
                assert float(label.get_fontsize()) * 100 / 72 >= TYPE - 1e-9
                assert label.get_window_extent(canvas.renderer).x1 <= WIDTH
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
