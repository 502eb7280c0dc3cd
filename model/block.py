"""A block of the network, laid out for writing: its weights, and what its heads make of a stream.

The letters in the shapes are those of `decoder.py`.

- q, k and v come from one product. The rows of q and k are put in another order once, so that a
  rotary pair is one complex number, and turning it one complex multiplication.
- q and k have length 1, so by Cauchy and Schwarz no score leaves -sqrt(D) .. sqrt(D), times the
  gain of far blocks, and softmax needs no maximum taken off: float32 holds exp of 80.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.config import GPTConfig

Array = NDArray[np.float32]
EPSILON = 1e-6


@dataclass(frozen=True)
class Block:
    """The weights of a block, and how its q and k are rotated at each position."""

    config: GPTConfig
    far: bool
    window: int  # A
    rotations: NDArray[np.complex64]  # (3 P, H + G, D/2)
    qkv: Array  # ((H + 2 G) D, C)
    projection: Array  # (C, C)
    up: Array  # (4 C, C)
    down: Array  # (C, 4 C)
    skip: Array | None = (
        None  # (1,) how much of the stream before the first block is added before this
    )

    def heads(self, x: Array, first: int, content: Array) -> tuple[Array, Array, Array]:
        """What its heads ask, offer and give: q (T, H, D), k and v (T, G, D), of places in a row.

        Args:
            x: (C, T) the stream before the block.
            first: the position of the first place.
            content: (G, D/2) the content half of the key of the place before, 0 where there is
                none; in far blocks it is replaced by that of the last place.
        """
        H, G, D = self.config.n_head, self.config.n_kv_head, self.config.head_size
        heads = (norm(x).T @ self.qkv.T).reshape(x.shape[1], H + 2 * G, D)
        q, k, v = heads[:, :H], heads[:, H : H + G], heads[:, H + G :]
        qk = heads[:, : H + G]
        qk /= np.sqrt(np.vecdot(qk, qk)[..., None] + np.float32(D * EPSILON))
        pairs = qk.view(np.complex64)
        pairs *= self.rotations[first : first + len(qk)]
        if self.far:  # the content half of a key stands one place later
            before = np.concatenate((content[None], k[:-1, :, D // 2 :]))
            content[:] = k[-1, :, D // 2 :]
            k[:, :, D // 2 :] = before
        return q, k, v

    def attention(self, x: Array, place: int) -> Array:
        """How much each head takes from each place that it sees from one of them.

        Args:
            x: (C, T) the stream before the block, from `Decoder.streams`.
            place: the place that looks back, 0 to T - 1.

        Returns:
            (H, n) for the n last places up to this one that the window holds; the sum over them
            is 1.
        """
        H, G, D = self.config.n_head, self.config.n_kv_head, self.config.head_size
        first = max(0, place - self.window + 1)
        before = min(first, 1)  # content comes from one place further back
        nothing = np.zeros((G, D // 2), np.float32)
        q, k, _ = self.heads(x[:, first - before : place + 1], 0, nothing)
        q, k = q[-1].reshape(G, H // G, D), k[before:].swapaxes(0, 1)  # k (G, n, D)
        scores = np.exp(k @ q.swapaxes(1, 2))
        weights: Array = (scores / scores.sum(axis=1, keepdims=True)).swapaxes(1, 2)
        return weights.reshape(H, -1)


def lay_out(config: GPTConfig, weights: Mapping[str, NDArray[Any]]) -> list[Block]:
    """The blocks of a network, from the tensors of `GPT.state_dict()` by name."""
    is_far = [i in config.far_blocks for i in range(config.n_layer)]
    rotations = {far: _rotations(config, far) for far in set(is_far)}
    skips = [None, *f32(weights["skips"])] if config.embedding_skips else [None] * config.n_layer
    blocks = []
    for i, far in enumerate(is_far):
        names = "attention.qkv", "attention.projection", "feed_forward.up", "feed_forward.down"
        qkv, *others = (f32(weights[f"blocks.{i}.{name}.weight"]) for name in names)
        qkv = _pair_rotary_rows(qkv, config, far)
        block = Block(config, far, config.window(i), rotations[far], qkv, *others)
        blocks.append(replace(block, skip=skips[i]))
    return blocks


def norm(x: Array) -> Array:
    """Bring each column of x (C, [N]) to a root mean square of 1."""
    normed: Array = x / np.sqrt(np.square(x).mean(axis=0) + np.float32(EPSILON))
    return normed


def f32(array: NDArray[Any]) -> Array:
    """The same numbers as float32, row after row."""
    return np.ascontiguousarray(array, dtype=np.float32)


def _pair_rotary_rows(qkv: Array, config: GPTConfig, far: bool) -> Array:
    """Put the rows of each head of q and k that are a rotary pair side by side.

    These are i and i + D/2; in far blocks i and i + D/4 of the first half, the second stays.
    """
    D, C = config.head_size, config.n_embd
    split = len(qkv) - config.kv_width
    rotary = D // 2 if far else D
    heads = qkv[:split].reshape(-1, D, C)
    paired = heads[:, :rotary].reshape(-1, 2, rotary // 2, C).swapaxes(1, 2)
    heads = np.concatenate((paired.reshape(-1, rotary, C), heads[:, rotary:]), axis=1)
    return np.ascontiguousarray(np.concatenate((heads.reshape(-1, C), qkv[split:])))


def _rotations(config: GPTConfig, far: bool) -> NDArray[np.complex64]:
    """What q and k are multiplied by at each position: (3 P, H + G, D/2).

    The rotation, and sqrt(D) for q: with q and k of length 1, that makes their product
    norm(q) norm(k) / sqrt(D), as norm() gives them the length sqrt(D). In far blocks half of the
    pairs stand still, and q is longer by `far_gain`.
    """
    H, G, D = config.n_head, config.n_kv_head, config.head_size
    frequency = 10000.0 ** -(np.arange(0, D, 2) / D)
    if far:
        frequency = np.concatenate((frequency[::2], np.zeros(D // 4)))
    rotations = np.exp(1j * np.arange(3 * config.longest_window)[:, None] * frequency)
    length = math.sqrt(D) * (config.far_gain if far else 1.0)
    heads = (length * rotations[:, None]).repeat(H, axis=1), rotations[:, None].repeat(G, axis=1)
    return np.concatenate(heads, axis=1).astype(np.complex64)
