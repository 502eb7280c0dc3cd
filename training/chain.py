"""Makes the Markov chain of the race and measures it: `python -m training.chain`.

It learns the chapters of *Winnie-the-Pooh* that are trained on, and is measured as the networks
are. `read_back` says how much of the book could be got out of it again; `ORDER` and `LEAST` are
chosen so that this is next to nothing, and of these the loss is the least (docs/race.md).
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model.chain import Chain
from model.files import write_atomically
from model.sampling import Sampling
from training.corpus import Texts, load_texts
from training.evaluate import BOOK
from training.measures import write
from training.race_file import make_race_file
from training.recipe import CorpusError, read_recipe
from training.reports import Report, loss_report, recall_report

NAME = "markov"
ORDER, LEAST = 4, 2
RUNS = (20, 30, 40)  # characters of the book that a chain may write from it without an error


def read_back(chain: Chain, text: str) -> dict[str, Any]:
    """How much of a text a chain gives back to whoever has nothing else.

    At each place of the text the chain is asked for the likeliest next character, and goes on so
    for as long as it is right.

    Args:
        chain: learned the text.
        text: in its characters.

    Returns:
        The share of characters that are the likeliest where they stand; the longest such run; and
        the share of the text in runs of at least so many characters.
    """
    ids = chain.vocab.encode(text)
    likeliest: dict[tuple[int, ...], int] = {}
    right = np.zeros(len(ids), np.bool_)
    for end, following in enumerate(ids):
        context = tuple(ids[max(end - chain.order, 0) : end])
        if context not in likeliest:
            likeliest[context] = int(chain.probabilities(context).argmax())
        right[end] = likeliest[context] == following
    edges = np.flatnonzero(np.diff(right.astype(np.int8), prepend=0, append=0))
    lengths = edges[1::2] - edges[::2]
    return {
        "likeliest": round(float(right.mean()), 4),
        "longest": int(lengths.max(initial=0)),
        "in_runs_of": {str(n): round(int(lengths[lengths >= n].sum()) / len(ids), 4) for n in RUNS},
    }


def evaluate(chain: Chain, texts: Texts) -> Report:
    """What `training.evaluate` measures of a network, as far as one book tells."""
    unseen = chain.vocab.clean(texts.validation)

    def continuations(requests: list[tuple[str, Sampling]]) -> list[str]:
        cleaned = [(chain.vocab.clean(prompt).text, sampling) for prompt, sampling in requests]
        return write(chain, chain.vocab, cleaned)

    return {
        "model": NAME,
        "dropped": unseen.dropped,
        "loss": loss_report(chain.losses(unseen.text), unseen.text),
        "recall": recall_report(continuations, texts.train[BOOK]),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code: see `make_race_file`."""
    return make_race_file(
        "training.chain",
        "Make the Markov chain of the race, and measure it.",
        _make,
        arguments,
    )


def _make(folder: Path, output: Path) -> dict[str, Any]:
    texts = load_texts(folder, [book for book in read_recipe() if book.slug == BOOK])
    if BOOK not in texts.train or not texts.validation:
        raise CorpusError(f"{folder}: {BOOK} is not there; fetch it: python -m training.corpus")
    book = texts.train[BOOK]
    chain = Chain.learn(book, ORDER, LEAST)
    path = output / f"{NAME}.safetensors"
    chain.save(path)
    report = evaluate(chain, texts)
    summary = {
        "name": NAME,
        "order": ORDER,
        "least": LEAST,
        "bytes": path.stat().st_size,
        "read": {"characters": len(book), "sha256": hashlib.sha256(book.encode()).hexdigest()},
        "train_loss": {"nats": float(chain.losses(book).mean())},
        "validation_loss": {"nats": report["loss"]["nats_per_character"]},
        "read_back": read_back(chain, book),
    }
    for kind, content in (("summary", summary), ("evaluation", [report])):
        data = json.dumps(content, indent=1) + "\n"
        write_atomically(output / f"{NAME}.{kind}.json", data.encode())
    return summary


if __name__ == "__main__":
    sys.exit(main())
