"""From texts and a config to a training that can run: ids, the n-gram table, first weights."""

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from model.config import GPTConfig
from model.vocab import Vocab
from training.config import TrainingConfig
from training.dataset import Ids, Source
from training.names import Names, Rewriter
from training.texts import Reading

if TYPE_CHECKING:
    from model.gpt import GPT
    from training.trainer import Trainer

_OF_CHARACTERS = ("embedding.weight", "head.weight")  # (V, C): a row for each character
NETWORK = {f.name for f in fields(GPTConfig)} & {f.name for f in fields(TrainingConfig)} - {
    "dropout",
    "ngram_dropout",
}
"""The fields of a `TrainingConfig` that a network brings along when it learns on."""
STEP = 2048
"""Characters in a step of a network that learns on, unless told."""


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

    learned, vocab = load_gpt(config.init)
    sizes = {name: getattr(learned.config, name) for name in NETWORK}
    for name in sorted(NETWORK & given):
        if (asked := getattr(config, name)) != sizes[name]:
            raise ValueError(f"{name} = {asked!r}: the network of --init has {sizes[name]!r}")
    if not {"batch_size", "preset"} & given:  # small steps, as a text of one's own is short
        sizes["batch_size"] = max(1, STEP // learned.config.context_length)
    return replace(config, **sizes), learned, vocab


def build(
    config: TrainingConfig,
    reading: Reading,
    vocab: Vocab,
    sizes: GPTConfig | None = None,
    learned: "GPT | None" = None,
) -> "Trainer":
    """A training of a new network, or of one that has learned something already.

    Args:
        config: how.
        reading: what it reads.
        vocab: the characters of that.
        sizes: those of a checkpoint, whose n-gram table is filled already.
        learned: a network to learn on from; its characters come first in `vocab`.

    Raises:
        ValueError: the texts are too short, or a field does not fit.
    """
    import torch

    from model.gpt import GPT
    from training.trainer import Data, Trainer, known_ngrams

    near, opened, library = (
        tuple(Source(ids(text, vocab), weight) for text, weight in part)
        for part in (reading.near, reading.openings, reading.library)
    )
    known = None
    if sizes is None and learned is not None:
        own = {name: getattr(config, name) for name in ("dropout", "ngram_dropout")}
        sizes = replace(learned.config, vocab_size=len(vocab), **own)
    elif sizes is None:
        names = {field.name for field in fields(GPTConfig)} & {f.name for f in fields(config)}
        names -= {"attention_window", "far_window"}
        sizes = GPTConfig(
            vocab_size=len(vocab),
            word_breaks=tuple(vocab.characters.index(c) for c in "\n " if c in vocab),
            **{name: getattr(config, name) for name in names},
            attention_window=min(config.attention_window, config.context_length),
            far_window=min(config.far_window, config.context_length),
        )
        if sizes.n_ngrams:
            counted = [(s.ids, 2) for s in near] + [(s.ids, 1) for s in library]
            known = known_ngrams(counted, sizes, config.ngram_least)
            if len(known):
                sizes = replace(sizes, ngram_rows=len(known))
            else:  # the text repeats nothing often enough to fill a table
                sizes = replace(sizes, ngram_orders=(), ngram_words=(), ngram_rows=0)
    torch.manual_seed(config.seed)
    gpt = GPT(sizes)
    if gpt.ngrams is not None and known is not None:
        gpt.ngrams.known.copy_(torch.from_numpy(known))
    if learned is not None:
        copy_weights(learned, gpt, vocab)
    if not near:  # a text of one's own has no other voice beside it
        near, library = library, ()
    rewrite = None
    if library and any((*config.renamed, *config.made_up)):
        rewrite = Rewriter(Names.find(text for text, _ in reading.library), vocab)
    validation = ids(reading.validation, vocab)
    return Trainer(config, gpt, Data(near + opened, library, validation, rewrite))


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
