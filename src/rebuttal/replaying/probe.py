"""Which executor serves how many replicas best, measured once for each workload and device."""

import time
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from rebuttal.replaying.executors import Executor, executors_for
from rebuttal.replaying.table import SIZES, Table
from rebuttal.workloads.workload import Workload

LONGEST_S = 0.25  # a size that takes longer than this for one call is the last one tried


def measure(workload: Workload, batch: int, batches: Iterable[int], repeats: int = 3) -> Table:
    """Probe every executor of the workload on this device, one thread, at each number of batches."""
    executors = executors_for(workload)
    return Table({n: _measure_batches(workload, executors, batch * n, repeats) for n in batches})


def _measure_batches(
    workload: Workload, executors: list[Executor], samples: int, repeats: int
) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    for executor in executors:
        for size in (1,) if executor.name == "loop" else SIZES:
            arguments = _example(workload, size, samples)
            found.setdefault(executor.name, {})[size] = _per_gradient_s(
                executor.gradients, arguments, repeats
            )
            if found[executor.name][size] * size > LONGEST_S:
                break
    return found


def _example(workload: Workload, replicas: int, samples: int) -> tuple[Tensor, Tensor, Tensor]:
    """Replicas of the first weights, all on the same batch (groups cost at most a copy of the batch more)."""
    x, y = workload.splits["training"]
    rows = torch.arange(samples, device=workload.device) % len(x)
    return workload.start(0).expand(replicas, -1).contiguous(), x[rows].unsqueeze(0), y[rows].unsqueeze(0)


def _per_gradient_s(serve: Callable[..., Tensor], arguments: tuple[Tensor, ...], repeats: int) -> float:
    serve(*arguments)  # warm: allocations, tracing
    inner = 1 + int(0.02 / max(1e-6, seconds_of(serve, *arguments)))
    taken = [seconds_of(lambda: [serve(*arguments) for _ in range(inner)]) for _ in range(repeats)]
    return min(taken) / inner / len(arguments[0])


def seconds_of(call: Callable, *arguments: Tensor) -> float:
    """CPU seconds of this thread for one call (a busy neighbour does not count); wall seconds where there is a GPU."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        begin = time.perf_counter()
        call(*arguments)
        torch.cuda.synchronize()
        return time.perf_counter() - begin
    begin = time.thread_time()
    call(*arguments)
    return time.thread_time() - begin
