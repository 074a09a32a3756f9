"""Made-up results of the study of layer-wise forms, under its own labels, with real time lines of a few of them."""

import json
from pathlib import Path

import numpy as np
import synthetic_results
import xarray as xr
from runs import COSTS

from rebuttal.core import results
from rebuttal.core.metrics import ATTRIBUTE
from rebuttal.simulation.simulate import simulate
from rebuttal.studies import params
from rebuttal.studies.params import Study

PLACE = {"workload": ["digits_deep", "digits_pixelcnn"], "machine": ["ethernet_10g"]}
FALLING = {"digits_pixelcnn": ["bits per dimension", True]}
SHOWN = (  # whose time lines the page draws
    "all_reduce", "layer_wise", "layer_wise_overlapped channels=1", "layer_wise_asynchronous lazy=false",
    "delayed_all_reduce k=1", "delayed_layer_wise k=1", "asynchronous", "one_sided atomic=true",
)  # fmt: skip
UPDATES = 10


def write(study: Path, folder: Path) -> Path:
    """Every file of the study in `folder`, made from the synthetic results in `study`; the folder."""
    about = params.load(Path(__file__).parents[1] / "params.yaml").study("layer-wise")
    labels = [variant.label for variant in about.variants]
    made = synthetic_results.loaded(study)
    files = {"curves": "training/all/curves", "tuning": "tuning/all", "summaries": "summaries/all"}
    for kind, name in files.items():
        data = _relabelled(made[kind], labels)
        results.save(_falling(data) if kind != "summaries" else data, folder / f"{name}.nc")
    note = {"device": "none", "git_commit": "0" * 40}
    synthetic_results.write_json(folder / "training" / "all" / "provenance.json", note)
    _time_lines(about, folder / "timelines")
    return folder


def _relabelled(data: xr.Dataset, labels: list[str]) -> xr.Dataset:
    """Under other labels and places, without the methods that were run in one place only."""
    there = [label for label in map(str, data.method.values) if not label.startswith("delayed")]
    again = (there * 3)[: len(labels)]
    chosen = data.sel({"method": again, "machine": ["ethernet_10g"]}).drop_vars("file")
    return chosen.assign_coords({"method": labels, **PLACE}).assign_attrs(study="layer_wise")


def _falling(data: xr.Dataset) -> xr.Dataset:
    """With a metric on the second workload that falls, from some four bits."""
    found = data.copy(deep=True)
    for name in ("test_metric", "validation_metric"):
        if name in found:
            found[name].loc[{"workload": list(FALLING)}] = 4 - 2 * found[name].sel(
                {"workload": list(FALLING)}
            )
    return found.assign_attrs({ATTRIBUTE: json.dumps(FALLING)})


def _time_lines(study: Study, folder: Path) -> None:
    """Short runs of the methods that are shown, for the first seed."""
    for variant in study.variants:
        if variant.label in SHOWN:
            run = simulate(variant.program, machine="ethernet_10g", workload="digits_deep", workers=4,
                           options=variant.options, updates=UPDATES, costs=COSTS)  # fmt: skip
            name = f"{variant.label}--digits_deep--ethernet_10g--seed 0.npz".replace(" ", "_")
            run.save(folder / variant.method / name)


def equivalence(blank: xr.Dataset) -> xr.Dataset:
    """The analysis filled with differences as they would be: rounding without a delay, a share of the way with one."""
    found = blank.copy(deep=True)
    step = xr.DataArray([np.finfo(dtype).eps for dtype in found["dtype"].values], dims="dtype")
    delayed = xr.DataArray([str(form).startswith("delayed") for form in found.form.values], dims="form")
    for name in ("relative_difference", "largest_difference"):
        values = xr.where(delayed, 0.3, 8 * step) * (1 + 0.1 * found.seed) * xr.ones_like(found[name])
        found[name].values = values.transpose(*found[name].dims).values
    return found
