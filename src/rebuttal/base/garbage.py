"""Work that makes many objects and hardly any cycle, without Python's search for cycles among them."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def not_collected() -> Iterator[None]:
    """Pause the search for cyclic garbage, as a context or a decorator. It costs more the more objects there are."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
