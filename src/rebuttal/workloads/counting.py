"""Parameters and operations of one layer of a network, counted on torch's meta device, where tensors have no data."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, flop_registry

BATCH = 2  # counted together and divided: normalisation over one sample of one pixel is refused by torch


@dataclass(frozen=True)
class LayerCount:
    """One layer of a network, for one sample.

    kind: its class in lower case. outputs: values that go to the next layer. saved: values that the backward pass
    needs of this layer and that no layer below keeps already (inputs included, weights not), and saved_bytes of them.
    forward_flops, backward_flops: floating-point operations of products and convolutions; backward without the
    gradient of the network's input. products: how many of these a forward pass starts, at least 1. auxiliary: a
    classifier beside the chain, which exists in training only.
    """

    layer: str
    kind: str
    parameters: int = 0
    outputs: int = 0
    saved: int = 0
    saved_bytes: int = 0
    forward_flops: int = 0
    backward_flops: int = 0
    products: int = 1
    auxiliary: bool = False


class Products(TorchDispatchMode):
    """A context that counts the products and convolutions that are started in it."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count, and do what was asked for."""
        self.count += func.overloadpacket in flop_registry
        return func(*args, **kwargs or {})


def counted(
    row: LayerCount, layer: nn.Module, x: Tensor, kept: dict[int, Tensor], rows: list[LayerCount]
) -> Tensor:
    """Append the row with its counts, and return the layer's output. `kept`: what is kept so far, by its memory."""
    x = x.detach().requires_grad_(bool(rows))  # the gradient of the network's own input is not wanted
    weights, before = list(layer.parameters()), len(kept)
    with FlopCounterMode(display=False) as forward, Products() as products, _keeping(weights, kept):
        y = layer(x)
    with FlopCounterMode(display=False) as backward:
        torch.autograd.grad(y, [*weights, x] if rows else weights, torch.ones_like(y))
    new = [
        (tensor.untyped_storage().nbytes(), tensor.element_size()) for tensor in list(kept.values())[before:]
    ]
    counts = {
        "parameters": sum(weight.numel() for weight in weights),
        "outputs": math.prod(y.shape[1:]),
        "saved": sum(size // each for size, each in new) // BATCH,
        "saved_bytes": sum(size for size, _ in new) // BATCH,
        "forward_flops": forward.get_total_flops() // BATCH,
        "backward_flops": backward.get_total_flops() // BATCH,
        "products": max(1, products.count),
    }
    rows.append(replace(row, **counts))
    return y.detach()


def _keeping(weights: Sequence[Tensor], kept: dict[int, Tensor]) -> saved_tensors_hooks:
    """A context that adds to `kept` what is kept for the backward pass: each memory once, no weights."""
    own = {id(weight.untyped_storage()) for weight in weights}

    def keep(tensor: Tensor) -> Tensor:
        memory = id(tensor.untyped_storage())  # one object for each memory, as long as a tensor of it lives
        if memory not in own:
            kept.setdefault(memory, tensor)
        return tensor

    return saved_tensors_hooks(keep, lambda tensor: tensor)
