"""`rebuttal run` and `rebuttal verify`."""

import argparse
from pathlib import Path

from rebuttal.processes.arguments import pairs
from rebuttal.processes.launcher import record
from rebuttal.processes.verification import verify
from rebuttal.readings import summary
from rebuttal.rules import rule
from rebuttal.timeline import Timeline


def run(given: argparse.Namespace) -> str:
    """Run a method on real processes and write its timeline; a line that says what came out."""
    timeline = record(
        given.method, workload=given.workload, workers=given.workers, updates=given.updates,
        learning_rate=given.learning_rate, rule=rule(given.rule, **pairs("--rule-option", given.rule_option)),
        batch=given.batch, seed=given.seed, options=pairs("--option", given.option), stragglers=given.stragglers,
        pace_s=given.pace, checksums_every=given.checksums_every, data_root=given.data_root,
    )  # fmt: skip
    path = given.write or Path(f"{given.method}.npz")
    timeline.save(path)
    found = summary(timeline)
    return (
        f"{path}: {found['updates']} updates of {given.method} on {timeline.about['nodes']} processes, "
        f"{1e3 * found['seconds_per_update']:.3g} ms each (measured), mean staleness {found['staleness_mean']:.3g}"
    )


def check(given: argparse.Namespace) -> str:
    """Compute a recorded run again; a line that says that it is the same. Raises RunError if it is not."""
    timeline = Timeline.load(given.run)
    agreed = verify(timeline, given.data_root)
    last = len(timeline.updates["value"]) - 1
    return f"{given.run}: the weights follow from the timeline, to the bit: {agreed} checksums up to version {last}"
