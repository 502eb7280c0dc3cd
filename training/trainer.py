"""The training loop: a generator of `Progress`; to print, save or stop is the caller's affair."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from model.config import GPTConfig
from model.gpt import GPT
from model.ngrams import ngram_keys
from training.config import TrainingConfig, check_types
from training.dataset import Ids, Mixture, Source, Window, Windows
from training.machine import compile_trouble
from training.measures import losses
from training.optim import Learner, rate

AVERAGE_EVERY = 10
"""Steps between two whose weights are averaged: their neighbours hardly differ."""


@dataclass(frozen=True)
class Progress:
    """Where a training is.

    Attributes:
        step: steps done, of `steps`.
        steps: all steps.
        characters: targets seen so far, over all processes.
        seconds: time spent training, over all sittings.
        loss: mean training loss since the last progress, nats per character.
        tail_loss: the same over the last quarter of each window only.
        validation: validation loss at this step, if it was measured.
        best: whether that is the lowest so far.
    """

    step: int
    steps: int
    characters: int
    seconds: float
    loss: float
    tail_loss: float
    validation: float | None = None
    best: bool = False


class DivergenceError(ValueError):
    """A loss that is not finite: what was learned is lost."""


@dataclass(frozen=True)
class Data:
    """What a training reads.

    Attributes:
        near: the sources whose voice is to be learned; the config's `voice` weighs them.
        library: those that are read for their English only.
        validation: (N,) a text to validate on; empty for none.
        rewrite: what becomes of a window of the library: it gets the window, the text from there
            on, a random generator, and the shares of windows to be renamed and to be made up.
    """

    near: tuple[Source, ...]
    library: tuple[Source, ...]
    validation: Ids
    rewrite: Callable[[Window, Ids, np.random.Generator, float, float], Window] | None = None


class Trainer:
    """One training: made, perhaps resumed, and run.

    Attributes:
        learner: the network and its optimizers.
        steps: how many steps there will be.
        step: how many are done.
        history: a Progress for each validation (as often without a text to validate on).
        uncompiled: why the network is not compiled, though it should be.
        kept: the weights by name that had the lowest validation loss, if those are to be shipped.
    """

    def __init__(self, config: TrainingConfig, model: GPT, data: Data) -> None:
        """Take a network with its n-gram table filled. Raises ValueError for texts too short."""
        self.config = config
        self.device = pick_device(config.device)
        self.dtype = pick_dtype(config.dtype, self.device)
        self.learner = Learner(model.to(self.device), config, self.dtype)
        self.validation = data.validation
        self.rewrite = data.rewrite
        length, transform = config.context_length, self._rewrite if data.rewrite else None
        self.mixture = Mixture(
            Windows(data.library, length, (config.seed, 0), transform),
            Windows(data.near, length, (config.seed, 1)),
        )
        self.step = 0
        self.characters = 0
        self.seconds = 0.0
        self.history: list[Progress] = []
        self.kept: dict[str, Tensor] = {}
        # Since the last of the history: nats and targets, of whole windows and of last quarters.
        self.losses = torch.zeros(4, dtype=torch.float64)
        self.rank, self.world = (
            (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
        )
        if config.batch_size % self.world:
            raise ValueError(
                f"batch_size = {config.batch_size}: must be a multiple of "
                f"the number of processes, {self.world}"
            )
        self.uncompiled = compile_trouble(self.device) if config.compile else ""
        torch.manual_seed(config.seed + self.rank)
        if config.compile and not self.uncompiled:
            for block in self.learner.worker.blocks:
                block.compile()

    @property
    def steps(self) -> int:
        """How many steps there will be: as many as are told, or as fill the passes."""
        if self.config.steps:
            return self.config.steps
        wanted = self.mixture.passes(self.config.epochs, self.config.voice[0])
        left = wanted - self.mixture.windows
        return max(1, self.step + -(-left // self.config.batch_size))

    def state(self) -> dict[str, Any]:
        """Where the training is, but for its tensors: what JSON can hold."""
        return {
            "step": self.step,
            "mixture": self.mixture.state,
            "characters": self.characters,
            "seconds": self.seconds,
            "history": [asdict(progress) for progress in self.history],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to where `state` was.

        Raises:
            LookupError, ValueError or TypeError: this is no state.
        """
        if not isinstance(state["history"], list):
            raise TypeError("history: no list")
        history = [Progress(**progress) for progress in state["history"]]
        for progress in history:
            check_types(progress)
        library, voice, due = state["mixture"]
        counts = (state["step"], state["characters"], library, voice)
        if not all(type(count) is int and count >= 0 for count in counts) or not 0 <= due <= 1:
            raise ValueError(f"no place of a training: {counts}, {due}")
        self.step, self.characters = counts[:2]
        self.seconds = float(state["seconds"])
        self.mixture.state = (library, voice, due)
        self.history = history

    def check_steps(self) -> None:
        """Raise ValueError if more steps are done than the config asks for."""
        if self.step > self.steps:
            wanted = "steps" if self.config.steps else "epochs"
            raise ValueError(
                f"{wanted} = {getattr(self.config, wanted)}: {self.step:,} steps are done already; "
                "more are needed to go on"
            )

    def run(self) -> Iterator[Progress]:
        """Train to the end, yielding after each step; stop asking to stop it.

        It ends after `steps`, or earlier when no validation gets better.

        Raises:
            DivergenceError: the loss is not finite. Nothing of the trainer is worth saving then.
        """
        steps, every = self.steps, self.config.evaluate_every or -(-self.steps // 20)
        self.learner.worker.train()
        while self.step < steps and not self.out_of_patience():
            began = time.perf_counter()
            self.losses += self._train_step()
            self.step += 1
            self._average()
            yield self._report(began, measure=self.step % every == 0 or self.step == steps)
        if self.learner.averaged:  # stopped early
            self.learner.settle()
        elif self.history and self.history[-1].step == self.step:
            return
        yield self._report(time.perf_counter(), measure=True)

    def _report(self, began: float, *, measure: bool) -> Progress:
        """What is to be told of a step that began at this time. What is measured is history."""
        nats, count, tail_nats, tail_count = self.losses.tolist()
        if count:
            loss, tail_loss = nats / count, (tail_nats / tail_count if tail_count else nats / count)
        else:  # nothing since the last of the history
            loss, tail_loss = self.history[-1].loss, self.history[-1].tail_loss
        validation = self._validate() if measure else None
        if not math.isfinite(loss) or not math.isfinite(validation or 0.0):
            raise DivergenceError(
                f"the loss is no longer a finite number, at step {self.step:,}; "
                "lower --matrix-rate, --vector-rate or --table-rate "
                "(weights and checkpoint stay as they were)"
            )
        self.seconds += time.perf_counter() - began
        progress = Progress(
            self.step,
            self.steps,
            self.characters,
            self.seconds,
            loss,
            tail_loss,
            validation,
            best=validation is not None and validation < self.lowest(),
        )
        if measure:
            self.history.append(progress)
            self.losses.zero_()
        if progress.best and self.config.keep == "best":
            held = self.learner.model.state_dict()
            self.kept = {name: tensor.to("cpu", copy=True) for name, tensor in held.items()}
        return progress

    def shipped(self) -> tuple[dict[str, Tensor], Progress]:
        """The weights to ship, by name, and the moment that they are of."""
        if not self.kept:
            return self.learner.model.state_dict(), self.history[-1]
        return self.kept, next(p for p in self.history if p.validation == self.lowest())

    def lowest(self) -> float:
        """The lowest validation loss so far."""
        return min(
            (p.validation for p in self.history if p.validation is not None), default=math.inf
        )

    def _average(self) -> None:
        """Near the end every few steps' weights count in the mean, which the last step takes."""
        left = self.steps - self.step
        if left >= self.config.average * self.steps:
            self.learner.forget_mean()  # a resumed training may have got more steps
        elif left % AVERAGE_EVERY == 0:
            self.learner.average()
            if not left:
                self.learner.settle()

    def _validate(self) -> float | None:
        if len(self.validation) < 2:
            return None
        return float(losses(self.learner.worker, self.validation).mean())

    def agree(self, stop: bool) -> bool:
        """Whether any process wants to stop: all must do so at the same step."""
        if self.world == 1:
            return stop
        wish = torch.tensor(float(stop), device=self.device)
        dist.all_reduce(wish)
        return bool(wish)

    def out_of_patience(self) -> bool:
        """Whether the last `patience` validations brought nothing better."""
        measured = [p for p in self.history if p.validation is not None]
        recent = measured[-self.config.patience :] if self.config.patience else []
        return len(measured) > len(recent) > 0 and not any(p.best for p in recent)

    def _windows_in_all(self) -> int:
        """How many windows will have been read.

        Places are told in windows, not in steps, whose size a resumed training may change.
        """
        return self.mixture.windows + (self.steps - self.step) * self.config.batch_size

    def _now(self, shares: Sequence[float]) -> float:
        """Of numbers for so many equal parts of the training, that of the present one."""
        return shares[self.mixture.windows * len(shares) // self._windows_in_all()]

    def _rewrite(self, window: Window, random: np.random.Generator) -> Window:
        assert self.rewrite is not None
        text = self.mixture.library.sources[window.source].ids[window.start :]
        config = self.config
        return self.rewrite(
            window, text, random, self._now(config.renamed), self._now(config.made_up)
        )

    def _train_step(self) -> Tensor:
        """One step; returns nats and targets, those of whole windows and of their last quarters."""
        config, size = self.config, self.config.batch_size
        done, goal = self.mixture.windows, self._windows_in_all()
        batch = self.mixture.batch(size, self._now(config.voice))
        total = int(batch.counts.sum())
        self.characters += total
        each = size // self.world
        own = slice(self.rank * each, (self.rank + 1) * each)
        inputs, targets, counts, library = (
            torch.from_numpy(array[own]).to(self.device)
            for array in (batch.inputs, batch.targets, batch.counts, batch.library)
        )
        logits = self.learner.forward(inputs, library)  # (B, T, V)
        nats = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")  # (B, T)
        nats = nats.where(counts, 0)
        # The gradients' mean over all processes is to be that of the mean over all targets.
        (nats.sum() * (self.world / total)).backward()  # type: ignore[no-untyped-call]
        self.learner.step(rate((done + size / 2) / goal, config.warmup, config.cooldown))
        tail = slice(-max(1, config.context_length // 4), None)
        parts = (nats, counts, nats[:, tail], counts[:, tail])
        result = torch.stack([part.sum().to(nats.dtype) for part in parts]).detach()
        if self.world > 1:
            dist.all_reduce(result)
        return result.cpu().double()  # in this order: Apple's GPUs have no float64


def pick_device(name: str) -> torch.device:
    """The device of this name; `auto` takes a GPU if there is one.

    Raises:
        ValueError: there is no such device.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(kind for kind, available in there.items() if available)
    if not there[name]:
        raise ValueError(f"device = {name!r}: PyTorch finds none here")
    return torch.device(name)


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """The dtype of this name; `auto` takes bfloat16 on GPUs and on processors made for it."""
    if name == "auto":
        fast = device.type == "cuda" or (device.type == "cpu" and bfloat16_is_fast())
        name = "bfloat16" if fast else "float32"
    return torch.bfloat16 if name == "bfloat16" else torch.float32


def bfloat16_is_fast() -> bool:
    """Whether this processor has units for bfloat16: AMX, or AVX-512's.

    With them it multiplies bfloat16 some five times faster than float32 (measured: AMX, and AMD
    Zen 5), without them ten times more slowly or worse (measured: AMD Zen 3).
    """
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


def known_ngrams(texts: list[tuple[Ids, int]], config: GPTConfig, least: int) -> NDArray[np.int32]:
    """The keys of the runs that occur most often, sorted.

    Args:
        texts: (N,) each, and what an occurrence in it counts.
        config: which runs there are, and how many may be known (`ngram_rows`).
        least: runs that count less stay unknown.

    Returns:
        (R,) keys, R at most `config.ngram_rows`.
    """
    keys = [ngram_keys(ids, config) for ids, _ in texts]  # each (N, K)
    often, counts = [], []
    for kind in range(config.n_ngrams):
        total: dict[int, list[NDArray[np.int32]]] = {}
        for each, (_, count) in zip(keys, texts, strict=True):
            total.setdefault(count, []).append(each[:, kind])
        found, times = [], []
        for count, parts in total.items():
            unique, occurrences = np.unique(np.concatenate(parts), return_counts=True)
            found.append(unique)
            times.append(occurrences * count)
        unique, inverse = np.unique(np.concatenate(found), return_inverse=True)
        summed = np.bincount(inverse, np.concatenate(times))
        often.append(unique[summed >= least])
        counts.append(summed[summed >= least])
    order = np.argsort(-np.concatenate(counts), kind="stable")[: config.ngram_rows]
    return np.unique(np.concatenate(often)[order])
