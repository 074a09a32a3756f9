"""`rebuttal warm COMMAND`: run a command beside a server of warm processes, and end the server with it."""

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from rebuttal.base.errors import refuse
from rebuttal.base.parent_death import PR_SET_PDEATHSIG
from rebuttal.base.temporary_folder import temporary_folder
from rebuttal.studies.warm import SOCKET

PATH_BYTES = 100  # a socket's path may be this long on every system
#: Libraries read it on import: the same for the server and for whom it serves.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def run(command: Sequence[str], modules: Sequence[str]) -> int:
    """Run a command whose stages are forked from a server that imported `modules`; the command's exit status.

    The server starts with the first stage that asks for it: a command that has nothing to do pays for no imports.

    Raises:
        InputError: there is no such command.
    """
    environment = ONE_THREAD | os.environ
    if sys.platform == "win32":  # has no fork
        return _ended(_started(command, environment))
    with temporary_folder("rw") as folder:
        address = folder / "s"
        if len(os.fsencode(address)) > PATH_BYTES:
            return _ended(_started(command, environment))
        with socket.socket(socket.AF_UNIX) as listener, _children_end() as ended:
            listener.bind(str(address))
            listener.listen(512)
            running = _started(command, environment | {SOCKET: str(address)})
            while running.poll() is None:
                asking, _, _ = select.select([listener, ended], [], [])
                if listener in asking:
                    with _server(listener, environment, modules):
                        return _ended(running)
                ended.recv(4096)
        return _ended(running)


@contextlib.contextmanager
def _children_end() -> Iterator[socket.socket]:
    """A socket that can be read when a process that this one started has ended, or a signal has come."""
    woken, wakes = socket.socketpair()
    with woken, wakes:
        wakes.setblocking(False)
        before = signal.signal(signal.SIGCHLD, lambda *_: None), signal.set_wakeup_fd(wakes.fileno())
        try:
            yield woken
        finally:
            signal.set_wakeup_fd(before[1])
            signal.signal(signal.SIGCHLD, before[0])


@contextlib.contextmanager
def _server(
    listener: socket.socket, environment: Mapping[str, str], modules: Sequence[str]
) -> Iterator[None]:
    """A server behind a listening socket, which is its own from now on; out of reach of the terminal's signals."""
    server = subprocess.Popen(
        [sys.executable, "-m", "rebuttal.studies.warm.server", str(listener.fileno()), *modules],
        stdin=subprocess.PIPE, pass_fds=[listener.fileno()], env=environment, start_new_session=True,
        preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - there are no threads here
    )  # fmt: skip
    listener.close()
    try:
        yield
    finally:
        server.kill()
        server.communicate()


def _started(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen:
    """A command that runs; this process passes on to it what it is told to end by."""
    tied = None if sys.platform == "win32" else _die_with(os.getpid())
    try:
        running = subprocess.Popen(command, env=environment, preexec_fn=tied)  # noqa: PLW1509 - as above
    except (OSError, IndexError) as error:
        raise refuse("warm", " ".join(command), "a command that can be started, such as dvc repro") from error
    signal.signal(signal.SIGINT, lambda *_: None)  # the terminal interrupts the command too, and that decides
    signal.signal(signal.SIGTERM, lambda *_: running.terminate())
    return running


def _ended(running: subprocess.Popen) -> int:
    """Wait for a command; its exit status, as a shell gives it."""
    status = running.wait()
    return status if status >= 0 else 128 - status


def _die_with(parent: int):  # noqa: ANN202 - a hook of subprocess
    """For a child to run before its program: the kernel is to kill it when `parent` is gone. Linux only."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return tie
