"""What a finished training leaves: weights, vocabulary, plot and summary; what they may replace."""

import contextlib
import json
import os
import platform
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.console import standard_output
from model.files import held, write_atomically
from model.quantised import quantise
from model.strangers import NOBODY, Strangers
from model.vocab import Vocab
from model.weights import ROOT
from training.config import TrainingConfig
from training.names import strangers, strangers_left
from training.texts import TrainingTexts

if TYPE_CHECKING:
    from torch import Tensor

    from training.trainer import Trainer


class OverwriteError(ValueError):
    """Something would be lost; the message says what, and how to go on."""


def check_weights(config: TrainingConfig, texts: TrainingTexts, characters: int) -> None:
    """Raise OverwriteError if a training would replace weights that it does not stand in for.

    These are weights that another text made, or that a longer training of the same text did.

    Args:
        config: how it trains: its files have `config.run.name`.
        texts: what it reads.
        characters: how many it will have seen at its end.
    """
    weights = config.path("weights", ".safetensors")
    if not weights.exists():
        return
    try:
        told = json.loads(config.path("weights", ".summary.json").read_bytes())
        digest, seen = told["read"]["sha256"], int(told["characters_seen"])
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        digest, seen = "", 0
    if digest != texts.digest:
        why = "which another text made"
    elif seen > characters:
        why = f"which saw {seen:,} characters, more than the {characters:,} of this training"
    else:
        return
    raise OverwriteError(
        f"{weights}: there are weights of this name already, {why}; "
        "give another --name, or --overwrite to replace them"
    )


def check_output(config: TrainingConfig) -> None:
    """Raise OSError if what a training leaves could not be written: not after hours, but before."""
    for kind in ("weights", "vocab"):
        check_folder("output", config.path(kind, "").parent)
    check_folder("checkpoints", config.checkpoint().parent)


def check_folder(flag: str, path: Path) -> None:
    """Raise OSError, naming the flag, if no file can be written into a folder, there or not."""
    try:
        # Who is interrupted leaves no empty folder behind: what is not there is not made yet.
        there = next(folder for folder in (path, *path.parents) if folder.exists())
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        reason = error.strerror or error
        raise OSError(f"--{flag}: {path}: nothing can be written there: {reason}") from None


def check_checkpoint(path: Path) -> None:
    """Raise OverwriteError if a training was interrupted whose checkpoint would be replaced."""
    from training import checkpoints

    if not path.exists():
        return
    try:
        about = checkpoints.read_about(path)
        step = checkpoints.value(path, about, "step", int)
    except checkpoints.CheckpointError:
        what = "a file that is no checkpoint of this program"
    else:
        if about.get("finished"):
            return
        what = f"an interrupted training, at step {step:,}: go on with --resume"
    raise OverwriteError(f"{path}: {what}; give another --name, or --overwrite to begin anew")


@contextlib.contextmanager
def alone(config: TrainingConfig) -> Iterator[None]:
    """Raise OverwriteError if another training of this name is at work, else keep others off."""
    path = config.checkpoint().with_suffix(".lock")
    try:
        with held(path):
            yield
    except BlockingIOError:
        raise OverwriteError(
            f"{path}: a training of this name is at work here; wait for it, or give another --name"
        ) from None


def export(weights: Mapping[str, "Tensor"]) -> dict[str, NDArray[Any]]:
    """Weights by name as they are shipped: float16, the n-gram table's rows quantised."""
    tensors: dict[str, NDArray[Any]] = {}
    for name, tensor in weights.items():
        values = (
            tensor.float().cpu().numpy() if tensor.is_floating_point() else tensor.cpu().numpy()
        )
        if name == "ngrams.rows.weight" and values.shape[1] % 2 == 0:
            values, tensors["ngrams.rows.scale"] = quantise(values)
        elif values.dtype == np.float32:
            values = values.astype(np.float16)
        tensors[name] = values
    return tensors


def finish(
    trainer: "Trainer", vocab: Vocab, texts: TrainingTexts, away: Strangers = NOBODY
) -> dict[str, Any]:
    """Write weights, vocabulary, plot and summary of a finished training.

    Args:
        trainer: at its end.
        vocab: the characters.
        texts: what was read.
        away: strangers of the network that it learned on from.

    Returns:
        The summary.
    """
    import torch

    from model.weights import save as save_weights
    from training import plots

    config, gpt = trainer.config, trainer.learner.model
    shipped, moment = trainer.shipped()
    voice, library = ([text for text, _ in part] for part in (texts.near, texts.library))
    away = strangers(library, voice) if voice and library else strangers_left(away, library)
    sizes = replace(gpt.config, far_gain=config.run.writing_gain or gpt.config.far_gain)
    save_weights(config.path("weights", ".safetensors"), sizes, vocab, export(shipped), away)
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
        "name": config.run.name,
        "parameters": sum(parameters.values()),
        "parameters_in_table": table,
        "network": json.loads(sizes.to_json()),
        "training": json.loads(config.to_json()),
        "read": {
            "characters": sum(len(t) for t, _ in (*texts.near, *texts.library)),
            "texts": len(texts.near) + len(texts.library),
            "validation_characters": len(texts.validation),
            "sha256": texts.digest,
        },
        "steps": last.step,
        "characters_seen": last.characters,
        "seconds": round(last.seconds, 1),
        "characters_per_second": round(last.characters / max(last.seconds, 1e-9)),
        # The losses are of the weights that are shipped, at that step and the gain they learned
        # with (those in training: the mean since the measurement before).
        "weights_kept": "best" if trainer.kept else "last",
        "weights_step": moment.step,
        "train_loss": _both(moment.loss),
        "train_loss_last_quarter": _both(moment.tail_loss),
        "validation_loss": _both(moment.validation),
        "machine": {
            "device": str(trainer.device),
            "dtype": str(trainer.dtype).removeprefix("torch."),
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "compiled": config.run.compile and not trainer.uncompiled,
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
    page = describe(summary).encode(errors="backslashreplace")  # a path need not be UTF-8
    write_atomically(config.path("weights", ".summary.txt"), page)
    figure = plots.loss_figure(
        config.run.name,
        [(p.characters, p.loss) for p in trainer.history],
        [(p.characters, p.validation) for p in trainer.history if p.validation is not None],
    )
    plots.save(figure, config.path("weights", ".loss.png"))
    return summary


def report(config: TrainingConfig, summary: dict[str, Any]) -> None:
    """Say what a finished training is, where it is, and how to try it, if anybody listens.

    Raises:
        ConsoleError: standard output takes no more.
    """
    if sys.stdout is None:
        return
    weights = config.path("weights", ".safetensors")
    name = weights.stem if weights.parent == ROOT / "weights" else str(weights)
    with standard_output() as out:
        print(describe(summary), file=out)
        print(f"weights: {weights}", file=out)
        print(f"try them: python -m model --model {shlex.quote(name)}", file=out)


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
        ("weights kept", f"the {summary['weights_kept']}, of step {summary['weights_step']:,}"),
    ]
    for name in ("train_loss", "train_loss_last_quarter", "validation_loss"):
        loss = summary[name]
        text = "not measured"
        if loss is not None:
            text = f"{loss['nats']:.4f} nats per character ({loss['bits']:.4f} bits)"
            text += f" at step {summary['weights_step']:,}"
        rows.append((name.replace("_", " "), text))
    machine = summary["machine"]
    cores = f"{machine['threads']} of {machine['cores']} cores"
    rows.append(("machine", f"{machine['device']}, {cores}, {machine['dtype']}"))
    rows.append(("versions", ", ".join(f"{k} {v}" for k, v in summary["versions"].items())))
    rows += [("command", summary["command"]), ("text, SHA-256", summary["read"]["sha256"])]
    rows.append(("date", summary["date"]))
    width = max(len(name) for name, _ in rows)
    lines = (f"{name:<{width}}  {value}" for name, value in rows)
    return f"{summary['name']}\n\n" + "\n".join(lines) + "\n"


def _both(nats: float | None) -> dict[str, float] | None:
    """A loss in nats and bits."""
    return None if nats is None else {"nats": nats, "bits": nats / float(np.log(2))}
