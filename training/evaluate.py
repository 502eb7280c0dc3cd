"""How good is it: `python -m training.evaluate --model pooh --text FILE`.

Prints tables, or JSON, and draws how the validation loss fell. What is measured is
in `reports.py`, the tables are made in `tables.py`.
"""

import os

if __name__ == "__main__":  # else whoever imports this decides
    # Before numpy comes: OpenBLAS, with a thread for each core, spins where others want the cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from model.console import (
    ConsoleError,
    Parser,
    add_version,
    forgive_outputs,
    standard_output,
    tell,
)
from model.files import write_atomically
from model.vocab import Vocab
from model.weights import DEFAULT_MODEL, resolve
from training.config import TrainingConfig, flat_settings
from training.corpus import load_texts
from training.export import check_folder
from training.measures import COPY, ReadingList
from training.names import people
from training.recipe import STAGES, CorpusError, books_folder, read_recipe
from training.reports import Report, baselines, evaluate
from training.texts import read, read_for

BOOK = "winnie-the-pooh"
"""The book whose voice is to be learned: recall is of it, and Markov chains learn from it."""


def common_text(text: str, names: Sequence[str]) -> tuple[str, list[str]]:
    """What all of some models can say of a text, so that they are compared on the same.

    Args:
        text: clean.
        names: of shipped weights, or their paths.

    Returns:
        The text, and a line about what was left out, if it was.
    """
    vocabs = {vocab.characters: vocab for vocab in (Vocab.load(resolve(n)[1]) for n in names)}
    if len(vocabs) < 2:
        return text, []
    common = text
    for vocab in vocabs.values():
        common = vocab.clean(common).text
    common = "".join(c for c in common if all(c in vocab for vocab in vocabs.values()))
    note = (
        "the models know different characters: compared on the "
        f"{len(common):,} of {len(text):,} that all can say"
    )
    return common, [note]


def training_text(
    text: str, path: Path, names: Sequence[str], library: ReadingList | None
) -> list[str]:
    """A line for each reason to think that a text was learned from, which makes it look easy.

    Args:
        text: that of the file `path`.
        path: the file.
        names: of shipped weights, or their paths.
        library: the reading list, if it is there.
    """
    notes = []
    if library is not None:
        [known] = library.holds([text], COPY)
        if known.size and known.mean() > 0.5:
            notes.append(
                f"{path}: {known.mean():.0%} of it stands in the books of the reading list"
            )
    for name in names:
        weights, characters = resolve(name)
        try:
            told = json.loads(weights.with_suffix(".summary.json").read_text("utf-8"))
            settings = flat_settings(told["training"])
            fields = ("validation_fraction", "validation_text", "encoding", "init")
            same = {field: settings[field] for field in fields}
            known_characters = Vocab.load(characters) if same["init"] else None
            texts = read(TrainingConfig.of(text=str(path), **same), known_characters)
            learned = texts.digest == told["read"]["sha256"]
        except (OSError, ValueError, TypeError, LookupError):  # no summary, or an older one
            continue
        if learned:
            notes.append(
                f"{path}: {weights.stem} learned from this text; try one that it never saw"
            )
    return notes


def history(name: str) -> list[tuple[float, float]]:
    """Characters seen and validation loss, if the summary beside the weights tells them."""
    try:
        told = json.loads(resolve(name)[0].with_suffix(".summary.json").read_text("utf-8"))
        points = [(p["characters"], p["validation"]) for p in told["history"]]
        return [(float(seen), float(loss)) for seen, loss in points if loss is not None]
    except (OSError, ValueError, TypeError, LookupError):  # as in `training_text`
        return []


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 0, or 2 with one line on stderr, or 130 by Ctrl-C."""
    forgive_outputs()
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except ModuleNotFoundError as error:
        extra = "bench" if error.name in ("markovify", "transformers") else "train"
        return _fail(f"{error.name} is not installed: pip install '.[{extra}]'")
    except (ValueError, OSError) as error:
        return _fail(str(error))
    except ConsoleError as error:
        if str(error):
            tell(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m training.evaluate",
        description="Measure models: loss on a text, what their answers are made of, recall.",
    )
    add_version(parser)
    parser.add_argument(
        "--model",
        nargs="+",
        default=[DEFAULT_MODEL],
        metavar="NAME",
        help=f"names or paths of weights (default: {DEFAULT_MODEL})",
    )
    parser.add_argument(
        "--text",
        type=Path,
        metavar="FILE",
        help="what to predict (default: a part of the book in --data)",
    )
    parser.add_argument(
        "--part",
        choices=("validation", "test"),
        default="validation",
        help="which chapters, without --text (default: %(default)s)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=books_folder(),
        metavar="FOLDER",
        help="where the books of the reading list lie; without them "
        "only the loss is measured (default: data/books)",
    )
    parser.add_argument(
        "--baselines",
        action="store_true",
        help="also measure Markov chains (needs the extra 'bench')",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="also write <model>.evaluation.json, .txt, .png and <model>.tradeoff.png there",
    )
    return parser


def _run(options: argparse.Namespace) -> None:
    from rich.console import Console  # of the extra `train`, as is what the tables are made of

    from training.tables import tables

    if options.output:
        check_folder("output", options.output)
        names = [resolve(name)[0].stem for name in options.model]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"--output: two models are called {min(twice)}: measure one at a time")
    texts = load_texts(options.data)
    if texts.missing and (texts.train or not options.text):  # else nothing was asked of them
        tell(
            f"without {len(texts.missing)} books that are not in {options.data}; "
            "fetch them: python -m training.corpus"
        )
    said: list[str] = []
    if options.text:
        text, said = read_for(options.text, Vocab.load(resolve(options.model[0])[1]))
    else:
        text = getattr(texts, options.part)
    if not text:
        nothing = (
            f"{options.text or options.data}: no text to predict; give a FILE with --text, "
            "or fetch the books: python -m training.corpus"
        )
        raise CorpusError("; ".join([*said, nothing]))
    library = ReadingList(texts.train.values()) if texts.train else None
    text, notes = common_text(text, options.model)
    if options.text:
        notes += training_text(text, options.text, options.model, library)
    for note in said + notes:
        tell(note)
    book = texts.train.get(BOOK)
    by_stage: dict[str, list[str]] = {stage: [] for stage in STAGES}
    for each in read_recipe():
        if each.slug in texts.train:
            by_stage[each.stage].append(texts.train[each.slug])
    away = people(by_stage["library"], by_stage["voice"])
    reports = [evaluate(name, text, library, book, away) for name in options.model]
    if options.baselines:
        if not (library and book):
            raise CorpusError(f"--baselines learn from {BOOK}, which is not in {options.data}")
        reports += baselines(text, library, book)

    with standard_output() as out:
        if options.json:
            print(_json(reports), end="", file=out)
        else:
            Console(file=out).print(*tables(reports), sep="\n")
    if options.output:
        _store(options, reports)


def _store(options: argparse.Namespace, reports: list[Report]) -> None:
    from rich.console import Console

    from training.plots import comparison_figure, save, trade_off_figure
    from training.tables import tables

    models, others = reports[: len(options.model)], reports[len(options.model) :]
    levels = {r["model"]: r["loss"]["nats_per_character"] for r in others if "loss" in r}
    curves = {
        report["model"]: history(name) for report, name in zip(models, options.model, strict=True)
    }
    figure = comparison_figure(curves, levels)
    trade_offs = {
        report["model"]: [
            (r["temperature"], r["recited"], r["copied"]) for r in report["trade_off"]
        ]
        for report in models
    }
    for report in models:
        stem = f"{report['model']}.evaluation"
        page = io.StringIO()
        Console(file=page, width=120).print(*tables([report, *others]), sep="\n")
        for suffix, content in ((".json", _json([report, *others])), (".txt", page.getvalue())):
            write_atomically(options.output / (stem + suffix), content.encode())
        save(figure, options.output / (stem + ".png"))
        if report["trade_off"]:
            save(trade_off_figure(trade_offs), options.output / f"{report['model']}.tradeoff.png")


def _json(reports: list[Report]) -> str:
    return json.dumps(reports, indent=1) + "\n"


def _fail(message: str) -> int:
    tell(f"error: {message}")
    return 2


if __name__ == "__main__":
    sys.exit(main())
