"""The stage that tunes: every variant of a method gets the same grid of learning rates and the same seeds.

The seeds are not the report's, and what is compared is the validation loss. Every method has the same budget: one
run of full length for each learning rate and tuning seed.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.studies.params import Params, Study
from rebuttal.studies.runs.provenance import of_training
from rebuttal.studies.runs.setting_curves import RunCurves, curves_of
from rebuttal.studies.runs.study_runs import StudySetting, labels, settings

DIMS = ("method", "workload", "machine")
LAST = 5  # the validation loss is averaged over this many points ...
AMONG = 21  # ... the last of so many evenly spaced ones


def tune_method(params: Params, study: Study, method: str) -> None:
    """Write validation loss against learning rate for each variant of a method, and the best rate."""
    some = settings(study, method)
    rates = {setting.key: study.learning_rates for setting in some}
    runs = curves_of(
        params,
        study,
        some,
        seeds=study.tuning_seeds,
        rates=rates,
        splits=("validation",),
        pick=_last_points,
        title=f"{study.name}: tuning",
    )
    dataset = _dataset(study, some, runs).assign_attrs(of_training(study, params.data_root))
    results.save(dataset, paths.results(study.name) / "tuning" / f"{method}.nc")


def _last_points(updates: int) -> list[int]:
    """The start, which bounds divergence, and the last of evenly spaced versions."""
    spaced = np.linspace(0, updates, AMONG).round().astype(int)
    return sorted({0, *spaced[-LAST:].tolist()})


def _dataset(study: Study, some: Sequence[StudySetting], runs: dict[tuple, RunCurves]) -> xr.Dataset:
    """Over (method, workload, machine, learning_rate, seed)."""
    coords = {**labels(some), "learning_rate": list(study.learning_rates), "seed": list(study.tuning_seeds)}
    shape = [len(values) for values in coords.values()]
    dataset = xr.Dataset(
        {
            name: (list(coords), np.full(shape, np.nan))
            for name in ("validation_loss", "validation_metric", "diverged")
        }
        | {name: (list(DIMS), np.full(shape[:3], np.nan)) for name in ("best_learning_rate", "at_edge")},
        coords=coords,
    )
    for setting in some:
        place = dict(zip(DIMS, setting.key, strict=True))
        run = runs[setting.key]
        loss = run.values["validation_loss"][:, :, -LAST:].mean(-1).T
        diverged = ~np.isnan(run.diverged_at).T
        dataset["validation_loss"].loc[place] = np.where(diverged, np.nan, loss)
        dataset["validation_metric"].loc[place] = run.values["validation_metric"][:, :, -LAST:].mean(-1).T
        dataset["diverged"].loc[place] = diverged
        best = best_rate(np.where(diverged, np.inf, loss))
        dataset["best_learning_rate"].loc[place] = study.learning_rates[best]
        dataset["at_edge"].loc[place] = best in (0, len(study.learning_rates) - 1)
    for name in ("best_learning_rate", "learning_rate"):
        dataset[name].attrs["units"] = "1"
    return dataset


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
    return {
        setting.key: float(tuning["best_learning_rate"].loc[dict(zip(DIMS, setting.key, strict=True))])
        for setting in some
    }
