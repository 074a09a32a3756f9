"""All nodes of a run, as the launcher deals with them: it lets them begin, watches over them, and merges their notes.

When one of them fails, is killed or hangs, that is one error, which says which one and how far it was; or, where the
method promises to do without it, a line in the timeline.
"""

import contextlib
import time
from collections.abc import Iterable, Mapping
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from rebuttal.base.errors import InputError, RunError
from rebuttal.core.timeline import Timeline
from rebuttal.processes.clocks import Offset, offset_of
from rebuttal.processes.journal import keep, written
from rebuttal.processes.log import Log
from rebuttal.processes.members import Loss, Member
from rebuttal.processes.node_progress import Progress
from rebuttal.processes.reports import Reports
from rebuttal.processes.setup import Setup
from rebuttal.processes.timeline_merging import merged

WORK_S = 60.0  # the longest that a node may take to be ready (to import torch, at the first time), and to end
ANSWER_S = 10.0  # ... and to answer a question, which a thread of its own does while it computes
LOOK_S = 0.5


class Supervisor:
    """The nodes of one run, which share `folder`."""

    def __init__(self, setup: Setup, folder: Path, members: Mapping[int, Member]) -> None:
        self._setup, self._folder, self._members = setup, folder, dict(members)
        self._progress = Progress(folder, len(members))
        self._begun = False
        self._reports, self._losses = Reports(), list[Loss]()

    def timeline(self, patience_s: float) -> Timeline:
        """The whole run; its timeline. Raises what `watch` does."""
        begin_s, offsets = self.begin()
        self.watch(patience_s)
        return merged(self._setup, self.logs(), begin_s, offsets, self._losses)

    def begin(self) -> tuple[float, dict[int, Offset]]:
        """Connect all nodes, compare their clocks with this process's, and let them begin: (when, the comparison)."""
        self._each("listening", WORK_S)
        self._tell("connect")
        self._each("connected", WORK_S)
        offsets = {node: offset_of(lambda node=node: self._clock(node)) for node in self._members}
        self._begun, begin_s = True, time.monotonic()
        self._tell("begin")
        return begin_s, offsets

    def watch(self, patience_s: float) -> None:
        """Until the last version is made.

        Raises:
            InputError: the method refused what it was given, or its programs ended too early.
            RunError: a node failed, or was killed or hangs and is needed; or no node got on for `patience_s`.
        """
        seen, since_s = b"", time.monotonic()
        while not self._reports.complete:
            if self._reports.ended >= set(self._members):
                raise InputError(
                    "method: all programs ended early; allowed: to end when Report answers False"
                )
            self._heard(LOOK_S, self._members)
            if self._progress.all() != seen:
                seen, since_s = self._progress.all(), time.monotonic()
            elif time.monotonic() - since_s > patience_s:
                self._find_who_hangs(patience_s)
                since_s = time.monotonic()

    def logs(self) -> list[Log]:
        """Stop the nodes; what each has written, also those that were lost."""
        self._waiting()  # not as long for those that hang as for those that still compute
        self._tell("stop")
        self._each("written", WORK_S)
        return [written(self._folder, node) for node in self._setup.nodes]

    def _each(self, wanted: str, within_s: float) -> dict[int, Any]:
        """The message of this kind of every node; other messages are skipped. A node that sends none is lost."""
        found: dict[int, Any] = {}
        deadline = time.monotonic() + within_s
        while silent := [node for node in self._members if node not in found]:  # the others may leave
            found |= {node: said for node, what, said in self._heard(LOOK_S, silent) if what == wanted}
            if time.monotonic() > deadline:
                for node in set(silent) & set(self._members) - set(found):
                    self._members[node].kill()
                    self._lose(node, f"did not answer for {within_s:g} s")
        return found

    def _clock(self, node: int) -> float:
        """A node's clock, asked for now."""
        self._members[node].control.send("clock")
        for _, what, said in self._heard(ANSWER_S, [node]):
            if what == "clock":
                return said
        raise RunError(f"{self._called(node)} does not say what time it is")

    def _tell(self, order: str) -> None:
        for member in self._members.values():
            with contextlib.suppress(OSError):  # a node that is gone is noticed where its word is awaited
                member.control.send(order)

    def _heard(self, seconds: float, speakers: Iterable[int]) -> list[tuple[int, str, Any]]:
        """(node, what, said) of what these nodes say within some seconds. Raises if one failed, or is gone."""
        nodes: dict[Any, int] = {self._members[node].control: node for node in speakers}
        found: list[tuple[int, str, Any]] = []
        for control in wait(list(nodes), seconds):
            node = nodes[control]
            try:
                what, said = self._members[node].control.recv()
                found.append((node, what, said))
            except (EOFError, OSError):
                self._lose(node, self._members[node].fate())
        for node, what, said in found:
            self._note(node, what, said)
        return found

    def _note(self, node: int, what: str, said: Any) -> None:
        if what in Reports.KINDS:
            self._reports.note(node, what, said)
        if what == "progress":
            begun, made, versions = said
            self._progress.note(node, begun, made, versions)
        if what == "written" and isinstance(said, bytes):
            keep(self._folder, node, said)
        if what == "refused":
            raise InputError(said)
        if what == "failed":
            line, told = map(str, said)
            failure = RunError(f"{self._called(node)} failed after {self._far(node)}: {line}")
            failure.add_note(told)
            raise failure

    def _lose(self, node: int, how: str) -> None:
        """Go on without a node. Raises RunError where nobody promised that this can be."""
        spared = self._begun and self._setup.may_be_lost(node) and len(self._losses) < self._setup.may_lose
        if not spared:
            raise RunError(f"{self._called(node)} {how} after {self._far(node)}")
        begun, *_ = self._progress.of(node)
        self._losses.append(Loss(node, how, time.monotonic(), begun, self._version()))
        del self._members[node]

    def _version(self) -> int:
        """The version that the run is at."""
        return max(0, max(self._progress.of(node)[2] for node in self._setup.nodes) - 1)

    def _far(self, node: int) -> str:
        _, made, _ = self._progress.of(node)
        return f"{made} computations, with the run at version {self._version()}"

    def _called(self, node: int) -> str:
        return f"node {node} ({self._setup.role(node)})"

    def _find_who_hangs(self, patience_s: float) -> None:
        """Raises RunError, unless some node hangs and the run may go on without it."""
        lost, found = len(self._losses), self._waiting()
        if len(self._losses) == lost:
            waits = [f"{self._called(node)} for {tag!r}" for node, tag in sorted(found.items()) if tag]
            why = "waiting are " + ", ".join(waits[:5]) if waits else "none waits, all compute"
            raise RunError(f"no node got on for {patience_s:g} s: {why}")

    def _waiting(self) -> dict[int, str | None]:
        """What each node is waiting for at this moment."""
        self._tell("waiting")
        return self._each("waiting", ANSWER_S)
