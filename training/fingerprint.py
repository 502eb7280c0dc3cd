"""Makes the fingerprint of the books and measures it: `python -m training.fingerprint`.

What is measured are its errors: on text that stands in no book, on chapters that are in none of the
books that were read, and on parts of the books themselves, always beside an exact list of all
shingles, which is thrown away.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.files import write_atomically
from model.fingerprint import LEAST, SHINGLE, WINDOW, Fingerprint, Hashes, runs, shingles, words
from training.corpus import load_texts
from training.race_file import make_race_file
from training.recipe import CorpusError, read_recipe

NAME = "books"
PART = 300  # characters of a text that is measured: as much as a runner of a race writes
PARTS = 500  # such texts of each kind


class ExactList:
    """All shingles of some texts, to be asked without error."""

    def __init__(self, texts: Iterable[str]) -> None:
        found = [shingles(words(text)) for text in texts]
        self._known: Hashes = np.unique(np.concatenate([np.empty(0, np.uint64), *found]))

    def holds(self, text: str) -> NDArray[np.bool_]:
        """Whether each shingle of a text is there."""
        asked = shingles(words(text))
        places = np.searchsorted(self._known, asked)  # isin would sort all of them each time
        found: NDArray[np.bool_] = self._known[np.minimum(places, len(self._known) - 1)] == asked
        return found

    def copied(self, text: str) -> NDArray[np.bool_]:
        """Whether each word of a text stands in a run of `LEAST` words that are all there."""
        result = np.zeros(sum(1 for _ in words(text)), np.bool_)
        for first, last in runs(self.holds(text), LEAST - SHINGLE + 1):
            result[first : last + SHINGLE] = True
        return result


def parts(texts: Sequence[str], rng: np.random.Generator, count: int = PARTS) -> list[str]:
    """Parts of some texts, each place of all of them as likely as any other."""
    lengths = np.array([max(len(text) - PART, 1) for text in texts], np.float64)
    chosen = rng.choice(len(texts), count, p=lengths / lengths.sum())
    starts = (rng.random(count) * lengths[chosen]).astype(int)
    return [texts[i][s : s + PART] for i, s in zip(chosen, starts, strict=True)]


def measure(fingerprint: Fingerprint, exact: ExactList, texts: Sequence[str]) -> dict[str, float]:
    """How well a fingerprint tells what stands in the books, in shares of the words."""
    told = [fingerprint.copies(text) for text in texts]
    true = [exact.copied(text) for text in texts]
    count = max(sum(each.words for each in told), 1)
    none = [t.copied > 0 for t, e in zip(told, true, strict=True) if not e.any()]
    return {
        "texts": len(texts),
        "told": round(sum(each.copied for each in told) / count, 4),
        "true": round(sum(int(each.sum()) for each in true) / count, 4),
        "texts_without_copies": len(none),
        "told_wrongly": sum(none),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code: see `make_race_file`."""
    return make_race_file(
        "training.fingerprint",
        "Make the fingerprint that tells what stands in the books, and measure it.",
        _make,
        arguments,
    )


def _make(folder: Path, output: Path) -> dict[str, Any]:
    recipe = read_recipe()
    texts = load_texts(folder, recipe)
    if texts.missing:
        raise CorpusError(
            f"{folder}: {len(texts.missing)} of {len(recipe)} books are missing; "
            "fetch them: python -m training.corpus"
        )
    by_stage: dict[str, list[str]] = {"voice": [], "library": []}
    for book in recipe:
        by_stage[book.stage].append(texts.train[book.slug])
    fingerprint = Fingerprint.learn(by_stage["voice"], by_stage["library"])
    path = output / f"{NAME}.safetensors"
    fingerprint.save(path)

    rng = np.random.default_rng(0)
    exact = ExactList(texts.train.values())
    unseen = texts.validation.split()
    nowhere = [" ".join(rng.choice(unseen, 60)) for _ in range(10 * PARTS)]
    summary = {
        "made_of": {
            "texts": len(texts.train),
            "characters": sum(map(len, texts.train.values())),
            "sha256": hashlib.sha256("\0".join(texts.train.values()).encode()).hexdigest(),
        },
        "shingle_words": SHINGLE,
        "library_window": WINDOW,
        "least_words": LEAST,
        "bytes": {"voice": len(fingerprint.voice), "library": len(fingerprint.library)},
        "single_shingles_wrongly_known": _single_errors(fingerprint, exact, nowhere),
        "measured": {
            "words in any order": measure(fingerprint, exact, nowhere),
            "chapters VII-VIII": measure(fingerprint, exact, parts([texts.validation], rng)),
            "parts of the voice": measure(fingerprint, exact, parts(by_stage["voice"], rng)),
            "parts of the library": measure(fingerprint, exact, parts(by_stage["library"], rng)),
        },
    }
    write_atomically(
        output / f"{NAME}.summary.json", (json.dumps(summary, indent=1) + "\n").encode()
    )
    return summary


def _single_errors(
    fingerprint: Fingerprint, exact: ExactList, texts: Sequence[str]
) -> dict[str, float]:
    """Share of single shingles that each filter takes for known, of those that are in no book."""
    text = " ".join(texts)
    new = shingles(words(text))[~exact.holds(text)]
    voice, library = fingerprint.knows(new)
    return {"voice": round(float(voice.mean()), 4), "library": round(float(library.mean()), 4)}


if __name__ == "__main__":
    sys.exit(main())
