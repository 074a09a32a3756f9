"""How the parameters of any model are drawn at the start, read off the modules that own them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from rebuttal.workloads.masked import Masked

DEVIATION = 0.02  # of embeddings, positions and class tokens, as in GPT-2 and ViT


class NamedLayer(Protocol):
    """Anything with a name: a layer of a workload."""

    @property
    def name(self) -> str:
        """That of the child in the model."""
        ...


@dataclass(frozen=True)
class Draw:
    """The start of one tensor. law: uniform (within +-scale), normal (deviation scale) or constant (scale)."""

    shape: tuple[int, ...]
    law: str
    scale: float

    def __call__(self, generator: torch.Generator) -> Tensor:
        """One draw, on the CPU in float32; a constant does not move the generator."""
        tensor = torch.empty(self.shape)
        if self.law == "uniform":
            return tensor.uniform_(-self.scale, self.scale, generator=generator)
        if self.law == "normal":
            return tensor.normal_(0, self.scale, generator=generator)
        return tensor.fill_(self.scale)


@dataclass(frozen=True)
class Starts:
    """An `initial` of a workload: the draws of each layer's tensors, by the layer's name."""

    draws: Mapping[str, tuple[Draw, ...]]

    def __call__(self, layer: NamedLayer, generator: torch.Generator) -> list[Tensor]:
        """The tensors of one layer, in order."""
        return [draw(generator) for draw in self.draws[layer.name]]


def starts_of(model: nn.Sequential) -> Starts:
    """The starts of all layers of a model, whatever they are built from.

    Linear and convolution, weight and bias: uniform within 1/sqrt(inputs of an output), torch's default.
    Masked convolution: as that, but weights of variance 1/inputs, of the inputs that the mask leaves. No bias is
    0, since a pixel that sees nothing would begin at the kink of a ReLU.
    Normalisation: weight 1, bias 0. Projections of torch's multi-head attention: Glorot and Bengio (2010),
    uniform, bias 0. Recurrent: uniform within 1/sqrt(hidden size), torch's default. All else (embeddings, positions,
    class tokens): normal with deviation 0.02.
    """
    return Starts({name: _draws(child) for name, child in model.named_children()})


def _draws(layer: nn.Module) -> tuple[Draw, ...]:
    """One draw for each parameter of a layer, in the order of its parameters."""
    found = []
    for path, parameter in layer.named_parameters():
        owner, _, name = path.rpartition(".")
        law, scale = _law(layer.get_submodule(owner), name)
        found.append(Draw(tuple(parameter.shape), law, scale))
    return tuple(found)


def _law(owner: nn.Module, name: str) -> tuple[str, float]:
    """Law and scale of the parameter `name` of the module that owns it."""
    if isinstance(owner, Masked):
        return "uniform", math.sqrt((3 if name == "weight" else 1) / owner.seen)
    if isinstance(owner, (nn.Linear, _ConvNd)):
        inputs = math.prod(owner.weight.shape[1:])
        return "uniform", 1 / math.sqrt(inputs)
    if isinstance(owner, (nn.LayerNorm, nn.GroupNorm, _BatchNorm)):
        return "constant", float(name == "weight")
    if isinstance(owner, nn.RNNBase):
        return "uniform", 1 / math.sqrt(owner.hidden_size)
    if isinstance(owner, nn.MultiheadAttention):
        return (
            ("constant", 0.0) if name == "in_proj_bias" else ("uniform", math.sqrt(6 / (4 * owner.embed_dim)))
        )
    return "normal", DEVIATION
