"""PyTorch's own forms of the same work, timed beside ours: DistributedDataParallel and torch.distributed.pipelining.

They run on gloo, on as many processes of this host, with the same start, samples, learning rate and threads as the
methods that they stand beside. Processes find each other by a file; gloo itself opens ports on the loopback device.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rebuttal.base.errors import RunError, refuse
from rebuttal.processes.launcher import folder_of_run, forking
from rebuttal.processes.pytorch_baseline_node import BaselineJob, main
from rebuttal.processes.pytorch_baseline_table import SHIPPED
from rebuttal.workloads import check_data, load


@dataclass(frozen=True)
class Trained:
    """The result of a run: the second at which each update was made on all nodes, and the last weights [P]."""

    times_s: np.ndarray
    weights: Tensor


def train(  # noqa: PLR0913 - as `launcher.record`, all by name
    name: str,
    *,
    workload: str = "digits_mlp",
    workers: int = 2,
    updates: int = 100,
    learning_rate: float = 0.1,
    batch: int = 32,
    seed: int = 0,
    micro_batches: int = 4,
    cores: tuple[int, ...] = (),
    data_root: Path | None = None,
    patience_s: float = 60.0,
) -> Trained:
    """Run one of SHIPPED by plain SGD; the arguments are those of `record`.

    Raises:
        InputError: an unknown name, or a workload that cannot be had or cut.
        RunError: a process failed or was killed, or they were not through within `patience_s`.
    """
    if name not in SHIPPED:
        raise refuse("shipped", name, SHIPPED)
    for key, given in (
        ("workers", workers),
        ("updates", updates),
        ("batch", batch),
        ("micro_batches", micro_batches),
    ):
        if given < 1:
            raise refuse(key, given, "a whole number >= 1")
    check_data(workload, data_root)
    layers = load(workload, data_root).shape.layers
    if SHIPPED[name].schedule and workers > layers:
        raise refuse(
            "workers", workers, f"from 1 to {layers}, the layers that have parameters: one stage each"
        )
    job = BaselineJob(
        name, workload, workers, updates, learning_rate, batch, seed, micro_batches, cores, data_root, patience_s
    )  # fmt: skip
    with folder_of_run() as folder, _started(job, folder) as controls:
        answers = _answers(controls, patience_s)
    times_s = np.max([times for times, _ in answers], axis=0)
    weights = [part for _, part in answers]
    return Trained(times_s, torch.cat(weights) if SHIPPED[name].schedule else weights[0])


@contextlib.contextmanager
def _started(job: BaselineJob, folder: Path) -> Iterator[list[Connection]]:
    """The processes' ends of their pipes; none of the processes is left on leaving."""
    context, controls, processes = forking("rebuttal.processes.pytorch_baseline_node"), [], []
    try:
        for rank in range(job.nodes):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=main, args=(job, rank, folder, theirs), name=f"shipped {rank}", daemon=True
            )
            process.start()
            theirs.close()
            controls.append(ours)
            processes.append(process)
        yield controls
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.join()
            process.close()


def _answers(controls: list[Connection], patience_s: float) -> list[tuple[np.ndarray, Tensor]]:
    """The result of each process, in their order."""
    found: dict[int, Any] = {}
    deadline = time.monotonic() + patience_s
    while len(found) < len(controls):
        silent: dict[Any, int] = {control: rank for rank, control in enumerate(controls) if rank not in found}
        heard: list[Any] = wait(list(silent), max(0.0, deadline - time.monotonic()))
        if not heard:
            raise RunError(f"no word from process {min(silent.values())} within {patience_s:g} s")
        for control in heard:
            found[silent[control]] = _answer(control, silent[control])
    return [found[rank] for rank in range(len(controls))]


def _answer(control: Any, rank: int) -> tuple[np.ndarray, Tensor]:
    try:
        said = control.recv()
    except EOFError as error:
        raise RunError(f"process {rank} ended without a word") from error
    if isinstance(said, str):
        raise RunError(f"process {rank} failed: {said}")
    times_s, weights = said
    return times_s, torch.from_numpy(weights)
