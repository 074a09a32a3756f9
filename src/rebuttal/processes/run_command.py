"""`rebuttal run` and `rebuttal verify`."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rebuttal.base.config import yaml_text
from rebuttal.base.errors import refuse
from rebuttal.core.array_files import STRANGER
from rebuttal.core.timeline import Timeline
from rebuttal.core.update_rules import rule
from rebuttal.methods import called
from rebuttal.processes import torchrun
from rebuttal.processes.launcher import record
from rebuttal.processes.setup import Setup
from rebuttal.processes.verification import verified
from rebuttal.simulation.timeline_metrics import summary


def run(given: argparse.Namespace) -> str | None:
    """Run a method on real processes and write its timeline; a line that says what came out.

    Under torchrun this is one of the processes, and only that of rank 0 writes and has something to say.
    """
    settings: dict[str, Any] = {
        "workload": given.workload, "workers": given.workers, "updates": given.updates, "seed": given.seed,
        "learning_rate": given.learning_rate, "rule": rule(
            given.rule, pairs("--schedule", given.schedule), **pairs("--rule-option", given.rule_option)
        ),
        "batch": given.batch, "options": pairs("--option", given.option), "stragglers": given.stragglers,
        "pace_s": given.pace, "checksums_every": given.checksums_every, "data_root": given.data_root,
        "lock_free": given.lock_free,
    }  # fmt: skip
    if torchrun.is_here():
        timeline = torchrun.record(Setup.of(given.method, **settings))
    else:
        timeline = record(given.method, **settings)
    if timeline is None:
        return None
    return _written(timeline, given.write or Path(f"{called(given.method)}.npz"))


def _written(timeline: Timeline, path: Path) -> str:
    timeline.save(path)
    found, about = summary(timeline), timeline.about
    lost = [
        f"; without node {one['node']} ({one['role']}) from version {one['version']} on"
        for one in about["lost"]
    ]
    return (
        f"{path}: {found['updates']} updates of {about['method']} on {about['nodes']} processes, "
        f"{1e3 * found['seconds_per_update']:.3g} ms each (measured), mean staleness {found['staleness_mean']:.3g}"
    ) + "".join(lost)


def check(given: argparse.Namespace) -> str:
    """Compute a recorded run again; a line that says what agrees and what was not checked.

    Raises RunError if it is not the same.
    """
    timeline = Timeline.load(given.run, STRANGER)
    found = verified(timeline, given.data_root, trust=given.trust)
    return (
        f"{given.run}: the weights follow from the timeline, to the bit: {found.checksums} checksums up to version "
        f"{found.version}; hash, order and times of its rows agree; not checked: {', '.join(found.not_checked)}"
    )


def pairs(key: str, given: Iterable[str]) -> dict[str, Any]:
    """NAME=VALUE as a dict, each value read as params.yaml would be."""
    found = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not (name and equals):
            raise refuse(key, one, "NAME=VALUE")
        found[name] = yaml_text.parsed(f"{key} {name}", text)
    return found
