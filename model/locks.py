"""Locks on files: held by one process at a time, and let go when it ends, however it ends."""

import contextlib
import os
import sys
from pathlib import Path
from typing import BinaryIO

# What the rest is made of. On Windows nobody can remove a file that somebody has open.
if sys.platform == "win32":
    import msvcrt

    def lock(file: BinaryIO) -> None:
        """Lock a file until it is closed.

        Raises:
            BlockingIOError: another process has it locked.
            OSError: there are no locks on its drive.
        """
        os.lseek(file.fileno(), 0, os.SEEK_SET)  # it locks bytes, from here on
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(error.errno, error.strerror) from None

    def remove_locked(file: BinaryIO, path: Path) -> None:
        """Remove a file that this process has locked, and close it."""
        file.close()
        with contextlib.suppress(OSError):  # the next one has it open
            path.unlink()

    def replace_locked(file: BinaryIO, temporary: Path, path: Path) -> None:
        """Let a file that this process has locked take the place of another, and close it."""
        file.close()  # here for a moment it is nobody's
        temporary.replace(path)

    def remove_unlocked(path: Path) -> None:
        """Remove a file, or raise OSError if a process has it locked or open."""
        path.unlink()

else:
    import fcntl

    def lock(file: BinaryIO) -> None:
        """Lock a file until it is closed.

        Raises:
            BlockingIOError: another process has it locked.
            OSError: there are no locks on its drive.
        """
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove_locked(file: BinaryIO, path: Path) -> None:
        """Remove a file that this process has locked, and close it."""
        with file, contextlib.suppress(OSError):
            path.unlink()  # first: once it is let go, there may be another of this name

    def replace_locked(file: BinaryIO, temporary: Path, path: Path) -> None:
        """Let a file that this process has locked take the place of another, and close it."""
        with file:
            temporary.replace(path)  # first: once it is let go, others may remove it

    def remove_unlocked(path: Path) -> None:
        """Remove a file, or raise OSError if a process has it locked."""
        with path.open("r+b") as file:  # NFS locks for one alone only what may be written
            lock(file)
            path.unlink()
