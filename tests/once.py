"""What is made once for all tests of a run, however many processes run them."""

import fcntl
import tempfile
from collections.abc import Callable
from pathlib import Path


class Place:
    """Where the processes of one run keep what they share: conftest.py says; a script by hand has one of its own."""

    folder: Path | None = None
    own: tempfile.TemporaryDirectory | None = None  # kept, for the folder goes with it


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """The folder that `make(folder)` filled; who comes first makes it, and the others wait. Not to be changed.

    Raises RuntimeError if whoever came first failed.
    """
    if Place.folder is None:
        Place.own = tempfile.TemporaryDirectory(prefix="shared_")
        Place.folder = Path(Place.own.name)
    folder, done, failed = (Place.folder / f"{name}{end}" for end in ("", ".done", ".failed"))
    with (Place.folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if failed.exists():
            raise RuntimeError(f"{name} could not be made: {failed.read_text()}")
        if not done.exists():
            folder.mkdir()
            try:
                make(folder)
            except Exception as error:
                failed.write_text(str(error))
                raise
            done.touch()
    return folder
