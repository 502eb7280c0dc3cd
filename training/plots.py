"""Figures of losses, drawn without pyplot: nothing global is touched and no window opens."""

import io
from collections.abc import Mapping, Sequence
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
    figure, axes = _axes(f"How {name} learned")
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
            label=f"{name}, {curve[-1][1]:.2f}",
            marker="o" if len(curve) == 1 else None,
        )
    for name, level in (levels or {}).items():
        axes.axhline(level, color="grey", linewidth=1, linestyle=":")
        axes.annotate(
            f"{name}, {level:.2f}",
            (0.01, level),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            fontsize=8,
            color="dimgrey",
        )
    if shown:
        axes.legend()
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
    axes.grid(alpha=0.3)
    shown = {name: curve for name, curve in curves.items() if curve}
    for number, (name, curve) in enumerate(shown.items()):
        colour = COLOURS[number % len(COLOURS)]
        style = STYLES[number % len(STYLES)]
        places = [(recited, copied) for _, recited, copied in curve]
        axes.plot(*_columns(places), color=colour, linestyle=style, marker="o", label=name)
        for (temperature, *_), place in zip(curve, places, strict=True):
            axes.annotate(
                f"{temperature:g}", place, xytext=(4, 4), textcoords="offset points", fontsize=8
            )
    if shown:
        axes.legend()
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    write_atomically(path, picture.getvalue())


def _axes(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot(xlabel="characters seen", ylabel="nats per character", title=title)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.grid(alpha=0.3)
    return figure, axes


def _columns(curve: Curve) -> tuple[list[float], list[float]]:
    return [x for x, _ in curve], [y for _, y in curve]
