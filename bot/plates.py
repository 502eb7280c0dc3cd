"""The picture of a story to keep: title, text, and how it was written, on honey-coloured paper."""

import bisect
from collections.abc import Sequence
from typing import TYPE_CHECKING

from model.canvas import HEIGHT, INK, MARGIN, SHADES, WIDTH, Canvas

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

TITLE, FOOT = 40, 22  # pixels of type
SIZES = (46, 40, 34, 30, 26, 23, 21)  # of the text: the first in which all of it fits
LEADING = 1.32  # from line to line, of the type's size
TOP, BOTTOM = 128, HEIGHT - 74  # where the text may stand
GOES_ON = " ..."


def plate(title: str, text: str, foot: Sequence[str]) -> bytes:
    """The picture as a PNG file, 1200 x 675, opaque.

    Args:
        title: one line.
        text: as much of it as fits is shown.
        foot: at the lower left, and at the lower right where there are two.
    """
    canvas = Canvas()
    canvas.box(0, 0, WIDTH, 14, SHADES[1][0])
    room = WIDTH - 2 * MARGIN
    heading = canvas.font(TITLE, "Serif", True)
    title_lines = _wrapped(canvas, title, heading, room)
    shown = title_lines[0] if len(title_lines) == 1 else title_lines[0] + GOES_ON
    canvas.text(MARGIN, 72, shown, heading)
    size, lines = _fitting(canvas, text, room)
    font = canvas.font(size, "Serif")
    for number, line in enumerate(lines):
        canvas.text(MARGIN, TOP + (number + 0.5) * size * LEADING, line, font)
    small = canvas.font(FOOT, "Sans")
    canvas.box(MARGIN, HEIGHT - 62, room, 2, SHADES[1][0])
    canvas.text(MARGIN, HEIGHT - 34, foot[0], small)
    if len(foot) > 1:
        canvas.text(WIDTH - MARGIN, HEIGHT - 34, foot[1], small, INK, "right")
    return canvas.png()


def _fitting(canvas: Canvas, text: str, room: float) -> tuple[int, list[str]]:
    """The largest type in which the text fits, and its lines; in the smallest, as many as fit."""
    for size in SIZES:
        most = int((BOTTOM - TOP) / (size * LEADING))
        lines = _wrapped(canvas, text, canvas.font(size, "Serif"), room)
        if len(lines) <= most:
            return size, lines
    return size, [*lines[: most - 1], lines[most - 1] + GOES_ON]


def _wrapped(canvas: Canvas, text: str, font: "FontProperties", room: float) -> list[str]:
    """Lines of words, as wide as there is room; a word that is wider is broken."""
    widths: dict[str, float] = {}

    def width(part: str) -> float:
        if part not in widths:
            widths[part] = canvas.width(part, font)
        return widths[part]

    room -= width(GOES_ON)
    lines: list[str] = []
    for paragraph in text.splitlines():
        line, used = "", 0.0
        for whole in paragraph.split(" "):
            word = whole
            while word:
                space = width(" ") if line else 0.0
                if used + space + width(word) <= room:
                    line = f"{line} {word}" if line else word
                    used += space + width(word)
                    break
                if not line:  # alone, and still too wide
                    begins = range(1, min(len(word), 200) + 1)
                    fit = max(1, bisect.bisect_right(begins, room, key=lambda n: width(word[:n])))
                    lines.append(word[:fit])
                    word = word[fit:]
                else:
                    lines.append(line)
                    line, used = "", 0.0
        if line or (lines and lines[-1]):  # of empty lines, one at the most
            lines.append(line)
    while lines and not lines[-1]:
        lines.pop()
    return lines or [""]
