"""Which executor serves how many replicas best, measured once for each workload and device."""

import math
import time
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from rebuttal.replaying.executor_table import SIZES, Table
from rebuttal.replaying.executors import Executor, executors_for
from rebuttal.workloads.workload import Workload

SAMPLES = (1, 4, 16, 64, 256)  # of one gradient, at which a device is probed once for all studies
LONGEST_S = 0.25  # a size that takes longer than this for one call is the last one tried
WORTH_S = 30.0  # of work, from which on compiled code pays: it is loaded in a second, and compiled once in some twenty
LARGE_S = 0.03  # a gradient that takes longer alone keeps the device busy: it is served by the loop
TRIED = {
    "loop": (1,),
    "compiled": (1, 32),  # one replica after the other: more in a call hide what a call costs
    "vectorised": (2, 8, 32),
}  # in the place of SIZES: each shape that is traced takes seconds


def measure(
    workload: Workload, batch: int, batches: Iterable[int], repeats: int = 3, gradients: float = math.inf
) -> Table:
    """Probe every executor of the workload on this device, one thread, at each number of batches.

    gradients: how many are to be computed. Compiled code is not tried for a work of less than WORTH_S by the loop.
    """
    return Table({batch * n: row for n, row in _rows(workload, batch, batches, repeats, gradients)}, batch)


def measure_samples(workload: Workload, samples: Iterable[int] = SAMPLES) -> Table:
    """Probe at these numbers of samples, up to the first at which one gradient takes longer than LONGEST_S."""
    found = {}
    for n, row in _rows(workload, 1, samples):
        found[n] = row
        if row["loop"][1] > LONGEST_S:
            break
    return Table(found)


def _rows(
    workload: Workload, batch: int, batches: Iterable[int], repeats: int = 3, gradients: float = math.inf
) -> Iterator[tuple[int, dict[str, dict[int, float]]]]:
    """(number of batches, seconds by executor and replicas) one after the other."""
    executors = executors_for(workload)
    for n in batches:
        yield n, _row(workload, executors, batch * n, repeats, gradients)


def _row(
    workload: Workload, executors: list[Executor], samples: int, repeats: int, gradients: float
) -> dict[str, dict[int, float]]:
    """Seconds of a gradient by executor and replicas; of the loop alone where its gradients are large."""
    found: dict[str, dict[int, float]] = {}
    for executor in executors:
        if executor.name != "loop" and found["loop"][1] > LARGE_S:
            break
        if executor.name == "compiled" and found["loop"][1] * gradients < WORTH_S:
            break
        found[executor.name] = {}
        for size in TRIED.get(executor.name, SIZES):
            arguments = _example(workload, size, samples)
            try:
                seconds = _per_gradient_s(executor.gradients, arguments, repeats)
            except RuntimeError:
                if executor.name == "loop":
                    raise
                break  # torch has no rule for one of the layers over several replicas: the loop serves it
            found[executor.name][size] = seconds
            if seconds * size > LONGEST_S:
                break
    return found


def _example(workload: Workload, replicas: int, samples: int) -> tuple[Tensor, Tensor, Tensor]:
    """Replicas of the first weights, all on the same batch (groups cost at most a copy of the batch more)."""
    x, y = workload.splits["training"]
    rows = torch.arange(samples, device=workload.device) % len(x)
    return workload.start(0).expand(replicas, -1).contiguous(), x[rows].unsqueeze(0), y[rows].unsqueeze(0)


def _per_gradient_s(serve: Callable[..., Tensor], arguments: tuple[Tensor, ...], repeats: int) -> float:
    device = arguments[0].device
    serve(*arguments)  # warm: allocations, tracing
    inner = 1 + int(0.02 / max(1e-6, seconds_of(device, lambda: serve(*arguments))))
    taken = [seconds_of(device, lambda: [serve(*arguments) for _ in range(inner)]) for _ in range(repeats)]
    return min(taken) / inner / len(arguments[0])


def seconds_of(device: torch.device, call: Callable[[], object]) -> float:
    """Seconds of one call: CPU seconds of this thread (a busy neighbour does not count), or wall seconds on a GPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        begin = time.perf_counter()
        call()
        torch.cuda.synchronize(device)
        return time.perf_counter() - begin
    begin = time.thread_time()
    call()
    return time.thread_time() - begin
