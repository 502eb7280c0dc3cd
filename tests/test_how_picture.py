"""The picture of how a text was written: nothing lies on anything else, all can be read."""

import colorsys
import io
import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.patches import Rectangle

from model import how
from model.canvas import BADGE, HEIGHT, PAPER, SHADES, TYPE, WIDTH, Canvas
from model.decoder import Decoder
from model.explain import Explanation
from model.how import Arc, Excerpt, alt_text, excerpt
from model.picture import draw, drawn
from model.vocab import Vocab
from model.windows import windows
from model.wording import ENGLISH
from tests.excerpts import SHIPPED, every_excerpt, explanation, full, pictures
from tests.networks import TABLE, random_gpt, tensors


def shown_text(shown: Excerpt) -> list[str]:
    return [text.get_text() for text in drawn(shown).figure.texts]


@pytest.fixture(params=SHIPPED, ids=lambda path: path.stem)
def explained(request: pytest.FixtureRequest) -> Explanation:
    return explanation(request.param)


def test_the_picture_has_the_size_and_nothing_is_seen_through(explained: Explanation) -> None:
    for shown in (*every_excerpt(explained), full(explained)):
        png = draw(shown)
        assert len(png) < 200_000
        pixels = imread(io.BytesIO(png), format="png")
        assert pixels.shape[:2] == (675, 1200)
        assert pixels.shape[2] == 3 or pixels[:, :, 3].min() == 1.0


def test_at_most_40_words_of_28_pixels_and_more(explained: Explanation) -> None:
    for _, _, canvas in pictures(explained):
        written = " ".join(text.get_text() for text in canvas.figure.texts)
        words = re.findall(r"[^\W\d_]{2}[\w']*", written)
        assert len(words) <= 40, words
        for text in canvas.figure.texts:
            assert float(text.get_fontsize()) * 100 / 72 >= TYPE - 1e-9


def test_everything_lies_on_the_picture(explained: Explanation) -> None:
    for _, _, canvas in pictures(explained):
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
    for shown, _, canvas in pictures(explained):
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


def test_headings_stand_beside_each_other_in_every_language(explained: Explanation) -> None:
    for shown, words, canvas in pictures(explained):
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
