"""Files: written so that nobody ever sees half of one, read so that none takes all memory."""

import contextlib
import glob
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from model import locks

_SUFFIX = ".part"


def open_bounded(path: Path, most: int) -> BinaryIO:
    """Open a file that somebody else may have made; a pipe is none, it would be waited for.

    Raises:
        OSError: it cannot be opened, is not a file, or has more than `most` bytes.
    """
    about = path.stat()
    if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
        raise OSError(None, "not a file")
    if about.st_size > most:
        raise OSError(None, f"{about.st_size:,} bytes; at most {most:,} are read")
    return path.open("rb")


def require_replaceable(path: Path) -> None:
    """Raise OSError where there is something that is no file: a device would be lost for all."""
    if path.exists() and not path.is_file():
        raise OSError(None, "not a file")


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` under a temporary name beside `path`, then rename it to `path`.

    Missing folders are made. Raises OSError when the disk says no; `path` is then as it was.
    """
    with replacing(path) as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that takes the place of `path` when the block ends well.

    Missing folders are made. What is left of writers that were killed is removed.

    Raises:
        OSError: the disk says no, or `path` is no file; it names `path`, which is then as it was.
    """
    try:
        require_replaceable(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        file, temporary = _begin(path)
        try:
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())  # here, where it is open for writing: Windows wants that
                temporary.chmod(0o644)  # it is made private; a shipped file is for all to read
                locks.replace_locked(file, temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None


def _begin(path: Path) -> tuple[BinaryIO, Path]:
    """A new temporary file, locked for as long as it is open, so that nobody sweeps it away."""
    while True:
        handle, name = tempfile.mkstemp(_SUFFIX, f".{path.name}.", path.parent)
        file, temporary = os.fdopen(handle, "wb"), Path(name)
        with contextlib.suppress(BlockingIOError):  # it is being swept away
            if _lock(file, temporary):
                return file, temporary
        file.close()


def _lock(file: BinaryIO, path: Path) -> bool:
    """Lock a file if its drive has locks; whether it is still there.

    Raises:
        BlockingIOError: another process has it locked.
    """
    try:
        locks.lock(file)
    except BlockingIOError:
        raise
    except OSError:  # there are drives without locks
        pass
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:  # removed before it was locked
        return False


def _sweep(path: Path) -> None:
    """Remove the temporary files whose writers were killed: nobody has them locked or open."""
    for stale in path.parent.glob(f".{glob.escape(path.name)}.*{_SUFFIX}"):
        with contextlib.suppress(OSError):
            locks.remove_unlocked(stale)


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep other processes from holding `path`, an empty file that is there meanwhile.

    Where that cannot be done, as on a drive without locks, nobody is kept from anything.

    Raises:
        BlockingIOError: another process holds it.
    """
    with contextlib.ExitStack() as stack:
        for folder in reversed((path.parent, *path.parent.parents)):
            if not folder.exists():  # nor shall it, if nothing else comes into it
                stack.callback(_remove, folder)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.callback(locks.remove_locked, _hold(path), path)
        except BlockingIOError:
            raise
        except OSError:
            pass
        yield


def _hold(path: Path) -> BinaryIO:
    """A file opened and locked; made, if it is not there."""
    while True:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(path.open("ab"))
            if _lock(file, path):  # else the one before has just let it go
                stack.pop_all()
                return file


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):  # it is not empty, for one
        folder.rmdir()
