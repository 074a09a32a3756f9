"""A program: the laws of devices on the pretend GPU, in a process of its own; prints what it found as JSON.

python pretend_gpu_laws.py planted | methods | workloads
"""

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from pretend_gpu import PretendGpu, pretend_gpu
from runs import layered_costs, run
from synthetic_images import write_images
from synthetic_mnist import write_mnist
from values import batched

from rebuttal import methods, workloads
from rebuttal.core.timeline import Timeline
from rebuttal.replaying.curves import Evaluator
from rebuttal.replaying.engine import replay
from rebuttal.replaying.executors import Executor, executors_for
from rebuttal.site.workload_table import TRAINING
from rebuttal.workloads.workload import Workload

WORKLOAD = "digits_deep"
UPDATES = (4, 8)  # what grows from the first to the second is what an update costs
RATES = (0.01, 0.03)
#: All but full-size networks for colour images, whose layers are those of the small ones. One of them casts on its own.
WORKLOADS = [name for name in TRAINING if not name.startswith("cifar10") or "small" in name or "bf16" in name]
SAMPLES = 8  # of each split, for the laws of workloads


def planted(gpu: PretendGpu) -> dict[str, str]:
    """What the device says of faults: the first line of an exception, or what it counted."""
    x, on_host = torch.ones(4, device=gpu.device), torch.arange(4.0)
    weights = torch.ones(3, device=gpu.device)
    labels = torch.zeros(2, dtype=torch.long)
    faults: dict[str, Callable[[], Any]] = {
        "a sum with a tensor of the host": lambda: x + on_host,
        "a mask of the host": lambda: torch.where(on_host > 1, x, x),
        "a loss with labels of the host": lambda: torch.nn.functional.cross_entropy(
            torch.ones(2, 3, device=gpu.device), labels
        ),
        "class weights of the host": lambda: torch.nn.functional.cross_entropy(
            torch.ones(2, 3, device=gpu.device), labels.to(gpu.device), weight=torch.ones(3)
        ),
        "a generator of the host": lambda: torch.randn(
            4, device=gpu.device, generator=torch.Generator().manual_seed(0)
        ),
        "numpy of a device's tensor": x.numpy,
        "a number for Python": lambda: float(weights.sum()),
        "a boolean index": lambda: x[x > 0],
        "a branch on a value": lambda: 1 if (weights > 0).all() else 0,
        "numbers uploaded in an update": lambda: x * torch.tensor([1.0, 2.0, 3.0, 4.0], device=gpu.device),
        "a copy to the host": x.cpu,
    }
    return {name: _said(gpu, fault) for name, fault in faults.items()}


def _said(gpu: PretendGpu, fault: Callable[[], Any]) -> str:
    gpu.clear()
    try:
        fault()
    except (RuntimeError, TypeError) as error:
        return f"refused: {str(error).splitlines()[0]}"
    if gpu.waits:
        return f"waits: {', '.join(gpu.waits)}"
    return f"uploads: {', '.join(gpu.uploads)}" if gpu.uploads else ""


def of_methods(gpu: PretendGpu) -> dict[str, dict[str, Any]]:
    """Of every method: kernels, uploads and waits of an update, and whether its curves are the CPU's to the bit."""
    host = workloads.load(WORKLOAD)
    placed, found = host.to(gpu.device), {}
    given = {"costs": layered_costs(8), "workers": 4, "batch": 16}
    for name, kind in methods.METHODS.items():
        options = next(iter(vars(kind).get("tried_as", {name: {}}).values()))
        counted = []
        for updates in UPDATES:
            runs = [run(name, options, updates=updates, seed=seed, **given) for seed in (0, 1)]
            gpu.clear()
            curves = _curves(runs, placed)
            counted.append([sum(one.values()) for one in (gpu.kernels, gpu.uploads, gpu.waits)])
        expected = _curves(runs, host)
        equal = all(
            np.array_equal(curves[variable], expected[variable], equal_nan=True) for variable in expected
        )
        (fewer, more) = counted
        each = [(b - a) / (UPDATES[1] - UPDATES[0]) for a, b in zip(fewer, more, strict=True)]
        found[name] = dict(zip(("kernels", "uploads", "waits"), each, strict=True)) | {"equal": equal}
    return found


def _curves(runs: list[Timeline], workload: Workload) -> xr.Dataset:
    return replay(runs, workload=workload, learning_rates=RATES, points=2, table=batched(workload))


def of_workloads(gpu: PretendGpu) -> dict[str, dict[str, str]]:
    """Of every workload: what is wrong with two replicas' gradients, by executor, and with their values in curves."""
    found: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = write_mnist(Path(folder))
        write_images(root / "cifar10", parts={"train": 2, "test": 1})
        for name in WORKLOADS:
            loaded = workloads.load(name, root)
            splits = {split: (x[:SAMPLES], y[:SAMPLES]) for split, (x, y) in loaded.splits.items()}
            host = replace(loaded, splits=splits, training_size=SAMPLES)
            placed = host.to(gpu.device)
            pairs = zip(executors_for(host), executors_for(placed), strict=False)
            found[name] = {one.name: _wrong_gradients(gpu, one, other, host, placed) for one, other in pairs}
            found[name]["evaluation"] = _wrong_values(gpu, host, placed)
    return found


def _wrong_gradients(
    gpu: PretendGpu, one: Executor, other: Executor, host: Workload, placed: Workload
) -> str:
    if one.name != other.name:
        return f"{one.name} on the host, {other.name} on the device"
    arguments = []
    for workload in (host, placed):
        x, y = workload.splits["training"]
        weights = torch.stack([workload.start(seed) for seed in (0, 1)])
        arguments.append((weights, x[None, :2].contiguous(), y[None, :2].contiguous()))
    try:
        expected = one.gradients(*arguments[0])
    except RuntimeError:
        return ""  # torch has no rule for one of the layers over several replicas: the loop serves it
    try:
        other.gradients(*arguments[1])  # the first call may place what later ones keep
        gpu.clear()
        found = other.gradients(*arguments[1])
    except (RuntimeError, TypeError) as error:
        return str(error).splitlines()[0]
    if gpu.waits or gpu.uploads:
        return f"waits {dict(gpu.waits)}, uploads {dict(gpu.uploads)}"
    return "" if torch.equal(found.cpu(), expected) else "other values than on the host"


def _wrong_values(gpu: PretendGpu, host: Workload, placed: Workload) -> str:
    values = []
    for workload in (host, placed):
        found = Evaluator(workload, ("validation",), 0)(
            torch.stack([workload.start(seed) for seed in (0, 1)])
        )
        values.append({name: value.cpu() for name, value in found.items()})
    return "" if all(torch.equal(values[0][name], values[1][name]) for name in values[0]) else "other values"


LAWS = {"planted": planted, "methods": of_methods, "workloads": of_workloads}

if __name__ == "__main__":
    torch.set_num_threads(1)
    with pretend_gpu() as device:
        sys.stdout.write(json.dumps(LAWS[sys.argv[1]](device)))
