"""How fast networks learn, beside other ways: `python tests/benchmarks/training.py`.

Every way trains for the same minutes, in turns of some seconds in one process, so that whatever
else the machine does falls on all of them. Shown are characters a second (the median of the turns
and how far they lay apart) and the validation loss at the end.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from model.config import GPTConfig  # noqa: E402
from model.gpt import GPT  # noqa: E402
from training.config import PRESETS, TrainingConfig  # noqa: E402
from training.dataset import Ids  # noqa: E402
from training.machine import keep_memory  # noqa: E402
from training.measures import losses  # noqa: E402
from training.plots import comparison_figure, save  # noqa: E402
from training.setup import build, ids  # noqa: E402
from training.texts import TrainingTexts, read  # noqa: E402
from training.trainer import Trainer  # noqa: E402


class NanoGPT(nn.Module):
    """The network of nanoGPT: GPT-2 with learned positions, GELU and a tied head, no biases."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        C = config.n_embd
        self.embedding = nn.Embedding(config.vocab_size, C)
        self.positions = nn.Embedding(config.context_length, C)
        self.blocks = nn.ModuleList(
            nn.ModuleDict(
                {
                    "norm1": nn.LayerNorm(C, bias=False),
                    "qkv": nn.Linear(C, 3 * C, bias=False),
                    "out": nn.Linear(C, C, bias=False),
                    "norm2": nn.LayerNorm(C, bias=False),
                    "up": nn.Linear(C, 4 * C, bias=False),
                    "down": nn.Linear(4 * C, C, bias=False),
                }
            )
            for _ in range(config.n_layer)
        )
        self.norm = nn.LayerNorm(C, bias=False)
        for name, parameter in self.named_parameters():
            if "norm" not in name:
                deep = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(parameter, std=0.02 / (2 * config.n_layer) ** (0.5 * deep))

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) ids -> (B, T, V) logits."""
        B, T = ids.shape
        x = self.embedding(ids) + self.positions.weight[:T]
        for block in self.blocks:
            assert isinstance(block, nn.ModuleDict)
            heads = block["qkv"](block["norm1"](x)).view(B, T, 3, self.config.n_head, -1)
            q, k, v = heads.permute(2, 0, 3, 1, 4)  # each (B, H, T, D)
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + block["out"](y.transpose(1, 2).reshape(B, T, -1))
            x = x + block["down"](F.gelu(block["up"](block["norm2"](x))))
        return F.linear(self.norm(x), self.embedding.weight)


class Way:
    """One way of training: a network and an iterator whose every step learns some characters."""

    def __init__(self, name: str, network: "GPT | NanoGPT", steps: Iterator[int]) -> None:
        self.name = name
        self.network = network
        self.steps = steps
        self.seconds = 0.0
        self.characters = 0
        self.rates: list[float] = []
        self.curve: list[tuple[float, float]] = []

    def turn(self, seconds: float, validation: Ids) -> None:
        """Train for some seconds, then measure (not counted)."""
        began, learned = time.perf_counter(), 0
        while (spent := time.perf_counter() - began) < seconds:
            step = next(self.steps, None)
            if step is None:
                break
            learned += step
        if learned:
            self.seconds += spent
            self.characters += learned
            self.rates.append(learned / spent)
            loss = float(losses(cast(GPT, self.network), validation).mean())
            self.curve.append((self.characters, loss))


def plain(
    network: nn.Module, text: Ids, batch: int, length: int, minutes: float | None
) -> Iterator[int]:
    """A plain loop: AdamW at 1e-3 and random windows; the rate constant, or nanoGPT's cosine."""
    rows = [m.weight for m in network.modules() if isinstance(m, nn.Embedding) and m.sparse]
    dense = [p for p in network.parameters() if all(p is not row for row in rows)]
    optimizer = torch.optim.AdamW(dense, lr=1e-3, betas=(0.9, 0.99))
    table = torch.optim.SparseAdam(rows, lr=1e-3) if rows else None
    generator = np.random.default_rng(1)
    spent = 0.0
    while True:
        began = time.perf_counter()
        if minutes:
            done = min(spent / (60 * minutes), 1.0)
            for group in optimizer.param_groups:
                group["lr"] = 1e-4 + 9e-4 * (1 + np.cos(np.pi * done)) / 2
        starts = generator.integers(0, len(text) - length - 1, batch)
        windows = torch.from_numpy(np.stack([text[s : s + length + 1] for s in starts])).long()
        logits = network(windows[:, :-1])
        loss = F.cross_entropy(logits.transpose(1, 2), windows[:, 1:])
        network.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(dense, 1.0)
        optimizer.step()
        if table:
            table.step()  # type: ignore[no-untyped-call]
        spent += time.perf_counter() - began
        yield batch * length


def ours(config: TrainingConfig, texts: TrainingTexts, minutes: float) -> tuple[GPT, Iterator[int]]:
    """This project's training, its schedule as long as the minutes allow."""

    def fresh(steps: int) -> Trainer:
        # Validation is measured between the turns, the same for all.
        settings = config.replace(steps=steps, evaluate_every=10**9)
        return build(settings, replace(texts, validation=""), texts.vocab())

    # How many steps the minutes hold is measured on a training that is thrown away; what is
    # compiled then is compiled for both.
    trial = fresh(10**6)
    run = trial.run()
    for _ in range(5):
        next(run)
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < 8:
        next(run)
        count += 1
    steps = max(10, round(60 * minutes * count / (time.perf_counter() - began)))
    trainer = fresh(steps)
    each = config.optimisation.batch_size * config.network.context_length
    return trainer.learner.working_copy, (each for _ in trainer.run())


def main() -> None:
    """Train, print the table, draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", default=str(ROOT / "data" / "sample.txt"))
    parser.add_argument("--validation", type=float, default=0.1, help="share of the text, its end")
    parser.add_argument("--books", help="read the books of the recipe in this folder instead")
    parser.add_argument("--minutes", type=float, default=3.0, help="of training, for each way")
    parser.add_argument("--turns", type=int, default=9, help="in so many turns")
    parser.add_argument("--big", action="store_true", help="the size of pooh and 6 x 384 too")
    parser.add_argument("--figure", type=Path, help="write the curves to this PNG")
    options = parser.parse_args()
    keep_memory()
    torch.manual_seed(1)

    if options.books:
        texts = read(PRESETS["pooh"].replace(books=options.books))
    else:
        texts = read(
            PRESETS["pooh"].replace(text=options.text, validation_fraction=options.validation)
        )
    vocab = texts.vocab()
    train = ids("\n".join(text for text, _ in (*texts.near, *texts.library)), vocab)
    validation = ids(texts.validation, vocab)

    minutes = options.minutes
    ways = []
    for name in ("classic", "pooh") if options.big else ("classic",):
        config = PRESETS[name]
        network, steps = ours(config, texts, minutes)
        ways.append(Way(f"ours, {name}", network, steps))
        same = GPT(network.config)
        if same.ngrams is not None and network.ngrams is not None:
            same.ngrams.known.copy_(network.ngrams.known)
        loop = plain(
            same, train, config.optimisation.batch_size, config.network.context_length, None
        )
        ways.append(Way(f"the network of {name}, plain loop", same, loop))
    small = NanoGPT(GPTConfig(len(vocab), context_length=64, n_layer=4, n_head=4, n_embd=128))
    ways.append(Way("nanoGPT, 4 x 128", small, plain(small, train, 12, 64, minutes)))
    if options.big:
        large = NanoGPT(GPTConfig(len(vocab), 256, n_layer=6, n_head=6, n_embd=384))
        ways.append(Way("nanoGPT, 6 x 384", large, plain(large, train, 64, 256, minutes)))

    for turn in range(options.turns):
        for way in ways:
            way.turn(60 * minutes / options.turns, validation)
        print(f"turn {turn + 1}/{options.turns}", file=sys.stderr)

    print(f"{minutes:g} minutes each on {len(train):,} characters; validation in nats each.\n")
    print("| | characters/s | lowest to highest | characters seen | lowest loss | last loss |")
    print("|---|---|---|---|---|---|")
    for way in ways:
        print(
            f"| {way.name} | {statistics.median(way.rates):,.0f} "
            f"| {min(way.rates):,.0f} to {max(way.rates):,.0f} | {way.characters:,} "
            f"| {min(loss for _, loss in way.curve):.3f} | {way.curve[-1][1]:.3f} |"
        )
    print(
        f"\n{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}"
    )
    if options.figure:
        save(comparison_figure({way.name: way.curve for way in ways}), options.figure)


if __name__ == "__main__":
    main()
