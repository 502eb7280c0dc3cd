"""Rows in 4 bits: small, and near enough."""

import numpy as np
import pytest

from model.quantised import dequantise, quantise


@pytest.mark.parametrize("size", [1e-3, 1.0, 300.0])
def test_each_number_is_off_by_half_a_step_at_most(size: float) -> None:
    rows = (np.random.default_rng(0).normal(size=(50, 32)) * size).astype(np.float32)
    packed, scale = quantise(rows)
    assert packed.shape == (50, 16) and packed.dtype == np.uint8
    assert np.all(np.abs(dequantise(packed, scale) - rows) <= 0.51 * scale[:, None])


def test_what_fits_comes_back_as_it_was() -> None:
    rows = np.array([[-7, 0, 3, 7], [0, 0, 0, 0], [7, -6, 5, -4]], np.float32)
    packed, scale = quantise(rows)
    np.testing.assert_array_equal(dequantise(packed, scale), rows)
    chosen = np.array([[2, 0], [1, 1]])
    np.testing.assert_array_equal(dequantise(packed[chosen], scale[chosen]), rows[chosen])
