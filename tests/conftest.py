"""What all tests share: where the repository and, when there is one, the shared material lie."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.fake_discord import DiscordServer, ManualClock, Schemas, describe

# The networks of the tests are small: more threads would only wait for each other. What the tests
# start inherits this.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

# numpy reads the environment when it is imported.
from bot.store import Store  # noqa: E402
from tests.hosting import Stage, stage  # noqa: E402
from training.corpus import Texts, load_texts  # noqa: E402

# The same examples on every run: what CI passes, passes for everybody. New ones are searched for by
# `pytest -m slow`, or with `--hypothesis-profile random`.
settings.register_profile("same", derandomize=True, max_examples=50, deadline=None)
settings.register_profile("random", max_examples=500, deadline=None)
settings.load_profile("same")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` is: a process for each processor, and not more than memory is sure to hold."""
    return min(os.cpu_count() or 1, 4)


ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of books and descriptions that is not part of the repository."""
    folder = Path(os.environ.get("SHARED_FOLDER", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("needs the shared folder beside the repository (or SHARED_FOLDER)")
    return folder


@pytest.fixture(scope="session")
def library(shared: Path) -> Texts:
    """The cleaned texts of the reading list, which take some seconds."""
    return load_texts(shared / "corpus")


@pytest.fixture(scope="session")
def schemas() -> Schemas | None:
    """Discord's own description of its routes; None where it is not at hand."""
    return describe()


@pytest.fixture
async def server(schemas: Schemas | None) -> AsyncIterator[DiscordServer]:
    """A stand-in for Discord without rate limits; at the end nothing wrong may have been sent."""
    async with DiscordServer(ManualClock(), schemas=schemas, rates={}) as server:
        yield server
        assert not server.violations()


@pytest.fixture
async def wood(schemas: Schemas | None) -> AsyncIterator[Stage]:
    """The real bot, on a stand-in that checks what it sends."""
    async with stage(schemas=schemas) as theatre:
        yield theatre


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """The file of what is kept, as a running bot has it."""
    opened = Store(tmp_path / "kept" / "pooh.db")
    await opened.open(123456789012345678)
    assert opened.is_open
    yield opened
    await opened.close()
