"""What is seen of a training: a progress bar in a terminal, plain lines elsewhere."""

import sys
import time
from collections import deque
from pathlib import Path
from typing import TextIO, cast

from rich import progress as bars
from rich.console import Console

from model.console import Forgiving
from training import checkpoints
from training.trainer import Progress, Trainer

RECENT = 50
"""Steps that a rate is made of: what is compiled or validated at times does not count for ever."""


class ProgressDisplay:
    """Shows a training. As a context it draws its bar."""

    def __init__(self, trainer: Trainer, *, quiet: bool) -> None:
        self.trainer = trainer
        file = cast("TextIO", Forgiving(sys.stderr)) if sys.stderr is not None else None
        self.console = Console(stderr=True, file=file, quiet=quiet)
        self.bar = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.shown = 0.0
        self.recent: deque[Progress] = deque(maxlen=RECENT + 1)

    def __enter__(self) -> "ProgressDisplay":
        trainer = self.trainer
        count = sum(p.numel() for p in trainer.learner.model.parameters())
        self.say(
            f"{trainer.config.run.name}: {count:,} parameters, {trainer.steps:,} steps, "
            f"on {trainer.device} in {str(trainer.dtype).removeprefix('torch.')}"
        )
        if trainer.uncompiled:
            self.say(f"not compiled, so it is slower: {trainer.uncompiled}")
        elif trainer.config.run.compile:
            self.say("the first step compiles the network, which takes a while")
        self.bar.start()
        self.task = self.bar.add_task("", total=trainer.steps, completed=trainer.step)
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def say(self, line: str) -> None:
        """Print one line."""
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def save(self, path: Path, about: dict[str, str]) -> None:
        """Write a checkpoint. A full disk is told and ends nothing: there is still the training."""
        try:
            checkpoints.save(path, self.trainer, about)
        except OSError as error:
            self.say(f"no checkpoint: {error.strerror}: {path}; the training goes on")

    def show(self, progress: Progress) -> None:
        """Show one step."""
        self.recent.append(progress)
        line = f"loss {progress.loss:.4f}"
        first = self.recent[0]  # its own seconds, with what was compiled, do not count
        seconds, steps = progress.seconds - first.seconds, progress.step - first.step
        left = ""
        if seconds > 0 and steps:
            line += f"  {(progress.characters - first.characters) / seconds:,.0f} characters/s"
            left = f"  {(progress.steps - progress.step) * seconds / steps / 60:.0f} min left"
        self.bar.update(self.task, completed=progress.step, description=line)
        now = time.monotonic()
        due = not self.console.is_terminal and now - self.shown > 30
        if progress.validation is not None or due or progress.step == progress.steps:
            self.shown = now
            line = f"step {progress.step}/{progress.steps}  {line}{left}"
            if progress.validation is not None:
                line += f"  validation {progress.validation:.4f}" + " *" * progress.best
            self.say(line)
