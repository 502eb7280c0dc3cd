"""Figures of losses, drawn without pyplot: nothing global is touched and no window opens."""

import contextlib
import io
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, PercentFormatter

from model.files import write_atomically

Curve = Sequence[tuple[float, float]]
"""Points of (characters seen, loss in nats per character)."""

# Told apart by any eye, and in grey (Okabe and Ito, 2008).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":")


def loss_figure(name: str, train: Curve, validation: Curve = ()) -> Figure:
    """How the loss fell in one training.

    Args:
        name: of the model, for the title.
        train: its training loss.
        validation: its validation loss, if it has one; the lowest point is marked.
    """
    figure, axes = _axes(f"How {_named(name)} learned")
    axes.plot(*_columns(train), color=COLOURS[0], linewidth=1, label="training")
    if validation:
        axes.plot(
            *_columns(validation),
            color=COLOURS[1],
            marker="o",
            markersize=3,
            linewidth=2,
            label="validation",
        )
        best = min(validation, key=lambda point: point[1])
        axes.annotate(
            f"{best[1]:.3f}",
            best,
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            color=COLOURS[1],
        )
    axes.legend()
    return figure


def comparison_figure(
    curves: Mapping[str, Curve],
    levels: Mapping[str, float] | None = None,
    title: str = "Validation loss by characters seen",
) -> Figure:
    """The validation losses of several models on one logarithmic axis of characters seen.

    Args:
        curves: by model; empty ones are left out.
        levels: losses that do not depend on training (guessing, a compressor), as flat lines.
        title: what is shown.
    """
    figure, axes = _axes(title)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    shown = {name: curve for name, curve in curves.items() if curve}
    for number, (name, curve) in enumerate(shown.items()):
        axes.plot(
            *_columns(curve),
            color=COLOURS[number % len(COLOURS)],
            linewidth=2,
            linestyle=STYLES[number % len(STYLES)],
            label=f"{_named(name)}, {curve[-1][1]:.2f}",
            marker="o" if len(curve) == 1 else None,
        )
    for number, (name, level) in enumerate((levels or {}).items()):
        axes.axhline(
            level,
            color="dimgrey",
            linewidth=1,
            linestyle=(0, (1 + number, 2)),
            label=f"{name}, {level:.2f}",
        )
    if shown or levels:  # beside the curves, where it hides none of them
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


def trade_off_figure(curves: Mapping[str, Sequence[tuple[float, float, float]]]) -> Figure:
    """Between reciting and inventing, by temperature, a line for each model.

    Args:
        curves: by model (temperature, characters recited, share copied); empty ones are left out.
    """
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot(
        xlabel="characters recited after a chapter's opening, of 300",
        ylabel="copied after new prompts",
        title="Between reciting and inventing, by temperature",
    )
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.margins(0.08)
    marks: list[tuple[str, float, float]] = []
    axes.grid(alpha=0.3)
    shown = {name: curve for name, curve in curves.items() if curve}
    for number, (name, curve) in enumerate(shown.items()):
        colour = COLOURS[number % len(COLOURS)]
        style = STYLES[number % len(STYLES)]
        places = [(recited, copied) for _, recited, copied in curve]
        axes.plot(*_columns(places), color=colour, linestyle=style, marker="o", label=_named(name))
        marks += [(f"{t:g}", x, y) for t, x, y in curve]
    if shown:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
        _mark(axes, marks)
    return figure


def _mark(axes: Axes, marks: Sequence[tuple[str, float, float]]) -> None:
    """Write labels beside their points (label, x, y), so that none covers another or a point.

    Points that cannot be told apart share a label.
    """
    with _any_letters():
        axes.figure.draw_without_rendering()  # type: ignore[union-attr]  # now places are pixels
    pixel = axes.figure.dpi / 72
    at: list[tuple[float, float]] = []
    texts: list[list[str]] = []
    for label, *point in marks:
        x, y = axes.transData.transform(point)
        near = [i for i, (u, v) in enumerate(at) if math.hypot(u - x, v - y) < 7 * pixel]
        if near:
            texts[near[0]].append(label)
        else:
            at.append((x, y))
            texts.append([label])
    taken = [(x - 4 * pixel, y - 4 * pixel, x + 4 * pixel, y + 4 * pixel) for x, y in at]
    for (x, y), labels in zip(at, texts, strict=True):
        text = ", ".join(labels)
        width, height = 5.5 * pixel * len(text), 10 * pixel
        offsets = [
            (side * 6 * pixel - (width if side < 0 else 0), up * height - height / 2)
            for up in (0.8, -0.8, 2, -2, 3.2, -3.2, 4.4, -4.4)
            for side in (1, -1)
        ]
        # Inside the axes, on nothing that is there already; else where it would be alone.
        boxes = [(x + u, y + v, x + u + width, y + v + height) for u, v in offsets]
        free = [b for b in boxes if _inside(b, axes.bbox.extents) and not _hits(b, taken)]
        box = (free or boxes)[0]
        taken.append(box)
        u, v = axes.transData.inverted().transform((x, y)).tolist()
        axes.annotate(
            text,
            (u, v),
            xytext=((box[0] - x) / pixel, (box[1] - y) / pixel),
            textcoords="offset points",
            fontsize=8,
        )


Box = tuple[float, float, float, float]


def _inside(box: Box, frame: Sequence[float]) -> bool:
    return frame[0] <= box[0] and frame[1] <= box[1] and box[2] <= frame[2] and box[3] <= frame[3]


def _hits(box: Box, others: Sequence[Box]) -> bool:
    return any(
        box[0] < x1 and x0 < box[2] and box[1] < y1 and y0 < box[3] for x0, y0, x1, y1 in others
    )


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    picture = io.BytesIO()
    with _any_letters():
        figure.savefig(picture, format="png", dpi=120)
    write_atomically(path, picture.getvalue())


@contextlib.contextmanager
def _any_letters() -> Iterator[None]:
    """Draw without a warning for each letter of a name that the font lacks."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def _named(name: str) -> str:
    """A name as matplotlib prints it: between two $ it would read a formula."""
    return name.replace("$", r"\$")


def _axes(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot(xlabel="characters seen", ylabel="nats per character", title=title)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.grid(alpha=0.3)
    return figure, axes


def _columns(curve: Curve) -> tuple[list[float], list[float]]:
    return [x for x, _ in curve], [y for _, y in curve]
