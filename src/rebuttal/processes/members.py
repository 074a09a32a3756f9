"""The processes of a run as its launcher knows them, and what becomes of them. No torch."""

import contextlib
import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

DYING_S = 2.0


@dataclass(frozen=True, slots=True)
class Member:
    """A node: the connection to it, its process's number, and the process itself if it is the launcher's child.

    host: the name of its host where nodes are on several; `pid` is then 0.
    """

    control: Connection
    pid: int
    process: Any = None
    host: str = ""

    def kill(self) -> None:
        """End a process that hangs: also one that was stopped. Not this one, which may be a node too."""
        if self.pid == 0:
            self.control.close()  # a node without a launcher ends
        elif self.pid != os.getpid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def fate(self) -> str:
        """How a process ended that has closed its connection, in words."""
        if self.process is None:
            return "is gone"
        self.process.join(DYING_S)
        code = self.process.exitcode
        return f"was killed by signal {-code}" if code and code < 0 else f"ended with status {code}"


@dataclass(frozen=True, slots=True)
class Loss:
    """A node without which the run went on.

    noticed_s: on the launcher's clock. begun: computations of the node. version: at which the run was then.
    """

    node: int
    how: str
    noticed_s: float
    begun: int
    version: int
