"""Convex problems whose lowest loss is known: what the theory of optimisation is held against.

| name             | loss                              | convex   | smooth                | lowest loss               |
|------------------|-----------------------------------|----------|-----------------------|---------------------------|
| max_abs          | max_i abs(w_i)                    | weakly   | no, 1-Lipschitz       | 0                         |
| hinge            | mean_i max(0, 1 - s_i x_i.w)      | weakly   | no                    | of a linear program       |
| quadratic_strong | 1/2 sum_i h_i w_i^2, all h_i > 0  | strongly | yes, of constant 1    | 0                         |
| quadratic_weak   | the same, some h_i = 0            | weakly   | yes, of constant 1    | 0                         |

Only hinge has data. The losses of the others are the same for every batch, so their training is deterministic.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import linprog
from torch import Tensor, nn

from rebuttal.base import seeding
from rebuttal.base.errors import refuse
from rebuttal.core.partition import cut
from rebuttal.workloads.models import default_initial
from rebuttal.workloads.parts import Layer, Objective, Target
from rebuttal.workloads.quadratic import Quadratic
from rebuttal.workloads.workload import Split, Workload, assemble

DIMENSIONS, STAGES, CONDITION, FLAT = 32, 8, 100.0, 8
SAMPLES = 32  # all alike, where there are no data: as many as a batch usually has
POINTS, FEATURES, NOISE_ACROSS = 96, 8, 0.5
TARGET = Target(
    metric="loss",
    rule="A distance from the known lowest loss, stated with the claim.",
    sweep=(1e-3, 0.1),
    lower_is_better=True,
)
MAX_ABS_SOURCE = "Data: none. Model: the largest absolute value, by stages that hand on the maximum so far."
HINGE_SOURCE = (
    "Data: drawn, two noisy classes. Model: a linear classifier with the hinge loss of the support-vector machine "
    "(Cortes and Vapnik 1995) and no penalty."
)
QUADRATIC_SOURCE = "Data: none. Model: a quadratic without noise; {kind}."


class MaxAbsBlock(nn.Module):
    """The maximum of what comes in, [n, 1], and of |w_i| over the block's weights: [n, 1].

    One index attains the maximum, also among equals, so that the gradient is a unit vector.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        """The running maximum of each sample."""
        largest = self.weight.abs().max(0).values
        return torch.where(x < largest, largest, x)


def max_abs(dimensions: int = DIMENSIONS, stages: int = STAGES) -> Workload:
    """f(w) = max_i |w_i|: 1-Lipschitz, smallest at 0, which is at distance 1 from every start.

    The weights are cut into `stages` layers of about equal size, and each hands on the maximum so far, so the problem
    is as deep as a pipeline needs it. Raises InputError: no dimension, or not from 1 to `dimensions` stages.
    """
    if dimensions < 1:
        raise refuse("dimensions", dimensions, "a whole number >= 1")
    if not 1 <= stages <= dimensions:
        raise refuse("stages", stages, f"from 1 to {dimensions}, the dimensions")
    sizes = [len(part) for part in cut((1,) * dimensions, stages)]
    none: Split = (torch.zeros(SAMPLES, 1), torch.zeros(SAMPLES, dtype=torch.int64))
    return assemble(
        "max_abs",
        source=MAX_ABS_SOURCE,
        target=TARGET,
        build=lambda: nn.Sequential(
            OrderedDict((f"block{l}", MaxAbsBlock(size)) for l, size in enumerate(sizes, 1))
        ),
        splits=dict.fromkeys(("training", "validation", "test"), none),
        objective=Objective(loss=_mean, losses=_each, metric=_mean),
        initial=partial(_on_a_sphere, dimensions),
    )


def hinge(points: int = POINTS, features: int = FEATURES) -> Workload:
    """The mean hinge loss of a linear classifier with a bias on `points` training points of two noisy classes.

    No penalty makes it strongly convex, and noise keeps the classes from being separated. Raises InputError.
    """
    if features < 1:
        raise refuse("features", features, "a whole number >= 1")
    if points < 2:
        raise refuse("points", points, "a whole number >= 2")
    return assemble(
        "hinge",
        source=HINGE_SOURCE,
        target=TARGET,
        build=lambda: nn.Sequential(OrderedDict(linear=nn.Linear(features, 1))),
        splits=_two_classes(points, features),
        objective=Objective(loss=_hinge, losses=_hinges, metric=_right),
        initial=default_initial,
    )


def quadratic_strong(dimensions: int = DIMENSIONS, condition: float = CONDITION) -> Workload:
    """1/2 sum_i h_i w_i^2 with h from 1 to 1/condition, evenly in logarithms. Raises InputError."""
    if not 1 <= condition < math.inf:
        raise refuse("condition", condition, "a number >= 1, the largest curvature over the smallest")
    spectrum = np.geomspace(1.0, 1 / condition, dimensions).tolist()
    return _named("quadratic_strong", spectrum, "curvatures from 1 down, all above 0")


def quadratic_weak(dimensions: int = DIMENSIONS, flat: int = FLAT) -> Workload:
    """1/2 sum_i h_i w_i^2 with h_i = 1/i^2, and 0 for the last `flat`. Raises InputError."""
    if not 1 <= flat < dimensions:
        raise refuse("flat", flat, f"from 1 to {dimensions - 1}: fewer than the dimensions")
    curved = [1 / i**2 for i in range(1, dimensions - flat + 1)]
    return _named("quadratic_weak", [*curved, *[0.0] * flat], "curvatures 1/i^2, the last ones 0")


FACTORIES = {make.__name__: make for make in (max_abs, hinge, quadratic_strong, quadratic_weak)}


def load(name: str, data_root: str | Path | None = None) -> Workload:  # all loaders are called alike
    """The problem of that name in its default size. It has no files, so `data_root` is not used."""
    return FACTORIES[name]()


def optimum(workload: Workload) -> float:
    """The lowest training loss that any weights have, of a workload of this module.

    That of hinge is the value of a linear program over weights, bias and slacks, solved in float64. Raises InputError
    for any other workload.
    """
    if workload.name not in FACTORIES:
        raise refuse("workload", workload.name, FACTORIES)
    return _lowest_hinge(*workload.splits["training"]) if workload.name == "hinge" else 0.0


def _lowest_hinge(x: Tensor, y: Tensor) -> float:
    """min over (w, b, xi >= 0) of mean xi, where s_i (x_i.w + b) + xi_i >= 1."""
    points, features = x.shape
    signed = (2 * y - 1).double().cpu().numpy()[:, None] * np.c_[x.double().cpu().numpy(), np.ones(points)]
    found = linprog(
        np.r_[np.zeros(features + 1), np.full(points, 1 / points)],
        A_ub=-np.c_[signed, np.eye(points)],
        b_ub=-np.ones(points),
        bounds=[(None, None)] * (features + 1) + [(0, None)] * points,
    )
    return float(found.fun)


def _named(name: str, spectrum: Sequence[float], kind: str) -> Workload:
    quadratic = Quadratic(spectrum)
    return replace(quadratic, name=name, source=QUADRATIC_SOURCE.format(kind=kind), target=TARGET)


def _two_classes(points: int, features: int) -> dict[str, Split]:
    """Normal points, standardised as a whole, labelled by their side of one plane, with noise across it."""
    normal = seeding.generator(0, "hinge").standard_normal(features) / math.sqrt(features)
    splits = {}
    for split in ("training", "validation", "test"):
        stream = seeding.generator(0, "hinge", split)
        x = stream.standard_normal((points, features))
        sides = x @ normal + NOISE_ACROSS * stream.standard_normal(points) > 0
        splits[split] = (torch.from_numpy(x), torch.from_numpy(sides.astype(np.int64)))
    deviation, mean = torch.std_mean(splits["training"][0], correction=0)
    return {name: ((x - mean).div(deviation).float(), y) for name, (x, y) in splits.items()}


def _on_a_sphere(dimensions: int, layer: Layer, generator: torch.Generator) -> list[Tensor]:
    """The block's share of a start at distance 1: a random direction, of the length that its size calls for."""
    direction = torch.randn(layer.shapes[0], generator=generator)
    return [direction * (math.sqrt(len(direction) / dimensions) / direction.norm())]


def _mean(outputs: Tensor, y: Tensor) -> Tensor:  # the problem has no targets
    return outputs.mean()


def _each(outputs: Tensor, y: Tensor) -> Tensor:  # the problem has no targets
    return outputs.squeeze(-1)


def _hinges(outputs: Tensor, y: Tensor) -> Tensor:
    """max(0, 1 - s o) of each output o [n, 1], with side s = -1 for y = 0 and 1 for y = 1."""
    return (1 - (2 * y - 1) * outputs.squeeze(-1)).clamp(min=0)


def _hinge(outputs: Tensor, y: Tensor) -> Tensor:
    return _hinges(outputs, y).mean()


def _right(outputs: Tensor, y: Tensor) -> Tensor:
    """The share of points on their side of the plane."""
    return ((outputs.squeeze(-1) > 0) == (y == 1)).to(outputs.dtype).mean()
