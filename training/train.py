"""Train a network: `python -m training.train [--preset NAME] [--text FILE] [--resume] ...`.

From text to weights, vocabulary, loss plot and summary. Ctrl-C stops cleanly; `--resume` goes on.
"""

import argparse
import hashlib
import json
import os
import platform
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from rich import progress as bars
from rich.console import Console

from model.config import GPTConfig
from model.files import write_atomically
from model.vocab import Vocab
from model.weights import ROOT
from training.config import PRESETS, TrainingConfig
from training.corpus import (
    Book,
    CorpusError,
    book_text,
    books_folder,
    fetch_missing,
    find_books,
    load_texts,
    read_recipe,
)
from training.dataset import Source
from training.text import chapters, story

if TYPE_CHECKING:
    from model.gpt import GPT
    from training.trainer import Progress, Trainer

NEAR = "voice"  # the stage of the books whose weight follows --voice
# What --resume may change: how long, on what, how it is watched, and where its files are.
_FREE = {
    *("steps", "epochs", "batch_size", "patience"),
    *("device", "dtype", "threads", "compile"),
    *("evaluate_every", "save_every"),
    *("name", "text", "validation_text", "books", "output", "checkpoints"),
}


@dataclass(frozen=True)
class Reading:
    """All texts of a training, as characters.

    Attributes:
        near: (text, weight) of the books whose weight follows `voice`.
        library: (text, weight) of the others.
        validation: a text to validate on, or "".
        openings: (text, weight) of the chapters' openings, which the books of `near` hold too.
    """

    near: tuple[tuple[str, float], ...]
    library: tuple[tuple[str, float], ...]
    validation: str
    openings: tuple[tuple[str, float], ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, in hex."""
        whole = hashlib.sha256()
        for part in (self.near, self.openings, self.library, ((self.validation, 0.0),)):
            whole.update(f"{len(part)} ".encode())
            for text, weight in part:
                whole.update(f"{len(text)} {weight} {text}".encode())
        return whole.hexdigest()

    def vocab(self) -> Vocab:
        """The characters that occur."""
        texts = (*(t for t, _ in self.near), *(t for t, _ in self.library), self.validation)
        return Vocab("".join(sorted(set().union(*texts))))


def read(config: TrainingConfig) -> Reading:
    """The texts that a config names: its --text, or the books of the recipe.

    Raises:
        CorpusError: a file is missing or cannot be read, or no book is there.
    """
    validation = book_text(Path(config.validation_text)) if config.validation_text else ""
    if config.text:
        text = book_text(Path(config.text))
        if not text.strip():
            raise CorpusError(f"{config.text}: no text in it")
        if not validation and config.validation_fraction:
            cut = round(len(text) * (1 - config.validation_fraction))
            text, validation = text[:cut], text[cut:]
        return Reading((), ((text, 1.0),), validation)
    folder = Path(config.books) if config.books else books_folder()
    chosen = choose(config)
    texts = load_texts(folder, chosen)
    if texts.missing:
        raise CorpusError(
            f"{folder}: {len(texts.missing)} of {len(chosen)} books are missing "
            f"({', '.join(texts.missing[:3])} ...); fetch them: python -m training.corpus"
        )
    near: list[tuple[str, float]] = []
    library: list[tuple[str, float]] = []
    begun: list[tuple[str, float]] = []
    for book in chosen:
        text = texts.train[book.slug]
        weight = 1.0 if config.only else book.weight  # it weighs against the rest of the list
        (near if book.stage == NEAR else library).append((text, weight))
        if book.train and config.openings:
            begun += [(o, config.openings) for o in openings(text, config.context_length + 1)]
    return Reading(tuple(near), tuple(library), validation or texts.validation, tuple(begun))


def choose(config: TrainingConfig) -> list[Book]:
    """The books of the recipe that a config names. Raises CorpusError for one that is not there."""
    recipe = read_recipe()
    if unknown := set(config.only) - {book.slug for book in recipe}:
        raise CorpusError(f"only = {', '.join(sorted(unknown))}: not in data/books.toml")
    return [book for book in recipe if not config.only or book.slug in config.only]


def openings(text: str, length: int) -> list[str]:
    """The first `length` characters of each chapter's story, headings left out."""
    return [story(chapter)[:length] for chapter in chapters(text)]


def build(
    config: TrainingConfig, reading: Reading, vocab: Vocab, sizes: GPTConfig | None = None
) -> "Trainer":
    """A training of a new network.

    Args:
        config: how.
        reading: what it reads.
        vocab: the characters of that.
        sizes: those of a checkpoint, whose n-gram table is filled already.

    Raises:
        ValueError: the texts are too short, or a field does not fit.
    """
    import torch

    from model.gpt import GPT
    from training.trainer import Data, Trainer, known_runs

    near, opened, library = (
        tuple(Source(ids(text, vocab), weight) for text, weight in part)
        for part in (reading.near, reading.openings, reading.library)
    )
    known = None
    if sizes is None:
        names = {field.name for field in fields(GPTConfig)} & {f.name for f in fields(config)}
        names.remove("attention_window")
        sizes = GPTConfig(
            vocab_size=len(vocab),
            word_breaks=tuple(vocab.characters.index(c) for c in "\n " if c in vocab),
            **{name: getattr(config, name) for name in names},
            attention_window=min(config.attention_window, config.context_length),
        )
        if sizes.n_runs:
            counted = [(s.ids, 2) for s in near] + [(s.ids, 1) for s in library]
            known = known_runs(counted, sizes, config.ngram_least)
            if len(known):
                sizes = replace(sizes, ngram_rows=len(known))
            else:  # the text repeats nothing often enough to fill a table
                sizes = replace(sizes, ngram_orders=(), ngram_words=(), ngram_rows=0)
    torch.manual_seed(config.seed)
    gpt = GPT(sizes)
    if gpt.ngrams is not None and known is not None:
        gpt.ngrams.known.copy_(torch.from_numpy(known))
    if not near:  # a text of one's own has no other voice beside it
        near, library = library, ()
    return Trainer(config, gpt, Data(near + opened, library, ids(reading.validation, vocab)))


def ids(text: str, vocab: Vocab) -> NDArray[np.uint8]:
    """The ids of a text, (N,). Vocabularies of training are ASCII, so a table does it."""
    table = np.zeros(128, np.uint8)
    table[list(vocab.characters.encode("ascii"))] = np.arange(len(vocab))
    return table[np.frombuffer(text.encode("ascii"), np.uint8)]


def export(gpt: "GPT") -> dict[str, NDArray[Any]]:
    """The weights as they are shipped: float16, the rows of the n-gram table int8 with a scale."""
    tensors: dict[str, NDArray[Any]] = {}
    for name, tensor in gpt.state_dict().items():
        values = (
            tensor.float().cpu().numpy() if tensor.is_floating_point() else tensor.cpu().numpy()
        )
        if name == "ngrams.rows.weight":
            scale = np.maximum(np.abs(values).max(axis=1), 1e-8) / 127
            tensors["ngrams.rows.scale"] = scale.astype(np.float32)
            values = np.round(values / scale[:, None]).astype(np.int8)
        elif values.dtype == np.float32:
            values = values.astype(np.float16)
        tensors[name] = values
    return tensors


def finish(trainer: "Trainer", vocab: Vocab, reading: Reading) -> dict[str, Any]:
    """Write weights, vocabulary, plot and summary of a finished training; returns the summary."""
    import torch

    from model.weights import save as save_weights
    from training import plots

    config, gpt = trainer.config, trainer.learner.model
    best = config.checkpoint("best")
    kept = "last"
    if config.keep == "best" and trainer.lowest() < float("inf") and best.is_file():
        kept = "best"
        write_atomically(config.path("weights", ".safetensors"), best.read_bytes())
    else:
        save_weights(config.path("weights", ".safetensors"), gpt.config, vocab, export(gpt))
    vocab.save(config.path("vocab", ".json"))
    history = [
        {
            "step": p.step,
            "characters": p.characters,
            "train": p.loss,
            "train_last_quarter": p.tail_loss,
            "validation": p.validation,
        }
        for p in trainer.history
    ]
    last = trainer.history[-1]
    parameters = {name: p.numel() for name, p in gpt.named_parameters()}
    table = parameters.get("ngrams.rows.weight", 0)
    summary: dict[str, Any] = {
        "name": config.name,
        "parameters": sum(parameters.values()),
        "parameters_in_table": table,
        "network": json.loads(gpt.config.to_json()),
        "training": json.loads(config.to_json()),
        "read": {
            "characters": sum(len(t) for t, _ in (*reading.near, *reading.library)),
            "texts": len(reading.near) + len(reading.library),
            "validation_characters": len(reading.validation),
            "sha256": reading.digest,
        },
        "steps": last.step,
        "characters_seen": last.characters,
        "seconds": round(last.seconds, 1),
        "characters_per_second": round(last.characters / max(last.seconds, 1e-9)),
        "weights_kept": kept,
        "train_loss": _both(last.loss),
        "train_loss_last_quarter": _both(last.tail_loss),
        "validation_loss": _both(trainer.lowest() if kept == "best" else last.validation),
        "machine": {
            "device": str(trainer.device),
            "dtype": str(trainer.dtype).removeprefix("torch."),
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "processes": trainer.world,
        },
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "command": shlex.join(["python", "-m", "training.train", *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d"),
        "history": history,
    }
    write_atomically(
        config.path("weights", ".summary.json"), (json.dumps(summary, indent=1) + "\n").encode()
    )
    write_atomically(config.path("weights", ".summary.txt"), describe(summary).encode())
    figure = plots.loss_figure(
        config.name,
        [(p.characters, p.loss) for p in trainer.history],
        [(p.characters, p.validation) for p in trainer.history if p.validation is not None],
    )
    plots.save(figure, config.path("weights", ".loss.png"))
    return summary


def describe(summary: dict[str, Any]) -> str:
    """A summary as text for people."""
    rows = [
        ("parameters", f"{summary['parameters']:,}"),
        ("... of these in the n-gram table", f"{summary['parameters_in_table']:,}"),
        ("characters read", f"{summary['read']['characters']:,}"),
        ("characters seen in training", f"{summary['characters_seen']:,}"),
        ("steps", f"{summary['steps']:,}"),
        ("minutes", f"{summary['seconds'] / 60:.1f}"),
        ("characters a second", f"{summary['characters_per_second']:,}"),
        ("weights kept", f"the {summary['weights_kept']}"),
    ]
    for name in ("train_loss", "train_loss_last_quarter", "validation_loss"):
        loss = summary[name]
        text = "not measured"
        if loss is not None:
            text = f"{loss['nats']:.4f} nats per character ({loss['bits']:.4f} bits)"
        rows.append((name.replace("_", " "), text))
    machine = summary["machine"]
    rows.append(("machine", f"{machine['device']}, {machine['cores']} cores, {machine['dtype']}"))
    rows.append(("versions", ", ".join(f"{k} {v}" for k, v in summary["versions"].items())))
    rows += [("command", summary["command"]), ("text, SHA-256", summary["read"]["sha256"])]
    rows.append(("date", summary["date"]))
    width = max(len(name) for name, _ in rows)
    lines = (f"{name:<{width}}  {value}" for name, value in rows)
    return f"{summary['name']}\n\n" + "\n".join(lines) + "\n"


def _both(nats: float | None) -> dict[str, float] | None:
    """A loss in nats and bits."""
    return None if nats is None else {"nats": nats, "bits": nats / float(np.log(2))}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, instead of the usage and a line."""
        self.exit(2, f"training: {message}; see --help\n")


def parser() -> argparse.ArgumentParser:
    """The command line: a flag for each field of TrainingConfig."""
    result = _Parser(
        prog="python -m training.train",
        description="Train a network: from text to weights, vocabulary, loss plot and summary.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=32, width=100),
    )
    result.add_argument(
        "--preset",
        choices=sorted(PRESETS),
        help="where the other settings start from (default: pooh; with --text: classic)",
    )
    result.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    for each in fields(TrainingConfig):
        name, default = f"--{each.name.replace('_', '-')}", each.default
        text = each.metadata["help"].replace("%", "%%")
        if isinstance(default, bool):
            result.add_argument(
                name, action=argparse.BooleanOptionalAction, default=None, help=text
            )
        elif isinstance(default, tuple):
            number = float if each.name == "voice" else str if each.name == "only" else int
            result.add_argument(name, type=_several(number), metavar="A,B,...", help=text)
        else:
            kind = type(default)
            metavar = {int: "N", float: "F", str: "TEXT"}[kind]
            result.add_argument(name, type=kind, metavar=metavar, help=text)
    return result


def _several(kind: type) -> Callable[[str], tuple[Any, ...]]:
    def several(text: str) -> tuple[Any, ...]:
        return tuple(kind(part) for part in text.split(",") if part)

    several.__name__ = f"comma-separated {kind.__name__}"
    return several


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        import torch  # noqa: F401
    except ImportError:
        return _fail("training needs PyTorch; install it: pip install '.[train]'")
    try:
        return _run(options)
    except (ValueError, OSError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:  # before the first step, or the second Ctrl-C
        return 130


def _fail(message: str) -> int:
    print(f"training: {message}", file=sys.stderr)
    return 2


def _configure(options: argparse.Namespace) -> tuple[TrainingConfig, dict[str, str]]:
    """The config of the command line, and what the checkpoint knows if it is resumed."""
    from training import checkpoints

    given = {f.name: getattr(options, f.name) for f in fields(TrainingConfig)}
    given = {name: value for name, value in given.items() if value is not None}
    if "epochs" in given:  # how long is told in one way
        given.setdefault("steps", 0)
    preset = options.preset or ("classic" if options.text else "pooh")
    if options.text and "name" not in given:
        given["name"] = "-".join(Path(options.text).stem.split())
    own = {"only": (), "keep": "best"} if options.text else {}
    config = replace(PRESETS[preset], **(own | given))
    if not options.resume:
        return config, {}
    about = checkpoints.read_about(config.checkpoint())
    begun = TrainingConfig.from_json(about["training"])
    for name in sorted(given.keys() - _FREE):
        if given[name] != (was := getattr(begun, name)):
            raise ValueError(f"--resume: {name} = {given[name]!r}: this training has {was!r}")
    # Folders are those of this command: the checkpoint may have been moved.
    given |= {name: getattr(config, name) for name in ("books", "output", "checkpoints")}
    return replace(begun, **given), about


def _run(options: argparse.Namespace) -> int:
    import torch
    import torch.distributed as dist

    from model.weights import save as save_weights
    from training import checkpoints

    keep_memory()
    config, about = _configure(options)
    if config.threads:
        torch.set_num_threads(config.threads)
    if not config.text and not config.books and os.environ.get("RANK", "0") == "0":
        books, folder = choose(config), books_folder()
        if len(find_books(folder, books)) < len(books):
            fetch_missing(books, folder)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        cuda = config.device in ("auto", "cuda") and torch.cuda.is_available()
        if cuda:
            rank, count = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
            if rank >= count:
                raise ValueError(f"more processes than GPUs ({count}): give --device cpu, or fewer")
            torch.cuda.set_device(rank)
        dist.init_process_group("nccl" if cuda else "gloo")
        dist.barrier()  # the first process has the books now
    try:
        stop = _catch_signals()
        reading = read(config)
        vocab = reading.vocab()
        sizes = GPTConfig.from_json(about["network"]) if about else None
        trainer = build(config, reading, vocab, sizes)
        if about:
            if about["reading"] != reading.digest:
                raise ValueError(
                    "--resume: the text is not the one this training began with; "
                    "put it back, or train without --resume"
                )
            checkpoints.load(config.checkpoint(), trainer)
        about = {
            "training": config.to_json(),
            "network": trainer.learner.model.config.to_json(),
            "reading": reading.digest,
        }
        first, ended = trainer.rank == 0, False
        saved = time.monotonic()
        with Watch(trainer, quiet=not first) as watch:
            for progress in trainer.run():
                watch.show(progress)
                if first and progress.best and config.keep == "best":
                    gpt = trainer.learner.model
                    save_weights(config.checkpoint("best"), gpt.config, vocab, export(gpt))
                ended = trainer.agree(bool(stop))
                if first and (ended or time.monotonic() - saved > config.save_every):
                    checkpoints.save(config.checkpoint(), trainer, about)
                    saved = time.monotonic()
                if ended:
                    watch.say(f"stopped at step {progress.step}; go on with --resume")
                    break
                if trainer.out_of_patience():
                    watch.say(f"no better validation in {config.patience}: stopped early")
                    break
        if first and not ended:
            checkpoints.save(config.checkpoint(), trainer, about)
            print(describe(finish(trainer, vocab, reading)))
            weights = config.path("weights", ".safetensors")
            print(f"weights: {weights}\ntry them: python -m model --model {_short(weights)}")
        if dist.is_initialized():
            # No process ends under the others: gloo's threads are idle when all get here.
            dist.barrier()
        if ended:
            return 130 if stop == [signal.SIGINT] else 143
        return 0
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _short(weights: Path) -> str:
    """What `--model` takes for these weights: the name, where it is one of this project's own."""
    return weights.stem if weights.parent == ROOT / "weights" else str(weights)


def _catch_signals() -> list[int]:
    """A list that Ctrl-C or SIGTERM puts its number in; a second one is obeyed at once."""
    caught: list[int] = []

    def catch(number: int, _: object) -> None:
        caught.append(number)
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGINT, catch)
    signal.signal(signal.SIGTERM, catch)
    return caught


def keep_memory() -> None:
    """Tell glibc to keep freed memory: giving it back and taking it anew costs most of a step."""
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return  # another C library
    mallopt(-4, 0)  # M_MMAP_MAX: no separate mappings
    mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD: keep the top of the heap


class Watch:
    """Shows a training: a progress bar in a terminal, plain lines elsewhere."""

    def __init__(self, trainer: "Trainer", *, quiet: bool) -> None:
        self.trainer = trainer
        self.console = Console(stderr=True, quiet=quiet)
        self.bar = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.shown = 0.0

    def __enter__(self) -> "Watch":
        model = self.trainer.learner.model
        self.say(
            f"{self.trainer.config.name}: {sum(p.numel() for p in model.parameters()):,} "
            f"parameters, {self.trainer.steps:,} steps, on {self.trainer.device} "
            f"in {str(self.trainer.dtype).removeprefix('torch.')}"
        )
        self.start = (self.trainer.step, self.trainer.seconds)
        self.bar.start()
        self.task = self.bar.add_task("", total=self.trainer.steps, completed=self.trainer.step)
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def say(self, line: str) -> None:
        """Print one line."""
        self.console.print(line, highlight=False, soft_wrap=True)

    def show(self, progress: "Progress") -> None:
        """Show one step."""
        step, seconds = self.start
        each = (progress.seconds - seconds) / (progress.step - step)
        rate = progress.characters / progress.step / max(each, 1e-9)
        line = f"loss {progress.loss:.4f}  {rate:,.0f} characters/s"
        self.bar.update(self.task, completed=progress.step, description=line)
        now = time.monotonic()
        due = not self.console.is_terminal and now - self.shown > 30
        if progress.validation is not None or due or progress.step == progress.steps:
            self.shown = now
            left = (progress.steps - progress.step) * each / 60
            line = f"step {progress.step}/{progress.steps}  {line}  {left:.0f} min left"
            if progress.validation is not None:
                line += f"  validation {progress.validation:.4f}" + " *" * progress.best
            self.say(line)


if __name__ == "__main__":
    sys.exit(main())
