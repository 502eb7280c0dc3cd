"""Reports as tables for people."""

from collections.abc import Sequence

from rich.table import Table

from training.estimates import Estimate
from training.reports import LENGTH, SEEDS, Report


def tables(reports: Sequence[Report]) -> list[Table]:
    """The reports as tables: loss, samples, recall, trade-off."""
    loss = Table(title="Loss", title_justify="left")
    _columns(loss, "model", "chapter", "characters", "nats/character", "bits/character")
    samples = Table(title=f"{len(SEEDS)} answers of {LENGTH} characters", title_justify="left")
    _columns(
        samples,
        "model",
        "prompts",
        "temperature",
        "real words",
        "copied",
        "longest copy",
        "distinct-2",
        "quotes balanced",
        "sentence ends",
        "names a friend",
    )
    memory = Table(title="Memory: what the story so far is worth", title_justify="left")
    _columns(memory, "model", "probe", "")
    recall = Table(title="Recall at temperature 0", title_justify="left")
    _columns(recall, "model", "opening", "characters of the book")
    between = Table(title="Between reciting and inventing", title_justify="left")
    _columns(between, "model", "temperature", "recited", "first sentence", "copied", "real words")
    for report in reports:
        model = report["model"]
        if whole := report.get("loss"):
            for row in [{"title": "all", **whole}, *whole.get("chapters", [])]:
                loss.add_row(
                    model,
                    row["title"],
                    str(row.get("characters", "")),
                    f"{row['nats_per_character']:.4f}",
                    f"{row['bits_per_character']:.4f}",
                )
        for row in report.get("samples", []):
            shares = (f"{row[key]:.1%}" for key in ("real_words", "copied"))
            samples.add_row(
                model,
                row.get("prompts", "none"),
                str(row.get("temperature", "")),
                *shares,
                str(row["longest_copy"]),
                f"{row['distinct_2']:.2f}",
                f"{row['balanced_quotes']:.0%}",
                f"{row['ends_sentence']:.0%}",
                f"{row['names_a_friend']:.0%}",
            )
        for name, value in memory_rows({**report.get("memory", {}), **report.get("stories", {})}):
            memory.add_row(model, name, value)
        for row in report.get("recall", []):
            recall.add_row(model, row["opening"], str(row["characters"]))
        for row in report.get("trade_off", []):
            between.add_row(
                model,
                str(row["temperature"]),
                f"{row['recited']:.0f}",
                f"{row['first_sentence']} of {len(SEEDS)}",
                f"{row['copied']:.1%}",
                f"{row['real_words']:.1%}",
            )
    return [table for table in (loss, memory, samples, recall, between) if table.row_count]


def memory_rows(found: Report) -> list[tuple[str, str]]:
    """The probes of `training.memory` in words, with their values.

    Args:
        found: what was found, as it is or read from JSON, which has no other keys than texts.
            Reports of earlier versions have means alone, and lack some.
    """
    contexts = {int(context): nats for context, nats in found.get("contexts", {}).items()}
    rows = [
        (f"loss, {context} characters before", _told(nats, ".4f", " nats a character"))
        for context, nats in contexts.items()
    ]
    if contexts:
        gain = found.get("context_gain") or contexts[64] - contexts[1024]
        rows.append(("context gain, 64 to 1,024", _told(gain, ".4f")))
    if "foreign_past" in found:
        rows.append(("a foreign past costs", _told(found["foreign_past"], ".4f")))
    rows += [
        (
            f"made-up name, {how}",
            _told(nats, ".2f", " nats a letter from the 4th on", "names"),
        )
        for how, nats in found.get("copying", {}).items()
    ]
    rows += [
        (
            f"friend named before, gap {gap}",
            f"first letter gains {_told(nats, '.2f', ' nats', 'friends')}",
        )
        for gap, nats in found.get("named_before", {}).items()
    ]
    if "next_paragraph" in found:
        chosen = _told(found["next_paragraph"], ".0%", things="paragraphs")
        rows.append(("the next paragraph out of eight", chosen))
    stories = f" ({found['stories']} stories)" if "stories" in found else ""
    if "strangers" in found:
        rows.append(("strangers", f"{found['strangers']:.2f} per 1,000 characters{stories}"))
        himself = found["answers_himself"]
        share = "no speech" if himself is None else _told(himself, ".0%", things="replies")
        rows.append(("answers himself", share))
    if "repeated" in found:
        share = f"{found['repeated']:.1%}{stories}"
        rows.append(("words that end a run of four told before", share))
    return rows


def _told(found: Estimate | float, form: str, unit: str = "", things: str = "stretches") -> str:
    """An estimate in words, with its standard error if there is one, and what it is of."""
    if not isinstance(found, dict):
        return f"{found:z{form}}{unit}"
    error = f" ± {found['error']:{form}}" if found["error"] else ""
    return f"{found['mean']:z{form}}{error}{unit} ({found['of']} {things})"


def _columns(table: Table, *names: str) -> None:
    for number, name in enumerate(names):
        table.add_column(name, justify="left" if number < 2 else "right")
