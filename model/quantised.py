"""Rows of small numbers: the n-gram table in 4 bits a number, with a scale for each row.

The table is most of a weights file and is read a few rows at a time, so it is kept small and made
float32 as it is looked up. A byte holds two numbers, -7 .. 7 each, the first in its lower half.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_HALVES = np.arange(256)[:, None] >> np.array([0, 4]) & 15
_PAIRS = (_HALVES - 8).astype(np.float32)  # (256, 2) the two numbers that a byte holds


def quantise(rows: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """(N, W) rows -> (N, W / 2) bytes and (N,) scales; W must be even."""
    scale = np.maximum(np.abs(rows).max(axis=1) / 7, 1e-4).astype(np.float16)
    whole = np.round(rows / scale.astype(np.float32)[:, None]).clip(-7, 7).astype(np.int8) + 8
    return (whole[:, ::2] | whole[:, 1::2] << 4).astype(np.uint8), scale


def dequantise(rows: NDArray[Any], scale: NDArray[Any] | None) -> NDArray[np.float32]:
    """Rows as they lie in a weights file -> (..., W) float32.

    Args:
        rows: (..., W / 2) uint8 as `quantise` packs them, or (..., W) int8 or floats.
        scale: (...,) what each row is multiplied by; None for 1.
    """
    if rows.dtype == np.uint8:
        numbers: NDArray[np.float32] = _PAIRS[rows].reshape(*rows.shape[:-1], -1)
    else:
        numbers = rows.astype(np.float32)
    if scale is not None:
        numbers *= scale[..., None]
    return numbers
