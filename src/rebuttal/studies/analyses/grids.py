"""Datasets over grids of models, machines, nodes and batches: how to fill them, and what they rest on."""

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


def fill(coords: Mapping[str, Sequence[Any]], compute: Callable[..., float]) -> xr.DataArray:
    """`compute(*point)` at every point of the grid, in the order of its dims."""
    values = [compute(*point) for point in itertools.product(*coords.values())]
    shape = [len(labels) for labels in coords.values()]
    return xr.DataArray(np.asarray(values, dtype=float).reshape(shape), dict(coords), tuple(coords))


def modelled_on(machines: Iterable[Machine]) -> dict[str, str]:
    """Attributes of modelled seconds: what their machines' numbers rest on."""
    listed = list(machines)
    return {
        "clock": "modelled",
        "compute": ", ".join(f"{where.name}: {where.clock_is}" for where in listed),
        "collective": ", ".join(f"{where.name}: {where.collective}" for where in listed),
    }


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
