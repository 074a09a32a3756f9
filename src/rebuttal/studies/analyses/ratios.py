"""Where a model's parameters are, where its time is, and what overlap, delay or a server can make of that.

The compute/communication ratio decides what a form of synchronisation can gain; AlexNet's is that of its fully
connected layers, so the models are looked at with and without them.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.machines.full_size_costs import BYTES, FullSizeLayer, costs_on, without_fully_connected
from rebuttal.machines.hardware import Machine
from rebuttal.studies.analyses.grids import Models, check_grid, fill, found, modelled_on
from rebuttal.studies.analyses.step_recursions import (
    Iteration,
    delay_ceiling,
    iteration,
    overlap_ceiling,
    synchronous,
)

NODES = (2, 8, 32, 128)


def with_and_without(models: Models, name: str = "alexnet") -> Models:
    """The models, with one of them a second time without its fully connected layers, as `name`_convolutions."""
    return {**models, f"{name}_convolutions": without_fully_connected(models[name])}


def layer_ratios(
    models: Models, machines: Sequence[str | Machine], nodes: Sequence[int] = NODES, batch: int = 32
) -> xr.Dataset:
    """Layer by layer, of each model: sizes, seconds, and communication over computation.

    Dims machine, nodes, layer (all models' layers after each other, as "model name"; coordinates model, name, kind).
    Each layer's gradient is taken as one message.
    """
    check_grid(models=list(models), nodes=nodes)
    where = found(machines)
    parts = [_layers(name, layers, list(where.values()), nodes, batch) for name, layers in models.items()]
    whole = xr.concat(parts, "layer").assign_coords(machine=list(where), nodes=list(nodes))
    whole["ratio"] = whole.communication_s / whole.compute_s
    rests = modelled_on(where.values())
    return ANALYSES["layer_ratios"].annotated(whole, **rests, batch=batch, bytes_per_number=BYTES)


def _layers(
    model: str, layers: Sequence[FullSizeLayer], machines: Sequence[Machine], nodes: Sequence[int], batch: int
) -> xr.Dataset:
    """One model's layers."""
    sizes = [BYTES * layer.parameters for layer in layers]
    passes = [costs_on(layers, where, batch, model).layers_s(1) for where in machines]
    communication_s = [
        [[where.all_reduce(count, size).total_s if size else 0.0 for size in sizes] for count in nodes]
        for where in machines
    ]
    return xr.Dataset(
        {
            "parameters": ("layer", [layer.parameters for layer in layers]),
            "flops": ("layer", [float(layer.forward_flops + layer.backward_flops) for layer in layers]),
            "compute_s": (("machine", "layer"), np.asarray(passes).sum(axis=1)),
            "communication_s": (("machine", "nodes", "layer"), np.asarray(communication_s)),
        },
        coords={
            "layer": [f"{model} {layer.layer}" for layer in layers],
            "model": ("layer", [model] * len(layers)),
            "name": ("layer", [layer.layer for layer in layers]),
            "kind": ("layer", [layer.kind for layer in layers]),
        },
    )


def model_ratios(
    models: Models, machines: Sequence[str | Machine], nodes: Sequence[int] = NODES, batch: int = 32
) -> xr.Dataset:
    """Of each model: r, and what overlap, a delay of one step and a parameter server would make of it at best.

    Dims model, machine, nodes. `ratio` is one message's communication over computation; `overlap_ceiling` and
    `delay_ceiling` are bounds, without latencies of more messages; `server_speedup` is a synchronous server's.
    """
    check_grid(models=list(models), nodes=nodes)
    where = found(machines)
    costs = {
        (name, place): costs_on(layers, where[place], batch, name)
        for name, layers in models.items()
        for place in where
    }
    coords = {"model": list(models), "machine": list(where), "nodes": list(nodes)}

    def work(model: str, place: str, count: int) -> Iteration:
        return iteration(costs[model, place], where[place], count)

    def share(model: str, place: str) -> float:
        return work(model, place, 1).forward_share

    dataset = xr.Dataset(
        {
            "compute_s": fill(coords, lambda *point: work(*point).compute_s),
            "communication_s": fill(coords, lambda *point: work(*point).communication_s),
            "synchronous_s": fill(coords, lambda *point: synchronous(work(*point))),
            "forward_share": fill({"model": coords["model"], "machine": coords["machine"]}, share),
            "gradient_bytes": fill({"model": coords["model"]}, lambda model: _bytes(models[model])),
            "fully_connected_share_of_bytes": fill(
                {"model": coords["model"]}, lambda model: _linear_share(models[model])
            ),
        }
    )
    return ANALYSES["model_ratios"].annotated(_gains(dataset), **modelled_on(where.values()), batch=batch)


def _gains(dataset: xr.Dataset) -> xr.Dataset:
    """The ratio, and what follows from it."""
    r = dataset.communication_s / dataset.compute_s
    dataset["ratio"] = r
    dataset["overlap_ceiling"] = xr.apply_ufunc(overlap_ceiling, r, dataset.forward_share, vectorize=True)
    dataset["delay_ceiling"] = xr.apply_ufunc(delay_ceiling, r, vectorize=True)
    whole_s = dataset.compute_s + dataset.communication_s
    dataset["server_speedup"] = whole_s / dataset.synchronous_s
    return dataset.drop_vars("synchronous_s")


def _bytes(layers: Sequence[FullSizeLayer]) -> int:
    return BYTES * sum(layer.parameters for layer in layers)


def _linear_share(layers: Sequence[FullSizeLayer]) -> float:
    return BYTES * sum(layer.parameters for layer in layers if layer.kind == "linear") / _bytes(layers)
