"""Recorded asynchronous runs on real processes: how many replay to the bit, and how much slower recording is to watch.

Each method is run several times with injected stragglers, under another seed each time; every version has a checksum.
Reported are the runs whose weights follow from their timelines, the different orders among them, and seconds.

    python benchmarks/real_runs.py [--each 10] [--write reference/real_runs_benchmark.json]
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from rebuttal.devices import identity
from rebuttal.errors import RunError
from rebuttal.processes.launcher import record
from rebuttal.processes.verification import verify

#: Name -> (options, workers): nodes are at most 4.
METHODS: dict[str, tuple[dict[str, Any], int]] = {
    "asynchronous": ({}, 3),
    "softsync": ({"n": 2}, 3),
    "backup_workers": ({"b": 1}, 3),
    "delayed_all_reduce": ({"k": 2}, 3),
    "continuous_propagation": ({}, 3),
}


def measure(name: str, each: int, updates: int) -> dict[str, Any]:
    """Record and verify one method, `each` times."""
    options, workers = METHODS[name]
    orders, sound, recording_s, verifying_s = set(), 0, 0.0, 0.0
    for seed in range(each):
        began = time.perf_counter()
        timeline = record(
            name, options=options, workers=workers, updates=updates, workload="digits_deep", learning_rate=0.02,
            seed=seed, stragglers="exponential", pace_s=0.001, checksums_every=1,
        )  # fmt: skip
        recorded = time.perf_counter()
        orders.add(timeline.order.key)
        try:
            verify(timeline)
            sound += 1
        except RunError as error:
            print(f"{name}, seed {seed}: {error}")
        recording_s += recorded - began
        verifying_s += time.perf_counter() - recorded
    found = {"method": name, "runs": each, "to_the_bit": sound, "orders": len(orders), "updates": updates}
    return found | {"recording_s": recording_s / each, "verifying_s": verifying_s / each}


def main() -> None:
    """Print a line for each method, and write them if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--each", type=int, default=10)
    parser.add_argument("--updates", type=int, default=60)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    rows = [measure(name, given.each, given.updates) for name in METHODS]
    for row in rows:
        print(
            f"{row['method']}: {row['to_the_bit']} of {row['runs']} runs to the bit, {row['orders']} orders; "
            f"{row['recording_s']:.2f} s to record, {row['verifying_s']:.2f} s to verify"
        )
    if given.write:
        report = {"device": identity("cpu"), "methods": rows}
        given.write.parent.mkdir(parents=True, exist_ok=True)
        given.write.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
