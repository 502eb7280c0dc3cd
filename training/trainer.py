"""The training loop: a generator of `Progress`; to print, save or stop is the caller's affair."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from model.gpt import GPT
from training import distributed
from training.config import TrainingConfig, check_types
from training.dataset import Ids, Mixture, Source, Window, Windows
from training.machine import compile_trouble, pick_device, pick_dtype
from training.measures import losses
from training.optim import Learner, schedule

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
        """Take a network with its n-gram table filled. Raises ValueError without a text."""
        self.config = config
        optimisation = config.optimisation
        self.device = pick_device(config.run.device)
        self.dtype = pick_dtype(config.run.dtype, self.device)
        self.learner = Learner(model.to(self.device), optimisation, self.dtype)
        self.validation = data.validation
        self.rewrite = data.rewrite
        # A text that is shorter than what the network could see is read whole, without padding.
        longest = max((len(s.ids) - 1 for s in (*data.near, *data.library)), default=0)
        length, seed = max(1, min(config.network.context_length, longest)), optimisation.seed
        self.mixture = Mixture(
            Windows(data.library, length, (seed, 0), self._rewrite if data.rewrite else None),
            Windows(data.near, length, (seed, 1)),
        )
        self.step = 0
        self.characters = 0
        self.seconds = 0.0
        self.history: list[Progress] = []
        self.kept: dict[str, Tensor] = {}
        # Since the last of the history: nats and targets, of whole windows and of last quarters.
        self.losses = torch.zeros(4, dtype=torch.float64)
        self.rank, self.world = distributed.place()
        if optimisation.batch_size % self.world:
            raise ValueError(
                f"batch_size = {optimisation.batch_size}: must be a multiple of "
                f"the number of processes, {self.world}"
            )
        self.uncompiled = compile_trouble(self.device) if config.run.compile else ""
        torch.manual_seed(seed + self.rank)
        if config.run.compile and not self.uncompiled:
            for block in self.learner.working_copy.blocks:
                block.compile()

    @property
    def steps(self) -> int:
        """How many steps there will be: as many as are told, or as fill the passes."""
        optimisation = self.config.optimisation
        if optimisation.steps:
            return optimisation.steps
        wanted = self.mixture.passes(optimisation.epochs, self.config.data.voice[0])
        left = wanted - self.mixture.windows
        return max(1, self.step + -(-left // optimisation.batch_size))

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
            optimisation = self.config.optimisation
            name = "steps" if optimisation.steps else "epochs"
            raise ValueError(
                f"{name} = {getattr(optimisation, name)}: {self.step:,} steps are done already; "
                "more are needed to go on"
            )

    def run(self) -> Iterator[Progress]:
        """Train to the end, yielding after each step; stop asking to stop it.

        It ends after `steps`, or earlier when no validation gets better.

        Raises:
            DivergenceError: the loss is not finite. Nothing of the trainer is worth saving then.
        """
        steps, every = self.steps, self.config.run.evaluate_every or -(-self.steps // 20)
        self.learner.working_copy.train()
        while self.step < steps and not self.out_of_patience():
            began = time.perf_counter()
            self.losses += self._train_step()
            self.step += 1
            self._average()
            yield self._report(began, measure=self.step % every == 0 or self.step == steps)
        if self.learner.averaged:  # stopped early
            self.learner.apply_average()
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
                "lower --matrix-lr, --vector-lr or --table-lr "
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
        if progress.best and self.config.run.keep == "best":
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
        if left >= self.config.optimisation.average * self.steps:
            self.learner.reset_average()  # a resumed training may have got more steps
        elif left % AVERAGE_EVERY == 0:
            self.learner.update_average()
            if not left:
                self.learner.apply_average()

    def _validate(self) -> float | None:
        if len(self.validation) < 2:
            return None
        return float(losses(self.learner.working_copy, self.validation).mean())

    def agree(self, stop: bool) -> bool:
        """Whether any process wants to stop: all must do so at the same step."""
        return bool(distributed.total(torch.tensor(float(stop), device=self.device)))

    def out_of_patience(self) -> bool:
        """Whether the last `patience` validations brought nothing better."""
        measured = [p for p in self.history if p.validation is not None]
        patience = self.config.run.patience
        recent = measured[-patience:] if patience else []
        return len(measured) > len(recent) > 0 and not any(p.best for p in recent)

    def _windows_in_all(self) -> int:
        """How many windows will have been read.

        Places are told in windows, not in steps, whose size a resumed training may change.
        """
        return self.mixture.windows + (self.steps - self.step) * self.config.optimisation.batch_size

    def _now(self, shares: Sequence[float]) -> float:
        """Of numbers for so many equal parts of the training, that of the present one."""
        return shares[self.mixture.windows * len(shares) // self._windows_in_all()]

    def _rewrite(self, window: Window, random: np.random.Generator) -> Window:
        assert self.rewrite is not None
        text = self.mixture.library.sources[window.source].ids[window.start :]
        data = self.config.data
        return self.rewrite(window, text, random, self._now(data.renamed), self._now(data.made_up))

    def _train_step(self) -> Tensor:
        """One step; returns nats and targets, those of whole windows and of their last quarters."""
        optimisation, size = self.config.optimisation, self.config.optimisation.batch_size
        done, goal = self.mixture.windows, self._windows_in_all()
        batch = self.mixture.batch(size, self._now(self.config.data.voice))
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
        progress = (done + size / 2) / goal
        self.learner.step(schedule(progress, optimisation.warmup, optimisation.cooldown))
        tail = slice(-max(1, nats.size(1) // 4), None)
        parts = (nats, counts, nats[:, tail], counts[:, tail])
        result = torch.stack([part.sum().to(nats.dtype) for part in parts]).detach()
        # In this order: Apple's GPUs have no float64.
        return distributed.total(result).cpu().double()
