"""Arrays that were made once, in files under .cache that are found by a key: whole and as they were, or not at all.

An entry holds its key and a SHA-256 of what it holds. One that cannot be read, or is another's, is a miss, said in one
line: it is computed again, and takes the place of what is there.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rebuttal.base.atomic_write import replacing
from rebuttal.base.errors import InputError
from rebuttal.core import array_files
from rebuttal.core.array_files import Arrays

KEY, DIGEST = "entry.key", "entry.sha256"
DIMS = 8  # of an array, at most


def write(path: Path, key: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Put arrays under a key; they appear whole or not at all."""
    held = {name: np.asarray(array) for name, array in arrays.items()}
    seal = {KEY: np.asarray(key), DIGEST: np.asarray(array_files.digest(held, key.encode()))}
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **held, **seal)


def read(path: Path, key: str) -> Arrays | None:
    """The arrays under a key, or None: there are none, or what is there is damaged or another's."""
    if not path.exists():
        return None
    try:
        held = array_files.read(path, dims=DIMS)
        said = str(held.pop(KEY)), str(held.pop(DIGEST))
    except (InputError, *array_files.UNREADABLE) as error:
        return _missed(path, f"cannot be read ({type(error).__name__})")
    if said != (key, array_files.digest(held, key.encode())):
        return _missed(path, "is damaged, or another's")
    return held


def _missed(path: Path, why: str) -> None:
    sys.stderr.write(f"{path}: {why}; it is computed again\n")
