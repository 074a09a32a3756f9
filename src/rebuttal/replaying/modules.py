"""A workload's model as a chain of stages, by autograd on ordinary modules, one replica after the other.

This is what the eager oracle computes with, and what serves models that have no kernels. Each forward pass has leaves
of its own for the weights. A backward pass at other weights fills them into these leaves first, so that the stored
activations meet the new Jacobians.
"""

import functools
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from rebuttal.core.partition import cut
from rebuttal.workloads.workload import Workload


@dataclass(frozen=True, slots=True)
class Trace:
    """One replica's forward pass through a stage: y = f(x; leaves), with autograd's notes of it."""

    x: Tensor
    leaves: list[Tensor]
    y: Tensor

    def gradients(self, weights: list[Tensor], delta: Tensor, *, below: bool, own: bool) -> list[Tensor]:
        """With respect to x, if `below`, then to each leaf, if `own`, at these weights."""
        for leaf, tensor in zip(self.leaves, weights, strict=True):
            leaf.data.copy_(tensor)
        wanted = [self.x] * below + self.leaves * own
        return list(torch.autograd.grad(self.y, wanted, delta, retain_graph=True))


@dataclass(frozen=True, slots=True)
class ModuleRecord:
    """Activations [M, n, ...], and how each replica came by its own."""

    activations: Tensor
    traces: Sequence[Trace] = ()

    def flat(self) -> Tensor:
        """[M, n, F]."""
        return self.activations.flatten(2)

    def delta(self, flat: Tensor) -> Tensor:
        """A δ [M, n, F] in the layout of the activations."""
        return flat.reshape(self.activations.shape)

    def flat_delta(self, delta: Tensor) -> Tensor:
        """The reverse of `delta`."""
        return delta.flatten(2)


@dataclass(frozen=True)
class Piece:
    """The layers of one stage as a module, with the names, shapes and sizes of its parameters in flat order."""

    module: nn.Sequential
    names: list[str]
    shapes: list[torch.Size]
    sizes: list[int]

    def tensors(self, weights: Tensor) -> list[Tensor]:
        """Views of one replica's weights [p]."""
        parts = weights.split(self.sizes)
        return [part.view(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def trace(self, weights: Tensor, x: Tensor, *, below: bool) -> Trace:
        """The forward pass of one replica; `below`: x needs a gradient."""
        leaves = [tensor.clone().requires_grad_() for tensor in self.tensors(weights)]
        x = x.detach().requires_grad_(below)
        named = dict(zip(self.names, leaves, strict=True))
        return Trace(x, leaves, functional_call(self.module, named, (x,)))


class ModuleStages:
    """Replicas one after the other, whatever the model's layers are."""

    def __init__(self, workload: Workload) -> None:
        self._loss = workload.loss
        self._children = list(workload.template.named_children())
        self._places = [layer.parameters for layer in workload.layers]
        self._piece = functools.cache(self._cut)

    def part(self, l: int, n: int) -> slice:
        """What stage l of n holds of the flat weights [P]."""
        layers = self._layers(l, n)
        return slice(self._places[layers.start].start, self._places[layers.stop - 1].stop)

    def input(self, x: Tensor) -> ModuleRecord:
        """The record of samples x [S, n, ...]."""
        return ModuleRecord(x)

    def forward(self, l: int, n: int, weights: Tensor, h: ModuleRecord) -> ModuleRecord:
        """The record of a stage's activations, at weights [M, p]."""
        piece, shared = self._piece(l, n), len(weights) // len(h.activations)
        rows = [h.activations[m // shared] for m in range(len(weights))]
        traces = [piece.trace(w, x, below=l > 0) for w, x in zip(weights, rows, strict=True)]
        return ModuleRecord(torch.stack([trace.y.detach() for trace in traces]), traces)

    def loss(self, h: ModuleRecord, y: Tensor) -> Tensor:
        """δ at the outputs [M, n, ...] of the last stage for targets y [S, n]."""
        shared = len(h.activations) // len(y)
        return torch.stack([self._loss_gradient(row, y[m // shared]) for m, row in enumerate(h.activations)])

    def backward(
        self,
        l: int,
        n: int,
        weights: Tensor,
        h: ModuleRecord,
        delta: Tensor,
        *,
        below: bool,
        own: bool,
    ) -> tuple[Tensor | None, Tensor | None]:
        """As `context.Stages.backward`."""
        piece = self._piece(l, n)
        found = [
            trace.gradients(piece.tensors(w), d, below=below, own=own)
            for trace, w, d in zip(h.traces, weights, delta, strict=True)
        ]
        down = torch.stack([gradients[0] for gradients in found]) if below else None
        mine = (
            torch.stack([torch.cat([g.reshape(-1) for g in row[below:]]) for row in found]) if own else None
        )
        return down, mine

    def _loss_gradient(self, outputs: Tensor, y: Tensor) -> Tensor:
        outputs = outputs.detach().requires_grad_()
        return torch.autograd.grad(self._loss(outputs, y), outputs)[0]

    def _layers(self, l: int, n: int) -> range:
        return cut(tuple(place.stop - place.start for place in self._places), n)[l]

    def _cut(self, l: int, n: int) -> Piece:
        layers = self._layers(l, n)
        module = nn.Sequential(OrderedDict(self._children[layers.start : layers.stop]))
        named = dict(module.named_parameters())
        shapes = [tensor.shape for tensor in named.values()]
        return Piece(module, list(named), shapes, [tensor.numel() for tensor in named.values()])
