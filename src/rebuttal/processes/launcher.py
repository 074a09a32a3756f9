"""Starts the nodes of a run on this host, and ends them.

Nodes are forked from a process that has imported torch once, and speak with the launcher over a pipe each. Nobody is
left behind: nodes end with the launcher, and with the process that they were forked from.
"""

import contextlib
import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from rebuttal.base import arguments
from rebuttal.base.errors import refuse
from rebuttal.base.temporary_folder import temporary_folder
from rebuttal.core.timeline import Timeline
from rebuttal.core.update_rules import SGD, Rule
from rebuttal.methods import Method
from rebuttal.processes.members import Member
from rebuttal.processes.node import main
from rebuttal.processes.rendezvous import OneHost
from rebuttal.processes.setup import Setup
from rebuttal.processes.supervisor import Supervisor

MOST_PATIENCE_S = 86_400
LEAVING_S = 2.0  # the longest that a node may take to end after the last word
LONGEST_ADDRESS = 100  # of a Unix socket, with the terminating zero and some room
PRELOADED = ("rebuttal.processes.node", "rebuttal.processes.quick_end")
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of this user's alone is made in it


def record(  # noqa: PLR0913 - the axes of an experiment, all by name
    program: str | Method,
    *,
    workload: str = "digits_mlp",
    workers: int = 2,
    updates: int = 100,
    learning_rate: float = 0.1,
    rule: Rule = SGD(),
    batch: int = 32,
    seed: int = 0,
    options: dict[str, Any] | None = None,
    stragglers: str = "none",
    pace_s: float = 0.0,
    checksums_every: int = 10,
    data_root: str | Path | None = None,
    lock_free: bool = False,
    patience_s: float = 60.0,
    cores: tuple[int, ...] = (),
) -> Timeline:
    """The timeline of a method (its name, with `options`, or the method itself), run on real processes of this host.

    A method's name is one of METHODS, or `file:PATH.py` for a file of your own.

    Training is real: `learning_rate` and `rule` are part of the run. A computation on data lasts at least `pace_s`
    times the straggler's factor (a name of `rebuttal.machines.stragglers.STRAGGLERS`). With `lock_free`, memory that
    nodes share as threads do is read and written without locks. `cores`: node i keeps to the i-th of them, for runs
    that are timed (`pinning.quiet_cores`); by default the system decides.

    `timeline.about` has the checksums of every `checksums_every`-th version of the weights, which `verify` needs; under
    "lost", workers that were killed or hung while the method went on, as far as it promises to; and under "memory", of
    a run without locks, what is not known of it.

    Raises:
        InputError: an unknown name or an impossible value.
        RunError: a node that is needed was killed, failed or hung, or no node got on for `patience_s`.
    """
    patience_s = arguments.number("patience_s", patience_s, 0, MOST_PATIENCE_S)
    setup = Setup.of(
        program, options, stragglers, workload=workload, workers=workers, updates=updates, batch=batch, seed=seed,
        learning_rate=learning_rate, rule=rule, pace_s=pace_s, checksums_every=checksums_every, data_root=data_root,
        lock_free=lock_free,
        cores=cores,
    )  # fmt: skip
    with folder_of_run() as folder, started(setup, folder) as members:
        return Supervisor(setup, folder, members).timeline(patience_s)


@contextlib.contextmanager
def folder_of_run() -> Iterator[Path]:
    """A folder of one run's own, gone afterwards, in memory where the system has a place for that."""
    with temporary_folder("rebuttal-run-", MEMORY if MEMORY.is_dir() else None) as made:
        if len(str(made)) > LONGEST_ADDRESS - len("/9999.socket"):
            raise refuse("TMPDIR", str(made.parent), "a path short enough for the address of a Unix socket")
        yield made


def forking(*more: str) -> Any:
    """The start method of processes that need torch: forks of one process that imported it once and has no threads.

    more: modules that it imports as well. With any, it is started at once; it imports nothing if it was there before.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", *PRELOADED, *more])
    if more:
        forkserver.ensure_running()
    return context


@contextlib.contextmanager
def started(setup: Setup, folder: Path) -> Iterator[dict[int, Member]]:
    """The processes of a run, which are gone on leaving: by themselves, within a moment, if all went well."""
    context = forking()
    members: dict[int, Member] = {}
    patience_s = 0.0
    try:
        for node in setup.nodes:
            ours, theirs = context.Pipe()
            process = context.Process(
                target=main, args=(setup, node, OneHost(folder), theirs), name=f"node {node}", daemon=True
            )
            process.start()
            theirs.close()
            members[node] = Member(ours, process.pid, process)
        yield members
        patience_s = LEAVING_S
    finally:
        deadline = time.monotonic() + patience_s
        for member in members.values():
            member.process.join(max(0.0, deadline - time.monotonic()))
            member.process.kill()
            member.control.close()
        for member in members.values():
            member.process.join()
            member.process.close()
