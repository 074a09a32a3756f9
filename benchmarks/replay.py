"""Seconds per gradient: replay against the loop that a good PyTorch user would write, in one run.

The work: an asynchronous parameter server with 16 workers, 5 seeds, 5 learning rates, 200 updates each, exact stale
weights. The loop is SimPy, nn.Module and torch.optim, one run after the other. Replay is timed whole (virtual clock,
graph, merging, values) and by parts. CPU seconds of one thread; the two take turns, and medians are reported. Nothing
is compiled. Both evaluate nothing but the end.

    python benchmarks/replay.py [--rounds 5] [--write reference/replay_benchmark.json]
"""

import argparse
import json
import statistics
import time
from collections.abc import Generator
from pathlib import Path

import simpy
import torch

from rebuttal.base.devices import identity
from rebuttal.base.seeding import generator
from rebuttal.machines import MACHINES
from rebuttal.machines.costs import Costs
from rebuttal.replaying.engine import Job, Replayer
from rebuttal.replaying.probe import measure
from rebuttal.simulation.simulate import simulate
from rebuttal.workloads import load
from rebuttal.workloads.batches import batch_indices
from rebuttal.workloads.workload import Workload

SEEDS, RATES, WORKERS, UPDATES, BATCH = range(5), (0.01, 0.02, 0.04, 0.06, 0.08), 16, 200, 32
RUNS = len(SEEDS) * len(RATES)
COSTS = Costs("benchmark", 1, 4, BATCH, 1, ("all",), {BATCH: (0.5,)}, {BATCH: (0.5,)}, 0.0)


def user_loop(workload: Workload, seed: int, rate: float) -> torch.nn.Module:
    """One run of asynchronous SGD as a PyTorch user would write it on SimPy."""
    clock, x, y = simpy.Environment(), *workload.splits["training"]
    server = workload.module(workload.start(seed))
    optimizer = torch.optim.SGD(server.parameters(), lr=rate)
    finished, updates = clock.event(), 0

    def worker(k: int) -> Generator[simpy.Event, None, None]:
        nonlocal updates
        model = workload.module()
        rows = torch.from_numpy(
            batch_indices(workload.training_size, BATCH, seed, k, 4 * UPDATES // WORKERS + 20)
        )
        waits = generator(seed, "stragglers", k).lognormal(0, 0.25, len(rows))
        for row, wait in zip(rows, waits, strict=True):
            with torch.no_grad():
                for own, fresh in zip(model.parameters(), server.parameters(), strict=True):
                    own.copy_(fresh)
            yield clock.timeout(wait)
            model.zero_grad()
            workload.loss(model(x[row]), y[row]).backward()
            for own, fresh in zip(model.parameters(), server.parameters(), strict=True):
                fresh.grad = own.grad
            optimizer.step()
            updates += 1
            if updates == UPDATES:
                finished.succeed()

    for k in range(WORKERS):
        clock.process(worker(k))
    clock.run(until=finished)
    return server


def batched(workload: Workload, replayer: Replayer) -> dict[str, float]:
    """The same work by replay: CPU seconds of its parts."""
    began = time.process_time()
    machine = MACHINES["ethernet_10g"]
    runs = [
        simulate("asynchronous", machine=machine, workers=WORKERS, seed=s, updates=UPDATES, costs=COSTS)
        for s in SEEDS
    ]
    simulated = time.process_time()
    orders = [replayer.prepare(run.order) for run in runs]
    merged = time.process_time()
    jobs = [Job(order, (seed,), RATES, (UPDATES,)) for seed, order in zip(SEEDS, orders, strict=True)]
    replayer.run_together(jobs)
    done = time.process_time()
    return {"clock_s": simulated - began, "graph_s": merged - simulated, "values_s": done - merged}


def compare(name: str, rounds: int, data_root: str | None) -> dict[str, float | str]:
    """Medians over interleaved rounds, in microseconds per gradient."""
    workload = load(name, data_root)
    began = time.process_time()
    table = measure(workload, BATCH, [1])
    probe_s = time.process_time() - began
    replayer = Replayer(workload, batch=BATCH, table=table, splits=("test",))
    loops, replays = [], []
    for number in range(rounds + 1):  # the first round warms up
        began = time.process_time()
        runs = [(seed, rate) for seed in SEEDS for rate in RATES][:: max(1, RUNS // 5)]
        for seed, rate in runs:
            user_loop(workload, seed, rate)
        loop_s = (time.process_time() - began) / len(runs)
        parts = batched(workload, replayer)
        if number:
            loops.append(loop_s / UPDATES * 1e6)
            replays.append({part: s / RUNS / UPDATES * 1e6 for part, s in parts.items()})
    loop = statistics.median(loops)
    total = statistics.median(sum(parts.values()) for parts in replays)
    return {
        "loop_us": loop,
        "replay_us": total,
        "times_as_fast": loop / total,
        "least_times_as_fast": min(a / sum(b.values()) for a, b in zip(loops, replays, strict=True)),
        "probe_s": probe_s,
        "executor": "{} x {}".format(*table.choose(1, 64)),
        **{part.replace("_s", "_us"): statistics.median(row[part] for row in replays) for part in replays[0]},
    }


def main() -> None:
    """Print the comparison for each workload, and write it if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workloads", nargs="+", default=["digits_mlp", "digits_cnn"])
    parser.add_argument("--data-root", help="where MNIST is, for --workloads mnist_cnn")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = {name: compare(name, given.rounds, given.data_root) for name in given.workloads}
    for name, row in found.items():
        print(
            f"{name}: loop {row['loop_us']:.0f} us, replay {row['replay_us']:.0f} us per gradient:", end=" "
        )
        print(f"{row['times_as_fast']:.1f} times as fast ({row['executor']})")
    if given.write:
        given.write.parent.mkdir(parents=True, exist_ok=True)
        report = {"device": identity("cpu"), "rounds": given.rounds, "workloads": found}
        given.write.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
