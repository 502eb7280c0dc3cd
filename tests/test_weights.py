"""Weights files: what was saved is what is loaded, and damage is one clear error."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from numpy.typing import NDArray

from model.config import GPTConfig
from model.quantised import quantise
from model.vocab import Vocab
from model.weights import (
    DEFAULT_MODEL,
    ROOT,
    WeightsError,
    load_decoder,
    load_gpt,
    resolve,
    save,
)
from tests.networks import PLAIN, SHARED, TABLE, random_gpt, tensors

VOCABS = {PLAIN: Vocab("abcdefghijk"), SHARED: Vocab("abcdefghijk"), TABLE: Vocab("\n abcd")}


def shelve(folder: Path, config: GPTConfig, held: dict[str, NDArray[Any]]) -> Path:
    """Save a network as training does."""
    VOCABS[config].save(folder / "vocab" / "small.json")
    path = folder / "weights" / "small.safetensors"
    save(path, config, VOCABS[config], held)
    return path


@pytest.mark.parametrize("kind", [np.float32, np.float16])
@pytest.mark.parametrize("config", [PLAIN, SHARED, TABLE])
def test_what_was_saved_is_loaded(tmp_path: Path, config: GPTConfig, kind: type) -> None:
    gpt = random_gpt(config)
    held = {
        name: tensor.astype(kind) if tensor.dtype == np.float32 else tensor
        for name, tensor in tensors(gpt).items()
    }
    path = shelve(tmp_path, config, held)
    loaded, vocab = load_gpt(path)
    assert (loaded.config, vocab, loaded.training) == (config, VOCABS[config], False)
    for name, tensor in loaded.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), held[name].astype(tensor.numpy().dtype))
    decoder, vocab = load_decoder(path)
    assert (decoder.config, vocab) == (config, VOCABS[config])
    with torch.no_grad():
        expected = loaded(torch.tensor([[1, 2, 3]]))[0, -1].numpy()
    np.testing.assert_allclose(
        decoder.read(decoder.join(), [1, 2, 3]), expected, rtol=1e-3, atol=1e-3
    )
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(("bits", "error"), [(8, 0.02), (4, 0.2)])
def test_rows_of_small_numbers_are_the_same_for_both_networks(
    tmp_path: Path, bits: int, error: float
) -> None:
    held = tensors(random_gpt(TABLE))
    rows = held["ngrams.rows.weight"]
    if bits == 8:
        scale = (np.abs(rows).max(axis=1) / 127).astype(np.float16)
        held["ngrams.rows.weight"] = np.round(rows / scale[:, None]).astype(np.int8)
        held["ngrams.rows.scale"] = scale
    else:
        held["ngrams.rows.weight"], held["ngrams.rows.scale"] = quantise(rows)
    path = shelve(tmp_path, TABLE, held)
    gpt, _ = load_gpt(path)
    assert gpt.ngrams is not None
    np.testing.assert_allclose(gpt.ngrams.rows.weight.detach(), rows, atol=error)
    decoder, _ = load_decoder(path)
    ids = [0, 1, 2, 3, 4, 5, 2, 2]
    with torch.no_grad():
        expected = gpt(torch.tensor([ids]))[0, -1].numpy()
    np.testing.assert_allclose(decoder.read(decoder.join(), ids), expected, rtol=1e-3, atol=1e-3)


def test_the_vocabulary_lies_beside_the_weights_or_in_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shelve(tmp_path, PLAIN, tensors(random_gpt(PLAIN)))
    assert resolve(path) == (path, tmp_path / "vocab" / "small.json")
    monkeypatch.chdir(path.parent)
    load_decoder("small.safetensors")
    beside = path.with_suffix(".json")
    VOCABS[PLAIN].save(beside)
    assert resolve(str(path)) == (path, beside)
    load_decoder(path)


def test_a_name_is_looked_up_among_what_is_shipped() -> None:
    with pytest.raises(WeightsError, match=r"no model is named 'nobody': there is .*\.safetensors"):
        load_decoder("nobody")
    for odd in ("x" * 300, "/", "", "..", "a\nb"):
        with pytest.raises(WeightsError, match=r"no model is named .*: there is"):
            resolve(odd)
    shipped = ROOT / "weights" / f"{DEFAULT_MODEL}.safetensors"
    if shipped.is_file():
        assert resolve(DEFAULT_MODEL) == (shipped, ROOT / "vocab" / f"{DEFAULT_MODEL}.json")


def rewrite(path: Path, change: Callable[[dict[str, Any], dict[str, str]], None]) -> None:
    """Save a sound safetensors file with other tensors or another header."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])["__metadata__"]
    held = safetensors.numpy.load(raw)
    change(held, header)
    safetensors.numpy.save_file(held, path, header)


def drop_tensor(held: dict[str, Any], header: dict[str, str]) -> None:
    del held["blocks.1.feed_forward.up.weight"]


def add_tensor(held: dict[str, Any], header: dict[str, str]) -> None:
    held["blocks.9.feed_forward.up.weight"] = held["head.weight"]


def turn_tensor(held: dict[str, Any], header: dict[str, str]) -> None:
    name = "blocks.1.feed_forward.up.weight"
    held[name] = np.ascontiguousarray(held[name].T)


def widen_tensor(held: dict[str, Any], header: dict[str, str]) -> None:
    held["head.weight"] = held["head.weight"].astype(np.float64)


def whole_numbers(held: dict[str, Any], header: dict[str, str]) -> None:
    held["head.weight"] = held["head.weight"].astype(np.int8)


def forget_format(held: dict[str, Any], header: dict[str, str]) -> None:
    del header["format"]


def forget_config(held: dict[str, Any], header: dict[str, str]) -> None:
    del header["config"]


def odd_config(held: dict[str, Any], header: dict[str, str]) -> None:
    header["config"] = header["config"].replace('"n_head": 2', '"n_head": 3')


def typed_config(held: dict[str, Any], header: dict[str, str]) -> None:
    header["config"] = header["config"].replace('"dropout": 0.0', '"dropout": "none"')


def other_vocab(held: dict[str, Any], header: dict[str, str]) -> None:
    header["vocab"] = Vocab("abcdefghijz").digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop_tensor, "tensor missing: blocks.1.feed_forward.up.weight"),
        (add_tensor, "tensor unknown: blocks.9.feed_forward.up.weight"),
        (turn_tensor, r"blocks.1.feed_forward.up.weight has the shape \(16, 64\), not \(64, 16\)"),
        (widen_tensor, "head.weight is of type float64"),
        (whole_numbers, "head.weight is of type int8"),
        (forget_format, "not the weights of this program"),
        (forget_config, "config cannot be used"),
        (odd_config, "config cannot be used: n_embd = 16"),
        (typed_config, "config cannot be used"),
        (other_vocab, "trained with another vocabulary"),
    ],
)
def test_a_file_that_does_not_fit_is_one_clear_error(
    tmp_path: Path, change: Callable[[dict[str, Any], dict[str, str]], None], message: str
) -> None:
    path = shelve(tmp_path, PLAIN, tensors(random_gpt(PLAIN)))
    rewrite(path, change)
    for load in (load_decoder, load_gpt):
        with pytest.raises(WeightsError, match=message) as caught:
            load(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[:5],
        lambda raw: raw[:100],
        lambda raw: raw[:-1],
        lambda raw: raw + b"more",
        lambda raw: b"\xff" * 8 + raw[8:],
        lambda raw: raw[:8] + b"{" * 100 + raw[108:],
        lambda raw: pickle.dumps({"weights": [1, 2, 3]}),
        lambda raw: b"PK\x03\x04" + raw,
    ],
)
def test_a_damaged_or_foreign_file_is_one_clear_error(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = shelve(tmp_path, PLAIN, tensors(random_gpt(PLAIN)))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(WeightsError, match="damaged, or no safetensors file") as caught:
        load_decoder(path)
    assert str(path) in str(caught.value)


def test_a_file_or_vocabulary_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.safetensors: cannot read the weights"):
        load_decoder(tmp_path / "none.safetensors")
    with pytest.raises(WeightsError, match="cannot read the weights"):
        load_decoder(tmp_path)
    path = shelve(tmp_path, PLAIN, tensors(random_gpt(PLAIN)))
    vocab = tmp_path / "vocab" / "small.json"
    vocab.write_text("{}")
    with pytest.raises(WeightsError, match=r"small\.json: not a vocabulary"):
        load_decoder(path)
    vocab.unlink()
    with pytest.raises(WeightsError, match=r"vocabulary is missing; put small\.json beside it"):
        load_decoder(path)


def test_nothing_wrong_is_saved_and_nothing_half(tmp_path: Path) -> None:
    held = tensors(random_gpt(PLAIN))
    path = tmp_path / "w.safetensors"
    with pytest.raises(WeightsError, match="tensor missing: head"):
        save(path, PLAIN, VOCABS[PLAIN], {k: v for k, v in held.items() if k != "head.weight"})
    with pytest.raises(WeightsError, match="another vocabulary"):
        save(path, PLAIN, VOCABS[TABLE], held)
    assert not list(tmp_path.iterdir())
    path.mkdir()
    with pytest.raises(OSError):
        save(path, PLAIN, VOCABS[PLAIN], held)
    assert list(tmp_path.iterdir()) == [path]
