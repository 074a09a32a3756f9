"""The named straggler models, among them the one fitted to what Chen et al. published about their cluster.

The general laws (exponential, Pareto, ...) are in `rebuttal.machines.straggler_laws`; each is a distribution of
the factor by which one compute is slower than usual.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from rebuttal.base import seeding
from rebuttal.base.errors import refuse
from rebuttal.machines.straggler_laws import (
    Exponential,
    Lognormal,
    NoStragglers,
    Pareto,
    ShiftedExponential,
    Stragglers,
    inverse_cdf_draws,
    quantile_from_above,
    require,
)

__all__ = [
    "STRAGGLERS",
    "Exponential",
    "Lognormal",
    "NoStragglers",
    "Pareto",
    "PersistentlySlow",
    "PublishedQuantiles",
    "ShiftedExponential",
    "Stragglers",
    "named",
]


@dataclass(frozen=True)
class PersistentlySlow:
    """A fixed random subset of nodes is `factor` times slower than `base` at every step.

    Each node is slow with probability `fraction`, drawn once per (seed, node). `quantile` and `cdf` are those of
    one compute on a node drawn at random: over seeds, one step's computes are independent draws of it, but
    successive steps of one run are not independent.
    """

    fraction: float
    factor: float
    base: Stragglers = field(default_factory=NoStragglers)
    quantile = quantile_from_above

    def __post_init__(self) -> None:
        require("fraction", self.fraction, 0 <= self.fraction <= 1, "0 <= fraction <= 1")
        require("factor", self.factor, self.factor >= 1, "factor >= 1")

    def slowdowns(self, seed: int, worker: int, count: int) -> np.ndarray:
        """The first `count` factors of one worker, which is slow in all of them or in none."""
        slow = seeding.generator(seed, "stragglers", "slow node", worker).random() < self.fraction
        return self.base.slowdowns(seed, worker, count) * (self.factor if slow else 1.0)

    def mean(self) -> float:
        """The expected factor."""
        return self.base.mean() * (1 + self.fraction * (self.factor - 1))

    def upper_quantile(self, q: ArrayLike) -> np.ndarray:
        """By bisection of the mixture's CDF between the quantiles of a usual and of a slow node."""
        u = 1 - np.asarray(q, dtype=float)
        lowest = low = np.asarray(self.base.upper_quantile(q))
        high = low * self.factor
        for _ in range(60):  # to the last bits of a float64
            middle = (low + high) / 2
            reached = self.cdf(middle) >= u
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return np.where(self.cdf(lowest) >= u, lowest, high)  # exact where the base has an atom

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """The probability of a factor of at most x."""
        usual, slow = self.base.cdf(x), self.base.cdf(np.asarray(x, dtype=float) / self.factor)
        return (1 - self.fraction) * usual + self.fraction * slow

    def describe(self) -> str:
        """One phrase for a legend or a table."""
        return f"{self.fraction:.0%} of nodes always {self.factor:g}x slower; {self.base.describe()}"


@dataclass(frozen=True)
class PublishedQuantiles:
    """A lognormal body, cut off at `outlier_minimum` and continued by rare Pareto outliers; median about 1.

    With probability 1 - outlier_probability a compute is an ordinary one, exp(sigma Z) given that it is below
    outlier_minimum; otherwise it is an outlier, Pareto(outlier_index) from outlier_minimum up. `median_s` is the
    number of seconds that a factor of 1 stands for in the fit. The preset's parameters were made by
    `rebuttal.machines.straggler_fit.fit_published_quantiles`, and a test makes them again.
    """

    sigma: float
    outlier_probability: float
    outlier_minimum: float
    outlier_index: float
    median_s: float
    slowdowns = inverse_cdf_draws
    quantile = quantile_from_above

    def __post_init__(self) -> None:
        require("sigma", self.sigma, self.sigma > 0, "sigma > 0")
        probability = self.outlier_probability
        require("outlier_probability", probability, 0 < probability < 1, "0 < outlier_probability < 1")
        require("outlier_index", self.outlier_index, self.outlier_index > 0, "outlier_index > 0")

    @property
    def _below(self) -> float:
        """The probability that an uncut lognormal lies below the cut."""
        return float(ndtr(np.log(self.outlier_minimum) / self.sigma))

    def mean(self) -> float:
        """The expected factor."""
        if self.outlier_index <= 1:
            return np.inf
        cut = np.log(self.outlier_minimum) / self.sigma
        ordinary = np.exp(self.sigma**2 / 2) * ndtr(cut - self.sigma) / self._below
        outlier = self.outlier_minimum * self.outlier_index / (self.outlier_index - 1)
        return float((1 - self.outlier_probability) * ordinary + self.outlier_probability * outlier)

    def upper_quantile(self, q: ArrayLike) -> np.ndarray:
        """The factor exceeded with probability q."""
        q, outliers = np.asarray(q, dtype=float), self.outlier_probability
        usual = np.exp(self.sigma * ndtri(np.clip((1 - q) / (1 - outliers), 0, 1) * self._below))
        with np.errstate(divide="ignore"):  # never exceeded: rightly infinite
            outlier = self.outlier_minimum * np.minimum(q / outliers, 1) ** (-1 / self.outlier_index)
        return np.where(q > outliers, usual, outlier)

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """The probability of a factor of at most x."""
        x = np.asarray(x, dtype=float)
        with np.errstate(divide="ignore"):  # log 0 = -inf, whose probability is rightly 0
            ordinary = ndtr(np.log(np.clip(x, 0, self.outlier_minimum)) / self.sigma) / self._below
        outlier = 1 - (np.maximum(x, self.outlier_minimum) / self.outlier_minimum) ** -self.outlier_index
        return (1 - self.outlier_probability) * ordinary + self.outlier_probability * outlier

    def describe(self) -> str:
        """One phrase for a legend or a table."""
        outliers = f"{self.outlier_probability:.1%} Pareto outliers, a = {self.outlier_index:.2g}"
        return f"fit to the published quantiles: lognormal, sigma {self.sigma:.2g}, and {outliers}"


STRAGGLERS: dict[str, Stragglers] = {
    "none": NoStragglers(),
    "exponential": Exponential(),
    "shifted_exponential": ShiftedExponential(shift=0.5),
    "lognormal": Lognormal(sigma=0.25),
    "lognormal_wide": Lognormal(sigma=1.0),
    "pareto": Pareto(a=2.5),
    "pareto_heavy": Pareto(a=1.5),
    "persistently_slow": PersistentlySlow(fraction=0.05, factor=3.0, base=Lognormal(sigma=0.1)),
    "published_quantiles": PublishedQuantiles(
        sigma=0.07355,
        outlier_probability=0.01348,
        outlier_minimum=1.266,
        outlier_index=1.429,
        median_s=1.579,
    ),
}


def named(name: str) -> Stragglers:
    """The preset called `name`; raises InputError with the nearest name otherwise."""
    if name not in STRAGGLERS:
        raise refuse("stragglers", name, STRAGGLERS)
    return STRAGGLERS[name]
