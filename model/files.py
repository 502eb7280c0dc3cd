"""Files: written so that nobody ever sees half of one, read so that none takes all memory."""

import os
import stat
import tempfile
from pathlib import Path
from typing import BinaryIO


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


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` under a temporary name beside `path`, then rename it to `path`.

    Missing folders are made. Raises OSError when the disk says no; `path` is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp makes it private; a shipped file is for all to read
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
