"""Means of what was measured, with how far they may be off."""

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray


class Estimate(TypedDict):
    """A mean of independent measurements, as reports hold it.

    Attributes:
        mean: of all of them.
        error: its standard error, in the same unit; None where only one was measured.
        of: how many they are.
    """

    mean: float
    error: float | None
    of: int


def estimate(values: Sequence[float] | NDArray[Any]) -> Estimate:
    """The mean of (N,) values, with its standard error s / sqrt(N), where s**2 is over N - 1.

    The values are taken for independent: where neighbours are alike, it is a little larger.

    Raises:
        ValueError: there is none.
    """
    found = np.asarray(values, np.float64)
    if not found.size:
        raise ValueError("values: there must be at least one")
    error = float(found.std(ddof=1) / np.sqrt(found.size)) if found.size > 1 else None
    return {"mean": float(found.mean()), "error": error, "of": found.size}
