"""torchvision's networks as chains of their layers, with the mathematics and the modules unchanged.

A chain takes over the modules of the network that it is given; only ReLUs that would overwrite their input are told not
to, because a stage must leave what the stage below keeps. Heads that torchvision adds in training only (auxiliary
classifiers) branch off and are no part of a chain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from rebuttal.workloads.blocks import First, Patches, chained

if TYPE_CHECKING:  # torchvision is slow to import, and who makes a chain has imported it
    from torchvision.models import AlexNet, GoogLeNet, Inception3, ResNet, VisionTransformer

GOOGLENET = [
    "conv1", "maxpool1", "conv2", "conv3", "maxpool2", "inception3a", "inception3b", "maxpool3",
    "inception4a", "inception4b", "inception4c", "inception4d", "inception4e", "maxpool4", "inception5a",
    "inception5b", "avgpool",
]  # fmt: skip
INCEPTION = [
    "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3",
    "maxpool2", "Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d",
    "Mixed_6e", "Mixed_7a", "Mixed_7b", "Mixed_7c", "avgpool",
]  # fmt: skip


class PlainAttention(nn.Module):
    """A block whose attention is computed in plain matrix products, which can be batched over replicas."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        with sdpa_kernel(SDPBackend.MATH):
            return self.block(x)


def alexnet(whole: AlexNet) -> nn.Sequential:
    """Convolutions, poolings and linear layers, each a layer of the chain."""
    layers = {f"features{name}": layer for name, layer in whole.features.named_children()}
    layers |= {"avgpool": whole.avgpool, "flatten": nn.Flatten()}
    layers |= {f"classifier{name}": layer for name, layer in whole.classifier.named_children()}
    return _of(layers)


def resnet(whole: ResNet) -> nn.Sequential:
    """The stem's layers, each residual block, and the classifier."""
    layers = {name: getattr(whole, name) for name in ("conv1", "bn1", "relu", "maxpool")}
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        blocks = getattr(whole, stage).named_children()
        layers |= {f"{stage}_{number}": block for number, block in blocks}
    return _of(layers | {"avgpool": whole.avgpool, "flatten": nn.Flatten(), "fc": whole.fc})


def googlenet(whole: GoogLeNet) -> nn.Sequential:
    """Convolutions with their normalisation, poolings, Inception blocks and the classifier."""
    layers = {name: getattr(whole, name) for name in GOOGLENET}
    return _of(layers | {"flatten": nn.Flatten(), "dropout": whole.dropout, "fc": whole.fc})


def inception(whole: Inception3) -> nn.Sequential:
    """As googlenet, in the layers of the third version."""
    layers = {name: getattr(whole, name) for name in INCEPTION}
    return _of(layers | {"dropout": whole.dropout, "flatten": nn.Flatten(), "fc": whole.fc})


def vision_transformer(whole: VisionTransformer, *, plain_attention: bool = False) -> nn.Sequential:
    """Patches with class token and positions, each block, the last normalisation, the class token, the classifier.

    plain_attention: wrap each block so that its attention can be batched over replicas.
    """
    blocks = {
        f"block{number}": PlainAttention(block) if plain_attention else block
        for number, block in enumerate(whole.encoder.layers.children())
    }
    ends = {"norm": whole.encoder.ln, "first": First(), "head": whole.heads.head}
    return _of({"patches": _patches(whole)} | blocks | ends)


def _patches(whole: VisionTransformer) -> Patches:
    with torch.device("meta"):  # its own parameters are replaced at once
        entry = Patches(3, whole.image_size, whole.patch_size, whole.hidden_dim)
    entry.add_module("projection", whole.conv_proj)
    entry.token, entry.positions = whole.class_token, whole.encoder.pos_embedding
    return entry


def _of(layers: dict[str, nn.Module]) -> nn.Sequential:
    """The chain, with no layer that overwrites what it is given."""
    model = chained(**layers)
    for layer in model.modules():
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
    return model
