"""Train a network: `python -m training.train [--preset NAME] [--text FILE] [--resume] ...`.

From text to weights, vocabulary, loss plot and summary. Ctrl-C stops cleanly, as do SIGTERM and a
terminal that is gone; `--resume` goes on.
"""

import argparse
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.config import GPTConfig
from model.console import ConsoleError, Parser, add_version, forgive_outputs, program, tell
from model.strangers import NOBODY, Strangers
from model.vocab import Vocab
from model.weights import load_strangers
from training.config import PRESETS, RunConfig, TrainingConfig, all_fields, element, plain_name
from training.download import fetch_missing
from training.export import alone, check_checkpoint, check_output, check_weights, finish, report
from training.recipe import books_folder, find_books
from training.setup import build, learn_on
from training.signals import catch_signals, end_cleanly
from training.texts import TrainingTexts, choose, read

if TYPE_CHECKING:
    from training.trainer import Trainer

# What --resume may change: how long, on what, how it is watched, and where its files are.
_FREE = {
    *("steps", "epochs", "batch_size", "patience"),
    *("device", "dtype", "threads", "compile"),
    *("evaluate_every", "save_every"),
    *("name", "text", "validation_text", "books", "output", "checkpoints"),
}


_TITLES = {
    "data": "what is read",
    "network": "the network",
    "optimisation": "how it learns",
    "run": "the machine, and what is watched and kept",
}
_METAVARS = {int: "N", float: "F", str: "TEXT"}


def parser() -> argparse.ArgumentParser:
    """The command line: a flag for each field of a TrainingConfig."""
    result = Parser(
        prog=program("training.train", "pooh-train"),
        description="Train a network: from text to weights, vocabulary, loss plot and summary.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=32, width=100),
    )
    add_version(result)
    result.add_argument(
        "--preset",
        choices=sorted(PRESETS),
        help="where the other settings start from (default: pooh; with --text: classic; "
        "with --init: finetune)",
    )
    result.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    result.add_argument(
        "--overwrite",
        action="store_true",
        help="replace weights that another text or a longer training made, "
        "and the checkpoint of an interrupted training",
    )
    groups = {name: result.add_argument_group(title) for name, title in _TITLES.items()}
    for group, each in all_fields():
        name, (kind, several) = f"--{each.name.replace('_', '-')}", element(group, each.name)
        text, add = each.metadata["help"].replace("%", "%%"), groups[group].add_argument
        if kind is bool:
            add(name, action=argparse.BooleanOptionalAction, default=None, help=text)
        elif several:
            add(name, type=_several(kind), metavar="A,B,...", help=text)
        else:
            add(name, type=_not_empty if kind is str else kind, metavar=_METAVARS[kind], help=text)
    return result


def _not_empty(text: str) -> str:
    """What a flag names: nothing, where a shell's variable is not set, would mean its default."""
    if not text:
        raise argparse.ArgumentTypeError("nothing is named")
    return text


def _several(kind: type) -> Callable[[str], tuple[object, ...]]:
    def several(text: str) -> tuple[object, ...]:
        return tuple(kind(part) for part in text.split(",") if part)

    several.__name__ = f"comma-separated {kind.__name__}"
    return several


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    forgive_outputs()
    options = parser().parse_args(arguments)
    try:
        import matplotlib  # noqa: F401  (what would be missed hours later)
        import rich  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        missing = " ".join(str(error).split())
        return _fail(f"{missing}; install what training needs: pip install '.[train]'")
    try:
        return _run(options)
    except ValueError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except ConsoleError as error:  # all is done but for the telling
        if str(error):
            tell(f"training: {error}")
        return 1
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        return _fail("not enough memory for this: lower --batch-size, or take a smaller network")
    except KeyboardInterrupt:  # before the first step, or the second Ctrl-C
        return 130


def _fail(message: str) -> int:
    tell(f"training: {message}")
    return 2


@dataclass(frozen=True)
class Prepared:
    """A training that can begin, or go on.

    Attributes:
        trainer: where it is.
        texts: what it reads.
        vocab: the characters of that.
        away: strangers of the network that it learns on from.
        about: what a checkpoint must tell a training that is resumed.
    """

    trainer: "Trainer"
    texts: TrainingTexts
    vocab: Vocab
    away: Strangers
    about: dict[str, str]


def _run(options: argparse.Namespace) -> int:
    import torch

    from training import distributed
    from training.machine import keep_memory, threads

    keep_memory()
    end_cleanly()
    config, about = configure(options)
    torch.set_num_threads(config.run.threads or threads())
    if distributed.is_first():
        _fetch_books(config)
    distributed.start(config.run.device)  # the first process has the books now
    try:
        with alone(config) if distributed.is_first() else contextlib.nullcontext():
            prepared = prepare(options, config, about)
            stopped_by = loop(prepared)
            if not stopped_by and distributed.is_first():
                report(prepared.trainer.config, _finish(prepared))
        distributed.wait()  # no process ends under the others: gloo's threads are idle now
        code = 128 + stopped_by if stopped_by else 0
        distributed.end(code)
        return code
    finally:
        distributed.stop()


def _finish(prepared: Prepared) -> dict[str, Any]:
    """Write what a finished training leaves. Raises OSError, which tells how not to lose it."""
    trainer, checkpoint = prepared.trainer, prepared.trainer.config.checkpoint()
    try:
        return finish(trainer, prepared.vocab, prepared.texts, prepared.away)
    except OSError as error:
        kept = (
            f"; what was saved last is in {checkpoint}: make room, and --resume"
            if checkpoint.exists()
            else ""
        )
        raise OSError(f"{error.filename}: cannot be written: {error.strerror}{kept}") from None


def configure(options: argparse.Namespace) -> tuple[TrainingConfig, dict[str, str]]:
    """The config of the command line, and what the checkpoint knows if it is resumed."""
    from training import checkpoints

    given = _given(options)
    if "epochs" in given:  # how long is told in one way
        given.setdefault("steps", 0)
    preset = options.preset or (
        "finetune" if options.init else "classic" if options.text else "pooh"
    )
    if options.text and options.only:
        raise ValueError("--only chooses books; with --text none is read: leave out one of them")
    if options.text and "name" not in given:
        given["name"] = _name_of(Path(options.text))
    own = {"only": (), "keep": "best"} if options.text else {}
    config = PRESETS[preset].replace(**(own | given))
    if not options.resume:
        return config, {}
    about = checkpoints.read_about(path := config.checkpoint())
    begun = checkpoints.value(path, about, "training", TrainingConfig.from_json)
    for name in sorted(given.keys() - _FREE):
        if given[name] != (was := begun.flat()[name]):
            raise ValueError(f"--resume: {name} = {given[name]!r}: this training has {was!r}")
    # Folders are those of this command: the checkpoint may have been moved.
    given |= {name: config.flat()[name] for name in ("books", "output", "checkpoints")}
    return begun.replace(**given), about


def _name_of(text: Path) -> str:
    """The name of the model that learns a text. Raises ValueError where the text has none."""
    name = plain_name(text.stem.strip()).strip("-")  # it shall not look like a flag
    try:
        return RunConfig(name=name).name
    except ValueError:
        raise ValueError(f"--text {text}: no model can be called {name!r}; give a --name") from None


def _given(options: argparse.Namespace) -> dict[str, Any]:
    """The fields of a config that the command line names."""
    told = {each.name: getattr(options, each.name) for _, each in all_fields()}
    return {name: value for name, value in told.items() if value is not None}


def _fetch_books(config: TrainingConfig) -> None:
    """Download what is missing, where the books of the recipe are read from their own folder."""
    if not config.data.text and not config.data.books:
        books, folder = choose(config), books_folder()
        if len(find_books(folder, books)) < len(books):
            fetch_missing(books, folder)


def prepare(options: argparse.Namespace, config: TrainingConfig, about: dict[str, str]) -> Prepared:
    """From settings to a training: its texts, its network, and where it was.

    Args:
        options: the command line.
        config: from `configure`.
        about: what the checkpoint tells, if one is resumed.

    Raises:
        ValueError: a text, a checkpoint or a setting does not fit, or weights would be lost.
    """
    from training import checkpoints, distributed

    path = config.checkpoint()
    learned = known = sizes = None
    away = NOBODY
    if about:
        sizes = checkpoints.value(path, about, "network", GPTConfig.from_json)
        known = checkpoints.value(path, about, "vocab", Vocab) if "vocab" in about else None
        away = Strangers(about.get("strangers", "").split())
    elif config.network.init:
        given = _given(options).keys() | ({"preset"} if options.preset else set())
        config, learned, known = learn_on(config, given)
        away = load_strangers(config.network.init)
    texts = read(config, known)
    vocab = texts.vocab(known)
    if distributed.is_first():
        for note in texts.notes:
            tell(f"training: {note}")
    trainer = build(config, texts, vocab, sizes, learned)
    if about:
        if checkpoints.value(path, about, "reading", str) != texts.digest:
            raise ValueError(
                "--resume: the text is not the one this training began with; "
                "put it back, or train without --resume"
            )
        checkpoints.load(path, trainer)
    if not options.overwrite:
        each = config.optimisation.batch_size * trainer.mixture.library.length
        check_weights(config, texts, trainer.steps * each)
        if not about:
            check_checkpoint(path)
    if distributed.is_first():
        check_output(config)
    about = {
        "training": config.to_json(),
        "network": trainer.learner.model.config.to_json(),
        "reading": texts.digest,
        "vocab": vocab.characters,
        "strangers": " ".join(away.names),
    }
    return Prepared(trainer, texts, vocab, away, about)


def loop(prepared: Prepared) -> int:
    """Train to the end, or until a signal of `catch_signals`: its number, else 0.

    Checkpoints are written now and then, and at the end: what is interrupted can be resumed.
    """
    from training import checkpoints
    from training.machine import compiler_failed
    from training.progress import ProgressDisplay

    trainer, run = prepared.trainer, prepared.trainer.config.run
    path, first = trainer.config.checkpoint(), trainer.rank == 0
    caught = catch_signals()  # before this there was nothing to save
    saved = time.monotonic()
    with ProgressDisplay(trainer, quiet=not first) as display:
        try:
            for progress in trainer.run():
                display.show(progress)
                if trainer.agree(bool(caught)):
                    if first:
                        checkpoints.save(path, trainer, prepared.about)
                    display.say(f"stopped at step {trainer.step}; go on with --resume")
                    return caught[0] if caught else signal.SIGTERM  # another process caught it
                if first and time.monotonic() - saved > run.save_every:
                    display.save(path, prepared.about)
                    saved = time.monotonic()
        except RuntimeError as error:
            if not caught or trainer.world > 1 or not compiler_failed(error):
                raise
            # The terminal's signals go to the compiler, too, and end it in the midst of a step.
            display.say(f"stopped while compiling, at step {trainer.step}; nothing new is saved")
            return caught[0]
        if trainer.step < trainer.steps:
            display.say(f"no better validation in {run.patience}: stopped early")
        if first:
            display.save(path, prepared.about | {"finished": "yes"})
    return 0


if __name__ == "__main__":
    sys.exit(main())
