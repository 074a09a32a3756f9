"""The stage that trains: every variant of a method at its tuned and at the shared learning rate, all seeds."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.studies.params import Params, Study
from rebuttal.studies.runs.pool import engine_of
from rebuttal.studies.runs.provenance import Stopwatch, of_training, provenance, write_json
from rebuttal.studies.runs.setting_curves import RunCurves, curves_of
from rebuttal.studies.runs.study_costs import costs_of
from rebuttal.studies.runs.study_runs import StudySetting, labels, settings
from rebuttal.studies.runs.tuning import DIMS, tuned_rates

RATES = ("tuned", "shared")
SPLITS = ("training", "validation", "test")
RECORDED = {
    "training_loss": "nat",
    "test_loss": "nat",
    "test_metric": "1",
    "validation_loss": "nat",
    "validation_metric": "1",
}
AXES = {"update": "1", "epoch": "1", "samples_computed": "1", "samples_applied": "1", "seconds": "s"}


def train_method(params: Params, study: Study, method: str) -> xr.Dataset:
    """Train all settings of a method, write curves, timing and provenance, and return the curves."""
    watch, some = Stopwatch(), settings(study, method)
    tuned = tuned_rates(study, some)
    rates = {one.key: _rates(study, one, tuned[one.key]) for one in some}
    runs = curves_of(
        params,
        study,
        some,
        seeds=study.seeds,
        rates=rates,
        splits=SPLITS,
        pick=lambda updates: np.linspace(0, updates, study.points).round().astype(int).tolist(),
        title=f"{study.name}: training",
    )
    dataset = _dataset(study, some, runs, rates).assign_attrs(of_training(study, params.data_root))
    folder = paths.results(study.name) / "training" / method
    results.save(dataset, folder / "curves.nc")
    replays_s = {" | ".join(key): run.wall_s for key, run in runs.items()}
    write_json(folder / "timing.json", {"stage": watch.read(), "replays_s": replays_s})
    write_json(
        folder / "provenance.json", provenance(study, params.device) | {"engine": engine_of(params.engine)}
    )
    return dataset


def _rates(study: Study, setting: StudySetting, tuned: float) -> tuple[float, ...]:
    """The learning rates of a setting, in the order of RATES: its own, and the shared one where that is asked for."""
    return (tuned, study.shared_learning_rate) if setting.variant.untuned else (tuned,)


def _dataset(
    study: Study,
    some: Sequence[StudySetting],
    runs: dict[tuple, RunCurves],
    rates: dict[tuple, tuple[float, ...]],
) -> xr.Dataset:
    """Over (method, workload, machine, rate, seed, point), as the README's section on result files says."""
    base = labels(some)
    coords = {**base, "rate": list(RATES), "seed": list(study.seeds), "point": np.arange(study.points)}
    dims = list(coords)
    shape = [len(values) for values in coords.values()]
    along = [*DIMS, "seed", "point"]
    along_shape = [len(coords[dim]) for dim in along]
    dataset = xr.Dataset(
        {name: (dims, np.full(shape, np.nan), {"units": units}) for name, units in RECORDED.items()}
        | {"diverged_at": (dims[:5], np.full(shape[:5], np.nan), {"units": "update"})}
        | {"learning_rate": (dims[:4], np.full(shape[:4], np.nan), {"units": "1"})},
        coords={
            **coords,
            **{name: (along, np.full(along_shape, np.nan), {"units": units}) for name, units in AXES.items()},
        },
    )
    for setting in some:
        place = dict(zip(DIMS, setting.key, strict=True))
        run, there = runs[setting.key], place | {"rate": list(RATES[: len(rates[setting.key])])}
        for name in RECORDED:
            dataset[name].loc[there] = run.values[name].swapaxes(0, 1)
        dataset["diverged_at"].loc[there] = run.diverged_at.T
        dataset["learning_rate"].loc[there] = np.asarray(rates[setting.key])
        for name, values in _axes(study, setting, run).items():
            dataset[name].loc[place] = values
    return dataset


def _axes(study: Study, setting: StudySetting, run: RunCurves) -> dict[str, np.ndarray]:
    """The coordinates of a setting's points, each [seed, point]."""
    costs = costs_of(study, setting.workload)
    applied = run.axes["batches_applied"] * study.batch
    return {
        "update": run.versions.astype(float),
        "epoch": applied / costs.training_size,
        "samples_computed": run.axes["batches_computed"] * float(study.batch),
        "samples_applied": applied.astype(float),
        "seconds": run.axes["seconds"],
    }
