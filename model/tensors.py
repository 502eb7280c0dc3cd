"""Arrays in a file: the safetensors format, bounded before it is read, and with a digest.

A file is 8 bytes, the size of the header (little-endian); the header, JSON: of each array its type,
shape and place, and `__metadata__`, texts by name; then the arrays, one after the other
(https://huggingface.co/docs/safetensors). The library of that name maps a file into memory, where
one that is cut short later kills the process (SIGBUS), and it keeps no digest. So the few lines
stand here; what is written is as the library has it, and what the library wrote can be read.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from model.files import open_bounded, replacing

MAX_HEADER = 2**20  # bytes: room for some ten thousand arrays
MAX_FILE = 2**30  # bytes
_DIGEST = "digest"
_METADATA = "__metadata__"
_TYPES = {
    **{"F64": "float64", "F32": "float32", "F16": "float16"},
    **{"I64": "int64", "I32": "int32", "I8": "int8", "U8": "uint8"},
}

Tensors = dict[str, NDArray[Any]]


class TensorFileError(ValueError):
    """A file that cannot be used; the message says in one line what is wrong, but no path."""


@dataclass(frozen=True)
class Place:
    """Where an array lies, and how it is to be read."""

    kind: str  # "float32", ... ; a type that is not read here as the format names it: "F64", ...
    shape: tuple[int, ...]
    start: int  # bytes, counted from the end of the header
    end: int


@dataclass(frozen=True)
class Header:
    """All that a file says of its arrays; they fill what follows it without gap or overlap."""

    about: dict[str, str]  # without the digest
    places: dict[str, Place]  # in the order in which they lie
    digest: str | None  # of header and arrays; None in files that were written without one
    plain: bytes  # the header in one fixed spelling, without the digest: the digest begins with it


def write(
    path: Path,
    tensors: Mapping[str, NDArray[Any]],
    about: Mapping[str, str],
    *,
    most: int = MAX_FILE,
) -> None:
    """Write arrays, atomically. The same arrays and texts are always the same bytes.

    Args:
        path: where.
        tensors: of the types that are read here.
        about: texts to go with them.
        most: how many bytes the file may have; `open_tensors` must be told so too.

    Raises:
        TensorFileError: a type that has no name here, or more than can be read again.
        OSError: the file cannot be written.
    """
    names = {kind: code for code, kind in _TYPES.items()}
    header: dict[str, Any] = {_METADATA: {**about}}
    header[_METADATA].pop(_DIGEST, None)  # of other arrays, where `about` came from a file
    arrays, start = [], 0
    # The library wants every array where its type is aligned: the widest types come first.
    for name in sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name)):
        array = np.ascontiguousarray(tensors[name])
        if str(array.dtype) not in names:
            raise TensorFileError(f"{name} is of type {array.dtype}, which is not written")
        end, shape = start + array.nbytes, list(tensors[name].shape)
        code = names[str(array.dtype)]
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [start, end]}
        arrays.append(array.reshape(-1).view(np.uint8).data)
        start = end
    digest = hashlib.sha256(_plain(header))
    for data in arrays:
        digest.update(data)
    header[_METADATA][_DIGEST] = digest.hexdigest()
    text = _plain(header)
    text = text.ljust(len(text) + -len(text) % 8)
    size = 8 + len(text) + start
    if len(text) > MAX_HEADER or size > most:
        raise TensorFileError(
            f"{size:,} bytes, {len(text):,} of them header: at most "
            f"{most:,} and {MAX_HEADER:,} can be read again"
        )
    with replacing(path) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for data in arrays:
            file.write(data)


def _plain(header: Mapping[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()


def open_tensors(path: Path, *, most: int = MAX_FILE) -> BinaryIO:
    """Open a file to read its header and arrays. Raise OSError, also where it is too large."""
    return open_bounded(path, most)


def read_header(file: BinaryIO) -> Header:
    """What is in a file: little is read, and nothing of the arrays.

    Raises:
        TensorFileError: no such file as this, damaged, or with a header larger than what is read.
        OSError: the file cannot be read.
    """
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if length > MAX_HEADER:
        raise TensorFileError(f"a header of {length:,} bytes: at most {MAX_HEADER:,} are read")
    if size < 8 + length:
        raise TensorFileError(f"it ends within its header: {size:,} bytes")
    try:
        content = json.loads(file.read(length))
        about = content.pop(_METADATA, {})
        places = {name: _place(entry) for name, entry in content.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise TensorFileError("its header says nothing that can be understood") from None
    if not isinstance(about, dict) or not all(isinstance(text, str) for text in about.values()):
        raise TensorFileError("the texts in its header are no texts")
    places = dict(sorted(places.items(), key=lambda item: (item[1].start, item[1].end)))
    end = 0
    for place in places.values():
        if place.start != end:
            raise TensorFileError("its arrays overlap, or leave a gap")
        end = place.end
    if size != 8 + length + end:
        raise TensorFileError(f"{size:,} bytes, where its header promises {8 + length + end:,}")
    digest = about.pop(_DIGEST, None)
    return Header(about, places, digest, _plain({**content, _METADATA: about}))


def _place(entry: Any) -> Place:  # noqa: ANN401  (JSON)
    """An entry of the header; raise ValueError, TypeError or KeyError where it is none."""
    (start, end), shape = entry["data_offsets"], tuple(entry["shape"])
    numbers = (start, end, *shape)
    if len(shape) > 8 or not all(type(n) is int and 0 <= n < 2**63 for n in numbers):
        raise ValueError
    kind = _TYPES.get(entry["dtype"], str(entry["dtype"]))
    known = kind in _TYPES.values()
    if start > end or (known and end - start != np.dtype(kind).itemsize * math.prod(shape)):
        raise ValueError
    return Place(kind, shape, start, end)


def read_tensors(file: BinaryIO, header: Header) -> Tensors:
    """Read all arrays into memory, in one pass; call it right after `read_header`.

    Raises:
        TensorFileError: they are not those that the digest was made of, are of an unknown type, or
            the file was cut short meanwhile.
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256(header.plain)
    tensors: Tensors = {}
    for name, place in header.places.items():
        if place.kind not in _TYPES.values():
            raise TensorFileError(f"{name} is of type {place.kind}, which is not read")
        data = np.empty(place.end - place.start, np.uint8)
        if file.readinto(data) != len(data):  # type: ignore[attr-defined]
            raise TensorFileError("it was cut short while it was read")
        digest.update(data.data)
        tensors[name] = data.view(place.kind).reshape(place.shape)
    if header.digest is not None and digest.hexdigest() != header.digest:
        raise TensorFileError("its digest is another: it was changed after it was written")
    return tensors
