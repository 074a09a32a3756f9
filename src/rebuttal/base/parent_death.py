"""No orphans: a process that ends when its parent does, even if the parent is killed with signal 9.

Every command of the pipeline and every worker of a pool calls `tie_to_parent` first. A pool must be started from a
thread that lives as long as its workers: Linux counts the death of the thread that started a process.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
POLL_S = 0.5
OWNER = "REBUTTAL_POOL_OWNER"  # the environment variable with the number of the process that started a fork server
SHELLS = ("sh", "bash", "dash", "zsh", "ksh", "fish")

_tied: set[int] = set()


def tie_to_parent() -> None:
    """End this process, at once and without cleaning up, when its parent is gone. Calling it again does nothing.

    Linux sends the signal itself. Elsewhere, and where the parent is only the shell between a command and its
    runner, a thread looks twice a second.
    """
    if os.getpid() in _tied:  # a forked child inherits the set, yet is another process
        return
    _tied.add(os.getpid())
    family = _family()
    ask_kernel()
    if _family() != family:  # the parent died before the kernel was asked
        _end()
    threading.Thread(target=_watch, args=(family,), name="lifeline", daemon=True).start()


def ask_kernel() -> None:
    """Have this process killed with the thread that started it. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _watch(family: tuple[int, int]) -> None:
    while _family() == family:
        time.sleep(POLL_S)
    _end()


def _end() -> None:
    os._exit(1)


def _family() -> tuple[int, int]:
    """The parent, and the parent's parent where the parent is a shell that runs one command (else 0)."""
    parent = os.getppid()
    return parent, _parent_of(parent) if _is_command_shell(parent) else 0


def _is_command_shell(pid: int) -> bool:
    """Whether the process is `sh -c ...`: it lives on when its own parent is killed. Known on Linux only."""
    try:
        name, *arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    return Path(name).name in SHELLS and arguments[:1] == ["-c"]


def _parent_of(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return int(status.rpartition(")")[2].split()[1])
