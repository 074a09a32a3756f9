"""What PyTorch ships for the same work, timed beside ours: DistributedDataParallel and torch.distributed.pipelining.

They run on gloo, on as many processes of this host, with the same start, samples, learning rate and threads as the
methods that they stand beside. Processes find each other by a file; gloo itself opens ports on the loopback device.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import fp16_compress_hook
from torch.distributed.pipelining import PipelineStage
from torch.distributed.pipelining.schedules import PipelineScheduleMulti, get_schedule_class
from torch.nn.parallel import DistributedDataParallel

from rebuttal.cut import cut
from rebuttal.errors import RunError, refuse
from rebuttal.lifeline import tie_to_parent
from rebuttal.processes.launcher import folder_of_run, forking
from rebuttal.processes.pinning import pin
from rebuttal.processes.setup import THREADS
from rebuttal.workloads import check_data, load
from rebuttal.workloads.workload import Workload

Step = Callable[[int], None]


@dataclass(frozen=True)
class Shipped:
    """One of them. counterpart: the method here that computes the same; schedule: of a pipeline, by torch's name."""

    counterpart: str
    about: str
    schedule: str | None = None
    hook: Callable | None = None


SHIPPED = {
    "ddp": Shipped("bucketed", "DistributedDataParallel: all-reduces of buckets, during the backward pass"),
    "ddp_fp16": Shipped("bucketed", "the same with the hook that sends float16", hook=fp16_compress_hook),
    "torch_gpipe": Shipped("gpipe", "ScheduleGPipe", schedule="GPipe"),
    "torch_1f1b": Shipped("one_forward_one_backward", "Schedule1F1B", schedule="1F1B"),
    "torch_zero_bubble": Shipped("zero_bubble", "ScheduleInterleavedZeroBubble, one stage on each node",
                                 schedule="InterleavedZeroBubble"),
}  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """What a run gives: seconds at which each update was made on all nodes, and the weights [P] after the last."""

    times_s: np.ndarray
    weights: Tensor


@dataclass(frozen=True)
class Job:
    """What every process of a run is told. micro_batches: of a pipeline's update, each a batch of its own shard."""

    name: str
    workload: str
    nodes: int
    updates: int
    learning_rate: float
    batch: int
    seed: int
    micro_batches: int
    cores: tuple[int, ...]
    data_root: Path | None
    patience_s: float


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
    for key, given in (("workers", workers), ("updates", updates), ("batch", batch)):
        if given < 1:
            raise refuse(key, given, "a whole number >= 1")
    check_data(workload, data_root)
    job = Job(name, workload, workers, updates, learning_rate, batch, seed, micro_batches, cores, data_root, patience_s)
    with folder_of_run() as folder, _started(job, folder) as controls:
        answers = _answers(controls, patience_s)
    times_s = np.max([times for times, _ in answers], axis=0)
    weights = [part for _, part in answers]
    return Trained(times_s, torch.cat(weights) if SHIPPED[name].schedule else weights[0])


@contextlib.contextmanager
def _started(job: Job, folder: Path) -> Iterator[list[Connection]]:
    """The processes' ends of their pipes; none of the processes is left on leaving."""
    context, controls, processes = forking(), [], []
    try:
        for rank in range(job.nodes):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_main, args=(job, rank, folder, theirs), daemon=True)
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
    """What each process has to say, in their order."""
    found: dict[int, Any] = {}
    deadline = time.monotonic() + patience_s
    while len(found) < len(controls):
        silent = [control for rank, control in enumerate(controls) if rank not in found]
        heard = wait(silent, max(0.0, deadline - time.monotonic()))
        if not heard:
            raise RunError(f"no word from process {controls.index(silent[0])} within {patience_s:g} s")
        for control in heard:
            rank = controls.index(control)
            try:
                found[rank] = control.recv()
            except EOFError as error:
                raise RunError(f"process {rank} ended without a word") from error
            if isinstance(found[rank], str):
                raise RunError(f"process {rank} failed: {found[rank]}")
    return [(times, torch.from_numpy(part)) for times, part in (found[rank] for rank in range(len(controls)))]


def _main(job: Job, rank: int, folder: Path, control: Connection) -> None:
    """One process: train, and say when each update was made and what weights it holds; or what went wrong."""
    tie_to_parent()
    try:
        control.send(_trained(job, rank, folder))
    except Exception as error:  # noqa: BLE001 - it is raised again by `train`
        control.send(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")


def _trained(job: Job, rank: int, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    torch.set_num_threads(THREADS)
    pin(rank, job.cores)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo" if sys.platform == "linux" else "lo0")
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=job.nodes,
        timeout=timedelta(seconds=job.patience_s),
    )  # fmt: skip
    workload = load(job.workload, job.data_root)
    build = _pipelined if SHIPPED[job.name].schedule else _replicated
    module, step = build(job, rank, workload)
    optimizer = torch.optim.SGD(module.parameters(), lr=job.learning_rate)
    distributed.barrier()
    times_s = [time.monotonic()]
    for t in range(job.updates):
        optimizer.zero_grad()
        step(t)
        optimizer.step()
        times_s.append(time.monotonic())
    distributed.barrier()
    weights = torch.cat([parameter.detach().flatten() for parameter in module.parameters()])
    distributed.destroy_process_group()
    return np.asarray(times_s), weights.numpy()


def _replicated(job: Job, rank: int, workload: Workload) -> tuple[nn.Module, Step]:
    """A replica of the model, on the samples of its own shard."""
    module = workload.module(workload.start(job.seed))
    model = DistributedDataParallel(module)
    if SHIPPED[job.name].hook is not None:
        model.register_comm_hook(None, SHIPPED[job.name].hook)
    rows = _rows(job, workload, rank)

    def step(t: int) -> None:
        x, y = workload.samples(rows[t])
        workload.loss(model(x), y).backward()

    return module, step


def _pipelined(job: Job, rank: int, workload: Workload) -> tuple[nn.Module, Step]:
    """A stage of the model; the first one reads samples, the last one their classes."""
    layers = cut(workload.shape.parameters, job.nodes)[rank]
    module = workload.module(workload.start(job.seed))[layers.start : layers.stop]
    stage = PipelineStage(module, rank, job.nodes, torch.device("cpu"))
    kind = get_schedule_class(SHIPPED[job.name].schedule or "")
    stages: Any = [stage] if issubclass(kind, PipelineScheduleMulti) else stage
    schedule = kind(stages, job.micro_batches, loss_fn=workload.loss)
    rows = [_rows(job, workload, shard) for shard in range(job.micro_batches)]

    def step(t: int) -> None:
        drawn = [workload.samples(shard[t]) for shard in rows]
        given: dict[str, Any] = {}
        if stage.is_first:
            given["arg_mbs"] = [(x,) for x, _ in drawn]
        if stage.is_last:
            given["target_mbs"] = [y for _, y in drawn]
        schedule.step(**given, return_outputs=False)

    return module, step


def _rows(job: Job, workload: Workload, shard: int) -> Tensor:
    """Which samples a shard's batches have [updates, batch]."""
    return torch.from_numpy(workload.batches(job.batch, job.seed, shard, job.updates))
