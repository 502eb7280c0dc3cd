"""Products in parts, as BLAS has them quickest, are the same products."""

import numpy as np
import pytest

import model.forward
import model.workspace
from model.config import GPTConfig
from model.decoder import Decoder
from model.forward import FEW, SMALL, product
from tests.networks import CONFIGS, random_gpt, tensors


@pytest.mark.parametrize("columns", [1, 2, 3, 8, FEW, FEW + 1])
@pytest.mark.parametrize(("M", "K"), [(1280, 320), (320, 1280), (1279, 321), (1, 9), (70, 60_000)])
def test_a_product_in_parts_is_the_product(M: int, K: int, columns: int) -> None:
    rng = np.random.default_rng(M)
    matrix = rng.normal(size=(M, K)).astype(np.float32)
    x = rng.normal(size=(K, columns)).astype(np.float32)
    out = np.full((M, columns), np.nan, np.float32)
    assert product(matrix, x, out) is out
    np.testing.assert_allclose(out, matrix @ x, rtol=1e-4, atol=1e-4 * np.sqrt(K))


def test_no_part_is_more_than_small(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    dot = np.dot

    def seen(matrix: np.ndarray, x: np.ndarray, out: np.ndarray) -> np.ndarray:
        asked.append(matrix.size * x.shape[1])
        result: np.ndarray = dot(matrix, x, out=out)
        return result

    monkeypatch.setattr(np, "dot", seen)
    x, out = np.ones((320, 8), np.float32), np.empty((1280, 8), np.float32)
    product(np.ones((1280, 320), np.float32), x, out)
    assert len(asked) == 4
    assert max(asked) <= SMALL
    assert sum(asked) == 1280 * 320 * 8


@pytest.mark.parametrize("keys", [7, 0], ids=["of seven keys", "of one, of many heads"])
@pytest.mark.parametrize("config", CONFIGS)
def test_a_network_in_parts_is_the_network(
    config: GPTConfig, keys: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(2)
    whole, parts = (Decoder(config, tensors(random_gpt(config))) for _ in range(2))
    slots = list(range(5))
    for slot in slots:
        prompt = rng.integers(config.vocab_size, size=1 + 3 * slot).tolist()
        for each in (whole, parts):
            each.read(each.join(), prompt)
    for step in range(2 * config.longest_window):
        some = slots[: 1 + step % len(slots)]
        ids = rng.integers(config.vocab_size, size=len(some)).tolist()
        wanted = whole.step(some, ids).copy()
        with monkeypatch.context() as patch:
            patch.setattr(model.forward, "SMALL", 700)
            patch.setattr(model.workspace, "STRIP", keys * config.n_head // config.n_kv_head)
            found = parts.step(some, ids)
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())
