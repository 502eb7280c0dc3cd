"""Several processes that train one network together: started by torchrun, each on its own part.

Everything here does what one process needs as well, which is nothing. The processes meet by
PyTorch's collectives (NCCL on GPUs, gloo on processors); RANK, LOCAL_RANK and WORLD_SIZE are what
torchrun tells each of them.
"""

import contextlib
import os
import sys

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional as F


def is_first() -> bool:
    """Whether this process is the one that fetches, prints and saves."""
    return os.environ.get("RANK", "0") == "0"


def start(device: str) -> None:
    """Meet the other processes, if there are any.

    Args:
        device: where to train: "auto" or "cuda" takes a GPU for each process, if there are GPUs.

    Raises:
        ValueError: there are more processes than GPUs.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return
    cuda = device in ("auto", "cuda") and torch.cuda.is_available()
    if cuda:
        rank, count = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if rank >= count:
            raise ValueError(f"more processes than GPUs ({count}): give --device cpu, or fewer")
        torch.cuda.set_device(rank)
    dist.init_process_group("nccl" if cuda else "gloo")
    wait()


def wait() -> None:
    """Go on when all processes are here."""
    if dist.is_initialized():
        dist.barrier()


def end(code: int) -> None:
    """End this process with an exit code, if there are others; all have met before.

    Not by Python's way out: there C++ destroys gloo's objects, and now and then a thread of theirs
    still runs, which aborts the process ("terminate called without an active exception").
    """
    if dist.is_initialized():
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):  # nobody reads it any more
                    stream.flush()
        os._exit(code)


def stop() -> None:
    """Leave the others."""
    if dist.is_initialized():
        dist.destroy_process_group()


def place() -> tuple[int, int]:
    """The number of this process, from 0, and how many there are."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def total(values: Tensor) -> Tensor:
    """The sum over all processes, in place."""
    if dist.is_initialized():
        dist.all_reduce(values)
    return values


def mean(gradient: Tensor) -> Tensor:
    """The mean of a gradient over all processes; sparse ones are put one after another."""
    if not dist.is_initialized():
        return gradient
    world = dist.get_world_size()
    if not gradient.is_sparse:
        return total(gradient).div_(world)
    gradient = gradient.coalesce()
    indices, values = gradient.indices(), gradient.values()
    count = torch.tensor([indices.size(1)], device=indices.device)
    counts = [torch.zeros_like(count) for _ in range(world)]
    dist.all_gather(counts, count)
    most = max(int(c) for c in counts)
    all_indices = [indices.new_zeros(1, most) for _ in counts]
    all_values = [values.new_zeros(most, values.size(1)) for _ in counts]
    dist.all_gather(all_indices, F.pad(indices, (0, most - indices.size(1))))
    dist.all_gather(all_values, F.pad(values, (0, 0, 0, most - values.size(0))))
    # What was added behind must not reach the optimizer: a row with a gradient of 0 moves on too.
    joined = torch.sparse_coo_tensor(
        torch.cat([i[:, :n] for i, n in zip(all_indices, counts, strict=True)], dim=1),
        torch.cat([v[:n] for v, n in zip(all_values, counts, strict=True)]) / world,
        gradient.shape,
    )
    return joined.coalesce()
