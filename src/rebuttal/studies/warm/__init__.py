"""Processes that have their imports behind them: forked from a server that imported, once, what stages need.

`rebuttal warm COMMAND` starts that server for as long as the command runs and names its socket in the environment
(`warm_command`, `server`). Here is the side that asks: it imports nothing heavy. Without a
server, or when the server cannot stand for this process, `connect` and `crew` return None and the caller goes on cold.
"""

import contextlib
import os
import pickle
import queue
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SOCKET = "REBUTTAL_WARM"  # the environment variable that names the server's socket
READY = b"+"
BROKEN = (EOFError, OSError, pickle.UnpicklingError)
READ_ON_IMPORT = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "PYTHONPATH", "PYTHONHASHSEED")


class GoneError(RuntimeError):
    """The process that was computing has ended without an answer."""


class Worker:
    """A process forked from the server, with this one's folder, environment and streams; one call at a time."""

    def __init__(self) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        self._out, self._in = self._connection.makefile("wb"), self._connection.makefile("rb")

    def start(self, address: str) -> None:
        """Send what makes the other process like this one and wait until it is. Raises what BROKEN lists."""
        self._connection.connect(address)
        socket.send_fds(self._connection, [READY], [0, 1, 2])
        self._send((identity(), str(Path.cwd()), dict(os.environ)))
        if self._in.read(1) != READY:
            raise EOFError

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """`function(*arguments)` there; its result, or its exception raised here. Raises GoneError."""
        request = pickle.dumps((function, arguments))
        try:
            self._send(request)
            good, answer = pickle.load(self._in)  # noqa: S301 - the socket's folder is this user's alone
        except BROKEN as error:
            raise GoneError("the process that computed this is gone: killed, or out of memory") from error
        value = pickle.loads(answer)  # noqa: S301 - as above
        if not good:
            raise value
        return value

    def close(self) -> None:
        """Let the other process end."""
        for end in (self._out, self._in, self._connection):
            with contextlib.suppress(OSError):  # what was left to send has no receiver
                end.close()

    def _send(self, what: Any) -> None:
        pickle.dump(what, self._out)
        self._out.flush()


class WarmWorkers:
    """Some workers; as many threads as there are workers may call it at once."""

    def __init__(self, workers: list[Worker]) -> None:
        self._workers, self._idle = workers, queue.SimpleQueue[Worker]()
        for worker in workers:
            self._idle.put(worker)

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """As a worker's call, by one that is idle."""
        worker = self._idle.get()
        try:
            return worker(function, *arguments)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """Let all processes end."""
        for worker in self._workers:
            worker.close()


def offered() -> bool:
    """Whether this process runs under `rebuttal warm`."""
    return bool(os.environ.get(SOCKET))


def connect() -> Worker | None:
    """A new process of the server; None without a server, or if its code or its settings are not this process's."""
    if not offered():
        return None
    worker = Worker()
    try:
        worker.start(os.environ[SOCKET])
    except BROKEN:
        worker.close()
        return None
    return worker


def crew(count: int) -> WarmWorkers | None:
    """`count` new processes of the server, or None as for `connect`."""
    workers = []
    for _ in range(count):
        worker = connect()
        if worker is None:
            WarmWorkers(workers).close()
            return None
        workers.append(worker)
    return WarmWorkers(workers)


def identity() -> tuple:
    """What must be equal for one interpreter to stand for another: where it is, and what libraries read on import."""
    return (sys.prefix, __file__, *map(os.environ.get, READ_ON_IMPORT))
