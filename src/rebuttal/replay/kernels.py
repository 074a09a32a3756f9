"""Gradients of many replicas of one model at once, by hand-written backward passes.

A replica is a model with weights of its own. M replicas are one tensor of weights [M, P]; each group of R consecutive
replicas shares one batch, so inputs are [G, n, ...] with M = G·R. Everything is an ordinary batched tensor operation,
so the same code serves CPU and CUDA; what it saves is the overhead of M separate small models.

Shapes: M replicas, G groups, R = M/G, n samples of a batch, C channels, H height, W width, F features.
Images are kept [M, n, H, W, C] (channels last), because a row of a convolution's patch is then contiguous.
"""

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

    `forward(weights [M, p], x) -> (y, saved)`; `backward(dy, weights, saved, out [M, p], first) -> dx`, which writes
    the gradient of the layer's own parameters into `out` and returns None for dx if `first` (nothing is below).
    """

    parameters: int
    forward: Callable[[Tensor, Tensor], tuple[Tensor, Any]]
    backward: Callable[..., Tensor | None]


class UnsupportedError(Exception):
    """A module that has a layer without a kernel here; other executors serve it."""


def _linear(layer: nn.Linear, shape: Shape) -> tuple[Kernel, Shape]:
    outputs, inputs = layer.out_features, layer.in_features
    split = outputs * inputs
    has_bias = layer.bias is not None

    def forward(weights: Tensor, x: Tensor) -> tuple[Tensor, Any]:
        matrix = weights[:, :split].unflatten(1, (outputs, inputs))
        if not has_bias:
            return torch.bmm(x, matrix.mT), x
        return torch.baddbmm(weights[:, split:].unsqueeze(1), x, matrix.mT), x

    def backward(dy: Tensor, weights: Tensor, x: Tensor, out: Tensor, first: bool) -> Tensor | None:
        torch.bmm(dy.mT, x, out=out[:, :split].unflatten(1, (outputs, inputs)))
        if has_bias:
            torch.sum(dy, 1, out=out[:, split:])
        if first:
            return None
        return torch.bmm(dy, weights[:, :split].unflatten(1, (outputs, inputs)))

    return Kernel(split + has_bias * outputs, forward, backward), (outputs,)


def _relu(_: nn.ReLU, shape: Shape) -> tuple[Kernel, Shape]:
    def forward(_: Tensor, x: Tensor) -> tuple[Tensor, Any]:
        y = x.clamp_(min=0)
        return y, y

    def backward(dy: Tensor, _weights: Tensor, y: Tensor, _out: Tensor, _first: bool) -> Tensor:
        return torch.ops.aten.threshold_backward.grad_input(dy, y, 0, grad_input=dy)

    return Kernel(0, forward, backward), shape


def _flatten(layer: nn.Flatten, shape: Shape) -> tuple[Kernel, Shape]:
    """To the order that nn.Flatten gives: channels first."""
    if layer.start_dim != 1 or layer.end_dim != -1:
        raise UnsupportedError("Flatten of some dimensions only")
    if len(shape) == 1:
        return Kernel(0, lambda _, x: (x, None), lambda dy, *_: dy), shape
    height, width, channels = shape

    def forward(_: Tensor, x: Tensor) -> tuple[Tensor, Any]:
        return x.movedim(-1, -3).flatten(2), None

    def backward(dy: Tensor, *_: Any) -> Tensor:
        return dy.unflatten(2, (channels, height, width)).movedim(-3, -1).contiguous()

    return Kernel(0, forward, backward), (height * width * channels,)


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _max_pool(layer: nn.MaxPool2d, shape: Shape) -> tuple[Kernel, Shape]:
    """Pools M·n images at once with torch's own channels-last kernel (whose choice among ties is the module's)."""
    size, stride = _pair(layer.kernel_size), _pair(layer.stride or layer.kernel_size)
    if _pair(layer.padding) != (0, 0) or _pair(layer.dilation) != (1, 1) or layer.ceil_mode:
        raise UnsupportedError("MaxPool2d with padding, dilation or ceil_mode")
    height, width, channels = shape
    pooled = ((height - size[0]) // stride[0] + 1, (width - size[1]) // stride[1] + 1, channels)

    def images(x: Tensor) -> Tensor:
        return x.flatten(0, 1).permute(0, 3, 1, 2)

    def forward(_: Tensor, x: Tensor) -> tuple[Tensor, Any]:
        y, index = functional.max_pool2d(images(x), size, stride, return_indices=True)
        return y.permute(0, 2, 3, 1).unflatten(0, x.shape[:2]), (x, index)

    def backward(dy: Tensor, _weights: Tensor, saved: Any, _out: Tensor, _first: bool) -> Tensor:
        x, index = saved
        dx = torch.ops.aten.max_pool2d_with_indices_backward(
            images(dy), images(x), size, stride, (0, 0), (1, 1), False, index
        )
        return dx.permute(0, 2, 3, 1).unflatten(0, x.shape[:2])

    return Kernel(0, forward, backward), pooled


def _conv(layer: nn.Conv2d, shape: Shape) -> tuple[Kernel, Shape]:
    """A convolution as one batched matrix product with the patches of its input (im2col)."""
    (kh, kw), (ph, pw) = _conv_window(layer)
    height, width, inputs = shape
    outputs, patch = layer.out_channels, kh * kw * layer.in_channels
    split, has_bias = outputs * patch, layer.bias is not None
    size = (height + 2 * ph - kh + 1, width + 2 * pw - kw + 1)

    def matrix(weights: Tensor) -> Tensor:
        """[M, kh·kw·C, outputs] in the order of a channels-last patch."""
        return weights[:, :split].unflatten(1, (outputs, inputs, kh, kw)).permute(0, 3, 4, 2, 1).flatten(1, 3)

    def forward(weights: Tensor, x: Tensor) -> tuple[Tensor, Any]:
        columns = _patches(x, kh, kw, ph, pw)
        if has_bias:
            y = torch.baddbmm(weights[:, split:].unsqueeze(1), columns, matrix(weights))
        else:
            y = torch.bmm(columns, matrix(weights))
        return y.unflatten(1, (x.shape[1], *size)), columns

    def backward(dy: Tensor, weights: Tensor, columns: Tensor, out: Tensor, first: bool) -> Tensor | None:
        flat = dy.flatten(1, 3)
        products = torch.bmm(flat.mT, columns).unflatten(2, (kh, kw, inputs)).permute(0, 1, 4, 2, 3)
        out[:, :split].unflatten(1, (outputs, inputs, kh, kw)).copy_(products)
        if has_bias:
            torch.sum(flat, 1, out=out[:, split:])
        if first:
            return None
        shares = torch.bmm(flat, matrix(weights).mT).unflatten(2, (kh, kw, inputs)).unflatten(1, (-1, *size))
        return _gathered(shares, height, width, ph, pw)

    return Kernel(split + has_bias * outputs, forward, backward), (*size, outputs)


def _conv_window(layer: nn.Conv2d) -> tuple[tuple[int, int], tuple[int, int]]:
    """Size and padding of a convolution's window, if it is of the plain kind that the kernel knows."""
    if _pair(layer.stride) != (1, 1) or _pair(layer.dilation) != (1, 1) or layer.groups != 1:
        raise UnsupportedError("Conv2d with stride, dilation or groups")
    if isinstance(layer.padding, str) or layer.padding_mode != "zeros":
        raise UnsupportedError("Conv2d with padding by name or not of zeros")
    size, padding = _pair(layer.kernel_size), _pair(layer.padding)
    if padding[0] >= size[0] or padding[1] >= size[1]:
        raise UnsupportedError("Conv2d with more padding than its window")
    return size, padding


def _patches(x: Tensor, kh: int, kw: int, ph: int, pw: int) -> Tensor:
    """Every kh x kw patch of zero-padded images: [M, n, H, W, C] -> [M, n·H'·W', kh·kw·C]."""
    x = functional.pad(x, (0, 0, pw, pw, ph, ph)) if ph or pw else x.contiguous()
    replicas, n, height, width, channels = x.shape
    size = (height - kh + 1, width - kw + 1)
    s = x.stride()
    rows = x.as_strided((replicas, n, *size, kh, kw * channels), (s[0], s[1], s[2], s[3], s[2], 1))
    return rows.reshape(replicas, n * size[0] * size[1], kh * kw * channels)


def _gathered(shares: Tensor, height: int, width: int, ph: int, pw: int) -> Tensor:
    """The reverse of `_patches`: adds each patch's share [M, n, H', W', kh, kw, C] to the pixels it covers."""
    replicas, n, rows, columns, kh, kw, channels = shares.shape
    whole = shares.new_zeros(replicas, n, height + 2 * ph, width + 2 * pw, channels)
    for i in range(kh):
        for j in range(kw):
            whole[:, :, i : i + rows, j : j + columns] += shares[:, :, :, :, i, j]
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
    shape = (*sample[1:], sample[0]) if len(sample) == 3 else sample
    kernels = []
    for layer in _pooled_first(list(module)):
        maker = MAKERS.get(type(layer))
        if maker is None:
            raise UnsupportedError(type(layer).__name__)
        kernel, shape = maker(layer, shape)
        kernels.append(kernel)
    return kernels


def _pooled_first(layers: list[nn.Module]) -> list[nn.Module]:
    """ReLU then max-pooling as max-pooling then ReLU: equal in values and gradients, and on fewer numbers.

    Where the largest of a window is positive, both keep it; where it is not, both give zero and no gradient.
    """
    for at in range(len(layers) - 1):
        if isinstance(layers[at], nn.ReLU) and isinstance(layers[at + 1], nn.MaxPool2d):
            layers[at : at + 2] = reversed(layers[at : at + 2])
    return layers
