"""Ways to compute the gradients of M replicas of a model; a probe (probe.py) picks the fastest for each number.

All have one interface: `gradients(weights [M, P], x [G, n, ...], y [G, n]) -> [M, P]`, where replica m is trained on
group m // (M/G), and the loss is the mean over its n samples.
"""

import contextlib
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn
from torch._guards import TracingContext, tracing
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional

from rebuttal.replaying.compiled.whole_orders import Compiled
from rebuttal.replaying.kernels import UnsupportedError, kernels_of
from rebuttal.workloads.models import cross_entropy
from rebuttal.workloads.workload import Workload


class Executor(Protocol):
    """Computes gradients of replicas."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def gradients(self, weights: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Gradients [M, P] of M replicas."""
        ...


class Loop:
    """One replica at a time by autograd on the ordinary module: the reference, equal to the bit however it is used."""

    name = "loop"

    def __init__(self, workload: Workload) -> None:
        self._loss = workload.loss
        self._module = workload.module()
        self._parameters = list(self._module.parameters())
        self._flat = torch.empty(workload.parameters, dtype=self._parameters[0].dtype, device=workload.device)
        begin = 0
        for parameter in self._parameters:  # the parameters become views of one flat vector
            part = self._flat[begin : begin + parameter.numel()]
            parameter.data = part.view_as(parameter)
            begin += parameter.numel()

    def gradient(self, weights: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """The gradient [P] at weights [P] of the mean loss over x [n, ...], y [n]."""
        self._flat.copy_(weights)
        loss = self._loss(self._module(x), y)
        parts = torch.autograd.grad(loss, self._parameters)
        return torch.cat([part.reshape(-1) for part in parts])

    def gradients(self, weights: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """As the interface says."""
        shared = len(weights) // len(x)
        rows = [self.gradient(w, x[m // shared], y[m // shared]) for m, w in enumerate(weights)]
        return torch.stack(rows)


class Layered:
    """All replicas at once through hand-written kernels, for models that consist of layers that have one."""

    name = "layered"

    def __init__(self, workload: Workload) -> None:
        sample = tuple(workload.splits["training"][0].shape[1:])
        self.kernels = kernels_of(workload.template, sample)
        if (
            workload.loss is not cross_entropy
            or sum(k.parameters for k in self.kernels) != workload.parameters
        ):
            raise UnsupportedError("a loss other than cross-entropy")

    def gradients(self, weights: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """As the interface says."""
        slices = self._slices(weights)
        activation, saved = samples_last(x), []
        for kernel, part in zip(self.kernels, slices, strict=True):
            activation, kept = kernel.forward(part, activation)
            saved.append(kept)
        out = torch.empty_like(weights)
        below, lowest = cross_entropy_gradient(activation, y), self._lowest()
        backwards = list(zip(self.kernels, slices, saved, self._slices(out), strict=True))
        for number in range(len(backwards) - 1, lowest - 1, -1):
            kernel, part, kept, place = backwards[number]
            below = kernel.backward(below, part, kept, place, number == lowest)
        return out

    def outputs(self, weights: Tensor, x: Tensor) -> Tensor:
        """Predictions [M, n, C] of all replicas on the same x [n, ...]."""
        activation = samples_last(x.unsqueeze(0))
        for kernel, part in zip(self.kernels, self._slices(weights), strict=True):
            activation, _ = kernel.forward(part, activation)
        return activation.mT.contiguous()

    def _slices(self, flat: Tensor) -> list[Tensor]:
        return list(flat.split([kernel.parameters for kernel in self.kernels], dim=1))

    def _lowest(self) -> int:
        """The first layer that has parameters: nothing below it needs a gradient."""
        return next(n for n, kernel in enumerate(self.kernels) if kernel.parameters)


def samples_last(x: Tensor) -> Tensor:
    """[G, n, ...] -> [G, ..., n], in a memory of its own."""
    return x.movedim(1, -1).contiguous()


def cross_entropy_gradient(outputs: Tensor, y: Tensor) -> Tensor:
    """Gradient of the mean cross-entropy with respect to the outputs [M, C, n]; y is [G, n]."""
    gradient = torch.softmax(outputs, 1)
    target = functional.one_hot(y, outputs.shape[1]).to(gradient.dtype)
    gradient.unflatten(0, (len(y), -1)).sub_(target.mT.unsqueeze(1))
    return gradient.mul_(1 / outputs.shape[2])


class Vectorised:
    """All replicas at once by torch.func, traced once for each shape: for any model, without kernels of its own."""

    name = "vectorised"

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._traced: dict[tuple, Callable[[Tensor, Tensor, Tensor], Tensor]] = {}

    def gradients(self, weights: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """As the interface says."""
        shared = len(weights) // len(x)
        if shared > 1:
            x, y = x.repeat_interleave(shared, 0), y.repeat_interleave(shared, 0)
        key = (weights.shape, x.shape)
        if key not in self._traced:
            self._traced[key] = self._trace(weights, x, y)
        return self._traced[key](weights, x, y)

    def _trace(self, weights: Tensor, x: Tensor, y: Tensor) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
        """The operations of one call. One mode describes all of their results: make_fx's own, one each, cost half."""
        each = torch.func.vmap(torch.func.grad(self._loss))
        trace = make_fx(lambda w, a, b: each(w, a, b))  # noqa: PLW0108 - make_fx counts named arguments
        with tracing(TracingContext(FakeTensorMode(allow_fallback_kernels=True))):
            return trace(weights, x, y)

    def _loss(self, weights: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return self._workload.loss(self._workload.predict(weights, x), y)


def executors_for(workload: Workload) -> list[Executor]:
    """Every executor that can serve this workload, the reference first."""
    found: list[Executor] = [Loop(workload)]
    try:
        found.append(Layered(workload))
    except UnsupportedError:
        # torch computes recurrent layers of several replicas one by one, and takes minutes to trace that
        if not any(isinstance(layer, nn.RNNBase) for layer in workload.template.modules()):
            found.append(Vectorised(workload))
    with contextlib.suppress(UnsupportedError):
        found.append(Compiled(workload))
    return found
