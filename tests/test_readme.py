"""What the README and the notebook show is what happens."""

import json
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
NOTEBOOK = ROOT / "notebooks" / "pooh.ipynb"


def blocks(language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


def examples() -> list[tuple[str, str]]:
    """Commands and what they print: `$ command` and the lines below it."""
    found = []
    for block in blocks("console"):
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
            found.append((command, output))
    return found


def python(arguments: list[str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run Python as the README does, in a window of 80 columns."""
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
    """The two lines that set everything up."""
    return [line for block in blocks("bash") for line in block.splitlines() if "venv" in line]


def test_each_set_up_is_one_line_and_the_second_is_what_ci_runs() -> None:
    write, test = setup_commands()
    start = "python3 -m venv .venv && .venv/bin/pip install"
    assert write.startswith(start)
    assert test.startswith(start)
    assert test in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert "torch" not in write
    assert "[" not in write, "the first needs no extra"


def test_the_first_set_up_ends_in_a_story() -> None:
    last = shlex.split(setup_commands()[0].split("&&")[-1])
    assert last[0] == ".venv/bin/python"
    result = python(last[1:])
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(last[3])
    assert len(result.stdout) > 200  # it ends with a sentence, from three quarters of 300 on


@pytest.mark.parametrize(("command", "output"), examples(), ids=[c for c, _ in examples()])
def test_a_command_prints_what_is_shown(command: str, output: str) -> None:
    words = shlex.split(command)
    assert words[0] == "python"
    result = python(words[1:])
    assert result.returncode == 0, result.stderr
    assert result.stdout == output


@pytest.mark.parametrize("line", [line for block in blocks("bash") for line in block.splitlines()])
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


def test_every_link_to_a_file_and_to_a_section_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.*)$", README, re.M)
    anchors = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif "://" not in target:
            assert (ROOT / target).exists(), target


def test_no_figure_is_still_to_be_filled_in() -> None:
    assert not re.findall(r"<<.*?>>", README)


def test_every_setting_of_the_host_is_explained_where_the_readme_says() -> None:
    assert "[.env.example](.env.example)" in README
    assert (ROOT / ".env.example").is_file()


def cells() -> list[str]:
    """The code of the notebook, cell by cell."""
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    assert notebook["nbformat"] == 4
    for cell in notebook["cells"]:
        assert cell.keys() >= {"cell_type", "metadata", "source"}
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]


def test_the_notebook_writes() -> None:
    code = [cell for cell in cells() if not cell.startswith(("%", "!", "from IPython"))]
    result = python(["-c", "\n".join(code)], cwd=NOTEBOOK.parent)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Piglet looked at the telephone")
    assert len(result.stdout) > 200  # it ends with a sentence, from three quarters of 300 on


def test_the_notebook_trains_and_writes_with_what_it_trained(tmp_path: Path) -> None:
    commands = [cell[1:] for cell in cells() if cell.startswith("!")]
    train, write = (shlex.split(command.replace("\\\n", " "))[1:] for command in commands)
    assert train[train.index("--init") + 1] == "pooh"
    train += ["--steps", "2", "--batch-size", "1", "--checkpoints", "checkpoints", "--no-compile"]
    train[train.index("--text") + 1] = str(ROOT / "data" / "sample.txt")
    for command in (train, write):
        result = python(command, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Once upon a time")
    picture = next(cell for cell in cells() if "Image(" in cell)
    name = re.findall(r'Image\("(.*)"\)', picture)[0]
    assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
