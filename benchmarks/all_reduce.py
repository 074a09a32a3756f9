"""Seconds per update of data-parallel SGD on processes of this host: ours, recorded, against DistributedDataParallel.

All train the same model on the same batches, one thread each, on the same cores, and take turns; medians over all steps
are reported. Ours notes everything it does, and sums in a fixed order; PyTorch's does neither.

    python benchmarks/all_reduce.py [--rounds 3] [--write reference/all_reduce_benchmark.json]
"""

import argparse
import functools
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rebuttal.base.devices import identity
from rebuttal.processes.launcher import forking, record
from rebuttal.processes.pinning import quiet_cores
from rebuttal.processes.pytorch_baselines import train

NODES, BATCH, RATE, WARM_UP = 2, 32, 0.02, 20


def ours(name: str, updates: int, **given: Any) -> np.ndarray:
    """When each update of a method was made."""
    return record(name, updates=updates, checksums_every=updates, **given).updates["time_s"]


def theirs(name: str, **given: Any) -> np.ndarray:
    """The same of what PyTorch ships."""
    return train(name, **given).times_s


RUNS: dict[str, Callable[..., np.ndarray]] = {
    "all_reduce": functools.partial(ours, "all_reduce"),
    "bucketed": functools.partial(ours, "bucketed"),
    "ddp": functools.partial(theirs, "ddp"),
    "ddp_fp16": functools.partial(theirs, "ddp_fp16"),
}


def main() -> None:
    """Print the comparison for each workload, and write it if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--workloads", nargs="+", default=["digits_mlp", "digits_cnn"])
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    forking("rebuttal.processes.pytorch_baseline_node")
    found = {}
    for workload in given.workloads:
        steps_s: dict[str, list[float]] = {name: [] for name in RUNS}
        for _ in range(given.rounds):
            cores = quiet_cores()
            for name, run in RUNS.items():
                times_s = run(
                    workload=workload, workers=NODES, updates=given.steps, learning_rate=RATE, batch=BATCH, cores=cores
                )  # fmt: skip
                steps_s[name] += np.diff(times_s)[WARM_UP:].tolist()
        found[workload] = {name: 1e3 * statistics.median(steps) for name, steps in steps_s.items()}
        found[workload]["ours_over_ddp"] = found[workload]["all_reduce"] / found[workload]["ddp"]
        print(f"{workload}: " + ", ".join(f"{name} {value:.2f}" for name, value in found[workload].items()))
    if given.write:
        report = {"device": identity("cpu"), "nodes": NODES, "batch": BATCH, "ms_per_update": found}
        given.write.parent.mkdir(parents=True, exist_ok=True)
        given.write.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
