"""The short form of the hour of two processes."""

from pathlib import Path

import pytest

from tests.cluster_soak import soak


@pytest.mark.slow
async def test_no_story_is_lost_when_processes_are_replaced(tmp_path: Path) -> None:
    rows, wrong = await soak(
        tmp_path, minutes=0.5, rate=100, model="", servers=80, period=1.0, seed=0
    )
    told = "\n".join(f"{name}: {text}" for name, text in rows)
    assert not wrong, told
    table = dict(rows)
    assert "lost 0" in table["ended"] and table["IDENTIFYs"].startswith("16: "), told
    for name in ("a", "b", "a2", "b2"):
        assert "metrics equal" in table[f"process {name}"], told
