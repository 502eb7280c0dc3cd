"""What a machine is good for is found out."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model.cores import allowed, usable_cores
from tests.test_training import SMALL, trainer
from training.machine import threads
from training.progress import ProgressDisplay
from training.trainer import Progress

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("quota", "count"),
    [
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),
        ("250000 100000\n", 3),
        ("900000 100000\n", 4),
        ("max 100000\n", 4),
        ("1 0\n", 4),
        ("", 4),
    ],
)
def test_no_more_threads_than_a_container_may_use(quota: str, count: int, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    assert allowed(4, tmp_path / "cpu.max") == count
    assert allowed(4, tmp_path / "none") == 4


def test_cores_are_those_that_the_process_may_use() -> None:
    assert 1 <= threads() <= torch.get_num_threads()
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_a_process_on_one_core_has_one() -> None:
    code = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
    code += "from model.cores import usable_cores; print(usable_cores())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"


@pytest.mark.parametrize("there", [True, False])
def test_without_a_compiler_that_compiles_it_trains_and_says_so(
    there: bool, tmp_path: Path
) -> None:
    path = os.environ["PATH"]
    if there:  # a compiler, but not the headers that it needs
        script = (
            "#!/bin/sh\ncase \"$*\" in *--version*) echo 'g++ (GCC) 13.2.0'; exit 0;; esac\n"
            "echo 'x.h:23:10: fatal error: Python.h: No such file' >&2\nexit 1\n"
        )
        for name in ("g++", "clang++", "c++"):
            (tmp_path / name).write_text(script)
            (tmp_path / name).chmod(0o755)
        path = f"{tmp_path}:{path}"
    else:
        path = str(tmp_path / "nothing")
    folders = ["--device", "cpu", "--output", str(tmp_path), "--checkpoints", str(tmp_path)]
    network = [
        "--context-length",
        "8",
        "--n-layer",
        "1",
        "--n-head",
        "1",
        "--n-embd",
        "4",
        "--batch-size",
        "2",
        "--steps",
        "2",
    ]
    result = subprocess.run(
        [sys.executable, "-m", "training.train", "--text", "data/sample.txt", *network, *folders],
        cwd=ROOT,
        env=os.environ | {"PATH": path, "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    told = [line for line in result.stderr.splitlines() if line.startswith("not compiled")]
    assert len(told) == 1
    if there:
        assert "Python.h" in told[0]
    assert len(result.stderr.splitlines()) < 8
    assert (tmp_path / "weights" / "sample.safetensors").is_file()


def test_who_waits_for_the_first_step_is_told_why(capfd: pytest.CaptureFixture[str]) -> None:
    for compiled in (True, False):
        training = trainer(SMALL.replace(compile=compiled))
        with ProgressDisplay(training, quiet=False):
            lines = capfd.readouterr().err.splitlines()
        waits = any("the first step compiles the network" in line for line in lines)
        assert waits == (compiled and not training.uncompiled)


def test_what_took_long_once_does_not_count_in_the_estimate(
    capfd: pytest.CaptureFixture[str],
) -> None:
    # Two minutes of compiling, then a step a second.
    with ProgressDisplay(trainer(SMALL.replace(steps=601)), quiet=False) as watch:
        for step in (1, 2, 3):
            progress = Progress(step, 601, step * 100, 120.0 + step, 2.0, 2.0, validation=2.0)
            watch.show(progress)
        watch.show(replace(progress, best=True))  # told once more, of the same step
    first, second, third, _ = [
        line for line in capfd.readouterr().err.splitlines() if line.startswith("step ")
    ]
    assert "left" not in first
    for line in (second, third):
        assert "100 characters/s" in line
        assert "10 min left" in line
