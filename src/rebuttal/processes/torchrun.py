"""A run whose processes `torchrun` has started, on one host: each is a node, and that of rank 0 launches too.

    torchrun --standalone --nproc-per-node 4 -m rebuttal run asynchronous --workers 3

torch.distributed's store tells the others where the launcher is. All else is as when we start the processes ourselves.
"""

import os
import shutil
import sys
import threading
from collections.abc import Mapping
from datetime import timedelta
from multiprocessing.connection import Client, Listener
from pathlib import Path

from torch.distributed.rendezvous import rendezvous

from rebuttal.errors import InputError, RunError, refuse
from rebuttal.processes.crew import ANSWER_S, Crew, Member
from rebuttal.processes.launcher import folder_of_run
from rebuttal.processes.node import main
from rebuttal.processes.progress import Progress
from rebuttal.processes.setup import Setup
from rebuttal.timeline import Timeline

WHERE = "rebuttal/launcher"
SOCKET = "launcher.socket"


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
        store, *_ = next(rendezvous("env://", rank, world, timeout=timedelta(seconds=ANSWER_S)))
    except RuntimeError as error:
        line = str(error).splitlines()[0]
        raise RunError(f"torch.distributed: no store at {_address()}: {line}") from error
    if rank:
        _be_node(setup, rank, Path(store.get(WHERE).decode()))
        return None
    with folder_of_run() as folder, Listener(str(folder / SOCKET), family="AF_UNIX", backlog=128) as listener:
        store.set(WHERE, str(folder))
        return _launch(setup, folder, listener, patience_s)


def _launch(setup: Setup, folder: Path, listener: Listener, patience_s: float) -> Timeline:
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


def _crew(setup: Setup, folder: Path, listener: Listener) -> Crew:
    """All nodes, once each has called and said its number."""
    members: dict[int, Member] = {}
    while len(members) < len(setup.nodes):
        control = listener.accept()
        members[control.recv()] = Member(control)
    return Crew(setup, Progress(folder, len(members)), dict(sorted(members.items())))


def _be_node(setup: Setup, rank: int, folder: Path) -> None:
    control = Client(str(folder / SOCKET), family="AF_UNIX")
    control.send(rank)
    main(setup, rank, folder, control)


def _address() -> str:
    return f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
