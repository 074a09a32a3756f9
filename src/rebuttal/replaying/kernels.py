"""Gradients of many replicas of one model at once, by hand-written backward passes.

A replica is a model with weights of its own. M replicas are one tensor of weights [M, P]; each group of R consecutive
replicas shares one batch, so inputs begin with G groups where M = G·R. Everything is an ordinary batched tensor
operation, so the same code serves CPU and CUDA; what it saves is the overhead of M separate small models.

Samples come last: activations are [M, F, n] or [M, C, H, W, n]. A layer's weights then multiply from the left in the
order in which they are stored, the patches of a convolution are copies of long rows, and flattening is free.

Shapes: M replicas, G groups, R = M/G, n samples of a batch, C channels, H height, W width, F features, p parameters.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Kernel:
    """One layer for M replicas.

    `forward(weights [M, p], x) -> (y, saved)`, where x may still have G groups only.
    `backward(dy, weights, saved, out [M, p], first) -> dx`, which writes the gradient of the layer's own parameters
    into `out`; dx is None if `first` (nothing below needs it). It may overwrite dy.
    """

    parameters: int
    forward: Callable[[Tensor, Tensor], tuple[Tensor, Any]]
    backward: Callable[..., Tensor | None]


class UnsupportedError(Exception):
    """A module that has a layer without a kernel here; other executors serve it."""


def spread(x: Tensor, replicas: int) -> Tensor:
    """[G, ...] -> [M, ...], every group R times; a view if there is one group."""
    shared = replicas // len(x)
    return x.unsqueeze(1).expand(-1, shared, *x.shape[1:]).flatten(0, 1) if shared > 1 else x


def _products(outputs: int, inputs: int, has_bias: bool) -> Kernel:
    """y [M, outputs, L] = matrix [M, outputs, inputs] x [M, inputs, L] + bias, which all layers with weights are."""
    split = outputs * inputs

    def matrix(weights: Tensor) -> Tensor:
        return weights[:, :split].unflatten(1, (outputs, inputs))

    def forward(weights: Tensor, x: Tensor) -> tuple[Tensor, Any]:
        x = spread(x, len(weights))
        if has_bias:
            return torch.baddbmm(weights[:, split:].unsqueeze(2), matrix(weights), x), x
        return torch.bmm(matrix(weights), x), x

    def backward(dy: Tensor, weights: Tensor, x: Tensor, out: Tensor, first: bool) -> Tensor | None:
        torch.bmm(dy, x.mT, out=matrix(out))
        if has_bias:
            torch.sum(dy, 2, out=out[:, split:])
        return None if first else torch.bmm(matrix(weights).mT, dy)

    return Kernel(split + has_bias * outputs, forward, backward)


def _linear(layer: nn.Linear, shape: Shape) -> tuple[Kernel, Shape]:
    if len(shape) != 1:
        raise UnsupportedError("Linear on inputs of several dimensions")
    return _products(layer.out_features, layer.in_features, layer.bias is not None), (layer.out_features,)


def _relu(_: nn.ReLU, shape: Shape) -> tuple[Kernel, Shape]:
    def forward(_: Tensor, x: Tensor) -> tuple[Tensor, Any]:
        y = x.clamp(min=0)
        return y, y

    def backward(dy: Tensor, _weights: Tensor, y: Tensor, *_: Any) -> Tensor:
        return torch.ops.aten.threshold_backward.grad_input(dy, y, 0, grad_input=dy)

    return Kernel(0, forward, backward), shape


def flattened(layer: nn.Flatten, shape: Shape) -> Shape:
    """The shape of a sample of this shape when it is flat. Raises UnsupportedError if not all of it is."""
    if layer.start_dim != 1 or layer.end_dim != -1:
        raise UnsupportedError("Flatten of some dimensions only")
    return (math.prod(shape),)


def _flatten(layer: nn.Flatten, shape: Shape) -> tuple[Kernel, Shape]:
    flat = flattened(layer, shape)

    def forward(_: Tensor, x: Tensor) -> tuple[Tensor, Any]:
        return x.flatten(1, -2), None

    def backward(dy: Tensor, *_: Any) -> Tensor:
        return dy.unflatten(1, shape)

    return Kernel(0, forward, backward), flat


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _max_pool(layer: nn.MaxPool2d, shape: Shape) -> tuple[Kernel, Shape]:
    """Windows side by side. Among equal largest values the first of a window gets the gradient, as in torch."""
    kh, kw = pool_window(layer)
    channels, height, width = shape
    rows, columns = height // kh, width // kw
    places = [(i, j) for i in range(kh) for j in range(kw)]

    def at(x: Tensor, i: int, j: int) -> Tensor:
        """The pixels at place (i, j) of every window: [M, C, H', W', n]."""
        return x[:, :, i : i + rows * kh : kh, j : j + columns * kw : kw]

    def forward(_: Tensor, x: Tensor) -> tuple[Tensor, Any]:
        y = at(x, 0, 0).clone()
        for place in places[1:]:
            torch.maximum(y, at(x, *place), out=y)
        return y, (x, y)

    def backward(dy: Tensor, _weights: Tensor, saved: Any, *_: Any) -> Tensor:
        x, y = saved
        dx = torch.zeros_like(x)
        for place in places:
            here = at(x, *place) == y
            at(dx, *place).copy_(dy.masked_fill(~here, 0))
            dy = dy.masked_fill(here, 0)
        return dx

    return Kernel(0, forward, backward), (channels, rows, columns)


def _conv(layer: nn.Conv2d, shape: Shape) -> tuple[Kernel, Shape]:
    """A convolution as one batched matrix product with the patches of its input (im2col)."""
    window, padding = conv_window(layer)
    inputs, height, width = shape
    outputs = layer.out_channels
    size = tuple(
        length + 2 * p - k + 1 for length, p, k in zip((height, width), padding, window, strict=True)
    )
    product = _products(outputs, inputs * window[0] * window[1], layer.bias is not None)

    def forward(weights: Tensor, x: Tensor) -> tuple[Tensor, Any]:
        y, columns = product.forward(weights, _patches(x, window, padding))
        return y.unflatten(2, (*size, -1)), columns

    def backward(dy: Tensor, weights: Tensor, columns: Tensor, out: Tensor, first: bool) -> Tensor | None:
        shares = product.backward(dy.flatten(2), weights, columns, out, first)
        return None if shares is None else _gathered(shares, (inputs, height, width), window, padding)

    return Kernel(product.parameters, forward, backward), (outputs, *size)


def pool_window(layer: nn.MaxPool2d) -> tuple[int, int]:
    """Size of a pooling's windows, if they stand side by side. Raises UnsupportedError."""
    window, stride = _pair(layer.kernel_size), _pair(layer.stride or layer.kernel_size)
    if (
        stride != window
        or _pair(layer.padding) != (0, 0)
        or _pair(layer.dilation) != (1, 1)
        or layer.ceil_mode
    ):
        raise UnsupportedError("MaxPool2d with windows that overlap, padding, dilation or ceil_mode")
    return window


def conv_window(layer: nn.Conv2d) -> tuple[tuple[int, int], tuple[int, int]]:
    """Size and padding of a convolution's window, if it is of the plain kind that the kernel knows."""
    if _pair(layer.stride) != (1, 1) or _pair(layer.dilation) != (1, 1) or layer.groups != 1:
        raise UnsupportedError("Conv2d with stride, dilation or groups")
    if isinstance(layer.padding, str) or layer.padding_mode != "zeros":
        raise UnsupportedError("Conv2d with padding by name or not of zeros")
    return _pair(layer.kernel_size), _pair(layer.padding)


def _patches(x: Tensor, window: tuple[int, int], padding: tuple[int, int]) -> Tensor:
    """Every patch of zero-padded images: [G, C, H, W, n] -> [G, C·kh·kw, H'·W'·n]."""
    (kh, kw), (ph, pw) = window, padding
    x = functional.pad(x, (0, 0, pw, pw, ph, ph)) if ph or pw else x.contiguous()
    groups, channels, height, width, n = x.shape
    rows, columns = height - kh + 1, width - kw + 1
    g, c, h, w, _ = x.stride()
    patches = x.as_strided((groups, channels, kh, kw, rows, columns, n), (g, c, h, w, h, w, 1))
    return patches.reshape(groups, channels * kh * kw, rows * columns * n)


def _gathered(shares: Tensor, shape: Shape, window: tuple[int, int], padding: tuple[int, int]) -> Tensor:
    """The reverse of `_patches`: adds each patch's share [M, C·kh·kw, H'·W'·n] to the pixels it covers."""
    (channels, height, width), (kh, kw), (ph, pw) = shape, window, padding
    rows, columns = height + 2 * ph - kh + 1, width + 2 * pw - kw + 1
    shares = shares.unflatten(2, (rows, columns, -1)).unflatten(1, (channels, kh, kw))
    whole = shares.new_zeros(len(shares), channels, height + 2 * ph, width + 2 * pw, shares.shape[-1])
    for i in range(kh):
        for j in range(kw):
            whole[:, :, i : i + rows, j : j + columns] += shares[:, :, i, j]
    return whole[:, :, ph : ph + height, pw : pw + width]


MAKERS: dict[type, Callable[[Any, Shape], tuple[Kernel, Shape]]] = {
    nn.Linear: _linear,
    nn.ReLU: _relu,
    nn.Flatten: _flatten,
    nn.MaxPool2d: _max_pool,
    nn.Conv2d: _conv,
}


def kernels_of(module: nn.Module, sample: Shape) -> list[Kernel]:
    """The kernels of an nn.Sequential for one sample of shape [C, H, W] or [F]. Raises UnsupportedError."""
    if not isinstance(module, nn.Sequential):
        raise UnsupportedError(type(module).__name__)
    kernels, shape = [], sample
    for layer in pooled_first(list(module)):
        maker = MAKERS.get(type(layer))
        if maker is None:
            raise UnsupportedError(type(layer).__name__)
        kernel, shape = maker(layer, shape)
        kernels.append(kernel)
    return kernels


def pooled_first(layers: list[nn.Module]) -> list[nn.Module]:
    """ReLU then max-pooling as max-pooling then ReLU: equal in values and gradients, and on fewer numbers.

    Where the largest of a window is positive, both keep it; where it is not, both give zero and no gradient.
    """
    for at in range(len(layers) - 1):
        if isinstance(layers[at], nn.ReLU) and isinstance(layers[at + 1], nn.MaxPool2d):
            layers[at : at + 2] = reversed(layers[at : at + 2])
    return layers
