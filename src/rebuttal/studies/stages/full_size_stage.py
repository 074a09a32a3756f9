"""The stage that needs no training: full-size models on every machine that their costs can be scaled to.

Writes analyses: a dataset for each analysis, models.json with the layers of every model, and machines.json
with what each machine is and where its figures come from.
"""

from collections.abc import Mapping
from pathlib import Path

import xarray as xr

from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.machines.full_size_costs import read_models
from rebuttal.machines.hardware import Machine
from rebuttal.machines.scaled import SCALED_MACHINES
from rebuttal.studies.analyses import peak_search, ratios, scaling, speedups, throughput
from rebuttal.studies.analyses.grids import Models
from rebuttal.studies.analyses.step_recursions import FORMS
from rebuttal.studies.params import Analyses, Params
from rebuttal.studies.runs.provenance import attributes, write_json
from rebuttal.workloads import full_size


def write_analyses(params: Params) -> None:
    """Write analyses from params.yaml and from the costs of the device that it names. Raises InputError."""
    folder = paths.results("analyses")
    full_size.write(list(full_size.MODELS), folder / "models.json")
    models = ratios.with_and_without(read_models(folder / "models.json"))
    grid = params.analyses
    measured = throughput.measured_throughput(paths.device_costs(), grid.workloads, grid.samples)
    save(modelled(models, grid) | {"throughput": measured}, grid, folder)


def save(made: Mapping[str, xr.Dataset], grid: Analyses, folder: Path) -> None:
    """Write the analyses, each with where it comes from, and the machines."""
    for name, data in made.items():
        origin = attributes(grid, clock=data.attrs["clock"])
        results.save(data.assign_attrs(origin), folder / f"{name}.nc")
    write_json(folder / "machines.json", {name: described(each) for name, each in SCALED_MACHINES.items()})


def modelled(models: Models, grid: Analyses) -> dict[str, xr.Dataset]:
    """Every analysis whose seconds are modelled, by the name of its schema, on all machines."""
    machines = list(SCALED_MACHINES)
    gains = speedups.speedups(models, machines, grid.nodes, grid.batches).merge(speedups.bounds())
    gains.coords["form_about"] = (
        "form",
        [str(form.__doc__).splitlines()[0].rstrip(".") for form in FORMS.values()],
    )
    found = {
        "layer_ratios": ratios.layer_ratios(models, machines, grid.nodes),
        "model_ratios": ratios.model_ratios(models, machines, grid.nodes),
        "speedups": gains.assign_attrs(claimed=speedups.CLAIMED),
        "peak_speedups": peak_search.peaks(models, machines).assign_attrs(claimed=speedups.CLAIMED),
        "scaling": scaling.scaling(models, machines),
        "batch_latency": scaling.batch_latency_map(models, machines),
    }
    sizes = [sum(layer.parameters for layer in layers) for layers in models.values()]
    lines = {
        "model": [f"{size / 1e6:.1f} million parameters" for size in sizes],
        "machine": [SCALED_MACHINES[name].description for name in machines],
    }
    return {name: _with_lines(data, lines) for name, data in found.items()}


def _with_lines(data: xr.Dataset, lines: dict[str, list[str]]) -> xr.Dataset:
    """With a line about each label of some dims, for the legends of charts."""
    return data.assign_coords(
        {f"{dim}_about": (dim, about) for dim, about in lines.items() if dim in data.dims}
    )


def described(machine: Machine) -> dict[str, object]:
    """What a machine is, what it assumes, and where each of its figures comes from."""
    return {
        "description": machine.description,
        "compute": machine.clock_is,
        "collective": machine.collective,
        "nodes_per_host": machine.nodes_per_host,
        "assumptions": machine.assumptions,
        "sources": machine.sources(),
    }
