"""Workers that are unequal in the same way at every step."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Unequal:
    """Worker k is always `factors[k]` times as slow as one with factor 1; a Stragglers model without chance."""

    factors: tuple[float, ...]

    def slowdowns(self, seed: int, worker: int, count: int) -> np.ndarray:
        """The first `count` factors of one worker, all equal."""
        return np.full(count, self.factors[worker])

    def mean(self) -> float:
        """The mean over workers."""
        return float(np.mean(self.factors))

    def quantile(self, u: ArrayLike) -> np.ndarray:
        """The smallest factor x with cdf(x) >= u."""
        return np.quantile(self.factors, np.asarray(u, dtype=float), method="inverted_cdf")

    def upper_quantile(self, q: ArrayLike) -> np.ndarray:
        """quantile(1 - q)."""
        return self.quantile(1 - np.asarray(q, dtype=float))

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """The share of workers whose factor is at most x."""
        return (np.asarray(self.factors) <= np.asarray(x, dtype=float)[..., None]).mean(axis=-1)

    def describe(self) -> str:
        """One phrase for a legend or a table."""
        return f"workers always {', '.join(f'{factor:g}' for factor in self.factors)} times as slow"
