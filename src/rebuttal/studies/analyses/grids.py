"""Datasets over grids of models, machines, nodes and batches: one way to fill them, one way to describe them."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from rebuttal.base.errors import refuse
from rebuttal.machines import machine
from rebuttal.machines.full_size_costs import FullSizeLayer
from rebuttal.machines.hardware import Machine

Models = Mapping[str, Sequence[FullSizeLayer]]
UNITS = {
    "step_s": "s",
    "compute_s": "s",
    "forward_s": "s",
    "backward_s": "s",
    "communication_s": "s",
    "latency_s": "s",
    "gradient_s": "s",
    "gradient_bytes": "B",
    "flops": "operations per sample",
    "samples_per_s": "samples/s",
    "batch": "samples per node",
    "samples": "samples",
    "global_batch": "samples",
    "peak_bytes": "B",
    "total_peak_bytes": "B",
}


def fill(coords: Mapping[str, Sequence[Any]], compute: Callable[..., float]) -> xr.DataArray:
    """`compute(*point)` at every point of the grid, in the order of its dims."""
    values = [compute(*point) for point in itertools.product(*coords.values())]
    shape = [len(labels) for labels in coords.values()]
    return xr.DataArray(np.asarray(values, dtype=float).reshape(shape), dict(coords), tuple(coords))


def described(dataset: xr.Dataset, question: str, machines: Iterable[Machine], **attrs: Any) -> xr.Dataset:
    """With a unit on every variable and coordinate ('1' for ratios), and what the numbers rest on as attributes."""
    for name in dataset.variables:
        if dataset[name].dtype.kind in "fiu":
            dataset[name].attrs["units"] = UNITS.get(str(name), "1")
    clocks = {where.name: where.clock_is for where in machines}
    dataset.attrs = {
        "question": question,
        "clock": "modelled",
        "compute": ", ".join(f"{name}: {clock}" for name, clock in clocks.items()),
        "collective": ", ".join(f"{where.name}: {where.collective}" for where in machines),
        **attrs,
    }
    return dataset


def found(machines: Iterable[str | Machine]) -> dict[str, Machine]:
    """The machines by name, presets looked up; raises InputError for an unknown or a repeated name."""
    listed = [machine(where) if isinstance(where, str) else where for where in machines]
    if len({where.name for where in listed}) < len(listed):
        raise refuse("machines", [where.name for where in listed], "each name once")
    return {where.name: where for where in listed}


def check_grid(**axes: Sequence[Any]) -> None:
    """Refuse an axis without points, or with counts below 1."""
    for name, points in axes.items():
        if not len(points):
            raise refuse(name, list(points), "at least one")
        if any(not isinstance(point, str) and point < 1 for point in points):
            raise refuse(name, list(points), "numbers >= 1")
