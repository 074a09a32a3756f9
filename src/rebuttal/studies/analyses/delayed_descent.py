"""Gradient descent whose gradients are late, on small problems in layers: the recursion that theory speaks about.

A layer l of L is updated at every tick t with its gradient at weights of which each layer j is D_j ticks old,

    w_l(t + 1) = w_l(t) − η (∇_l f(w_1(t − D_1), ..., w_L(t − D_L)) + noise),

where before the first tick all weights are the start. Continuous propagation has D_j = 2 (L − j) (its form `stash`:
the gradient of a batch, each layer at the weights that it had when the batch came forward).
"""

from collections.abc import Callable

import numpy as np

from rebuttal.base import seeding
from rebuttal.base.errors import refuse

Gradient = Callable[
    [np.ndarray], np.ndarray
]  # of weights [coordinates] or [coordinates, runs], the same shape
Noise = Callable[[int], np.ndarray]  # what is added to the gradient in a tick [coordinates, runs]


def delays(layers: int, coordinates: int) -> np.ndarray:
    """D of each coordinate in ticks, [coordinates]: 2 (L − l) for those of layer l, the first layer's first.

    Raises:
        InputError: the coordinates cannot be shared out evenly.
    """
    if layers < 1 or coordinates % layers:
        raise refuse("layers", layers, f"a divisor of the {coordinates} coordinates")
    return np.repeat(2 * np.arange(layers)[::-1], coordinates // layers)


def descend(
    gradient: Gradient,
    start: np.ndarray,
    rates: np.ndarray,
    delay: np.ndarray,
    steps: int,
    noise: Noise | None = None,
) -> np.ndarray:
    """The weights at each tick, [steps + 1, coordinates, runs], of as many runs as there are rates.

    start: [coordinates] for all runs, or [coordinates, runs]. rates: η of each run. delay: ticks of each coordinate.
    What diverges goes to infinity or NaN, without a warning.
    """
    size, each = len(delay), np.arange(len(delay))
    weights = np.empty((steps + 1, size, len(rates)))
    weights[0] = start if start.ndim == 2 else start[:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(steps):
            read = weights[np.maximum(t - delay, 0), each]
            late = gradient(read) if noise is None else gradient(read) + noise(t)
            weights[t + 1] = weights[t] - rates * late
    return weights


def hessian(coordinates: int, condition: float) -> np.ndarray:
    """A fixed symmetric matrix with curvatures from 1 down to 1 / condition in directions that cross all layers."""
    normal = seeding.generator(0, "delayed descent").standard_normal((coordinates, coordinates))
    directions, triangle = np.linalg.qr(normal)
    directions *= np.sign(np.diag(triangle))  # the one choice of signs, whatever the library
    curvatures = np.geomspace(1.0, 1 / condition, coordinates)
    return (directions * curvatures) @ directions.T


def largest_stable_rate(delay: int) -> float:
    """The rate up to which w(t + 1) = w(t) − η w(t − D) dies out, from eigenvalues, to one part in a million."""
    low, high = 0.0, 4.0
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _radius(delay, middle) < 1 else (low, middle)
    return low


def stability_limit(delay: np.ndarray, curvature: float = 1.0) -> np.ndarray:
    """2 sin(π / (2 (2 D + 1))) / λ: the largest stable rate in closed form, of gradients that are all D ticks late."""
    return 2 * np.sin(np.pi / (2 * (2 * np.asarray(delay) + 1))) / curvature


def _radius(delay: int, rate: float) -> float:
    """The largest absolute eigenvalue of the recursion as a map of (w(t), w(t − 1), ..., w(t − D))."""
    turn = np.eye(delay + 1, k=-1)  # every kept version moves back by one
    turn[0, 0] = 1.0
    turn[0, delay] -= rate
    return float(np.abs(np.linalg.eigvals(turn)).max())
