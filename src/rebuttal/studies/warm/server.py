"""The server: one thread that imports modules once, then forks a process for each connection.

    python -m rebuttal.studies.warm.server LISTENING_FILE_DESCRIPTOR MODULE...

It ends when its standard input does, which `rebuttal warm` holds. A forked process ends with the server and with
its connection, whichever goes first.
"""

import contextlib
import gc
import importlib
import os
import pickle
import queue
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import Any

from rebuttal.base import code
from rebuttal.base.parent_death import tie_to_parent
from rebuttal.studies.warm import BROKEN, READY, identity


def serve(listener: socket.socket, modules: Sequence[str]) -> None:
    """Import `modules`, then fork for each connection until standard input ends."""
    known = code.listing()  # before the imports: what changes during them counts as changed
    for module in modules:
        importlib.import_module(module)
    gc.freeze()  # collections in the children leave the shared pages shared
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the children
    while True:
        if 0 in select.select([0, listener], [], [])[0]:
            return
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):  # no room to fork: the client goes on cold
            if os.fork() == 0:
                listener.close()
                _forked(connection, known)


def _forked(connection: socket.socket, known: code.Listing) -> None:
    """All that a forked process does."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        tie_to_parent()
        _compute(connection, known)
    except BROKEN:  # the client is gone
        os._exit(1)
    except BaseException:  # noqa: BLE001 - it must not return into the server's loop
        traceback.print_exc()
    finally:
        os._exit(1)


def _compute(connection: socket.socket, known: code.Listing) -> None:
    """Become like the client, then compute what it asks for until it closes the connection."""
    _, streams, *_ = socket.recv_fds(connection, 1, 3)
    incoming, outgoing = connection.makefile("rb"), connection.makefile("wb")
    wanted, folder, environment = pickle.load(incoming)  # noqa: S301 - the socket's folder is this user's alone
    if wanted != identity() or known != code.listing():
        return
    _become(streams, folder, environment)
    outgoing.write(READY)
    outgoing.flush()
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(incoming, requests), daemon=True).start()
    while True:
        answer = _answer(requests.get())
        sys.stdout.flush()
        sys.stderr.flush()
        pickle.dump(answer, outgoing)
        outgoing.flush()


def _become(streams: Sequence[int], folder: str, environment: dict[str, str]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=stream is sys.stderr or stream.isatty())  # type: ignore[union-attr]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


def _read(incoming: Any, requests: queue.SimpleQueue) -> None:
    """Requests as they come; the process ends at once, whatever it is computing, when the client is gone."""
    try:
        while True:
            requests.put(pickle.load(incoming))  # noqa: S301 - as above
    except BROKEN:
        os._exit(1)


def _answer(request: bytes) -> tuple[bool, bytes]:
    """Whether the call returned, and its result or its exception, pickled."""
    try:
        function, arguments = pickle.loads(request)  # noqa: S301 - as above
        return True, pickle.dumps(function(*arguments))
    except Exception as error:  # noqa: BLE001 - it is raised in the client
        return False, _pickled(error)


def _pickled(error: Exception) -> bytes:
    """An exception with its traceback as a note, or a RuntimeError that quotes one that cannot be pickled."""
    told = "".join(traceback.format_exception(error))
    error.add_note(told)
    try:
        packed = pickle.dumps(error)
        pickle.loads(packed)  # noqa: S301 - made one line above
    except Exception:  # noqa: BLE001 - any failure has the same remedy
        return pickle.dumps(RuntimeError(told))
    return packed


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
