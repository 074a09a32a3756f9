"""What each layer, a whole gradient and an update of a workload cost on this device, at many sizes of a batch."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from rebuttal.base import devices
from rebuttal.base.atomic_write import write_text
from rebuttal.base.errors import refuse
from rebuttal.workloads import timing
from rebuttal.workloads.workload import Workload

SCHEMA = 3
#: Samples of one gradient, as far as a device serves them quickly: the last is the first that takes longer than this,
#: but not before so many samples, if a gradient of them takes less than that.
SIZES, LONGEST_S = tuple(2**power for power in range(11)), 0.6
AT_LEAST, AT_LEAST_S = 256, 2.0
REPEATS, LEAST_REPEATS = 25, 5  # of each size: as many of them as fit into PATIENCE_S
PATIENCE_S = 1.0
QUICK_S = 0.1  # what takes longer does not mind the caches that another size left
DIGITS = 4  # of seconds, in the file


def profile(
    workload: Workload,
    device: str,
    sizes: Sequence[int] = SIZES,
    *,
    threads: int = 1,
    repeats: int = REPEATS,
) -> dict[str, Any]:
    """Seconds of each layer forward and backward, of the whole gradient, and of one SGD update, on `device`.

    The sizes of a batch end where a gradient takes long. A round runs each of them: once uncounted if it is quick,
    because the size before left other data in the caches, then with marks between the layers, then whole. Rounds
    follow each other, so a drift of the machine meets all layers and sizes alike; a slow size is left out of some.
    Reported are the median, the quartiles and the number of repeats, in seconds of wall-clock time (on CUDA: of the
    stream, synchronised before and after), with so many intra-op `threads`. The content of the answer is one
    workload's part of `rebuttal.machines.costs.Profile`.

    Raises:
        InputError: a device, batch size or number of repeats that cannot be measured.
    """
    _check(sizes, repeats)
    placed = workload.to(devices.choose(device))
    model, weights = placed.module(), placed.start(0)
    with timing.threads(threads):
        seconds = _sized(placed, model, sorted(set(sizes)))
        measured = _measured(placed, model, {size: _repeats(s, repeats) for size, s in seconds.items()})
        updates = [timing.update_s(placed, weights, torch.ones_like(weights)) for _ in range(repeats)]
    return {
        "metric": workload.target.metric,
        "lower_is_better": workload.target.lower_is_better,
        "large_error": workload.target.large_error,
        "parameters": workload.parameters,
        "training_size": workload.training_size,
        "weight_bytes": 4 * workload.parameters,  # in training and on the wire, weights are float32
        "layers": _layers(workload),
        "batches": {str(size): _summary(found) for size, found in measured.items()},
        "update_s": _spread(updates),
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """Write JSON, whole or not at all."""
    write_text(path, json.dumps(content, separators=(",", ":")) + "\n")


def rounded(seconds: float) -> float:
    """Seconds with as many digits as are worth keeping."""
    return float(f"{seconds:.{DIGITS}g}")


def _sized(workload: Workload, model: nn.Sequential, sizes: Iterable[int]) -> dict[int, float]:
    """Seconds of a gradient at each size that is measured; what ran before also settles allocators and caches."""
    found: dict[int, float] = {}
    for size in sizes:
        x, y = timing.samples(workload, size)
        timing.gradient_s(workload, model, x, y)
        found[size] = timing.gradient_s(workload, model, x, y)
        wanted = size < AT_LEAST and found[size] * AT_LEAST / size < AT_LEAST_S
        if found[size] > LONGEST_S and not wanted:
            break
    return found


def _repeats(seconds: float, most: int) -> int:
    """How often a size is measured, twice each time."""
    return int(min(most, max(LEAST_REPEATS, PATIENCE_S / (2 * seconds))))


def _measured(
    workload: Workload, model: nn.Sequential, repeats: dict[int, int]
) -> dict[int, list[tuple[np.ndarray, float]]]:
    """For every size, so many times: seconds [layer, (forward, backward)] and seconds of the whole gradient."""
    batches = {size: timing.samples(workload, size) for size in repeats}
    found: dict[int, list[tuple[np.ndarray, float]]] = {size: [] for size in repeats}
    most = max(repeats.values())
    for number in range(most):
        for size, count in repeats.items():
            if (number + 1) * count // most > number * count // most:  # evenly over the rounds
                found[size].append(_once(workload, model, *batches[size]))
    return found


def _once(
    workload: Workload, model: nn.Sequential, x: torch.Tensor, y: torch.Tensor
) -> tuple[np.ndarray, float]:
    whole = timing.gradient_s(workload, model, x, y)
    if whole < QUICK_S:
        layers = timing.layers_s(workload, model, x, y)
        return layers, timing.gradient_s(workload, model, x, y)
    return timing.layers_s(workload, model, x, y), whole


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
    q25, median, q75 = (rounded(float(value)) for value in np.quantile(seconds, (0.25, 0.5, 0.75)))
    return {"median": median, "q25": q25, "q75": q75, "repeats": len(seconds)}


def _check(sizes: Sequence[int], repeats: int) -> None:
    """Refuse what cannot be measured."""
    if not sizes or not all(_is_count(size, 1) for size in sizes):
        raise refuse("batch sizes", list(sizes), "one or more integers of at least 1")
    if not _is_count(repeats, LEAST_REPEATS):
        raise refuse("repeats", repeats, f"an integer of at least {LEAST_REPEATS}")


def _is_count(given: object, least: int) -> bool:
    """Whether `given` is an integer (and no bool) of at least `least`."""
    return isinstance(given, int) and not isinstance(given, bool) and given >= least
