"""The network that learns."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from model.config import GPTConfig
from model.gpt import (
    GPT,
    by_place_and_content,
    causal_attention,
    norm,
    rotary_angles,
    rotate,
)
from model.ngrams import ngram_keys
from tests.networks import CONFIGS, PLAIN, SHARED_TABLE, TABLE, WORDS_ONLY, random_gpt


def random_ids(config: GPTConfig, batch: int, length: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(config.vocab_size, (batch, length), generator=generator)


@pytest.mark.parametrize("length", [1, 2, 9])
def test_attention_by_hand_is_attention_by_pytorch(length: int) -> None:
    generator = torch.Generator().manual_seed(length)
    q, k, v = (torch.randn(2, 3, length, 8, generator=generator) for _ in range(3))
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(causal_attention(q, k, v, length), expected)
    torch.testing.assert_close(causal_attention(q, k, v, 100), expected)


@pytest.mark.parametrize("window", [1, 3])
def test_heads_share_keys_and_values_in_a_window(window: int) -> None:
    generator = torch.Generator().manual_seed(window)
    q = torch.randn(2, 6, 9, 8, generator=generator)
    k, v = (torch.randn(2, 2, 9, 8, generator=generator) for _ in range(2))
    steps = torch.arange(9)
    distance = steps[:, None] - steps
    expected = F.scaled_dot_product_attention(
        q, k, v, attn_mask=(distance >= 0) & (distance < window), enable_gqa=True
    )
    torch.testing.assert_close(causal_attention(q, k, v, window), expected)


def test_a_far_block_finds_what_came_after_the_same_character() -> None:
    """Copying is there before learning: equal keys and queries look at what followed last time."""
    config = GPTConfig(vocab_size=9, context_length=8, n_layer=1, n_head=1, n_embd=16)
    far = replace(config, far_blocks=(0,))
    places = torch.eye(8)[[0, 1, 2, 3, 4, 1, 5, 6]]  # the sixth character was the second before
    content = torch.cat((torch.zeros(8, 8), places), dim=1)[None, None]  # (1, 1, 8, 16)
    cos, sin = rotary_angles(8, far.head_size)
    q, k = by_place_and_content(content, content, cos, sin, 2.0)
    assert (q @ k.transpose(-2, -1))[0, 0, 5, :6].argmax() == 2  # what came after it


def test_half_of_a_far_head_knows_no_distance() -> None:
    generator = torch.Generator().manual_seed(0)
    one = torch.randn(1, 1, 1, 16, generator=generator).expand(1, 1, 6, 16)
    cos, sin = rotary_angles(6, 16)
    q, k = by_place_and_content(one, one, cos, sin, 2.0)
    by_content = (q[..., 8:] @ k[..., 8:].transpose(-2, -1))[0, 0]
    torch.testing.assert_close(by_content[:, 1:], by_content[:1, 1:2].expand(6, 5))
    assert not by_content[:, 0].any()  # nothing came before the first
    by_place = (q[..., :8] @ k[..., :8].transpose(-2, -1))[0, 0]
    for distance in range(5):  # the same at every place, and another for each distance
        row = by_place.diagonal(-distance)
        torch.testing.assert_close(row, row[:1].expand_as(row))


@pytest.mark.parametrize("config", CONFIGS)
def test_no_position_sees_the_future(config: GPTConfig) -> None:
    gpt = random_gpt(config)
    length = config.context_length
    ids = random_ids(config, 2, length)
    logits = gpt(ids)
    for t in range(1, length):
        changed = ids.clone()
        changed[:, t:] = (changed[:, t:] + 1) % config.vocab_size
        other = gpt(changed)
        torch.testing.assert_close(other[:, :t], logits[:, :t])
        assert not torch.allclose(other[:, t], logits[:, t])


@pytest.mark.parametrize("config", CONFIGS)
def test_one_text_is_read_as_in_a_batch(config: GPTConfig) -> None:
    gpt = random_gpt(config)
    ids = random_ids(config, 3, config.context_length)
    logits = gpt(ids)
    assert logits.shape == (*ids.shape, config.vocab_size)
    assert logits.dtype == torch.float32
    for row, expected in zip(ids, logits, strict=True):
        torch.testing.assert_close(gpt(row[None])[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("config", CONFIGS)
def test_a_fresh_network_guesses(config: GPTConfig) -> None:
    ids = random_ids(config, 4, config.context_length)
    loss = F.cross_entropy(GPT(config)(ids).flatten(0, 1), ids.flatten())
    assert loss.item() == pytest.approx(math.log(config.vocab_size), rel=1e-3)


@pytest.mark.parametrize("config", [PLAIN, TABLE])
def test_one_batch_can_be_learned_by_heart(config: GPTConfig) -> None:
    torch.manual_seed(0)
    gpt = GPT(config)
    if gpt.ngrams is not None:
        gpt.ngrams.known.copy_(random_gpt(config).ngrams.known)  # type: ignore[union-attr]
    sparse = [p for name, p in gpt.named_parameters() if name == "ngrams.rows.weight"]
    dense = [p for name, p in gpt.named_parameters() if name != "ngrams.rows.weight"]
    optimizers: list[torch.optim.Optimizer] = [torch.optim.AdamW(dense, lr=1e-2)]
    if sparse:
        optimizers.append(torch.optim.SparseAdam(sparse, lr=1e-2))
    # Each text starts with a character of its own, so that nothing in it is left to chance.
    ids = random_ids(config, 4, config.context_length)
    ids[:, 0] = torch.arange(4)
    for _ in range(200):
        loss = F.cross_entropy(gpt(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
        if loss.item() < 0.02:
            break
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in optimizers:
            optimizer.step()
    assert loss.item() < 0.02


def test_dropout_works_in_training_only() -> None:
    gpt = random_gpt(GPTConfig(vocab_size=5, context_length=4, n_embd=8, n_head=2, dropout=0.5))
    ids = random_ids(gpt.config, 1, 4)
    assert torch.equal(gpt(ids), gpt(ids))
    gpt.train()
    assert not torch.equal(gpt(ids), gpt(ids))


def test_what_is_left_out_of_a_config_is_put_in() -> None:
    assert (PLAIN.n_kv_head, PLAIN.attention_window) == (PLAIN.n_head, PLAIN.context_length)
    assert GPTConfig.from_json(PLAIN.to_json()) == PLAIN


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("n_kv_head", 3, "n_kv_head = 3: must divide n_head = 2"),
        ("n_kv_head", -1, "n_kv_head = -1: must be a whole number"),
        ("far_window", 13, "far_window = 13: must be at most context_length = 12"),
        (
            "far_blocks",
            (3,),
            r"far_blocks = \(3,\): must be different blocks in rising order, 0 to",
        ),
        ("far_blocks", (1, 0), r"far_blocks = \(1, 0\): must be different blocks in rising order"),
        ("far_blocks", (1, 1), r"far_blocks = \(1, 1\): must be different blocks in rising order"),
        ("far_gain", 0.0, "far_gain = 0.0: must be above 0.0, at most 8"),
        ("far_gain", 9.0, "far_gain = 9.0: must be above 0.0, at most 8"),
        ("far_gain", float("nan"), "far_gain = nan: must be above 0.0"),
        ("far_gain", 2, "far_gain = 2: must be above 0.0"),
        ("embedding_skips", 1, "embedding_skips = 1: must be true or false"),
        ("attention_window", 13, "attention_window = 13: must be at most context_length = 12"),
    ],
)
def test_heads_and_window_must_fit(field: str, value: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GPTConfig(**{**vars(PLAIN), field: value})


def test_rotation_keeps_lengths_and_shows_only_distance() -> None:
    cos, sin = rotary_angles(10, 8)
    generator = torch.Generator().manual_seed(0)
    q, k = (torch.randn(1, 1, 1, 8, generator=generator).expand(1, 1, 10, 8) for _ in range(2))
    turned_q, turned_k = rotate(q, cos, sin), rotate(k, cos, sin)
    torch.testing.assert_close(turned_q.norm(dim=-1), q.norm(dim=-1))
    products = (turned_q @ turned_k.transpose(-2, -1))[0, 0]
    for distance in range(-9, 10):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert not torch.allclose(products[0, 0], products[0, 1])


def test_norm_gives_a_root_mean_square_of_one() -> None:
    x = torch.randn(3, 5, 64, generator=torch.Generator().manual_seed(0)) * 100
    torch.testing.assert_close(norm(x).square().mean(dim=-1), torch.ones(3, 5))
    assert torch.equal(norm(torch.zeros(4)), torch.zeros(4))


@pytest.mark.parametrize("config", [TABLE, WORDS_ONLY, SHARED_TABLE])
def test_known_ngrams_have_their_rows_and_all_others_the_last(config: GPTConfig) -> None:
    ngrams = random_gpt(config).ngrams
    assert ngrams is not None
    known = ngrams.known.tolist()
    for length in (1, 2, config.context_length):
        ids = random_ids(config, 3, length, seed=length)
        rows = ngrams.find(ids)
        for text, found in zip(ids, rows, strict=True):
            for t in range(length):
                keys = ngram_keys(text[: t + 1].numpy(), config)[-1]  # as if the text ended there
                expected = [known.index(k) if k in known else len(known) for k in keys.tolist()]
                assert found[t].tolist() == expected
    assert (rows == config.ngram_rows).any()
    assert (rows < config.ngram_rows).any()


def test_the_key_of_a_run_is_its_own_wherever_it_stands() -> None:
    rng = np.random.default_rng(0)
    tail = rng.integers(2, 6, 9)
    keys = [
        ngram_keys(np.concatenate((rng.integers(2, 6, size), [0, 3, 1, 2, 0], tail)), TABLE)[-1]
        for size in (0, 1, 2)
    ]
    assert np.array_equal(keys[0], keys[1])
    assert np.array_equal(keys[0], keys[2])
    assert len(set(keys[0].tolist())) == TABLE.n_ngrams


def test_a_config_without_skips_is_written_as_before_there_were_any() -> None:
    assert "embedding_skips" not in json.loads(PLAIN.to_json())
    skips = replace(PLAIN, n_layer=2, embedding_skips=True)
    assert GPTConfig.from_json(skips.to_json()) == skips
