"""How long an update takes on as many nodes as there are layers, in ticks: the pass of one sample through one layer.

A device that is half as fast as it could be at h samples takes (h + m) / (h + 1) ticks for m samples at once: with
h = 0 larger batches gain nothing, with large h a batch costs as much as one sample. Messages are free.
"""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

HALF_BATCHES = (0, 8, 64)


def pass_ticks(samples: float, half_batch: float) -> float:
    """Ticks of a pass of so many samples through one layer."""
    return (half_batch + samples) / (half_batch + 1)


def continuous(layers: int, batch: int, half_batch: float) -> float:
    """An update in every pass, as all layers work at once and nobody waits."""
    return pass_ticks(batch, half_batch)


def model_parallel(layers: int, batch: int, half_batch: float) -> float:
    """The whole batch goes through one layer after the other."""
    return layers * pass_ticks(batch, half_batch)


def pipelined(layers: int, batch: int, half_batch: float) -> float:
    """A drained pipeline (GPipe): m + L − 1 passes of a micro-batch, with the m that is best for this device."""
    counts = [m for m in range(1, batch + 1) if batch % m == 0]
    return min((m + layers - 1) * pass_ticks(batch / m, half_batch) for m in counts)


def data_parallel(layers: int, batch: int, half_batch: float) -> float:
    """Every node has the whole model and its share of the batch; the all-reduce is free."""
    return layers * pass_ticks(np.ceil(batch / layers), half_batch)


METHODS: dict[str, Callable[[int, int, float], float]] = {
    "continuous": continuous,
    "model_parallel": model_parallel,
    "pipelined": pipelined,
    "data_parallel": data_parallel,
}


def step_ticks(
    layers: Sequence[int], batches: Sequence[int], half_batches: Sequence[float] = HALF_BATCHES
) -> xr.DataArray:
    """Ticks of an update: dims method, layers, batch, half_batch."""
    values = [
        [[[each(l, m, h) for h in half_batches] for m in batches] for l in layers]
        for each in METHODS.values()
    ]
    coords = {
        "method": list(METHODS),
        "layers": list(layers),
        "batch": list(batches),
        "half_batch": list(half_batches),
    }
    return xr.DataArray(np.array(values, dtype=float), coords, tuple(coords))
