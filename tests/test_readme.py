"""What README and the pages of docs/ show is what happens."""

import json
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model.weights import DEFAULT_MODEL
from scripts import refresh_docs

ROOT = Path(__file__).resolve().parents[1]
PAGES = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in refresh_docs.pages()}
README = PAGES["README.md"]
PATH = r"`((?:bot|model|training|tests|scripts|data|weights|vocab|docs|notebooks)/[\w./-]*)`"


def blocks(language: str, page: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.M | re.S)


def examples() -> dict[str, str]:
    """Commands and what the pages say they print: `$ command` and the lines below it."""
    return {
        command: output
        for page in PAGES.values()
        for block in blocks("console", page)
        for command, output in refresh_docs.EXAMPLE.findall(block)
    }


def commands() -> list[str]:
    """The lines of all bash blocks."""
    lines = [b.splitlines() for page in PAGES.values() for b in blocks("bash", page)]
    return list(dict.fromkeys(line for block in lines for line in block))


def python(arguments: list[str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run Python as README does."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "80", "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@cache
def help_of(module: str) -> str:
    """The `--help` of a command."""
    result = python(["-m", module, "--help"])
    assert result.returncode == 0, result.stderr
    return result.stdout


def setup_commands() -> list[str]:
    """README's two lines that set everything up."""
    lines = [line for block in blocks("bash", README) for line in block.splitlines()]
    return [line for line in lines if "venv" in line]


def test_each_set_up_is_one_line_and_the_second_is_what_ci_runs() -> None:
    write, test = setup_commands()
    start = "python3 -m venv .venv && .venv/bin/pip install"
    assert write.startswith(start)
    assert test.startswith(start)
    assert test in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert test in PAGES["CONTRIBUTING.md"].splitlines()
    assert "torch" not in write
    assert "[" not in write, "the first needs no extra"


def test_the_first_set_up_ends_in_a_story() -> None:
    last = shlex.split(setup_commands()[0].split("&&")[-1])
    assert last[0] == ".venv/bin/python"
    result = python(last[1:])
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(last[3])
    assert len(result.stdout) > 200  # it ends with a sentence, from three quarters of 300 on


@pytest.mark.parametrize("command", examples())
def test_a_command_prints_what_is_shown(command: str) -> None:
    assert refresh_docs.output(command) == examples()[command]


@pytest.mark.parametrize("line", commands())
def test_every_command_and_flag_that_is_named_exists(line: str) -> None:
    for part in line.split("&&"):
        words = shlex.split(part)
        flags = [word.split("=")[0] for word in words if word.startswith("--")]
        if "-m" in words and words[words.index("-m") + 1] not in ("venv", "pytest"):
            module = words[words.index("-m") + 1]
            ours = set(flags) - ({"--nproc-per-node"} if words[0] == "torchrun" else set())
            page = help_of(module)
            for flag in ours - ({"--online"} if module == "bot" else set()):
                assert re.search(rf"{flag}\b", page), f"{module} has no {flag}"
        elif words[0] == "python":
            assert (ROOT / words[1]).is_file(), words[1]
        elif words[0].startswith("scripts/"):
            assert os.access(ROOT / words[0], os.X_OK), words[0]


def anchors(page: str) -> set[str]:
    """The names by which a page's sections are linked to."""
    headings = re.findall(r"^#+ (.*)$", page, re.M)
    names = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    return names | set(re.findall(r'^<a id="([^"]+)"></a>$', page, re.M))


@pytest.mark.parametrize("name", PAGES)
def test_every_link_to_a_file_and_to_a_section_leads_somewhere(name: str) -> None:
    folder = (ROOT / name).parent
    for target in re.findall(r"\]\(([^)]+)\)", PAGES[name]):
        if "://" not in target:
            path, _, section = target.partition("#")
            found = (folder / path).resolve() if path else ROOT / name
            assert found.exists(), target
            assert found.is_relative_to(ROOT), target
            if section:
                assert section in anchors(found.read_text("utf-8")), target


@pytest.mark.parametrize("name", sorted(set(PAGES) - {"docs/samples.md"}))
def test_every_file_that_is_named_exists(name: str) -> None:
    for path in re.findall(PATH, PAGES[name]):
        assert (ROOT / path).exists() or path.startswith("data/books/"), path


def test_the_map_names_every_module() -> None:
    page = PAGES["docs/architecture.md"]
    for package in ("bot", "model", "training"):
        for path in (ROOT / package).glob("**/*.py"):
            name = path.relative_to(ROOT / package).as_posix()
            named = f"`{package}/{name}`" in page or (package == "bot" and f"`{name}`" in page)
            assert named or path.name == "__init__.py", f"docs/architecture.md: {package}/{name}"


def test_readme_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(([^)#]+)", README))
    assert linked >= {name for name in PAGES if name.startswith("docs/")}


@pytest.mark.parametrize("name", PAGES)
def test_figures_are_those_of_the_reports_beside_the_weights(name: str) -> None:
    page = PAGES[name]
    assert page.count("<!-- made: ") == page.count("<!-- end -->") == len(made(page))
    for table, shown in made(page):
        assert shown == f"\n{refresh_docs.TABLES[table]()}\n", (
            f"the table {table!r} is old: python scripts/refresh_docs.py"
        )


def made(page: str) -> list[tuple[str, str]]:
    """The tables of a page that a script made, by name."""
    return re.findall(r"<!-- made: (.+?) -->\n(.*?)<!-- end -->", page, re.S)


def test_every_table_of_figures_is_shown_somewhere() -> None:
    assert {name for page in PAGES.values() for name, _ in made(page)} == set(refresh_docs.TABLES)


def test_the_samples_were_written_by_these_weights() -> None:
    page = PAGES["docs/samples.md"]
    for model in refresh_docs.MODELS:
        assert f"`weights/{model}.safetensors`: SHA-256 `{refresh_docs.digest(model)}`" in page, (
            f"docs/samples.md is older than the weights {model}: python scripts/refresh_docs.py"
        )
    assert len(re.findall(r"^\*\*Seed ", page, re.M)) >= 15


@pytest.mark.parametrize("file", [refresh_docs.PICTURE, refresh_docs.HOW], ids=lambda f: f.name)
def test_the_pictures_are_of_these_weights(file: Path) -> None:
    with Image.open(file) as picture:
        assert picture.info["weights"] == refresh_docs.digest(DEFAULT_MODEL), (
            f"docs/{file.name} is older than the weights: python scripts/refresh_docs.py"
        )


def test_the_picture_of_how_is_what_its_command_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh_docs, "HOW", tmp_path / "how.png")
    refresh_docs.draw_how()
    with Image.open(tmp_path / "how.png") as new, Image.open(ROOT / "docs" / "how.png") as kept:
        a, b = (np.asarray(picture.convert("RGB"), np.int16) for picture in (new, kept))
        assert a.shape == b.shape == (675, 1200, 3)
        assert np.abs(a - b).mean() < 1, "docs/how.png is old: python scripts/refresh_docs.py"


def test_making_a_page_anew_twice_changes_nothing_and_an_old_table_is_made_anew() -> None:
    old = "<!-- made: recall -->\nold\n<!-- end -->\n"
    page = f"a\n\n{old}\nb\n\n<!-- made: losses -->\n<!-- end -->\n"
    new = refresh_docs.refreshed(page)
    assert [name for name, _ in made(new)] == ["recall", "losses"]
    assert "old" not in new
    assert refresh_docs.recall_table() in new
    assert new.startswith("a\n")
    assert "\n\nb\n" in new
    assert refresh_docs.refreshed(new) == new


def test_probes_of_memory_are_shown_for_the_models_that_have_them() -> None:
    memory = {
        "contexts": {64: 1.25, 1024: 1.0},
        "foreign_past": 0.5,
        "copying": {"new": 3.0, "at a gap of 450": 1.5},
        "named_before": {0: 2.0, 400: 1.0},
    }
    told = {"memory": memory, "stories": {"strangers": 0.25, "answers_himself": None}}
    new: dict[str, Any] = json.loads(json.dumps(told))
    table = refresh_docs.memory_table({"pooh": new, "classic": {}})
    assert "| probe | `pooh` |" in table
    assert "| context gain, 64 to 1,024 | 0.2500 |" in table
    assert "| made-up name, at a gap of 450 | 1.50" in table
    both = refresh_docs.memory_table({"pooh": new, "classic": {"memory": {"foreign_past": 0.0}}})
    assert "| a foreign past costs | 0.0000 | 0.5000 |" in both
    assert "| strangers | - | 0.25 per 1,000 characters |" in both
    assert "older" in refresh_docs.memory_table({"pooh": {}, "classic": {}})


def test_no_figure_is_still_to_be_filled_in() -> None:
    for name, page in PAGES.items():
        assert not re.findall(r"<<.*?>>", page), name


def test_every_setting_of_the_host_is_explained_where_the_readme_says() -> None:
    assert "[.env.example](.env.example)" in README
    assert (ROOT / ".env.example").is_file()
