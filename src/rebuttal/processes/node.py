"""The process of a node, from its start to the last of its notes.

The launcher is on the other end of `control`: it says when to connect, to begin and to stop. A node whose launcher is
gone ends at once.
"""

import contextlib
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
import torch.fx.experimental.symbolic_shapes  # a first backward pass would import it, in every node

from rebuttal.base.errors import InputError
from rebuttal.base.parent_death import tie_to_parent
from rebuttal.processes.driver import Driver
from rebuttal.processes.journal import Journal
from rebuttal.processes.lock_free import LockFreeCells
from rebuttal.processes.mailbox import Mailbox, Stopped
from rebuttal.processes.node_progress import Progress
from rebuttal.processes.node_sockets import LOST, NodeSockets
from rebuttal.processes.pinning import pin
from rebuttal.processes.process_memory import NoCells, ProcessCells
from rebuttal.processes.rendezvous import Meeting
from rebuttal.processes.setup import THREADS, Setup
from rebuttal.processes.values import NamedTask
from rebuttal.replaying.oracle import Computer
from rebuttal.workloads import load

TELLING_S = 0.2
SWITCH_S = 5e-5  # in which a thread that computes lets one in that reads a message; Python's own 5 ms outlast an update


def main(setup: Setup, number: int, meeting: Meeting, control: Connection) -> None:
    """The process of node `number`. What goes wrong is told to the launcher, in a line and in full."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the launcher hears it too, and stops the nodes
    tie_to_parent()
    try:
        _tell_what_fails(setup, number, meeting, control)
    except LOST:
        end_without_launcher(meeting.folder)


def end_without_launcher(folder: Path) -> None:
    """Clean up for the launcher, which is dead or dying, and exit at once."""
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _tell_what_fails(setup: Setup, number: int, meeting: Meeting, control: Connection) -> None:
    try:
        _run(setup, number, meeting, control)
    except InputError as error:
        control.send(("refused", str(error)))
    except Exception as error:  # noqa: BLE001 - it is raised again by the launcher
        line = " ".join(str(error).split())
        control.send(("failed", (f"{type(error).__name__}: {line}", traceback.format_exc())))


def _run(setup: Setup, number: int, meeting: Meeting, control: Connection) -> None:
    torch.set_num_threads(THREADS)
    sys.setswitchinterval(SWITCH_S)
    pin(number, setup.cores)
    compute = Computer.of(
        load(setup.workload, setup.data_root), setup.seed, setup.learning_rate, setup.batch, setup.rule
    )
    task = NamedTask(compute)
    program = setup.method.programs(setup.nodes, task)[number]
    _warm(compute)
    folder = meeting.folder
    links, mailbox, office = NodeSockets(meeting, number), Mailbox(), _Office(control, folder)
    journal = Journal(folder, number, task.defined, mailbox.arrived)
    office.tell("listening")
    office.await_order("connect")
    links.connect(setup.nodes)
    office.tell("connected")
    links.read_into(mailbox, task)
    office.await_order("begin")
    progress = Progress(folder, len(setup.nodes))
    if meeting.several_hosts:
        office.keep_telling(lambda: progress.of(number))
    cells = _cells(setup, meeting, task, journal, mailbox)
    driver = Driver(setup, journal, mailbox, links, cells, progress, office.tell)
    office.obey(mailbox, driver)
    with contextlib.suppress(Stopped):
        driver.drive(program)
        office.tell("ended")
        mailbox.await_stop()
    journal.close()
    office.close(journal.content() if meeting.several_hosts else None)


def _cells(
    setup: Setup, meeting: Meeting, task: NamedTask, journal: Journal, mailbox: Mailbox
) -> ProcessCells | NoCells:
    """The memory that the nodes share, where they share one."""
    if meeting.several_hosts:
        return NoCells(setup.name)
    shared = LockFreeCells(meeting.folder, task, journal, mailbox.go_on) if setup.lock_free else None
    return ProcessCells(meeting.folder, task, journal, mailbox.go_on, shared)


def _warm(compute: Computer) -> None:
    """One gradient, whole and as a stage: what a first time costs is no part of a run."""
    whole = (0.0, 1.0)
    state = compute("start", (), ())
    compute("gradient", [state], (0.0, 0.0))
    h = compute("forward", [state, compute("input", (), (0.0, 0.0))], whole)
    compute("weight_gradient", [state, h, compute("loss", [h], (*whole, 0.0, 0.0))], whole)


class _Office:
    """The node's side of its connection to the launcher."""

    def __init__(self, control: Connection, folder: Path) -> None:
        self._control, self._folder = control, folder
        self._telling = threading.Lock()
        self._closed = False

    def tell(self, what: str, content: Any = None) -> None:
        """A message to the launcher, from any thread."""
        with self._telling:
            self._control.send((what, content))

    def await_order(self, order: str) -> None:
        """Until the launcher gives this order, tell it the time as often as it asks."""
        while self._control.recv() != order:
            self.tell("clock", time.monotonic())

    def obey(self, mailbox: Mailbox, driver: Driver) -> None:
        """From now on, in a thread, do what the launcher says."""
        threading.Thread(target=self._obey, args=(mailbox, driver), daemon=True).start()

    def keep_telling(self, progress: Callable[[], tuple[int, int, int]]) -> None:
        """From now on, in a thread, say how far the node is, to a launcher that cannot see this host's memory."""

        def tell() -> None:
            with contextlib.suppress(*LOST):
                while not self._closed:
                    self.tell("progress", progress())
                    time.sleep(TELLING_S)

        threading.Thread(target=tell, daemon=True).start()

    def close(self, notes: bytes | None) -> None:
        """All notes are written; here they are, for a launcher that cannot read them on this host."""
        self._closed = True
        self.tell("written", notes)

    def _obey(self, mailbox: Mailbox, driver: Driver) -> None:
        try:
            while True:
                if self._control.recv() == "stop":
                    mailbox.stop()
                else:
                    self.tell("waiting", driver.waiting)
        except LOST:
            if not self._closed:
                end_without_launcher(self._folder)
