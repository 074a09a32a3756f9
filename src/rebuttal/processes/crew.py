"""All nodes of a run, as the launcher deals with them: it lets them begin, watches over them, and merges their notes.

When one of them fails or is killed, that is one error, which says which one and how far it was.
"""

import contextlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from rebuttal.errors import InputError, RunError
from rebuttal.processes.clocks import Offset, offset_of
from rebuttal.processes.log import Log
from rebuttal.processes.merging import merged
from rebuttal.processes.progress import Progress
from rebuttal.processes.setup import Setup
from rebuttal.timeline import Timeline

ANSWER_S = 60.0  # the longest that a node may take to answer: to import torch, at the first time
DYING_S = 2.0
LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Member:
    """The connection to a node, and its process, if it is the launcher's."""

    control: Connection
    process: Any = None


@dataclass
class Reports:
    """Which nodes have made their first report of the weights, and which their last, of what part; which have ended."""

    first: set[int] = field(default_factory=set)
    last: dict[int, Any] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)

    def note(self, node: int, what: str, part: Any) -> None:
        """A node says 'first', 'last' or 'ended'."""
        if what == "last":
            self.last[node] = part
        else:
            getattr(self, what).add(node)

    @property
    def complete(self) -> bool:
        """Whether the last version is there: shared, in all its parts, or at every node that reports a whole one."""
        parts = {part for part in self.last.values() if isinstance(part, tuple)}
        if "shared" in self.last.values():
            return True
        if parts:
            return len(parts) == next(iter(parts))[1]
        return bool(self.last) and self.first <= set(self.last)


class Crew:
    """The nodes of one run; `progress` says how far a node is that can no longer say it."""

    def __init__(self, setup: Setup, progress: Progress, members: Mapping[int, Member]) -> None:
        self._setup, self._progress, self._members = setup, progress, members

    def timeline(self, patience_s: float) -> Timeline:
        """The whole run; its timeline. Raises what `watch` does."""
        begin_s, offsets = self.begin()
        self.watch(patience_s)
        return merged(self._setup, self.logs(), begin_s, offsets)

    def begin(self) -> tuple[float, dict[int, Offset]]:
        """Connect all nodes, compare their clocks with this process's, and let them begin: (when, the comparison)."""
        self._each("listening")
        self._tell("connect")
        self._each("connected")
        offsets = {node: offset_of(lambda node=node: self._clock(node)) for node in self._members}
        begin_s = time.monotonic()
        self._tell("begin")
        return begin_s, offsets

    def watch(self, patience_s: float) -> None:
        """Until the last version is made.

        Raises:
            InputError: the method refused what it was given, or its programs ended too early.
            RunError: a node failed or was killed, or no node got on for `patience_s`.
        """
        reports, seen, since_s = Reports(), b"", time.monotonic()
        while not reports.complete:
            if len(reports.ended) == len(self._members):
                raise InputError(
                    "method: all programs ended early; allowed: to end when Report answers False"
                )
            for heard in self._heard(LOOK_S, self._members):
                reports.note(*heard)
            if self._progress.all() != seen:
                seen, since_s = self._progress.all(), time.monotonic()
            elif time.monotonic() - since_s > patience_s:
                raise RunError(f"no node got on for {patience_s:g} s: {self._waiting()}")

    def logs(self) -> list[Log]:
        """Stop the nodes; what each has noted."""
        self._tell("stop")
        found = self._each("log")
        return [found[node] for node in self._members]

    def _each(self, wanted: str) -> dict[int, Any]:
        """What every node says of this kind; what else they say is passed over."""
        found: dict[int, Any] = {}
        deadline = time.monotonic() + ANSWER_S
        while len(found) < len(self._members):
            silent = [node for node in self._members if node not in found]  # the others may leave
            found |= {node: said for node, what, said in self._heard(LOOK_S, silent) if what == wanted}
            if time.monotonic() > deadline:
                raise RunError(f"no word ({wanted}) from {self._called(silent[0])} within {ANSWER_S:g} s")
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
        """(node, what, said) of what these nodes say within some seconds. Raises if one failed or left in silence."""
        nodes: dict[Any, int] = {self._members[node].control: node for node in speakers}
        return [self._said(nodes[control]) for control in wait(list(nodes), seconds)]

    def _said(self, node: int) -> tuple[int, str, Any]:
        try:
            what, said = self._members[node].control.recv()
        except (EOFError, OSError) as error:
            raise self._lost(node) from error
        if what == "refused":
            raise InputError(said)
        if what == "failed":
            line, told = said
            failure = RunError(f"{self._called(node)} failed after {self._far(node)}: {line}")
            failure.add_note(told)
            raise failure
        return node, what, said

    def _lost(self, node: int) -> RunError:
        """The error for a node that closed its connection without a last word."""
        return RunError(
            f"{self._called(node)} {_end_of(self._members[node].process)} after {self._far(node)}"
        )

    def _far(self, node: int) -> str:
        computations, _ = self._progress.of(node)
        versions = max(self._progress.of(other)[1] for other in self._members)
        return f"{computations} computations, with the run at version {max(0, versions - 1)}"

    def _called(self, node: int) -> str:
        return f"node {node} ({self._setup.role(node)})"

    def _waiting(self) -> str:
        self._tell("waiting")
        found = self._each("waiting")
        waits = [f"{self._called(node)} for {tag!r}" for node, tag in sorted(found.items()) if tag]
        return "waiting are " + ", ".join(waits[:5]) if waits else "none waits, all compute"


def _end_of(process: Any) -> str:
    """How a process ended, in words."""
    if process is None:
        return "is gone"
    process.join(DYING_S)
    code = process.exitcode
    return f"was killed by signal {-code}" if code and code < 0 else f"ended with status {code}"
