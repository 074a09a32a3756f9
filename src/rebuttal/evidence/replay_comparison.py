"""Replays of several methods as one dataset, each at the learning rate that suits it best."""

from collections.abc import Mapping

import xarray as xr

from rebuttal.base import arguments
from rebuttal.base.errors import InputError, refuse
from rebuttal.evidence import datasets

PARTS = ("validation_metric", "diverged_at", "update", "epoch", "seconds")  # of a replay, that are read
SHARED = ("workload", "machine", "clock")  # attributes that replays must have in common


def side_by_side(replays: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Label ('backup_workers b=2') -> what `replay` gave, as one dataset along `method`, for one `chart`.

    Each is taken at its own best learning rate: the one with the least mean validation error at the end (the test set
    is not asked), among those at which no seed diverged. Dims method, workload, machine, rate, seed, point; where a
    replay has fewer points than another, the first are missing.

    Raises:
        InputError: no replay, replays on different workloads or machines, or one that diverged at every rate.
    """
    replays = arguments.options("replays", replays)
    if not replays:
        raise refuse("replays", replays, "at least one, by the name it is to have in the chart")
    for label, data in replays.items():
        if not isinstance(data, xr.Dataset) or not {*PARTS, *SHARED} <= {*data.variables, *data.attrs}:
            raise refuse(f"replay {label!r}", type(data).__name__, "what rebuttal.replay gave")
    first = next(iter(replays.values())).attrs
    for label, data in replays.items():
        for name in SHARED:
            if data.attrs[name] != first[name]:
                raise refuse(f"{name} of {label!r}", data.attrs[name], f"that of the others, {first[name]!r}")
    most = max(data.sizes["point"] for data in replays.values())
    parts = [_at_best_rate(label, data, most) for label, data in replays.items()]
    whole = xr.concat(parts, "method", coords="minimal", compat="override", combine_attrs="drop_conflicts")
    return whole.expand_dims(machine=[first["machine"]], rate=["tuned"], workload=[first["workload"]])


def _at_best_rate(label: str, data: xr.Dataset, points: int) -> xr.Dataset:
    """The replay at one learning rate, which becomes a variable, with so many points."""
    last = data.validation_metric.isel(point=-1).assign_coords(workload=data.attrs["workload"])
    error = datasets.error(last, data).reset_coords(drop=True).where(data.diverged_at.isnull())
    mean = error.mean("seed", skipna=False)
    if bool(mean.isnull().all()):
        raise InputError(f"{label}: diverged at every learning rate; allowed: a smaller one among them")
    best = data.isel(learning_rate=int(mean.argmin("learning_rate"))).reset_coords(
        ["learning_rate", "update", "epoch", "seconds"]
    )
    best["update"] = best["update"].broadcast_like(best.epoch)
    return best.pad(point=(points - data.sizes["point"], 0)).assign_coords(method=label)
