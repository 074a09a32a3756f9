"""Measured errors after T updates beside the bounds of theory: PPRS, its parts, and the methods that need no smoothing.

Every run is a method's own program on a function of known value (`analyses.functions`), with the step that theory gives
for its horizon T. R is the distance to the best point, L the slope, β the curvature; all are 1.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.methods.acceleration import paper_settings
from rebuttal.studies.analyses.analysis_record import Analysis, of_some
from rebuttal.studies.analyses.function_runs import weights
from rebuttal.studies.analyses.functions import Hardest, LinkFunction, MaxAbs
from rebuttal.studies.params.engine_choice import LOCAL
from rebuttal.studies.runs.pool import run_all

DIMENSION = 100  # of max_abs, where errors are followed along T
DIMENSIONS = (36, 100, 225)  # of max_abs, where they are compared along d
SAMPLES = 4  # smoothing samples on the smooth function, where smoothing has nothing to do
MOST_UPDATES = 100_000
LINKS = (5, 10, 20, 40)  # of the chain on which updates to a small gradient are counted
Bound = Callable[[int], float]


@dataclass(frozen=True)
class RateCase:
    """One method on one kind of function.

    run(T): (function, method, options, step) for the horizon T. upper, lower: what theory says of the error after T
    updates; None where it says nothing. order: the power of T in the upper bound, or in what is expected without one.
    """

    about: str
    run: Callable[[int], tuple[Any, str, dict[str, Any], float]]
    order: float
    upper: Bound | None = None
    lower: Bound | None = None


def smoothed(d: int, T: int) -> tuple[Any, str, dict[str, Any], float]:
    """PPRS with the settings of its theory on max_abs."""
    paper = paper_settings(T, d)
    return MaxAbs(d), "pprs", {"K": int(paper["K"]), "gamma": paper["gamma"]}, paper["eta"]


def unaccelerated(T: int) -> tuple[Any, str, dict[str, Any], float]:
    """Gradient descent on the smoothed loss: γ = R d^(−1/4)/√T balances its bias γ L √d and its error L R²/(γ T)."""
    gamma, samples = DIMENSION**-0.25 / math.sqrt(T), int(paper_settings(T, DIMENSION)["K"])
    return MaxAbs(DIMENSION), "pprs", {"K": samples, "gamma": gamma, "accelerated": False}, gamma


def pprs_bound(T: int, d: int = DIMENSION) -> float:
    """4 R L d^(1/4)/(T + 1): bias R L d^(1/4)/(T + 1), accelerated error twice that, noise of the samples once."""
    return 4 * d**0.25 / (T + 1)


def hardest_bound(T: int) -> float:
    """3 β R²/(32 (T + 1)²): nothing that goes along gradients is closer after T updates (Nesterov 2004, thm 2.1.7)."""
    return 3 / (32 * (T + 1) ** 2)


PLAIN = {"K": 1, "gamma": 0.0}
CASES: dict[str, RateCase] = {
    "pprs": RateCase(
        "PPRS on max_abs, with the settings of its theory", lambda T: smoothed(DIMENSION, T), -1.0, pprs_bound
    ),
    "smoothing_alone": RateCase(
        "smoothing without acceleration on max_abs, with the width and the step that balance its bound",
        unaccelerated, -0.5, lambda T: 3 * DIMENSION**0.25 / math.sqrt(T),
    ),
    "acceleration_alone": RateCase(
        "the accelerated gradient on max_abs without smoothing, with the step of PPRS: theory gives no rate",
        lambda T: (MaxAbs(DIMENSION), "nesterov", {}, paper_settings(T, DIMENSION)["eta"]), 0.0,
    ),
    "sub_gradient": RateCase(
        "the averaged sub-gradient method on max_abs, with the step R/(L √T)",
        lambda T: (MaxAbs(DIMENSION), "pprs", PLAIN | {"accelerated": False, "averaged": True}, 1 / math.sqrt(T)),
        -0.5, lambda T: 1 / math.sqrt(T),
    ),
    "smooth_nesterov": RateCase(
        "the accelerated gradient on the hardest smooth convex function, with the step 1/β",
        lambda T: (Hardest(T), "nesterov", {}, 1.0), -2.0, lambda T: 2 / (T + 1) ** 2, hardest_bound,
    ),
    "smooth_gradient": RateCase(
        "gradient descent on the hardest smooth convex function, with the step 1/β",
        lambda T: (Hardest(T), "gpipe", {"m": 1}, 1.0), -1.0, lambda T: 1 / (4 * T + 2), hardest_bound,
    ),
    "smooth_pprs": RateCase(
        "PPRS on the hardest smooth convex function, with the step 1/β and the width of its theory",
        lambda T: (Hardest(T), "pprs", {"K": SAMPLES, "gamma": paper_settings(T, 2 * T + 1)["gamma"]}, 1.0), -2.0,
    ),
}  # fmt: skip
FIRST_ORDER = {"gpipe": {"m": 1}, "nesterov": {}}  # methods that seek a small gradient of the chain of links


def error(name: str, T: int, seeds: Sequence[int]) -> np.ndarray:
    """f − min f after T updates of a case, [S]."""
    return _error(*CASES[name].run(T), seeds=seeds, T=T)


def error_in_dimension(d: int, T: int, seeds: Sequence[int]) -> np.ndarray:
    """f − min f of PPRS on max_abs in d dimensions after T updates, [S]."""
    return _error(*smoothed(d, T), seeds=seeds, T=T)


def _error(
    function: Any, name: str, options: dict[str, Any], step: float, *, seeds: Sequence[int], T: int
) -> np.ndarray:
    *_, last = weights(name, options, function, seeds, step, T)
    return function.value(last) - function.lowest


def updates_to_flat(name: str, links: int) -> int:
    """Updates until a method first has a gradient no longer than 1 on the chain of links, with the step 1/β."""
    function = LinkFunction(links)
    found = weights(name, FIRST_ORDER[name], function, [0], 1 / function.smoothness, MOST_UPDATES)
    for version, w in enumerate(found):
        if np.linalg.norm(function.gradient(w)) <= 1:
            return version
    raise ArithmeticError(f"{name} on {links} links: no small gradient in {MOST_UPDATES} updates")


def rates(
    errors: Mapping[tuple[str, int], np.ndarray],
    by_dimension: Mapping[int, np.ndarray],
    flat: Mapping[tuple[str, int], int],
    seeds: Sequence[int],
    dimension_horizon: int,
) -> xr.Dataset:
    """The dataset of what `error`, `error_in_dimension` and `updates_to_flat` found.

    `slope` is d log(error) / d log(T) of each seed by least squares, `exponent` d log(error) / d log(d);
    `of_upper` and `of_lower` are the error over its bounds, NaN where theory has none. Of the chain of links: updates,
    over the least that any method of gradients needs (one for each link), and over what gradient descent needs at most.
    """
    names = list(dict.fromkeys(name for name, _ in errors))
    horizons = list(dict.fromkeys(T for _, T in errors))
    coords = {"case": names, "horizon": horizons, "seed": list(seeds)}
    values = np.array([[errors[name, T] for T in horizons] for name in names])
    data = xr.Dataset({"error": (tuple(coords), values)}, coords)
    for side in ("upper", "lower"):
        bounds = [[_bound(getattr(CASES[name], side), T) for T in horizons] for name in names]
        data[side] = (("case", "horizon"), np.array(bounds))
        data[f"of_{side}"] = data.error / data[side]
    data["slope"] = (("case", "seed"), _slopes(horizons, values))
    data["order"] = ("case", [CASES[name].order for name in names])
    data["by_dimension"] = (("dimension", "seed"), np.array(list(by_dimension.values())))
    data = data.assign_coords(
        dimension=list(by_dimension), case_about=("case", [CASES[n].about for n in names])
    )
    data["exponent"] = ("seed", _slopes(list(by_dimension), data.by_dimension.values))
    data = data.merge(_chains(flat))
    return ANALYSES["rates"].annotated(
        data, dimension_horizon=dimension_horizon, dimension_of_cases=DIMENSION
    )


def _bound(bound: Bound | None, T: int) -> float:
    return math.nan if bound is None else bound(T)


def _slopes(x: Sequence[int], values: np.ndarray) -> np.ndarray:
    """The slope of log(values) [..., x, S] along log(x), [..., S]; NaN with fewer than two points."""
    if len(x) < 2:
        return np.full(values.shape[:-2] + values.shape[-1:], np.nan)
    logs = np.log(np.asarray(x, dtype=float))
    centred = logs - logs.mean()
    return np.tensordot(np.log(values), centred, axes=(-2, 0)) / (centred**2).sum()


def _chains(flat: Mapping[tuple[str, int], int]) -> xr.Dataset:
    names = list(dict.fromkeys(name for name, _ in flat))
    links = list(dict.fromkeys(count for _, count in flat))
    counts = np.array([[float(flat[name, n]) for n in links] for name in names])
    data = xr.Dataset(
        {"flat_updates": (("first_order", "links"), counts)}, {"first_order": names, "links": links}
    )
    data["of_fewest"] = data.flat_updates / data.links
    data["of_most"] = data.flat_updates / (
        2 * LinkFunction.smoothness * LinkFunction.fall_of_a_link * data.links
    )
    data["flat_slope"] = ("first_order", _slopes(links, counts[..., None])[:, 0])
    return data


def measure(seeds: tuple[int, ...], horizons: tuple[int, ...], engine: str = LOCAL) -> xr.Dataset:
    """The dataset of `rates`, its runs side by side on the cores that there are."""
    shown = horizons[-2:][0]  # of the comparison of dimensions: not the longest, which costs most
    errors = [(name, T) for T in horizons for name in CASES]
    chains = [(name, links) for name in FIRST_ORDER for links in LINKS]
    tasks: list[tuple] = [("error", *one, seeds) for one in errors]
    tasks += [("error_in_dimension", d, shown, seeds) for d in DIMENSIONS]
    tasks += [("updates_to_flat", *one) for one in chains]
    weights = [task[2] for task in tasks]
    found = run_all(_one, tasks, "rates", weights, preload=[__name__], engine=engine)
    rest = found[len(errors) :]
    return rates(
        dict(zip(errors, found, strict=False)),
        dict(zip(DIMENSIONS, rest, strict=False)),
        dict(zip(chains, rest[len(DIMENSIONS) :], strict=True)),
        seeds,
        shown,
    )


def _one(kind: str, *given: Any) -> Any:
    return {each.__name__: each for each in (error, error_in_dimension, updates_to_flat)}[kind](*given)


RESTS_ON = of_some("horizons", "seeds")
RATES = Analysis(
    ANALYSES["rates"],
    lambda given: measure(given.grid.seeds, given.grid.horizons, given.params.engine),
    pooled=True,
    origin=RESTS_ON,
)
