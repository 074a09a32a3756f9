"""The stage that measures rates of convergence, and draws from them the map of where smoothing pays."""

import json
from typing import Any

import xarray as xr

from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.machines.full_size_costs import read_models
from rebuttal.machines.scaled import SCALED_MACHINES
from rebuttal.studies.analyses import rates, smoothing_map
from rebuttal.studies.analyses.grids import described
from rebuttal.studies.params import Params
from rebuttal.studies.params.engine_choice import LOCAL
from rebuttal.studies.runs.pool import run_all
from rebuttal.studies.runs.provenance import attributes

STUDY = "random-smoothing"  # whose seeds are taken
LINKS = (5, 10, 20, 40)
MACHINES = ("sandy_bridge_infiniband", "h100_box")
BATCH = 4  # samples of a micro-batch at full size


def write_rates(params: Params) -> None:
    """Write analyses/rates.nc, and smoothing_map.nc from it and models.json. Raises InputError."""
    folder, grid = paths.results("analyses"), params.analyses
    given = {"profile": params.profile, "horizons": grid.horizons, "seeds": grid.seeds}
    measured = measure(given["seeds"], given["horizons"], params.engine)
    models = read_models(folder / "models.json")
    machines = {name: SCALED_MACHINES[name] for name in MACHINES}
    drawn = smoothing_map.smoothing_map(measured, models).merge(smoothing_map.clock())
    drawn = drawn.merge(smoothing_map.steps(models, machines, BATCH))
    question = "Where does PPRS beat GPipe, and how much of practice lies there?"
    drawn = described(drawn, question, machines.values(), batch=BATCH, stages=smoothing_map.STAGES,
                      micro_batches=smoothing_map.BATCHES, smoothing_samples=smoothing_map.SMOOTHED)  # fmt: skip
    for name, data in {"rates": measured, "smoothing_map": drawn}.items():
        origin = attributes(grid, clock="modelled") | {"parameters": json.dumps(given)}
        results.save(data.assign_attrs(origin), folder / f"{name}.nc")


def measure(seeds: tuple[int, ...], horizons: tuple[int, ...], engine: str = LOCAL) -> xr.Dataset:
    """The dataset of `rates.rates`, its runs side by side on the cores that there are."""
    shown = horizons[-2:][0]  # of the comparison of dimensions: not the longest, which costs most
    errors = [(name, T) for T in horizons for name in rates.CASES]
    chains = [(name, links) for name in rates.FIRST_ORDER for links in LINKS]
    tasks: list[tuple] = [("error", *one, seeds) for one in errors]
    tasks += [("error_in_dimension", d, shown, seeds) for d in rates.DIMENSIONS]
    tasks += [("updates_to_flat", *one) for one in chains]
    weights = [task[2] for task in tasks]
    found = run_all(_one, tasks, "rates", weights, preload=[__name__], engine=engine)
    rest = found[len(errors) :]
    return rates.rates(
        dict(zip(errors, found, strict=False)),
        dict(zip(rates.DIMENSIONS, rest, strict=False)),
        dict(zip(chains, rest[len(rates.DIMENSIONS) :], strict=True)),
        seeds,
        shown,
    )


def _one(kind: str, *given: Any) -> Any:
    return getattr(rates, kind)(*given)
