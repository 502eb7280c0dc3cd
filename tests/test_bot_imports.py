"""Which way imports point inside bot/, and what its start costs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_repo import ROOT, imports

# From what knows nothing of the others to what knows all: a module imports from rows above its own.
LAYERS = (
    {
        "cards",
        "clock",
        "database",
        "hangup",
        "invite",
        "limiter",
        "options",
        "parsers",
        "plates",
        "queue",
        "circle_seal",
        "redaction",
        "said",
        "shards",
        "systemd",
    },
    {"names", "translations"},
    {"languages"},
    {"messages", "settings", "pages", "openings", "errors", "sync"},
    {
        "about_texts",
        "race_texts",
        "setup_texts",
        "store",
        "explanation_texts",
        "fork_texts",
        "circle_texts",
    },
    {"actions", "worker", "connection", "delivery", "drawings", "logs", "permissions", "pictures"},
    {"seen", "tally", "circle", "followups"},
    {"votes", "ballots", "explanation_reading"},
    {"writer", "backup", "captions", "prompts", "sharding", "targets", "fork_card"},
    {"circle_registry", "explanation_lines", "requests"},
    {"cluster", "merge", "racers", "stories", "terminal"},
    {"services", "mentions"},
    {"items"},
    {"consent", "daily", "fork_writing"},
    {"explanations", "fork", "keep", "circle_turns"},
    {"privacy", "race_card", "setup", "circle_checks"},
    {"race", "circle_buttons", "circle_writers"},
    {"circle_command", "circle_form"},
    {"about"},
    {"buttons", "commands"},
    {"client", "checks"},
    {"run", "health", "reload"},
    {"metrics"},
    {"__main__"},
)
PURE = (
    "actions",
    "circle",
    "circle_registry",
    "circle_seal",
    "limiter",
    "messages",
    "openings",
    "options",
    "pages",
    "prompts",
    "queue",
    "shards",
)
DISCORDLESS = ("queue", "worker", "writer")


def modules() -> dict[str, set[str]]:
    """Each module of the bot, and what it imports."""
    paths = [path for path in (ROOT / "bot").glob("*.py") if path.stem != "__init__"]
    found = {}
    for path in paths:
        found[path.stem] = set(imports(path))
        if "bot" in found[path.stem]:  # from bot import messages
            text = path.read_text("utf-8")
            names = [line for line in text.splitlines() if line.startswith("from bot import ")]
            found[path.stem] |= {
                f"bot.{name.strip()}"
                for line in names
                for name in line.removeprefix("from bot import ").split(",")
            }
    return found


def test_imports_inside_the_bot_point_one_way() -> None:
    row = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    for name, imported in modules().items():
        assert name in row, f"bot/{name}.py: in which row of LAYERS does it stand?"
        for other in imported:
            package, _, theirs = other.partition(".")
            if package == "bot" and theirs:
                assert row[theirs] < row[name], f"bot/{name}.py imports {other}"


@pytest.mark.parametrize("name", PURE)
def test_what_is_pure_knows_no_loop_no_thread_and_no_network(name: str) -> None:
    found = {module.split(".")[0] for module in modules()[name]}
    assert not found & {"asyncio", "threading", "aiohttp", "discord", "logging", "os"}


@pytest.mark.parametrize("name", DISCORDLESS)
def test_the_writers_side_knows_no_discord(name: str) -> None:
    assert not {module.split(".")[0] for module in modules()[name]} & {"aiohttp", "discord"}


START = "import bot.__main__"
MEASURE = """
import sys, time, warnings
warnings.simplefilter("ignore")
began = time.process_time()
{}
print(time.process_time() - began, *sorted({{name.split(".")[0] for name in sys.modules}}))
"""


def started(code: str, compiled: Path | None = None) -> tuple[float, set[str]]:
    """Processor time of an import in a fresh process, in seconds, and the packages it brought.

    With a folder for what Python compiles, whatever the environment says, only the first pays.
    """
    environment = dict(os.environ)
    if compiled:
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = str(compiled)
    run = [sys.executable, "-c", MEASURE.format(code)]
    result = subprocess.run(
        run, cwd=ROOT, capture_output=True, text=True, check=True, env=environment
    )
    seconds, *names = result.stdout.split()
    return float(seconds), set(names)


def test_the_bots_start_imports_only_what_it_needs() -> None:
    _, names = started(START)
    assert {"discord", "numpy"} <= names
    assert not names & {"matplotlib", "rich", "torch", "training", "transformers"}


def test_the_bots_start_costs_little_more_than_discord_and_numpy(tmp_path: Path) -> None:
    # The better of three: processor time hardly knows of others, caches do.
    least = min(started("import discord, numpy", tmp_path)[0] for _ in range(3))
    ours = min(started(START, tmp_path)[0] for _ in range(3))
    assert ours < 1.9 * least, f"{ours:.2f} s, and discord with numpy {least:.2f} s"
