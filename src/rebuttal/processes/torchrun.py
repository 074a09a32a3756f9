"""A run whose processes `torchrun` has started: each is a node, and that of rank 0 launches too.

    torchrun --standalone --nproc-per-node 4 -m rebuttal.cli run asynchronous --workers 3

torch.distributed's store tells the others where the launcher is. On one host all else is as when we start the processes
ourselves. On several, nodes call each other's ports, and tell the launcher what it cannot see in their hosts' memory.
"""

import contextlib
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from torch.distributed.rendezvous import rendezvous

from rebuttal.base.errors import InputError, RunError, refuse
from rebuttal.core.timeline import Timeline
from rebuttal.processes.launcher import folder_of_run
from rebuttal.processes.members import Member
from rebuttal.processes.node import end_without_launcher, main
from rebuttal.processes.rendezvous import LAUNCHER, Door, Meeting, OneHost, SeveralHosts
from rebuttal.processes.setup import Setup
from rebuttal.processes.supervisor import WORK_S, Supervisor

WHERE = "rebuttal/folder"


def is_here(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether torchrun, or somebody who sets what it sets, started this process."""
    return {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= set(environment)


def record(setup: Setup, patience_s: float = 60.0) -> Timeline | None:
    """This process's part in the run; its timeline on rank 0, None on the others.

    Raises:
        InputError: not as many processes as the method has nodes, or several hosts for memory that nodes share.
        RunError: no connection to the store, such as for a port in use; or as a run of our own.
    """
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if world != len(setup.nodes):
        wanted = f"{len(setup.nodes)}, the nodes of {setup.name} with {setup.workers} workers"
        raise refuse("nproc-per-node", world, wanted)
    several = int(os.environ.get("LOCAL_WORLD_SIZE", world)) != world
    if several and setup.lock_free:
        raise refuse("lock_free", True, "false on several hosts: memory without locks is that of one")
    with contextlib.ExitStack() as until_the_end:
        own_folder = until_the_end.enter_context(folder_of_run()) if several or not rank else None
        try:
            store, *_ = next(rendezvous("env://", rank, world, timeout=timedelta(seconds=WORK_S)))
            meeting = _meeting(store, own_folder, several, rank)
        except RuntimeError as error:
            line = str(error).splitlines()[0]
            raise RunError(f"torch.distributed: no store at {_address()}: {line}") from error
        if rank:
            _be_node(setup, rank, meeting)
            return None
        door = until_the_end.enter_context(contextlib.closing(meeting.open(LAUNCHER)))
        store.set(WHERE, str(meeting.folder))
        return _launch(setup, meeting, door, patience_s)


def _meeting(store: Any, own_folder: Path | None, several: bool, rank: int) -> Meeting:
    """Where the processes meet: in the folder of rank 0, once its launcher listens there, or in the store."""
    if several:
        assert own_folder is not None, "every process on several hosts has one"
        return SeveralHosts(own_folder, store, first=rank == 0)
    return OneHost(own_folder or Path(store.get(WHERE).decode()))


def _launch(setup: Setup, meeting: Meeting, door: Door, patience_s: float) -> Timeline:
    """Watch over all nodes in a thread, and be node 0 here. A run that fails ends this process, and so the others."""
    made: list[Timeline] = []

    def watch() -> None:
        try:
            members = _members(setup, meeting, door)
            timeline = Supervisor(setup, meeting.folder, members).timeline(patience_s)
            made.append(_with_hosts(timeline, members) if meeting.several_hosts else timeline)
        except (InputError, RunError) as error:
            sys.stderr.write(f"rebuttal: {error}\n")
            shutil.rmtree(meeting.folder, ignore_errors=True)
            os._exit(2 if isinstance(error, InputError) else 1)

    watching = threading.Thread(target=watch)
    watching.start()
    _be_node(setup, 0, meeting)
    watching.join()
    return made[0]


def _members(setup: Setup, meeting: Meeting, door: Door) -> dict[int, Member]:
    """All nodes, once each has called and said its number, its process's and its host."""
    members: dict[int, Member] = {}
    while len(members) < len(setup.nodes):
        try:
            control = door.accept(WORK_S)
        except TimeoutError as error:
            silent = next(node for node in setup.nodes if node not in members)
            raise RunError(f"no call from node {silent} ({setup.role(silent)}) for {WORK_S:g} s") from error
        node, pid, host = control.recv()
        members[node] = Member(control, 0 if meeting.several_hosts else pid, host=host)
    return dict(sorted(members.items()))


def _with_hosts(timeline: Timeline, members: Mapping[int, Member]) -> Timeline:
    """The timeline with the name of every node's host."""
    hosts = [member.host for member in members.values()]
    return replace(timeline, about={**timeline.about, "machine": "several hosts", "hosts": hosts})


def _be_node(setup: Setup, rank: int, meeting: Meeting) -> None:
    try:
        control = meeting.call(LAUNCHER)
    except (OSError, RuntimeError) as error:
        raise RunError(f"no launcher in {meeting.folder}: {error}") from error
    control.send((rank, os.getpid(), socket.gethostname()))
    # SIGTERM is torchrun's, once a process is lost
    signal.signal(signal.SIGTERM, lambda *_: end_without_launcher(meeting.folder))
    main(setup, rank, meeting, control)


def _address() -> str:
    return f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
