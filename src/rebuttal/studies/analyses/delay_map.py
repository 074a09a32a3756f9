"""The map of depth, delay and batch: on noisy quadratics, what the delay of continuous propagation costs in updates.

The criterion is that of Lian, Huang, Li and Liu (2015), Asynchronous parallel stochastic gradient for nonconvex
optimization, NIPS, arXiv:1506.08272: the mean of the squared gradient over the first K updates. Their theorem, with M
samples in an update, staleness at most T, curvature at most λ, deviation σ of one sample's gradient and Δ = f(w₁) − f*:
if K ≥ 4 M λ Δ (T + 1)² / σ², the rate sqrt(M Δ / (λ K σ²)) of a mean gradient brings it to 4 sqrt(Δ λ σ² / (M K)). The
same steps without delay give 3 in the place of 4, so that the theory lets the delay cost (4 / 3)² in updates.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import xarray as xr

from rebuttal.base import seeding
from rebuttal.base.errors import refuse
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.studies.analyses import delayed_descent
from rebuttal.studies.analyses.analysis_record import Analysis
from rebuttal.studies.analyses.hardware_ticks import step_ticks

COORDINATES, CONDITION, CURVATURE = 32, 30.0, 1.0
GAP, NOISE = 1.0, 4.0  # Δ, and σ of the whole gradient of one sample
DRAWS = 5  # of start and noise, for each seed of the parameters
RATES = tuple(float(rate) for rate in np.geomspace(0.004, 1.4, 14))
GUARANTEED = (4 / 3) ** 2  # the updates that a delay may cost by the theorem, beyond its onset


class DelayGrid(NamedTuple):
    """What the map is computed for. The first of the layers is one: a map needs what there is without delay."""

    layers: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    batches: tuple[int, ...] = (1, 4, 16, 64)
    steps: int = 4096  # after which a run that has not reached the target is given up
    counts: tuple[int, ...] = (64, 256, 1024, 4096)  # updates at which the bound is compared
    target: float = 0.06  # of the mean squared gradient


WHOLE = DelayGrid()


class Place(NamedTuple):
    """A place of the map: so many layers, and samples in an update."""

    layers: int
    batch: int


def delay_map(seeds: Sequence[int], tuning_seeds: Sequence[int], grid: DelayGrid = WHOLE) -> xr.Dataset:
    """Updates and ticks to the target, and Lian et al.'s bound, by layers and batch.

    Dims layers, batch, seed. `updates` are those of continuous propagation with the rate that took fewest on the tuning
    seeds; one layer has no delay, so it is the synchronous method of any depth. `inflation` is updates over those of
    the synchronous method, `guaranteed` the same where the theorem says something, else NaN; `costly` where that
    method's rate would diverge if all gradients were as late as the latest, else NaN. `bound_share` is the mean squared
    gradient over its bound (NaN before the onset). What begins with `largest_` or `smallest_` is over all places. Ticks
    are of `hardware_ticks`; `speedup` is that of continuous propagation over the best synchronous method with the same
    batch, `best_speedup` with the best batch of each, `single_speedup` with one sample against the best batch.

    Raises:
        InputError: no seeds, or a grid that does not begin with one layer and one sample.
    """
    if not seeds or not tuning_seeds:
        raise refuse("seeds", [*seeds, *tuning_seeds], "at least one to report and one to tune on")
    for name, labels in (("layers", grid.layers), ("batches", grid.batches)):
        if labels[:1] != (1,):
            raise refuse(name, labels, "numbers from 1 on")
    places = [Place(layers, batch) for layers in grid.layers for batch in grid.batches]
    found = [_tuned(place, seeds, tuning_seeds, grid) for place in places]
    shares = [_bound_shares(place, seeds, grid.counts) for place in places]
    coords = {"layers": grid.layers, "batch": grid.batches, "bound_updates": grid.counts, "seed": seeds}
    shape, dims = (len(grid.layers), len(grid.batches)), ("layers", "batch")
    data = xr.Dataset(
        {
            "updates": ((*dims, "seed"), np.array([updates for updates, _ in found]).reshape(*shape, -1)),
            "rate": (dims, np.array([rate for _, rate in found]).reshape(shape)),
            "onset": (dims, np.array([onset(place) for place in places]).reshape(shape)),
            "delay": ("layers", np.array([_delay(layers) for layers in grid.layers], dtype=float)),
            "bound_share": (tuple(coords), np.array(shares).reshape(*shape, len(grid.counts), -1)),
        },
        {name: list(labels) for name, labels in coords.items()},
    )
    return ANALYSES["delay_map"].annotated(
        _with_ticks(_with_costs(data)), clock="modelled", target=grid.target, guaranteed_inflation=GUARANTEED
    )


def onset(place: Place) -> float:
    """4 M λ Δ (T + 1)² / σ²: the number of updates from which on the theorem holds."""
    return 4 * place.batch * CURVATURE * GAP * (_delay(place.layers) + 1) ** 2 / NOISE**2


def mean_squared_gradients(place: Place, rates: np.ndarray, seeds: Sequence[int], steps: int) -> np.ndarray:
    """The mean of the squared gradient over the first K updates, for each K: [steps, rates, seeds]."""
    h = delayed_descent.hessian(COORDINATES, CONDITION)
    starts, noises = zip(*(_drawn(seed, steps) for seed in seeds), strict=True)
    start = np.tile(np.stack(starts, axis=1), len(rates))  # runs: rates, and for each of them the seeds
    deviation = NOISE / np.sqrt(COORDINATES * place.batch)
    noise = np.tile(np.stack(noises, axis=2), len(rates))
    weights = delayed_descent.descend(
        lambda w: h @ w, start, np.repeat(rates, len(seeds)), delayed_descent.delays(place.layers, COORDINATES), steps,
        lambda t: deviation * noise[t],
    )  # fmt: skip
    with np.errstate(over="ignore", invalid="ignore"):
        squares = ((h @ weights[:-1]) ** 2).sum(axis=1)
        means = np.cumsum(squares, axis=0) / np.arange(1, steps + 1)[:, None]
    return means.reshape(steps, len(rates), len(seeds))


def updates_to(target: float, means: np.ndarray) -> np.ndarray:
    """The first number of updates whose mean is at most the target: [...] from [steps, ...], NaN for never."""
    with np.errstate(invalid="ignore"):
        there = means <= target
    return np.where(there.any(axis=0), there.argmax(axis=0) + 1.0, np.nan)


def _tuned(
    place: Place, seeds: Sequence[int], tuning_seeds: Sequence[int], grid: DelayGrid
) -> tuple[np.ndarray, float]:
    """Updates of each seed at the rate that took fewest, on average, on the tuning seeds."""
    rates = np.array(RATES)
    tried = updates_to(grid.target, mean_squared_gradients(place, rates, tuning_seeds, grid.steps))
    best = int(np.nan_to_num(tried, nan=np.inf).mean(axis=1).argmin())
    found = mean_squared_gradients(place, rates[[best]], seeds, grid.steps)
    return updates_to(grid.target, found)[0], RATES[best]


def _bound_shares(place: Place, seeds: Sequence[int], counts: Sequence[int]) -> np.ndarray:
    """The measured mean over the bound after each number of updates, at its own rate: [counts, seeds]."""
    updates = np.array(counts, dtype=float)
    rates = np.sqrt(place.batch * GAP / (CURVATURE * updates * NOISE**2))
    bounds = 4 * np.sqrt(GAP * CURVATURE * NOISE**2 / (place.batch * updates))
    ends = [
        mean_squared_gradients(place, rates[[number]], seeds, count)[-1, 0]
        for number, count in enumerate(counts)
    ]
    at = np.array(ends)
    return np.where((updates >= onset(place))[:, None], at / bounds[:, None], np.nan)


@lru_cache(maxsize=128)
def _drawn(seed: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """A start with f = Δ [coordinates], and standard normal noise [steps, coordinates]: the same at every place."""
    h = delayed_descent.hessian(COORDINATES, CONDITION)
    random = seeding.generator(seed, "delay map")
    start = random.standard_normal(COORDINATES)
    return start * np.sqrt(2 * GAP / (start @ h @ start)), random.standard_normal((steps, COORDINATES))


def _delay(layers: int) -> int:
    """T: the longest delay."""
    return 2 * (layers - 1)


def _with_costs(data: xr.Dataset) -> xr.Dataset:
    """With what the delay costs in updates, everywhere, where the theorem bounds it, and where stability forces it."""
    fresh = data.isel(layers=0, drop=True)
    data["inflation"] = data.updates / fresh.updates
    data["guaranteed"] = data.inflation.where(fresh.updates.median("seed") >= data.onset)
    limit = xr.DataArray(delayed_descent.stability_limit(data.delay.values, CURVATURE), dims="layers")
    data["stability_limit"] = limit
    data["costly"] = data.inflation.where(fresh.rate > limit)
    places = ("layers", "batch")
    data["largest_guaranteed"] = data.guaranteed.max(places)
    data["smallest_costly"] = data.costly.min(places)
    data["largest_bound_share"] = data.bound_share.max((*places, "bound_updates"))
    return data


def _with_ticks(data: xr.Dataset) -> xr.Dataset:
    """With ticks to the target of each method, and what continuous propagation gains over the best of the others."""
    steps = step_ticks(data.layers.values.tolist(), data.batch.values.tolist())
    fresh = data.updates.isel(layers=0, drop=True)
    needed = xr.where(steps.method == "continuous", data.updates, fresh)
    data["ticks"] = (steps * needed).transpose("method", "layers", "batch", "half_batch", "seed")
    others = data.ticks.drop_sel({"method": "continuous"})
    own = data.ticks.sel({"method": "continuous"}, drop=True)
    data["speedup"] = others.min("method") / own
    first = others.min(["method", "batch"])
    data["best_speedup"], data["single_speedup"] = (
        first / own.min("batch"),
        first / own.sel(batch=1, drop=True),
    )
    return data


def drawn_seeds(seeds: Sequence[int]) -> list[int]:
    """DRAWS seeds for each seed of the parameters: quadratics cost little, and the map is read to a few per cent."""
    return [seed * DRAWS + draw for seed in seeds for draw in range(DRAWS)]


DELAY_MAP = Analysis(
    ANALYSES["delay_map"],
    lambda given: delay_map(
        drawn_seeds(given.grid.seeds), [seed * DRAWS for seed in given.grid.tuning_seeds], WHOLE
    ),
)
