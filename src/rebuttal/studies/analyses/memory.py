"""Memory of the fullest node: what each method holds of a model at full size, read off its timeline."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.core.timeline import Timeline
from rebuttal.core.update_rules import SGD, Momentum
from rebuttal.machines.costs import Costs
from rebuttal.machines.full_size_costs import costs_on
from rebuttal.machines.hardware import Machine
from rebuttal.methods import Method, method
from rebuttal.simulation.simulate import simulate
from rebuttal.simulation.timeline_metrics.memory_use import memory as of_timeline
from rebuttal.studies.analyses.analysis_record import Analysis, Given, of_study
from rebuttal.studies.analyses.grids import Models, check_grid, found, modelled_on

KINDS = ("weights", "optimiser", "gradients", "activations", "buffers")
BASELINE = "all_reduce"  # every node holds the whole model
STUDY = "comparison"  # the one that has every method
MACHINE = "h100_box"
UPDATES = 16  # enough to fill the pipelines and queues of a few workers


def memory(
    models: Models, methods: Mapping[str, Method], machine: str | Machine, workers: int, batch: int
) -> xr.Dataset:
    """The most that the fullest node holds at a time, by method and model, for SGD with momentum.

    Dims method, model, kind. `peak_bytes` are peaks of each kind (weights: every version that is still used; optimiser:
    the velocity), which need not be at one time; `total_peak_bytes` is the peak of their sum. `live_versions`: of one
    part of the weights at a time, on that node. `over_all_reduce`: `total_peak_bytes` as a multiple of that of
    all-reduce, NaN where it is not among the methods.
    """
    check_grid(models=list(models), methods=list(methods), workers=[workers], batch=[batch])
    (where,) = found([machine]).values()
    costs = {name: costs_on(layers, where, batch, name) for name, layers in models.items()}
    coords = {"method": list(methods), "model": list(models)}
    nodes = [
        _fullest(simulate(each, machine=where, workload=name, workers=workers, updates=UPDATES, batch=batch,
                          costs=costs[name]), costs[name])
        for each in methods.values() for name in models
    ]  # fmt: skip
    shape = [len(labels) for labels in coords.values()]
    peaks, totals, versions = (np.array(values) for values in zip(*nodes, strict=True))
    dataset = xr.Dataset(
        {
            "peak_bytes": ((*coords, "kind"), peaks.reshape(*shape, len(KINDS))),
            "total_peak_bytes": (tuple(coords), totals.reshape(shape)),
            "live_versions": (tuple(coords), versions.reshape(shape)),
        },
        coords | {"kind": list(KINDS)},
    )
    totals = dataset.total_peak_bytes
    dataset["over_all_reduce"] = totals / totals.reindex({"method": [BASELINE]}).isel(
        {"method": 0}, drop=True
    )
    about = {"workers": workers, "batch": batch, "machine": where.name}
    return ANALYSES["memory"].annotated(dataset, **modelled_on([where]), **about)


def _fullest(timeline: Timeline, costs: Costs) -> tuple[list[float], float, float]:
    """Of the node that holds most: the peak of each kind, of all together, and the versions at a time."""
    held = of_timeline(timeline, costs, Momentum())
    fullest = int(np.argmax(held.total_peak_bytes.values))
    node, plain = (each.isel(node=fullest) for each in (held, of_timeline(timeline, costs, SGD())))
    parts = {str(kind): float(plain.peak_bytes.sel(kind=kind)) for kind in plain.kind.values}
    parts["optimiser"] = float(node.peak_bytes.sel(kind="weights")) - parts["weights"]
    return [parts[kind] for kind in KINDS], float(node.total_peak_bytes), float(node.live_versions)


def _of_study(given: Given) -> xr.Dataset:
    """Every method of a study, on the models at full size."""
    study = given.params.study(STUDY)
    methods = {variant.label: method(variant.program, **variant.options) for variant in study.variants}
    return memory(given.models, methods, MACHINE, study.workers, study.batch)


MEMORY = Analysis(ANALYSES["memory"], _of_study, origin=of_study(STUDY))
