"""Seconds per update of data-parallel SGD on two processes: ours, recorded, against DistributedDataParallel on gloo.

Both train the same model on batches of the same size, one thread each, and take turns; medians over all steps are
reported. Ours notes everything it does, and sums in a fixed order; PyTorch's does neither.

    python benchmarks/all_reduce.py [--rounds 3] [--write reference/all_reduce_benchmark.json]
"""

import argparse
import json
import statistics
import tempfile
import time
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import numpy as np
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from rebuttal.devices import identity
from rebuttal.processes.launcher import forking, record
from rebuttal.workloads import load
from rebuttal.workloads.batches import batch_indices

NODES, BATCH, RATE, WARM_UP = 2, 32, 0.02, 20


def theirs(rank: int, name: str, steps: int, file: str, answers: SimpleQueue) -> None:
    """One process of DistributedDataParallel; the first one answers with the seconds of each step."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=NODES)
    workload = load(name)
    model = DistributedDataParallel(workload.module(workload.start(0)))
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    x, y = workload.splits["training"]
    rows = torch.from_numpy(batch_indices(workload.training_size, BATCH, 0, rank, steps))
    ends = [time.monotonic()]
    for row in rows:
        optimizer.zero_grad()
        workload.loss(model(x[row]), y[row]).backward()
        optimizer.step()
        ends.append(time.monotonic())
    if rank == 0:
        answers.put(np.diff(ends)[WARM_UP:].tolist())
    distributed.barrier()
    distributed.destroy_process_group()


def their_seconds(name: str, steps: int) -> list[float]:
    """Of each step of DistributedDataParallel."""
    context = forking()
    answers = context.SimpleQueue()
    with tempfile.TemporaryDirectory() as folder:
        arguments = (name, steps, f"{folder}/store", answers)
        nodes = [context.Process(target=theirs, args=(rank, *arguments)) for rank in range(NODES)]
        for node in nodes:
            node.start()
        found = answers.get()
        for node in nodes:
            node.join()
    return found


def our_seconds(name: str, steps: int) -> list[float]:
    """Of each update of `all_reduce`."""
    timeline = record(
        "all_reduce", workload=name, workers=NODES, updates=steps, learning_rate=RATE, checksums_every=steps
    )
    return np.diff(timeline.updates["time_s"])[WARM_UP:].tolist()


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
    found = {}
    for name in given.workloads:
        ours, ddp = [], []
        for _ in range(given.rounds):
            ours += our_seconds(name, given.steps)
            ddp += their_seconds(name, given.steps)
        found[name] = {"ours_ms": 1e3 * statistics.median(ours), "ddp_ms": 1e3 * statistics.median(ddp)}
        print(
            f"{name}: ours {found[name]['ours_ms']:.2f} ms, DistributedDataParallel {found[name]['ddp_ms']:.2f} ms"
        )
    if given.write:
        report = {"device": identity("cpu"), "nodes": NODES, "batch": BATCH, "workloads": found}
        given.write.parent.mkdir(parents=True, exist_ok=True)
        given.write.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
