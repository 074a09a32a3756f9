"""The set-up of a recorded run, from what its timeline says of it: checked as data, for anybody may have written it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rebuttal.base import own_code
from rebuttal.base.config.refusals import validate
from rebuttal.base.errors import InputError, refuse
from rebuttal.core import division
from rebuttal.core.timeline import Timeline
from rebuttal.core.update_rules import RULES, Rule, rule
from rebuttal.machines.stragglers import STRAGGLERS
from rebuttal.methods import METHODS, method, reads
from rebuttal.processes import setup as setup_of
from rebuttal.processes import trusted
from rebuttal.processes.setup import Setup
from rebuttal.workloads import NAMES

MOST, NODES = (
    setup_of.MOST["batch"],
    setup_of.MOST["workers"],
)  # samples of a batch, and every option of a method
MOST_SECONDS = 1e9
LOST = {"node", "role", "how", "noticed_s", "version", "computations", "computations_lost", "messages_lost"}
Count = Annotated[int, Field(ge=0, le=2**31, description=f"a whole number from 0 to {2**31}")]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False, description="a number of seconds >= 0")]
Text = Annotated[str, Field(max_length=1000, description="a text of at most 1000 characters")]
Record = Annotated[dict[str, Any], Field(max_length=64, description="a record of names and values")]
Rows = Annotated[list[Any], Field(max_length=2**20, description="a list of rows")]


class RecordedFacts(BaseModel):
    """Everything that `about` of a recorded run may hold."""

    model_config = ConfigDict(extra="forbid", strict=True)

    method: Text
    options: Record
    machine: Literal["this host", "several hosts"]
    workload: Text
    workers: int = Field(ge=1, le=NODES, description=f"a whole number from 1 to {NODES}")
    nodes: int = Field(ge=1, le=2 * NODES, description=f"a whole number from 1 to {2 * NODES}")
    servers: int = Field(ge=0, le=NODES, description=f"a whole number from 0 to {NODES}")
    seed: int = Field(ge=-(2**63), le=2**63, description="a whole number")
    batch: int = Field(ge=1, le=MOST, description=f"a whole number from 1 to {MOST}")
    clock: Literal["measured"]
    learning_rate: float = Field(gt=0, allow_inf_nan=False, description="a number > 0")
    rule: Record
    stragglers: Text
    pace_s: Seconds
    threads: Literal[1]
    cores: Rows
    checksums_every: int = Field(ge=1, le=2**31, description="a whole number >= 1")
    own_code: dict[str, Text] = Field(default={}, description="names of files and their sha256")
    own_data: dict[str, Text] = Field(default={}, description="names of data and their sha256")
    clock_offsets: Record
    checksums: Rows
    lost: Rows
    replicas: int | None = Field(
        default=None, ge=1, le=NODES, description=f"a whole number from 1 to {NODES}"
    )
    memory: Record | None = Field(default=None, description="a record of names and values")
    hosts: Rows | None = Field(default=None, description="a list of hosts")


@dataclass(frozen=True)
class RecordedRun:
    """What a timeline says of its run. setup: None where the method is code of its own, which is not run."""

    facts: RecordedFacts
    rule: Rule
    setup: Setup | None


def recorded(timeline: Timeline, data_root: Path | None, trust: Sequence[Path]) -> RecordedRun:
    """The run of a timeline. trust: files of code that may be run.

    Raises:
        InputError: it was not recorded on real processes, or says of itself what cannot be.
    """
    about = _plain(timeline.about)
    missing = [key for key in ("checksums", "learning_rate", "rule") if key not in about]
    if missing:
        raise InputError(f"timeline: has no {missing[0]}; allowed: a run recorded on real processes")
    facts = validate(RecordedFacts, about)
    _check_numbers("options", facts.options)
    _check_numbers("rule", facts.rule)
    _check_lost(timeline, facts)
    made = _rule(facts, trust)
    if not _is_listed(facts):
        return RecordedRun(facts, made, None)
    setup = _setup(facts, made, len(timeline.updates["value"]) - 1, data_root)
    known = ("machine", "workload", *(["rule"] if own_code.is_named(facts.rule["name"]) else []))
    for key, value in _plain(setup.about()).items():
        if key not in known and value != about[key]:
            raise refuse(
                f"timeline: {key}", about[key], f"{value!r}, with {facts.workers} workers of {facts.method}"
            )
    return RecordedRun(facts, made, setup)


def _is_listed(facts: RecordedFacts) -> bool:
    """Whether the method is one of METHODS, and no file of a user's own with such a name."""
    own = [
        own_code.short(name)
        for name in facts.own_code
        if name not in (division.base(facts.workload), facts.rule.get("name"))
    ]
    return facts.method in METHODS and facts.method not in own


def _rule(facts: RecordedFacts, trust: Sequence[Path]) -> Rule:
    name = facts.rule.get("name")
    if not isinstance(name, str):
        raise refuse("timeline: rule.name", name, RULES)
    options: dict[str, Any] = facts.rule | {"name": trusted.code_name("rule", name, facts.own_code, trust)}
    try:
        return rule(**options)
    except TypeError as error:
        raise refuse("timeline: rule", str(error), "options of the rule") from None


def _setup(facts: RecordedFacts, made: Rule, updates: int, data_root: Path | None) -> Setup:
    known = {model.describe(): model for model in STRAGGLERS.values()}
    if facts.stragglers not in known:
        raise refuse("timeline: stragglers", facts.stragglers, known)
    try:
        setup = Setup(
            name=facts.method, method=method(facts.method, **facts.options), workers=facts.workers, updates=updates,
            workload=facts.workload if division.base(facts.workload) in NAMES else NAMES[0],
            learning_rate=facts.learning_rate, rule=made, batch=facts.batch, seed=facts.seed,
            stragglers=known[facts.stragglers], pace_s=facts.pace_s,
            checksums_every=facts.checksums_every, data_root=data_root,
            lock_free=facts.memory is not None, cores=tuple(facts.cores),
        )  # fmt: skip
    except TypeError as error:
        raise refuse("timeline", str(error), "options of the method") from None
    division.bound(facts.workload, reads(setup.method, facts.workers))
    return setup


def _check_numbers(key: str, given: Mapping[str, Any]) -> None:
    """Values are texts, flags and numbers that a run of this size can have, or records of such."""
    for name, value in given.items():
        if isinstance(value, dict) and key == "rule":
            _check_numbers(f"{key}.{name}", value)
        elif not (isinstance(value, str) and len(value) < MOST) and not (
            isinstance(value, bool | int | float) and abs(value) <= MOST
        ):
            raise refuse(f"timeline: {key}.{name}", value, f"a text, or a number of at most {MOST}")


def _check_lost(timeline: Timeline, facts: RecordedFacts) -> None:
    """Of each lost node: which, how, when it was noticed, and what it had done until then."""
    for row in facts.lost:
        sound = isinstance(row, dict) and set(row) == LOST and isinstance(row["how"], str)
        numbers = [row[key] for key in LOST - {"role", "how"}] if sound else [None]
        if not all(isinstance(one, int | float) and 0 <= one <= MOST_SECONDS for one in numbers):
            raise refuse("timeline: lost", row, f"rows of {', '.join(sorted(LOST))}")
        made = int((timeline.computes["node"] == row["node"]).sum())
        if row["node"] >= facts.nodes or row["computations"] != made:
            raise refuse("timeline: lost", row, f"one of {facts.nodes} nodes, with its {made} computations")


def _plain(about: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as a file has them: lists for tuples."""
    return json.loads(json.dumps(dict(about)))


def checksums(facts: RecordedFacts, last: int) -> dict[int, list[tuple[int, int, str]]]:
    """Version -> (l, n, checksum) of each of its parts: of every `checksums_every`-th version, and of the last.

    Raises:
        InputError: of another version, or of other parts.
    """
    found: dict[int, list[tuple[int, int, str]]] = {}
    for row in facts.checksums:
        kinds = [type(one) for one in row] if isinstance(row, list) else []
        if kinds != [int, int, int, str] or not 0 <= row[1] < row[2] <= 2 * NODES:
            raise refuse("timeline: checksums", row, "rows of [version, l, n, sha256]")
        found.setdefault(row[0], []).append((row[1], row[2], row[3]))
    if max(found, default=-1) != last:
        raise refuse(
            "timeline: the last checksum", max(found, default=None), f"one of the last version, {last}"
        )
    wanted = {*range(0, last + 1, facts.checksums_every), last}
    if set(found) != wanted:
        odd = min(set(found) ^ wanted)
        raise refuse("timeline: checksums", f"{len(found.get(odd, []))} of version {odd}", "one of every "
                     f"{facts.checksums_every}-th version and of the last")  # fmt: skip
    for version, parts in found.items():
        n = parts[0][1]
        each = sorted((l, n) for l, n, _ in parts) == [(l, n) for l in range(n)]
        one = facts.replicas is not None and len(parts) == 1  # of replicas, that of the version's node
        if not (each or one) or facts.replicas not in (None, n):
            raise refuse(f"timeline: checksums of version {version}", parts, "one of each of its parts")
    return found
