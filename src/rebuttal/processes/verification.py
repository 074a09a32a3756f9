"""Whether the weights of a recorded run follow from its timeline: they are computed again, to the bit, and compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rebuttal.base import own_code as own_files
from rebuttal.base.errors import InputError, RunError, refuse
from rebuttal.core import value_operations
from rebuttal.core.timeline import Timeline
from rebuttal.core.update_rules import rule
from rebuttal.processes.driver import digest
from rebuttal.processes.setup import THREADS
from rebuttal.replaying.context import Stages
from rebuttal.replaying.engine import EXACT
from rebuttal.replaying.executors import Loop
from rebuttal.replaying.lockstep import Gradients, Lockstep, advance
from rebuttal.replaying.staged import stages_of
from rebuttal.workloads import load


@dataclass
class VersionComparison:
    """Compares versions as they are computed. `agreed`: how many checksums did; `departed`: the first that did not."""

    wanted: Mapping[int, list[tuple[int, int, str]]]
    stages: Stages
    agreed: int = 0
    last_agreed: int | None = None
    departed: int | None = None
    parts: list[int] = field(default_factory=list)

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


def verify(timeline: Timeline, data_root: Path | None = None, *, own_code: bool = False) -> int:
    """How many checksums of a recorded run were found again, which is all of them.

    Everything is computed anew from the timeline, one gradient at a time: starting weights and batches from the seed,
    then every operation in the recorded order. The method itself is not run. A workload that is a file of its user's
    own is code, and so is a method with operations of its own, and whoever made the timeline chose it: it is run only
    with `own_code`, and only as it was recorded. Operations that this process knows already, by the hash of their
    file, are computed without that.

    Raises:
        InputError: no recorded run, one without its last checksum, or code of its own that is not to be run.
        RunError: the weights depart from the recorded ones; the error says where.
    """
    about = timeline.about
    wanted = _checksums(timeline)
    _run_own_code(timeline, allowed=own_code)
    torch.set_num_threads(THREADS)
    workload = load(about["workload"], data_root)
    update_rule = rule(**about["rule"] | {"average": 0.0})  # what was noted are the versions themselves
    stages = stages_of(workload, exact=True)
    lockstep = Lockstep(
        timeline.order, workload, update_rule, [about["seed"]], [about["learning_rate"]], about["batch"], 1, stages
    )  # fmt: skip
    found = VersionComparison(wanted, stages)
    gradients = Gradients({"loop": Loop(workload)}, EXACT, workload)
    advance([lockstep.steps(found.observe, set(wanted))], gradients)
    if found.departed is not None:
        raise RunError(_unknown(found) if "memory" in about else _departure(found))
    return found.agreed


def _run_own_code(timeline: Timeline, *, allowed: bool) -> None:
    """Run the method's file where its operations are not known yet. Raises InputError for what is not to be run."""
    about = timeline.about
    for key, name in (("workload", about["workload"]), ("rule", about["rule"]["name"])):
        _check_own_code(key, name, about, allowed=allowed)
    if value_operations.unknown(timeline.graph.operations):
        for name in sorted(set(about.get("own_code", {})) - {about["workload"], about["rule"]["name"]}):
            _check_own_code("method", name, about, allowed=allowed)
            own_files.loaded(name, "method")


def _check_own_code(key: str, name: str, about: Mapping[str, Any], *, allowed: bool) -> None:
    """Refuse to run a file that the timeline names, unless it is allowed and is the file of the run."""
    if not own_files.is_named(name):
        return
    if not allowed:
        wanted = f"own_code=True (--own-code), once you have read the file: the {key} is code of its own"
        raise refuse("own_code", f"no leave to run {name}", wanted)
    here, recorded = own_files.fingerprint(name, key), about.get("own_code", {}).get(name)
    if here != recorded:
        wanted = f"the file of the run, whose sha256 is {recorded or 'not in the timeline'}"
        raise refuse("own_code", f"{name} with the sha256 {here}", wanted)


def _departure(found: VersionComparison) -> str:
    since = "none before it" if found.last_agreed is None else f"version {found.last_agreed} still agrees"
    return (
        f"the weights do not follow from the timeline: version {found.departed}, stage {found.parts[0]} is the first "
        f"whose checksum differs ({since})"
    )


def _unknown(found: VersionComparison) -> str:
    """As `_departure`, where it is no sign of a change."""
    known = "no version" if found.last_agreed is None else f"version {found.last_agreed}"
    return (
        f"memory had no locks: the weights follow from the order that its processes saw up to {known}, and what made "
        f"version {found.departed} is not known"
    )


def _checksums(timeline: Timeline) -> dict[int, list[tuple[int, int, str]]]:
    """Version -> (l, n, checksum) of each of its parts."""
    about: Mapping[str, Any] = timeline.about
    missing = [key for key in ("checksums", "learning_rate", "rule") if key not in about]
    if missing:
        raise InputError(f"timeline: has no {missing[0]}; allowed: a run recorded on real processes")
    found: dict[int, list[tuple[int, int, str]]] = {}
    for version, l, n, checksum in about["checksums"]:
        found.setdefault(version, []).append((l, n, checksum))
    last = len(timeline.updates["value"]) - 1
    if max(found, default=-1) != last:
        raise refuse(
            "timeline: the last checksum", max(found, default=None), f"one of the last version, {last}"
        )
    return found
