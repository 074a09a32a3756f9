"""Starts the nodes of a run, watches over them, ends them, and makes a timeline of what they noted.

Nodes are forked from a process that has imported torch once, and speak with the launcher over a pipe each. When one of
them fails, the others are killed and the failure is one error. Nobody is left behind: nodes end with the launcher,
and with the process that they were forked from.
"""

import contextlib
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from rebuttal.errors import InputError, RunError, refuse
from rebuttal.methods import Method, method
from rebuttal.processes.clocks import Offset, offset_of
from rebuttal.processes.log import Log
from rebuttal.processes.merging import merged
from rebuttal.processes.node import main
from rebuttal.processes.progress import Progress
from rebuttal.processes.setup import Setup
from rebuttal.rules import SGD, Rule
from rebuttal.stragglers import named
from rebuttal.timeline import Timeline

HANDSHAKE_S = 60.0  # the longest that starting a node may take: its imports, where they were not made before
LEAVING_S = 2.0  # the longest that a node may take to end after the last word
LOOK_S = 0.5
LONGEST_ADDRESS = 100  # of a Unix socket, with the terminating zero and some room
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
    data_root: Path | None = None,
    patience_s: float = 60.0,
) -> Timeline:
    """The timeline of a method (its name, with `options`, or the method itself), run on real processes of this host.

    Training is real: `learning_rate` and `rule` are part of the run. A computation on data lasts at least `pace_s`
    times the straggler's factor (a name of `rebuttal.stragglers.STRAGGLERS`). `timeline.about` has the checksums of
    every `checksums_every`-th version of the weights, which `verify` needs.

    Raises:
        InputError: an unknown name or an impossible value.
        RunError: a node was killed or failed, or no node got on for `patience_s`.
    """
    setup = Setup(
        name=program if isinstance(program, str) else type(program).__name__,
        method=method(program, **(options or {})) if isinstance(program, str) else program,
        workers=workers, updates=updates, workload=workload, learning_rate=learning_rate, rule=rule, batch=batch,
        seed=seed, stragglers=named(stragglers), pace_s=pace_s, checksums_every=checksums_every, data_root=data_root,
    )  # fmt: skip
    if stragglers != "none" and not pace_s:
        raise refuse("pace_s", pace_s, "a number of seconds > 0 where there are stragglers")
    with _folder() as folder, _Nodes(setup, folder) as nodes:
        begin_s, offsets = nodes.begin()
        nodes.watch(patience_s)
        return merged(setup, nodes.logs(), begin_s, offsets)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder of this run's own, in memory where the system has a place for that."""
    made = Path(tempfile.mkdtemp(prefix="rebuttal-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        if len(str(made)) > LONGEST_ADDRESS - len("/9999.socket"):
            raise refuse("TMPDIR", str(made.parent), "a path short enough for the address of a Unix socket")
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


class _Nodes:
    """The processes of a run: started on entering, gone on leaving."""

    def __init__(self, setup: Setup, folder: Path) -> None:
        self._setup, self._folder = setup, folder
        self._progress = Progress(folder, len(setup.nodes))
        for node in setup.nodes:
            self._progress.note(node, 0, -1)
        self._processes: dict[int, Any] = {}
        self._controls: dict[int, Connection] = {}
        self._reporting: dict[int, Any] = {}
        self._finished: dict[int, Any] = {}
        self._ended: set[int] = set()

    def __enter__(self) -> "_Nodes":
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["__main__", "rebuttal.processes.node"])
        for node in self._setup.nodes:
            ours, theirs = context.Pipe()
            process = context.Process(target=main, args=(self._setup, node, self._folder, theirs), daemon=True)
            process.start()
            theirs.close()
            self._processes[node], self._controls[node] = process, ours
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """Give them a moment to leave by themselves if all went well; then they are made to."""
        deadline = time.monotonic() + LEAVING_S
        for node, process in self._processes.items():
            if failure is None:
                process.join(max(0.0, deadline - time.monotonic()))
            process.kill()
            self._controls[node].close()
        for process in self._processes.values():
            process.join()
            process.close()

    def begin(self) -> tuple[float, dict[int, Offset]]:
        """Connect all nodes, compare their clocks with this process's, and let them begin: (when, the comparison)."""
        self._each("listening")
        self._tell("connect")
        self._each("connected")
        offsets = {node: offset_of(lambda node=node: self._clock(node)) for node in self._setup.nodes}
        begin_s = time.monotonic()
        self._tell("begin")
        return begin_s, offsets

    def watch(self, patience_s: float) -> None:
        """Until the last version is made. Raises what goes wrong."""
        seen, since = b"", time.monotonic()
        while not self._over():
            for node, what, content in self._heard(LOOK_S, self._setup.nodes):
                if what == "first":
                    self._reporting[node] = content
                elif what == "last":
                    self._finished[node] = content
                elif what == "ended":
                    self._ended.add(node)
            if len(self._ended) == len(self._setup.nodes) and not self._over():
                raise InputError("method: all programs ended early; allowed: to end when Report answers False")
            if self._progress.all() != seen:
                seen, since = self._progress.all(), time.monotonic()
            elif time.monotonic() - since > patience_s:
                raise RunError(f"no node got on for {patience_s:g} s: {self._waiting()}")

    def logs(self) -> list[Log]:
        """Stop the nodes; what each has noted."""
        self._tell("stop")
        found = self._each("log")
        return [found[node] for node in self._setup.nodes]

    def _over(self) -> bool:
        """Whether the last version is there: shared, or in all its parts, or at every node that reports a whole one."""
        parts = [part for part in self._finished.values() if isinstance(part, tuple)]
        if "shared" in self._finished.values():
            return True
        if parts:
            return len(set(parts)) == parts[0][1]
        return bool(self._finished) and set(self._reporting) <= set(self._finished)

    def _each(self, wanted: str) -> dict[int, Any]:
        """What every node says of this kind; other messages are passed over."""
        found: dict[int, Any] = {}
        deadline = time.monotonic() + HANDSHAKE_S
        while len(found) < len(self._setup.nodes):
            silent = [node for node in self._setup.nodes if node not in found]  # the others may leave
            found |= {node: said for node, what, said in self._heard(LOOK_S, silent) if what == wanted}
            if time.monotonic() > deadline:
                raise RunError(f"no word ({wanted}) from {self._called(silent[0])} within {HANDSHAKE_S:g} s")
        return found

    def _clock(self, node: int) -> float:
        """A node's clock, asked for now."""
        self._controls[node].send("clock")
        return next(content for _, what, content in self._heard(HANDSHAKE_S, [node]) if what == "clock")

    def _tell(self, order: str) -> None:
        for control in self._controls.values():
            with contextlib.suppress(OSError):  # a node that is gone is noticed where its word is awaited
                control.send(order)

    def _heard(self, seconds: float, speakers: Iterable[int]) -> list[tuple[int, str, Any]]:
        """(node, what, content) of what these nodes say within some seconds. Raises if one failed, or left in silence."""
        nodes = {self._controls[node]: node for node in speakers}
        heard = []
        for control in wait(list(nodes), seconds):
            assert isinstance(control, Connection)
            node = nodes[control]
            try:
                what, content = control.recv()
            except (EOFError, OSError) as error:
                raise self._lost(node) from error
            if what == "refused":
                raise InputError(content)
            if what == "failed":
                failure = RunError(f"{self._called(node)} failed after {self._far(node)}: {content[0]}")
                failure.add_note(content[1])
                raise failure
            heard.append((node, what, content))
        return heard

    def _lost(self, node: int) -> RunError:
        """The error for a node that closed its connection without a last word."""
        process = self._processes[node]
        process.join(LEAVING_S)
        code = process.exitcode
        how = f"was killed by signal {-code}" if code and code < 0 else f"ended with status {code}"
        return RunError(f"{self._called(node)} {how} after {self._far(node)}")

    def _far(self, node: int) -> str:
        computations, version = self._progress.of(node)
        newest = max(self._progress.of(other)[1] for other in self._setup.nodes)
        return f"{computations} computations (the run was at version {max(version, newest, 0)})"

    def _called(self, node: int) -> str:
        return f"node {node} ({self._setup.role(node)})"

    def _waiting(self) -> str:
        self._tell("waiting")
        found = self._each("waiting")
        waits = [f"{self._called(node)} for {tag!r}" for node, tag in sorted(found.items()) if tag]
        return "waiting are " + ", ".join(waits[:5]) if waits else "none waits, all compute"
