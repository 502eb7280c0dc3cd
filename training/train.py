"""Train a network: `python -m training.train [--preset NAME] [--text FILE] [--resume] ...`.

From text to weights, vocabulary, loss plot and summary. Ctrl-C stops cleanly; `--resume` goes on.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from model.config import GPTConfig
from model.console import add_version, forgive_outputs, program
from model.vocab import Vocab
from model.weights import ROOT
from training.config import PRESETS, TrainingConfig
from training.corpus import books_folder, fetch_missing, find_books
from training.export import check_checkpoint, check_weights, describe, finish
from training.setup import build, learn_on
from training.texts import choose, read

if TYPE_CHECKING:
    pass

# What --resume may change: how long, on what, how it is watched, and where its files are.
_FREE = {
    *("steps", "epochs", "batch_size", "patience"),
    *("device", "dtype", "threads", "compile"),
    *("evaluate_every", "save_every"),
    *("name", "text", "validation_text", "books", "output", "checkpoints"),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, instead of the usage and a line."""
        self.exit(2, f"training: {message}; see --help\n")


def parser() -> argparse.ArgumentParser:
    """The command line: a flag for each field of TrainingConfig."""
    result = _Parser(
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
    for each in fields(TrainingConfig):
        name, default = f"--{each.name.replace('_', '-')}", each.default
        text = each.metadata["help"].replace("%", "%%")
        if isinstance(default, bool):
            result.add_argument(
                name, action=argparse.BooleanOptionalAction, default=None, help=text
            )
        elif isinstance(default, tuple):
            kinds = {"voice": float, "renamed": float, "made_up": float, "only": str}
            number = kinds.get(each.name, int)
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
    forgive_outputs()
    options = parser().parse_args(arguments)
    try:
        import torch  # noqa: F401
    except ImportError:
        return _fail("training needs PyTorch; install it: pip install '.[train]'")
    try:
        return _run(options)
    except (ValueError, OSError) as error:
        return _fail(str(error))
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        return _fail("not enough memory for this: lower --batch-size, or take a smaller network")
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
    preset = options.preset or (
        "finetune" if options.init else "classic" if options.text else "pooh"
    )
    if options.text and "name" not in given:
        given["name"] = "-".join(Path(options.text).stem.split())
    own = {"only": (), "keep": "best"} if options.text else {}
    config = replace(PRESETS[preset], **(own | given))
    if not options.resume:
        return config, {}
    about = checkpoints.read_about(path := config.checkpoint())
    begun = checkpoints.value(path, about, "training", TrainingConfig.from_json)
    for name in sorted(given.keys() - _FREE):
        if given[name] != (was := getattr(begun, name)):
            raise ValueError(f"--resume: {name} = {given[name]!r}: this training has {was!r}")
    # Folders are those of this command: the checkpoint may have been moved.
    given |= {name: getattr(config, name) for name in ("books", "output", "checkpoints")}
    return replace(begun, **given), about


def _run(options: argparse.Namespace) -> int:
    import torch
    import torch.distributed as dist

    from training import checkpoints
    from training.machine import keep_memory, threads
    from training.watch import Watch

    keep_memory()
    config, about = _configure(options)
    torch.set_num_threads(config.threads or threads())
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
        path = config.checkpoint()
        learned = known = sizes = None
        if about:
            sizes = checkpoints.value(path, about, "network", GPTConfig.from_json)
            known = checkpoints.value(path, about, "vocab", Vocab) if "vocab" in about else None
        elif config.init:
            given = {name for name, value in vars(options).items() if value is not None}
            config, learned, known = learn_on(config, given)
        reading = read(config, known)
        vocab = reading.vocab(known)
        if os.environ.get("RANK", "0") == "0":
            for note in reading.notes:
                print(f"training: {note}", file=sys.stderr)
        trainer = build(config, reading, vocab, sizes, learned)
        if about:
            if checkpoints.value(path, about, "reading", str) != reading.digest:
                raise ValueError(
                    "--resume: the text is not the one this training began with; "
                    "put it back, or train without --resume"
                )
            checkpoints.load(path, trainer)
        if not options.overwrite:
            each = config.batch_size * config.context_length
            check_weights(config, reading, trainer.steps * each)
            if not about:
                check_checkpoint(path)
        about = {
            "training": config.to_json(),
            "network": trainer.learner.model.config.to_json(),
            "reading": reading.digest,
            "vocab": vocab.characters,
        }
        first, ended = trainer.rank == 0, False
        stop = _catch_signals()  # before this there is nothing to save
        saved = time.monotonic()
        with Watch(trainer, quiet=not first) as watch:
            for progress in trainer.run():
                watch.show(progress)
                ended = trainer.agree(bool(stop))
                if ended:
                    break
                if first and time.monotonic() - saved > config.save_every:
                    watch.save(path, about)
                    saved = time.monotonic()
            if ended:
                if first:
                    checkpoints.save(path, trainer, about)
                watch.say(f"stopped at step {trainer.step}; go on with --resume")
            else:
                if trainer.step < trainer.steps:
                    watch.say(f"no better validation in {config.patience}: stopped early")
                if first:
                    watch.save(path, about | {"finished": "yes"})
        if first and not ended:
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
        os.write(2, b"\nstopping after this step (once more: at once)\n")
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGINT, catch)
    signal.signal(signal.SIGTERM, catch)
    return caught


if __name__ == "__main__":
    sys.exit(main())
