"""The virtual cluster alone: seconds, cost per gradient and memory for 10, 100 and 1,000 workers.

Each worker computes 100 gradients, on a machine with stragglers and links. CPU seconds of one thread.

    python benchmarks/virtual_cluster.py [--write reference/virtual_cluster_benchmark.json]
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from rebuttal.base.devices import cpu_model
from rebuttal.machines import MACHINES
from rebuttal.simulation.simulate import simulate
from rebuttal.simulation.timeline_metrics import summary

EACH = 100
PEAK_UNIT = 1024 if sys.platform == "linux" else 1


def measure(method: str, workers: int) -> dict[str, Any]:
    """One run, in which every worker computes EACH gradients."""
    began = time.process_time()
    updates = EACH if method == "synchronous" else EACH * workers
    timeline = simulate(method, machine=MACHINES["paper_cluster"], workers=workers, updates=updates)
    taken = time.process_time() - began
    gradients = summary(timeline)["gradients_computed"]
    return {
        "method": method,
        "workers": workers,
        "gradients": gradients,
        "cpu_s": taken,
        "us_per_gradient": taken / gradients * 1e6,
        "messages": len(timeline.messages["source"]),
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT,
    }


def main() -> None:
    """Print one row per run, and write them if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    measure("synchronous", 10)  # warm
    rows = [
        measure(method, workers) for method in ("synchronous", "asynchronous") for workers in (10, 100, 1000)
    ]
    for row in rows:
        print(
            f"{row['method']:13} {row['workers']:5} workers: {row['cpu_s']:6.2f} s,"
            f" {row['us_per_gradient']:5.0f} us per gradient, peak {row['peak_memory_bytes'] / 2**20:.0f} MiB"
        )
    if given.write:
        given.write.parent.mkdir(parents=True, exist_ok=True)
        given.write.write_text(json.dumps({"cpu": cpu_model(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
