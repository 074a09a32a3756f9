"""How much longer than usual one compute takes: distributions of a dimensionless slowdown factor.

A factor of 1 is the usual time; a machine multiplies its base compute seconds by it. Every distribution is
drawn through its inverse CDF from a stream of uniforms named by (seed, worker), so the first draws do not depend
on how many are asked for, and two distributions that meet the same worker share the same uniforms (common random
numbers).
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from rebuttal.base import seeding
from rebuttal.base.errors import refuse


class Stragglers(Protocol):
    """The interface of every distribution of slowdown factors."""

    def slowdowns(self, seed: int, worker: int, count: int) -> np.ndarray:
        """The factors of the worker's first `count` computes, float64 [count]."""
        ...

    def mean(self) -> float:
        """The expected factor (infinite where it does not exist)."""
        ...

    def quantile(self, u: ArrayLike) -> np.ndarray:
        """The inverse CDF: the smallest factor x with cdf(x) >= u."""
        ...

    def upper_quantile(self, q: ArrayLike) -> np.ndarray:
        """quantile(1 - q), accurate for tiny q."""
        ...

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """The probability of a factor of at most x."""
        ...

    def describe(self) -> str:
        """One phrase for a legend or a table."""
        ...


def quantile_from_above(self: Stragglers, u: ArrayLike) -> np.ndarray:
    """The smallest factor x with cdf(x) >= u; 1 - u is exact for every uniform that numpy draws."""
    return self.upper_quantile(1 - np.asarray(u, dtype=float))


def inverse_cdf_draws(self: Stragglers, seed: int, worker: int, count: int) -> np.ndarray:
    """The first `count` factors of one worker: the inverse CDF of its uniforms, in order."""
    return self.quantile(seeding.generator(seed, "stragglers", worker).random(count))


def require(name: str, value: float, valid: bool, allowed: str) -> None:
    """Refuse a parameter of a distribution that is not valid."""
    if not valid:
        raise refuse(f"stragglers.{name}", value, allowed)


@dataclass(frozen=True)
class NoStragglers:
    """Every compute takes exactly the usual time."""

    slowdowns = inverse_cdf_draws
    quantile = quantile_from_above

    def mean(self) -> float:
        """The expected factor."""
        return 1.0

    def upper_quantile(self, q: ArrayLike) -> np.ndarray:
        """The factor exceeded with probability q."""
        return np.ones_like(np.asarray(q, dtype=float))

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """The probability of a factor of at most x."""
        return (np.asarray(x, dtype=float) >= 1.0).astype(float)

    def describe(self) -> str:
        """One phrase for a legend or a table."""
        return "no stragglers"


@dataclass(frozen=True)
class ShiftedExponential:
    """factor = shift + (1 - shift) Exp(1): a floor below which no compute falls; mean 1 (Lee et al. 2018)."""

    shift: float = 0.5
    slowdowns = inverse_cdf_draws
    quantile = quantile_from_above

    def __post_init__(self) -> None:
        require("shift", self.shift, 0 <= self.shift < 1, "0 <= shift < 1")

    def mean(self) -> float:
        """The expected factor."""
        return 1.0

    def upper_quantile(self, q: ArrayLike) -> np.ndarray:
        """The factor exceeded with probability q."""
        with np.errstate(divide="ignore"):  # never exceeded: rightly infinite
            return self.shift - (1 - self.shift) * np.log(np.asarray(q, dtype=float))

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """The probability of a factor of at most x."""
        beyond = np.maximum(np.asarray(x, dtype=float) - self.shift, 0) / (1 - self.shift)
        return -np.expm1(-beyond)

    def describe(self) -> str:
        """One phrase for a legend or a table."""
        return f"shifted exponential, {self.shift:g} + {1 - self.shift:g} Exp(1)"


@dataclass(frozen=True)
class Exponential(ShiftedExponential):
    """factor = Exp(1): mean 1, no memory."""

    shift: float = field(default=0.0, init=False)

    def describe(self) -> str:
        """One phrase for a legend or a table."""
        return "exponential, mean 1"


@dataclass(frozen=True)
class Lognormal:
    """factor = exp(sigma Z) with Z standard normal: median 1."""

    sigma: float
    slowdowns = inverse_cdf_draws
    quantile = quantile_from_above

    def __post_init__(self) -> None:
        require("sigma", self.sigma, self.sigma > 0, "sigma > 0")

    def mean(self) -> float:
        """The expected factor."""
        return float(np.exp(self.sigma**2 / 2))

    def upper_quantile(self, q: ArrayLike) -> np.ndarray:
        """The factor exceeded with probability q."""
        return np.exp(-self.sigma * ndtri(np.asarray(q, dtype=float)))

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """The probability of a factor of at most x."""
        with np.errstate(divide="ignore"):  # log 0 = -inf, whose probability is rightly 0
            return ndtr(np.log(np.maximum(np.asarray(x, dtype=float), 0)) / self.sigma)

    def describe(self) -> str:
        """One phrase for a legend or a table."""
        return f"lognormal, sigma {self.sigma:g}, median 1"


@dataclass(frozen=True)
class Pareto:
    """P(factor > x) = x**-a for x >= 1: minimum 1; infinite mean for a <= 1, infinite variance for a <= 2."""

    a: float
    slowdowns = inverse_cdf_draws
    quantile = quantile_from_above

    def __post_init__(self) -> None:
        require("a", self.a, self.a > 0, "a > 0")

    def mean(self) -> float:
        """The expected factor."""
        return self.a / (self.a - 1) if self.a > 1 else np.inf

    def upper_quantile(self, q: ArrayLike) -> np.ndarray:
        """The factor exceeded with probability q."""
        with np.errstate(divide="ignore"):  # never exceeded: rightly infinite
            return np.asarray(q, dtype=float) ** (-1 / self.a)

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """The probability of a factor of at most x."""
        return 1 - np.maximum(np.asarray(x, dtype=float), 1) ** -self.a

    def describe(self) -> str:
        """One phrase for a legend or a table."""
        return f"Pareto, a = {self.a:g}, minimum 1"
