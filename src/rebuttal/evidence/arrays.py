"""Statistics of plain arrays (numpy and scipy only): intervals, times to a target, speed-ups and their split.

Runs are paired by seed: two methods that share a seed share its data order and its stragglers. A time is infinite
where the run ended before the target was reached (censored), and NaN where nothing was run.
"""

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from rebuttal.base import seeding
from rebuttal.evidence import student
from rebuttal.evidence.student import CONFIDENCE, NOTHING, Interval


@functools.cache
def tail(n: int) -> float:
    """The probability to leave out on each side of a bootstrap distribution of n values.

    A bootstrap of few values is too narrow, by a factor sqrt((n - 1) / n) and for want of Student's t; taking
    quantiles further out corrects it (Hesterberg 2015, "What teachers should know about the bootstrap", sec. 4.6).
    """
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)
    return max(float(stats.norm.cdf(-np.sqrt(n / (n - 1)) * quantile)), 1e-6)


def bootstrap(values: np.ndarray, resamples: int = 2000) -> Interval:
    """Mean and 95 % bootstrap interval of a one-dimensional array (scipy.stats.bootstrap, BCa, seeded).

    For the bands of charts, whose levels must not leave the range of the data; effects have `student.interval`.
    The level is widened for few values (`tail`). BCa's percentile fallback is taken where it is degenerate; equal
    values give an interval of no width; fewer than two give NaN bounds.
    """
    values = np.asarray(values, dtype=float)
    return Interval(*map(float, _intervals(values[None], resamples)[0])) if len(values) else NOTHING


def bootstrap_rows(values: np.ndarray, resamples: int = 2000) -> np.ndarray:
    """`bootstrap` of every row of values [rows, seeds], NaN left out: [rows, 3], estimate, low and high.

    Rows with as many values meet the same resamples, so that one call of SciPy does for all of them.
    """
    found = np.full((len(values), 3), np.nan)
    counts = (~np.isnan(values)).sum(axis=1)
    for n in set(counts[counts > 0].tolist()):
        rows = values[counts == n]
        found[counts == n] = _intervals(rows[~np.isnan(rows)].reshape(-1, n), resamples)
    return found


def _intervals(values: np.ndarray, resamples: int) -> np.ndarray:
    """Estimate, low and high of every row of values [rows, n > 0], as `bootstrap` says."""
    found = np.repeat(values.mean(axis=1)[:, None], 3, axis=1)
    if values.shape[1] < 2:
        found[:, 1:] = np.nan
    spread = (values.max(axis=1) != values.min(axis=1)) & np.isfinite(values).all(axis=1)
    if spread.any():
        bounds = _bounds(values[spread], resamples, "BCa")
        degenerate = ~np.isfinite(bounds).all(axis=1)
        if degenerate.any():
            bounds[degenerate] = _bounds(values[spread][degenerate], resamples, "percentile")
        found[spread, 1:] = bounds
    return found


def _bounds(values: np.ndarray, resamples: int, method: Literal["BCa", "percentile"]) -> np.ndarray:
    n = values.shape[1]
    with np.errstate(all="ignore"):  # a degenerate BCa divides by zero, and is replaced
        found = stats.bootstrap(
            (values,), np.mean, n_resamples=resamples, method=method, vectorized=True, axis=-1,
            confidence_level=1 - 2 * tail(n), rng=seeding.generator(0, "bootstrap", n),
        ).confidence_interval  # fmt: skip
    return np.stack([found.low, found.high], axis=-1)


def paired_difference(of: np.ndarray, against: np.ndarray) -> Interval:
    """Mean of of - against over seeds, paired."""
    return student.interval(np.asarray(of) - np.asarray(against))


def paired_ratio(of: np.ndarray, against: np.ndarray) -> Interval:
    """Ratio of the geometric means of `of` and `against` (all positive), paired."""
    return Interval(*map(float, np.exp(student.interval(np.log(of) - np.log(against)))))


def reach(
    metric: np.ndarray, axis: np.ndarray, target: float | np.ndarray, better: str = "higher"
) -> np.ndarray:
    """Where along `axis` each curve first reaches `target`: metric and axis [..., points] -> [...].

    Between the last point before and the first point at the target, both curves are taken as straight lines. A
    curve that never reaches it gives infinity. better: "higher" or "lower" values are the good ones.
    """
    sign = 1.0 if better == "higher" else -1.0
    gap, axis = sign * (np.asarray(metric, dtype=float) - target), np.asarray(axis, dtype=float)
    there = gap >= 0
    first = there.argmax(axis=-1)[..., None]
    ends = (np.maximum(first - 1, 0), first)
    gap_before, gap_first = (np.take_along_axis(gap, at, -1)[..., 0] for at in ends)
    axis_before, axis_first = (np.take_along_axis(axis, at, -1)[..., 0] for at in ends)
    with np.errstate(invalid="ignore", divide="ignore"):  # at the first point there is nothing before
        between = axis_before - gap_before / (gap_first - gap_before) * (axis_first - axis_before)
    found = np.where(np.isfinite(between), between, axis_first)
    return np.where(there.any(axis=-1), found, np.inf)


def median_time(times: np.ndarray) -> float:
    """The time by which half of the runs had reached the target; infinite if fewer did.

    This is the Kaplan-Meier median: runs are censored only at their own end, after which none is seen to arrive.
    Runs that do not exist (NaN) are left out; no time if none exists.
    """
    known = np.asarray(times, dtype=float)
    known = known[~np.isnan(known)]
    return float(np.quantile(known, 0.5, method="inverted_cdf")) if len(known) else np.nan


@dataclass(frozen=True)
class Split:
    """A speed-up (above 1: faster) and its two factors, whose product it is.

    total: seconds to the target of the baseline over those of the method. updates: the same for updates to the
    target. seconds_per_update: the same for seconds per update until then. n: pairs in which both arrived; missed
    and baseline_missed: runs that did not, in the pairs that are left out.
    """

    total: Interval
    updates: Interval
    seconds_per_update: Interval
    n: int
    missed: int
    baseline_missed: int


def speed_up(
    seconds: np.ndarray, updates: np.ndarray, baseline_seconds: np.ndarray, baseline_updates: np.ndarray
) -> Split:
    """The split speed-up from times to the target [seeds], paired by seed.

    All three intervals are Student's, of the logarithms of the same pairs. Pairs with a miss have no ratio: they are
    left out and counted, and when more than half are, the intervals are NaN.
    """
    ran = ~(np.isnan(seconds) | np.isnan(baseline_seconds))
    both = ran & np.isfinite(seconds) & np.isfinite(baseline_seconds) & (seconds > 0) & (baseline_seconds > 0)
    missed, baseline_missed = int(np.isinf(seconds[ran]).sum()), int(np.isinf(baseline_seconds[ran]).sum())
    n = int(both.sum())
    if n == 0:
        return Split(NOTHING, NOTHING, NOTHING, 0, missed, baseline_missed)
    log_updates = np.log(baseline_updates[both] / updates[both])
    each = (baseline_seconds[both] / baseline_updates[both]) / (seconds[both] / updates[both])
    logs = np.stack([log_updates + np.log(each), log_updates, np.log(each)])
    trusted = n >= 2 and 2 * n >= ran.sum()
    found = np.exp(student.rows(logs))
    found[:, 1:] = found[:, 1:] if trusted else np.nan
    total, in_updates, per_update = (Interval(*map(float, row)) for row in found)
    return Split(total, in_updates, per_update, n, missed, baseline_missed)
