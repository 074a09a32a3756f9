"""What tuning more would gain: the expected error of the best of n learning rates, for every n up to the whole grid.

Dodge et al. (2019), "Show your work", section 3, for a grid whose rates are drawn without replacement.
"""

from math import comb

import numpy as np
import xarray as xr

from rebuttal.stats import datasets


def best_of_n(tuning: xr.Dataset) -> xr.DataArray:
    """Expected validation error (method, workload, machine, trials) of the rate with the least loss among n drawn.

    Losses and errors are means over the tuning seeds. Draws of which every rate diverged have no best and are left
    out; NaN where a method was not tuned.
    """
    loss = tuning.validation_loss.where(tuning.diverged == 0)
    error = datasets.error(tuning.validation_metric, tuning)
    rates = ["learning_rate"]
    found = xr.apply_ufunc(_expected, *(one.mean("seed", skipna=False) for one in (loss, error)),
                           input_core_dims=[rates, rates], output_core_dims=[["trials"]], vectorize=True)  # fmt: skip
    return found.assign_coords(trials=np.arange(1, tuning.sizes["learning_rate"] + 1)).assign_attrs(
        error.attrs
    )


def chances(loss: np.ndarray) -> np.ndarray:
    """The chance [n, rate] that a rate has the least loss of n = 1, 2, ... drawn ones that did not all diverge.

    loss: NaN of a rate that diverged, whose chance is 0; of so few rates that one must be drawn, a row is NaN.
    """
    tried, found = len(loss), np.zeros((len(loss), len(loss)))
    best_first = [rate for rate in np.argsort(loss) if np.isfinite(loss[rate])]
    for n in range(1, tried + 1):
        for rank, rate in enumerate(best_first):
            found[n - 1, rate] = comb(tried - 1 - rank, n - 1)
    totals = found.sum(axis=1, keepdims=True)
    return np.divide(found, totals, out=np.full_like(found, np.nan), where=totals > 0)


def _expected(loss: np.ndarray, error: np.ndarray) -> np.ndarray:
    """For n = 1, 2, ...: the sum over rates of their error times the chance that they are the best of n drawn."""
    return chances(loss) @ np.where(np.isfinite(loss), error, 0.0)
