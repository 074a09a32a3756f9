"""From named dimensions to the rows of a chart: the mean over seeds with its interval, and small tables.

Charts draw summaries, so that a specification stays small however many runs there are.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.base.errors import NothingToDrawError, refuse
from rebuttal.evidence import arrays
from rebuttal.figures.theme import words

TABLE_ROWS = 40
DIGITS = 5
RESAMPLES = 999  # for what is drawn; verdicts take more


def middle(values: xr.DataArray) -> int:
    """The middle one of ascending numbers: of the upper half the first."""
    return int(values.values[values.size // 2])


def need(data: xr.Dataset, figure: str, names: Sequence[str]) -> None:
    """Refuse a dataset that lacks a variable or coordinate which the figure draws."""
    for name in names:
        if name not in data.variables:
            raise refuse(
                f"figure {figure}: variable needed: {name}; the dataset's variables",
                name,
                sorted(map(str, data.variables)),
            )


def clock(data: xr.Dataset) -> str:
    """'modelled clock' or 'measured clock', from the dataset's own attribute."""
    kind = data.attrs.get("clock")
    if kind not in ("modelled", "measured"):
        raise refuse("attribute clock of the dataset", kind, ["modelled", "measured"])
    return f"{kind} clock"


def pick(data: xr.Dataset, dim: str, value: str | None = None) -> xr.Dataset:
    """The dataset at one value of `dim` (default: the first); as it is if it has no such dimension."""
    if dim not in data.dims:
        return data
    known = [str(one) for one in data[dim].values]
    if value is not None and value not in known:
        raise refuse(dim, value, known)
    return data.sel({dim: known[0] if value is None else value})


def where_run(data: xr.Dataset, variable: str) -> xr.Dataset:
    """Without `machine`: each method on the first machine where it has a value of `variable`.

    For figures that ask little of the clock. The coordinate machine then tells, per method, which one it is.
    """
    if "machine" not in data.dims:
        return data
    there = data[variable].notnull()
    there = there.any([dim for dim in there.dims if dim not in ("method", "machine")])
    return data.isel(machine=there.argmax("machine"))


def machines(data: xr.Dataset) -> str:
    """The machines of `where_run`, in words."""
    return " or ".join(dict.fromkeys(words(str(name)) for name in data.machine.values.ravel()))


def rows(array: xr.DataArray, dims: Sequence[str]) -> pd.DataFrame:
    """Mean and 95 % interval over `seed` for each combination of `dims`: columns mean, low, high, n (finite seeds).

    Combinations without a finite value are left out.
    """
    flat = array.reset_coords(drop=True).transpose(*dims, "seed")
    frame = flat.isel(seed=0, drop=True).to_series().index.to_frame(index=False)
    values = flat.values.reshape(-1, flat.sizes["seed"])
    frame["n"] = np.isfinite(values).sum(axis=1)
    finite = np.where(np.isfinite(values), values, np.nan)
    frame[["mean", "low", "high"]] = arrays.bootstrap_rows(finite, RESAMPLES)
    return keep(frame, column(frame, "n") > 0)


def keep(frame: pd.DataFrame, rows: Any) -> pd.DataFrame:
    """The rows where `rows` is true, numbered anew."""
    return pd.DataFrame(frame.loc[np.asarray(rows, dtype=bool)]).reset_index(drop=True)


def column(frame: pd.DataFrame, name: str) -> np.ndarray:
    """One column as an array."""
    return np.asarray(frame[name])


def flat_values(array: xr.DataArray, frame: pd.DataFrame, dims: Sequence[str]) -> np.ndarray:
    """The array's value in each row of a frame whose columns hold its labels along `dims`."""
    series = array.reset_coords(drop=True).transpose(*dims).to_series()
    labels = [column(frame, dim) for dim in dims]
    wanted = pd.MultiIndex.from_arrays(labels) if len(labels) > 1 else pd.Index(labels[0])
    return series.reindex(wanted).to_numpy()


def seeds(frame: pd.DataFrame) -> str:
    """'5 seeds', or '4 to 5 seeds' where some runs have no value."""
    low, high = int(column(frame, "n").min()), int(column(frame, "n").max())
    return f"{high} seed{'s' * (high != 1)}" if low == high else f"{low} to {high} seeds"


def groups(frame: pd.DataFrame, first: str, second: str) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """The rows of each pair of values of two columns, in order of appearance, the first column slowest."""
    for one in dict.fromkeys(frame[first]):
        for other in dict.fromkeys(frame[second]):
            part = keep(frame, (column(frame, first) == one) & (column(frame, second) == other))
            if len(part):
                yield str(one), str(other), part


def small(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with floats to five significant digits: a chart's data, not an archive."""
    rounded = frame.copy()
    for name in rounded.select_dtypes("floating"):
        rounded[name] = [float(f"{value:.{DIGITS}g}") for value in rounded[name]]
    return rounded


def short(frame: pd.DataFrame, most: int = TABLE_ROWS) -> pd.DataFrame:
    """At most the rows that a table under a figure shows; `attrs['rows']` says how many there were."""
    shown = small(frame.head(most).reset_index(drop=True))
    shown.attrs["rows"] = len(frame)
    return shown


def some(frame: pd.DataFrame, figure: str) -> pd.DataFrame:
    """The frame itself; refuses an empty one, because an empty chart looks like a finding."""
    if frame.empty:
        raise NothingToDrawError(
            f"figure {figure}: no finite value to draw; allowed: results of at least one run"
        )
    return frame
