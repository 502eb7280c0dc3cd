"""Weights on the disk: safetensors with a config, digests of the tensors and of the vocabulary.

Nothing is unpickled. A file that does not fit is one clear error before anything is computed.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.config import GPTConfig
from model.decoder import Decoder
from model.quantised import dequantise
from model.strangers import NOBODY, Strangers
from model.tensors import (
    Header,
    TensorFileError,
    Tensors,
    open_tensors,
    read_header,
    read_tensors,
    write,
)
from model.vocab import Vocab, VocabError

if TYPE_CHECKING:
    from model.gpt import GPT

FORMAT = "pooh weights 1"
DEFAULT_MODEL = "pooh"
ROOT = Path(__file__).resolve().parents[1]  # weights/ and vocab/ lie here

_FLOATS = ("float32", "float16")
_ROWS, _SCALE, _KNOWN = "ngrams.rows.weight", "ngrams.rows.scale", "ngrams.known"
_MESSAGE = 600  # characters: names and values in a message may come out of a file made by hand


class WeightsError(ValueError):
    """Weights that cannot be used; the message names the file and what is wrong, in one line."""

    def __init__(self, message: str) -> None:
        line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in message)
        super().__init__(line if len(line) <= _MESSAGE else line[:_MESSAGE] + " ...")


def save(
    path: Path,
    config: GPTConfig,
    vocab: Vocab,
    tensors: Mapping[str, NDArray[Any]],
    strangers: Strangers = NOBODY,
) -> None:
    """Write a weights file, atomically.

    Args:
        path: where, usually weights/<name>.safetensors; the vocabulary is saved on its own.
        config: the sizes.
        vocab: the characters; only their digest is stored.
        tensors: those of `GPT.state_dict()`, float32 or float16. The rows of the n-gram table may
            be quantised, with "ngrams.rows.scale" (R + 1,) beside them.
        strangers: who is not to walk into what it writes.

    Raises:
        WeightsError: a tensor is missing, unknown, has a wrong shape or type, or numbers that no
            network can work with.
        OSError: the file cannot be written.
    """
    held = {name: (tensor.shape, str(tensor.dtype)) for name, tensor in tensors.items()}
    _check(path, config, vocab, vocab.digest, held)
    _check_numbers(path, tensors)
    about = {"format": FORMAT, "config": config.to_json(), "vocab": vocab.digest}
    if strangers.names:
        about["strangers"] = " ".join(strangers.names)
    try:
        write(path, tensors, about)
    except TensorFileError as error:
        raise WeightsError(f"{path}: {error}") from None


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
        return path, beside if _is_file(beside) else other
    path = ROOT / "weights" / f"{name_or_path}.safetensors"
    if not _is_file(path):
        names = sorted(file.stem for file in (ROOT / "weights").glob("*.safetensors"))
        raise WeightsError(
            f"no model is named {str(name_or_path)!r}: there is {', '.join(names) or 'none'}; "
            "give one of these or the path of a .safetensors file"
        )
    return path, ROOT / "vocab" / f"{name_or_path}.json"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name of 300 letters
        return False


def load_decoder(
    name_or_path: str | Path, *, slots: int = 1, threads: int = 1
) -> tuple[Decoder, Vocab]:
    """A network that writes, and its vocabulary. Needs no torch.

    `slots` and `threads` are those of `Decoder`. All of it is read into memory and the file is
    closed: what happens to it later hurts nobody.

    Raises:
        WeightsError: weights or vocabulary are missing, damaged, or do not fit each other.
    """
    config, vocab, tensors, strangers, digest = _load(name_or_path)
    return Decoder(config, tensors, slots, strangers, digest, threads), vocab


def load_gpt(name_or_path: str | Path) -> "tuple[GPT, Vocab]":
    """The network in PyTorch, in evaluation mode and float32, and its vocabulary.

    Raises:
        WeightsError: as `load_decoder`.
        ImportError: torch is not installed.
    """
    import torch

    from model.gpt import GPT

    config, vocab, tensors, *_ = _load(name_or_path)
    scale = tensors.pop(_SCALE, None)
    if scale is not None:
        tensors[_ROWS] = dequantise(tensors[_ROWS], scale)
    gpt = GPT(config)
    gpt.load_state_dict({name: torch.tensor(tensor) for name, tensor in tensors.items()})
    return gpt.eval(), vocab


def has_digest(name_or_path: str | Path) -> bool:
    """Whether damage to the tensors of a file can be told; older ones were saved without a digest.

    Raises:
        WeightsError: there is no such file, or it is none of this program.
    """
    path, _ = resolve(name_or_path)
    try:
        with open_tensors(path) as file:
            return read_header(file).digest is not None
    except (TensorFileError, OSError) as error:
        raise _unusable(path, error) from None


def load_strangers(name_or_path: str | Path) -> Strangers:
    """Who is not to walk into what a network writes.

    Raises:
        WeightsError: as `load_decoder`, but only the header is read.
    """
    path, _ = resolve(name_or_path)
    try:
        with open_tensors(path) as file:
            return _strangers(path, read_header(file))
    except (TensorFileError, OSError) as error:
        raise _unusable(path, error) from None


def _load(name_or_path: str | Path) -> tuple[GPTConfig, Vocab, Tensors, Strangers, str]:
    path, vocab_path = resolve(name_or_path)
    try:
        with open_tensors(path) as file:
            header = read_header(file)
            config = _config(path, header)
            strangers = _strangers(path, header)
            try:
                vocab = Vocab.load(vocab_path)
            except VocabError as error:
                if _is_file(vocab_path):
                    raise WeightsError(str(error)) from None
                raise WeightsError(
                    f"{path}: its vocabulary is missing; put {vocab_path.name} beside it, "
                    f"or into {vocab_path.parent}"
                ) from None
            held = {name: (place.shape, place.kind) for name, place in header.places.items()}
            _check(path, config, vocab, header.about.get("vocab"), held)
            tensors = read_tensors(file, header)
    except (TensorFileError, OSError) as error:
        raise _unusable(path, error) from None
    _check_numbers(path, tensors)
    # Older files hold none: then what there is to tell them apart by.
    digest = header.digest or hashlib.sha256((config.to_json() + vocab.digest).encode()).hexdigest()
    return config, vocab, tensors, strangers, digest


def _check_numbers(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Raise WeightsError where a number is not finite, or the known n-grams are out of order."""
    for name, tensor in tensors.items():
        if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            raise WeightsError(f"{path}: {name} holds a number that is not finite")
    known = tensors.get(_KNOWN)
    if known is not None and not (known[1:] > known[:-1]).all():
        raise WeightsError(f"{path}: {_KNOWN} is not sorted, or names an n-gram twice")


def _config(path: Path, header: Header) -> GPTConfig:
    if header.about.get("format") != FORMAT:
        raise WeightsError(f"{path}: not the weights of this program ({FORMAT!r})")
    try:
        return GPTConfig.from_json(header.about.get("config", ""))
    except (ValueError, TypeError, RecursionError) as error:
        raise WeightsError(f"{path}: its config cannot be used: {error}") from None


def _strangers(path: Path, header: Header) -> Strangers:
    try:
        return Strangers(header.about.get("strangers", "").split())
    except ValueError as error:
        raise WeightsError(f"{path}: {error}") from None


def _unusable(path: Path, error: TensorFileError | OSError) -> WeightsError:
    if isinstance(error, OSError):
        return WeightsError(f"{path}: cannot read the weights: {error.strerror or error}")
    return WeightsError(f"{path}: damaged, or no safetensors file: {error}")


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
    expected = _expected(config, held.get(_ROWS, ((), ""))[1])
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


def _expected(config: GPTConfig, rows: str) -> dict[str, tuple[tuple[int, ...], tuple[str, ...]]]:
    """Every tensor's shape and the types it may have, where the table's rows are of this type."""
    V, C, R = config.vocab_size, config.n_embd, config.ngram_rows
    shapes: dict[str, tuple[int, ...]] = {"embedding.weight": (V, C), "head.weight": (V, C)}
    if config.embedding_skips:
        shapes["skips"] = (config.n_layer - 1, 1)
    for i in range(config.n_layer):
        block = f"blocks.{i}."
        shapes[block + "attention.qkv.weight"] = (C + 2 * config.kv_width, C)
        shapes[block + "attention.projection.weight"] = (C, C)
        shapes[block + "feed_forward.up.weight"] = (4 * C, C)
        shapes[block + "feed_forward.down.weight"] = (C, 4 * C)
    expected: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {}
    expected.update((name, (shape, _FLOATS)) for name, shape in shapes.items())
    if config.n_ngrams:
        width = config.ngram_width
        expected["ngrams.projection.weight"] = ((C, config.n_ngrams * width), _FLOATS)
        expected[_KNOWN] = ((R,), ("int32",))
        in_a_row = width // 2 if rows == "uint8" and width % 2 == 0 else width
        expected[_ROWS] = ((R + 1, in_a_row), (*_FLOATS, "int8", "uint8"))
        if rows in ("int8", "uint8"):
            expected[_SCALE] = ((R + 1,), _FLOATS)
    return expected
