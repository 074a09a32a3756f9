"""Layers of small made-up models: an AlexNet in shape, and one of many equal layers."""

from rebuttal.machines.costs import Costs
from rebuttal.machines.full_size_costs import FullSizeLayer


def row(name, kind, parameters, outputs, flops):
    """A layer that keeps nothing of its own: its inputs are what the layer below gives."""
    return FullSizeLayer(name, kind, parameters, outputs, 0, flops, 2 * flops)


#: Cheap to compute, expensive to send, and first to be ready: what makes AlexNet the best case for overlap.
FLAT_ENDED = (
    row("conv1", "conv2d", 35_000, 190_000, 140_000_000),
    row("relu1", "relu", 0, 190_000, 0),
    row("conv2", "conv2d", 300_000, 140_000, 450_000_000),
    row("conv3", "conv2d", 2_200_000, 43_000, 700_000_000),
    row("fc6", "linear", 37_750_000, 4096, 76_000_000),
    row("fc7", "linear", 16_780_000, 4096, 34_000_000),
    row("fc8", "linear", 4_100_000, 1000, 8_200_000),
)
EQUAL = tuple(row(f"block{i}", "conv2d", 400_000, 100_000, 120_000_000) for i in range(20))
MODELS = {"flat_ended": FLAT_ENDED, "equal": EQUAL}


def line_costs(fixed_s, sample_s, sizes):
    """Costs whose gradient takes fixed_s + b sample_s."""
    forward_s = {size: ((fixed_s + size * sample_s) / 3,) for size in sizes}
    backward_s = {size: (2 * seconds[0],) for size, seconds in forward_s.items()}
    return Costs("line", 1, 4, min(sizes), 1, ("only",), forward_s, backward_s, 0.0)
