"""What a text of one's own gives in so many minutes, from nothing and with --init.

    python tests/benchmarks/finetune.py --text FILE [--minutes 2 5 10] [--init pooh] [--threads 1]

Each cell is a training of its own, whose schedule ends when its minutes do: minutes of processor
time, so that other work on the machine does not count. Prints the validation loss of what would be
shipped, and a sample of it.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from model.sampling import Sampling  # noqa: E402
from model.vocab import Vocab  # noqa: E402
from model.weights import load_decoder, save  # noqa: E402
from model.writing import generate  # noqa: E402
from training.config import PRESETS, TrainingConfig  # noqa: E402
from training.export import export  # noqa: E402
from training.machine import keep_memory  # noqa: E402
from training.setup import build, learn_on, steps_within  # noqa: E402
from training.texts import read  # noqa: E402

VALIDATIONS = 20  # as many as the command makes


def cell(config: TrainingConfig, minutes: float) -> tuple[int, float, Path, Vocab]:
    """Train for so many minutes; steps, the lowest validation loss, and the weights of that."""
    learned = known = None
    if config.network.init:
        config, learned, known = learn_on(config, set())
    texts = read(config, known)
    vocab = texts.vocab(known)
    count = steps_within(
        60 * minutes, config, texts, vocab, learned, VALIDATIONS, time.process_time
    )
    config = config.replace(steps=count, evaluate_every=-(-count // VALIDATIONS))
    trainer = build(config, texts, vocab, None, learned)
    path = Path(tempfile.mkdtemp()) / "weights" / "best.safetensors"
    for progress in trainer.run():
        if progress.best:
            gpt = trainer.learner.model
            save(path, gpt.config, vocab, export(gpt.state_dict()))
    vocab.save(path.parents[1] / "vocab" / "best.json")
    return count, trainer.lowest(), path, vocab


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--text", required=True)
    parser.add_argument("--minutes", type=float, nargs="+", default=[2, 5, 10])
    parser.add_argument("--init", default="pooh")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--prompt", default="Once upon a time")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_memory()
    common = {"text": options.text, "only": (), "keep": "best", "compile": False, "device": "cpu"}
    ways = {
        "from nothing": PRESETS["classic"].replace(**common),
        f"--init {options.init}": PRESETS["finetune"].replace(init=options.init, **common),
    }
    for minutes in options.minutes:
        for way, config in ways.items():
            steps, loss, weights, vocab = cell(config, minutes)
            decoder, _ = load_decoder(weights)
            prompt = vocab.clean(options.prompt).text
            written = "".join(generate(decoder, vocab, prompt, Sampling(length=200, seed=1)))
            print(f"{minutes:g} min  {way}: {steps} steps, {loss:.4f} nats per character")
            print(f"    {(prompt + written)!r}", flush=True)


if __name__ == "__main__":
    main()
