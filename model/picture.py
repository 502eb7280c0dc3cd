"""The picture of an excerpt: where the network was sure, and where it guessed.

Above the text with its shades, below what else might have stood at two of its places: as words, and
as first letters at three temperatures. It may be drawn in any thread.

Lengths are pixels, from the upper left corner.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.canvas import BADGE, INK, MARGIN, PAPER, SHADES, TYPE, WIDTH, Canvas
from model.explain import Word
from model.how import Arc, CallOut, Excerpt, percent, step
from model.wording import ENGLISH, Wording

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

# Type of the text and the middles of its lines: the first in which it fits.
ONE_LINE, TWO_LINES = (226,), (154, 290)
STORY = (
    *((size, ONE_LINE) for size in (72, 64, 56, 50, 46)),
    *((size, TWO_LINES) for size in (56, 50, 46, 42, 38, 34, 31, TYPE)),
)
UP, DOWN = 0.68, 0.54  # how far a word's ground reaches, of its type: letters may have dots
LANE = 28  # an arrow runs so far above the words
LISTS, ROW = 378, 36  # the middle of the first row below; from one to the next
CHARTS = 690  # where the charts begin, right of the lists
GAP = 30  # between lists
BAR = 24  # how high bars are; also the least length that the longest has
MARK = 2 * BADGE + 10  # the room of a number in a word's ground
FILLED = SHADES[2][0]
DOTS = "\u2026"

_SPACES = {" ": "\u2423", "\n": "\u21b5"}


def draw(shown: Excerpt, wording: Wording = ENGLISH) -> bytes:
    """The picture as a PNG file, 1200 x 675, opaque."""
    return drawn(shown, wording).png()


def drawn(shown: Excerpt, wording: Wording = ENGLISH) -> Canvas:
    """The picture, before it is a file."""
    canvas = Canvas()
    _legend(canvas, shown, wording)
    _story(canvas, shown, wording)
    _lists(canvas, shown, wording)
    _charts(canvas, shown, wording)
    return canvas


def _legend(canvas: Canvas, shown: Excerpt, wording: Wording) -> None:
    """What the shades mean, in shades; and the line under what the table has."""
    font = canvas.font(TYPE, "Sans")
    x = float(MARGIN)
    for (fill, ink), text in zip(
        SHADES, (wording.sure, "10 %+", "1 %+", wording.surprised), strict=True
    ):
        width = canvas.width(text, font) + 24
        canvas.box(x, 20, width, 44, fill)
        canvas.text(x + 12, 42, text, font, ink)
        x += width
    if shown.runs:
        left = WIDTH - MARGIN - canvas.width(wording.read_before, font)
        canvas.text(left, 40, wording.read_before, font)
        canvas.box(left, 61, WIDTH - MARGIN - left, 3, INK)


# The text

Places = dict[int, tuple[float, int, float]]
"""Where each visible character stands: its left edge, its line, its right edge."""


@dataclass(frozen=True)
class Lines:
    """How the text stands: its type, its characters, its lines' middles, its type's size."""

    font: "FontProperties"
    places: Places
    middles: tuple[float, ...]
    size: float

    @property
    def up(self) -> float:
        """How far words reach above the middle of their line."""
        return UP * self.size

    @property
    def down(self) -> float:
        """How far they reach below it."""
        return DOWN * self.size

    def pieces(self, start: int, stop: int) -> Iterator[tuple[int, int, float]]:
        """First and last place, and the line's middle, of what is seen of a part on each line."""
        seen = [i for i in range(start, stop) if i in self.places]
        for line, piece in itertools.groupby(seen, key=lambda i: self.places[i][1]):
            group = list(piece)
            yield group[0], group[-1], self.middles[line]

    def middle(self, word: Word) -> tuple[float, float]:
        """Of a word, or of its part on its first line."""
        first, last, y = next(self.pieces(word.start, word.stop))
        return (self.places[first][0] + self.places[last][2]) / 2, y


def _story(canvas: Canvas, shown: Excerpt, wording: Wording) -> None:
    """The lines of the text, its words on their shades, and what is marked at them."""
    lines = _fit(canvas, shown)
    places, up, down = lines.places, lines.up, lines.down
    numbers = {call_out.word: i for i, call_out in enumerate(shown.call_outs, 1)}
    inside: set[int] = set()
    for word in shown.words:
        fill, ink = SHADES[step(word.probability)]
        if word.probability is None:
            fill, ink = PAPER, INK
        inside.update(range(word.start, word.stop))
        for first, last, y in lines.pieces(word.start, word.stop):
            mark = MARK if word in numbers and first == word.start else 0
            left, text = places[first][0] - 4 - mark, shown.text[first - shown.start :]
            width = places[last][2] + 4 - left
            canvas.box(left, y - up, width, up + down, fill)
            if mark:
                canvas.badge(left + BADGE + 5, y, numbers[word], ink, fill)
            canvas.text(places[first][0], y, text[: last + 1 - first], lines.font, ink)
            if word == shown.rarest:
                canvas.box(left, y + down + 3, width, 6, INK)
    for i, (left, line, _) in places.items():
        if i not in inside:
            here = i - shown.start  # dots stand where the text goes on
            character = shown.text[here] if 0 <= here < len(shown.text) else DOTS
            canvas.text(left, lines.middles[line], character, lines.font)
    for start, stop in shown.runs:
        for first, last, y in lines.pieces(start, stop):
            left = places[first][0]
            canvas.box(left, y + down + 13, places[last][2] - left, 3, INK)
    if shown.arc is not None and {shown.arc.word.start, shown.arc.source.start} <= places.keys():
        _arrow(canvas, shown, shown.arc, lines, wording)


def _fit(canvas: Canvas, shown: Excerpt) -> Lines:
    """The text in the largest type in which it fits.

    In the smallest, words that are longer than a line are broken, and what is left at the end of
    the last line is left out.
    """
    parts = _parts(shown)
    for size, middles in STORY:
        font = canvas.font(size, "Serif")
        widths = [canvas.width(text, font) + sum(marks) for _, text, marks in parts]
        if _fits(widths, _space(canvas, font), len(middles)):
            break
    return Lines(font, _places(canvas, parts, font, len(middles)), middles, size)


Part = tuple[int, str, list[int]]
"""What stands between spaces: its place, its characters, and what room each has before it."""


def _parts(shown: Excerpt) -> list[Part]:
    """The parts of the text, with dots where it goes on; room is left for numbers."""
    numbered = {call_out.word.start for call_out in shown.call_outs}
    text, begin = shown.text, shown.start
    if shown.before:
        text, begin = f"{DOTS} {text}", begin - 2
    if shown.after:
        text += f" {DOTS}"
    parts = [(begin + match.start(), match[0]) for match in re.finditer(r"\S+", text)]
    return [
        (at, part, [MARK * (at + n in numbered) for n in range(len(part))]) for at, part in parts
    ]


def _space(canvas: Canvas, font: "FontProperties") -> float:
    return max(canvas.width(" ", font), 14.0)  # grounds reach into it


def _fits(widths: list[float], space: float, lines: int) -> bool:
    """Whether parts of these widths stand on so many lines, whole."""
    x, line, room = 0.0, 1, WIDTH - 2 * MARGIN
    for width in widths:
        if x and x + width > room:
            x, line = 0.0, line + 1
        x += width + space
    return max(widths, default=0.0) <= room and line <= lines


def _places(canvas: Canvas, parts: list[Part], font: "FontProperties", lines: int) -> Places:
    """Where everything stands, lines broken at spaces, and within what is longer than a line."""
    places: Places = {}
    x, line, room = float(MARGIN), 0, WIDTH - MARGIN
    for at, part, marks in parts:
        shifts = itertools.accumulate(marks)
        rights = [canvas.width(part[: n + 1], font) + shift for n, shift in enumerate(shifts)]
        lefts = [before + mark for before, mark in zip([0.0, *rights], marks, strict=False)]
        if x > MARGIN and x + rights[-1] > room:
            x, line = float(MARGIN), line + 1
        for n, (left, right) in enumerate(zip(lefts, rights, strict=True)):
            if x + right > room:
                x, line = MARGIN - left, line + 1
            if line >= lines:
                return places
            places[at + n] = x + left, line, x + right
        x += rights[-1] + _space(canvas, font)
    return places


def _arrow(canvas: Canvas, shown: Excerpt, arc: Arc, lines: Lines, wording: Wording) -> None:
    """From a name to where it stood before, in the lane above it, with what that means."""
    (x, y), (to, other) = lines.middle(arc.word), lines.middle(arc.source)
    top = y - lines.up
    lane = top - LANE
    end = top - 2
    if other < y:  # from below, up to the word or to the lines that stand under it
        source = range(arc.source.start, arc.source.stop)
        is_run = any(
            start in source or arc.source.start in range(start, stop) for start, stop in shown.runs
        )
        end = other + lines.down + (18 if is_run else 11 if arc.source == shown.rarest else 3)
    canvas.arrow([(x, top), (x, lane), (to, lane), (to, end)])
    font = canvas.font(TYPE, "Sans")
    width = canvas.width(wording.looked_back, font)
    if abs(x - to) >= width + 60:
        left = (x + to - width) / 2
        canvas.box(left - 8, lane - 4, width + 16, 8, PAPER)
    elif max(x, to) + 14 + width <= WIDTH - MARGIN:
        left = max(x, to) + 14
    else:
        left = min(x, to) - 14 - width
    canvas.text(left, lane, wording.looked_back, font)


# What else might have come


def _lists(canvas: Canvas, shown: Excerpt, wording: Wording) -> None:
    """The likeliest words at each place, with their bars; the one that was taken is filled."""
    font = canvas.font(TYPE, "Sans")

    def widest(call_out: CallOut, column: int) -> float:
        texts = (percent(row[1]) if column else row[0] for row in call_out.rows)
        return max(canvas.width(text[:40], font) for text in texts)

    if not shown.call_outs:
        return
    headings = [
        wording.least_expected if call_out.word == shown.rarest else wording.undecided
        for call_out in shown.call_outs
    ]
    chances = [widest(call_out, 1) for call_out in shown.call_outs]
    words = [
        max(widest(call_out, 0), MARK + canvas.width(heading, font) - 20 - BAR - chance)
        for call_out, heading, chance in zip(shown.call_outs, headings, chances, strict=True)
    ]
    room = CHARTS - MARGIN - sum(chances) - len(words) * (GAP + 20)
    most = room - len(words) * BAR  # for the words; the longer ones get what the others leave
    first = min(words[0], max(most - sum(words[1:]), most / len(words)))
    words = [first, *(min(width, most - first) for width in words[1:])]
    bar = min((room - sum(words)) / len(words), 110)
    longest = max((row[1] for call_out in shown.call_outs for row in call_out.rows), default=1.0)
    x = float(MARGIN)
    for number, call_out in enumerate(shown.call_outs, 1):
        heading = headings[number - 1]
        canvas.badge(x + BADGE, LISTS, number)
        canvas.text(x + MARK, LISTS, heading, font)
        if call_out.word == shown.rarest:
            canvas.box(x + MARK, LISTS + 18, canvas.width(heading, font), 6, INK)
        width = words[number - 1]
        end = x + width + 10 + bar + 10 + chances[number - 1]
        for row, (text, chance, taken) in enumerate(call_out.rows, 1):
            y = LISTS + 8 + ROW * row
            canvas.text(x, y, _shortened(canvas, text, font, width), font)
            _bar(canvas, x + width + 10, y, bar * chance / longest, taken)
            canvas.text(end, y, percent(chance), font, INK, "right")
        x = GAP + max(end, x + MARK + canvas.width(heading, font))


def _shortened(canvas: Canvas, text: str, font: "FontProperties", room: float) -> str:
    text = text if len(text) <= 40 else text[:40] + DOTS
    while len(text) > 1 and canvas.width(text, font) > room + 1:
        text = text.removesuffix(DOTS)[:-1] + DOTS
    return text


def _bar(canvas: Canvas, x: float, y: float, length: float, taken: bool) -> None:
    canvas.box(x, y - BAR / 2, 3 + length, BAR, FILLED if taken else PAPER, FILLED)


def _charts(canvas: Canvas, shown: Excerpt, wording: Wording) -> None:
    """All characters at one place, at each temperature: bars on one axis."""
    if shown.open_word is None:
        return
    font = canvas.font(TYPE, "Sans")
    place = [call_out.word for call_out in shown.call_outs].index(shown.open_word) + 1
    canvas.badge(CHARTS + BADGE, LISTS, place)
    canvas.text(CHARTS + MARK, LISTS, wording.first_letter, font)
    labels = [_SPACES.get(letter, letter) or wording.rest for letter, _, _ in shown.bars]
    left = CHARTS + max(canvas.width(canvas.printable(label, font), font) for label in labels) + 12
    left = max(left, CHARTS + 66.0)
    third = (WIDTH - MARGIN - left) / len(shown.charts)
    names = (wording.calm, wording.usual, wording.wild)
    longest = max(chance for _, chances, _ in shown.bars for chance in chances)
    for column, (name, temperature) in enumerate(zip(names, wording.temperatures, strict=True)):
        x = left + column * third
        canvas.text(x, LISTS + 8 + ROW, name, font)
        canvas.text(x, LISTS + 8 + 2 * ROW, temperature, font)
        for row, (_, chances, taken) in enumerate(shown.bars, 3):
            length = (third - 24) * chances[column] / longest
            _bar(canvas, x, LISTS + 8 + ROW * row, length, taken)
        canvas.box(x - 2, LISTS + 4 + ROW * 2.5, 2, ROW * len(shown.bars) + 8, INK)
    for row, label in enumerate(labels, 3):
        canvas.text(CHARTS, LISTS + 8 + ROW * row, label, font)
