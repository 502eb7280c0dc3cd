"""How good is it: `python -m training.evaluate --model pooh --text FILE`.

Prints tables, or JSON, and draws how the validation loss fell. The measures are in `measures.py`,
the simpler writers that a model is compared with in `baselines.py`.
"""

import argparse
import io
import json
import math
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from model.console import add_version, forgive_outputs
from model.files import write_atomically
from model.sampling import START, Sampling
from model.sentences import SENTENCE_END
from model.vocab import Vocab
from model.weights import DEFAULT_MODEL, load_decoder, load_gpt, resolve
from training.baselines import CharacterChain, word_chain_texts
from training.config import TrainingConfig
from training.corpus import STAGES, CorpusError, books_folder, load_texts, read_recipe
from training.measures import COPY, Library, common_start, losses, qualities, write
from training.memory import answers_himself, memory_report, repeated, strangers
from training.names import people
from training.plots import comparison_figure, save, trade_off_figure
from training.text import chapters, is_heading, story
from training.texts import read, read_for

BOOK = "winnie-the-pooh"
LENGTH = 300
SEEDS = range(1, 16)
STORY, STORY_SEEDS = 600, range(1, 31)
TEMPERATURES = (0.5, 0.8, 1.0)
TRADE_OFF = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 1.2)  # temperatures
PROMPTS = {
    "book": ("Here is Edward Bear", "Pooh said", "Christopher Robin", "One fine", "Piglet was"),
    "unseen": (
        "Piglet looked at the telephone",
        "The robot opened its eyes",
        "On Tuesday Pooh learned to swim",
        "Rabbit had written a very long letter",
        "Nobody had ever seen so much snow",
    ),
    "empty": ("",),
}
"""Prompts by kind; an empty one starts a story. They take turns until each seed has had one."""

FIRST_WORDS = PROMPTS["book"][0]
"""How the book's first sentence begins."""

Report = dict[str, Any]
Writer = Callable[[list[tuple[str, Sampling]]], list[str]]


def loss_report(nats: NDArray[np.float64], text: str) -> Report:
    """Mean loss of a text and of each of its chapters.

    Args:
        nats: (N,) the loss of each character.
        text: the N characters.
    """
    rows, end = [], 0
    for chapter in chapters(text):
        start = text.index(chapter.strip("\n"), end)
        end = start + len(chapter.strip("\n"))
        title = chapter.split("\n", 1)[0] if is_heading(chapter.split("\n\n", 1)[0]) else "the text"
        rows.append({"title": title, "characters": end - start, **_mean(nats[start:end])})
    return {"characters": len(text), **_mean(nats), "chapters": rows}


def sample_report(writer: Writer, library: Library) -> list[Report]:
    """What a model's answers are made of, by kind of prompt and temperature.

    Args:
        writer: takes prompts and settings, gives continuations.
        library: the reading list.
    """
    rows = []
    for temperature in TEMPERATURES:
        for kind, prompts in PROMPTS.items():
            requests = [
                (prompts[i % len(prompts)], Sampling(LENGTH, temperature, seed=seed))
                for i, seed in enumerate(SEEDS)
            ]
            texts = zip((prompt for prompt, _ in requests), writer(requests), strict=True)
            rows.append(
                {"prompts": kind, "temperature": temperature}
                | asdict(qualities(list(texts), library))
            )
    return rows


def recall_report(writer: Writer, book: str) -> list[Report]:
    """How many characters of the book follow its chapters' first five words at temperature 0."""
    openings = openings_of(book)
    greedy = Sampling(LENGTH, temperature=0.0)
    written = writer([(opening, greedy) for opening, _ in openings])
    return [
        {"opening": opening, "characters": common_start(text, rest)}
        for (opening, rest), text in zip(openings, written, strict=True)
    ]


def openings_of(book: str) -> list[tuple[str, str]]:
    """The first five words of each chapter's story, and what follows."""
    openings = []
    for chapter in chapters(book):
        text = story(chapter)
        opening = " ".join(text.split(" ")[:5])
        if opening:
            openings.append((opening, text[len(opening) :]))
    return openings


def first_sentence(book: str) -> str:
    """The first sentence of the first chapter's story."""
    text = story(chapters(book)[0])
    end = SENTENCE_END.search(text)
    return text[: end.end()] if end else text


def trade_off_report(writer: Writer, library: Library, book: str) -> list[Report]:
    """By temperature: how much is recited where it should be, and copied where it should not.

    Recited: characters of the book that follow after a chapter's opening, the mean of three seeds
    each. First sentence: how many of all seeds go on from `FIRST_WORDS` with the whole first
    sentence of the book. Copied and real words: as in `sample_report`, for prompts never seen.
    """
    openings, rows = openings_of(book), []
    sentence = first_sentence(book).removeprefix(FIRST_WORDS)
    for temperature in TRADE_OFF:
        begun = [
            (opening, rest, Sampling(LENGTH, temperature, seed=seed))
            for opening, rest in openings
            for seed in SEEDS[:3]
        ]
        recited = writer([(opening, sampling) for opening, _, sampling in begun])
        first = writer(
            [(FIRST_WORDS, Sampling(len(sentence), temperature, seed=seed)) for seed in SEEDS]
        )
        new = [
            (PROMPTS["unseen"][i % 5], Sampling(LENGTH, temperature, seed=seed))
            for i, seed in enumerate(SEEDS)
        ]
        texts = zip((prompt for prompt, _ in new), writer(new), strict=True)
        found = qualities(list(texts), library)
        common = [common_start(t, r) for t, (_, r, _) in zip(recited, begun, strict=True)]
        rows.append(
            {
                "temperature": temperature,
                "recited": sum(common) / max(len(common), 1),
                "first_sentence": sum(text == sentence for text in first),
                "copied": found.copied,
                "real_words": found.real_words,
            }
        )
    return rows


def stories_report(writer: Writer, away: Sequence[str]) -> Report:
    """Who is in the stories that members read: as long as they are by default, at its settings.

    Args:
        writer: takes prompts and settings, gives continuations.
        away: people of the library who have no business in the Forest.
    """
    prompts = [prompt for kind in ("unseen", "empty") for prompt in PROMPTS[kind]]
    requests = [
        (prompts[i % len(prompts)], Sampling(STORY, seed=seed))
        for i, seed in enumerate(STORY_SEEDS)
    ]
    texts = [(p, w) for (p, _), w in zip(requests, writer(requests), strict=True)]
    return {
        "strangers": strangers(texts, away),
        "answers_himself": answers_himself(prompt + written for prompt, written in texts),
        "repeated": repeated(prompt + written for prompt, written in texts),
    }


def evaluate(
    name: str,
    text: str,
    library: Library | None,
    book: str | None,
    away: Sequence[str] = (),
) -> Report:
    """Everything about one model.

    Args:
        name: of shipped weights, or their path.
        text: clean; what the vocabulary cannot say is left out and named in the report.
        library: the reading list; without it no samples are drawn.
        book: the chapters it learned by heart; without them recall is not tried.
        away: people of the library alone; without them its stories are not looked through.
    """
    started = time.monotonic()
    gpt, vocab = load_gpt(name)
    decoder, _ = load_decoder(name)
    cleaned = vocab.clean(text)
    if not cleaned.text.strip():
        raise CorpusError(f"{name} knows no character of the text")
    ids = np.array(vocab.encode("\n" + cleaned.text))

    def writer(requests: list[tuple[str, Sampling]]) -> list[str]:
        clean = [(vocab.clean(prompt).text, sampling) for prompt, sampling in requests]
        return write(decoder, vocab, clean)

    return {
        "model": resolve(name)[0].stem,
        "parameters": sum(parameter.numel() for parameter in gpt.parameters()),
        "dropped": cleaned.dropped,
        "loss": loss_report(losses(gpt, ids), cleaned.text),
        "memory": memory_report(decoder, vocab, cleaned.text),
        "stories": stories_report(writer, away) if away else {},
        "samples": sample_report(writer, library) if library else [],
        "recall": recall_report(writer, book) if book else [],
        "trade_off": trade_off_report(writer, library, book) if library and book else [],
        "seconds": round(time.monotonic() - started, 1),
    }


def baselines(text: str, library: Library, book: str) -> list[Report]:
    """The same for Markov chains that learned `book`, the loss of guessing, and `text` itself.

    Raises:
        ModuleNotFoundError: markovify, of the extra `bench`, is not installed.
    """
    chain = CharacterChain(book)
    cleaned = chain.vocab.clean(text).text
    characters = [("", chain.write(START, LENGTH, seed)) for seed in SEEDS]
    words = [("", written) for written in word_chain_texts(book, LENGTH, SEEDS)]
    itself = [("", part) for part in excerpts(text)]
    return [
        {"model": "uniform guessing", "loss": _mean(np.full(1, math.log(len(chain.vocab))))},
        {
            "model": f"Markov chain, {chain.order} characters",
            "loss": loss_report(chain.losses(cleaned), cleaned),
            "samples": [asdict(qualities(characters, library))],
        },
        {"model": "Markov chain, 2 words", "samples": [asdict(qualities(words, library))]},
        {"model": "the text itself", "samples": [asdict(qualities(itself, library))]},
    ]


def excerpts(text: str) -> list[str]:
    """As many parts of a text as there are seeds, as long as answers, from paragraphs' starts."""
    starts = [m.end() for m in re.finditer(r"^|\n+", text) if m.end() <= len(text) - LENGTH]
    chosen = np.linspace(0, len(starts) - 1, len(SEEDS)).round().astype(int)
    return [text[starts[i] : starts[i] + LENGTH] for i in chosen] if starts else []


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
    """The probes of `training.memory` in words, with their values."""
    rows = [
        (f"loss, {context} characters before", f"{nats:.4f} nats a character")
        for context, nats in found.get("contexts", {}).items()
    ]
    if contexts := found.get("contexts"):
        rows.append(("context gain, 64 to 1,024", f"{contexts[64] - contexts[1024]:.4f}"))
    if "foreign_past" in found:
        rows.append(("a foreign past costs", f"{found['foreign_past']:.4f}"))
    rows += [
        (f"made-up name, {how}", f"{nats:.2f} nats a letter from the 4th on")
        for how, nats in found.get("copying", {}).items()
    ]
    rows += [
        (f"friend named before, gap {gap}", f"first letter gains {nats:.2f} nats")
        for gap, nats in found.get("named_before", {}).items()
    ]
    if "next_paragraph" in found:
        rows.append(("the next paragraph out of eight", f"{found['next_paragraph']:.0%}"))
    if "strangers" in found:
        rows.append(("strangers", f"{found['strangers']:.2f} per 1,000 characters"))
        himself = found["answers_himself"]
        rows.append(("answers himself", "no speech" if himself is None else f"{himself:.0%}"))
        rows.append(("words that end a run of four told before", f"{found['repeated']:.1%}"))
    return rows


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
    text: str, path: Path, names: Sequence[str], library: Library | None
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
            fields = ("validation_fraction", "validation_text", "encoding", "init")
            same = {field: told["training"][field] for field in fields}
            known_characters = Vocab.load(characters) if same["init"] else None
            reading = read(TrainingConfig(text=str(path), **same), known_characters)
            learned = reading.digest == told["read"]["sha256"]
        except (OSError, ValueError, TypeError, LookupError):  # nothing is told, or of other days
            continue
        if learned:
            notes.append(
                f"{path}: {weights.stem} learned from this text; try one that it never saw"
            )
    return notes


def history(name: str) -> list[tuple[float, float]]:
    """Characters seen and validation loss, from the summary beside the weights, if there is one."""
    summary = resolve(name)[0].with_suffix(".summary.json")
    points = json.loads(summary.read_text("utf-8")).get("history", []) if summary.exists() else []
    return [(p["characters"], p["validation"]) for p in points if p.get("validation") is not None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 0, or 2 with one line on stderr."""
    forgive_outputs()
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except ModuleNotFoundError as error:
        extra = "train" if error.name == "torch" else "bench"
        return _fail(f"{error.name} is not installed: pip install 'pooh[{extra}]'")
    except (ValueError, OSError) as error:
        return _fail(str(error))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
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
    texts = load_texts(options.data)
    if texts.missing and (texts.train or not options.text):  # else nothing was asked of them
        print(
            f"without {len(texts.missing)} books that are not in {options.data}; "
            "fetch them: python -m training.corpus",
            file=sys.stderr,
        )
    if options.text:
        text = read_for(options.text, Vocab.load(resolve(options.model[0])[1]))
    else:
        text = getattr(texts, options.part)
    if not text:
        raise CorpusError(
            f"{options.text or options.data}: no text to predict; give a FILE with --text, "
            "or fetch the books: python -m training.corpus"
        )
    library = Library(texts.train.values()) if texts.train else None
    text, notes = common_text(text, options.model)
    if options.text:
        notes += training_text(text, options.text, options.model, library)
    for note in notes:
        print(note, file=sys.stderr)
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

    if options.json:
        print(_json(reports), end="")
    else:
        Console().print(*tables(reports), sep="\n")
    if options.output:
        _store(options, reports)


def _store(options: argparse.Namespace, reports: list[Report]) -> None:
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


def _mean(nats: NDArray[np.float64]) -> Report:
    mean = float(nats.mean())
    return {"nats_per_character": mean, "bits_per_character": mean / math.log(2)}


def _columns(table: Table, *names: str) -> None:
    for number, name in enumerate(names):
        table.add_column(name, justify="left" if number < 2 else "right")


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
