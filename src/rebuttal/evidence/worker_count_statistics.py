"""Synchronous training with backups beside asynchronous training on few and on more workers, as one dataset.

Labels end in their number of workers: "asynchronous workers=4". All runs of a study go through the same number of
samples, whatever the number of workers.
"""

import numpy as np
import xarray as xr

from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.evidence import datasets

METHODS = ("backup_workers", "asynchronous")
TARGET = 3.0  # times the error of the tuned mini-batch baseline, as in rules


def by_workers(values: xr.DataArray | xr.Dataset) -> xr.DataArray | xr.Dataset:
    """The dim `method` of labels with a number of workers as two: method (the family) and workers."""
    labels = [str(label) for label in values.method.values]
    parts = []
    for name in METHODS:
        own = [label for label in labels if label.startswith(f"{name} ")]
        counts = [int(label.rpartition("workers=")[2]) for label in own]
        parts.append(values.sel({"method": own}).rename({"method": "workers"}).assign_coords(workers=counts))
    return xr.concat([part.sortby("workers") for part in parts], "method").assign_coords(method=list(METHODS))


def worker_counts(curves: xr.Dataset, summaries: xr.Dataset, baseline: xr.Dataset) -> xr.Dataset:
    """What each method reaches on each number of workers, over seeds; at the tuned and at the shared learning rate.

    baseline: the tuning of mini-batch SGD, which fixes the target. On the first workload and machine. missed: whether a
    run ended before the target; `seconds` is then where it ended. log_time_ratio: the logarithm of the seconds to the
    target with backups over those of asynchronous training, both tuned. If one of the two missed the target, the ratio
    is less far on that side than it would be; if both did, it is NaN. accuracy_gain: test accuracy with backups, tuned,
    minus that of asynchronous training at its tuned rate, and at the shared one.
    """
    goal = datasets.targets(baseline, multiples=[TARGET])
    here = {"workload": 0, "machine": 0}
    times = datasets.time_to_target(curves, goal, axes=("seconds",)).isel(target=0, drop=True)
    reached = np.isfinite(times.seconds)
    found = xr.Dataset(
        {
            "final_error": datasets.error(datasets.final(curves), curves),
            "seconds": times.seconds.where(reached, times.seconds_end),
            "missed": (~reached).astype(float),
            "learning_rate": curves.learning_rate.reset_coords(drop=True),
        }
    )
    found = found.merge(summaries[["seconds_per_update", "staleness_mean"]].reset_coords(drop=True))
    data = by_workers(found.isel(here, drop=True).drop_vars(["file"], errors="ignore"))
    tuned = data.sel(rate="tuned", drop=True)
    one, other = (tuned.sel({"method": name}, drop=True) for name in METHODS)
    both = (one.missed * other.missed).astype(bool)
    ratio = np.log(one.seconds / other.seconds).where(~both)
    against = data.final_error.sel({"method": METHODS[1]}, drop=True).rename(rate="against")
    data = data.assign(log_time_ratio=ratio, accuracy_gain=against - one.final_error)
    return ANALYSES["worker_counts"].annotated(data)
