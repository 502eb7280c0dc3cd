"""Weights on the disk: safetensors, with the config and a digest of the vocabulary in the header.

Nothing is unpickled. A file that does not fit is one clear error before anything is computed.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors import numpy as safetensors

from model.config import GPTConfig
from model.decoder import Decoder
from model.files import write_atomically
from model.vocab import Vocab, VocabError

if TYPE_CHECKING:
    from model.gpt import GPT

FORMAT = "pooh weights 1"
DEFAULT_MODEL = "pooh"
ROOT = Path(__file__).resolve().parents[1]  # weights/ and vocab/ lie here

Tensors = dict[str, NDArray[Any]]
_FLOATS = ("float32", "float16")
_ROWS, _SCALE = "ngrams.rows.weight", "ngrams.rows.scale"


class WeightsError(ValueError):
    """Weights that cannot be used; the message names the file and what is wrong."""


def save(path: Path, config: GPTConfig, vocab: Vocab, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Write a weights file, atomically.

    Args:
        path: where, usually weights/<name>.safetensors; the vocabulary is saved on its own.
        config: the sizes.
        vocab: the characters; only their digest is stored.
        tensors: those of `GPT.state_dict()`, float32 or float16. The rows of the n-gram table may
            be int8 with "ngrams.rows.scale" (R + 1,) beside them.

    Raises:
        WeightsError: a tensor is missing, unknown, or has a wrong shape or type.
        OSError: the file cannot be written.
    """
    held = {name: (tensor.shape, str(tensor.dtype)) for name, tensor in tensors.items()}
    _check(path, config, vocab, vocab.digest, held)
    header = {"format": FORMAT, "config": config.to_json(), "vocab": vocab.digest}
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    write_atomically(path, _in_order(safetensors.save(contiguous, header)))


def _in_order(data: bytes) -> bytes:
    """A safetensors file with its header sorted: the same weights are then the same bytes."""
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True, separators=(",", ":"))
    return data[:8] + header.encode().ljust(size) + data[8 + size :]


def resolve(name_or_path: str | Path) -> tuple[Path, Path]:
    """Where weights and vocabulary lie.

    Args:
        name_or_path: the name of a shipped model, or the path of any weights file; the vocabulary
            of weights/x.safetensors is weights/x.json or vocab/x.json.

    Raises:
        WeightsError: no such name; the message lists those there are.
    """
    path = Path(name_or_path)
    if path.suffix == ".safetensors" or len(path.parts) > 1:
        beside = path.with_suffix(".json")
        other = path.absolute().parent.parent / "vocab" / beside.name
        return path, beside if beside.is_file() else other
    path = ROOT / "weights" / f"{name_or_path}.safetensors"
    if not path.is_file():
        names = sorted(file.stem for file in path.parent.glob("*.safetensors"))
        raise WeightsError(
            f"no model is named {str(name_or_path)!r}: there is {', '.join(names) or 'none'}; "
            "give one of these or the path of a .safetensors file"
        )
    return path, ROOT / "vocab" / f"{name_or_path}.json"


def load_decoder(name_or_path: str | Path, *, slots: int = 1) -> tuple[Decoder, Vocab]:
    """A network that writes, and its vocabulary. Needs no torch.

    The rows of the n-gram table stay on the disk, mapped into memory; only those that are looked up
    are read.

    Raises:
        WeightsError: weights or vocabulary are missing, damaged, or do not fit each other.
    """
    config, vocab, tensors = _load(name_or_path)
    return Decoder(config, tensors, slots), vocab


def load_gpt(name_or_path: str | Path) -> "tuple[GPT, Vocab]":
    """The network in PyTorch, in evaluation mode and float32, and its vocabulary.

    Raises:
        WeightsError: as `load_decoder`.
        ImportError: torch is not installed.
    """
    import torch

    from model.gpt import GPT

    config, vocab, tensors = _load(name_or_path)
    scale = tensors.pop(_SCALE, None)
    if scale is not None:
        tensors[_ROWS] = tensors[_ROWS] * scale.astype(np.float32)[:, None]
    gpt = GPT(config)
    gpt.load_state_dict({name: torch.tensor(tensor) for name, tensor in tensors.items()})
    return gpt.eval(), vocab


def _load(name_or_path: str | Path) -> tuple[GPTConfig, Vocab, Tensors]:
    path, vocab_path = resolve(name_or_path)
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise WeightsError(f"{path}: not the weights of this program ({FORMAT!r})")
            try:
                config = GPTConfig.from_json(header.get("config", ""))
            except (ValueError, TypeError) as error:
                raise WeightsError(f"{path}: its config cannot be used: {error}") from None
            try:
                vocab = Vocab.load(vocab_path)
            except VocabError as error:
                raise WeightsError(str(error)) from None
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            held = {
                name: (tuple(s.get_shape()), _TYPES.get(s.get_dtype(), s.get_dtype()))
                for name, s in slices.items()
            }
            _check(path, config, vocab, header.get("vocab"), held)
            tensors = {name: file.get_tensor(name) for name in held if name != _ROWS}
    except SafetensorError as error:
        raise WeightsError(f"{path}: damaged, or no safetensors file: {error}") from None
    except OSError as error:
        raise WeightsError(f"{path}: cannot read the weights: {error.strerror or error}") from None
    if _ROWS in held:
        shape, kind = held[_ROWS]
        tensors[_ROWS] = np.memmap(path, kind, "r", _offset(path, _ROWS), shape)
    return config, vocab, tensors


_TYPES = {"F32": "float32", "F16": "float16", "I8": "int8", "I32": "int32"}


def _offset(path: Path, name: str) -> int:
    """Where a tensor's bytes start in a sound safetensors file."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        start: int = json.loads(file.read(size))[name]["data_offsets"][0]
    return 8 + size + start


def _check(
    path: Path,
    config: GPTConfig,
    vocab: Vocab,
    digest: str | None,
    held: Mapping[str, tuple[tuple[int, ...], str]],
) -> None:
    """Raise WeightsError unless config, vocabulary and the tensors' shapes and types fit."""
    if digest != vocab.digest or config.vocab_size != len(vocab):
        raise WeightsError(
            f"{path}: trained with another vocabulary ({config.vocab_size} characters) than the "
            f"one beside it ({len(vocab)}); put back the vocabulary it was trained with"
        )
    expected = _expected(config, quantised=held.get(_ROWS, ((), ""))[1] == "int8")
    if missing := expected.keys() - held.keys():
        raise WeightsError(f"{path}: tensor missing: {', '.join(sorted(missing))}")
    if unknown := held.keys() - expected.keys():
        raise WeightsError(f"{path}: tensor unknown: {', '.join(sorted(unknown))}")
    for name, (shape, kinds) in expected.items():
        if held[name][0] != shape:
            raise WeightsError(f"{path}: {name} has the shape {held[name][0]}, not {shape}")
        if held[name][1] not in kinds:
            raise WeightsError(
                f"{path}: {name} is of type {held[name][1]}, not {' or '.join(kinds)}"
            )


def _expected(
    config: GPTConfig, *, quantised: bool
) -> dict[str, tuple[tuple[int, ...], tuple[str, ...]]]:
    """Every tensor's shape and the types it may have."""
    V, C, R = config.vocab_size, config.n_embd, config.ngram_rows
    shapes: dict[str, tuple[int, ...]] = {"embedding.weight": (V, C), "head.weight": (V, C)}
    for i in range(config.n_layer):
        block = f"blocks.{i}."
        shapes[block + "attention.qkv.weight"] = (C + 2 * config.kv_width, C)
        shapes[block + "attention.projection.weight"] = (C, C)
        shapes[block + "feed_forward.up.weight"] = (4 * C, C)
        shapes[block + "feed_forward.down.weight"] = (C, 4 * C)
    expected: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {}
    expected.update((name, (shape, _FLOATS)) for name, shape in shapes.items())
    if config.n_runs:
        width = config.ngram_width
        expected["ngrams.projection.weight"] = ((C, config.n_runs * width), _FLOATS)
        expected["ngrams.known"] = ((R,), ("int32",))
        expected[_ROWS] = ((R + 1, width), (*_FLOATS, "int8"))
        if quantised:
            expected[_SCALE] = ((R + 1,), _FLOATS)
    return expected
