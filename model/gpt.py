"""The network, for learning: a GPT in PyTorch, every step by hand.

Begin with `GPT.forward`, the last function, and look up what it calls above it. `decoder.py` is the
same network again, for writing. The letters in the shapes:

    B  batch    how many texts are read side by side
    T  time     how many characters of each
    C  n_embd   width of the residual stream, which the blocks read from and add to
    H  n_head   attention heads
    G  n_kv_head, heads of keys and values, each shared by H / G attention heads
    D  C / H    width of one head
    V  vocabulary, how many characters there are
    A  attention_window, how many characters a place attends to; in far blocks far_window
    K  n-grams looked up for each character;  R  rows in the n-gram table;  W  their width
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.config import GPTConfig
from model.ngrams import find_rows, ngram_keys


def norm(x: Tensor) -> Tensor:
    """Layer normalisation by the root mean square (Zhang and Sennrich, 2019), without a gain."""
    return F.rms_norm(x, (x.size(-1),), eps=1e-6)


def rotary_angles(length: int, head_size: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine, (T, D/2) each, of position x frequency (RoFormer, Su et al., 2021)."""
    frequency = 10000.0 ** -(torch.arange(0, head_size, 2).float() / head_size)
    angle = torch.outer(torch.arange(length).float(), frequency)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair (x[i], x[i + D/2]) by an angle that grows with its position.

    The product of two vectors depends on the angle between them. One turned m times and one turned
    n times are m - n turns apart, wherever in the text they stand: so a score sees distance.
    """
    a, b = x.chunk(2, dim=-1)  # each (B, H, T, D/2)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


def causal_attention(q: Tensor, k: Tensor, v: Tensor, window: int) -> Tensor:
    """Each position takes the mean of the values up to itself, weighted by how well keys match.

    softmax(q k^T / sqrt(D)) v, "Attention Is All You Need" (Vaswani et al., 2017), over the last
    `window` positions only (sliding window, Beltagy et al., 2020).

    Args:
        q: (B, H, T, D) what each position looks for.
        k: (B, G, T, D) what each position offers; H / G heads share it (Ainslie et al., 2023).
        v: (B, G, T, D) what it gives when it is chosen.
        window: how many positions are looked at, its own included.

    Returns:
        (B, H, T, D)
    """
    T, head_size = q.shape[-2:]
    k, v = (x.repeat_interleave(q.size(1) // x.size(1), dim=1) for x in (k, v))  # (B, H, T, D)
    if in_pieces := window < T:  # of A places: what one sees lies in its piece and the one before
        q, k, v = pieces(q, window), with_piece_before(k, window), with_piece_before(v, window)
    # Where queries and keys stand, counted from the first query: keys before it are below 0.
    query = torch.arange(q.size(-2), device=q.device)[:, None]
    key = torch.arange(q.size(-2) - k.size(-2), q.size(-2), device=q.device)
    hidden = (key > query) | (key <= query - window)  # the future, and what is too far back
    if in_pieces:  # nothing lies before the first piece
        piece = torch.arange(q.size(2), device=q.device)[:, None, None]
        hidden = hidden | (piece * window + key < 0)  # (T / A, A, 2 A)
    scores = q @ k.transpose(-2, -1) / math.sqrt(head_size)  # (B, H, [T / A,] T or A, T or 2 A)
    y = scores.masked_fill(hidden, -math.inf).softmax(dim=-1) @ v
    return y.flatten(2, 3)[:, :, :T] if in_pieces else y


def pieces(x: Tensor, length: int) -> Tensor:
    """Cut time: (B, H, T, D) -> (B, H, N, length, D), zeros behind the end."""
    B, H, T, D = x.shape
    return F.pad(x, (0, 0, 0, -T % length)).view(B, H, -1, length, D)


def with_piece_before(x: Tensor, length: int) -> Tensor:
    """Cut time, each piece behind the one before it: (B, H, T, D) -> (B, H, N, 2 length, D)."""
    x = pieces(F.pad(x, (0, 0, length, 0)), length)  # (B, H, 1 + N, length, D)
    return torch.cat((x[:, :, :-1], x[:, :, 1:]), dim=3)


def by_place_and_content(
    q: Tensor, k: Tensor, cos: Tensor, sin: Tensor, gain: float
) -> tuple[Tensor, Tensor]:
    """What q (B, H, T, D) and k (B, G, T, D) of a far block become, which finds words again.

    Half of each head is rotated as elsewhere. The other half knows no distance, and its keys stand
    one place later: a place that looks for what is written here finds what came after it when it
    was written before, in one block instead of two (induction, Olsson et al., 2022; the shifted
    keys: modded-nanogpt, 2025). All scores are multiplied by `gain`, above 1 where one place among
    a thousand is to be chosen.
    """
    (q_place, q_content), (k_place, k_content) = q.chunk(2, dim=-1), k.chunk(2, dim=-1)
    cos, sin = cos[:, ::2], sin[:, ::2]  # (T, D/4) every other frequency
    q = torch.cat((rotate(q_place, cos, sin), q_content), dim=-1)
    k_before = F.pad(k_content[:, :, :-1], (0, 0, 1, 0))  # at the first place there is none
    return gain * q, torch.cat((rotate(k_place, cos, sin), k_before), dim=-1)


class CausalSelfAttention(nn.Module):
    """Heads that look back over the text, and a projection that puts together what they found."""

    def __init__(self, config: GPTConfig, block: int) -> None:
        super().__init__()
        self.config = config
        self.window, self.far = config.window(block), block in config.far_blocks
        self.qkv = nn.Linear(config.n_embd, config.n_embd + 2 * config.kv_width, bias=False)
        self.projection = nn.Linear(config.n_embd, config.n_embd, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        B, T, C = x.shape
        H, G, D = self.config.n_head, self.config.n_kv_head, self.config.head_size
        qkv = self.qkv(x).view(B, T, H + 2 * G, D).transpose(1, 2)
        q, k, v = qkv.split((H, G, G), dim=1)  # (B, H, T, D), (B, G, T, D), (B, G, T, D)
        q, k = norm(q), norm(k)  # of length sqrt(D): no score can outgrow sqrt(D) x gain
        if self.far:
            q, k = by_place_and_content(q, k, cos, sin, self.config.far_gain)
        else:
            q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        y = causal_attention(q, k, v, self.window)  # (B, H, T, D)
        return self.projection(y.transpose(1, 2).reshape(B, T, C))


class FeedForward(nn.Module):
    """Two layers for each position by itself, with a squared ReLU (So et al., 2021) between.

    Without something bent between them two layers would be one. The square makes it bend smoothly
    at 0 and lets strong answers count for more; it was found by search, and helps here as well.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.up = nn.Linear(config.n_embd, 4 * config.n_embd, bias=False)
        self.down = nn.Linear(4 * config.n_embd, config.n_embd, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        return self.down(F.relu(self.up(x)).square())


class Block(nn.Module):
    """Attention, then feed-forward; each reads a normalised stream and adds its answer to it."""

    def __init__(self, config: GPTConfig, block: int) -> None:
        super().__init__()
        self.attention = CausalSelfAttention(config, block)
        self.feed_forward = FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        x = x + self.dropout(self.attention(norm(x), cos, sin))
        return x + self.dropout(self.feed_forward(norm(x)))


class NGramTable(nn.Module):
    """What often follows the last few characters and words, learned: memory instead of arithmetic.

    K n-grams, none longer than A, end at each character: `model/ngrams.py` says which they are, and
    finds them among the R that are known. Each has a row, or the row of the unknown; a matrix
    brings the K rows together to the width of the stream.
    """

    known: Tensor

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        rows, width = config.ngram_rows, config.ngram_width
        self.rows = nn.Embedding(rows + 1, width, sparse=True)  # the last is that of the unknown
        self.projection = nn.Linear(config.n_ngrams * width, config.n_embd, bias=False)
        self.register_buffer("known", torch.arange(rows, dtype=torch.int32))  # sorted keys

    def find(self, ids: Tensor) -> Tensor:
        """(B, T) ids -> (B, T, K) the rows of the n-grams that end there, R where unknown."""
        keys = ngram_keys(ids.cpu().numpy(), self.config)
        return torch.from_numpy(find_rows(keys, self.known.cpu().numpy())).to(ids.device)

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) ids -> (B, T, C)."""
        places = self.find(ids)  # (B, T, K)
        if self.training and self.config.ngram_dropout:
            hidden = torch.rand(places.shape, device=places.device) < self.config.ngram_dropout
            places = places.masked_fill(hidden, len(self.known))
        rows = self.rows(places)  # (B, T, K, W)
        return self.projection(rows.flatten(-2).to(self.projection.weight.dtype))


_SILENT = ("attention.projection", "feed_forward.down", "ngrams.rows", "head")


class GPT(nn.Module):
    """A decoder-only transformer over characters: (B, T) ids -> (B, T, V) logits."""

    cos: Tensor
    sin: Tensor

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.n_embd)
        self.ngrams = NGramTable(config) if config.n_ngrams else None
        self.blocks = nn.ModuleList(Block(config, i) for i in range(config.n_layer))
        self.skips = (
            nn.Parameter(torch.empty(config.n_layer - 1, 1)) if config.embedding_skips else None
        )
        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        cos, sin = rotary_angles(config.context_length, config.head_size)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.initialise()

    @torch.no_grad()
    def initialise(self) -> None:
        """Start as the identity: what adds to the stream adds nothing yet, and all logits are 0."""
        for name, parameter in self.named_parameters():
            if name == "skips" or name.endswith(tuple(f"{last}.weight" for last in _SILENT)):
                parameter.zero_()
            elif name == "embedding.weight":
                parameter.normal_()
            else:
                # A sum over so many inputs then comes out half as long as they are, in any width.
                parameter.normal_(std=0.5 * parameter.size(1) ** -0.5)

    def forward(self, ids: Tensor, shift: Tensor | None = None) -> Tensor:
        """What follows each character.

        Args:
            ids: (B, T) int64, T at most `config.context_length`.
            shift: (B, 1, C) added to the embedding of each character: while training, it tells
                the library's texts from those whose voice is to be learned.

        Returns:
            (B, T, V) logits of the next character, float32.
        """
        T = ids.size(1)
        cos, sin = self.cos[:T], self.sin[:T]
        x = self.embedding(ids)  # (B, T, C)
        if self.ngrams is not None:
            x = x + self.ngrams(ids)
        if shift is not None:
            x = x + shift
        x = first = norm(x)
        for i, block in enumerate(self.blocks):
            if self.skips is not None and i > 0:  # remind the block of what was read here
                x = x + self.skips[i - 1] * first
            x = block(x, cos, sin)
        return self.head(norm(x)).float()
