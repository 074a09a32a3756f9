"""How many seeds would decide a question, were the effect and its spread as they were found.

The power of a one-sided test of Student is a noncentral t (Johnson, Kotz and Balakrishnan 1995, vol. 2, ch. 31). That
of two one-sided tests is an integral over the estimated spread s: given s, the mean must lie within the margins by
t s on both sides (Phillips 1990, J. Pharmacokinetics and Biopharmaceutics 18).
"""

import numpy as np
from scipy import stats

from rebuttal.evidence import places
from rebuttal.evidence.places import OverPlaces

POWER = 0.8
MOST_SEEDS = 100
ONE_SIDED, EQUIVALENCE = 0.025, 0.05  # levels of the tests that verdicts are made of, on each side
_GRID = (np.arange(400) + 0.5) / 400  # quantiles of the estimated spread


def one_sided(gap: float, error: float, freedom: float) -> float:
    """The chance to find an effect that lies `gap` beyond an edge, with a standard error of `error`."""
    if error == 0:
        return float(gap > 0)
    return float(stats.nct.sf(stats.t.isf(ONE_SIDED, freedom), freedom, gap / error))


def two_one_sided(below: float, above: float, error: float, freedom: float) -> float:
    """The chance to show that an effect lies within margins; below, above: how far it is from each (< 0: outside)."""
    if error == 0:
        return float(min(below, above) > 0)
    reach = stats.t.isf(EQUIVALENCE, freedom) * np.sqrt(stats.chi2.ppf(_GRID, freedom) / freedom)
    low, high = reach - below / error, above / error - reach
    return float(np.where(high > low, stats.norm.cdf(high) - stats.norm.cdf(low), 0.0).mean())


def seeds_needed(found: OverPlaces, low: float, high: float, *, equal: bool) -> int | None:
    """Seeds in each place for a power of 80 %: at most MOST_SEEDS, else None.

    Only the part of the spread that seeds bring shrinks with more of them: where places differ, None may mean that it
    takes more workloads. low, high: the edges, in units of the effect (one edge: the same twice, or an infinite one).
    equal: whether the effect is to be shown within them, else beyond the nearer one of those that it is beyond already.
    """
    edges = [places.scaled(edge, ratio=found.ratio) for edge in (low, high)]
    if not np.isfinite(found.error):
        return None
    below, above = found.estimate - edges[0], edges[1] - found.estimate
    for n in range(2, MOST_SEEDS + 1):
        error, freedom = _with_seeds(found, n)
        gap = max(-below, -above)
        power = two_one_sided(below, above, error, freedom) if equal else one_sided(gap, error, freedom)
        if power >= POWER:
            return n
    return None


def in_words(needed: int | None) -> str:
    """'about 20 seeds would tell', rounded for people."""
    if needed is None:
        return f"more than {MOST_SEEDS} seeds would be needed"
    rounded = needed if needed <= 20 else 5 * -(-needed // 5)
    return f"about {rounded} seeds would tell"


def _with_seeds(found: OverPlaces, n: int) -> tuple[float, float]:
    """Standard error and degrees of freedom with n seeds in each place."""
    own = found.own * found.n / n
    if found.random:
        return float(np.sqrt((found.tau**2 + own) / found.workloads)), found.freedom
    return float(np.sqrt(own)), n - 1
