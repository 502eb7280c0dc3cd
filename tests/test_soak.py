"""The short form of the soak: the real bot in its own process, in bad weather."""

from pathlib import Path

from tests.hosting import save_small_network
from tests.soak import soak


async def test_in_bad_weather_every_use_has_an_end(tmp_path: Path) -> None:
    model = str(save_small_network(tmp_path))
    report = await soak(people=20, uses=150, model=model, seed=1, severity=4)
    assert not report.wrong, "\n".join(f"{name}: {text}" for name, text in report.rows())
    assert report.uses.total() == 150 and report.faults.total() > 10
    assert report.ends["a story"] > 10
    assert report.faults["gateway broken"] and report.faults["channel deleted"]


async def test_in_bad_weather_every_turn_of_a_circle_has_an_end(tmp_path: Path) -> None:
    model = str(save_small_network(tmp_path))
    report = await soak(people=20, uses=120, model=model, seed=1, severity=5, circles=1.0)
    assert not report.wrong, "\n".join(f"{name}: {text}" for name, text in report.rows())
    assert report.uses["sentence"] and report.ends["a circle"] and report.faults.total() > 10
