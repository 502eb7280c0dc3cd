"""Files of arrays: safetensors is what is written, and no file read takes memory or time."""

import json
import os
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from model.tensors import (
    MAX_FILE,
    TensorFileError,
    Tensors,
    open_tensors,
    read_header,
    read_tensors,
    write,
)
from model.vocab import Vocab, VocabError
from model.weights import ROOT, WeightsError, has_digest, load_decoder, save
from tests.networks import TABLE, random_gpt, tensors

VOCAB = Vocab("\n abcd")
MUTANTS = 500
BOUND = 2**23  # bytes: many times what the small network takes


def quantised() -> Tensors:
    """A small network with arrays of all four types."""
    held = tensors(random_gpt(TABLE))
    held["ngrams.rows.weight"] = (held["ngrams.rows.weight"] * 50).astype(np.int8)
    held["ngrams.rows.scale"] = np.full(TABLE.ngram_rows + 1, 0.02, np.float16)
    return held


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Weights of that network, as training leaves them."""
    VOCAB.save(tmp_path / "vocab" / "small.json")
    save(tmp_path / "weights" / "small.safetensors", TABLE, VOCAB, quantised())
    return tmp_path / "weights" / "small.safetensors"


def parts(raw: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and arrays of a file."""
    size = int.from_bytes(raw[:8], "little")
    return json.loads(raw[8 : 8 + size]), raw[8 + size :]


def joined(header: object, data: bytes) -> bytes:
    """A file of these parts, whatever they are."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def test_the_library_reads_what_is_written_and_the_other_way_round(tmp_path: Path) -> None:
    held = {
        **quantised(),
        "scalar": np.array(3, np.int32),
        "nothing": np.empty((0, 4), np.float16),
        "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    }
    path = tmp_path / "x.safetensors"
    write(path, held, {"b": "ü\n", "a": "1"})
    read = safetensors.numpy.load_file(path)
    other = tmp_path / "y.safetensors"
    safetensors.numpy.save_file(read, other, {"a": "1", "b": "ü\n"})
    for written, digested in ((path, True), (other, False)):
        with open_tensors(written) as file:
            header = read_header(file)
            arrays = read_tensors(file, header)
        assert (header.about, header.digest is not None) == ({"a": "1", "b": "ü\n"}, digested)
        assert arrays.keys() == read.keys() == held.keys()
        for name, array in held.items():
            for copy in (read[name], arrays[name]):
                assert (copy.dtype, copy.shape) == (array.dtype, array.shape)
                np.testing.assert_array_equal(copy, array)


def test_the_same_arrays_are_the_same_bytes(tmp_path: Path) -> None:
    held = quantised()
    write(tmp_path / "x", held, {"a": "1", "b": "2"})
    write(tmp_path / "y", dict(reversed(held.items())), {"b": "2", "a": "1"})
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def test_a_type_without_a_name_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(TensorFileError, match="x is of type complex128"):
        write(tmp_path / "x", {"x": np.zeros(3, np.complex128)}, {})
    with pytest.raises(TensorFileError, match="can be read again"):
        write(tmp_path / "x", {}, {"long": "x" * 2**20})
    with pytest.raises(TensorFileError, match="can be read again"):
        write(tmp_path / "x", {"x": np.zeros(300, np.int8)}, {}, most=300)
    assert not list(tmp_path.iterdir())


def test_each_flipped_bit_is_seen(path: Path) -> None:
    raw = path.read_bytes()
    rng = random.Random(0)
    for _ in range(250):
        place = rng.randrange(len(raw))
        flipped = bytearray(raw)
        flipped[place] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        with pytest.raises(WeightsError) as caught:
            load_decoder(path)
        assert "\n" not in str(caught.value)


def test_a_file_without_a_digest_is_loaded_and_known_as_such(path: Path) -> None:
    assert has_digest(path)
    header, data = parts(path.read_bytes())
    del header["__metadata__"]["digest"]
    path.write_bytes(joined(header, data))
    assert not has_digest(path)
    load_decoder(path)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["head.weight", "ngrams.rows.scale", "ngrams.projection.weight"])
def test_numbers_that_are_not_finite_are_refused(path: Path, name: str, number: float) -> None:
    held = quantised()
    held[name].flat[-1] = number
    about = parts(path.read_bytes())[0]["__metadata__"]
    with pytest.raises(WeightsError, match=f"{name} holds a number that is not finite"):
        save(path, TABLE, VOCAB, held)
    load_decoder(path)  # the good ones are still there
    write(path, held, about)
    with pytest.raises(WeightsError, match=f"{name} holds a number that is not finite"):
        load_decoder(path)


def test_known_ngrams_that_are_not_sorted_are_refused(path: Path) -> None:
    held = quantised()
    about = parts(path.read_bytes())[0]["__metadata__"]
    for wrong in (held["ngrams.known"][::-1], np.zeros_like(held["ngrams.known"])):
        write(path, {**held, "ngrams.known": wrong}, about)
        with pytest.raises(WeightsError, match=r"ngrams\.known is not sorted"):
            load_decoder(path)


def test_weights_may_be_cut_short_under_a_running_network(path: Path) -> None:
    code = f"""
import os
from model.weights import load_decoder
decoder, _ = load_decoder({str(path)!r})
os.truncate({str(path)!r}, 0)
slot = decoder.join()
for i in range(60):
    decoder.read(slot, [i % 6])
print("alive")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


def test_a_pipe_and_a_file_of_holes_are_refused_at_once(tmp_path: Path, path: Path) -> None:
    os.truncate(path, MAX_FILE + 1)  # a file of holes takes no place on the disk
    with pytest.raises(WeightsError, match="at most 1,073,741,824 are read"):
        load_decoder(path)
    if hasattr(os, "mkfifo"):
        pipe = tmp_path / "pipe.safetensors"
        os.mkfifo(pipe)
        with pytest.raises(WeightsError, match="not a file"):
            load_decoder(pipe)


def test_so_is_a_vocabulary(tmp_path: Path) -> None:
    vocab = tmp_path / "small.json"
    vocab.write_bytes(b'["' * 1_000_000)
    with pytest.raises(VocabError, match="not a vocabulary"):
        Vocab.load(vocab)
    os.truncate(vocab, 2**40)
    with pytest.raises(VocabError, match="at most"):
        Vocab.load(vocab)


def with_config(header: dict[str, Any], **changed: object) -> dict[str, Any]:
    """The header with other values in its config."""
    config = json.loads(header["__metadata__"]["config"])
    header["__metadata__"]["config"] = json.dumps({**config, **changed})
    return header


def entry(header: dict[str, Any], **changed: object) -> dict[str, Any]:
    """The header with another entry for a matrix."""
    header["head.weight"].update(changed)
    return header


def nested(header: dict[str, Any]) -> dict[str, Any]:
    """The header with lists in lists where the config was."""
    header["__metadata__"]["config"] = "[" * 500_000
    return header


Change = Callable[[dict[str, Any]], object]
ODD_ENTRIES: list[object] = [
    *("F64", "I32", "x", 3, None, {}),
    *([], [0], [1, 2], [7, 10**9], [0, 10**18]),
]
TOO_MUCH: list[Any] = [10**7, 10**9, 10**30, -1, "x" * 10_000, None, [[]], [10**9], [10**30], 1.5]
ODD_SETTINGS: list[object] = [
    *(0, 1, 2, 3, 64, 1000, 10**7, 10**9, 10**20, -5, 0.5),
    *(None, "x", [], [3], [10**9], {}),
]


@pytest.mark.parametrize(
    "change",
    [
        *(
            partial(with_config, **{name: n})
            for name, value in asdict(TABLE).items()
            for n in TOO_MUCH
            if n != value and (name, n) != ("far_gain", 1.5)  # which is one
        ),
        lambda header: with_config(header, attention_window=10**9, context_length=10**9),
        lambda header: with_config(header, **{"a\nb" * 10_000: 1}),
        *(partial(entry, shape=[n, n]) for n in (0, -1, 10**9, 10**30)),
        lambda header: entry(header, shape=[2] * 100_000),
        lambda header: entry(header, shape=[True, 96]),
        lambda header: entry(header, dtype="F64"),
        lambda header: entry(header, dtype=["F32"]),
        lambda header: entry(header, data_offsets=[0, 10**12]),
        lambda header: entry(header, data_offsets=[3]),
        lambda header: entry(header, data_offsets=None),
        lambda header: {**header, "a\n\x1b[31mb": header["head.weight"]},
        lambda header: {**header, "__metadata__": {"format": 3}},
        lambda header: {**header, "__metadata__": ["format"]},
        lambda header: {"": {}},
        lambda header: [header],
        lambda header: None,
        lambda header: b"",
        lambda header: b"[" * 1_000_000,
        lambda header: b'{"a":' * 200_000,
        lambda header: b" " * (2**20 + 1),
        nested,
    ],
)
def test_a_header_made_by_hand_is_one_line_and_takes_nothing(path: Path, change: Change) -> None:
    header, data = parts(path.read_bytes())
    del header["__metadata__"]["digest"]
    path.write_bytes(joined(change(header), data))
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError) as caught:
            load_decoder(path)
        assert tracemalloc.get_traced_memory()[1] < BOUND
    finally:
        tracemalloc.stop()
    line = str(caught.value)
    assert line.isprintable() and len(line) < 1000 and str(path) in line


@pytest.mark.parametrize("length", [2**20 + 1, 2**31, 2**63, 2**64 - 1])
def test_the_promise_of_a_giant_header_takes_nothing(path: Path, length: int) -> None:
    path.write_bytes(length.to_bytes(8, "little") + path.read_bytes()[8:])
    with pytest.raises(WeightsError, match="at most 1,048,576 are read"):
        load_decoder(path)


def mutant(raw: bytes, rng: random.Random) -> bytes:
    """A file with something wrong, as accidents and hands make it."""
    header, data = parts(raw)
    kind = rng.randrange(7)
    place, length = rng.randrange(len(raw)), rng.choice((1, 2, 8, 100, 5000))
    if kind == 0:
        return raw[:place]
    if kind == 1:  # written over: with noise, with zeros, with another part of itself
        there = rng.randrange(len(raw))
        new = rng.choice((rng.randbytes(length), bytes(length), raw[there : there + length]))
        return raw[:place] + new + raw[place + length :]
    if kind == 2:
        return raw[:place] + raw[place + length :]
    if kind == 3:
        return raw[:place] + rng.randbytes(length) + raw[place:]
    if kind == 4:  # a number of the header is another one
        text = joined(header, b"")[8:]
        digits = [i for i, byte in enumerate(text) if chr(byte).isdigit()]
        i = rng.choice(digits)
        new = rng.choice((b"0", b"7", b"-1", b"99", b"1e9", b"1000000000", b"null", b"[" * 9))
        return joined(text[:i] + new + text[i + 1 :], data)
    if rng.random() < 0.5:  # whoever makes a file by hand can leave the digest away
        del header["__metadata__"]["digest"]
    if kind == 5:
        name = rng.choice([name for name in header if name != "__metadata__"])
        field = rng.choice(("dtype", "shape", "data_offsets"))
        header[name][field] = rng.choice(ODD_ENTRIES)
        if rng.random() < 0.2:
            del header[name][field]
        return joined(header, data)
    names = rng.choices(list(asdict(TABLE)), k=rng.choice((1, 2)))
    changed = {name: rng.choice(ODD_SETTINGS) for name in names}
    return joined(with_config(header, **changed), data)


def test_each_of_many_mutants_is_refused_in_one_line_or_is_right(path: Path) -> None:
    raw, rng = path.read_bytes(), random.Random(0)
    whole = {name: array.copy() for name, array in quantised().items()}
    refused, peaks = 0, []
    for number in range(MUTANTS):
        path.write_bytes(mutant(raw, rng))
        tracemalloc.start()
        try:
            decoder, vocab = load_decoder(path)
        except WeightsError as error:
            line = str(error)
            assert line.isprintable() and len(line) < 1000 and str(path) in line, number
            refused += 1
        else:  # without a digest, what no array knows of may be another: dropout, the longest text
            assert vocab == VOCAB
            assert decoder.config == TABLE or not has_digest(path), number
            with open_tensors(path) as file:
                arrays = read_tensors(file, read_header(file))
            assert arrays.keys() == whole.keys()
            for name, array in arrays.items():
                np.testing.assert_array_equal(array, whole[name])
            decoder.read(decoder.join(), [1, 2, 3])
        finally:
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert max(peaks) < BOUND
    assert refused > 0.8 * MUTANTS
