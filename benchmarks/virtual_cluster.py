"""The virtual clock alone: seconds, cost of an update and of an event, and memory, from 16 to 5,000 workers.

Each worker computes 100 gradients, on a machine with stragglers and links. An event is a row of the record: a
computation, a message or a version. CPU seconds of one thread, the median of interleaved repeats, beside what as many
pushes and pops of a heap take: the least that a clock in Python can cost on this host.

    python benchmarks/virtual_cluster.py [--repeats 3] [--write reference/virtual_cluster_benchmark.json]
"""

import argparse
import heapq
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from rebuttal.base.devices import cpu_model
from rebuttal.core.timeline import Timeline
from rebuttal.machines import MACHINES
from rebuttal.simulation.simulate import simulate
from rebuttal.simulation.timeline_metrics import summary

EACH = 100
RUNS = [("synchronous", 1000), *(("asynchronous", workers) for workers in (16, 1000, 5000))]
PEAK_UNIT = 1024 if sys.platform == "linux" else 1


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of some work, and what it gave."""
    began = time.process_time()
    made = work()
    return time.process_time() - began, made


def run(method: str, workers: int) -> Timeline:
    """One run, in which every worker computes EACH gradients."""
    updates = EACH if method == "synchronous" else EACH * workers
    return simulate(method, machine=MACHINES["paper_cluster"], workers=workers, updates=updates)


def heap(workers: int, events: int) -> None:
    """So many events of so many workers, with nothing done at any of them."""
    queue = [(float(worker), worker) for worker in range(workers)]
    for number in range(workers, workers + events):
        time_s, _ = heapq.heappop(queue)
        heapq.heappush(queue, (time_s + 1.5, number))


def measure(method: str, workers: int) -> dict[str, Any]:
    """One run, its summary, and a heap of as many events."""
    clock_s, timeline = seconds(lambda: run(method, workers))
    summary_s, found = seconds(lambda: summary(timeline))
    tables = (timeline.computes["node"], timeline.messages["source"], timeline.updates["node"])
    events = sum(map(len, tables))
    heap_s, _ = seconds(lambda: heap(workers, events))
    return {
        "updates": found["updates"],
        "gradients": found["gradients_computed"],
        "events": events,
        "clock_s": clock_s,
        "summary_s": summary_s,
        "heap_s": heap_s,
    }


def main() -> None:
    """Print one row per run, and write them if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    first_s, _ = seconds(lambda: summary(run("synchronous", 16)))
    print(f"the first short run of a process, with its summary: {first_s:.2f} s")
    measured = [[measure(*one) for one in RUNS] for _ in range(given.repeats)]
    rows = []
    for (method, workers), repeats in zip(RUNS, zip(*measured, strict=True), strict=True):
        row = {name: median(one[name] for one in repeats) for name in repeats[0]}
        row |= {"us_per_event": row["clock_s"] / row["events"] * 1e6}
        rows.append({"method": method, "workers": workers, **row})
        print(
            f"{method:12} {workers:5} workers, {row['updates']:6} updates: {row['clock_s']:6.2f} s,"
            f" {row['clock_s'] / row['updates'] * 1e6:7.1f} us per update, {row['us_per_event']:5.2f} per event"
            f" ({row['clock_s'] / row['heap_s']:.0f} times a heap's); summary {row['summary_s']:.2f} s"
        )
    few, many = (row for row in rows if row["workers"] in (16, 5000))
    growth = many["us_per_event"] / few["us_per_event"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT
    print(f"an event costs {growth:.2f} times as much with 5,000 workers as with 16")
    print(f"peak memory, with 5,000 workers: {peak / 2**20:.0f} MiB")
    if given.write:
        given.write.parent.mkdir(parents=True, exist_ok=True)
        found = {"cpu": cpu_model(), "repeats": given.repeats, "first_s": first_s, "growth": growth}
        found |= {"peak_memory_bytes": peak, "rows": rows}
        given.write.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
