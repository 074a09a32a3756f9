"""Whether a recorded run is what it says: its record is possible, and its weights follow from it, to the bit.

What is checked: the file against the hash in its header (`core.timeline`), what the run says of itself
(`recorded_setup`), order and time (`causality`), the method's programs against its rows (`program_walk`), and every
weight, computed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from rebuttal.base import arguments, own_code
from rebuttal.base.errors import InputError, RunError, refuse
from rebuttal.core import division, value_operations
from rebuttal.core.graph import Order, order_of
from rebuttal.core.timeline import Timeline, checked
from rebuttal.core.update_rules import Recipe, Rule, remembered
from rebuttal.processes import causality, computable, trusted
from rebuttal.processes.driver import digest
from rebuttal.processes.program_walk import NotWalkedError, ProgramWalk
from rebuttal.processes.recorded_setup import RecordedFacts, RecordedRun, checksums, recorded
from rebuttal.processes.wire_sizes import WireSizes
from rebuttal.replaying.context import Stages
from rebuttal.replaying.engine import EXACT
from rebuttal.replaying.executors import Loop
from rebuttal.replaying.lockstep import Gradients, Lockstep, advance
from rebuttal.replaying.oracle import wire_bytes
from rebuttal.replaying.staged import stages_of
from rebuttal.workloads import load
from rebuttal.workloads.torch_state import stated_torch
from rebuttal.workloads.workload import Workload

#: What an order that no run has may make the computation raise.
IMPOSSIBLE = (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError,
              ValueError)  # fmt: skip
#: What nothing in a recorded run can show.
NEVER_CHECKED = (
    "who recorded it",
    "the unit of its seconds",
    "waits that were longer than stated",
    "bytes to within 1 KiB",
    "what nodes did at the end that nobody used",
    "cores, hosts and clock offsets",
)


@dataclass(frozen=True)
class Verification:
    """What was found again: checksums up to a version. not_checked: what nobody can tell, in words."""

    checksums: int
    version: int
    not_checked: tuple[str, ...]


@dataclass
class VersionComparison:
    """Compares versions as they are computed. `agreed`: how many checksums did; `departed`: the first that did not."""

    wanted: Mapping[int, list[tuple[int, int, str]]]
    stages: Stages
    agreed: int = 0
    last_agreed: int | None = None
    departed: int | None = None
    parts: list[int] = field(default_factory=list)

    def of_replicas(self, K: int) -> "VersionComparison":
        """The same, where what was compared as a version is one of the K replicas that make one."""
        departed, agreed = (None if at is None else at // K for at in (self.departed, self.last_agreed))
        parts = [] if self.departed is None else [self.departed % K]
        return replace(self, departed=departed, last_agreed=agreed, parts=parts)

    def observe(self, version: int, weights: Tensor) -> bool:
        """Of weights [1, P]; False once they depart, for what follows rests on them."""
        for l, n, checksum in self.wanted[version]:
            if digest(weights[:, self.stages.part(l, n)]) == checksum:
                self.agreed += 1
            else:
                self.parts.append(l)
        if self.parts:
            self.departed = version
        else:
            self.last_agreed = version
        return not self.parts


Trusted = str | Path | Sequence[str | Path]


def verify(timeline: Timeline, data_root: str | Path | None = None, *, trust: Trusted = ()) -> int:
    """How many checksums of a recorded run were found again, which is all of them. Arguments and errors: `verified`."""
    return verified(timeline, data_root, trust=trust).checksums


def verified(timeline: Timeline, data_root: str | Path | None = None, *, trust: Trusted = ()) -> Verification:
    """Check a recorded run, and compute everything anew from its timeline, one gradient at a time.

    Starting weights and batches come from the seed, then every operation in the recorded order. Nothing that the
    timeline names is run or read, but for what is of this package. A workload or a rule of somebody's own, and a method
    with operations of its own, are files of code, texts or images: they are taken from the files `trust`, if one has
    the content that the run recorded.

    Raises:
        InputError: no recorded run, one that says of itself what cannot be, or a workload that is not to be read.
        RunError: the record cannot be, or the weights depart from the recorded ones; the error says where.
    """
    checked(timeline)
    trust = [arguments.path("trust", one) for one in ([trust] if isinstance(trust, str | Path) else trust)]
    data_root = arguments.folder("data_root", data_root)
    run = recorded(timeline, data_root, trust)
    facts, last = run.facts, len(timeline.updates["value"]) - 1
    wanted = checksums(facts, last)
    named = trusted.workload_name(facts.workload, facts.own_code | facts.own_data, trust)
    workload = load(named, data_root)
    update_rule = _unaveraged(run.rule)
    _run_operations(timeline, facts, trust)
    try:
        with stated_torch():
            found = _computed(timeline, facts, workload, update_rule, wanted)
    except (InputError, RunError):
        raise
    except IMPOSSIBLE as error:
        raise InputError(
            f"timeline: cannot be computed ({_why(error)}); allowed: a run recorded by this package"
        ) from error
    if found.departed is not None:
        part = "replica" if facts.replicas else "stage"
        raise RunError(_departure(found, part) if facts.memory is None else _unknown(found))
    causality.check(timeline, facts.nodes, facts.servers, facts.clock_offsets)
    skipped = _walked(timeline, run, workload, update_rule)
    return Verification(found.agreed, last, (*skipped, *NEVER_CHECKED))


def _unaveraged(made: Rule) -> Rule:
    """What was noted of a run are the versions themselves."""
    return replace(made, average=0.0) if isinstance(made, Recipe) else made


def _run_operations(timeline: Timeline, facts: RecordedFacts, trust: Sequence[Path]) -> None:
    """Run the method's file where its operations are not known yet. Raises InputError for what is not to be run."""
    if value_operations.unknown(timeline.graph.operations):
        for name in sorted(set(facts.own_code) - {division.base(facts.workload), facts.rule["name"]}):
            own_code.loaded(trusted.code_name("method", name, facts.own_code, trust), "method")


def _walked(timeline: Timeline, run: RecordedRun, workload: Workload, update_rule: Rule) -> tuple[str, ...]:
    """Run the method's programs along the record; what of it could not be checked, in words."""
    if run.setup is None:
        return ("its method, which is none of ours and is not run",)
    sizes = WireSizes(workload.shape, update_rule, run.facts.batch)
    try:
        ProgramWalk(timeline, run.setup, wire_bytes(workload), sizes).run()
    except NotWalkedError:
        return (f"the programs of {run.facts.method}, which share memory",)
    except (InputError, RunError):
        raise
    except IMPOSSIBLE as error:
        raise RunError(
            f"the record is not one of {run.facts.method}: its program fails on it ({_why(error)})"
        ) from error
    return ()


def _why(error: Exception) -> str:
    """What failed on a stranger's record, on one line and not at any length."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _computed(
    timeline: Timeline, facts: RecordedFacts, workload: Workload, update_rule: Rule, wanted: Mapping[int, Any]
) -> VersionComparison:
    """The versions of the timeline, computed again and compared."""
    order, stages = timeline.order, stages_of(workload, exact=True)
    if facts.replicas:
        order, wanted = _of_replicas(timeline, facts.replicas, wanted)
    computable.check(order, workload, facts.batch, 1 + remembered(update_rule))
    lockstep = Lockstep(
        order, workload, update_rule, [facts.seed], [facts.learning_rate], facts.batch, 1, stages
    )  # fmt: skip
    found = VersionComparison(wanted, stages)
    advance(
        [lockstep.steps(found.observe, set(wanted))], Gradients({"loop": Loop(workload)}, EXACT, workload)
    )
    return found.of_replicas(facts.replicas) if facts.replicas else found


def _of_replicas(
    timeline: Timeline, K: int, wanted: Mapping[int, list[tuple[int, int, str]]]
) -> tuple[Order, dict[int, list[tuple[int, int, str]]]]:
    """The order whose versions are the replicas that make the run's, K for each, and the checksums of these."""
    graph, states = timeline.graph, []
    for version, state in enumerate(timeline.updates["value"].tolist()):
        replicas = graph.inputs[state] if K > 1 else (state,)
        if len(replicas) != K or (K > 1 and graph.operations[state] != "averaged"):
            raise refuse(f"timeline: version {version}", graph.operations[state], f"the mean of {K} replicas")
        states += replicas
    rows = {
        version * K + k: [(0, 1, checksum)] for version, some in wanted.items() for k, _, checksum in some
    }
    return order_of(graph, states), rows


def _departure(found: VersionComparison, part: str) -> str:
    since = "none before it" if found.last_agreed is None else f"version {found.last_agreed} still agrees"
    return (
        f"the weights do not follow from the timeline: version {found.departed}, {part} {found.parts[0]} is the first "
        f"whose checksum differs ({since})"
    )


def _unknown(found: VersionComparison) -> str:
    """As `_departure`, where it is no sign of a change."""
    known = "no version" if found.last_agreed is None else f"version {found.last_agreed}"
    return (
        f"memory had no locks: the weights follow from the order that its processes saw up to {known}, and what made "
        f"version {found.departed} is not known"
    )
