"""A notebook's kernel, forked from the warm server: its imports are behind it before the first cell."""

import contextlib
import os
import signal
import sys
from collections.abc import Sequence

from rebuttal.studies import warm

#: What `python -c` runs in a kernel's place; the kernel's own arguments follow.
COMMAND = f"from {__name__} import main; main()"


def main() -> None:
    """Be the kernel that Jupyter asks for: in a process of the server, or here if there is none for it."""
    worker = warm.connect()
    if worker is None:
        serve(sys.argv[1:])
        return
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Jupyter interrupts before it asks to end; the kernel hears the latter
    with contextlib.closing(worker):
        worker(serve, sys.argv[1:])


def serve(arguments: Sequence[str]) -> None:
    """Run the kernel until it is told to end. arguments: Jupyter's, which name the connection file."""
    from ipykernel.kernelapp import launch_new_instance  # noqa: PLC0415 - the client of a server needs none of it

    parent = int(
        os.environ.get("JPY_PARENT_PID", "0")
    )  # read on import otherwise, which may be another process's
    launch_new_instance(argv=list(arguments), parent_handle=parent)
