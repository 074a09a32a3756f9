"""A model as rows of integers, for compiled code: a chain of the layers that `machine_code` knows, found by type."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from rebuttal.replaying.kernels import (
    Shape,
    UnsupportedError,
    conv_window,
    flattened,
    pool_window,
    pooled_first,
)
from rebuttal.workloads.models import accuracy, cross_entropies, cross_entropy
from rebuttal.workloads.workload import Workload

LINEAR, CONV, RELU, POOL = range(4)
#: The columns of a row. Shapes are [channels, height, width]; a flat input has height and width 1. WEIGHTS and BIAS
#: say where the layer's parameters begin in the flat weights (BIAS is -1 without one). INPUT, OUTPUT and PATCHES say
#: how many numbers for each sample stand before the layer's own in their buffers.
COLUMNS = 16
KIND, C, H, W, OUT_C, OUT_H, OUT_W, KH, KW, PH, PW, WEIGHTS, BIAS, INPUT, OUTPUT, PATCHES = range(COLUMNS)
FEWEST, MOST = 32, 128  # samples of one pass: what a pass works on stays in the cache
SMALL = (
    1_000_000  # multiplications of a matrix product for which OpenBLAS has quick kernels that copy nothing
)


@dataclass(frozen=True)
class Chain:
    """Layers as int64 [L, COLUMNS]; lowest is the first with parameters, below which nothing needs a gradient."""

    layers: np.ndarray
    parameters: int

    @property
    def lowest(self) -> int:
        """The first layer that has parameters."""
        return int(np.flatnonzero(self.layers[:, KIND] <= CONV)[0])

    @property
    def at_once(self) -> int:
        """Samples of one pass: as many as keep the products of its layers small."""
        rows = self.layers[self.layers[:, KIND] <= CONV]
        each = int(rows[:, [OUT_C, OUT_H, OUT_W, C, KH, KW]].prod(1).max())
        return min(MOST, max(FEWEST, SMALL // each // 16 * 16))

    def workspace(self, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        """Buffers of a pass: activations, patches, two of deltas, a patch's shares, a gradient, sums over classes."""
        inputs = self.layers[:, C : W + 1].prod(1)
        outputs = self.layers[:, OUT_C : OUT_W + 1].prod(1)
        patches = self._patches()
        widest = max(inputs.max(), outputs.max())
        sizes = (inputs.sum() + outputs[-1], patches.sum(), widest, widest, patches.max(), 0, 2)
        buffers = [np.empty(size * self.at_once, dtype) for size in sizes]
        buffers[5] = np.empty(self.parameters, dtype)
        return tuple(buffers)

    def _patches(self) -> np.ndarray:
        """Numbers of each layer's patches for one sample."""
        rows = self.layers
        sizes = rows[:, C] * rows[:, KH] * rows[:, KW] * rows[:, OUT_H] * rows[:, OUT_W]
        return np.where(rows[:, KIND] == CONV, sizes, 0)


def chain_of(workload: Workload) -> Chain:
    """The chain of a workload's model.

    Raises UnsupportedError for a layer, an objective, an augmentation or a device that compiled code does not know.
    """
    objective = (workload.loss, workload.losses, workload.metric)
    if objective != (cross_entropy, cross_entropies, accuracy) or workload.augment is not None:
        raise UnsupportedError("an objective other than that of classes, or augmentation")
    x, y = workload.splits["training"]
    if x.device.type != "cpu" or x.dtype not in (torch.float32, torch.float64) or y.dim() != 1:
        raise UnsupportedError("another device, arithmetic or target")
    if not isinstance(workload.template, nn.Sequential):
        raise UnsupportedError(type(workload.template).__name__)
    return _chained(list(workload.template), tuple(x.shape[1:]), workload.parameters)


def _chained(layers: list[nn.Module], shape: Shape, parameters: int) -> Chain:
    rows, at = [], {WEIGHTS: 0, INPUT: 0, PATCHES: 0}
    for layer in pooled_first(layers):
        if isinstance(layer, nn.Flatten):
            shape = flattened(layer, shape)
            continue
        row = _row(layer, shape)
        for column, begin in at.items():
            row[column] = begin
        shape = tuple(row[OUT_C : OUT_W + 1].tolist()) if len(shape) == 3 else (int(row[OUT_C]),)
        at[INPUT] += int(row[C : W + 1].prod())
        row[OUTPUT] = at[INPUT]
        row[BIAS] = _bias(layer, row)
        if row[KIND] <= CONV:
            at[WEIGHTS] += sum(each.numel() for each in layer.parameters())
        if row[KIND] == CONV:
            at[PATCHES] += int(row[[C, KH, KW, OUT_H, OUT_W]].prod())
        rows.append(row)
    if at[WEIGHTS] != parameters or not parameters:
        raise UnsupportedError("parameters outside the layers")
    return Chain(np.asarray(rows), parameters)


def _bias(layer: nn.Module, row: np.ndarray) -> int:
    """Where a layer's bias begins: behind its matrix."""
    if getattr(layer, "bias", None) is None:
        return -1
    return int(row[WEIGHTS] + row[[OUT_C, C, KH, KW]].prod())


def _row(layer: nn.Module, shape: Shape) -> np.ndarray:
    """What a layer does to a sample of this shape; where its numbers stand is filled in by who chains them."""
    maker = ROWS.get(type(layer))
    if maker is None:
        raise UnsupportedError(type(layer).__name__)
    given = (*shape, 1, 1) if len(shape) == 1 else shape
    kind, out, window, padding = maker(layer, given)
    row = np.zeros(COLUMNS, dtype=np.int64)
    row[: PW + 1] = (kind, *given, *out, *window, *padding)
    return row


def _linear(layer: nn.Linear, shape: Shape) -> tuple:
    if shape != (layer.in_features, 1, 1):
        raise UnsupportedError("Linear on inputs of several dimensions")
    return LINEAR, (layer.out_features, 1, 1), (1, 1), (0, 0)


def _conv(layer: nn.Conv2d, shape: Shape) -> tuple:
    window, padding = conv_window(layer)
    size = [side + 2 * p - k + 1 for side, k, p in zip(shape[1:], window, padding, strict=True)]
    return CONV, (layer.out_channels, *size), window, padding


def _relu(_: nn.ReLU, shape: Shape) -> tuple:
    return RELU, shape, (1, 1), (0, 0)


def _pool(layer: nn.MaxPool2d, shape: Shape) -> tuple:
    window = pool_window(layer)
    return POOL, (shape[0], shape[1] // window[0], shape[2] // window[1]), window, (0, 0)


ROWS = {nn.Linear: _linear, nn.Conv2d: _conv, nn.ReLU: _relu, nn.MaxPool2d: _pool}
