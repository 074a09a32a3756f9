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


class Unsupported(Exception):
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
        return torch.ops.aten.threshold_backward(dy, y, 0)

    return Kernel(0, forward, backward), shape


def _flatten(layer: nn.Flatten, shape: Shape) -> tuple[Kernel, Shape]:
    """To the order that nn.Flatten gives: channels first."""
    if layer.start_dim != 1 or layer.end_dim != -1:
        raise Unsupported("Flatten of some dimensions only")
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
        raise Unsupported("MaxPool2d with padding, dilation or ceil_mode")
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
    """A convolution as one batched matrix product with the patches of its input (im2col).

    The gradient with respect to the input is again a convolution: of the padded output gradient, with the kernel
    turned by 180 degrees, so no scatter is needed.
    """
    (kh, kw), (ph, pw) = _pair(layer.kernel_size), _conv_padding(layer)
    if _pair(layer.stride) != (1, 1) or _pair(layer.dilation) != (1, 1) or layer.groups != 1:
        raise Unsupported("Conv2d with stride, dilation or groups")
    if layer.padding_mode != "zeros" or ph >= kh or pw >= kw:
        raise Unsupported("Conv2d with this padding")
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
        turned = weights[:, :split].unflatten(1, (outputs, inputs, kh, kw)).flip(3, 4).permute(0, 3, 4, 1, 2)
        columns = _patches(dy, kh, kw, kh - 1 - ph, kw - 1 - pw)
        return torch.bmm(columns, turned.flatten(1, 3)).unflatten(1, (dy.shape[1], height, width))

    return Kernel(split + has_bias * outputs, forward, backward), (*size, outputs)


def _conv_padding(layer: nn.Conv2d) -> tuple[int, int]:
    if isinstance(layer.padding, str):
        raise Unsupported("Conv2d with padding by name")
    return _pair(layer.padding)


def _patches(x: Tensor, kh: int, kw: int, ph: int, pw: int) -> Tensor:
    """Every kh x kw patch of zero-padded images: [M, n, H, W, C] -> [M, n·H'·W', kh·kw·C]."""
    if ph or pw:
        x = functional.pad(x, (0, 0, pw, pw, ph, ph))
    replicas, n, height, width, channels = x.shape
    size = (height - kh + 1, width - kw + 1)
    s = x.contiguous().stride()
    rows = x.contiguous().as_strided(
        (replicas, n, *size, kh, kw * channels), (s[0], s[1], s[2], s[3], s[2], 1)
    )
    return rows.reshape(replicas, n * size[0] * size[1], kh * kw * channels)


MAKERS: dict[type, Callable[[Any, Shape], tuple[Kernel, Shape]]] = {
    nn.Linear: _linear,
    nn.ReLU: _relu,
    nn.Flatten: _flatten,
    nn.MaxPool2d: _max_pool,
    nn.Conv2d: _conv,
}


def kernels_of(module: nn.Module, sample: Shape) -> list[Kernel]:
    """The kernels of an nn.Sequential for one sample of shape [C, H, W] or [F]. Raises Unsupported."""
    if not isinstance(module, nn.Sequential):
        raise Unsupported(type(module).__name__)
    shape = (*sample[1:], sample[0]) if len(sample) == 3 else sample
    kernels = []
    for layer in module:
        maker = MAKERS.get(type(layer))
        if maker is None:
            raise Unsupported(type(layer).__name__)
        kernel, shape = maker(layer, shape)
        kernels.append(kernel)
    return kernels
