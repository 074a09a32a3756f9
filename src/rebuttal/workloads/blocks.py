"""Layers of the small networks that are more than one of torch's: each is one child of a chain."""

import math
from collections import OrderedDict

import torch
from torch import Tensor, nn

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d}  # of signals, of images


class Residual(nn.Module):
    """Two convolutions of 3 (x3) with group normalisation, added to their input: of images, or of signals.

    He et al. 2016 (arXiv 1512.03385), as torchvision's BasicBlock with GroupNorm. Where the shape changes, the
    input goes through a convolution of 1 (x1).
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int = 1, groups: int = 4, dimensions: int = 2
    ) -> None:
        super().__init__()
        convolution = CONVOLUTIONS[dimensions]
        self.conv1 = convolution(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(groups, outputs)
        self.conv2 = convolution(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(groups, outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                convolution(inputs, outputs, 1, stride, bias=False), nn.GroupNorm(groups, outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """[n, inputs, H, W] -> [n, outputs, H / stride, W / stride], or without H."""
        inside = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(inside)) + self.shortcut(x))


class Attention(nn.Module):
    """Multi-head self-attention in plain matrix products, which every way to batch replicas can take."""

    def __init__(self, width: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.inputs = nn.Linear(width, 3 * width)
        self.outputs = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[n, T, width] -> the same shape; a position of a causal one sees none after it."""
        n, length, width = x.shape
        heads = self.inputs(x).view(n, length, 3, self.heads, width // self.heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        scores = query @ key.mT / math.sqrt(width // self.heads)
        if self.causal:
            later = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
            scores = scores.masked_fill(later, -torch.inf)
        mixed = torch.softmax(scores, -1) @ value
        return self.outputs(mixed.transpose(1, 2).reshape(n, length, width))


class Block(nn.Module):
    """A Transformer block: attention and a perceptron, each added to its input and normalised before.

    Radford et al. 2019 (GPT-2) if causal; Dosovitskiy et al. 2021 (arXiv 2010.11929) if not.
    """

    def __init__(self, width: int, heads: int, hidden: int, causal: bool) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attention = Attention(width, heads, causal)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.perceptron = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        """[n, T, width] -> the same shape."""
        x = x + self.attention(self.norm1(x))
        return x + self.perceptron(self.norm2(x))


class Patches(nn.Module):
    """An image, or a signal, as a sequence: a class token and its patches, projected to the width, with positions."""

    def __init__(self, channels: int, side: int, patch: int, width: int, dimensions: int = 2) -> None:
        super().__init__()
        self.projection = CONVOLUTIONS[dimensions](channels, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, 1 + (side // patch) ** dimensions, width))

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels, side, side] (a signal has one side) -> [n, 1 + patches, width]."""
        patches = self.projection(x).flatten(2).mT
        return torch.cat([self.token.expand(len(x), -1, -1), patches], 1) + self.positions


class Tokens(nn.Module):
    """Embeddings of symbols and of their positions. Symbols come as floating-point numbers, as all inputs do."""

    def __init__(self, symbols: int, length: int, width: int) -> None:
        super().__init__()
        self.symbols = nn.Embedding(symbols, width)
        self.positions = nn.Parameter(torch.zeros(length, width))

    def forward(self, x: Tensor) -> Tensor:
        """[n, T] -> [n, T, width]."""
        return self.symbols(x.long()) + self.positions[: x.shape[1]]


class First(nn.Module):
    """The first position of a sequence: the class token's."""

    def forward(self, x: Tensor) -> Tensor:
        """[n, T, width] -> [n, width]."""
        return x[:, 0]


class Mixed(nn.Module):
    """A layer whose products are made in bfloat16, of images with their channels last; its weights stay float32.

    Micikevicius et al. 2018 (arXiv 1710.03740), by torch's autocast; bfloat16 needs no scaling of the loss. What goes
    in and comes out is float32, so a stage's neighbours need not know.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """As the layer."""
        inside = x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
        with torch.autocast(x.device.type, torch.bfloat16):
            return self.layer(inside).to(x.dtype)


def chained(**layers: nn.Module) -> nn.Sequential:
    """The layers as a chain, in the order and under the names in which they are given."""
    return nn.Sequential(OrderedDict(layers))
