"""One effect over several places, that is workloads and machines. Places on one workload share their training runs.

Each workload counts once, with the mean over its machines of each seed. The effect is the plain mean of the workloads.

With three workloads or more, they stand for others, and the spread between them counts: a random effect. The interval
is that of Hartung and Knapp (2001, Statistics in Medicine 20) and of Sidik and Jonkman (2002, ibid. 21) with equal
weights: Student's for the means of the workloads, of variance B / k, with k - 1 degrees of freedom. Weights of
1 / (s^2 / n + tau^2) would be the best if the s^2 were known. From five seeds they are not: with unequal spreads or
skewed noise, intervals with the tau^2 of Paule and Mandel held the truth in 77 to 93 % of simulated studies.

With one or two workloads nothing can be said of others. The interval is then Student's over the seeds, each with its
mean over the places at hand. Values that are equal to the bit in two places are one set of runs.

tau^2 is the moment estimate B - v, v the mean squared standard error of a workload (Hedges and Olkin 1985, Statistical
Methods for Meta-Analysis, ch. 9); I^2 = tau^2 / (tau^2 + v) is the share of the spread between workloads that is no
chance (Higgins and Thompson 2002, Statistics in Medicine 21).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from rebuttal.evidence import student
from rebuttal.evidence.judging import Effects
from rebuttal.evidence.student import Interval

FEWEST_WORKLOADS = 3  # of which a random effect can be told


@dataclass(frozen=True)
class OverPlaces:
    """A mean effect over places, on the scale of logarithms or differences; `interval` is in units of the effect.

    It answers `interval`, `tails`, `n` and `ratio` as the effects of one place do, so that `judging.judged` and
    `judging.tails` take either. error: standard error; freedom: its degrees of freedom. own: mean squared standard
    error of a workload (random) or of the whole. tau: spread between workloads beyond chance. i2: 0 to 1, NaN for one
    workload. places: how many are distinct. random: whether the workloads stand for others. n: the fewest seeds of a
    place.
    """

    estimate: float
    error: float
    freedom: float
    own: float
    tau: float
    i2: float
    workloads: int
    places: int
    random: bool
    n: int
    ratio: bool = False
    at_least: int = 0
    at_most: int = 0

    @property
    def exact(self) -> bool:
        """Whether no chance enters: no seed differs from another in any place. There is no interval then."""
        return self.own == 0

    def interval(self, confidence: float = student.CONFIDENCE) -> Interval:
        """The effect with its interval, open where misses leave it open; NaN bounds where no chance enters."""
        reach = np.nan if self.exact else float(stats.t.ppf((1 + confidence) / 2, self.freedom)) * self.error
        found = np.array([self.estimate, self.estimate - reach, self.estimate + reach])
        estimate, low, high = (float(one) for one in (np.exp(found) if self.ratio else found))
        floor = 0.0 if self.ratio else -np.inf
        return Interval(estimate, floor if self.at_most else low, np.inf if self.at_least else high)

    def tails(self, edge: float) -> tuple[float, float]:
        """One-sided p-values that the effect is above an edge, and below; misses leave the open side without one."""
        gap = self.estimate - scaled(edge, ratio=self.ratio)
        if self.exact or self.error == 0:
            above, below = float(gap <= 0), float(gap >= 0)
        elif np.isnan(self.error):
            above = below = 1.0
        else:
            above, below = (float(stats.t.sf(sign * gap / self.error, self.freedom)) for sign in (1, -1))
        return 1.0 if self.at_most else above, 1.0 if self.at_least else below

    def equivalent(self, low: float, high: float) -> bool:
        """Two one-sided tests at 5 % (Schuirmann 1987): the 90 % interval lies within the margins."""
        return max(self.tails(low)[0], self.tails(high)[1]) < 0.05


def over(effects: Sequence[Effects], workloads: Sequence[str]) -> OverPlaces:
    """The effect over places. workloads: that of each place.

    Raises:
        ValueError: no place, or a place without a number.
    """
    kept = _distinct(effects)
    if not kept or any(effects[i].n == 0 for i in kept):
        raise ValueError("no effect to average")
    named = [workloads[i] for i in kept]
    values = [np.asarray(effects[i].values, dtype=float) for i in kept]
    each = [
        _mean([v for v, of in zip(values, named, strict=True) if of == name]) for name in dict.fromkeys(named)
    ]
    means, errors = np.array(each).T
    k, n = len(means), min(map(len, values))
    between, own = float(means.var(ddof=1)) if k > 1 else 0.0, float((errors**2).mean())
    tau2 = max(between - own, 0.0)
    i2 = tau2 / (tau2 + own) if k > 1 and tau2 + own > 0 else np.nan
    random = k >= FEWEST_WORKLOADS
    if random:
        estimate, error, freedom = float(means.mean()), float(np.sqrt(between / k)), k - 1
    else:
        estimate, error = (
            _mean(values) if len({len(one) for one in values}) == 1 else (means.mean(), errors.mean())
        )
        own, freedom = error**2, n - 1
    misses = (sum(getattr(effects[i], name) for i in kept) for name in ("at_least", "at_most"))
    return OverPlaces(float(estimate), float(error), float(freedom), float(own), float(np.sqrt(tau2)), float(i2),
                      k, len(kept), random, n, effects[0].ratio, *misses)  # fmt: skip


def scaled(edge: float, *, ratio: bool) -> float:
    """An edge on the scale of effects; the logarithm of a ratio."""
    if not ratio:
        return edge
    return float(np.log(edge)) if edge > 0 else -np.inf


def _distinct(effects: Sequence[Effects]) -> list[int]:
    """Of places that have the same values to the bit, the first."""
    kept: list[int] = []
    for i, one in enumerate(effects):
        if not any(np.array_equal(one.values, effects[j].values) for j in kept):
            kept.append(i)
    return kept


def _mean(values: Sequence[np.ndarray]) -> tuple[float, float]:
    """Mean over places and its standard error, by the seeds; places that lack different seeds vary as one."""
    if len({len(one) for one in values}) > 1:
        means, errors = np.array([_mean([one]) for one in values]).T
        return float(means.mean()), float(errors.mean())
    each = np.mean(values, axis=0)
    if len(each) < 2:
        return float(each[0]), np.nan
    error = (
        0.0 if (each == each[0]).all() else float(each.std(ddof=1) / np.sqrt(len(each)))
    )  # no rounding of a mean
    return float(each.mean()), error
