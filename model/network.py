"""What writes, seen from outside: all that `sampling.generate` and the bot's worker ask for."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.strangers import Strangers

Logits = NDArray[np.float32]


class Network(Protocol):
    """A network that writes several texts at once, each in a slot: see `decoder.Decoder`."""

    strangers: Strangers
    """Who is not to walk into what it writes."""

    digest: str
    """Of its weights, in hexadecimal digits: what another network writes is another text."""

    remembers: bool
    """Whether it uses the story so far, beyond the last sentences."""

    def join(self) -> int:
        """A free slot."""

    def leave(self, slot: int) -> None:
        """Give the slot back."""

    def read(self, slot: int, ids: Sequence[int]) -> Logits:
        """Read ids; the logits (V,) of what follows."""

    def step(self, slots: Sequence[int], ids: Sequence[int]) -> Logits:
        """Read one id in each slot; the logits (S, V) of what follows."""

    def fork(self, slot: int) -> int:
        """A free slot for a text that has so far been the same as this one."""

    def log_likelihoods(self, before: Sequence[int], texts: Sequence[Sequence[int]]) -> list[float]:
        """Ln P(text | before) of each text."""

    def rewind(self, slot: int, count: int) -> None:
        """Forget the last ids."""
