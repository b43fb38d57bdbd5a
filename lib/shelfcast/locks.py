"""A file by which processes of one machine wait for one another: the one module that knows how systems lock it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import errno
    import msvcrt

    def _lock(file: IO[str]) -> None:
        file.seek(0)
        while True:
            try:
                return msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            except OSError as error:
                # It gives up after ten seconds.
                if error.errno != errno.EDEADLOCK:
                    raise

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time; the lock goes with the file, or with the process."""
    with open(path, "a", encoding="utf-8") as file:
        _lock(file)
        yield
