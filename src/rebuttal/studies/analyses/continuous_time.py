"""Continuous propagation in continuous time: its delay differential equation beside the algorithm that a computer runs.

    dw_l/dt = −∇_l f(w_1(t − τ_1), ..., w_L(t − τ_L)),  τ_j = η D_j,

is what `delayed_descent` becomes if a tick lasts η and η is small. Both start from w(t ≤ 0) = w₁. The equation is
solved by the method of steps: late weights are known, so that every step is one of an ordinary differential equation.
Its steps are those of the classical Runge-Kutta method, on a grid that has every delay on it; late weights in the
middle of a step are a cubic through both ends and their slopes, which keeps the fourth order (Bellen and Zennaro 2003,
Numerical methods for delay differential equations).
"""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from rebuttal.base import seeding
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.studies.analyses import delayed_descent
from rebuttal.studies.analyses.analysis_record import Analysis
from rebuttal.studies.analyses.delayed_descent import Gradient

HORIZON = 6.0  # in units of 1 / λ, for which every problem has a largest curvature λ of about 1
STEPS = tuple(0.1 / 2**power for power in range(6))
DEPTHS = (2, 8)
DELAYS = (0, 1, 2, 4, 6, 14, 30, 62)  # of the stability limits, in ticks
FINEST = 0.0125  # the longest step of the integration
DISTANCES = ("distance", "distance_flow", "distance_plain")
Problem = tuple[Gradient, np.ndarray]  # the gradient, and the start


def quadratic(layers: int) -> Problem:
    """1/2 wᵀ H w with a coordinate in each layer, and curvature in directions that cross all of them."""
    h = delayed_descent.hessian(layers, condition=10.0)
    return lambda w: h @ w, seeding.generator(0, "continuous time").standard_normal(layers)


def linear_chain(layers: int) -> Problem:
    """1/2 (w_1 w_2 ... w_L − 1)²: a deep linear network of one unit in each layer, which is not convex."""
    itself = np.eye(layers, dtype=bool)

    def gradient(w: np.ndarray) -> np.ndarray:
        others = np.where(itself if w.ndim == 1 else itself[..., None], 1.0, w).prod(axis=1)
        return (w.prod(axis=0) - 1) * others / layers  # at the solution the curvature is 1

    return gradient, np.linspace(0.7, 0.9, layers)


PROBLEMS: dict[str, Callable[[int], Problem]] = {"quadratic": quadratic, "linear_chain": linear_chain}


def continuous_time(steps: Sequence[float] = STEPS, depths: Sequence[int] = DEPTHS) -> xr.Dataset:
    """How far apart the algorithm and its differential equation are, and which rates each says are stable.

    Dims problem, layers, step: the largest distance (Euclidean, over all ticks up to the horizon, as a share of the way
    from the start) between the algorithm and the equation with the same delays, `distance`; the algorithm and the
    equation without delays, `distance_flow`; plain gradient descent and gradient flow, `distance_plain`, which is what
    any such view leaves out. `order`: the slope of log distance on log step over the smaller half of the steps, or two.

    Dim delay: the largest stable rates for curvature 1, by formula, from eigenvalues, and by the equation, with a delay
    of D ticks or, as a tick holds its gradient for half a tick on average, of D and a half; and ratios to the first.
    """
    coords = {"problem": list(PROBLEMS), "layers": list(depths), "step": list(steps)}
    found = np.array([[[distances(PROBLEMS[p](l), s) for s in steps] for l in depths] for p in PROBLEMS])
    data = xr.Dataset(
        {
            name: (tuple(coords), found[..., at])
            for at, name in enumerate(("distance", "distance_flow", "distance_plain"))
        },
        coords,
    )
    small = data.distance.isel(step=slice(min(len(steps) // 2, len(steps) - 2), None))
    fitted = np.log(small).assign_coords(step=np.log(small.step)).polyfit("step", 1)
    data["order"] = fitted.polyfit_coefficients.sel(degree=1, drop=True)
    return ANALYSES["continuous_time"].annotated(
        data.merge(stable_rates()), clock="modelled", horizon=HORIZON
    )


def distances(problem: Problem, step: float) -> tuple[float, float, float]:
    """Between the algorithm and its equation, the algorithm and gradient flow, gradient descent and gradient flow."""
    gradient, start = problem
    delay, ticks = delayed_descent.delays(len(start), len(start)), round(HORIZON / step)
    late, plain = (
        delayed_descent.descend(gradient, start, np.array([step]), some, ticks)[:, :, 0]
        for some in (delay, 0 * delay)
    )
    parts = int(np.ceil(step / FINEST))
    equation, flow = (
        solve(gradient, start, parts * some, step / parts, parts * ticks)[::parts]
        for some in (delay, 0 * delay)
    )
    way = np.linalg.norm(flow[-1] - start)
    pairs = ((late, equation), (late, flow), (plain, flow))
    one, two, three = (float(np.linalg.norm(x - y, axis=1).max() / way) for x, y in pairs)
    return one, two, three


def solve(gradient: Gradient, start: np.ndarray, lag: np.ndarray, h: float, count: int) -> np.ndarray:
    """The solution of the delay differential equation at 0, h, ..., count h: [count + 1, coordinates].

    lag: the delay of each coordinate, in steps of h.
    """
    each, fresh = np.arange(len(start)), lag == 0
    weights, slopes = np.empty((2, count + 1, len(start)))
    weights[0] = start
    for k in range(count):
        i, w = k - lag, weights[k]
        begin, end = np.maximum(i, 0), np.clip(i + 1, 0, k)
        slopes[k] = first = -gradient(weights[begin, each])
        before, after = weights[begin, each], weights[end, each]
        curved = (before + after) / 2 + h / 8 * (slopes[begin, each] - slopes[end, each])
        middle = np.where(i < 0, start, curved)
        second = -gradient(np.where(fresh, w + h / 2 * first, middle))
        third = -gradient(np.where(fresh, w + h / 2 * second, middle))
        last = -gradient(np.where(fresh, w + h * third, after))
        weights[k + 1] = w + h / 6 * (first + 2 * second + 2 * third + last)
    return weights


def stable_rates() -> xr.Dataset:
    """The largest stable rates at each delay, dim delay: of the algorithm twice, and of the equation twice."""
    delay = xr.DataArray(np.array(DELAYS), dims="delay", coords={"delay": list(DELAYS)})
    formula = delay.copy(data=delayed_descent.stability_limit(delay.values))
    data = xr.Dataset({"formula_rate": formula})
    data["eigenvalue_rate"] = ("delay", np.array([delayed_descent.largest_stable_rate(d) for d in DELAYS]))
    late = delay.where(delay > 0)  # without a delay the equation is stable at every rate
    data["equation_rate"] = np.pi / 2 / late
    data["midpoint_rate"] = np.pi / 2 / (delay + 0.5)
    for name in ("eigenvalue", "equation", "midpoint"):
        data[f"{name}_ratio"] = data[f"{name}_rate"] / data.formula_rate
    return data


CONTINUOUS_TIME = Analysis(ANALYSES["continuous_time"], lambda _: continuous_time(STEPS))
