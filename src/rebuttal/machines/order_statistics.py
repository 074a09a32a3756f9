"""How long the k-th fastest of n workers takes: closed forms, quadrature, simulation, and the best k.

Times are in units of the straggler model's usual compute, as slowdown factors. X_(k:n) is the k-th smallest of n
independent factors; an update of N of N + b workers takes X_(N:N+b). Formulas: docs/methods/backup_workers.md and
the references there (order statistics: David and Nagaraja 2003, ch. 2).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np
import xarray as xr
from scipy.special import betaln, gammaln

from rebuttal.base import seeding
from rebuttal.base.errors import refuse
from rebuttal.machines.stragglers import (
    NoStragglers,
    Pareto,
    PersistentlySlow,
    ShiftedExponential,
    Stragglers,
)

# Iterations to converge of Chen et al.'s Inception, in thousands: two published points, 137.5 at N = 50 and 76.2
# at N = 100, through which 14.9 + 6130 / N passes. Only the ratio matters here: the number of workers at which
# averaging more of them stops saving half of the updates.
PUBLISHED_HALF_WORKERS = 6130 / 14.9
CHUNK = 4_000_000  # draws held in memory at once by a simulation


def harmonic(n: int) -> float:
    """H_n = 1 + 1/2 + ... + 1/n; H_0 = 0."""
    return float(np.sum(1.0 / np.arange(1, n + 1)))


def exponential(k: int, n: int) -> float:
    """E[X_(k:n)] = H_n - H_(n-k) for the exponential of mean 1."""
    return harmonic(n) - harmonic(n - k)


def shifted_exponential(k: int, n: int, shift: float) -> float:
    """E[X_(k:n)] for shift + (1 - shift) Exp(1)."""
    return shift + (1 - shift) * exponential(k, n)


def pareto(k: int, n: int, a: float) -> float:
    """E[X_(k:n)] for the Pareto of minimum 1: infinite when a <= 1 / (n - k + 1)."""
    if a * (n - k + 1) <= 1:
        return np.inf
    logs = gammaln(n + 1) + gammaln(n - k + 1 - 1 / a) - gammaln(n - k + 1) - gammaln(n + 1 - 1 / a)
    return float(np.exp(logs))


def quadrature(stragglers: Stragglers, k: int, n: int) -> float:
    """E[X_(k:n)] as the integral of the quantile at u against the Beta(k, n - k + 1) density, for any distribution.

    The integral is taken over v with u = v^3 (10 - 15 v + 6 v^2), which flattens both ends, by Gauss-Legendre rules
    of 12 points on 600 equal pieces, so that the density's narrow peak is not overlooked. Exact to many digits for
    a continuous quantile, to about 1e-3 for one that jumps. Raises InputError unless 1 <= k <= n.
    """
    _check(k, n)
    v, weight = _nodes()
    u = v**3 * (10 + v * (6 * v - 15))
    late = (1 - v) ** 3 * (1 + v * (3 + 6 * v))  # 1 - u, without cancellation
    density = np.exp((k - 1) * np.log(u) + (n - k) * np.log(late) - betaln(k, n - k + 1))
    return float(np.sum(weight * stragglers.upper_quantile(late) * density * 30 * v**2 * (1 - v) ** 2))


@cache
def _nodes(pieces: int = 600, points: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Abscissas and weights of a composite Gauss-Legendre rule on (0, 1)."""
    x, weight = np.polynomial.legendre.leggauss(points)
    v = (np.arange(pieces)[:, None] + (x + 1) / 2) / pieces
    return v.ravel(), np.tile(weight / (2 * pieces), pieces)


def expected(stragglers: Stragglers, k: int, n: int) -> float:
    """E[X_(k:n)]: the closed form where there is one, else quadrature."""
    _check(k, n)
    if isinstance(stragglers, NoStragglers):
        return 1.0
    if isinstance(stragglers, ShiftedExponential):
        return shifted_exponential(k, n, stragglers.shift)
    if isinstance(stragglers, Pareto):
        return pareto(k, n, stragglers.a)
    return quadrature(stragglers, k, n)


def iteration_time(stragglers: Stragglers, workers: int, backups: int) -> float:
    """Expected time of one update that waits for all but `backups` of `workers` machines, communication free."""
    return expected(stragglers, workers - backups, workers)


def simulate(
    stragglers: Stragglers, workers: int, backups: Sequence[int], iterations: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean time of an update and its standard error for each number of backups, by drawing `iterations` updates.

    Every number of backups reads the same draws. Where the time has no variance (a heavy tail without backups) the
    standard error is that of the draws made, and does not bound the error.
    """
    kept = [workers - b - 1 for b in backups]
    rows = max(1, CHUNK // workers)
    random = seeding.generator(seed, "order statistics", workers)
    times = [
        np.sort(_draw(stragglers, random, (min(rows, iterations - start), workers)), axis=1)[:, kept]
        for start in range(0, iterations, rows)
    ]
    sample = np.concatenate(times)
    return sample.mean(axis=0), sample.std(axis=0, ddof=1) / np.sqrt(iterations)


def _draw(stragglers: Stragglers, random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Independent factors; a mixture is drawn as one, which is faster than its inverse CDF and checks it."""
    if isinstance(stragglers, PersistentlySlow):
        slow = random.random(shape) < stragglers.fraction
        return _draw(stragglers.base, random, shape) * np.where(slow, stragglers.factor, 1.0)
    return stragglers.quantile(random.random(shape))


def progress_per_update(workers: int, half_workers: float = PUBLISHED_HALF_WORKERS) -> float:
    """How much one update of `workers` averaged gradients achieves, relative to infinitely many.

    Updates needed fall as 1 + half_workers / N (a noise floor plus a part that averaging removes), so the progress
    of one is N / (N + half_workers). The default comes from two published points: see PUBLISHED_HALF_WORKERS.
    """
    return workers / (workers + half_workers)


def best_backups(
    workers: int, seconds: Callable[[int], float], half_workers: float = PUBLISHED_HALF_WORKERS
) -> int:
    """The number b of `workers` machines to leave out that maximises progress per second.

    `seconds(b)` is the time of an update that waits for workers - b of them. Ties go to the smaller b.
    """
    speeds = [progress_per_update(workers - b, half_workers) / seconds(b) for b in range(workers)]
    return int(np.argmax(speeds))


def worth_dropping(
    workers: int, seconds: float, gap_s: float, half_workers: float = PUBLISHED_HALF_WORKERS
) -> bool:
    """The marginal rule: not waiting for the last of `workers` gradients pays iff it saves more than it costs.

    `gap_s` is how much later than the one before it arrives, of an update of `seconds`. The share of time saved,
    gap_s / seconds, must exceed the share of progress lost.
    """
    lost = 1 - progress_per_update(workers - 1, half_workers) / progress_per_update(workers, half_workers)
    return gap_s / seconds > lost


def study(
    stragglers: Mapping[str, Stragglers],
    workers: Sequence[int],
    backups: Sequence[int],
    iterations: int,
    seed: int,
) -> xr.Dataset:
    """Iteration times by formula and by simulation: dims straggler, workers (N + b in all), backups (b).

    In units of the straggler model's mean compute (of its median where the mean is infinite); NaN where
    backups >= workers.
    """
    shape = (len(stragglers), len(workers), len(backups))
    closed, simulated, stderr = (np.full(shape, np.nan) for _ in range(3))
    for s, model in enumerate(stragglers.values()):
        unit = model.mean() if np.isfinite(model.mean()) else float(model.quantile(0.5))
        for w, total in enumerate(workers):
            possible = [b for b in backups if b < total]
            some = [b < total for b in backups]
            closed[s, w, some] = [iteration_time(model, total, b) / unit for b in possible]
            mean, error = simulate(model, total, possible, iterations, seed)
            simulated[s, w, some], stderr[s, w, some] = mean / unit, error / unit
    return _dataset(stragglers, workers, backups, (closed, simulated, stderr), iterations)


def _dataset(
    stragglers: Mapping[str, Stragglers],
    workers: Sequence[int],
    backups: Sequence[int],
    values: tuple[np.ndarray, np.ndarray, np.ndarray],
    iterations: int,
) -> xr.Dataset:
    names = ("iteration_seconds_closed_form", "iteration_seconds_simulated", "iteration_seconds_stderr")
    dims = ("straggler", "workers", "backups")
    described = ("straggler", [model.describe() for model in stragglers.values()])
    coords = {"straggler": list(stragglers), "workers": list(workers), "backups": list(backups)}
    return xr.Dataset(
        {
            name: (dims, value, {"units": "mean compute time"})
            for name, value in zip(names, values, strict=True)
        },
        coords | {"description": described},
        {"clock": "modelled", "iterations": iterations, "study": "backup_workers"},
    )


def _check(k: int, n: int) -> None:
    if not 1 <= k <= n:
        raise refuse("order statistic k of n", (k, n), "1 <= k <= n")
