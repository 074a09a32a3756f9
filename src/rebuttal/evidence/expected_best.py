"""What tuning more would gain: the expected error of the best of n learning rates, for every n up to the whole grid.

Dodge et al. (2019), "Show your work", section 3, for a grid whose rates are drawn without replacement.
"""

from math import comb

import numpy as np
import xarray as xr

from rebuttal.evidence import datasets


def best_of_n(tuning: xr.Dataset) -> xr.DataArray:
    """Expected validation error (method, workload, machine, trials) of the rate with the least loss among n drawn.

    Losses and errors are means over the tuning seeds of each rate. Draws of which every rate diverged have no best and
    are left out; NaN where a method was not tuned.
    """
    loss, metric = datasets.over_tuning_seeds(tuning)
    error = datasets.error(metric, tuning)
    rates = ["learning_rate"]
    found = xr.apply_ufunc(
        _expected, loss, error, input_core_dims=[rates, rates], output_core_dims=[["trials"]], vectorize=True
    )
    return found.assign_coords(trials=np.arange(1, tuning.sizes["learning_rate"] + 1)).assign_attrs(
        error.attrs
    )


def _expected(loss: np.ndarray, error: np.ndarray) -> np.ndarray:
    """For n = 1, 2, ...: the sum over rates of their error times the chance that they are the best of n drawn."""
    tried, order = len(loss), np.argsort(loss)
    errors = error[order][np.isfinite(loss[order])]
    chance = np.array(
        [[comb(tried - 1 - rank, n - 1) for rank in range(len(errors))] for n in range(1, tried + 1)]
    )
    totals = chance.sum(axis=1)
    return np.divide(chance @ errors, totals, out=np.full(tried, np.nan), where=totals > 0)
