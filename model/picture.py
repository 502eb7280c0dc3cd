"""The picture of an excerpt: where the network was sure, and where it guessed.

matplotlib is imported where something is drawn: who only writes does not wait for it. Nothing
global is touched, so it may be called in any thread.

Lengths are pixels, from the upper left corner.
"""

import io
import itertools
import re
from typing import TYPE_CHECKING

from model.how import TEMPERATURES, Arc, CallOut, Excerpt, percent, step

if TYPE_CHECKING:
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties
    from matplotlib.transforms import Transform

WIDTH, HEIGHT = 1200, 675
TYPE = 28  # the smallest
PAPER, INK = "#FFFDF7", "#2A1B00"
# Honey: the darker, the less likely. And the letters on it.
SHADES = (("#FDEFC8", INK), ("#F3C565", INK), ("#A4610A", "#FFFFFF"), ("#4A2600", "#FFFFFF"))
MARGIN = 40
LINES = (142, 248)  # where the two lines of the text stand
STORY = (42, 34, 28, 20, 12)  # their type: the first in which it fits
CALL_OUTS, ROW = 344, 36  # the middle of the first row; from one to the next
CHARTS = (525, 622)  # top and foot of the bars

DPI = 100
_SPACES = {" ": "\u2423", "\n": "\u21b5"}


def draw(shown: Excerpt) -> bytes:
    """The picture as a PNG file, 1200 x 675, opaque."""
    return drawn(shown).png()


def drawn(shown: Excerpt) -> "Canvas":
    """The picture, before it is a file."""
    canvas = Canvas()
    _legend(canvas, shown)
    _story(canvas, shown)
    third = (WIDTH - 2 * MARGIN) / 3
    longest = max((row[1] for call_out in shown.call_outs for row in call_out.rows), default=1.0)
    for number, call_out in enumerate(shown.call_outs):
        _call_out(canvas, call_out, number + 1, MARGIN + number * third, longest)
    _charts(canvas, shown)
    return canvas


class Canvas:
    """A figure of its own on which one draws in pixels."""

    def __init__(self) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.transforms import Affine2D

        self.figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=PAPER)
        self.agg = FigureCanvasAgg(self.figure)
        self.renderer: RendererAgg = self.agg.get_renderer()
        self.pixels: Transform = Affine2D().scale(1, -1).translate(0, HEIGHT)
        self.fonts: dict[tuple[str, float, bool], FontProperties] = {}

    def font(self, size: float, family: str, bold: bool = False) -> "FontProperties":
        """Of DejaVu, which matplotlib brings along; size in pixels."""
        from matplotlib.font_manager import FontProperties

        key = family, size, bold
        if key not in self.fonts:
            weight = "bold" if bold else "normal"
            self.fonts[key] = FontProperties(
                family=f"DejaVu {family}", size=size * 72 / DPI, weight=weight
            )
        return self.fonts[key]

    def width(self, text: str, font: "FontProperties") -> float:
        """Of a text, spaces at its ends included."""
        text = f"|{self.printable(text, font)}|"
        ends, _, _ = self.renderer.get_text_width_height_descent(text, font, False)
        bars, _, _ = self.renderer.get_text_width_height_descent("||", font, False)
        return float(ends - bars)

    def printable(self, text: str, font: "FontProperties") -> str:
        """The text, with a box for what the font does not have."""
        from matplotlib.font_manager import findfont, get_font

        face = get_font(findfont(font))
        return "".join(c if face.get_char_index(ord(c)) else "\u25a1" for c in text)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        font: "FontProperties",
        colour: str = INK,
        align: str = "left",
    ) -> None:
        """A text on one line, whose small letters have their middle at y."""
        size = font.get_size() * DPI / 72
        self.figure.text(
            x,
            y + 0.27 * size,
            self.printable(text, font),
            fontproperties=font,
            color=colour,
            ha=align,
            va="baseline",
            transform=self.pixels,
            parse_math=False,
        )

    def box(
        self, x: float, y: float, width: float, height: float, fill: str, edge: str = "none"
    ) -> None:
        """A rectangle from its upper left corner."""
        from matplotlib.patches import Rectangle

        self.figure.add_artist(
            Rectangle(
                (x, y), width, height, facecolor=fill, edgecolor=edge, lw=1.5, transform=self.pixels
            )
        )

    def badge(self, x: float, y: float, number: int) -> None:
        """A number in a circle."""
        from matplotlib.patches import Circle

        self.figure.add_artist(Circle((x, y), 18, facecolor=INK, transform=self.pixels))
        self.text(x, y, str(number), self.font(TYPE, "Sans", True), PAPER, "center")

    def curve(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """An arrow that rises from start and falls on end."""
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path
        from matplotlib.patheffects import withStroke

        middle = (start[0] + end[0]) / 2, min(start[1], end[1]) - 46
        path = Path([start, middle, end], [Path.MOVETO, Path.CURVE3, Path.CURVE3])
        self.figure.add_artist(
            FancyArrowPatch(
                path=path,
                arrowstyle="-|>,head_length=8,head_width=5",
                color=INK,
                lw=2.5,
                path_effects=[withStroke(linewidth=6, foreground=PAPER)],  # seen on dark, too
                transform=self.pixels,
            )
        )

    def png(self) -> bytes:
        """What was drawn."""
        file = io.BytesIO()
        self.agg.print_png(file)
        return file.getvalue()


def _legend(canvas: Canvas, shown: Excerpt) -> None:
    """What the shades mean, in shades; and the line under what the table has."""
    font = canvas.font(TYPE, "Sans")
    x = float(MARGIN)
    for (fill, ink), text in zip(
        SHADES, ("sure: 50 %+", "10 %+", "1 %+", "surprised: <1 %"), strict=True
    ):
        width = canvas.width(text, font) + 32
        canvas.box(x, 22, width, 46, fill)
        canvas.text(x + 16, 45, text, font, ink)
        x += width
    if shown.rarest is not None:
        width = canvas.width("most", font) + 32
        canvas.box(x + 4, 22, width, 46, fill)
        canvas.box(x + 4, 71, width, 6, INK)
        canvas.text(x + 20, 45, "most", font, ink)
    if shown.runs:
        text = "read before"
        left = WIDTH - MARGIN - canvas.width(text, font)
        canvas.text(left, 45, text, font)
        canvas.box(left, 66, WIDTH - MARGIN - left, 3, INK)


def _story(canvas: Canvas, shown: Excerpt) -> None:
    """The lines of the text, its words on their shades, and what is marked at them."""
    font, places = _fit(canvas, shown)
    for word in shown.words:
        spots = [places[i] for i in range(word.start, word.stop) if i in places]
        left, y, right = spots[0][0], LINES[spots[0][1]], spots[-1][2]
        fill, ink = SHADES[step(word.probability)]
        if word.probability is not None:
            canvas.box(left - 3, y - 28, right - left + 6, 56, fill)
        else:
            ink = INK
        canvas.text(left, y, shown.text[word.start - shown.start :][: len(spots)], font, ink)
        if word == shown.rarest:
            canvas.box(left - 3, y + 31, right - left + 6, 6, INK)
    inside = {i for word in shown.words for i in range(word.start, word.stop)}
    for i, (left, line, _) in places.items():
        if i not in inside:
            canvas.text(left, LINES[line], shown.text[i - shown.start], font)
    for start, stop in shown.runs:
        for line in range(len(LINES)):
            spots = [places[i] for i in range(start, stop) if i in places and places[i][1] == line]
            if spots:
                canvas.box(spots[0][0], LINES[line] + 41, spots[-1][2] - spots[0][0], 3, INK)
    for number, call_out in enumerate(shown.call_outs, 1):
        left, line, _ = places[call_out.word.start]
        canvas.badge(left + 8, LINES[line] - 42, number)
    if shown.arc is not None:
        _arc(canvas, shown.arc, places)


Places = dict[int, tuple[float, int, float]]
"""Where each visible character stands: its left edge, its line, its right edge."""


def _fit(canvas: Canvas, shown: Excerpt) -> "tuple[FontProperties, Places]":
    """The largest type in which the text fits on its lines, and where it then stands."""
    for size in STORY:
        font = canvas.font(size, "Serif")
        places = _places(canvas, shown, font)
        if places is not None:
            return font, places
    raise AssertionError("an excerpt is short enough for the smallest type")


def _places(canvas: Canvas, shown: Excerpt, font: "FontProperties") -> Places | None:
    """Where everything stands, lines broken at spaces; None where it does not fit."""
    places: Places = {}
    x, line, space = float(MARGIN), 0, canvas.width(" ", font)
    for part in re.finditer(r"\S+", shown.text):
        if x > MARGIN and x + canvas.width(part[0], font) > WIDTH - MARGIN:
            x, line = float(MARGIN), line + 1
        edges = [x + canvas.width(part[0][:n], font) for n in range(len(part[0]) + 1)]
        if line == len(LINES) or edges[-1] > WIDTH - MARGIN:
            return None
        for n, (left, right) in enumerate(itertools.pairwise(edges)):
            places[shown.start + part.start() + n] = left, line, right
        x = edges[-1] + space
    return places


def _arc(canvas: Canvas, arc: Arc, places: Places) -> None:
    """From a name's first letter to where it stood before, or to the edge where that is far."""
    left, line, _ = places[arc.word.start]
    start = left + 14, LINES[line] - 30
    if arc.source.start in places:
        source, other, _ = places[arc.source.start]
        end = source + 14, LINES[other] - 30
    else:
        end = 6.0, LINES[line] - 30
    canvas.curve(start, end)
    font = canvas.font(TYPE, "Sans")
    canvas.text(
        WIDTH - MARGIN, LINES[-1] + 56, "\u21b6 where he looked, not why", font, INK, "right"
    )


def _call_out(canvas: Canvas, call_out: CallOut, number: int, x: float, longest: float) -> None:
    """The likeliest words at a place, each with its bar; the one that was taken is filled."""
    font = canvas.font(TYPE, "Sans")
    canvas.badge(x + 18, CALL_OUTS, number)
    for row, (text, chance, taken) in enumerate(call_out.rows):
        y = CALL_OUTS + ROW * row
        text = text if len(text) <= 40 else text[:40] + "\u2026"
        while len(text) > 1 and canvas.width(text, font) > 150:
            text = text.removesuffix("\u2026")[:-1] + "\u2026"
        canvas.text(x + 46, y, text, font)
        fill = SHADES[2][0] if taken else PAPER
        canvas.box(x + 205, y - 12, 3 + 60 * chance / longest, 24, fill, SHADES[2][0])
        canvas.text(x + 350, y, percent(chance), font, INK, "right")


def _charts(canvas: Canvas, shown: Excerpt) -> None:
    """All characters at one place, at each temperature: bars on one axis."""
    font = canvas.font(TYPE, "Sans")
    third = (WIDTH - 2 * MARGIN) / 3
    top, foot = CHARTS
    largest = max((float(chart.max()) for chart in shown.charts), default=1.0)
    if shown.open_word is None:
        return
    taken = shown.open_word.text[0]
    place = [call_out.word for call_out in shown.call_outs].index(shown.open_word) + 1
    for number, chart in enumerate(shown.charts):
        x, wide = MARGIN + number * third, (third - 40) / len(chart)
        for i, chance in enumerate(chart):
            height = (foot - top) * float(chance) / largest
            fill = SHADES[2][0] if shown.characters[i] == taken else SHADES[1][0]
            canvas.box(x + i * wide, foot - height, 0.8 * wide, height, fill)
        tallest = foot - (foot - top) * float(chart[0]) / largest
        likeliest = percent(float(chart[0]))
        if not number:
            likeliest = f"{_SPACES.get(shown.characters[0], shown.characters[0])} {likeliest}"
        if tallest - 16 > top:  # above the bars, or beside them
            canvas.text(x, tallest - 16, likeliest, font)
        else:
            canvas.text(x + 8 * wide, tallest + 12, likeliest, font)
        if number:
            canvas.text(x, foot + 28, str(TEMPERATURES[number]), font)
        else:
            canvas.badge(x + 18, foot + 28, place)
            canvas.text(x + 46, foot + 28, f"temperature {TEMPERATURES[0]}", font)
    canvas.box(MARGIN, foot, WIDTH - 2 * MARGIN, 2, INK)
