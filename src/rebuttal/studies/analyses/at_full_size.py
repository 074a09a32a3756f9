"""The analyses of models at full size, on every machine that their costs can be scaled to: `ratios` to `scaling`."""

from collections.abc import Callable, Sequence

import xarray as xr

from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.machines.scaled import SCALED_MACHINES
from rebuttal.studies.analyses import peak_search, ratios, scaling, speedups
from rebuttal.studies.analyses.analysis_record import Analysis, Given
from rebuttal.studies.analyses.grids import Models
from rebuttal.studies.analyses.step_recursions import FORMS
from rebuttal.studies.params import Analyses

Compute = Callable[[Models, Sequence[str], Analyses], xr.Dataset]


def _speedups(models: Models, machines: Sequence[str], grid: Analyses) -> xr.Dataset:
    """With the bounds that hold for any model, and a line about each form."""
    gains = speedups.speedups(models, machines, grid.nodes, grid.batches).merge(speedups.bounds())
    about = [str(form.__doc__).splitlines()[0].rstrip(".") for form in FORMS.values()]
    gains = gains.assign_coords(form_about=("form", about))
    return ANALYSES["speedups"].annotated(gains, claimed=speedups.CLAIMED)


def _peaks(models: Models, machines: Sequence[str], _: Analyses) -> xr.Dataset:
    return peak_search.peaks(models, machines).assign_attrs(claimed=speedups.CLAIMED)


COMPUTE: dict[str, Compute] = {
    "layer_ratios": lambda models, machines, grid: ratios.layer_ratios(models, machines, grid.nodes),
    "model_ratios": lambda models, machines, grid: ratios.model_ratios(models, machines, grid.nodes),
    "speedups": _speedups,
    "peak_speedups": _peaks,
    "scaling": lambda models, machines, _: scaling.scaling(models, machines),
    "batch_latency": lambda models, machines, _: scaling.batch_latency_map(models, machines),
}


def modelled(name: str, models: Models, grid: Analyses) -> xr.Dataset:
    """One of these analyses on all machines, with a line about each model and machine for the legends of charts."""
    data = COMPUTE[name](models, list(SCALED_MACHINES), grid)
    sizes = [sum(layer.parameters for layer in layers) for layers in models.values()]
    lines = {
        "model": [f"{size / 1e6:.1f} million parameters" for size in sizes],
        "machine": [SCALED_MACHINES[name].description for name in SCALED_MACHINES],
    }
    return data.assign_coords(
        {f"{dim}_about": (dim, about) for dim, about in lines.items() if dim in data.dims}
    )


def _record(name: str) -> Analysis:
    def compute(given: Given) -> xr.Dataset:
        return modelled(name, ratios.with_and_without(given.models), given.grid)

    return Analysis(ANALYSES[name], compute)


RECORDS = tuple(_record(name) for name in COMPUTE)
