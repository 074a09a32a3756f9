"""Attacks on a trained network: one perturbation δ that makes it take m images for a class that they are not.

Minimised is

    f(δ) = (1/m) Σ_i (1/C) Σ_{j≠t} max(0, 1 − z_t(x_i + δ) + z_j(x_i + δ)) + (c/2) |δ|²

with x_i the images, z the outputs and t the wanted class; the network is fixed. f is full of kinks, of few samples, and
of few dimensions. With m = 1 it is an adversarial example (Szegedy et al. 2014, arXiv 1312.6199, whose penalty this
is), with more a universal perturbation (Moosavi-Dezfooli et al. 2017, arXiv 1610.08401).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rebuttal.base import seeding
from rebuttal.base.errors import refuse
from rebuttal.studies.analyses.relu_network import Array, ReluNetwork, multi_margin

PENALTY = 0.02  # c: a perturbation as long as a third of an image then costs a tenth of a margin
IMAGES = 16  # of each seed, in as many attacks as m leaves room for: their mean is the seed's result


@dataclass(frozen=True)
class Attack:
    """f for several rows at once. images: [R, m, d]; wanted: [R], the class t of each row."""

    network: ReluNetwork
    images: Array
    wanted: Array

    def start(self, seeds: tuple[int, ...]) -> Array:
        """No perturbation, whatever the seed."""
        return np.zeros((len(seeds), self.images.shape[-1]), self.images.dtype)

    def value(self, w: Array) -> Array:
        """f of each row, [R]."""
        losses, _ = multi_margin(self._activations(w)[-1], self._classes())
        return self._means(losses) + PENALTY / 2 * (w * w).sum(1)

    def gradient(self, w: Array) -> Array:
        """A sub-gradient of each row, [R, d]."""
        held = self._activations(w)
        *_, at_input = self.network.backward(held, multi_margin(held[-1], self._classes())[1])
        return self._means(at_input) + PENALTY * w

    def fooled(self, w: Array) -> Array:
        """The share of each row's images that the network takes for the wanted class, [R]."""
        return self._means(self._activations(w)[-1].argmax(-1) == self._classes())

    def _activations(self, w: Array) -> list[Array]:
        """Of all images of all rows, [R m, ...]: one product of matrices for each layer."""
        return self.network.activations((self.images + w[:, None]).reshape(-1, w.shape[1]))

    def _classes(self) -> Array:
        return np.repeat(self.wanted, self.images.shape[1])

    def _means(self, values: Array) -> Array:
        """Over each row's images."""
        return values.reshape(*self.images.shape[:2], *values.shape[1:]).mean(1)


def drawn(network: ReluNetwork, x: Array, y: Array, seeds: Sequence[int], samples: int) -> Attack:
    """The attacks of all seeds, one after the other: IMAGES images of a seed, `samples` for each attack.

    Each attack has a wanted class, and images of other classes that the network gets right. Raises InputError if
    there are not as many.
    """
    right = network.predict(x) == y
    images, wanted = [], []
    for seed in seeds:
        stream = seeding.generator(seed, "attack")
        for _ in range(IMAGES // samples):
            wanted.append(int(stream.integers(int(y.max()) + 1)))
            possible = np.flatnonzero(right & (y != wanted[-1]))
            if samples > len(possible):
                raise refuse("samples", samples, f"at most {len(possible)} images")
            images.append(x[stream.permutation(possible)[:samples]])
    return Attack(network, np.array(images), np.array(wanted))
