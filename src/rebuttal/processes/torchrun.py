"""A run whose processes `torchrun` has started, on one host: each is a node, and that of rank 0 launches too.

    torchrun --standalone --nproc-per-node 4 -m rebuttal run asynchronous --workers 3

torch.distributed's store tells the others where the launcher is. All else is as when we start the processes ourselves.
"""

import contextlib
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from datetime import timedelta
from multiprocessing.connection import Client, Connection
from pathlib import Path

from torch.distributed.rendezvous import rendezvous

from rebuttal.errors import InputError, RunError, refuse
from rebuttal.processes.crew import WORK_S, Crew
from rebuttal.processes.launcher import folder_of_run
from rebuttal.processes.members import Member
from rebuttal.processes.node import end_without_launcher, main
from rebuttal.processes.setup import Setup
from rebuttal.timeline import Timeline

WHERE = "rebuttal/launcher"
SOCKET = "launcher.socket"
BACKLOG = 128


def is_here(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether torchrun, or somebody who sets what it sets, started this process."""
    return {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= set(environment)


def record(setup: Setup, patience_s: float = 60.0) -> Timeline | None:
    """This process's part in the run; its timeline on rank 0, None on the others.

    Raises:
        InputError: not as many processes as the method has nodes, or processes on several hosts.
        RunError: no connection to the store, such as for a port in use; or as a run of our own.
    """
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if world != len(setup.nodes):
        wanted = f"{len(setup.nodes)}, the nodes of {setup.name} with {setup.workers} workers"
        raise refuse("nproc-per-node", world, wanted)
    if int(os.environ.get("LOCAL_WORLD_SIZE", world)) != world:
        raise refuse(
            "nnodes", os.environ.get("GROUP_WORLD_SIZE"), "1: nodes speak through memory of one host"
        )
    try:
        store, *_ = next(rendezvous("env://", rank, world, timeout=timedelta(seconds=WORK_S)))
        launcher = Path(store.get(WHERE).decode()) if rank else None
    except RuntimeError as error:
        line = str(error).splitlines()[0]
        raise RunError(f"torch.distributed: no store at {_address()}: {line}") from error
    if launcher:
        _be_node(setup, rank, launcher)
        return None
    with folder_of_run() as folder, contextlib.closing(_listening(folder)) as listener:
        store.set(WHERE, str(folder))
        return _launch(setup, folder, listener, patience_s)


def _listening(folder: Path) -> socket.socket:
    """Where nodes call; who accepts waits for each no longer than a node may take to be ready."""
    listener = socket.socket(socket.AF_UNIX)
    listener.settimeout(WORK_S)
    listener.bind(str(folder / SOCKET))
    listener.listen(BACKLOG)
    return listener


def _launch(setup: Setup, folder: Path, listener: socket.socket, patience_s: float) -> Timeline:
    """Watch over all nodes in a thread, and be node 0 here. A run that fails ends this process, and so the others."""
    made: list[Timeline] = []

    def watch() -> None:
        try:
            made.append(_crew(setup, folder, listener).timeline(patience_s))
        except (InputError, RunError) as error:
            sys.stderr.write(f"rebuttal: {error}\n")
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(2 if isinstance(error, InputError) else 1)

    watching = threading.Thread(target=watch)
    watching.start()
    _be_node(setup, 0, folder)
    watching.join()
    return made[0]


def _crew(setup: Setup, folder: Path, listener: socket.socket) -> Crew:
    """All nodes, once each has called and said its number and its process's."""
    members: dict[int, Member] = {}
    while len(members) < len(setup.nodes):
        try:
            control = Connection(listener.accept()[0].detach())
        except TimeoutError as error:
            silent = next(node for node in setup.nodes if node not in members)
            raise RunError(f"no call from node {silent} ({setup.role(silent)}) for {WORK_S:g} s") from error
        node, pid = control.recv()
        members[node] = Member(control, pid)
    return Crew(setup, folder, dict(sorted(members.items())))


def _be_node(setup: Setup, rank: int, folder: Path) -> None:
    try:
        control = Client(str(folder / SOCKET), family="AF_UNIX")
    except OSError as error:
        raise RunError(f"no launcher in {folder}: {error.strerror}") from error
    control.send((rank, os.getpid()))
    signal.signal(
        signal.SIGTERM, lambda *_: end_without_launcher(folder)
    )  # torchrun's, once a process is lost
    main(setup, rank, folder, control)


def _address() -> str:
    return f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
