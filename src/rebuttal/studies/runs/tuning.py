"""The stage that tunes, in two rounds with the same budget for every variant, on seeds that no result is reported from.

The first tuning seed tries the whole grid of learning rates. The KEPT best rates of a variant are tried on every other
tuning seed, and the one with the least validation loss over all of them is taken: the best of a grid on one seed is
often the luck of that seed. A rate that was left out of the second round has no values for its seeds.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.studies.params import Params, Study
from rebuttal.studies.runs.provenance import of_training
from rebuttal.studies.runs.setting_curves import RunCurves, curves_of
from rebuttal.studies.runs.study_runs import StudySetting, labels, settings

DIMS = ("method", "workload", "machine")
KEPT = 3  # learning rates of each variant that go into the second round
LAST = 5  # the validation loss is averaged over this many points ...
AMONG = 21  # ... the last of so many evenly spaced ones
MEASURED = ("validation_loss", "validation_metric", "diverged")
Rates = Mapping[tuple, Sequence[float]]


def tune_method(params: Params, study: Study, method: str) -> None:
    """Write validation loss against learning rate for each variant of a method, and the best rate."""
    some = settings(study, method)
    first, later = study.tuning_seeds[:1], study.tuning_seeds[1:]
    dataset = _empty(study, some)
    every: Rates = {setting.key: study.learning_rates for setting in some}
    _fill(dataset, first, every, _runs(params, study, some, first, every))
    kept: Rates = {key: _best_few(dataset, key) for key in every}
    if later:
        _fill(dataset, later, kept, _runs(params, study, some, later, kept))
    for key, rates in kept.items():
        _choose(dataset, key, rates)
    dataset = dataset.assign_attrs(of_training(study, params.data_root))
    results.save(dataset, paths.results(study.name) / "tuning" / f"{method}.nc")


def runs_of_each(study: Study) -> int:
    """How many runs tune one variant in one place: the same number for each."""
    return len(study.learning_rates) + min(KEPT, len(study.learning_rates)) * (len(study.tuning_seeds) - 1)


def _runs(
    params: Params, study: Study, some: Sequence[StudySetting], seeds: Sequence[int], rates: Rates
) -> dict[tuple, RunCurves]:
    return curves_of(
        params,
        study,
        some,
        seeds=seeds,
        rates=rates,
        splits=("validation",),
        pick=_last_points,
        title=f"{study.name}: tuning",
    )


def _last_points(updates: int) -> list[int]:
    """The start, which bounds divergence, and the last of evenly spaced versions."""
    spaced = np.linspace(0, updates, AMONG).round().astype(int)
    return sorted({0, *spaced[-LAST:].tolist()})


def _empty(study: Study, some: Sequence[StudySetting]) -> xr.Dataset:
    """Over (method, workload, machine, learning_rate, seed), with nothing in it."""
    coords = {**labels(some), "learning_rate": list(study.learning_rates), "seed": list(study.tuning_seeds)}
    shape = [len(values) for values in coords.values()]
    dataset = xr.Dataset(
        {name: (list(coords), np.full(shape, np.nan)) for name in MEASURED}
        | {name: (list(DIMS), np.full(shape[:3], np.nan)) for name in ("best_learning_rate", "at_edge")},
        coords=coords,
    )
    for name in ("best_learning_rate", "learning_rate"):
        dataset[name].attrs["units"] = "1"
    return dataset


def _fill(dataset: xr.Dataset, seeds: Sequence[int], rates: Rates, runs: Mapping[tuple, RunCurves]) -> None:
    """Put the ends of runs into their places."""
    for key, run in runs.items():
        place = {**_place(key), "learning_rate": list(rates[key]), "seed": list(seeds)}
        diverged = ~np.isnan(run.diverged_at).T
        ends = [run.values[name][:, :, -LAST:].mean(-1).T for name in MEASURED[:2]]
        found = (np.where(diverged, np.nan, ends[0]), ends[1], diverged)
        for name, values in zip(MEASURED, found, strict=True):
            dataset[name].loc[place] = values


def _place(key: tuple) -> dict[str, str]:
    return dict(zip(DIMS, key, strict=True))


def _best_few(dataset: xr.Dataset, key: tuple) -> list[float]:
    """The rates of a setting that are best on the first seed, in the order of the grid."""
    loss = _loss(dataset.loc[_place(key)].isel(seed=[0]))
    order = sorted(range(len(loss)), key=lambda row: (loss[row, 0], row))
    return dataset.learning_rate.values[sorted(order[:KEPT])].tolist()


def _choose(dataset: xr.Dataset, key: tuple, rates: Sequence[float]) -> None:
    """The best of the rates that were tried on every seed, and whether it is the first or the last of the grid."""
    grid = dataset.learning_rate.values.tolist()
    best = rates[best_rate(_loss(dataset.loc[{**_place(key), "learning_rate": list(rates)}]))]
    dataset["best_learning_rate"].loc[_place(key)] = best
    dataset["at_edge"].loc[_place(key)] = best in (grid[0], grid[-1])


def _loss(some: xr.Dataset) -> np.ndarray:
    """The validation loss [learning_rate, seed] of one setting, infinite where a run diverged."""
    loss = some.validation_loss.where(some.diverged == 0, np.inf)
    return loss.transpose("learning_rate", "seed").values


def best_rate(loss: np.ndarray) -> int:
    """The row of loss [learning_rate, seed] with the least mean; a rate that diverged once is out.

    If all diverged somewhere, the one that did so least often, the smallest of those.
    """
    means = np.where(np.isfinite(loss), loss, np.inf).mean(1)
    if np.isfinite(means).any():
        return int(np.argmin(means))
    return int(np.argmin((~np.isfinite(loss)).sum(1)))


def tuned_rates(study: Study, some: Sequence[StudySetting]) -> dict[tuple, float]:
    """The best learning rate of each setting, as the tuning stage found it."""
    tuning = results.load_tuning(study.name)
    return {setting.key: float(tuning["best_learning_rate"].loc[_place(setting.key)]) for setting in some}
