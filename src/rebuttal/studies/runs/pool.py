"""As many processes as cores, one thread each, or a grid's workers; with progress and an estimate of what is left."""

import contextlib
import functools
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from typing import Any

from rebuttal.base import host_lease
from rebuttal.base.parent_death import OWNER, tie_to_parent
from rebuttal.studies import warm
from rebuttal.studies.params.engine_choice import LOCAL
from rebuttal.studies.runs.task_progress import progress

TIED = "rebuttal.base.tied_forkserver"  # what a fork server imports first


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(
    function: Callable[..., Any],
    tasks: Sequence[tuple],
    title: str,
    weights: Sequence[float] | None = None,
    preload: Iterable[str] = (),
    engine: str = LOCAL,
    *,
    timed: bool = False,
    on_done: Callable[[int], None] = lambda _: None,
) -> list[Any]:
    """`[function(*task) for task in tasks]`, in parallel, heaviest first; results in the order of the tasks.

    `weights` are relative costs, for the order and for the estimate (default: all equal). `preload` names modules
    that every process needs: they are imported once, and the processes forked from there. A single task, or a single
    core, is served by this process itself. `engine` is `local`, or the address of a Dask scheduler whose workers
    compute the tasks; what a task reads and writes below the project's root is carried there and back. Tasks share a
    host with other ordinary ones; `timed` ones get exclusive use of it (`host_lease.exclusive`). `on_done` is told the
    number of each task that is done.
    """
    costs = list(weights or [1.0] * len(tasks))
    order = sorted(range(len(tasks)), key=lambda number: -costs[number])
    told = progress(title, costs)
    found: dict[int, Any] = {}
    elsewhere = engine != LOCAL and tasks
    call = function if timed or elsewhere else functools.partial(_shared, function)
    answers = (
        _sent(engine, call, tasks, order, timed=timed)
        if elsewhere
        else _computed(call, tasks, order, list(preload))
    )
    for number, value in answers:
        found[number] = value
        told.done(number)
        on_done(number)
    return [found[number] for number in range(len(tasks))]


def engine_of(engine: str) -> dict[str, Any]:
    """For provenance: what `engine` is, in numbers. Raises InputError if it is a scheduler that does not answer."""
    if engine == LOCAL:
        return {"kind": LOCAL, "cores": cores()}
    from rebuttal.studies.runs import grid_engine  # noqa: PLC0415 - as in `_sent`

    return grid_engine.about(engine)


def _sent(
    engine: str, function: Callable[..., Any], tasks: Sequence[tuple], order: Sequence[int], *, timed: bool
) -> Iterator[tuple[int, Any]]:
    """(number, result) of each task, as they come from the workers of a Dask scheduler."""
    from rebuttal.studies.runs import grid_engine  # noqa: PLC0415 - it brings Dask, which few runs need

    return grid_engine.computed(engine, function, tasks, order, timed=timed)


def _shared(function: Callable[..., Any], *task: Any) -> Any:
    """An ordinary run: it waits while a timed one has this host for itself."""
    with host_lease.shared():
        return function(*task)


def _computed(
    function: Callable[..., Any], tasks: Sequence[tuple], order: Sequence[int], preload: list[str]
) -> Iterator[tuple[int, Any]]:
    """(number, result) of each task, as they come."""
    processes = min(cores(), len(tasks))
    if processes <= 1:
        for number in order:
            yield number, function(*tasks[number])
        return
    with _processes(processes, preload) as submit:
        futures = {submit(function, *tasks[number]): number for number in order}
        for future in as_completed(futures):
            yield futures[future], future.result()


@contextlib.contextmanager
def _processes(count: int, preload: list[str]) -> Iterator[Callable[..., Future]]:
    """What has a call computed by one of `count` processes: of the warm server if there is one, else of a new pool."""
    crew = warm.crew(count)
    if crew is None:
        with ProcessPoolExecutor(count, mp_context=_context(preload), initializer=tie_to_parent) as pool:
            yield pool.submit
        return
    with contextlib.closing(crew), ThreadPoolExecutor(count) as threads:
        yield functools.partial(threads.submit, crew)


def _context(preload: list[str]) -> Any:
    """Processes forked from one that has imported `preload` and has no threads; fresh ones where there is no fork."""
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    os.environ[OWNER] = str(os.getpid())  # the server, which this process starts, is told whom to end with
    context.set_forkserver_preload([TIED, *preload])
    return context
