"""What speed is held against must be what it is called: a plain GPT of the original's size."""

import torch

from model.config import GPTConfig
from tests.benchmarks.plain import PlainGPT, write

CONFIG = GPTConfig(vocab_size=66)  # the original's sizes


def test_the_plain_network_is_as_large_as_the_original() -> None:
    C, V, T, L = 128, 66, 64, 4
    block = 3 * C * C + (C * C + C) + (8 * C * C + 5 * C) + 2 * 2 * C
    assert sum(p.numel() for p in PlainGPT(CONFIG).parameters()) == 816_962
    assert (V + T) * C + L * block + 2 * C + V * C + V == 816_962


@torch.inference_mode()
def test_no_position_sees_the_future_and_each_sees_the_past() -> None:
    torch.manual_seed(0)
    gpt = PlainGPT(CONFIG).eval()
    ids = torch.randint(0, 66, (1, 64))
    other = ids.clone()
    other[0, 30] += 1 if other[0, 30] < 65 else -1
    same = torch.isclose(gpt(ids), gpt(other), atol=1e-6).all(dim=-1)[0]
    assert same[:30].all() and not same[30:].any()


def test_it_writes_as_much_as_it_is_asked_for_over_the_end_of_its_window() -> None:
    torch.manual_seed(0)
    written = write(PlainGPT(CONFIG).eval(), [1, 2, 3], 70, 0.8)
    assert len(written) == 70 and all(0 <= i < 66 for i in written)
