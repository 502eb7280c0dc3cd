"""Small networks with random weights, for the tests of what reads and what writes."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from model.config import GPTConfig
from model.gpt import GPT
from model.ngrams import ngram_keys

PLAIN = GPTConfig(vocab_size=11, context_length=12, n_layer=3, n_head=2, n_embd=16)
ONE_OF_EACH = GPTConfig(vocab_size=7, context_length=1, n_layer=1, n_head=1, n_embd=2)
ODD = GPTConfig(vocab_size=9, context_length=7, n_layer=2, n_head=3, n_embd=18, dropout=0.2)
TABLE = GPTConfig(
    vocab_size=6,
    context_length=16,
    n_layer=2,
    n_head=2,
    n_embd=16,
    ngram_orders=(1, 2, 3, 5),
    ngram_words=(1, 3),
    ngram_rows=400,
    ngram_width=8,
    word_breaks=(0, 1),
)
WORDS_ONLY = GPTConfig(
    vocab_size=5,
    context_length=9,
    n_layer=1,
    n_head=2,
    n_embd=8,
    ngram_words=(2,),
    ngram_rows=50,
    ngram_width=4,
    word_breaks=(2,),
)
SHARED = replace(PLAIN, n_head=4, n_kv_head=2, attention_window=5)
SHARED_TABLE = replace(TABLE, n_kv_head=1, attention_window=3)
FAR = replace(PLAIN, n_layer=4, attention_window=4, far_blocks=(1, 3))
FAR_TABLE = replace(
    TABLE, n_head=4, n_kv_head=2, attention_window=3, far_blocks=(1,), far_window=12, far_gain=1.5
)
SKIPS, SKIPS_TABLE = (replace(sizes, embedding_skips=True) for sizes in (FAR, FAR_TABLE))
CONFIGS = [PLAIN, ONE_OF_EACH, ODD, TABLE, WORDS_ONLY, SHARED, SHARED_TABLE, FAR, FAR_TABLE]
CONFIGS += [SKIPS, SKIPS_TABLE]


def random_gpt(config: GPTConfig, seed: int = 0) -> GPT:
    """A network in which every tensor matters; its table knows about half of all runs."""
    generator = torch.Generator().manual_seed(seed)
    gpt = GPT(config).eval()
    with torch.no_grad():
        for parameter in gpt.parameters():
            parameter.normal_(std=0.4, generator=generator)
        if gpt.ngrams is not None:
            rng = np.random.default_rng(seed)
            ids = rng.integers(0, config.vocab_size, (200, config.context_length))
            seen, count = np.unique(ngram_keys(ids, config), return_counts=True)
            often = seen[np.argsort(-count, kind="stable")][: config.ngram_rows : 2]
            other = rng.integers(-(2**31), 2**31, 2 * config.ngram_rows).astype(np.int32)
            other = np.setdiff1d(other, often)[: config.ngram_rows - len(often)]
            gpt.ngrams.known.copy_(torch.from_numpy(np.union1d(often, other)))
    return gpt


def longer(gpt: GPT, context_length: int) -> GPT:
    """The same network for texts of another length."""
    result = GPT(replace(gpt.config, context_length=context_length)).eval()
    result.load_state_dict(gpt.state_dict())
    return result


def tensors(gpt: GPT) -> dict[str, NDArray[Any]]:
    """What `Decoder` and `weights.save` take."""
    return {name: tensor.numpy().copy() for name, tensor in gpt.state_dict().items()}
