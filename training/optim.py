"""How weights move: three optimizers, one schedule, and a working copy in half precision."""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from model.gpt import GPT
from training import distributed
from training.config import OptimisationConfig
from training.muon import Muon


def schedule(progress: float, warmup: float, cooldown: float) -> float:
    """The share of the full learning rate at a place of the training, 0 to 1: a trapezium."""
    rise = progress / warmup if warmup else 1.0
    fall = (1.0 - progress) / cooldown if cooldown else 1.0
    return min(1.0, rise, fall)


class Learner:
    """A network, the copy of it that computes, and what moves its weights.

    The weights proper are float32. With bfloat16 the passes forward and back run on a copy, whose
    gradients are brought back: there is nothing to convert on the way, and processors with matrix
    units are several times faster. The rows of the n-gram table stay float32 and are shared; their
    gradients are sparse.

    Matrices move by Muon (Jordan et al., 2024: momentum made orthogonal), embedding, head, the
    library's vector and the skips by AdamW, the rows by SparseAdam.

    Attributes:
        model: the network, float32.
        working_copy: what computes: `model` itself, or a copy in half precision.
        library: (C,) what is added to each character of the library's texts. The network knows by
            it whose voice it reads; without it, it has the voice that it is to learn.
        mean: the weights by name, averaged over so many steps as `averaged` says.
    """

    def __init__(self, model: GPT, config: OptimisationConfig, dtype: torch.dtype) -> None:
        self.model = model
        self.working_copy = model
        rows = None if model.ngrams is None else model.ngrams.rows.weight
        if dtype != torch.float32:
            memo = {} if rows is None else {id(rows): rows}
            self.working_copy = copy.deepcopy(model, memo)
            for module in self.working_copy.modules():
                for name, parameter in module.named_parameters(recurse=False):
                    if parameter is not rows:
                        half = nn.Parameter(parameter.detach().to(dtype))
                        setattr(module, name, half)
                for name, buffer in module.named_buffers(recurse=False):
                    if buffer.is_floating_point():
                        setattr(module, name, buffer.to(dtype))
        self.library = nn.Parameter(torch.zeros_like(model.embedding.weight[0]))
        vectors = [model.embedding.weight, model.head.weight, self.library]
        vectors += [] if model.skips is None else [model.skips]
        special = {id(p) for p in vectors} | {id(rows)}
        matrices = [p for p in model.parameters() if id(p) not in special]
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "matrices": Muon(
                matrices, config.matrix_lr, weight_decay=config.weight_decay, dtype=dtype
            ),
            "vectors": torch.optim.AdamW(
                vectors, lr=config.vector_lr, betas=(0.9, 0.95), weight_decay=0.0
            ),
        }
        if rows is not None:
            self.optimizers["table"] = torch.optim.SparseAdam([rows], lr=config.table_lr)
        self.mean: dict[str, Tensor] = {}
        self.averaged = 0
        self.full_lrs = {k: o.param_groups[0]["lr"] for k, o in self.optimizers.items()}

    def forward(self, ids: Tensor, library: Tensor) -> Tensor:
        """(B, T) ids, and (B,) which texts are of the library -> (B, T, V) logits."""
        shift = library[:, None, None] * self.library  # (B, 1, C)
        logits: Tensor = self.working_copy(ids, shift.to(self.working_copy.embedding.weight.dtype))
        return logits

    def step(self, share: float) -> None:
        """Move the weights by the gradients in `working_copy`, at this share of the full rates."""
        self._collect()
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = share * self.full_lrs[name]
            optimizer.step()
        for _, working in self._pairs():
            working.grad = (
                None if working.grad is None or working.grad.is_sparse else working.grad.zero_()
            )
        self._update_working_copy()

    @torch.no_grad()
    def update_average(self) -> None:
        """Let the weights as they are now count in the mean."""
        self.averaged += 1
        for name, parameter in self.model.named_parameters():
            if name not in self.mean:
                self.mean[name] = torch.zeros_like(parameter)
            self.mean[name].lerp_(parameter, 1 / self.averaged)

    @torch.no_grad()
    def apply_average(self) -> None:
        """Take the mean for the weights (stochastic weight averaging, Izmailov et al., 2018)."""
        for name, parameter in self.model.named_parameters():
            parameter.copy_(self.mean[name])
        self.reset_average()
        self._update_working_copy()

    def reset_average(self) -> None:
        """Begin the mean anew."""
        self.mean, self.averaged = {}, 0

    def _update_working_copy(self) -> None:
        for parameter, working in self._pairs():
            if working is not parameter:
                working.detach().copy_(parameter)

    def _pairs(self) -> Iterator[tuple[nn.Parameter, nn.Parameter]]:
        yield from zip(self.model.parameters(), self.working_copy.parameters(), strict=True)
        yield self.library, self.library

    def _collect(self) -> None:
        """Bring the gradients home, as the mean over all processes."""
        for parameter, working in self._pairs():
            if working.grad is None:
                raise RuntimeError("a weight got no gradient")
            if working is not parameter:
                if parameter.grad is None:
                    parameter.grad = torch.empty_like(parameter)
                parameter.grad.copy_(working.grad)
            assert parameter.grad is not None
            parameter.grad = distributed.mean(parameter.grad)

    def tensors(self) -> dict[str, Tensor]:
        """All that `load` needs to go on as if nothing had happened."""
        tensors = {f"model.{name}": t for name, t in self.model.state_dict().items()}
        tensors["library"] = self.library
        tensors |= {f"mean.{name}": t for name, t in self.mean.items()}
        tensors["averaged"] = torch.tensor(self.averaged)
        for kind, optimizer in self.optimizers.items():
            for number, state in optimizer.state_dict()["state"].items():
                for name, value in state.items():
                    tensors[f"{kind}.{number}.{name}"] = torch.as_tensor(value)
        return tensors

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` gave. Raises KeyError or RuntimeError when it does not fit."""
        self.model.load_state_dict(
            {k.removeprefix("model."): t for k, t in tensors.items() if k.startswith("model.")}
        )
        self.library.detach().copy_(tensors["library"])
        self.mean = {
            k.removeprefix("mean."): t.to(self.library.device)
            for k, t in tensors.items()
            if k.startswith("mean.")
        }
        self.averaged = int(tensors["averaged"])
        for kind, optimizer in self.optimizers.items():
            state: dict[int, dict[str, object]] = {}
            for key, value in tensors.items():
                if key.startswith(f"{kind}."):
                    _, number, name = key.split(".")
                    state.setdefault(int(number), {})[name] = (
                        int(value) if kind == "table" and name == "step" else value
                    )
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": state, "param_groups": groups})
        self._update_working_copy()
        if self.working_copy is not self.model and self.model.ngrams and self.working_copy.ngrams:
            self.working_copy.ngrams.known.copy_(self.model.ngrams.known)
