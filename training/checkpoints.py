"""A checkpoint is all that a training resumes from, in one safetensors file, whole or not there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from model.tensors import (
    Header,
    TensorFileError,
    Tensors,
    open_tensors,
    read_header,
    read_tensors,
    write,
)
from training.trainer import Trainer

FORMAT = "pooh checkpoint 3"
MOST = 2**40  # bytes: nobody's memory is as large, and a sound file is no larger than memory

Value = TypeVar("Value")
_ADAM = frozenset(("step", "exp_avg", "exp_avg_sq"))


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message names the file and what is wrong."""


def save(path: Path, trainer: Trainer, about: dict[str, str]) -> None:
    """Write the state of a training, atomically.

    Args:
        path: where; the folder is made if it is missing.
        trainer: what to save: weights, optimizers, random state, place and history.
        about: what else a resumed training must know; `read_about` gives it back, and the step.

    Raises:
        CheckpointError: a number is not finite.
        OSError: the disk is full, or does not let us.
    """
    tensors = {name: t.detach() for name, t in trainer.learner.tensors().items()}
    tensors |= {f"kept.{name}": t for name, t in trainer.kept.items()}
    tensors["random.cpu"] = torch.get_rng_state()
    if trainer.device.type == "cuda":
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    tensors["losses"] = trainer.losses
    arrays = {name: tensor.cpu().numpy() for name, tensor in tensors.items()}
    _check_finite(path, arrays)
    arrays["state"] = np.frombuffer(json.dumps(trainer.state()).encode(), np.uint8)
    try:
        write(path, arrays, {"format": FORMAT, "step": str(trainer.step), **about}, most=MOST)
    except TensorFileError as error:
        raise CheckpointError(f"{path}: {error}") from None


def read_about(path: Path) -> dict[str, str]:
    """What `save` was told beside the training's state.

    Raises:
        CheckpointError: there is none, or it is damaged or of another kind.
    """
    try:
        with open_tensors(path, most=MOST) as file:
            return _about(path, read_header(file))
    except (TensorFileError, OSError) as error:
        raise _unusable(path, error) from None


def value(path: Path, about: dict[str, str], name: str, parse: Callable[[str], Value]) -> Value:
    """One of the texts of `read_about`, as what it means.

    Raises:
        CheckpointError: it is missing, or `parse` raised ValueError or TypeError.
    """
    if name not in about:
        raise CheckpointError(f"{path}: says nothing of its {name}")
    try:
        return parse(about[name])
    except (ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path}: its {name} cannot be used: {error}") from None


def load(path: Path, trainer: Trainer) -> None:
    """Put a training back to where it was saved.

    Raises:
        CheckpointError: the file is missing, damaged, or of another training.
        ValueError: the config leaves nothing to train, and the training is not at its end.
    """
    try:
        with open_tensors(path, most=MOST) as file:
            header = read_header(file)
            _about(path, header)
            arrays = read_tensors(file, header)
    except (TensorFileError, OSError) as error:
        raise _unusable(path, error) from None
    _check_finite(path, arrays)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    try:
        trainer.restore(json.loads(tensors.pop("state").numpy().tobytes()))
        trainer.losses = tensors.pop("losses")
        cpu, cuda = tensors.pop("random.cpu"), tensors.pop("random.cuda", None)
        trainer.kept = {
            name.removeprefix("kept."): tensors.pop(name)
            for name in list(tensors)
            if name.startswith("kept.")
        }
        trainer.learner.load(tensors)
        _check_fit(trainer, tensors)
        torch.set_rng_state(cpu)
        if trainer.rank:  # what was saved is the first process's: the others must not repeat it
            torch.manual_seed(torch.initial_seed() + trainer.rank + trainer.world * trainer.step)
        if trainer.device.type == "cuda" and cuda is not None:
            torch.cuda.set_rng_state(cuda)
    except (LookupError, ValueError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())  # PyTorch's have several lines
        raise CheckpointError(f"{path}: does not fit this training: {reason}") from None
    trainer.check_steps()


def _check_finite(path: Path, arrays: Tensors) -> None:
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise CheckpointError(f"{path}: {name} holds a number that is not finite")


def _check_fit(trainer: Trainer, tensors: dict[str, torch.Tensor]) -> None:
    """Raise ValueError for a tensor too many, missing, or of a shape, that PyTorch lets pass."""
    learner, held = trainer.learner, trainer.learner.model.state_dict()
    if odd := tensors.keys() ^ learner.tensors().keys():
        raise ValueError(f"unknown: {', '.join(sorted(odd))}")
    names = dict(learner.model.named_parameters()).keys()
    if trainer.kept and (odd := trainer.kept.keys() ^ held.keys()):
        raise ValueError(f"missing or unknown: kept.{min(odd)}")
    if learner.mean and (odd := learner.mean.keys() ^ names):
        raise ValueError(f"missing or unknown: mean.{min(odd)}")
    pairs = [(f"mean.{name}", tensor, held[name]) for name, tensor in learner.mean.items()]
    pairs += [(f"kept.{name}", tensor, held[name]) for name, tensor in trainer.kept.items()]
    pairs.append(("losses", trainer.losses, torch.zeros(4)))
    for kind, optimizer in learner.optimizers.items():
        moved = [p for group in optimizer.param_groups for p in group["params"]]
        moments = {frozenset(optimizer.state[p]) for p in moved}
        if len(moments) > 1 or (kind in ("vectors", "table") and moments != {_ADAM}):
            raise ValueError(f"missing: a moment of {kind}")
        if len(optimizer.state) > len(moved):
            raise ValueError(f"unknown: a moment of {kind}")
        for parameter in moved:
            pairs += [
                (f"{kind}.{name}", moment, parameter)
                for name, moment in optimizer.state[parameter].items()
                if isinstance(moment, torch.Tensor) and moment.dim()
            ]
    for name, tensor, like in pairs:
        if tensor.shape != like.shape:
            raise ValueError(f"{name} has the shape {tuple(tensor.shape)}, not {tuple(like.shape)}")


def _about(path: Path, header: Header) -> dict[str, str]:
    if header.about.get("format") != FORMAT or header.digest is None:
        raise CheckpointError(f"{path}: not a checkpoint of this program ({FORMAT!r})")
    return header.about


def _unusable(path: Path, error: TensorFileError | OSError) -> CheckpointError:
    if isinstance(error, FileNotFoundError):
        end = ".checkpoint.safetensors"
        others = sorted(other.name.removesuffix(end) for other in path.parent.glob(f"*{end}"))
        remedy = (
            f"give the --name of one: {', '.join(others)}" if others else "begin without --resume"
        )
        return CheckpointError(f"{path}: no checkpoint to resume from; {remedy}")
    if isinstance(error, OSError):
        return CheckpointError(f"{path}: cannot read the checkpoint: {error.strerror or error}")
    return CheckpointError(f"{path}: damaged, or no checkpoint: {error}")
