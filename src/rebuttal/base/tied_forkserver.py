"""What a fork server imports first: it ends when the process that started it does, and what it forks when it does.

The server itself ends by a pipe that is closed when the last process that uses it is gone. A process that it forked
just as its owner was killed holds that pipe open and waits for the owner: both would stay.
"""

import os
import signal
from typing import Final

from rebuttal.base.parent_death import OWNER, ask_kernel

_SERVER: Final = os.getpid()
_forked: list[bool] = []


def _tie(parent: int) -> None:
    """Ask the kernel to end this process with `parent`, unless that is gone already."""
    ask_kernel()
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _tie_to_server() -> None:
    """In a process that the server forked, and in none that such a process forks in turn."""
    if not _forked:
        _forked.append(True)
        _tie(_SERVER)


if _owner := os.environ.pop(
    OWNER, ""
):  # else it is imported by another process than a server, which it leaves alone
    _tie(int(_owner))
    os.register_at_fork(after_in_child=_tie_to_server)
