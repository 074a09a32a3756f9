"""The noise-free quadratic as a chain of one layer for each coordinate.

A layer's gradient h_l w_l rests on its own weights alone, so cut into stages each coordinate has the delay of its stage
and no other.
"""

from collections import OrderedDict

import torch
from torch import nn

from rebuttal.workloads.parts import Objective
from rebuttal.workloads.quadratic import SOURCE, TARGET
from rebuttal.workloads.workload import assemble


class QuadraticLayer(nn.Module):
    """Adds its own h_l w_l^2 / 2 to the loss that comes from below: [n, 1]. The data at the first layer are zeros."""

    def __init__(self, curvature, dtype):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, dtype=dtype))
        self.curvature = curvature

    def forward(self, x):
        return x + 0.5 * self.curvature * self.weight**2


def quadratic_chain(spectrum, dtype=torch.float64):
    """The workload with these curvatures."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        (f"layer{l + 1}", QuadraticLayer(h, dtype)) for l, h in enumerate(spectrum)
    )
    none = (torch.zeros(1, 1, dtype=dtype), torch.zeros(1, dtype=torch.int64))
    return assemble(
        "quadratic",
        source=SOURCE,
        target=TARGET,
        build=lambda: nn.Sequential(layers),
        splits={"training": none, "validation": none, "test": none},
        objective=Objective(
            loss=lambda outputs, _: outputs.mean(),
            losses=lambda outputs, _: outputs.flatten(1).mean(1),
            metric=lambda outputs, _: outputs.mean(),
        ),
        initial=lambda layer, generator: [torch.randn(shape, generator=generator) for shape in layer.shapes],
    )
