"""What a user asked to know about the model: its figures as text, and its loss plot as a PNG."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure


def read_summary(weights: Path) -> dict[str, Any]:
    """What training wrote about the weights beside them; empty when there is nothing readable."""
    try:
        summary = json.loads(weights.with_suffix(".summary.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return summary if isinstance(summary, dict) else {}


def describe(name: str, summary: Mapping[str, Any]) -> str:
    """Who Pooh is, in a message; what the summary does not tell is left out."""
    lines = [
        f"**Pooh** is a small language model made from scratch, `{name}`. It writes one character "
        "after another, and it learned all it knows from old children's books.",
    ]
    if parameters := summary.get("parameters"):
        lines.append(f"**Size** {parameters:,} parameters")
    read = summary.get("read")
    if isinstance(read, dict) and "characters" in read:
        texts = read.get("texts", 1)
        lines.append(f"**Read** {read['characters']:,} characters of {texts:,} texts")
    for key, label in (
        ("train_loss", "Loss in training"),
        ("validation_loss", "Loss on chapters it never read"),
    ):
        loss = summary.get(key)
        if isinstance(loss, dict) and "nats" in loss:
            lines.append(f"**{label}** {loss['nats']:.2f} nats per character")
    lines.append("`/pooh` tells a story, `/help` says how.")
    return "\n".join(lines)


def loss_plot(weights: Path) -> bytes | None:
    """The plot that training left beside the weights, or one drawn from its summary.

    Returns:
        A PNG file; None when there is nothing to draw.
    """
    try:
        return weights.with_suffix(".loss.png").read_bytes()
    except OSError:
        return _draw(weights.stem, read_summary(weights).get("history"))


def _draw(name: str, history: Any) -> bytes | None:  # noqa: ANN401  (JSON)
    """Training and validation loss over the characters seen."""
    curves = {
        key: [
            (entry["characters"], entry[key])
            for entry in (history if isinstance(history, list) else [])
            if isinstance(entry, dict)
            and isinstance(entry.get("characters"), int | float)
            and isinstance(entry.get(key), int | float)
        ]
        for key in ("train", "validation")
    }
    if not any(curves.values()):
        return None
    figure = Figure(figsize=(7.0, 4.0), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for key, points in curves.items():
        if points:
            axes.plot(*zip(*points, strict=True), label=key)
    axes.set(title=name, xlabel="characters seen", ylabel="loss, nats per character")
    axes.grid(alpha=0.3)
    axes.legend()
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()
