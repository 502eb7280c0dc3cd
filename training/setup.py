"""From texts and a config to a training that can run: ids, the n-gram table, first weights."""

import time
from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.config import GPTConfig
from model.ngrams import ngram_keys
from model.vocab import Vocab
from training.config import NetworkConfig, TrainingConfig
from training.dataset import Ids, Source
from training.names import Names, Rewriter
from training.texts import TrainingTexts

if TYPE_CHECKING:
    from model.gpt import GPT
    from training.trainer import Trainer

_OF_CHARACTERS = ("embedding.weight", "head.weight")  # (V, C): a row for each character
NETWORK = {f.name for f in fields(GPTConfig)} & {f.name for f in fields(NetworkConfig)} - {
    "dropout",
    "ngram_dropout",
}
"""The fields of a `NetworkConfig` that a network brings along when it learns on."""
STEP = 2048
"""Characters in a step of a network that learns on, unless told."""
PROBE = 3
"""Steps that are timed to know how many there is time for."""


def learn_on(config: TrainingConfig, given: set[str]) -> "tuple[TrainingConfig, GPT, Vocab]":
    """The network that `config.init` names, its characters, and the config with its sizes.

    Args:
        config: how to train.
        given: the fields that were asked for: those of the network must be what it has.

    Raises:
        WeightsError: there is no such network.
        ValueError: a size was asked for that it has not.
    """
    from model.weights import load_gpt

    learned, vocab = load_gpt(config.network.init)
    sizes: dict[str, object] = {name: getattr(learned.config, name) for name in NETWORK}
    for name in sorted(NETWORK & given):
        if (asked := getattr(config.network, name)) != sizes[name]:
            raise ValueError(f"{name} = {asked!r}: the network of --init has {sizes[name]!r}")
    if not {"batch_size", "preset"} & given:  # small steps, as a text of one's own is short
        sizes["batch_size"] = max(1, STEP // learned.config.context_length)
    return config.replace(**sizes), learned, vocab


def build(
    config: TrainingConfig,
    texts: TrainingTexts,
    vocab: Vocab,
    sizes: GPTConfig | None = None,
    learned: "GPT | None" = None,
) -> "Trainer":
    """A training of a new network, or of one that has learned something already.

    Args:
        config: how.
        texts: what it reads.
        vocab: the characters of that.
        sizes: those of a checkpoint, whose n-gram table is filled already.
        learned: a network to learn on from; its characters come first in `vocab`.

    Raises:
        ValueError: the texts are too short, or a field does not fit.
    """
    import torch

    from model.gpt import GPT
    from training.trainer import Data, Trainer

    near, opened, library = (
        tuple(Source(ids(text, vocab), weight) for text, weight in part)
        for part in (texts.near, texts.openings, texts.library)
    )
    network, known = config.network, None
    if sizes is None and learned is not None:
        own = {name: getattr(network, name) for name in ("dropout", "ngram_dropout")}
        sizes = replace(learned.config, vocab_size=len(vocab), **own)
    elif sizes is None:
        names = {field.name for field in fields(GPTConfig)} & vars(network).keys()
        names -= {"attention_window", "far_window"}
        sizes = GPTConfig(
            vocab_size=len(vocab),
            word_breaks=tuple(vocab.characters.index(c) for c in "\n " if c in vocab),
            **{name: getattr(network, name) for name in names},
            attention_window=min(network.attention_window, network.context_length),
            far_window=min(network.far_window, network.context_length),
        )
        if sizes.n_ngrams:
            counted = [(s.ids, 2) for s in near] + [(s.ids, 1) for s in library]
            known = known_ngrams(counted, sizes, network.ngram_least)
            if len(known):
                sizes = replace(sizes, ngram_rows=len(known))
            else:  # the text repeats nothing often enough to fill a table
                sizes = replace(sizes, ngram_orders=(), ngram_words=(), ngram_rows=0)
    torch.manual_seed(config.optimisation.seed)
    gpt = GPT(sizes)
    if gpt.ngrams is not None and known is not None:
        gpt.ngrams.known.copy_(torch.from_numpy(known))
    if learned is not None:
        copy_weights(learned, gpt, vocab)
    if not near:  # a text of one's own has no other voice beside it
        near, library = library, ()
    rewrite = None
    if library and any((*config.data.renamed, *config.data.made_up)):
        rewrite = Rewriter(Names.find(text for text, _ in texts.library), vocab)
    validation = ids(texts.validation, vocab)
    return Trainer(config, gpt, Data(near + opened, library, validation, rewrite))


def steps_within(
    seconds: float,
    config: TrainingConfig,
    texts: TrainingTexts,
    vocab: Vocab,
    learned: "GPT | None" = None,
    validations: int = 4,
    clock: Callable[[], float] = time.perf_counter,
) -> int:
    """How many steps a training has time for: a few are made and timed, and forgotten.

    Args:
        seconds: how long it is to take, with its validations.
        config: how it trains; its `steps` and `evaluate_every` do not matter.
        texts: what it reads.
        vocab: the characters of that.
        learned: a network that it learns on from.
        validations: how many there will be.
        clock: what tells the time, in seconds.

    Returns:
        At least one step for each validation.
    """
    probe = build(
        config.replace(steps=PROBE + 2, evaluate_every=PROBE + 3),
        texts,
        vocab,
        learned=learned,
    ).run()
    next(probe)  # the first step also takes memory
    began = clock()
    for _ in range(PROBE):
        next(probe)
    each = (clock() - began) / PROBE
    began = clock()
    next(probe)  # the last one validates
    validating = max(0.0, clock() - began - each)
    return max(validations, round((seconds - validations * validating) / each))


def copy_weights(learned: "GPT", gpt: "GPT", vocab: Vocab) -> None:
    """Put what a network has learned into one that may know more characters, behind its own.

    A new letter is read like the one it looks like (é like e), any other new character like the
    mean of those known; it is expected as little as these are in the mean.

    Args:
        learned: V characters.
        gpt: the same sizes but for the characters, of which it has V or more.
        vocab: its characters, V or more.
    """
    import torch

    count = learned.config.vocab_size
    known = Vocab(vocab.characters[:count])
    alike = [known.clean(character).text for character in vocab.characters[count:]]
    with torch.no_grad():
        targets = gpt.state_dict()
        for name, tensor in learned.state_dict().items():
            if name not in _OF_CHARACTERS:
                targets[name].copy_(tensor)
                continue
            targets[name][:count] = tensor
            targets[name][count:] = tensor.mean(dim=0)
            if name == "embedding.weight":
                for row, letters in enumerate(alike, count):
                    if len(letters) == 1:
                        targets[name][row] = tensor[known.encode(letters)[0]]


def ids(text: str, vocab: Vocab) -> Ids:
    """The ids of a text, (N,), in as few bytes as they need.

    Raises:
        VocabError: a character is not in the vocabulary.
    """
    if any(character not in vocab for character in set(text)):
        vocab.encode(text)  # says which, and where
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    table = np.zeros(int(codes.max(initial=0)) + 1, np.uint16)
    for number, character in enumerate(vocab.characters):
        if ord(character) < len(table):
            table[ord(character)] = number
    found: Ids = table[codes] if len(vocab) > 256 else table.astype(np.uint8)[codes]
    return found


def known_ngrams(texts: list[tuple[Ids, int]], config: GPTConfig, least: int) -> NDArray[np.int32]:
    """The keys of the n-grams that occur most often, sorted.

    Args:
        texts: (N,) each, and what an occurrence in it counts.
        config: which n-grams there are, and how many may be known (`ngram_rows`).
        least: n-grams that count less stay unknown.

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
