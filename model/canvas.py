"""A canvas for pictures: one draws on it in pixels, from the upper left corner.

matplotlib is imported where something is drawn: who only writes does not wait for it. Nothing
global is touched, so it may be used in any thread.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties
    from matplotlib.transforms import Transform

WIDTH, HEIGHT = 1200, 675
MARGIN = 40
TYPE = 28  # the smallest that is legible on a phone
BADGE = 18  # the radius of its circle
PAPER, INK = "#FFFDF7", "#2A1B00"
# Honey: the darker, the less likely. And the letters on it.
SHADES = (("#FDEFC8", INK), ("#F3C565", INK), ("#A4610A", "#FFFFFF"), ("#4A2600", "#FFFFFF"))
DPI = 100


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
        self.widths: dict[tuple[str, FontProperties], float] = {}

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
        text = self.printable(text, font)
        for within in ("||", f"|{text}|"):
            if (within, font) not in self.widths:
                width, _, _ = self.renderer.get_text_width_height_descent(within, font, False)
                self.widths[within, font] = float(width)
        return self.widths[f"|{text}|", font] - self.widths["||", font]

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

    def badge(self, x: float, y: float, number: int, fill: str = INK, ink: str = PAPER) -> None:
        """A number in a circle."""
        from matplotlib.patches import Circle

        self.figure.add_artist(
            Circle((x, y), BADGE, facecolor=fill, transform=self.pixels, gid="badge")
        )
        self.text(x, y, str(number), self.font(TYPE, "Sans", True), ink, "center")

    def arrow(self, corners: Sequence[tuple[float, float]]) -> None:
        """A line through corners, which are rounded, with its head at the last."""
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path

        points, codes = [corners[0]], [Path.MOVETO]
        for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
            points += [_towards(corner, before), corner, _towards(corner, after)]
            codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
        self.figure.add_artist(
            FancyArrowPatch(
                path=Path([*points, corners[-1]], [*codes, Path.LINETO]),
                arrowstyle="-|>,head_length=7,head_width=4.5",
                color=INK,
                lw=2.5,
                capstyle="butt",
                transform=self.pixels,
                gid="arrow",
            )
        )

    def png(self) -> bytes:
        """What was drawn."""
        file = io.BytesIO()
        self.agg.print_png(file)
        return file.getvalue()


def _towards(
    corner: tuple[float, float], other: tuple[float, float], radius: float = 12.0
) -> tuple[float, float]:
    """The point at which a line from a corner to another point leaves the rounding."""
    x, y = other[0] - corner[0], other[1] - corner[1]
    far = max(abs(x), abs(y))  # lines are level or upright
    part = min(radius, far / 2) / far if far else 0.0
    return corner[0] + part * x, corner[1] + part * y
