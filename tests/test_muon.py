"""Muon, and the dtype of its iteration."""

import pytest
import torch
from torch import nn

from training.muon import Muon, orthogonal

SHAPES = [(64, 32), (32, 64), (48, 48), (5, 1)]


def steps(optimizer: torch.optim.Optimizer, matrix: nn.Parameter) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    for _ in range(4):
        matrix.grad = torch.randn(matrix.shape, generator=generator)
        optimizer.step()
    return matrix.detach()


def a_matrix(shape: tuple[int, int]) -> nn.Parameter:
    return nn.Parameter(torch.randn(shape, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("shape", SHAPES)
def test_in_bfloat16_it_is_pytorchs_to_the_bit(shape: tuple[int, int]) -> None:
    ours, theirs = a_matrix(shape), a_matrix(shape)
    torch.testing.assert_close(
        steps(Muon([ours], 0.02, weight_decay=0.1, dtype=torch.bfloat16), ours),
        steps(torch.optim.Muon([theirs], lr=0.02, weight_decay=0.1), theirs),
        rtol=0,
        atol=0,
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_in_float32_it_goes_the_same_way(shape: tuple[int, int]) -> None:
    half, whole = a_matrix(shape), a_matrix(shape)
    torch.testing.assert_close(
        steps(Muon([whole], 0.02, dtype=torch.float32), whole),
        steps(Muon([half], 0.02, dtype=torch.bfloat16), half),
        rtol=0,
        atol=5e-3,
    )


@pytest.mark.parametrize("shape", [(64, 32), (32, 64)])
def test_all_directions_move_alike(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(2)) * 1e3
    values = torch.linalg.svdvals(orthogonal(matrix, torch.float32))
    assert values.min() > 0.3
    assert values.max() < 1.3
    assert orthogonal(torch.zeros(shape), torch.float32).count_nonzero() == 0


def test_what_has_no_gradient_stays() -> None:
    matrix = a_matrix((4, 4))
    Muon([matrix], 0.1, weight_decay=0.5).step()
    torch.testing.assert_close(matrix, a_matrix((4, 4)), rtol=0, atol=0)
