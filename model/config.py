"""The sizes of a network: checked once, and carried in the header of its weights file."""

import json
import math
from dataclasses import asdict, dataclass, fields

_SIZES = (
    "vocab_size",
    "context_length",
    "attention_window",
    "far_window",
    "n_layer",
    "n_head",
    "n_kv_head",
    "n_embd",
)
_SEQUENCES = ("far_blocks", "ngram_orders", "ngram_words", "word_breaks")


@dataclass(frozen=True)
class GPTConfig:
    """Everything that decides the shapes of a `GPT` and of its `Decoder`.

    A 0 that stands for another field is replaced by its value when the config is made.

    Attributes:
        vocab_size: V, how many characters there are.
        context_length: the longest text, in characters, that is read at once.
        attention_window: A, how many characters a place attends to, itself included; 0 stands for
            `context_length`.
        far_blocks: blocks, counted from 0, that attend to `far_window` characters instead. Half of
            each of their heads asks for content, wherever it stands, and is answered by what came
            after it: the network's memory of the story so far.
        far_window: how many characters a place of a far block attends to; 0 stands for
            `context_length`.
        far_gain: what the scores of far blocks are multiplied by, above 0, at most 8: how surely
            one place among a thousand is chosen. Learning takes 2; with less, a network writes what
            it wrote before less often.
        n_layer: how many blocks.
        n_head: H, attention heads in a block; n_embd / n_head = D must be even.
        n_kv_head: G, heads of keys and values, each shared by H / G heads that ask; 0 stands for H.
        n_embd: C, width of the residual stream.
        embedding_skips: whether the stream as it was before the first block is added again before
            each later one, times a number that is learned.
        dropout: share of a block's output dropped while training, 0 to 1.
        ngram_orders: the n-gram table knows n-grams of the last n characters, for each n here.
        ngram_words: and n-grams of the last n words, the unfinished one included.
        ngram_rows: how many n-grams the table knows.
        ngram_width: numbers in a row of the table.
        ngram_dropout: share of the known n-grams hidden while training, 0 to 1.
        word_breaks: ids of the characters that part words.

    Raises:
        ValueError: a field is out of range; the message names it and what is allowed.
    """

    vocab_size: int
    context_length: int = 64
    attention_window: int = 0
    far_blocks: tuple[int, ...] = ()
    far_window: int = 0
    far_gain: float = 2.0
    n_layer: int = 4
    n_head: int = 4
    n_kv_head: int = 0
    n_embd: int = 128
    embedding_skips: bool = False
    dropout: float = 0.0
    ngram_orders: tuple[int, ...] = ()
    ngram_words: tuple[int, ...] = ()
    ngram_rows: int = 0
    ngram_width: int = 0
    ngram_dropout: float = 0.0
    word_breaks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Put in what a 0 stands for; check every field, and the fields against each other."""
        for name, value in (
            ("attention_window", self.context_length),
            ("far_window", self.context_length),
            ("n_kv_head", self.n_head),
        ):
            if getattr(self, name) == 0:
                object.__setattr__(self, name, value)
        for name in _SIZES:
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} = {value!r}: must be a whole number of at least 1")
        for name in ("ngram_rows", "ngram_width"):
            value = getattr(self, name)
            if type(value) is not int or value < 0:
                raise ValueError(f"{name} = {value!r}: must be a whole number of at least 0")
        for name in _SEQUENCES:
            value = getattr(self, name)
            least = 0 if name in ("word_breaks", "far_blocks") else 1
            if not isinstance(value, tuple) or any(type(n) is not int or n < least for n in value):
                raise ValueError(f"{name} = {value!r}: must be whole numbers of at least {least}")
        self._check_bounds()
        if self.n_embd % (2 * self.n_head):
            raise ValueError(
                f"n_embd = {self.n_embd}: must be a multiple of 2 x n_head = {2 * self.n_head}"
            )
        if self.n_head % self.n_kv_head:
            raise ValueError(f"n_kv_head = {self.n_kv_head}: must divide n_head = {self.n_head}")
        for name in ("attention_window", "far_window"):
            if getattr(self, name) > self.context_length:
                raise ValueError(
                    f"{name} = {getattr(self, name)}: "
                    f"must be at most context_length = {self.context_length}"
                )
        if not isinstance(self.far_gain, float) or not 0.0 < self.far_gain <= 8.0:
            raise ValueError(f"far_gain = {self.far_gain!r}: must be above 0.0, at most 8")
        if self.far_blocks:
            self._check_far_blocks()
        if type(self.embedding_skips) is not bool or self.embedding_skips > self.n_layer - 1:
            raise ValueError(
                f"embedding_skips = {self.embedding_skips!r}: must be true or false, and false "
                "where there is one block"
            )
        for name in ("dropout", "ngram_dropout"):
            share = getattr(self, name)
            if not isinstance(share, float) or not 0.0 <= share < 1.0:
                raise ValueError(f"{name} = {share!r}: must be at least 0.0 and below 1")
        if self.n_ngrams and not (self.ngram_rows and self.ngram_width):
            raise ValueError("ngram_orders and ngram_words need ngram_rows and ngram_width above 0")
        if self.ngram_words and not self.word_breaks:
            raise ValueError("ngram_words needs word_breaks: the ids of space and newline")

    def _check_bounds(self) -> None:
        """A config may come out of a file made by hand: what takes memory or time has an end."""
        for name in (*_SIZES, "ngram_rows", "ngram_width", *_SEQUENCES):
            value = getattr(self, name)
            largest = max(value, default=0) if isinstance(value, tuple) else value
            if largest > (most := _MOST.get(name, _MOST_ELSE)):
                raise ValueError(f"{name} = {value!r}: must be at most {most:,}")
        if self.context_length * self.n_embd > _MOST_PLACES:
            raise ValueError(
                f"context_length = {self.context_length}: times n_embd = {self.n_embd} must be at "
                f"most {_MOST_PLACES:,}"
            )
        if max(self.word_breaks, default=0) >= self.vocab_size:
            raise ValueError(
                f"word_breaks = {self.word_breaks!r}: must be below vocab_size = {self.vocab_size}"
            )

    def _check_far_blocks(self) -> None:
        """Far blocks exist, rotate pairs in half of each head, and their ring fits the others'."""
        if list(self.far_blocks) != sorted({*self.far_blocks} & {*range(self.n_layer)}):
            raise ValueError(
                f"far_blocks = {self.far_blocks}: must be different blocks in rising order, "
                f"0 to n_layer - 1 = {self.n_layer - 1}"
            )
        if self.far_gain * math.sqrt(self.head_size) > 80:  # exp of a score must be a number
            raise ValueError(
                f"far_gain = {self.far_gain}: times the root of n_embd / n_head must be at most 80"
            )
        if self.n_embd % (4 * self.n_head):
            raise ValueError(
                f"n_embd = {self.n_embd}: must be a multiple of 4 x n_head = {4 * self.n_head} "
                "where there are far_blocks"
            )
        if self.far_window % self.attention_window:
            raise ValueError(
                f"attention_window = {self.attention_window}: must divide far_window = "
                f"{self.far_window}"
            )

    def window(self, block: int) -> int:
        """How many characters a place attends to in this block, itself included."""
        return self.far_window if block in self.far_blocks else self.attention_window

    @property
    def longest_window(self) -> int:
        """The most characters that any block attends to."""
        return max(map(self.window, range(self.n_layer)))

    @property
    def head_size(self) -> int:
        """D, the width of one head."""
        return self.n_embd // self.n_head

    @property
    def kv_width(self) -> int:
        """Numbers in the keys, and in the values, of one place: G D."""
        return self.n_kv_head * self.head_size

    @property
    def n_ngrams(self) -> int:
        """K, how many n-grams end at each character and are looked up in the n-gram table."""
        return len(self.ngram_orders) + len(self.ngram_words)

    def to_json(self) -> str:
        """The config as one line of JSON; without skips as it was before there were any."""
        values = asdict(self)
        if not self.embedding_skips:
            del values["embedding_skips"]
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str) -> "GPTConfig":
        """The config that `to_json` wrote.

        Raises:
            ValueError: not JSON, a field that is unknown or missing, or a value out of range.
        """
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError("the config is not a JSON object")
        if unknown := set(values) - {field.name for field in fields(cls)}:
            raise ValueError(f"{', '.join(sorted(unknown))}: not a field of GPTConfig")
        if "vocab_size" not in values:
            raise ValueError("vocab_size: missing")
        for name in _SEQUENCES:
            if isinstance(values.get(name), list):
                values[name] = tuple(values[name])
        return cls(**values)


_MOST = {"n_layer": 1_000, "ngram_words": 100}
_MOST_ELSE = 2**30
_MOST_PLACES = 2**21  # context_length x n_embd: so many numbers of angles and of keys are kept
