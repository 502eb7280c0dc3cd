"""The lesson: what the notebook shows is true, and it runs anywhere that the repository does."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model.weights import resolve

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "pooh.ipynb"
PARTS = ("model", "training", "vocab", "weights", "notebooks", "scripts", "pyproject.toml")
DATA = ("books.toml", "sample.txt", "slurs.txt", "__init__.py")


def read(path: Path = NOTEBOOK) -> Any:  # noqa: ANN401  (JSON)
    """The notebook."""
    return json.loads(path.read_text("utf-8"))


def code(notebook: Any) -> list[Any]:  # noqa: ANN401
    """Its cells of code."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def sources(notebook: Any) -> str:  # noqa: ANN401
    """All of its text and code."""
    return "\n".join("".join(cell["source"]) for cell in notebook["cells"])


def shown(notebook: Any) -> str:  # noqa: ANN401
    """All text that its cells show."""
    texts = []
    for cell in code(notebook):
        for output in cell["outputs"]:
            assert output["output_type"] != "error"
            texts.append("".join(output.get("text", "")))
            texts.append("".join(output.get("data", {}).get("text/plain", "")))
    return "\n".join(texts)


def test_it_shows_what_it_showed_when_it_ran_from_top_to_bottom() -> None:
    notebook = read()
    cells = code(notebook)
    assert [cell["execution_count"] for cell in cells] == [*range(1, len(cells) + 1)]
    pictures = [o for cell in cells for o in cell["outputs"] if "image/png" in o.get("data", {})]
    assert len(pictures) >= 8
    assert "largest difference from model/gpt.py" in shown(notebook)
    assert NOTEBOOK.stat().st_size < 1_000_000


def test_it_shows_the_weights_that_are_shipped() -> None:
    digest = hashlib.sha256(resolve("pooh")[0].read_bytes()).hexdigest()
    assert read()["metadata"]["weights"] == digest, "run: python scripts/run_notebook.py"


def test_it_shows_nothing_of_the_machine_it_ran_on() -> None:
    notebook = read()
    text = shown(notebook) + json.dumps(notebook["metadata"])
    assert not re.search(r"/(?:home|root|tmp|work|usr|Users)/|Warning|WARNING", text)
    assert "widget" not in text  # a slider that was saved is dead


def test_the_badge_and_the_first_cell_lead_to_one_place() -> None:
    text = sources(read())
    (badge,) = re.findall(r"\(https://colab\.research\.google\.com/github/([^)]*)\)", text)
    (clone,) = re.findall(r'^REPOSITORY = "([^"]*)"  # @param', text, re.M)
    assert clone == "" or badge == (
        f"{clone.removeprefix('https://github.com/')}/blob/main/notebooks/pooh.ipynb"
    )


def test_a_torch_that_is_there_is_kept() -> None:
    set_up = "".join(code(read())[0]["source"])
    extras = re.findall(r'"([\w,]*)" if find_spec\("torch"\) else "([\w,]*)"', set_up)
    assert extras == [("notebook", "train,notebook")]
    pyproject = (ROOT / "pyproject.toml").read_text("utf-8")
    (notebook,) = re.findall(r"^notebook = \[(.*)\]$", pyproject, re.M)
    assert "torch" not in notebook


@pytest.mark.parametrize("name", ["torch", "numpy", "matplotlib", "rich", "ipywidgets"])
def test_what_the_first_cell_looks_for_is_all_that_is_imported(name: str) -> None:
    text = sources(read())
    needed = re.findall(r"^needed = \((.*)\)$", text, re.M)[0]
    assert f'"{name}"' in needed
    imported = set(re.findall(r"^(?:import|from) (\w+)", text, re.M))
    ours = {"model", "training", "IPython"}
    assert imported - ours - {*re.findall(r'"(\w+)"', needed)} <= sys.stdlib_module_names


def test_every_value_to_play_with_is_a_form_in_colab() -> None:
    plain = re.compile(r"""^[A-Z_]+ = (?:"[^"]*"|'[^']*'|-?[\d.]+)(?=\s|$).*$""", re.M)
    values = [v for v in plain.findall(sources(read())) if " in sys.modules" not in v]
    assert len(values) >= 12
    assert [value for value in values if "# @param {" not in value] == []


def test_it_runs_from_top_to_bottom_from_a_bare_clone_without_a_network(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for part in PARTS:
        source, target = ROOT / part, clone / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(source, target)
    (clone / "data").mkdir()
    for name in DATA:
        if (ROOT / "data" / name).exists():
            shutil.copy(ROOT / "data" / name, clone / "data" / name)
    sample = clone / "data" / "sample.txt"  # a short one: it is learned from, and validated on
    sample.write_text(sample.read_text("utf-8")[:3000], "utf-8")
    before = {path for path in clone.rglob("*") if "__pycache__" not in path.parts}
    output = tmp_path / "run.ipynb"
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    result = subprocess.run(
        [sys.executable, "scripts/run_notebook.py", "--minutes", "0.01", "--output", str(output)],
        cwd=clone,
        env=os.environ | nowhere | {"PIP_NO_INDEX": "1", "PYTHONPATH": str(clone)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    ran, committed = read(output), read(clone / "notebooks" / "pooh.ipynb")
    assert sources(ran) == sources(committed)
    assert ran["metadata"]["weights"] == committed["metadata"]["weights"]
    text = shown(ran)
    (difference,) = re.findall(r"largest difference from model/gpt.py: (\S+)", text)
    assert float(difference) < 1e-3
    assert (clone / "runs" / "weights" / "mine.safetensors").is_file()
    assert "Piglet looked at the telephone" in text
    after = {path for path in clone.rglob("*") if "__pycache__" not in path.parts}
    assert {path.relative_to(clone).parts[0] for path in after - before} == {"runs"}
    # What does not depend on the machine's speed is the same as what is committed.
    alphabet = re.compile(r"^77 characters.*$|^\S -> \d+$", re.M)
    assert alphabet.findall(text) == alphabet.findall(shown(committed))
