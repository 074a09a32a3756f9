"""A deep perceptron with ReLU on plain arrays, its multi-margin loss, and its training: nothing in it is smooth.

x is [n, inputs], outputs are [n, classes].
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rebuttal.base import seeding
from rebuttal.base.errors import refuse

Array = np.ndarray
DECAYS = (0.9, 0.999)  # of the moments of Adam (Kingma and Ba 2015)
TINY = 1e-8


@dataclass(frozen=True)
class ReluNetwork:
    """Linear layers with ReLU between them. weights: [in, out] of each layer; biases: [out]."""

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]

    @property
    def depth(self) -> int:
        """Layers with parameters: what a pipeline can be cut into."""
        return len(self.weights)

    def activations(self, x: Array) -> list[Array]:
        """The input of every layer, and the outputs."""
        found = [x]
        for number, (W, b) in enumerate(zip(self.weights, self.biases, strict=True), 1):
            out = found[-1] @ W + b
            found.append(out if number == self.depth else np.maximum(out, 0))
        return found

    def predict(self, x: Array) -> Array:
        """The class with the largest output, [n]."""
        return self.activations(x)[-1].argmax(-1)

    def backward(self, activations: Sequence[Array], slope: Array) -> Iterator[Array]:
        """The gradient at the outputs of each layer, from the last to the first, and last that at the input."""
        yield slope
        for number in range(self.depth - 1, -1, -1):
            slope = slope @ self.weights[number].T
            if number:
                slope = slope * (activations[number] > 0)
            yield slope


def multi_margin(outputs: Array, classes: Array) -> tuple[Array, Array]:
    """(1/C) Σ_{j≠t} max(0, 1 − z_t + z_j) of each row z of `outputs` [n, C], t in `classes` [n]; its gradient."""
    wanted = np.expand_dims(classes, -1)
    margins = 1 - np.take_along_axis(outputs, wanted, -1) + outputs
    np.put_along_axis(margins, wanted, 0.0, -1)
    slope = (margins > 0).astype(outputs.dtype) / outputs.shape[-1]
    np.put_along_axis(slope, wanted, -slope.sum(-1, keepdims=True), -1)
    return np.maximum(margins, 0).sum(-1) / outputs.shape[-1], slope


def trained(
    x: Array, y: Array, depth: int, width: int, epochs: int, batch: int, rate: float, seed: int = 0
) -> ReluNetwork:
    """A network of `depth` layers on images x [n, inputs] of classes y [n], by Adam from a start of He et al. (2015).

    Raises:
        InputError: fewer than one layer, or a batch that is larger than the data.
    """
    if depth < 1:
        raise refuse("depth", depth, "a whole number >= 1")
    if not 1 <= batch <= len(x):
        raise refuse("batch", batch, f"from 1 to {len(x)}, the images")
    stream = seeding.generator(seed, "relu_network")
    sizes = [x.shape[1], *[width] * (depth - 1), int(y.max()) + 1]
    shapes = list(itertools.pairwise(sizes))
    weights = [(stream.standard_normal(shape) * np.sqrt(2 / shape[0])).astype(x.dtype) for shape in shapes]
    network = ReluNetwork(tuple(weights), tuple(np.zeros(size, x.dtype) for size in sizes[1:]))
    step = _Adam([*network.weights, *network.biases], rate)
    for _ in range(epochs):
        order = stream.permutation(len(x))
        for at in range(0, len(x) - batch + 1, batch):
            step(_gradients(network, x[order[at : at + batch]], y[order[at : at + batch]]))
    return network


def _gradients(network: ReluNetwork, x: Array, y: Array) -> list[Array]:
    """Of the mean loss, for every weight and then every bias."""
    held = network.activations(x)
    *slopes, _ = network.backward(held, multi_margin(held[-1], y)[1] / len(x))
    slopes.reverse()
    weights = [h.T @ slope for h, slope in zip(held, slopes, strict=False)]
    return [*weights, *(slope.sum(0) for slope in slopes)]


class _Adam:
    """Moves `parameters` in place along the gradients that it is given."""

    def __init__(self, parameters: Sequence[Array], rate: float) -> None:
        self.parameters, self.rate, self.steps = parameters, rate, 0
        self.moments = [[np.zeros_like(one) for one in parameters] for _ in DECAYS]

    def __call__(self, gradients: Sequence[Array]) -> None:
        self.steps += 1
        first, second = (1 - decay**self.steps for decay in DECAYS)
        for parameter, g, mean, square in zip(self.parameters, gradients, *self.moments, strict=True):
            mean[:] += (1 - DECAYS[0]) * (g - mean)
            square[:] += (1 - DECAYS[1]) * (g * g - square)
            parameter[:] -= self.rate * (mean / first) / (np.sqrt(square / second) + TINY)
