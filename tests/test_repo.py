"""What holds for the whole repository: imports, style, what is committed and what installed."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("bot", "model", "training")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).glob("**/*.py"))
MODULES = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in SOURCES]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
# What is imported under another name than it is installed by.
DISTRIBUTIONS = {
    "discord": "discord.py",
    "dotenv": "python-dotenv",
    "prometheus_client": "prometheus-client",
}


def run(
    *command: str | Path, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command with more in its environment."""
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module or ""


def tracked() -> list[Path]:
    """The files under version control."""
    listed = run("git", "ls-files", "-z")
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).exists()]


@pytest.fixture
def without_torch(tmp_path: Path) -> str:
    """A PYTHONPATH on which torch cannot be imported."""
    package = tmp_path / "blocked" / "torch"
    package.mkdir(parents=True)
    code = "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n"
    (package / "__init__.py").write_text(code)
    return os.pathsep.join((str(package.parent), str(ROOT)))


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [("model", {"bot", "training"}), ("training", {"bot"}), ("bot", {"training"})],
)
def test_imports_point_one_way(package: str, forbidden: set[str]) -> None:
    paths = [path for path in SOURCES if path.relative_to(ROOT).parts[0] == package]
    assert paths
    for path in paths:
        assert not forbidden & {name.split(".")[0] for name in imports(path)}, path


def test_every_import_is_a_declared_dependency() -> None:
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"]
    declared = [*project["dependencies"], *extras["train"], *extras["bench"], *extras["cluster"]]
    names = {re.split(r"[\s<>=!~;\[]", line)[0].lower() for line in declared}
    names |= {"aiohttp", "yarl"}  # discord.py brings them and cannot do without
    ours = {*PACKAGES, *sys.stdlib_module_names}
    for path in SOURCES:
        for name in {name.split(".")[0] for name in imports(path)} - ours:
            assert DISTRIBUTIONS.get(name, name).lower() in names, f"{path} imports {name}"


def test_torch_is_pinned_the_same_everywhere() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    pins = {line for extra in extras.values() for line in extra if line.startswith("torch")}
    assert pins == {"torch==2.13.0"}
    assert not any(line.startswith("torch") for line in PYPROJECT["project"]["dependencies"])


def test_what_only_writes_never_imports_torch(without_torch: str) -> None:
    writers = [name for name in MODULES if name.split(".")[0] != "training" and name != "model.gpt"]
    code = f"import importlib, sys\nfor name in {writers!r}: importlib.import_module(name)"
    result = run(sys.executable, "-c", code, PYTHONPATH=without_torch)
    assert result.returncode == 0, result.stderr


def test_the_terminal_writer_runs_without_torch(without_torch: str) -> None:
    result = run(
        sys.executable,
        "-m",
        "model",
        "Here is Edward Bear",
        "--length",
        "20",
        "--seed",
        "1",
        PYTHONPATH=without_torch,
    )
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.rstrip("\n")) >= len("Here is Edward Bear")
    assert result.stdout.startswith("Here is Edward Bear")


IMPORT_ALL = """
import importlib, logging, os, sys, threading

root = sys.argv[1]
seen = []

class Watched(type(os.environ)):
    def __getitem__(self, key):
        # Straight from there, or by way of os.environ.get and os.getenv.
        if any(sys._getframe(i).f_code.co_filename.startswith(root) for i in (1, 2, 3)):
            seen.append(f"reads the environment: {key}")
        return super().__getitem__(key)

os.environ.__class__ = Watched

def audit(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        path = os.path.abspath(arguments[0])
        if path.startswith(root) and not path.endswith((".py", ".pyc")) and ".pyc." not in path:
            seen.append(f"opens {path}")
    elif event.startswith(("socket.bind", "socket.connect", "subprocess", "os.mkdir", "os.remove")):
        if "__pycache__" not in str(arguments):
            seen.append(f"{event} {arguments}")

before = logging.getLogger().handlers[:], logging.getLogger().level
sys.addaudithook(audit)
for name in sys.argv[2:]:
    importlib.import_module(name)
    assert not seen, f"importing {name}: {seen}"
    assert (logging.getLogger().handlers, logging.getLogger().level) == before, name
assert threading.active_count() == 1
"""


def test_importing_does_nothing() -> None:
    # What the libraries do on import is theirs: they are imported before anyone watches.
    ours = {*PACKAGES, *sys.stdlib_module_names}
    libraries = sorted(
        {
            name
            for path in SOURCES
            for name in imports(path)
            if name.split(".")[0] not in ours | {"markovify", "transformers"}
        }
    )
    libraries.append("aiohttp.web")  # a part that aiohttp imports when it is asked for
    code = "".join(f"import {name}\n" for name in libraries) + IMPORT_ALL
    modules = [name for name in MODULES if not name.endswith("__main__")]
    result = run(sys.executable, "-c", code, f"{ROOT}{os.sep}", *modules)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""


def test_ruff_finds_nothing() -> None:
    for command in (["check"], ["format", "--check"]):
        result = run(sys.executable, "-m", "ruff", *command, ROOT)
        assert result.returncode == 0, result.stdout + result.stderr


def test_mypy_finds_nothing() -> None:
    result = run(sys.executable, "-m", "mypy")
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_machine_and_no_registry_is_named() -> None:
    # Written so that this file does not name them itself.
    secret = r"/(wor[k]|far[m]|roo[t])/|/op[t]/pyp[i]|pyp[i]\.org|python[h]osted|npm[j]s\.org"
    for path in tracked():
        if path.suffix not in {".png", ".safetensors"}:
            found = re.search(secret, path.read_text("utf-8"))
            assert not found, f"{path} names {found and found.group()}"


def test_no_book_is_committed() -> None:
    allowed = {"books.toml", "sample.txt", "slurs.txt"}
    for path in tracked():
        if path.parent == ROOT / "data":
            assert path.name in allowed, path
        elif path.suffix == ".txt":
            assert path.stat().st_size < 50_000, f"{path} is as long as a book"


def test_books_checkpoints_and_tokens_are_ignored() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    for name in (".env", "data/pg67098.txt", "data/books/x.txt", "checkpoints/a", ".venv/bin/x"):
        assert run("git", "check-ignore", "-q", name).returncode == 0, f"{name} is not ignored"


def test_the_example_explains_every_setting_and_shows_its_default(tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    names = set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.M))
    source = (ROOT / "bot" / "settings.py").read_text("utf-8")
    assert names == set(re.findall(r'"((?:POOH|DISCORD)_[A-Z_]+)": \(', source))
    (tmp_path / ".env").write_text(re.sub(r"^# (?=[A-Z_]+=)", "", example, flags=re.M))
    assert vars(read_settings({}, tmp_path)) == vars(Settings())


def test_the_same_checks_run_by_hand_before_a_commit_and_in_public() -> None:
    static = "scripts/check --static"
    check, ours, public, hook = (
        (ROOT / name).read_text("utf-8")
        for name in (
            "scripts/check",
            ".ci/run",
            ".github/workflows/ci.yml",
            ".pre-commit-config.yaml",
        )
    )
    for tool in (
        "ruff check .",
        "ruff format --check .",
        "mypy",
        "pytest",
        "coverage run -m pytest",
    ):
        assert re.search(rf'^\s*(exec )?"\$python" -m {re.escape(tool)}', check, re.M), tool
    assert ours.rstrip().endswith(static)
    assert "run: .ci/run\n" in public and "run: scripts/check --coverage\n" in public
    assert f"entry: {static}\n" in hook
    for name in ("scripts/check", ".ci/run"):
        assert os.access(ROOT / name, os.X_OK), name
        assert run("bash", "-n", ROOT / name).returncode == 0, name
    assert PYPROJECT["tool"]["coverage"]["report"]["fail_under"] >= 90


@pytest.mark.slow
def test_properties_hold_for_examples_that_are_new_each_time() -> None:
    tests = (sys.executable, "-m", "pytest", "-q", "-m", "hypothesis and not slow")
    done = run(*tests, "--hypothesis-profile=random", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
