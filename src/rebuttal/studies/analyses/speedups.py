"""The 1.7x claim: what each layer-wise form gains on synchronous SGD with one communication, and where.

By recursion over layers for whole grids, and by running the method files on the virtual cluster for the points that
are worth it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from rebuttal.base.errors import refuse
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.machines.costs import Costs
from rebuttal.machines.full_size_costs import costs_on
from rebuttal.machines.hardware import Machine
from rebuttal.machines.stragglers import STRAGGLERS
from rebuttal.simulation.simulate import simulate
from rebuttal.studies.analyses.grids import Models, check_grid, fill, found, modelled_on
from rebuttal.studies.analyses.step_recursions import FORMS, delay_ceiling, iteration, overlap_ceiling

NODES = (2, 4, 8, 16, 32, 64)
BATCHES = (4, 16, 64, 256)
BASELINE = "all_reduce"
CLAIMED = 1.7  # read: the abstract of the layer-wise paper, "up to 1.7x" over synchronous SGD
OVERLAP_BEST = 2 / 3  # the ratio at which overlap gains most, 5/3
BOUND_RATIOS = tuple(sorted({*np.geomspace(0.001, 1000, 61).tolist(), OVERLAP_BEST, 1.0}))
#: Which method, with which options, a form is on the virtual cluster, where the names differ.
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "layer_wise_lazy": ("layer_wise_asynchronous", {"lazy": True})
}
WARM_UP = 4  # updates until the clock of a form repeats itself
COUNTED = 4  # updates that are averaged


def step_s(form: str, costs: Costs, machine: Machine, nodes: int) -> float:
    """Seconds of one iteration in a form, by its recursion; raises InputError for a form that has none."""
    if form not in FORMS:
        raise refuse("form", form, FORMS)
    return FORMS[form](iteration(costs, machine, nodes))


def simulated_step_s(form: str, costs: Costs, machine: Machine, nodes: int, even: bool = True) -> float:
    """The same by running the form's method on the virtual cluster; with `even`, without stragglers."""
    name, options = METHODS.get(form, (form, {}))
    where = replace(machine, stragglers=STRAGGLERS["none"]) if even else machine
    timeline = simulate(
        name,
        machine=where,
        costs=costs,
        workload=costs.workload,
        batch=costs.batch,
        workers=nodes,
        updates=WARM_UP + COUNTED,
        options=options,
    )
    at_s = timeline.updates["time_s"]
    return float(at_s[-1] - at_s[-1 - COUNTED]) / COUNTED


def speedups(
    models: Models,
    machines: Sequence[str | Machine],
    nodes: Sequence[int] = NODES,
    batches: Sequence[int] = BATCHES,
    forms: Sequence[str] = tuple(FORMS),
    simulated: bool = False,
) -> xr.Dataset:
    """`step_s` and `speedup` of each form over one-communication synchronous SGD, beside the `ratio` that decides it.

    Dims form, model, machine, nodes, batch (samples per node). `ratio` is one message's communication over
    computation. `simulated`: run the methods instead of the recursions.
    """
    check_grid(models=list(models), nodes=nodes, batches=batches, forms=forms)
    where = found(machines)
    costs = {
        (name, place, batch): costs_on(layers, where[place], batch, name)
        for name, layers in models.items()
        for place in where
        for batch in batches
    }
    seconds = simulated_step_s if simulated else step_s

    def at(form: str, model: str, place: str, count: int, batch: int) -> float:
        return seconds(form, costs[model, place, batch], where[place], count)

    def ratio(model: str, place: str, count: int, batch: int) -> float:
        return iteration(costs[model, place, batch], where[place], count).ratio

    everything = list(dict.fromkeys([BASELINE, *forms]))
    coords = {
        "form": everything,
        "model": list(models),
        "machine": list(where),
        "nodes": list(nodes),
        "batch": list(batches),
    }
    dataset = xr.Dataset({"step_s": fill(coords, at)})
    dataset["speedup"] = dataset.step_s.sel(form=BASELINE, drop=True) / dataset.step_s
    dataset["ratio"] = fill({name: coords[name] for name in coords if name != "form"}, ratio)
    origin = "virtual cluster" if simulated else "recursion over layers"
    rests = modelled_on(where.values())
    return ANALYSES["speedups"].annotated(dataset, **rests, origin=origin, baseline=BASELINE)


def bounds(ratios: Sequence[float] = BOUND_RATIOS) -> xr.Dataset:
    """Along `bound_ratio`: the most that overlap, and a delay of one step, make of a ratio, with B = 2 F."""
    drawn = xr.DataArray(np.asarray(ratios), dims="bound_ratio", coords={"bound_ratio": np.asarray(ratios)})
    ceilings = {"overlap_bound": overlap_ceiling, "delay_bound": delay_ceiling}
    return xr.Dataset({name: xr.apply_ufunc(of, drawn, vectorize=True) for name, of in ceilings.items()})
