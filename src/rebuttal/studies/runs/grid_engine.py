"""Units of a study on the workers of a Dask scheduler, through joblib's interface. Imported only where one is named.

Dask gives the units of a worker that dies to another one, as often as three times. What it does not tell a caller is
watched here: a scheduler that is gone, and a grid without workers. Each is one line after a bounded time.
"""

import contextlib
import logging
import queue
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, cast

import joblib
from distributed import Client, KilledWorker, get_client, get_worker
from joblib._dask import DaskDistributedBackend

from rebuttal.base.errors import RunError, refuse
from rebuttal.studies.runs import remote_call
from rebuttal.studies.runs.provenance import say

CONNECT_S = 10.0  # for which a scheduler may take to answer
ALONE_S = 60.0  # for which a grid may be without workers: they may be on their way
LOOK_S = 0.5
GONE = "engine: the scheduler is gone; what had come from its workers until then is kept"
METADATA = "rebuttal"  # the scheduler's, under which timed calls are counted
THREADS = "workers of one thread each: dask worker --nthreads 1 --nworkers N"


def computed(
    address: str,
    function: Callable[..., Any],
    tasks: Sequence[tuple],
    order: Sequence[int],
    *,
    timed: bool = False,
) -> Iterator[tuple[int, Any]]:
    """(number, result) of each task as they come, heaviest first as `order` says; see `pool.run_all`.

    Raises:
        InputError: nobody answers at `address`, or its workers cannot compute what this machine would.
        RunError: scheduler or workers were lost, more of them than the study can do without.
    """
    calls = [(number, remote_call.packed(function, tasks[number], timed=timed)) for number in order]
    with connected(address) as client:
        for number, answer in _answers(client, calls, timed=timed):
            yield number, remote_call.unpacked(answer)


@contextlib.contextmanager
def connected(address: str) -> Iterator[Client]:
    """A client of the scheduler, whose workers are checked. Raises InputError."""
    with _quiet():
        try:
            client = Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise refuse(
                "engine", address, f"a Dask scheduler that answers: none did for {CONNECT_S:g} s"
            ) from error
        try:
            _check(client, address)
            yield client
        finally:
            with contextlib.suppress(OSError, TimeoutError):  # a scheduler that is gone says no goodbye
                client.close(timeout=CONNECT_S)


def about(address: str) -> dict[str, Any]:
    """For provenance: how many workers there are, on how many machines, with which processors. No names."""
    with connected(address) as client:
        told = _told(client)
    processors = Counter(each["processor"] for each in told.values())
    hosts = len({each["host"] for each in told.values()})
    return {"kind": "dask", "workers": len(told), "machines": hosts, "processors": dict(processors)}


def begin(number: int, content: bytes, token: str | None) -> tuple[int, bytes]:
    """On a worker: compute a call. With a token, under which it is counted how often it was begun, of a timed one."""
    attempt = 1
    if token:
        client = get_client()
        attempt += cast("int", client.get_metadata([METADATA, token], default=0))
        client.set_metadata([METADATA, token], attempt)
    return number, remote_call.computed(content, attempt, Path(get_worker().local_directory))


def _check(client: Client, address: str) -> None:
    """Refuse a grid on which something would be computed that this machine would not compute."""
    threads = _workers(client, address)
    several = next((f"{worker} has {count} threads" for worker, count in threads.items() if count > 1), None)
    if several:
        raise refuse("engine", address, f"{THREADS}; {several}")
    try:
        told = _told(client)
    except ModuleNotFoundError as error:
        raise refuse("engine", address, f"workers with this package installed; one says: {error}") from error
    other = next(
        (worker for worker, each in told.items() if each["identity"] != remote_call.identity()), None
    )
    if other:
        raise refuse(
            "engine", address, f"workers with the code and the packages of this machine; {other} has others"
        )
    processors = {each["processor"] for each in told.values()} | {remote_call.described()["processor"]}
    if len(processors) > 1:
        say(
            f"the grid has several kinds of processors, whose last bits may differ: {', '.join(sorted(processors))}"
        )


def _told(client: Client) -> dict[str, dict[str, str]]:
    """What each worker says of itself."""
    return cast("dict[str, dict[str, str]]", client.run(remote_call.described))


def _workers(client: Client, address: str) -> dict[str, int]:
    """Threads of each worker, once there is one."""
    deadline = time.monotonic() + ALONE_S
    while not (threads := cast("dict[str, int]", client.nthreads())):
        if time.monotonic() > deadline:
            raise refuse("engine", address, f"a scheduler with workers: none came for {ALONE_S:g} s")
        time.sleep(LOOK_S)
    return threads


def _answers(
    client: Client, calls: Sequence[tuple[int, bytes]], *, timed: bool
) -> Iterator[tuple[int, bytes]]:
    """(number, packed answer) of each call as they come. joblib runs in a thread of its own: it may wait for ever."""
    found: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_run, args=(client, calls, timed, found), daemon=True).start()
    left, there_s = len(calls), time.monotonic()
    while left:
        try:
            answer = found.get(timeout=LOOK_S)
        except queue.Empty:
            there_s = time.monotonic() if _alive(client) else there_s
            if time.monotonic() - there_s > ALONE_S:
                raise RunError(f"engine: no worker is left, and none came for {ALONE_S:g} s") from None
            continue
        if isinstance(answer, Exception):
            raise answer
        left -= 1
        yield answer


def _run(
    client: Client, calls: Sequence[tuple[int, bytes]], timed: bool, found: queue.SimpleQueue[Any]
) -> None:
    """Put answers, or the error that ended them, into `found`."""
    try:
        with joblib.parallel_config(_Elsewhere(client=client), n_jobs=-1):
            parallel = joblib.Parallel(
                batch_size=cast("Any", 1), pre_dispatch="all", return_as="generator_unordered"
            )
            # Packed calls are bytes: joblib would leave anything else that is large with one worker, and lose it there.
            for answer in parallel(
                joblib.delayed(begin)(*call, uuid.uuid4().hex if timed else None) for call in calls
            ):
                found.put(answer)
    except KilledWorker as error:
        line = f"engine: workers were lost over the same unit, one after the other ({error.last_worker.address} last)"
        found.put(RunError(f"{line}: out of memory?"))
    except CancelledError:  # so Dask calls what it waited for when the connection broke
        found.put(RunError(GONE))
    except Exception as error:  # noqa: BLE001 - it is raised again by who waits for the answers
        found.put(error)


class _Elsewhere(DaskDistributedBackend):
    """joblib's interface with Dask, also where there is one worker: joblib would compute here then."""

    def effective_n_jobs(self, n_jobs: int = 1) -> int:
        """As many as there are workers, and never one."""
        return max(2, super().effective_n_jobs(n_jobs))


def _alive(client: Client) -> bool:
    """Whether there are workers. Raises RunError if the scheduler is gone."""
    try:
        if client.status == "running":
            return bool(client.nthreads())
    except (OSError, TimeoutError) as error:
        raise RunError(GONE) from error
    raise RunError(GONE)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the log lines of Dask about connections that are lost: what they mean is told in one line."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
