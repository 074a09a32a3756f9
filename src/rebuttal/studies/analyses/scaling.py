"""Many nodes, small batches, slow links: weak and strong scaling to 1,024 nodes, and a map of batch against latency."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from rebuttal.base.errors import refuse
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.machines.costs import Costs
from rebuttal.machines.full_size_costs import costs_on
from rebuttal.machines.hardware import Link, Machine
from rebuttal.studies.analyses.grids import Models, check_grid, fill, found, modelled_on
from rebuttal.studies.analyses.speedups import BASELINE, step_s
from rebuttal.studies.analyses.step_recursions import FORMS

TO_1024 = tuple(2**power for power in range(11))
LATENCIES_S = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
SMALL_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)


def scaling(
    models: Models,
    machines: Sequence[str | Machine],
    nodes: Sequence[int] = TO_1024,
    batch: int = 32,
    global_batch: int = 1024,
    forms: Sequence[str] = tuple(FORMS),
) -> xr.Dataset:
    """Throughput and efficiency of each form as nodes are added.

    Dims scaling ('weak': `batch` samples on each node; 'strong': `global_batch` in all), form, model, machine, nodes.
    `efficiency` is the throughput per node over that of one node; NaN where a node would have less than one sample or
    the samples cannot be shared out evenly.
    """
    check_grid(models=list(models), nodes=nodes, forms=forms, batch=[batch], global_batch=[global_batch])
    where, costs = found(machines), dict[tuple[str, str, int], Costs]()

    def seconds(kind: str, form: str, model: str, place: str, count: int) -> float:
        own = batch if kind == "weak" else global_batch // count
        if own * count != _samples(kind, count, batch, global_batch):
            return float("nan")
        if (model, place, own) not in costs:
            costs[model, place, own] = costs_on(models[model], where[place], own, model)
        return step_s(form, costs[model, place, own], where[place], count)

    coords = {
        "scaling": ["weak", "strong"],
        "form": list(forms),
        "model": list(models),
        "machine": list(where),
        "nodes": list(nodes),
    }
    dataset = xr.Dataset({"step_s": fill(coords, seconds)})
    totals = [[_samples(kind, count, batch, global_batch) for count in nodes] for kind in coords["scaling"]]
    samples = xr.DataArray(
        np.asarray(totals), {k: coords[k] for k in ("scaling", "nodes")}, ("scaling", "nodes")
    )
    dataset["samples_per_s"] = samples / dataset.step_s
    dataset["efficiency"] = dataset.samples_per_s / dataset.nodes / _alone(models, where, batch, global_batch)
    rests = modelled_on(where.values())
    return ANALYSES["scaling"].annotated(dataset, **rests, batch=batch, global_batch=global_batch)


def _samples(kind: str, nodes: int, batch: int, global_batch: int) -> int:
    """How many samples all nodes have together."""
    return batch * nodes if kind == "weak" else global_batch


def _alone(models: Models, machines: dict[str, Machine], batch: int, global_batch: int) -> xr.DataArray:
    """Samples per second of one node that has nobody to talk to."""

    def rate(kind: str, model: str, place: str) -> float:
        own = _samples(kind, 1, batch, global_batch)
        return own / step_s(
            BASELINE, costs_on(models[model], machines[place], own, model), machines[place], 1
        )

    return fill({"scaling": ["weak", "strong"], "model": list(models), "machine": list(machines)}, rate)


def batch_latency_map(
    models: Models,
    machines: Sequence[str | Machine],
    nodes: int = 16,
    batches: Sequence[int] = SMALL_BATCHES,
    latencies_s: Sequence[float] = LATENCIES_S,
    forms: Sequence[str] = tuple(FORMS),
) -> xr.Dataset:
    """Very small batches on links of high latency: `step_s`, `speedup` over one communication, and who is fastest.

    Dims form, model, machine, batch (samples per node), latency_s (of every link of the machine). `fastest` is a
    form's name.
    """
    check_grid(models=list(models), batches=batches, nodes=[nodes], forms=forms)
    if not latencies_s or min(latencies_s) < 0:
        raise refuse("latencies_s", list(latencies_s), "numbers >= 0")
    where = found(machines)
    costs = {
        (model, place, batch): costs_on(layers, where[place], batch, model)
        for model, layers in models.items()
        for place in where
        for batch in batches
    }
    slowed = {(place, slow): with_latency(where[place], slow) for place in where for slow in latencies_s}

    def seconds(form: str, model: str, place: str, batch: int, latency_s: float) -> float:
        return step_s(form, costs[model, place, batch], slowed[place, latency_s], nodes)

    coords = {
        "form": list(dict.fromkeys([BASELINE, *forms])),
        "model": list(models),
        "machine": list(where),
        "batch": list(batches),
        "latency_s": list(latencies_s),
    }
    dataset = xr.Dataset({"step_s": fill(coords, seconds)})
    dataset["speedup"] = dataset.step_s.sel(form=BASELINE, drop=True) / dataset.step_s
    dataset["fastest"] = dataset.step_s.idxmin("form")
    return ANALYSES["batch_latency"].annotated(dataset, **modelled_on(where.values()), nodes=nodes)


def with_latency(machine: Machine, latency_s: float) -> Machine:
    """The machine with this latency on every link."""

    def changed(link: Link) -> Link:
        return replace(link, latency_s=latency_s, source="assumed: latency varied; " + link.source)

    return replace(
        machine,
        worker_link=changed(machine.worker_link),
        shard_link=changed(machine.shard_link),
        host_link=changed(machine.host_link) if machine.host_link else None,
    )
