"""Student's intervals and one-sided tests of effects: what verdicts are made of.

Effects are differences, slopes or logarithms of ratios, one for each pair of runs that share a seed.
"""

import functools
from typing import NamedTuple

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """An estimate with its confidence interval."""

    estimate: float
    low: float
    high: float


NOTHING = Interval(np.nan, np.nan, np.nan)


def interval(values: np.ndarray, confidence: float = CONFIDENCE) -> Interval:
    """Mean and Student interval of a one-dimensional array of effects: differences, slopes, logs of ratios.

    What verdicts are made of. docs/verdicts.md has its measured coverage beside the bootstrap's. Equal values give
    an interval of no width; fewer than two give NaN bounds.
    """
    values = np.asarray(values, dtype=float)
    return Interval(*map(float, rows(values[None], confidence)[0]))


def rows(values: np.ndarray, confidence: float = CONFIDENCE) -> np.ndarray:
    """`interval` of every row of values [rows, seeds], NaN left out: [rows, 3], estimate, low and high."""
    means, errors, counts = _moments(values)
    reach = np.array([_quantile(int(n), confidence) for n in counts]) * errors
    return np.stack([means, means - reach, means + reach], axis=1)


def tails(values: np.ndarray, margin: float) -> tuple[float, float]:
    """One-sided p-values of Student's tests: that the mean effect is above the margin, and that it is below.

    Values without spread leave no doubt: 0 for the side on which they lie, else 1. Fewer than two say nothing: 1.
    """
    (mean,), (error,), (n,) = _moments(np.asarray(values, dtype=float)[None])
    if n < 2:
        return 1.0, 1.0
    if error == 0:
        return float(mean <= margin), float(mean >= margin)
    above, below = (float(stats.t.sf(sign * (mean - margin) / error, n - 1)) for sign in (1, -1))
    return above, below


@functools.cache
def _quantile(n: int, confidence: float) -> float:
    """How many standard errors the interval of n values reaches to each side."""
    return float(stats.t.ppf((1 + confidence) / 2, n - 1)) if n > 1 else np.nan


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every row, NaN left out: the mean, its standard error (NaN for fewer than two values), and their number."""
    there = ~np.isnan(values)
    counts = there.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):  # no value has no mean, one has no spread
        means = np.where(there, values, 0.0).sum(axis=1) / counts
        squares = np.where(there, (values - means[:, None]) ** 2, 0.0).sum(axis=1)
        errors = np.sqrt(squares / (counts - 1) / counts)
    highest = np.where(there, values, -np.inf).max(axis=1, initial=-np.inf)
    lowest = np.where(there, values, np.inf).min(axis=1, initial=np.inf)
    alike = (highest == lowest) & (counts > 1)  # their mean may be off by a rounding
    return means, np.where(alike, 0.0, errors), counts
