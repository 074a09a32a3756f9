"""Recorded asynchronous runs on real processes: how many replay to the bit, and how long recording and verifying take.

Fifty runs: six methods in turn, each run with a seed that is drawn, on drawn stragglers; every version has a checksum.
Reported are the runs whose weights follow from their time lines, the different orders among them, and seconds.

    python benchmarks/real_runs.py [--runs 50] [--write reference/real_runs_benchmark.json]
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

from rebuttal.base import seeding
from rebuttal.base.devices import identity
from rebuttal.base.errors import RunError
from rebuttal.processes.launcher import record
from rebuttal.processes.verification import verify

#: Name -> (options, workers): nodes are at most 4.
METHODS: dict[str, tuple[dict[str, Any], int]] = {
    "asynchronous": ({}, 3),
    "softsync": ({"n": 2}, 3),
    "backup_workers": ({"b": 1}, 3),
    "delayed_all_reduce": ({"k": 2}, 3),
    "continuous_propagation": ({}, 3),
    "pipedream": ({}, 3),
}
STRAGGLERS = ("exponential", "lognormal_wide", "pareto")


def drawn(runs: int) -> list[dict[str, Any]]:
    """The runs: methods in turn, seeds and stragglers drawn."""
    random, names = seeding.generator(0, "real runs"), list(METHODS)
    return [
        {
            "method": names[number % len(names)],
            "seed": int(random.integers(2**31)),
            "stragglers": str(random.choice(STRAGGLERS)),
        }
        for number in range(runs)
    ]


def measure(run: dict[str, Any], updates: int) -> dict[str, Any]:
    """Record and verify one run: its order, whether it is computed again to the bit, and seconds of both."""
    options, workers = METHODS[run["method"]]
    began = time.perf_counter()
    timeline = record(
        run["method"], options=options, workers=workers, updates=updates, workload="digits_deep", learning_rate=0.02,
        seed=run["seed"], stragglers=run["stragglers"], pace_s=0.001, checksums_every=1,
    )  # fmt: skip
    recorded = time.perf_counter()
    found = run | {"order": timeline.order.key, "checksums": len(timeline.about["checksums"])}
    try:
        agreed, why = verify(timeline), ""
    except RunError as error:
        agreed, why = 0, str(error)
    seconds = {"recording_s": recorded - began, "verifying_s": time.perf_counter() - recorded}
    return found | {"to_the_bit": agreed == found["checksums"], "why_not": why} | seconds


def by_method(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each method: its runs, those to the bit, different orders, mean seconds."""
    found = []
    for name in METHODS:
        own = [row for row in rows if row["method"] == name]
        counts = {"runs": len(own), "to_the_bit": sum(row["to_the_bit"] for row in own)}
        means = {key: statistics.mean(row[key] for row in own) for key in ("recording_s", "verifying_s")}
        found.append({"method": name, **counts, "orders": len({row["order"] for row in own}), **means})
    return found


def main() -> None:
    """Print a line for each run and for each method, and write them if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--updates", type=int, default=60)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    rows = []
    for run in drawn(given.runs):
        rows.append(row := measure(run, given.updates))
        sound = "to the bit" if row["to_the_bit"] else row["why_not"]
        print(f"{row['method']}, seed {row['seed']}, {row['stragglers']}: {sound}", flush=True)
    methods = by_method(rows)
    for row in methods:
        print(
            f"{row['method']}: {row['to_the_bit']} of {row['runs']} runs to the bit, {row['orders']} orders; "
            f"{row['recording_s']:.2f} s to record, {row['verifying_s']:.2f} s to verify"
        )
    if given.write:
        report = {"device": identity("cpu"), "updates": given.updates, "methods": methods, "runs": rows}
        given.write.parent.mkdir(parents=True, exist_ok=True)
        given.write.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
