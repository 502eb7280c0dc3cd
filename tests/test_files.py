"""A file is replaced whole or not at all, and nothing stays behind."""

import errno
import fcntl
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from model import locks
from model.files import _lock, held, replacing, write_atomically

ROOT = Path(__file__).resolve().parents[1]


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(entry.name for entry in folder.iterdir())


def writer(path: Path) -> subprocess.Popen[str]:
    """Another process in the midst of writing a file."""
    code = (
        "import sys, time, pathlib; from model.files import replacing\n"
        "with replacing(pathlib.Path(sys.argv[1])) as file:\n"
        "    file.write(b'half'); file.flush(); print('begun', flush=True); input()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "x.json"
    for content in (b"one", b"another"):
        write_atomically(path, content)
        assert path.read_bytes() == content
        assert names(path.parent) == ["x.json"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "x"
    killed = writer(path)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    other = tmp_path / ".xy.12345678.part"  # of another file: not ours to remove
    other.write_bytes(b"")
    assert len(names(tmp_path)) == 2
    write_atomically(path, b"whole")
    assert names(tmp_path) == [other.name, "x"]


def test_a_writer_that_is_at_it_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x"
    busy = writer(path)
    write_atomically(path, b"mine")
    assert path.read_bytes() == b"mine"
    busy.communicate("\n")
    assert busy.returncode == 0
    assert path.read_bytes() == b"half"
    assert names(tmp_path) == ["x"]


def test_a_full_disk_names_the_file_and_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_atomically(path, b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # a disk that is full after that
    try:
        with pytest.raises(OSError, match="x'") as caught:
            write_atomically(path, b"new" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert caught.value.errno == errno.EFBIG
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    # /dev/null, for the root of an image: all others would write into a file from then on.
    pipe, link, folder = tmp_path / "pipe", tmp_path / "link", tmp_path / "folder"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    folder.mkdir()
    for path in (pipe, link, folder):
        with pytest.raises(OSError, match="not a file"):
            write_atomically(path, b"x")
    assert pipe.is_fifo() and link.is_symlink() and folder.is_dir()
    assert names(tmp_path) == ["folder", "link", "pipe"]


@pytest.mark.parametrize("error", [RuntimeError("in the block"), KeyboardInterrupt()])
def test_what_goes_wrong_in_the_block_leaves_the_old_file(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "x"
    write_atomically(path, b"old")
    with pytest.raises(type(error)), replacing(path) as file:
        file.write(b"new")
        raise error
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_only_what_is_open_for_writing_is_synchronised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Windows refuses anything else, and no weights would ever be shipped there.
    synchronise, done = os.fsync, []

    def windows(descriptor: int) -> None:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        synchronise(descriptor)
        done.append(descriptor)

    monkeypatch.setattr(os, "fsync", windows)
    write_atomically(tmp_path / "x", b"whole")
    assert len(done) == 1


def test_what_is_written_is_not_swept_away_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, replace, entered = tmp_path / "x", Path.replace, list[Path]()

    def late(self: Path, target: Path) -> Path:  # another one writes the same file just now
        if not entered:
            entered.append(self)
            write_atomically(path, b"another")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", late)
    write_atomically(path, b"one")
    assert path.read_bytes() == b"one" and names(tmp_path) == ["x"]


def test_what_a_killed_writer_left_on_nfs_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, lock = tmp_path / "x", fcntl.flock

    def nfs(file: BinaryIO, kind: int) -> None:  # flock(2): "the file must be opened for writing"
        if fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        lock(file, kind)

    monkeypatch.setattr(fcntl, "flock", nfs)
    (tmp_path / ".x.12345678.part").write_bytes(b"half")
    write_atomically(path, b"whole")
    assert names(tmp_path) == ["x"]


# Python's msvcrt on Windows, of whose behaviour this much is used: it locks bytes from where the
# file is, at once or not at all, for as long as the file is open. So do POSIX's own record locks.
MSVCRT = """
import errno, fcntl, os, sys, types

def locking(descriptor, mode, count):
    assert (mode, count) == (2, 1) and os.lseek(descriptor, 0, os.SEEK_CUR) == 0
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, count, 0, os.SEEK_CUR)
    except OSError:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES)) from None

real, sys.platform = sys.platform, "win32"
sys.modules["msvcrt"] = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
import model.locks
sys.platform = real
"""
HOLD = """
import pathlib, sys
from model.files import held

try:
    with held(pathlib.Path(sys.argv[1])):
        print("held", flush=True)
        input()
except BlockingIOError:
    print("kept off", flush=True)
"""


def holder(path: Path, before: str) -> "subprocess.Popen[str]":
    """Another process that holds a file, or is kept off."""
    return subprocess.Popen(
        [sys.executable, "-c", before + HOLD, str(path)],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def first_word(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("before", ["", MSVCRT], ids=["flock", "msvcrt"])
def test_what_another_process_holds_nobody_else_does_until_it_ends_however(
    before: str, tmp_path: Path
) -> None:
    path = tmp_path / "lock"
    first = holder(path, before)
    assert first_word(first) == "held\n"
    assert holder(path, before).communicate()[0] == "kept off\n"
    assert path.exists(), "who was kept off took nothing away"
    first.kill()
    first.communicate()
    assert path.exists(), "it had no time to"
    second = holder(path, before)
    assert first_word(second) == "held\n"
    second.communicate("\n")
    assert second.returncode == 0 and not path.exists()


def test_what_the_one_before_has_just_let_go_is_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("ab") as late:
        path.unlink()
        assert not _lock(late, path)
        path.touch()
        assert not _lock(late, path), "another of its name"
    with path.open("ab") as file:
        assert _lock(file, path)


def test_what_is_held_is_held_once_and_where_nothing_can_be_held_nobody_is_kept_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "folder" / "lock"
    with held(path):
        with pytest.raises(BlockingIOError), held(path):
            pass
        assert path.exists()  # who failed took nothing away
    assert names(tmp_path) == [], "nor is a folder left that was not there"
    with held(path):
        (path.parent / "kept").touch()
    assert names(path.parent) == ["kept"]
    (path.parent / "kept").unlink()
    path.parent.rmdir()
    path.parent.write_text("no folder")
    with held(path):
        pass

    def no_locks(_: object) -> None:  # as network drives have it
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "lock", no_locks)
    with held(tmp_path / "x"), held(tmp_path / "x"):
        pass
    write_atomically(tmp_path / "y", b"whole")
    assert names(tmp_path) == ["folder", "y"]
