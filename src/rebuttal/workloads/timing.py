"""How long the parts of a workload's gradient and update take on the device where the workload is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rebuttal.workloads.workload import Workload

RATE = 1e-9  # of the measured updates: small, so that the weights stay numbers however often they are updated


@dataclass(frozen=True)
class DeviceStopwatch:
    """Marks on the time line of the CPU (seconds) or of a CUDA stream (events, which hold up no kernel)."""

    cuda: bool

    def mark(self) -> Any:
        """A point in time."""
        if not self.cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def settle(self) -> None:
        """Wait until all that was started is done."""
        if self.cuda:
            torch.cuda.synchronize()

    def between_s(self, begin: Any, end: Any) -> float:
        """Seconds from one mark to another, both settled."""
        return begin.elapsed_time(end) / 1000 if self.cuda else end - begin


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many intra-op threads inside: small operations lose with several, above all next to a busy neighbour."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def samples(workload: Workload, size: int) -> tuple[Tensor, Tensor]:
    """The first `size` training samples, from the beginning again where there are fewer."""
    x, y = workload.splits["training"]
    rows = torch.arange(size, device=x.device) % len(x)
    return x[rows], y[rows]


def layers_s(workload: Workload, model: nn.Sequential, x: Tensor, y: Tensor) -> np.ndarray:
    """Seconds [layer, (forward, backward)] of one gradient on x and y; the loss counts with the last layer.

    Marks inside one ordinary gradient, rather than each layer on its own: a layer meets the caches that its
    neighbours leave, the first one computes no gradient of its input, and the engine is started once.
    """
    stopwatch = _stopwatch(workload)
    forward, arrivals = [], {}
    for index, layer in enumerate(model):
        begin = stopwatch.mark()
        x = layer(x)
        forward.append((begin, stopwatch.mark()))
        if x.requires_grad:
            # Called when the gradient of this output is complete: the layer's own backward begins.
            x.register_hook(lambda _, index=index: arrivals.__setitem__(index, stopwatch.mark()))
    loss = workload.loss(x, y)
    begin = stopwatch.mark()
    torch.autograd.grad(loss, list(model.parameters()))
    end = stopwatch.mark()
    stopwatch.settle()
    last = len(forward) - 1
    forward[last], arrivals[last] = (forward[last][0], begin), begin
    rows = [
        (stopwatch.between_s(*marks), _backward_s(index, arrivals, end, stopwatch))
        for index, marks in enumerate(forward)
    ]
    return np.array(rows)


def gradient_s(workload: Workload, model: nn.Sequential, x: Tensor, y: Tensor) -> float:
    """Seconds of one gradient on x and y with no mark inside."""
    stopwatch = _stopwatch(workload)
    begin = stopwatch.mark()
    torch.autograd.grad(workload.loss(model(x), y), list(model.parameters()))
    end = stopwatch.mark()
    stopwatch.settle()
    return stopwatch.between_s(begin, end)


def update_s(workload: Workload, weights: Tensor, gradient: Tensor) -> float:
    """Seconds of one SGD update of the flat `weights` [P], in place."""
    stopwatch = _stopwatch(workload)
    begin = stopwatch.mark()
    weights.add_(gradient, alpha=-RATE)
    end = stopwatch.mark()
    stopwatch.settle()
    return stopwatch.between_s(begin, end)


def _stopwatch(workload: Workload) -> DeviceStopwatch:
    """A stopwatch for the workload's device, on which all that was started before is done."""
    stopwatch = DeviceStopwatch(workload.device.type == "cuda")
    stopwatch.settle()
    return stopwatch


def _backward_s(index: int, arrivals: dict[int, Any], end: Any, stopwatch: DeviceStopwatch) -> float:
    """Seconds from the arrival of a layer's gradient to that of the one before (0 below all parameters)."""
    if index not in arrivals:
        return 0.0
    return stopwatch.between_s(arrivals[index], arrivals.get(index - 1, end))
