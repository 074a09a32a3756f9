"""Functions whose lowest value, slope and curvature are known, on plain arrays: what rates of convergence are held to.

Weights are [S, d], one row for each seed; values are [S], gradients [S, d].
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import erf

from rebuttal.base import seeding
from rebuttal.base.errors import refuse

Array = np.ndarray
E = math.e


@dataclass(frozen=True)
class MaxAbs:
    """f(w) = max_i |w_i|: convex, 1-Lipschitz, nowhere smooth where it matters; 0 at the origin, at distance 1."""

    d: int
    lowest = 0.0

    def start(self, seeds: tuple[int, ...]) -> Array:
        """A random direction of length 1 for each seed."""
        drawn = np.stack(
            [seeding.generator(seed, "start", "max_abs").standard_normal(self.d) for seed in seeds]
        )
        return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)

    def value(self, w: Array) -> Array:
        """f."""
        return np.abs(w).max(axis=1)

    def gradient(self, w: Array) -> Array:
        """A sub-gradient: the sign at the first of the largest entries, 0 elsewhere."""
        rows, at = np.arange(len(w)), np.abs(w).argmax(axis=1)
        found = np.zeros_like(w)
        found[rows, at] = np.sign(w[rows, at])
        return found


@dataclass(frozen=True)
class Hardest:
    """The smooth convex function that no method of T updates does better on: L = R = 1, in 2 T + 1 dimensions.

    f(w) = (1/4) (w·Aw/2 − s w_1), A tridiagonal with 2 and −1, s such that the best point is at distance 1 from the
    start, 0 (Nesterov 2004, Introductory lectures on convex optimization, section 2.1.2). A gradient reaches one more
    coordinate with every update, whatever the step.
    """

    T: int

    @property
    def d(self) -> int:
        """2 T + 1."""
        return 2 * self.T + 1

    @property
    def best(self) -> Array:
        """The best point, of length 1: falling evenly from the first coordinate to the last."""
        falling = 1 - np.arange(1, self.d + 1) / (self.d + 1)
        return falling / np.linalg.norm(falling)

    @property
    def slope(self) -> float:
        """s: A times the best point is s at the first coordinate and 0 elsewhere."""
        best = self.best
        return float(2 * best[0] - best[1])

    @property
    def lowest(self) -> float:
        """f at the best point."""
        return -self.slope * float(self.best[0]) / 8

    def start(self, seeds: tuple[int, ...]) -> Array:
        """The origin, whatever the seed."""
        return np.zeros((len(seeds), self.d))

    def value(self, w: Array) -> Array:
        """f."""
        return ((w * _tridiagonal(w)).sum(axis=1) / 2 - self.slope * w[:, 0]) / 4

    def gradient(self, w: Array) -> Array:
        """∇f."""
        found = _tridiagonal(w)
        found[:, 0] -= self.slope
        return found / 4


def _tridiagonal(w: Array) -> Array:
    found = 2 * w
    found[:, 1:] -= w[:, :-1]
    found[:, :-1] -= w[:, 1:]
    return found


@dataclass(frozen=True)
class LinkFunction:
    """A smooth function that is not convex, whose gradient stays above 1 until every one of its links is undone.

    f(w) = −Ψ(1) Φ(w_1) + Σ_i Ψ(−w_{i−1}) Φ(−w_i) − Ψ(w_{i−1}) Φ(w_i), where Ψ(x) = exp(1 − 1/(2x − 1)²) above 1/2
    and 0 below, Φ(x) = √e ∫_{−∞}^x exp(−t²/2) dt (Carmon, Duchi, Hinder and Sidford 2020, Lower bounds for finding
    stationary points I, Mathematical Programming 184, section 3). From the origin, link i is moved by no gradient
    before link i − 1 has been.
    """

    d: int
    smoothness = 152.0
    fall_of_a_link = 12.0  # f(0) − inf f is at most so much for each

    def __post_init__(self) -> None:
        if self.d < 1:
            raise refuse("links", self.d, "a whole number >= 1")

    def start(self, seeds: tuple[int, ...]) -> Array:
        """The origin, whatever the seed."""
        return np.zeros((len(seeds), self.d))

    def value(self, w: Array) -> Array:
        """f."""
        before = _before(w)
        return (_psi(-before) * _phi(-w) - _psi(before) * _phi(w)).sum(axis=1)

    def gradient(self, w: Array) -> Array:
        """∇f."""
        before = _before(w)
        found = -_psi(-before) * _phi_slope(-w) - _psi(before) * _phi_slope(w)
        later = -_psi_slope(-before) * _phi(-w) - _psi_slope(before) * _phi(w)
        found[:, :-1] += later[:, 1:]
        return found


def _before(w: Array) -> Array:
    """w_{i−1}, with 1 before the first."""
    return np.concatenate([np.ones((len(w), 1)), w[:, :-1]], axis=1)


def _psi(x: Array) -> Array:
    above = x > 0.5
    inner = np.where(above, 2 * x - 1, 1.0)
    return np.where(above, np.exp(1 - 1 / inner**2), 0.0)


def _psi_slope(x: Array) -> Array:
    above = x > 0.5
    inner = np.where(above, 2 * x - 1, 1.0)
    return np.where(above, np.exp(1 - 1 / inner**2) * 4 / inner**3, 0.0)


def _phi(x: Array) -> Array:
    return math.sqrt(E * math.pi / 2) * (1 + erf(x / math.sqrt(2)))


def _phi_slope(x: Array) -> Array:
    return math.sqrt(E) * np.exp(-(x**2) / 2)
