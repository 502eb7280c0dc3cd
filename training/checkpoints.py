"""A checkpoint is all that a training resumes from, in one safetensors file, whole or not there."""

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from training.trainer import Trainer

FORMAT = "pooh checkpoint 2"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message names the file and what is wrong."""


def save(path: Path, trainer: Trainer, about: dict[str, str]) -> None:
    """Write the state of a training under a temporary name, then rename it.

    Args:
        path: where; the folder is made if it is missing.
        trainer: what to save: weights, optimizers, random state, place and history.
        about: what else a resumed training must know; `read_about` gives it back.

    Raises:
        OSError: the disk is full, or does not let us.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: t.detach().contiguous() for name, t in trainer.learner.tensors().items()}
    tensors["random.cpu"] = torch.get_rng_state()
    if trainer.device.type == "cuda":
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    tensors["losses"] = trainer.losses
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        save_file(
            tensors, temporary, {"format": FORMAT, "state": json.dumps(trainer.state()), **about}
        )
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_about(path: Path) -> dict[str, str]:
    """What `save` was told beside the training's state.

    Raises:
        CheckpointError: there is none, or it is damaged or of another kind.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no checkpoint to resume from; train without --resume")
    try:
        with safe_open(path, framework="pt") as file:
            about = dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: damaged, or no checkpoint: {error}") from None
    if about.get("format") != FORMAT:
        raise CheckpointError(f"{path}: not a checkpoint of this program ({FORMAT!r})")
    return about


def load(path: Path, trainer: Trainer) -> None:
    """Put a training back to where it was saved.

    Raises:
        CheckpointError: the file is missing, damaged, or of another network.
    """
    state = json.loads(read_about(path)["state"])
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        trainer.learner.load(tensors)
        torch.set_rng_state(tensors["random.cpu"])
        if trainer.rank:  # what was saved is the first process's: the others must not repeat it
            torch.manual_seed(torch.initial_seed() + trainer.rank + trainer.world * state["step"])
        if trainer.device.type == "cuda" and "random.cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random.cuda"])
        trainer.losses = tensors["losses"]
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise CheckpointError(f"{path}: does not fit this training: {error}") from None
    trainer.restore(state)
