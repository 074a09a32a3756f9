"""The profile stage: what each layer, a whole gradient and an update cost on this device."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from rebuttal import devices, leases, workloads
from rebuttal.errors import refuse
from rebuttal.workloads import timing
from rebuttal.workloads.workload import Split, Workload

SCHEMA = 2
REPEATS = 25
LEAST_REPEATS = 20
WARM_UP = 2  # rounds that are run and not counted: allocators, kernels and caches settle


def write_profile(
    batch_sizes: Mapping[str, Sequence[int]],
    device: str,
    path: str | Path,
    data_root: str | Path | None = None,
    repeats: int = REPEATS,
) -> None:
    """Profile workloads (name -> samples of a batch) and write them with the device's identity to `path`.

    The file, which `rebuttal.costs` reads, appears whole or not at all. The host is leased for it; under the device's
    `timing` it says whether its seconds support a claim about time, and if not, why.

    Raises:
        InputError: an unknown workload or device, missing data, or sizes that cannot be measured.
    """
    _check(batch_sizes, repeats)
    for name in batch_sizes:
        workloads.check_data(name, data_root)
    with leases.exclusive() as lease, timing.one_thread():
        identity = devices.identity(device)  # first, so that the load is that of the others
        measured = {
            name: profile(workloads.load(name, data_root), sizes, device, repeats)
            for name, sizes in batch_sizes.items()
        }
        identity["timing"] = lease.about()
    _write(Path(path), {"schema": SCHEMA, "device": identity, "workloads": measured})


def profile(
    workload: Workload, batch_sizes: Sequence[int], device: str, repeats: int = REPEATS
) -> dict[str, Any]:
    """Seconds of each layer forward and backward, of the whole gradient, and of one SGD update, on `device`.

    A round runs every batch size: once uncounted, because the size before left other data in the caches,
    then with marks between the layers, then whole. Rounds follow each other, so a drift of the machine meets
    all layers and sizes alike. Reported are the median, the quartiles and the number of repeats, in seconds
    of wall-clock time (on CUDA: of the stream, synchronised before and after), with one intra-op thread. The
    content of the answer is one workload's part of `rebuttal.costs.Profile`.

    Raises:
        InputError: a device, batch size or number of repeats that cannot be measured.
    """
    _check({workload.name: batch_sizes}, repeats)
    placed = workload.to(devices.choose(device))
    batches = {size: timing.samples(placed, size) for size in sorted(set(batch_sizes))}
    model, weights = placed.module(), placed.start(0)
    gradient = torch.ones_like(weights)
    with timing.one_thread():
        rounds = [_round(placed, model, batches) for _ in range(WARM_UP + repeats)][WARM_UP:]
        updates = [timing.update_s(placed, weights, gradient) for _ in range(WARM_UP + repeats)][WARM_UP:]
    return {
        "metric": workload.target.metric,
        "lower_is_better": workload.target.lower_is_better,
        "large_error": workload.target.large_error,
        "parameters": workload.parameters,
        "training_size": workload.training_size,
        "weight_bytes": 4 * workload.parameters,  # in training and on the wire, weights are float32
        "layers": _layers(workload),
        "batches": {str(size): _summary([one[size] for one in rounds]) for size in batches},
        "update_s": _spread(updates),
    }


def _round(
    workload: Workload, model: nn.Sequential, batches: dict[int, Split]
) -> dict[int, tuple[np.ndarray, float]]:
    """For every batch size: seconds [layer, (forward, backward)] and seconds of the whole gradient."""
    measured = {}
    for size, (x, y) in batches.items():
        timing.gradient_s(workload, model, x, y)
        measured[size] = (timing.layers_s(workload, model, x, y), timing.gradient_s(workload, model, x, y))
    return measured


def _layers(workload: Workload) -> list[dict[str, Any]]:
    """The layers' identities in the profile."""
    x, _ = timing.samples(workload, 1)
    rows = []
    with torch.no_grad():
        for layer, module in zip(workload.layers, workload.module(), strict=True):
            x = module(x)
            count = layer.parameters.stop - layer.parameters.start
            rows.append({"name": layer.name, "kind": layer.kind, "parameters": count, "outputs": x.numel()})
    return rows


def _summary(measured: list[tuple[np.ndarray, float]]) -> dict[str, Any]:
    """One batch size's part of the profile."""
    layers = np.stack([layers for layers, _ in measured])
    return {
        "layers": [
            {"forward_s": _spread(layers[:, index, 0]), "backward_s": _spread(layers[:, index, 1])}
            for index in range(layers.shape[1])
        ],
        "gradient_s": _spread([whole for _, whole in measured]),
    }


def _spread(seconds: Sequence[float] | np.ndarray) -> dict[str, float | int]:
    """Median, quartiles and number of repeats."""
    q25, median, q75 = (float(value) for value in np.quantile(seconds, (0.25, 0.5, 0.75)))
    return {"median": median, "q25": q25, "q75": q75, "repeats": len(seconds)}


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write JSON so that `path` holds the old content or the new one, whenever the process is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(content, indent=1) + "\n")
    os.replace(unfinished, path)  # an existing file is replaced at once


def _check(batch_sizes: Mapping[str, Sequence[int]], repeats: int) -> None:
    """Refuse what cannot be measured."""
    if not batch_sizes:
        raise refuse("workloads", list(batch_sizes), "one or more workloads")
    for sizes in batch_sizes.values():
        if not sizes or not all(_is_count(size, 1) for size in sizes):
            raise refuse("batch_sizes", list(sizes), "one or more integers of at least 1")
    if not _is_count(repeats, LEAST_REPEATS):
        raise refuse("repeats", repeats, f"an integer of at least {LEAST_REPEATS}")


def _is_count(given: object, least: int) -> bool:
    """Whether `given` is an integer (and no bool) of at least `least`."""
    return isinstance(given, int) and not isinstance(given, bool) and given >= least
