"""Seconds per gradient: replay against the fastest plain loop that we know, in one run.

The work: an asynchronous parameter server with 16 workers, 5 seeds, 7 learning rates, 200 updates each, exact stale
weights, and losses and accuracies on three splits at 21 points. The loop is SimPy, nn.Module, autograd.grad and torch's
operations on lists of tensors, one run after the other (with `--optimizer` it steps by backward() and torch.optim.SGD).
Replay is timed whole (virtual clock, graph, merging, values and evaluation) and by parts: with a table of executors
that is kept, and at first use, when it measures the executors first. Code is compiled once for all processes;
how long compiling or loading took is a line of its own. CPU seconds of one thread; the two take turns, and
medians are reported.

    python benchmarks/replay.py [--rounds 5] [--write reference/replay_benchmark.json]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Generator
from pathlib import Path

import simpy
import torch

from rebuttal.base.devices import identity
from rebuttal.base.seeding import generator
from rebuttal.machines import MACHINES
from rebuttal.machines.costs import Costs
from rebuttal.replaying.curves import points_of
from rebuttal.replaying.engine import Job, Replayer
from rebuttal.replaying.executor_table import Table
from rebuttal.replaying.executors import executors_for
from rebuttal.replaying.probe import measure
from rebuttal.simulation.simulate import simulate
from rebuttal.workloads import load
from rebuttal.workloads.batches import batch_indices
from rebuttal.workloads.workload import Workload

SEEDS, RATES, WORKERS, UPDATES, BATCH = range(5), (0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1), 16, 200, 32
POINTS = points_of(UPDATES, 21)
TRAINING_SAMPLES = 128  # of the training split that are evaluated
LOOPS = 5  # of the runs, which the loop computes in one round
RUNS = len(SEEDS) * len(RATES)
Step = Callable[[list[torch.Tensor], torch.Tensor], None]  # of a worker's weights and its loss
COSTS = Costs("benchmark", 1, 4, BATCH, 1, ("all",), {BATCH: (0.5,)}, {BATCH: (0.5,)}, 0.0)


def user_loop(workload: Workload, seed: int, rate: float, *, optimizer: bool = False) -> list[float]:
    """One run of asynchronous SGD as a PyTorch user would write it on SimPy; its losses and accuracies."""
    clock, (x, y) = simpy.Environment(), workload.splits["training"]
    server = workload.module(workload.start(seed))
    weights: list[torch.Tensor] = list(server.parameters())
    step = by_optimizer(weights, rate) if optimizer else by_lists(weights, rate)
    finished, updates, curve = clock.event(), 0, evaluated(workload, server)

    def worker(k: int) -> Generator[simpy.Event, None, None]:
        nonlocal updates
        model = workload.module()
        own: list[torch.Tensor] = list(model.parameters())
        rows = torch.from_numpy(
            batch_indices(workload.training_size, BATCH, seed, k, 4 * UPDATES // WORKERS + 20)
        )
        waits = generator(seed, "stragglers", k).lognormal(0, 0.25, len(rows))
        for row, wait in zip(rows, waits, strict=True):
            with torch.no_grad():
                torch._foreach_copy_(own, weights)  # pyright: ignore[reportPrivateImportUsage]
            yield clock.timeout(wait)
            step(own, workload.loss(model(x[row]), y[row]))
            updates += 1
            if updates in POINTS:
                curve.extend(evaluated(workload, server))
            if updates == UPDATES:
                finished.succeed()

    for k in range(WORKERS):
        clock.process(worker(k))
    clock.run(until=finished)
    return curve


def by_lists(weights: list[torch.Tensor], rate: float) -> Step:
    """A step of the server's weights by autograd.grad and one operation on the list of tensors."""

    def step(own: list[torch.Tensor], loss: torch.Tensor) -> None:
        gradients = torch.autograd.grad(loss, own)
        with torch.no_grad():
            torch._foreach_add_(weights, gradients, alpha=-rate)  # pyright: ignore[reportPrivateImportUsage]

    return step


def by_optimizer(weights: list[torch.Tensor], rate: float) -> Step:
    """A step of the server's weights by backward() and torch.optim."""
    optimizer = torch.optim.SGD(weights, lr=rate)

    def step(own: list[torch.Tensor], loss: torch.Tensor) -> None:
        for parameter in own:
            parameter.grad = None
        loss.backward()
        for parameter, fresh in zip(own, weights, strict=True):
            fresh.grad = parameter.grad
        optimizer.step()

    return step


def evaluated(workload: Workload, model: torch.nn.Module) -> list[float]:
    """Loss and metric on each split."""
    found = []
    with torch.no_grad():
        for name, (x, y) in workload.splits.items():
            some = slice(TRAINING_SAMPLES if name == "training" else None)
            outputs = model(x[some])
            found += [workload.loss(outputs, y[some]).item(), workload.metric(outputs, y[some]).item()]
    return found


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
    jobs = [Job(order, (seed,), RATES, tuple(POINTS)) for seed, order in zip(SEEDS, orders, strict=True)]
    replayer.run_together(jobs)
    done = time.process_time()
    return {"clock_s": simulated - began, "graph_s": merged - simulated, "values_s": done - merged}


def compare(name: str, rounds: int, data_root: str | None, *, optimizer: bool) -> dict[str, float | str]:
    """Medians over interleaved rounds, in microseconds per gradient."""
    workload = load(name, data_root)
    compiled_s = prepared(workload)
    began = time.process_time()
    table = measure(workload, BATCH, [1])
    probe_s = time.process_time() - began
    replayer = Replayer(workload, batch=BATCH, table=table, training_samples=TRAINING_SAMPLES)
    loops, replays = [], []
    for number in range(rounds + 1):  # the first round warms up
        began = time.process_time()
        runs = [(seed, rate) for seed in SEEDS for rate in RATES][:: RUNS // LOOPS][:LOOPS]
        for seed, rate in runs:
            user_loop(workload, seed, rate, optimizer=optimizer)
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
        "first_use_times_as_fast": loop / (total + probe_s / RUNS / UPDATES * 1e6),
        "probe_s": probe_s,
        "compile_s": compiled_s,
        "executor": "{} x {}".format(*table.choose(1, 64)),
        **{part.replace("_s", "_us"): statistics.median(row[part] for row in replays) for part in replays[0]},
    }


def prepared(workload: Workload) -> float:
    """CPU seconds until compiled code is there: to import numba, and to compile or to load what is kept."""
    began = time.process_time()
    if any(executor.name == "compiled" for executor in executors_for(workload)):
        preferred = Table({BATCH: {"loop": {1: 2.0}, "compiled": {1: 1.0}}}, BATCH)
        order = simulate("mini_batch", machine="ideal", workers=1, updates=1, costs=COSTS).order
        Replayer(workload, batch=BATCH, table=preferred).run(order, [0], [0.1], [1])
    return time.process_time() - began


def main() -> None:
    """Print the comparison for each workload, and write it if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workloads", nargs="+", default=["digits_mlp", "digits_cnn"])
    parser.add_argument("--data-root", help="where MNIST is, for --workloads mnist_cnn")
    parser.add_argument("--optimizer", action="store_true", help="the loop steps by torch.optim")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = {
        name: compare(name, given.rounds, given.data_root, optimizer=given.optimizer)
        for name in given.workloads
    }
    for name, row in found.items():
        print(
            f"{name}: loop {row['loop_us']:.0f} us, replay {row['replay_us']:.0f} us per gradient:", end=" "
        )
        print(f"{row['times_as_fast']:.1f} times as fast ({row['executor']}),", end=" ")
        print(
            f"{row['first_use_times_as_fast']:.1f} at first use; {row['compile_s']:.1f} s to compile or load"
        )
    if given.write:
        given.write.parent.mkdir(parents=True, exist_ok=True)
        report = {"device": identity("cpu"), "rounds": given.rounds, "workloads": found}
        given.write.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
