"""What figures with targets share: the target that verdicts use, and what every run took to each of a sweep."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.evidence import datasets
from rebuttal.figures import chart_rows

TARGET = 3.0  # the target of single-target figures: this multiple of the baseline's validation error, as in verdicts


def at_targets(frame: pd.DataFrame, shown: Any) -> pd.DataFrame:
    """Rows at every target (column `multiple`), with the column `standard`: those `shown` unless a reader asks.

    They come first.
    """
    found = frame.assign(standard=np.asarray(shown, dtype=bool))
    return found.sort_values("standard", ascending=False, kind="stable", ignore_index=True)


def at_verdicts(frame: pd.DataFrame, targets: xr.DataArray) -> pd.DataFrame:
    """`at_targets`, where those rows are shown that are at the target which verdicts use."""
    verdicts = targets.target.sel(target=TARGET, method="nearest").item()
    return at_targets(frame, np.isclose(chart_rows.column(frame, "multiple"), verdicts))


def reached(data: xr.Dataset, targets: xr.DataArray) -> xr.Dataset:
    """seconds, updates and seconds_per_update to every target (dim multiple), at the tuned rate; NaN where missed."""
    times = datasets.time_to_target(chart_rows.pick(data, "rate", "tuned"), targets)
    found = times[["seconds", "updates"]].where(np.isfinite(times.seconds)).rename(target="multiple")
    return found.assign(seconds_per_update=found.seconds / found.updates.where(found.updates > 0))
