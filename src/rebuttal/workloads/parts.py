"""The parts of a workload besides data and weights: its layers, its objective and its target."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Layer:
    """One child of the model, also one without parameters.

    name: that of the child in the nn.Sequential. kind: its class in lower case, such as linear, conv2d or
    residual. parameters: its part of the flat vector (empty without parameters). shapes: of its tensors, in
    order.
    """

    name: str
    kind: str
    parameters: slice
    shapes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Objective:
    """The objective of a model: functions of (outputs, y).

    loss: mean scalar. losses: one value for each sample. metric: mean scalar, accuracy where there are
    classes.
    """

    loss: Callable[[Tensor, Tensor], Tensor]
    losses: Callable[[Tensor, Tensor], Tensor]
    metric: Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Target:
    """Where time-to-target is read off.

    metric: name of the workload's metric. rule: how the target is set. sweep: lowest and highest target that
    a report tries by default. lower_is_better: whether the metric falls as the model learns. large_error: whether
    the error of a trained model is too large to be multiplied, so that targets go up in steps from it.
    """

    metric: str
    rule: str
    sweep: tuple[float, float]
    lower_is_better: bool = False
    large_error: bool = False


def accuracy(sweep: tuple[float, float], *, large_error: bool = False) -> Target:
    """The target of a classifier."""
    rule = (
        "The test accuracy that the tuned mini-batch SGD baseline ends at (median over seeds) and a sweep "
        "below it, fixed before another method is looked at."
    )
    return Target("accuracy", rule, sweep, large_error=large_error)
