"""How functions are compiled, and where that is kept: numba is imported here.

numba's own cache looks at the file of the function alone. What is compiled here takes constants and functions from the
other files of this folder, so the place has a hash of all of them in its name.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba as typed_numba
from numba.core import config as numba_config

numba: Any = typed_numba  # its stubs know fewer options than it has
config: Any = numba_config  # its attributes are made when it is imported
HERE = Path(__file__).parent
#: Sums may be taken in another order, to use the processor's vectors; what is not a number stays so.
FAST = {"reassoc", "contract", "nsz"}


def _place() -> Path:
    """The folder of what this source was compiled to: beside it, or where NUMBA_CACHE_DIR says."""
    digest = hashlib.sha256()
    for file in sorted(HERE.glob("*.py")):
        digest.update(file.read_bytes())
    return Path(config.CACHE_DIR or HERE / "__pycache__") / digest.hexdigest()[:16]


PLACE = _place()


def inner(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that compiled ones alone call: it is part of what they are compiled to.

    It has no entry points for Python and C, which take long to compile.
    """
    return numba.njit(fastmath=FAST, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, compiled when it is first called with arguments of some types, and kept for later processes.

    Where the folder cannot be written to, numba keeps it in the user's own cache.
    """
    before, config.CACHE_DIR = config.CACHE_DIR, str(PLACE)
    try:
        return numba.njit(cache=True, fastmath=FAST, no_cfunc_wrapper=True)(function)
    finally:
        config.CACHE_DIR = before
