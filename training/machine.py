"""What the machine is good for: found out, not assumed."""

import ctypes

import torch
from torch import Tensor

from model.cores import allowed


def keep_memory() -> None:
    """Tell glibc to keep freed memory: giving it back and taking it anew costs most of a step."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return  # another C library
    mallopt(-4, 0)  # M_MMAP_MAX: no separate mappings
    mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD: keep the top of the heap


def threads() -> int:
    """How many threads are worth it: as PyTorch counts, but no more than a container may use.

    PyTorch sees all cores of the host. Threads that share a smaller quota wait for each other.
    """
    return allowed(torch.get_num_threads())


def compile_trouble(device: torch.device) -> str:
    """Why nothing can be compiled here, in one line; "" if it can: it is tried.

    A compiler may be there and not compile (no `Python.h`, no OpenMP), so its name says little.
    """
    if device.type == "mps":
        return "not on this device"

    def probe(x: Tensor) -> Tensor:
        return (x * 2).sin()

    try:
        torch.compile(probe)(torch.ones(8, device=device))
    except Exception as error:  # whatever a tool chain raises: learning goes on without it
        torch.compiler.reset()
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        told = [line for line in lines if "error:" in line] or lines or [type(error).__name__]
        return told[0][:200]
    return ""


def compiler_failed(error: Exception) -> bool:
    """Whether it is `torch.compile` that went wrong, or the compiler that it called."""
    from torch._dynamo.exc import TorchDynamoException  # takes a second

    return isinstance(error, TorchDynamoException)


def pick_device(name: str) -> torch.device:
    """The device of this name; `auto` takes a GPU if there is one.

    Raises:
        ValueError: there is no such device.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(kind for kind, available in there.items() if available)
    if not there[name]:
        raise ValueError(f"device = {name!r}: PyTorch finds none here")
    return torch.device(name)


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """The dtype of this name; `auto` takes bfloat16 on GPUs and on processors made for it."""
    if name == "auto":
        fast = device.type == "cuda" or (device.type == "cpu" and bfloat16_is_fast())
        name = "bfloat16" if fast else "float32"
    return torch.bfloat16 if name == "bfloat16" else torch.float32


def bfloat16_is_fast() -> bool:
    """Whether this processor has units for bfloat16: AMX, or AVX-512's.

    With them it multiplies bfloat16 some five times faster than float32 (measured: AMX, and AMD
    Zen 5), without them ten times more slowly or worse (measured: AMD Zen 3).
    """
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
