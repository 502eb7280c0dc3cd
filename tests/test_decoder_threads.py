"""A crowd's texts, shared by several threads: the same logits, and nothing left half written."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import model.decoder
from model.config import GPTConfig
from model.decoder import WORTH, Decoder
from model.weights import ROOT
from model.workspace import Workspace
from tests.networks import CONFIGS, SHARED_TABLE, random_gpt, tensors

SHARE = 12
"""Texts to a thread."""


def decoder(config: GPTConfig, threads: int) -> Decoder:
    made = Decoder(config, tensors(random_gpt(config)), threads=threads)
    made.texts_per_thread = SHARE  # these networks are so small that threads are worth nothing
    return made


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The thread of each share of a step, as they end."""
    seen: list[int] = []
    step = Decoder._step

    def seeing(self: Decoder, *args: object) -> object:
        logits = step(self, *args)  # type: ignore[arg-type]
        seen.append(threading.get_ident())
        return logits

    monkeypatch.setattr(model.decoder.Decoder, "_step", seeing)
    return seen


@pytest.mark.parametrize("config", CONFIGS)
def test_threads_give_the_logits_of_one(config: GPTConfig, workers: list[int]) -> None:
    rng = np.random.default_rng(1)
    alone, shared = decoder(config, 1), decoder(config, 3)
    for _ in range(3 * SHARE + 5):
        prompt = rng.integers(config.vocab_size, size=rng.integers(1, 12)).tolist()
        for each in (alone, shared):
            each.read(each.join(), prompt)
    slots = list(range(3 * SHARE + 5))
    for step in range(2 * config.longest_window):
        if step % 5 == 4 and len(slots) > 2 * SHARE - 3:  # some leave: three shares, two, one
            gone = slots.pop(int(rng.integers(len(slots))))
            alone.leave(gone)
            shared.leave(gone)
        rng.shuffle(slots)
        ids = rng.integers(config.vocab_size, size=len(slots)).tolist()
        wanted, workers[:] = alone.step(slots, ids).copy(), []
        found = shared.step(slots, ids)
        assert len(set(workers)) <= len(workers) == max(1, min(3, len(slots) // SHARE))
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())


def test_a_share_is_worth_a_thread() -> None:
    config = CONFIGS[0]
    numbers = sum(
        matrix.numel()
        for name, matrix in random_gpt(config).named_parameters()
        if name == "head.weight" or (name.startswith("blocks.") and matrix.ndim == 2)
    )
    share = Decoder(config, tensors(random_gpt(config))).texts_per_thread
    assert (share - 1) * numbers < WORTH <= share * numbers


def test_others_take_part(workers: list[int]) -> None:
    shared = decoder(SHARED_TABLE, 2)
    slots = [shared.join() for _ in range(2 * SHARE)]
    shared.step(slots, [1] * len(slots))
    assert len(set(workers)) == 2
    assert threading.get_ident() in workers


def test_a_few_texts_and_a_twin_stay_in_their_thread(workers: list[int]) -> None:
    shared = decoder(SHARED_TABLE, 2)
    few = [shared.join() for _ in range(2 * SHARE - 1)]
    shared.step(few, [1] * len(few))
    twin = shared.twin()
    many = [twin.join() for _ in range(2 * SHARE)]
    twin.step(many, [1] * len(many))
    assert set(workers) == {threading.get_ident()}


@pytest.mark.parametrize("theirs", [True, False], ids=["in another's share", "in its own"])
def test_an_error_waits_until_nobody_writes(
    theirs: bool, workers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, here = decoder(SHARED_TABLE, 2), threading.get_ident()
    slots = [shared.join() for _ in range(2 * SHARE)]

    class Full(Workspace):
        def __init__(self, config: GPTConfig, slots: int) -> None:
            if (threading.get_ident() != here) == theirs:
                raise MemoryError
            super().__init__(config, slots)

    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(model.decoder, "Workspace", Full)
        shared.step(slots, [1] * len(slots))
    assert len(workers) == 1  # the share that went well has ended
    for slot in slots:
        shared.leave(slot)
    again = [shared.join() for _ in range(2 * SHARE)]
    wanted = decoder(SHARED_TABLE, 1)
    for _ in again:
        wanted.join()
    np.testing.assert_allclose(
        shared.step(again, [2] * len(again)),
        wanted.step(again, [2] * len(again)),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize("threads", [2, 3])
def test_what_a_system_without_threads_left_does_not_begin_is_not_done_later(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, shared = decoder(SHARED_TABLE, 1), decoder(SHARED_TABLE, threads)
    slots = [shared.join() for _ in range(threads * SHARE)]
    for _ in slots:
        alone.join()
    start, left = threading.Thread.start, threads - 2  # one fewer than are wanted

    def limited(self: threading.Thread) -> None:
        nonlocal left
        if not left:
            raise RuntimeError("can't start new thread")
        left -= 1
        start(self)

    for step in range(4):
        with monkeypatch.context() as patch:
            if step < 2:
                patch.setattr(threading.Thread, "start", limited)
            found = shared.step(slots, [1 + step] * len(slots))
        wanted = alone.step(slots, [1 + step] * len(slots))
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_what_is_written_while_python_ends_is_written_alone() -> None:
    code = """
import threading
ended = threading.Event()
threading._register_atexit(ended.set)  # called last, when no pool takes work any more
from tests.test_decoder_threads import SHARE, SHARED_TABLE, decoder
shared = decoder(SHARED_TABLE, 2)
slots = [shared.join() for _ in range(2 * SHARE)]
shared.step(slots, [1] * len(slots))
def write():
    ended.wait()
    print(shared.step(slots, [1] * len(slots)).shape)
threading.Thread(target=write).start()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"({2 * SHARE}, ")
