"""As many processes as cores, one thread each, with progress and an estimate of what is left."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from joblib import Parallel, delayed

from rebuttal.lifeline import tie_to_parent
from rebuttal.studies.provenance import say

REPORT_EVERY_S = 2.0


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(
    function: Callable[..., Any], tasks: Sequence[tuple], title: str, weights: Sequence[float] | None = None
) -> list[Any]:
    """`[function(*task) for task in tasks]`, in parallel, heaviest first; results in the order of the tasks.

    `weights` are relative costs, for the order and for the estimate (default: all equal). One task, or one core,
    runs in this process.
    """
    costs = list(weights or [1.0] * len(tasks))
    order = sorted(range(len(tasks)), key=lambda number: -costs[number])
    progress = _Progress(title, costs)
    found: dict[int, Any] = {}
    for number, value in _computed(function, tasks, order):
        found[number] = value
        progress.done(number)
    return [found[number] for number in range(len(tasks))]


def _computed(
    function: Callable[..., Any], tasks: Sequence[tuple], order: Sequence[int]
) -> Iterable[tuple[int, Any]]:
    """(number, result) of each task, as they come."""
    processes = min(cores(), len(tasks))
    if processes <= 1:
        return ((number, function(*tasks[number])) for number in order)
    # batch_size: a task is seconds of work, and one that waits in another's batch would idle a core
    pool: Any = Parallel(processes, backend="loky", return_as="generator_unordered", batch_size=cast(str, 1))
    return pool(delayed(_numbered)(function, number, tasks[number]) for number in order)


def _numbered(function: Callable[..., Any], number: int, task: tuple) -> tuple[int, Any]:
    """Runs in a worker, which must not outlive the process that asked."""
    tie_to_parent()
    return number, function(*task)


class _Progress:
    """Prints how far a list of tasks is, at most every REPORT_EVERY_S."""

    def __init__(self, title: str, costs: Sequence[float]) -> None:
        self._title, self._costs, self._total = title, costs, sum(costs)
        self._done, self._count = 0.0, 0
        self._began = self._said = time.monotonic()

    def done(self, number: int) -> None:
        """One more task is done."""
        self._count += 1
        self._done += self._costs[number]
        now = time.monotonic()
        last = self._count == len(self._costs)
        if last or now - self._said >= REPORT_EVERY_S:
            self._said = now
            taken = now - self._began
            left = taken * (self._total / self._done - 1) if self._done else 0.0
            say(
                f"{self._title}: {self._count} of {len(self._costs)} runs, {taken:.0f} s, about {left:.0f} s left"
            )
