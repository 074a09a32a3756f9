"""A workload's model as a chain of stages, for many replicas at once: by kernels, or by autograd on any module."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rebuttal.core.partition import cut
from rebuttal.replaying.context import Stages
from rebuttal.replaying.executors import Layered, cross_entropy_gradient, samples_last
from rebuttal.replaying.kernels import Kernel, UnsupportedError
from rebuttal.replaying.modules import ModuleStages
from rebuttal.workloads.workload import Workload


def stages_of(workload: Workload, *, exact: bool = False) -> Stages:
    """The fastest stages that serve this workload; `exact`: those of the eager oracle."""
    try:
        return ModuleStages(workload) if exact else KernelStages(workload)
    except UnsupportedError:
        return ModuleStages(workload)


@dataclass(frozen=True, slots=True)
class KernelRecord:
    """Activations with the samples last, [M, F, n] or [M, C, H, W, n], and what each kernel of the stage saved."""

    activations: Tensor
    saved: Sequence[Any] = ()

    def flat(self) -> Tensor:
        """[M, n, F]."""
        return self.flat_delta(self.activations)

    def delta(self, flat: Tensor) -> Tensor:
        """A δ [M, n, F] in the layout of the activations."""
        return flat.mT.reshape(self.activations.shape)

    def flat_delta(self, delta: Tensor) -> Tensor:
        """The reverse of `delta`."""
        return delta.flatten(1, -2).mT


class KernelStages:
    """All replicas at once through hand-written kernels. Raises UnsupportedError for a model that has none.

    The kernels take the weights of a backward pass apart from what the forward pass saved, so these may differ.
    """

    def __init__(self, workload: Workload) -> None:
        self._kernels = Layered(workload).kernels
        self._sizes = tuple(kernel.parameters for kernel in self._kernels)
        self._stage = functools.cache(self._cut)

    def part(self, l: int, n: int) -> slice:
        """What stage l of n holds of the flat weights [P]."""
        layers = cut(self._sizes, n)[l]
        begin = sum(self._sizes[: layers.start])
        return slice(begin, begin + sum(self._sizes[layers.start : layers.stop]))

    def input(self, x: Tensor) -> KernelRecord:
        """The record of samples x [S, n, ...]."""
        return KernelRecord(samples_last(x))

    def forward(self, l: int, n: int, weights: Tensor, h: KernelRecord) -> KernelRecord:
        """The record of a stage's activations, at weights [M, p]."""
        kernels, sizes = self._stage(l, n)
        activations, saved = h.activations, []
        for kernel, part in zip(kernels, weights.split(sizes, 1), strict=True):
            activations, kept = kernel.forward(part, activations)
            saved.append(kept)
        return KernelRecord(activations, saved)

    def loss(self, h: KernelRecord, y: Tensor) -> Tensor:
        """δ at the outputs [M, C, n] for classes y [S, n]."""
        return cross_entropy_gradient(h.activations, y)

    def backward(
        self,
        l: int,
        n: int,
        weights: Tensor,
        h: KernelRecord,
        delta: Tensor,
        *,
        below: bool,
        own: bool,
    ) -> tuple[Tensor | None, Tensor | None]:
        """As `context.Stages.backward`; the kernels always make the gradient of the weights."""
        kernels, sizes = self._stage(l, n)
        gradient = torch.empty(weights.shape, dtype=weights.dtype, device=weights.device)
        parts, places = weights.split(sizes, 1), gradient.split(sizes, 1)
        lowest = 0 if below else next(at for at, size in enumerate(sizes) if size)
        if not sizes[-1]:  # only kernels without parameters overwrite what they are given
            delta = delta.clone()
        down: Tensor | None = delta
        for at in range(len(kernels) - 1, lowest - 1, -1):
            first = at == lowest and not below
            down = kernels[at].backward(down, parts[at], h.saved[at], places[at], first)
        return down, (gradient if own else None)

    def _cut(self, l: int, n: int) -> tuple[list[Kernel], tuple[int, ...]]:
        layers = cut(self._sizes, n)[l]
        return self._kernels[layers.start : layers.stop], self._sizes[layers.start : layers.stop]
