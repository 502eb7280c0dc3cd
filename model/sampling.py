"""From logits to characters: how one is chosen, for one text or for many."""

import math
from collections import abc
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.network import Logits

MAX_TEMPERATURE = 2.0
SMALLEST_TEMPERATURE = 1e-30  # below it, differences between float32 logits could divide to inf
MAX_LENGTH = 1_000_000
MAX_CANDIDATES = 16
MAX_SEED = 2**63 - 1
NEVER = np.float32(-1e30)  # the logit of a character that must not be chosen


class NotFiniteError(ArithmeticError):
    """The network answered with NaN or infinity, so nothing can be chosen."""

    def __init__(self) -> None:
        super().__init__("the network's logits are not finite: its weights are damaged")


@dataclass(frozen=True)
class Sampling:
    """How a text is written.

    Attributes:
        length: how many characters, from 1.
        temperature: 0 always takes the likeliest character (greedy), 1 follows the network's own
            probabilities, up to 2; between, likely characters are favoured.
        top_k: only the k likeliest characters may be chosen; 0 is off.
        top_p: only the fewest likeliest characters that together have this probability may be
            chosen (Holtzman et al., 2020), above 0; 1 is off.
        seed: texts with the same seed, settings and weights are the same; None takes any.
        whole_word: the prompt's last word is whole; otherwise it goes on (see `sentences.barred`).
        rules: nothing is said twice and nobody answers himself (see `rules`).
        candidates: sentences that are tried for each that is written (see `writing.Draft`); 1 takes
            what comes.

    Raises:
        ValueError: a field is out of range; the message names it and what is allowed.
    """

    length: int = 300
    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 0.9
    seed: int | None = None
    whole_word: bool = True
    rules: bool = True
    candidates: int = 1

    def __post_init__(self) -> None:
        """Check every field."""
        self._whole("length", 1, MAX_LENGTH)
        self._whole("top_k", 0, MAX_LENGTH)
        self._whole("candidates", 1, MAX_CANDIDATES)
        if self.seed is not None:
            self._whole("seed", 0, MAX_SEED)
        if not (_is_number(self.temperature) and 0 <= self.temperature <= MAX_TEMPERATURE):
            raise ValueError(
                f"temperature = {self.temperature!r}: must be a number from 0 to {MAX_TEMPERATURE}"
            )
        if not (_is_number(self.top_p) and 0 < self.top_p <= 1):
            raise ValueError(f"top_p = {self.top_p!r}: must be a number above 0, at most 1")
        for name in ("whole_word", "rules"):
            if not isinstance(value := getattr(self, name), bool):
                raise ValueError(f"{name} = {value!r}: must be True or False")

    def _whole(self, name: str, least: int, most: int) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"{name} = {value!r}: must be a whole number from {least} to {most}")

    def rng(self) -> np.random.Generator:
        """The generator a text with these settings draws from."""
        return np.random.default_rng(self.seed)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def probabilities(logits: Logits, sampling: Sampling) -> NDArray[np.float64]:
    """softmax(logits / temperature), cut to `top_k` and `top_p`; not normalised.

    Nothing is sorted where neither asks for it. Characters as likely as the last one that may be
    chosen may be chosen too, so that ties do not depend on the order of the alphabet.

    Args:
        logits: (V,) finite.
        sampling: temperature above 0.

    Returns:
        (V,) weights; the largest is 1.

    Raises:
        NotFiniteError: the largest of the logits is NaN (which counts as the largest) or infinite.
    """
    # The largest becomes 0 first: whatever the temperature, exp can only vanish, not overflow.
    weights = logits.astype(np.float64)
    largest = weights[weights.argmax()]  # quicker than max(), which passes through Python
    if not math.isfinite(largest):
        raise NotFiniteError
    weights -= largest
    weights /= max(sampling.temperature, SMALLEST_TEMPERATURE)
    np.exp(weights, out=weights)
    if 0 < sampling.top_k < len(weights):
        weights[weights < np.partition(weights, -sampling.top_k)[-sampling.top_k]] = 0.0
    if sampling.top_p < 1.0:
        falling = np.sort(weights)[::-1]
        sums = falling.cumsum()
        last = sums.searchsorted(sampling.top_p * sums[-1])
        weights[weights < falling[min(last, len(falling) - 1)]] = 0.0
    return weights


def next_id(logits: Logits, sampling: Sampling, rng: np.random.Generator) -> int:
    """Choose the next character.

    One number is drawn from `rng`, none at temperature 0, whatever the logits: a text depends on
    its seed and on nothing that is written beside it.

    Args:
        logits: (V,) finite.
        sampling: how to choose.
        rng: the text's own generator.

    Returns:
        An id, 0 to V - 1.

    Raises:
        NotFiniteError: as `probabilities`.
    """
    if sampling.temperature == 0.0:
        likeliest = int(logits.argmax())
        if not math.isfinite(logits[likeliest]):
            raise NotFiniteError
        return likeliest
    sums = probabilities(logits, sampling).cumsum()
    return int(sums.searchsorted(_draw(rng, float(sums[-1])), "right"))


def next_ids(
    logits: Logits, samplings: abc.Sequence[Sampling], rngs: abc.Sequence[np.random.Generator]
) -> list[int]:
    """Choose the next character of each of several texts, as `next_id` does for one.

    Those that do not ask for `top_k` are chosen together, in few array operations.

    Args:
        logits: (S, V) finite.
        samplings: (S,) how to choose for each.
        rngs: (S,) the generator of each.

    Returns:
        (S,) ids.

    Raises:
        NotFiniteError: as `probabilities`, for any of the texts.
    """
    together = [i for i, s in enumerate(samplings) if s.temperature and not s.top_k]
    chosen = {
        i: next_id(logits[i], sampling, rngs[i])
        for i, sampling in enumerate(samplings)
        if not sampling.temperature or sampling.top_k
    }
    if together:
        temperatures = np.array([[samplings[i].temperature] for i in together])
        weights = logits[together].astype(np.float64)
        largest = weights.max(axis=1, keepdims=True)
        if not np.isfinite(largest).all():
            raise NotFiniteError
        weights -= largest
        weights /= np.maximum(temperatures, SMALLEST_TEMPERATURE)
        np.exp(weights, out=weights)
        _cut_to_top_p(weights, np.array([samplings[i].top_p for i in together]))
        sums = weights.cumsum(axis=1)  # (S, V)
        draws = [_draw(rngs[i], total) for i, total in zip(together, sums[:, -1], strict=True)]
        below = np.count_nonzero(sums <= np.array(draws)[:, None], axis=1)
        chosen.update(zip(together, below.tolist(), strict=True))
    return [chosen[i] for i in range(len(samplings))]


def _cut_to_top_p(weights: NDArray[np.float64], top_p: NDArray[np.float64]) -> None:
    """Leave only the likeliest of each row (S, V) that have together the share top_p (S,)."""
    if (top_p >= 1.0).all():
        return
    falling = np.sort(weights, axis=1)[:, ::-1]
    sums = falling.cumsum(axis=1)
    # The place, in falling order, of the last that may be chosen.
    last = np.count_nonzero(sums < (top_p * sums[:, -1])[:, None], axis=1)
    least = falling[np.arange(len(last)), np.minimum(last, weights.shape[1] - 1)]
    least[top_p >= 1.0] = 0.0
    weights[weights < least[:, None]] = 0.0


def without(logits: Logits, ids: abc.Collection[int]) -> Logits:
    """The same logits (V,), unless some ids must not be chosen: then a copy in which none is."""
    if not ids:
        return logits
    logits = logits.copy()
    logits[list(ids)] = NEVER
    return logits


def _draw(rng: np.random.Generator, total: float) -> float:
    """A number from 0 up to, never at, `total`: the product alone could round up to it."""
    return min(rng.random() * total, math.nextafter(total, 0.0))
