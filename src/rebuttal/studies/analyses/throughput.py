"""Throughput against batch size, measured: how much better synchronous methods use a device with large tensors."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from rebuttal.base import paths
from rebuttal.base.errors import refuse
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.machines.costs import Costs, entry_of, read_profile
from rebuttal.studies.analyses.analysis_record import Analysis, Given


def throughput(costs: Mapping[str, Costs]) -> xr.Dataset:
    """Samples per second at every batch size that was measured.

    Dims workload, samples (NaN where a workload was not measured). `relative` is the share of the best throughput.
    `fixed_s` and `sample_s` are a + c b fitted to the seconds of b samples, by least squares of relative errors;
    `half_batch` = a / c is the batch at which half of the throughput of an endless one is reached.
    """
    if not costs:
        raise refuse("workloads", [], "at least one")
    sizes = sorted({size for each in costs.values() for size in each.forward_s})
    seconds = np.array([[_gradient_s(each, size) for size in sizes] for each in costs.values()])
    dataset = xr.Dataset(
        {"gradient_s": (("workload", "samples"), seconds)},
        coords={"workload": list(costs), "samples": sizes},
    )
    dataset["samples_per_s"] = dataset.samples / dataset.gradient_s
    dataset["relative"] = dataset.samples_per_s / dataset.samples_per_s.max("samples")
    fits = np.array([_line(sizes, row) for row in seconds])
    dataset["fixed_s"], dataset["sample_s"] = (("workload", fits[:, number]) for number in (0, 1))
    dataset["half_batch"] = dataset.fixed_s / dataset.sample_s
    return ANALYSES["throughput"].annotated(dataset, clock="measured")


def measured_throughput(path: str | Path, workloads: Sequence[str], samples: Sequence[int]) -> xr.Dataset:
    """`throughput` of some workloads at those of the samples that a device's file has, with the device as an attribute.

    Raises:
        InputError: the file is missing or broken, or lacks a workload, or all of the samples.
    """
    profile = read_profile(path)
    costs = {
        name: _at(Costs.read(path, name, min(entry_of(path, name).batches)), samples) for name in workloads
    }
    if not any(each.forward_s for each in costs.values()):
        raise refuse(
            "samples", list(samples), sorted({n for w in workloads for n in profile.workloads[w].batches})
        )
    about = {"device": str(profile.device.get("name", profile.device)), "costs": profile.name}
    return throughput(costs).assign_attrs(about)


def _at(costs: Costs, samples: Sequence[int]) -> Costs:
    """The costs at those of the numbers of samples that were measured."""
    chosen = [size for size in costs.forward_s if size in samples]
    forward_s, backward_s = (
        {size: way[size] for size in chosen} for way in (costs.forward_s, costs.backward_s)
    )
    return replace(costs, forward_s=forward_s, backward_s=backward_s)


def _gradient_s(costs: Costs, samples: int) -> float:
    """Seconds of a gradient over so many samples, where they were measured."""
    if samples not in costs.forward_s:
        return float("nan")
    return sum(costs.forward_s[samples]) + sum(costs.backward_s[samples])


def _line(sizes: list[int], seconds: np.ndarray) -> tuple[float, float]:
    """a and c of a + c b; NaN with fewer than two sizes."""
    measured = np.isfinite(seconds)
    if measured.sum() < 2:
        return float("nan"), float("nan")
    c, a = np.polyfit(np.asarray(sizes)[measured], seconds[measured], 1, w=1 / seconds[measured])
    return float(a), float(c)


def _of_device(given: Given) -> xr.Dataset:
    """From the costs of the device that the parameters name."""
    return measured_throughput(paths.device_costs(), given.grid.workloads, given.grid.samples)


THROUGHPUT = Analysis(ANALYSES["throughput"], _of_device)
