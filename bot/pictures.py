"""What a user asked to know about the model: its figures as text, and its loss plot as a PNG."""

import contextlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot import messages
from bot.about_texts import AboutText
from bot.languages import Language
from model import __version__

PNG = b"\x89PNG\r\n\x1a\n"  # what such a file begins with
SUMMARY, PLOT = ".summary.json", ".loss.png"  # what training puts beside the weights
LARGEST = 8 << 20  # bytes: Discord takes 10 MiB
MOST = 1e15  # a figure beyond it is a fault of the file


def times(weights: Path) -> tuple[int | None, ...]:
    """When each file of which the figures and the plot are made was written; None: it is not there.

    In nanoseconds; a training under the same name changes them.
    """
    return tuple(map(_time, (weights.with_suffix(SUMMARY), weights.with_suffix(PLOT))))


def _time(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


def read_summary(weights: Path) -> dict[str, Any]:
    """What training wrote about the weights beside them; empty when there is nothing readable."""
    try:
        summary = json.loads(weights.with_suffix(SUMMARY).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return summary if isinstance(summary, dict) else {}


def describe(
    name: str,
    summary: Mapping[str, Any],
    language: Language = Language.ENGLISH,
    *,
    invite: tuple[str, str] | None = None,
    source: str = "",
) -> str:
    """Who Pooh is, in a message; what the summary does not tell, or tells wrongly, is left out.

    Args:
        name: of the model.
        summary: what training wrote, whatever has become of it.
        language: to say it in.
        invite: the links with which a server, and a person, installs him; None: nobody may.
        source: the address of his code, "" if it is not known.
    """
    say = language.say
    shown = messages.plain(name).replace("`", "'").replace("\n", " ")[:40]
    lines = [say(AboutText.POOH), say(AboutText.MODEL, name=shown)]
    if (parameters := _figure(summary.get("parameters"))) is not None:
        lines.append(say(AboutText.SIZE, number=language.number(round(parameters))))
    read = summary.get("read")
    if isinstance(read, dict) and (characters := _figure(read.get("characters"))) is not None:
        texts = round(_figure(read.get("texts", 1)) or 1)
        text = AboutText.READ_ONE if texts == 1 else AboutText.READ
        figures = language.number(round(characters)), language.number(texts)
        lines.append(say(text, characters=figures[0], texts=figures[1]))
    for key, text in (
        ("train_loss", AboutText.TRAIN_LOSS),
        ("validation_loss", AboutText.VALIDATION_LOSS),
    ):
        loss = summary.get(key)
        nats = _figure(loss.get("nats")) if isinstance(loss, dict) else None
        if nats is not None:
            lines.append(say(text, number=language.number(float(nats), 2)))
    lines.append(say(AboutText.KEPT))
    lines.append(say(AboutText.CODE, source=source) if source else say(AboutText.CODE_AT_HOST))
    lines.append(say(AboutText.VERSION, number=__version__))
    if invite is not None:
        lines.append(say(AboutText.INVITE, server=invite[0], person=invite[1]))
    lines.append(say(AboutText.ASK))
    return "\n".join(lines)


def _figure(value: object) -> float | None:
    """A number that can be shown, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value <= MOST else None  # not a number is in no order


def loss_plot(weights: Path, language: Language = Language.ENGLISH) -> bytes | None:
    """The plot that training left beside the weights, or one drawn from its summary.

    Training writes English: for other languages it is drawn anew, if it can be.

    Returns:
        A PNG file; None when there is nothing to draw.
    """
    kept: bytes | None = None
    with contextlib.suppress(OSError):
        picture = weights.with_suffix(PLOT).read_bytes()
        if picture.startswith(PNG) and len(picture) <= LARGEST:
            kept = picture
    if kept and language is Language.ENGLISH:
        return kept
    return _draw(weights.stem, read_summary(weights).get("history"), language) or kept


def _draw(name: str, history: Any, language: Language) -> bytes | None:  # noqa: ANN401  (JSON)
    """Training and validation loss over the characters seen."""
    say = language.say
    curves = {
        key: [
            (entry["characters"], entry[key])
            for entry in (history if isinstance(history, list) else [])
            if isinstance(entry, dict)
            and _figure(entry.get("characters")) is not None
            and _figure(entry.get(key)) is not None
        ]
        for key in ("train", "validation")
    }
    if not any(curves.values()):
        return None
    # Importing it takes longer than all the rest of the bot, and shipped models bring a picture.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.0), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for key, text in (("train", AboutText.TRAINING), ("validation", AboutText.VALIDATION)):
        if points := [(characters / 1e6, loss) for characters, loss in curves[key]]:
            axes.plot(*zip(*points, strict=True), label=say(text))
    axes.set(
        title=say(AboutText.TITLE, name=name.replace("$", r"\$")),
        xlabel=say(AboutText.CHARACTERS),
        ylabel=say(AboutText.NATS),
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: language.number(round(value, 6)))
    axes.grid(alpha=0.3)
    axes.legend()
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()
