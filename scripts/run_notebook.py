"""Run the notebook from top to bottom, and keep what it shows: `python scripts/run_notebook.py`.

Do this after new weights: a test says when what is shown is of others. To try it out, give another
`--output`, and fewer `--minutes` to learn on.
"""

import argparse
import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import nbformat  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from nbclient.exceptions import CellExecutionError  # noqa: E402

from model.files import write_atomically  # noqa: E402
from model.weights import resolve  # noqa: E402

NOTEBOOK = ROOT / "notebooks" / "pooh.ipynb"
MOST_BYTES = 1_000_000
CELL_SECONDS = 900
COLAB = "https://colab.research.google.com/github/"
_WIDGET = "application/vnd.jupyter.widget-view+json"


def run(minutes: float | None = None) -> Any:  # noqa: ANN401  (nbformat has no types)
    """The notebook with fresh outputs.

    Args:
        minutes: how long it learns; None as it says.

    Raises:
        CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    told = [cell.source for cell in notebook.cells]
    if minutes is not None:
        for cell in notebook.cells:
            asked = f"MINUTES = {minutes}"
            cell.source = re.sub(r"^MINUTES = [\d.]+", asked, cell.source, flags=re.M)
    client = NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3")
    client.resources = {"metadata": {"path": str(NOTEBOOK.parent)}}
    client.execute()
    for cell, source in zip(notebook.cells, told, strict=True):
        cell.source = source
        cell.metadata.pop("execution", None)  # when it ran
        if cell.cell_type == "code":  # a slider that is saved is dead; what it drew is not
            cell.outputs = [o for o in cell.outputs if _WIDGET not in o.get("data", {})]
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info = {"name": "python"}
    notebook.metadata.weights = hashlib.sha256(resolve("pooh")[0].read_bytes()).hexdigest()
    return notebook


def address() -> str:
    """OWNER/NAME of the repository on GitHub that this is a clone of, or ""."""
    told = subprocess.run(
        ["git", "-C", str(ROOT), "remote", "get-url", "origin"], capture_output=True, text=True
    )
    found = re.search(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?\s*$", told.stdout)
    return found[1] if found else ""


def lead_to(notebook: Any, repository: str) -> None:  # noqa: ANN401
    """Let the badge, and the cell that clones, lead to a repository (OWNER/NAME)."""
    badge = f"({COLAB}{repository}/blob/main/notebooks/pooh.ipynb)"
    clone = f'REPOSITORY = "https://github.com/{repository}"'
    for cell in notebook.cells:
        cell.source = re.sub(rf"\({re.escape(COLAB)}[^)]*\)", badge, cell.source)
        cell.source = re.sub(r'^REPOSITORY = "[^"]*"', clone, cell.source, flags=re.M)


def main() -> int:
    """Run it, and write it if all is well; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=NOTEBOOK, help="default: the notebook")
    parser.add_argument("--minutes", type=float, help="how long it learns (default: as it says)")
    options = parser.parse_args()
    if options.minutes is not None and options.output == NOTEBOOK:
        parser.error("--minutes is for trying it out: give an --output too")
    try:
        notebook = run(options.minutes)
    except CellExecutionError as error:
        print(f"notebook: {error}", file=sys.stderr)
        return 1
    if repository := address():
        lead_to(notebook, repository)
    written = nbformat.writes(notebook).encode() + b"\n"
    if len(written) > MOST_BYTES:
        print(f"notebook: {len(written):,} bytes, more than {MOST_BYTES:,}", file=sys.stderr)
        return 1
    write_atomically(options.output, written)
    print(f"{options.output}: {len(written):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
