"""Muon (Jordan et al., 2024): momentum made orthogonal, for the matrices of a network.

The same steps as `torch.optim.Muon`, to the bit in bfloat16, but for one thing: the dtype of the
iteration is chosen. PyTorch's is bfloat16 always, which a processor without units for it computes
thirty times more slowly than float32.
"""

import math
from collections.abc import Iterable
from typing import Any, overload

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""a, b, c of the iteration X <- a X + b (X X^T) X + c (X X^T)^2 X, steepest at 0."""
ITERATIONS = 5


def orthogonal(matrix: Tensor, dtype: torch.dtype) -> Tensor:
    """Nearly the orthogonal matrix next to this one, by Newton and Schulz: (M, N) -> (M, N).

    Its singular values, whatever they were, come to lie between about 0.5 and 1.5.
    """
    a, b, c = COEFFICIENTS
    tall = matrix.size(0) > matrix.size(1)
    x = matrix.to(dtype, copy=True)
    x = x.T if tall else x
    x.div_(x.norm().clamp(min=1e-7))  # no singular value is above 1 then
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Moves matrices by `orthogonal` of their momentum (Nesterov's)."""

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        lr: float,
        *,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Take (M, N) parameters; `dtype` is what the iteration computes in."""
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self.dtype = dtype

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Any) -> float: ...  # noqa: ANN401
    @torch.no_grad()
    def step(self, closure: Any = None) -> float | None:
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            rate, momentum = group["lr"], group["momentum"]
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(matrix)
                velocity = state["momentum_buffer"].lerp_(matrix.grad, 1 - momentum)
                update = orthogonal(matrix.grad.lerp(velocity, momentum), self.dtype)
                matrix.mul_(1 - rate * group["weight_decay"])
                # A tall matrix has room for larger steps of each row.
                matrix.add_(
                    update, alpha=-rate * math.sqrt(max(1, matrix.size(0) / matrix.size(1)))
                )
        return None
