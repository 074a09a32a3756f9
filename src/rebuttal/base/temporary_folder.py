"""Temporary folders that do not pile up: who makes one removes those that killed processes left behind."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, what is left stays
    fcntl = None

LOCK = ".in-use"
#: A folder is locked within a moment of being made. One that is younger may not be yet.
YOUNG_S = 60.0


@contextlib.contextmanager
def temporary_folder(prefix: str, place: Path | None = None) -> Iterator[Path]:
    """A folder of this process's own, gone when the block ends. place: where (default: where temporary files are).

    A process that is killed leaves its folder. It goes when the next one with the same prefix is made: its lock is
    free once its owner and all that were forked from it have ended.
    """
    at = place or Path(tempfile.gettempdir())
    _sweep(at, prefix)
    made = Path(tempfile.mkdtemp(prefix=prefix, dir=at))
    try:
        with (made / LOCK).open("w") as lock:
            _take(lock)
            yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _sweep(place: Path, prefix: str) -> None:
    """Remove this user's folders of that prefix which nobody holds any more."""
    for folder in place.glob(f"{prefix}*") if fcntl else ():
        with contextlib.suppress(OSError):  # of another user, or gone by now
            about = folder.lstat()
            if about.st_uid != os.getuid() or time.time() - about.st_mtime < YOUNG_S:
                continue
            with (folder / LOCK).open("r+") as lock:
                if _take(lock):
                    shutil.rmtree(folder, ignore_errors=True)


def _take(lock: IO[str]) -> bool:
    """Lock a file if nobody else has; whether this process has it now."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
