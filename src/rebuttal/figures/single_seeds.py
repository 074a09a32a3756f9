"""The values of single seeds, in columns beside their mean: what a reader of a page sees who asks for one seed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows

OF_SEED = "@"  # between the name of a column and the seed whose values it holds


def seed_rows(array: xr.DataArray, dims: Sequence[str]) -> pd.DataFrame:
    """`rows`, with the value of each single seed beside the mean: columns mean@0, mean@1, ..."""
    frame = chart_rows.rows(array, dims)
    return with_seeds(frame, "mean", array, dims)


def with_seeds(frame: pd.DataFrame, name: str, array: xr.DataArray, dims: Sequence[str]) -> pd.DataFrame:
    """The frame with the columns NAME@SEED: the array's value of each single seed.

    A reader of a page who asks for one seed sees these in the place of the column `name`.
    """
    seeds = {
        f"{name}{OF_SEED}{seed}": chart_rows.flat_values(array.sel(seed=seed, drop=True), frame, dims)
        for seed in array.seed.values.tolist()
    }
    single = pd.DataFrame(seeds, index=frame.index, dtype=float).replace([np.inf, -np.inf], np.nan)
    return pd.concat([frame, single], axis=1)


def of_seeds(frame: pd.DataFrame, *names: str) -> list[str]:
    """The columns of single seeds, of all or of the named columns."""
    found = [name for name in map(str, frame.columns) if OF_SEED in name]
    return [name for name in found if not names or name.split(OF_SEED)[0] in names]


def renamed(frame: pd.DataFrame, **names: str) -> pd.DataFrame:
    """The frame with columns renamed, those of their single seeds too, as in mean="test_error"."""
    seeds = {
        name: names[name.split(OF_SEED)[0]] + OF_SEED + name.split(OF_SEED)[1]
        for name in of_seeds(frame, *names)
    }
    return frame.rename(columns=names | seeds) if names else frame


def wide(frame: pd.DataFrame, index: Sequence[str], column: str) -> pd.DataFrame:
    """mean, low and high of each value of `column` side by side: columns 'total', 'total low', 'total high', ..."""
    values = ["mean", "low", "high", *of_seeds(frame, "mean")]
    turned = frame.pivot_table(index=list(index), columns=column, values=values, sort=False)
    order = [(what, name) for name in dict.fromkeys(frame[column]) for what in values]
    turned = turned[[pair for pair in order if pair in turned.columns]]
    turned.columns = [
        f"{name} {what}".replace(f" mean{OF_SEED}", OF_SEED).removesuffix(" mean")
        for what, name in turned.columns
    ]
    return turned.reset_index()


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """A table without single seeds, and of several targets the rows with `standard`."""
    found = frame.drop(columns=of_seeds(frame))
    if "standard" not in found:
        return found
    kept = chart_rows.keep(found, found["standard"].astype(bool)).drop(columns=["standard", "multiple"])
    kept.attrs["rows"] = len(kept)
    return kept
