"""Which executor serves how many replicas best, measured once for each workload and device.

The choice rests on a table of measured seconds, not on a clock read in mid-run, so that a replay repeats to the bit
as long as the table is the same. The pipeline's profile stage writes the table to a file.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from rebuttal.errors import InputError, refuse
from rebuttal.replay.executors import Executor, executors_for
from rebuttal.workloads.workload import Workload

SIZES = (1, 2, 4, 8, 16, 32, 64)
NEARLY = 1.1  # what counts as equally fast: repeated measurements differ by about as much
LONGEST_S = 0.25  # a size that takes longer than this for one call is the last one tried


@dataclass(frozen=True)
class Table:
    """Seconds per gradient: batches per gradient -> executor name -> replicas per call -> seconds."""

    seconds: Mapping[int, Mapping[str, Mapping[int, float]]]

    def choose(self, batches: int, replicas: int) -> tuple[str, int]:
        """(executor, replicas per call) for this many replicas of gradients over this many batches.

        A number of batches that was not measured is served as the nearest one that was. The loop is replaced only
        by what was faster; of sizes that are nearly as fast as the best, the largest is taken (fewer calls).
        """
        nearest = min(self.seconds, key=lambda measured: (abs(measured - batches), measured))
        fit = {
            (name, size): seconds
            for name, by_size in self.seconds[nearest].items()
            for size, seconds in by_size.items()
            if size <= replicas
        }
        best = min(fit, key=lambda which: (fit[which], which))
        near = [which for which in fit if which[0] == best[0] and fit[which] <= NEARLY * fit[best]]
        return max(near, key=lambda which: which[1])

    def calls(self, batches: int, replicas: int) -> tuple[str, int]:
        """(executor, number of calls) for this many replicas: about the best size each, evenly cut."""
        name, size = self.choose(batches, replicas)
        return name, max(1, round(replicas / size))

    def widest(self, batches: int) -> int:
        """The number of replicas per call beyond which nothing is gained."""
        return self.choose(batches, max(SIZES))[1]


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


def write_tables(tables: Mapping[str, Table], path: Path) -> None:
    """Write tables by workload name to `path` (.json); the file appears whole or not at all."""
    temporary = path.with_name(path.name + ".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.write_text(json.dumps({name: table.seconds for name, table in tables.items()}, indent=1) + "\n")
    os.replace(temporary, path)


def read_table(path: Path, workload: str) -> Table:
    """The table of one workload. Raises InputError for a missing or broken file, or a workload that is not in it."""
    try:
        stored = json.loads(path.read_text())[workload]
        seconds = {
            int(batches): {
                name: {int(size): float(s) for size, s in by_size.items()} for name, by_size in rows.items()
            }
            for batches, rows in stored.items()
        }
        least = min(rows["loop"][1] for rows in seconds.values())  # KeyError, ValueError: not such a table
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        allowed = f"a file that `dvc repro profile` writes, with workload {workload!r}"
        raise InputError(f"executors {path}: got {error!r}; allowed: {allowed}") from error
    if not least > 0:
        raise refuse(f"executors {path}: seconds of the loop", least, "a positive number")
    return Table(seconds)
