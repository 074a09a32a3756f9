"""A folder of analyses as the pipeline writes it, of two made-up models: for tests of what reads them."""

import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import synthetic_layer_wise
import xarray as xr
from once import made_once
from tiny_models import MODELS, line_costs

from rebuttal.core import results
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.machines.scaled import SCALED_MACHINES
from rebuttal.methods import method
from rebuttal.studies.analyses import (
    adversarial,
    all_of_them,
    at_full_size,
    delay_map,
    equivalence,
    smoothing_map,
    throughput,
)
from rebuttal.studies.analyses.continuous_time import continuous_time
from rebuttal.studies.analyses.memory import memory
from rebuttal.studies.analyses.rates import measure
from rebuttal.studies.analyses.ratios import with_and_without
from rebuttal.studies.params import Analyses
from rebuttal.studies.runs.provenance import attributes, write_json

METHODS = {
    "all_reduce": method("all_reduce"),
    "asynchronous": method("asynchronous"),
    "pipedream": method("pipedream"),
    "layer_wise_asynchronous lazy=false": method("layer_wise_asynchronous"),
} | {
    f"continuous_propagation form={form}": method("continuous_propagation", form=form)
    for form in ("store", "recompute", "stash")
}
SHORT = delay_map.DelayGrid(batches=(1, 64), steps=300, counts=(64, 256), target=0.3)
#: Names of real models, which papers' rules read: under each stands one of the made-up ones.
REAL = ("alexnet", "googlenet", "inception_v3", "resnet50", "vit_b_16", "gpt2_small", "alexnet_convolutions")
GRID = Analyses("quick", (2, 8), (4, 64), ("digits_mlp", "digits_cnn"), (1, 8, 64))


def write(folder: Path) -> Path:
    """Write every file of the analyses into `folder`; the folder."""
    shutil.copytree(made_once("synthetic_analyses", make), folder, dirs_exist_ok=True)
    return folder


def make(folder: Path) -> None:
    """Make every file in `folder`."""
    measured = throughput.throughput(
        {
            "digits_mlp": line_costs(8e-3, 1e-3, GRID.samples),
            "digits_cnn": line_costs(1e-3, 2e-3, GRID.samples),
        }
    ).assign_attrs(device="synthetic device", costs="here")
    models = with_and_without(MODELS, "flat_ended")
    modelled = {name: at_full_size.modelled(name, models, GRID) for name in at_full_size.COMPUTE}
    modelled |= rates_and_map()
    modelled["recorded"] = recorded()
    modelled["adversarial"] = attacks()
    modelled["worker_counts"] = counts()
    modelled["memory"] = memory(MODELS, METHODS, "h100_box", 2, 4)
    modelled = {name: with_real_names(data) for name, data in modelled.items()}
    blank = equivalence.blank(range(5), equivalence.WORKLOADS)
    modelled["equivalence"] = synthetic_layer_wise.equivalence(blank)
    modelled["delay_map"] = delay_map.delay_map(range(5), [100, 101], SHORT)
    modelled["continuous_time"] = continuous_time(steps=(0.1, 0.05))
    for name, data in (modelled | {"throughput": measured}).items():
        origin = attributes(GRID, clock=data.attrs["clock"])
        results.save(data.assign_attrs(origin), folder / ANALYSES[name].pattern)
    write_json(folder / "machines.json", all_of_them.described_machines())
    about = {"source": "made up", "sample": [3, 224, 224]}
    layers = {
        name: about | {"layers": [asdict(layer) for layer in layers]} for name, layers in MODELS.items()
    }
    write_json(folder / "models.json", layers)


def rates_and_map() -> dict[str, xr.Dataset]:
    """The rates of short runs, and the map that is drawn from them."""
    machines = {"h100_box": SCALED_MACHINES["h100_box"]}
    measured = measure((0, 1, 2, 3, 4), (5, 10)).assign_attrs(clock="modelled")
    drawn = smoothing_map.smoothing_map(measured, MODELS).merge(smoothing_map.clock())
    drawn = drawn.merge(smoothing_map.steps(MODELS, machines, 4))
    sizes = {"batch": 4, "stages": 8, "micro_batches": 8, "smoothing_samples": 4}
    return {"rates": measured, "smoothing_map": drawn.assign_attrs(clock="modelled", **sizes)}


def attacks() -> xr.Dataset:
    """What attacks might have left: PPRS is better than the other two in a pipeline, and worse on one node."""
    coords = {"method": list(adversarial.RUNS), "samples": [1, 4, 16], "clock": list(adversarial.CLOCKS),
              "share": list(adversarial.SHARES), "seed": list(range(5))}  # fmt: skip
    noise = np.random.default_rng(0).uniform(0.9, 1.1, [len(values) for values in coords.values()])
    rate = np.array([[1.0, 1.0], [1.2, 1.2], [2.0, 0.6]])[:, None, :, None, None]
    left = noise * np.exp(-rate * np.array(coords["share"])[:, None])
    found = {"left": left, "fooled": np.ones_like(left), "length": np.ones_like(left)}
    data = xr.Dataset({name: (tuple(coords), values) for name, values in found.items()}, coords)
    tuned = xr.zeros_like(left_at_end(data).isel(seed=0, drop=True))
    data = data.assign(rate=tuned + 1.0, width=tuned, at_edge=tuned)
    return adversarial.with_gaps(data).assign_attrs(clock="modelled", network_accuracy=0.9)


def counts() -> xr.Dataset:
    """What runs on few and on more workers might have left: asynchronous training gets worse."""
    coords = {"method": ["backup_workers", "asynchronous"], "workers": [2, 4, 8, 16], "rate": ["tuned", "shared"],
              "seed": list(range(5))}  # fmt: skip
    shape, noise = [len(values) for values in coords.values()], np.random.default_rng(0)
    worse = np.array([0.0, 1.0])[:, None, None, None] * np.array(coords["workers"])[:, None, None]
    data = xr.Dataset(coords=coords)
    data["final_error"] = (tuple(coords), 0.1 + 0.01 * worse + noise.normal(0, 0.005, shape))
    data["seconds"] = (tuple(coords), np.exp(0.2 - 0.1 * worse + noise.normal(0, 0.05, shape)))
    data["missed"] = xr.zeros_like(data.seconds)
    data["staleness_mean"] = data.seconds.isel(rate=0, drop=True)
    data["seconds_per_update"] = data.staleness_mean
    tuned = data.sel(rate="tuned", drop=True)
    one, other = (tuned.sel({"method": name}, drop=True) for name in coords["method"])
    against = data.final_error.sel({"method": "asynchronous"}, drop=True).rename(rate="against")
    data["log_time_ratio"] = np.log(one.seconds / other.seconds)
    data["accuracy_gain"] = against - one.final_error
    return data.assign_attrs(clock="modelled")


def left_at_end(data: xr.Dataset) -> xr.DataArray:
    """The loss that is left when the budget is used up."""
    return data.left.isel(share=-1, drop=True)


def recorded() -> xr.Dataset:
    """What two runs on real processes might have left."""
    rows = {"checksums": (52, 52), "share_agreed": (1, 1), "same_order": (1, 1), "update_s": (0.02, 0.03),
            "stages_at_once": (0.6, 0.4), "messages": (144, 576)}  # fmt: skip
    data = {name: ("run", np.array(values, dtype=float)) for name, values in rows.items()}
    about = {"clock": "measured", "stages": 4, "updates": 12, "workload": "digits_few"}
    return xr.Dataset(data, {"run": ["pprs", "pprs, one pass at a time"]}, about)


def with_real_names(data: xr.Dataset) -> xr.Dataset:
    """With the models a second time, under the names of real ones; data without a dim of models as they are."""
    if "model" not in data.dims:
        return data
    again = data.isel(model=[place % data.sizes["model"] for place in range(len(REAL))])
    return xr.concat(
        [data, again.assign_coords(model=list(REAL))], "model", data_vars="minimal", combine_attrs="override"
    )
