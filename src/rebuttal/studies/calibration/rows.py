"""From rows to one dataset with named dims. No torch."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import xarray as xr

from rebuttal.core.schemas import CALIBRATION
from rebuttal.processes.pytorch_baseline_table import SHIPPED, Shipped
from rebuttal.studies.calibration.grid import STRAGGLERS, WORKLOADS

Row = dict[str, Any]
RUN, COST = (list(CALIBRATION.variables[name]) for name in ("measured_s", "cost_s"))


def dataset(run_rows: Iterable[Row], cost_rows: Iterable[Row], methods: Sequence[str]) -> xr.Dataset:
    """Rows as one dataset, methods in their order."""
    made = [
        pd.DataFrame(rows).set_index(dims).to_xarray() for rows, dims in ((run_rows, RUN), (cost_rows, COST))
    ]
    whole = xr.merge(made, join="outer")
    ran = [name for name in methods if name in whole.method.values]
    data = whole.reindex({"method": ran, "workload": list(WORKLOADS), "stragglers": list(STRAGGLERS)})
    theirs = [SHIPPED.get(name, Shipped("", "")) for name in ran]
    counterparts, lines = [one.counterpart for one in theirs], [one.about for one in theirs]
    return data.assign_coords(counterpart=("method", counterparts), about=("method", lines))
