"""What is installed is whole and works from any folder; one version is told everywhere."""

import os
import re
import shutil
import site
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from model import __version__

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES = PYPROJECT["tool"]["setuptools"]["packages"]
SCRIPTS = {
    "pooh": "model",
    "pooh-bot": "bot",
    "pooh-train": "training.train",
}


def run(
    *command: str | Path, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command with more in its environment, and without settings of whoever tests."""
    mine = ("PYTHONPATH", "PYTHONSAFEPATH", "POOH_", "DISCORD_")
    kept: Mapping[str, str] = {k: v for k, v in os.environ.items() if not k.startswith(mine)}
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the built wheel; what it depends on is what is installed here."""
    folder = tmp_path_factory.mktemp("installed")
    copy = folder / "copy"  # setuptools leaves a folder behind
    skip = "__pycache__ .* *.egg-info build books runs checkpoints tests"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*skip.split()))
    pip = "-m pip wheel --quiet --no-build-isolation --no-deps --no-index --wheel-dir"
    built = run(sys.executable, *pip.split(), folder, copy)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("*.whl")
    assert wheel.name.startswith(f"pooh-{__version__}-")
    made = run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    assert made.returncode == 0, made.stderr
    python = folder / "venv" / Path(sysconfig.get_path("scripts")).name / "python"
    packages = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    )
    # Plain lines of a .pth are folders to import from; an editable install there is not followed.
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    install = "install --quiet --no-deps --no-index --no-compile"
    done = run(sys.executable, "-m", "pip", "--python", python, *install.split(), wheel)
    assert done.returncode == 0, done.stdout + done.stderr
    return python.parent


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder in which each of our packages has a namesake that must not be imported."""
    for name in PACKAGES:
        (tmp_path / name).mkdir()
        for file in ("__init__.py", "__main__.py"):
            (tmp_path / name / file).write_text("raise SystemExit('the wrong one')\n")
    return tmp_path


def test_data_vocabularies_and_weights_are_installed(environment: Path) -> None:
    where = run(environment / "python", "-I", "-c", "import model.weights as w; print(w.ROOT)")
    installed = Path(where.stdout.strip())
    assert not installed.is_relative_to(ROOT)
    for folder in ("data", "vocab", "weights"):
        listed = run("git", "ls-files", folder)
        if listed.returncode:
            pytest.skip("not a git checkout")
        missing = [name for name in listed.stdout.split() if not (installed / name).is_file()]
        assert not missing, folder


def test_pooh_writes_from_any_folder(environment: Path, hostile: Path) -> None:
    result = run(environment / "pooh", "Here is Edward Bear", "--length", "20", cwd=hostile)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Here is Edward Bear")


def test_pooh_bot_works_from_any_folder(environment: Path, hostile: Path) -> None:
    told = run(environment / "pooh-bot", "terminal", "Here is Edward Bear", cwd=hostile)
    assert told.returncode == 0, told.stderr
    assert "Here is Edward Bear" in told.stdout
    tokenless = run(environment / "pooh-bot", cwd=hostile)
    assert tokenless.returncode == 2
    assert tokenless.stderr.startswith("pooh-bot: ")
    assert "DISCORD_TOKEN" in tokenless.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_what_its_module_is(environment: Path, hostile: Path, script: str) -> None:
    assert PYPROJECT["project"]["scripts"].keys() == SCRIPTS.keys()
    usage = run(environment / script, "--help", cwd=hostile)
    assert usage.returncode == 0, usage.stderr
    assert usage.stdout.startswith(f"usage: {script} ")
    module = run(sys.executable, "-m", SCRIPTS[script], "--help")
    flags = re.compile(r"--[a-z-]+")
    assert set(flags.findall(usage.stdout)) == set(flags.findall(module.stdout))


@pytest.mark.parametrize(
    "module", ["bot", "model", "training.train", "training.evaluate", "training.corpus"]
)
def test_one_version_is_told_everywhere(module: str) -> None:
    result = run(sys.executable, "-m", module, "--version")
    assert (result.stdout, result.stderr) == (f"pooh {__version__}\n", "")
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.findall(r"^## (\d\S*) - \d{4}-\d\d-\d\d$", changes, re.M)[0] == __version__
