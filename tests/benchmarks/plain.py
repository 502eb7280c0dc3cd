"""What this project is held against: a plain GPT, written with as the original project writes.

Positions are learned, LayerNorm has a gain, the feed-forward layers have a ReLU, and heads are
computed one after the other. For each character the whole window is read again. Nothing more is
done than that: dropout is left out and the mask is made once, where the original makes one for each
head, so this is no slower than what it stands for. Its weights are random: speed is all that is
asked of it.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.config import GPTConfig


class Head(nn.Module):
    """One attention head."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        C, D = config.n_embd, config.head_size
        self.key, self.query, self.value = (nn.Linear(C, D, bias=False) for _ in range(3))

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        """(B, T, C), and (T, T) what is not seen -> (B, T, D)."""
        q, k, v = self.query(x), self.key(x), self.value(x)
        scores = q @ k.transpose(-2, -1) / math.sqrt(k.size(-1))  # (B, T, T)
        attention: Tensor = scores.masked_fill(hidden, -math.inf).softmax(dim=-1) @ v
        return attention


class Block(nn.Module):
    """Heads in a loop and a projection; then two layers with a ReLU."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        C = config.n_embd
        self.heads = nn.ModuleList(Head(config) for _ in range(config.n_head))
        self.projection = nn.Linear(C, C)
        self.up, self.down = nn.Linear(C, 4 * C), nn.Linear(4 * C, C)
        self.first_norm, self.second_norm = nn.LayerNorm(C), nn.LayerNorm(C)

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        normed = self.first_norm(x)
        x = x + self.projection(torch.cat([head(normed, hidden) for head in self.heads], dim=-1))
        added: Tensor = x + self.down(F.relu(self.up(self.second_norm(x))))
        return added


class PlainGPT(nn.Module):
    """A GPT of the sizes of a config; only vocabulary, context, blocks, heads and width count."""

    hidden: Tensor

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        T, C = config.context_length, config.n_embd
        self.characters, self.positions = nn.Embedding(config.vocab_size, C), nn.Embedding(T, C)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.norm, self.head = nn.LayerNorm(C), nn.Linear(C, config.vocab_size)
        self.register_buffer("hidden", torch.ones(T, T, dtype=torch.bool).triu(1))

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) ids -> (B, T, V) logits."""
        T = ids.size(1)
        x = self.characters(ids) + self.positions(torch.arange(T))
        for block in self.blocks:
            x = block(x, self.hidden[:T, :T])
        logits: Tensor = self.head(self.norm(x))
        return logits


@torch.inference_mode()
def write(gpt: PlainGPT, ids: Sequence[int], length: int, temperature: float) -> list[int]:
    """Write on from ids: for each character the whole window is read again."""
    text = torch.tensor([ids])
    for _ in range(length):
        logits = gpt(text[:, -len(gpt.hidden) :])[:, -1]
        chosen = torch.multinomial((logits / temperature).softmax(dim=-1), 1)
        text = torch.cat((text, chosen), dim=1)
    written: list[int] = text[0, len(ids) :].tolist()
    return written
