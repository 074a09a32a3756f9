"""One process of a run of PyTorch's own: DistributedDataParallel, or a stage of one of its pipelines."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks
from torch.distributed.pipelining import PipelineStage
from torch.distributed.pipelining.schedules import PipelineScheduleMulti, get_schedule_class
from torch.nn.parallel import DistributedDataParallel

from rebuttal.base.parent_death import tie_to_parent
from rebuttal.core.partition import cut
from rebuttal.processes.pinning import pin
from rebuttal.processes.pytorch_baseline_table import SHIPPED
from rebuttal.processes.setup import THREADS
from rebuttal.workloads import load
from rebuttal.workloads.workload import Workload

Step = Callable[[int], None]


@dataclass(frozen=True)
class BaselineJob:
    """The arguments of every process of a run. micro_batches: of a pipeline's update, each a batch of its shard."""

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


def main(job: BaselineJob, rank: int, folder: Path, control: Connection) -> None:
    """One process: train, and say when each update was made and what weights it holds; or what went wrong."""
    tie_to_parent()
    try:
        control.send(_trained(job, rank, folder))
    except Exception as error:  # noqa: BLE001 - it is raised again by `train`
        control.send(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")


def _trained(job: BaselineJob, rank: int, folder: Path) -> tuple[np.ndarray, np.ndarray]:
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


def _replicated(job: BaselineJob, rank: int, workload: Workload) -> tuple[nn.Module, Step]:
    """A replica of the model, on the samples of its own shard."""
    module = workload.module(workload.start(job.seed))
    model = DistributedDataParallel(module)
    hook = SHIPPED[job.name].hook
    if hook is not None:
        model.register_comm_hook(None, getattr(default_hooks, hook))
    rows = _rows(job, workload, rank)

    def step(t: int) -> None:
        x, y = workload.samples(rows[t])
        workload.loss(model(x), y).backward()

    return module, step


def _pipelined(job: BaselineJob, rank: int, workload: Workload) -> tuple[nn.Module, Step]:
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


def _rows(job: BaselineJob, workload: Workload, shard: int) -> Tensor:
    """Which samples a shard's batches have [updates, batch]."""
    return torch.from_numpy(workload.batches(job.batch, job.seed, shard, job.updates))
