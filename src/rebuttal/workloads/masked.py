"""The layers of PixelCNN: convolutions that see only what comes before a pixel, row by row and colour by colour."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from rebuttal.workloads.blocks import chained


class Masked(nn.Conv2d):
    """A convolution of odd window whose output at a pixel sees the pixels above, and those left of it in its row.

    Channels belong to `colours` equal groups, in order. Of the pixel itself a group sees the groups before it, and its
    own if `own` (masks A and B of the paper are without and with).
    """

    def __init__(self, inputs: int, outputs: int, window: int, *, colours: int, own: bool) -> None:
        super().__init__(inputs, outputs, window, padding=window // 2)
        giver = torch.arange(inputs) * colours // inputs
        taker = torch.arange(outputs) * colours // outputs
        mask = torch.zeros(outputs, inputs, window, window)
        mask[:, :, : window // 2] = 1
        mask[:, :, window // 2, : window // 2] = 1
        mask[:, :, window // 2, window // 2] = (giver[None] < taker[:, None] + own).float()
        self.register_buffer("mask", mask)
        self.seen = float(mask.sum()) / outputs  # inputs of an output that the mask leaves, on average

    def forward(self, x: Tensor) -> Tensor:
        """[n, inputs, H, W] -> [n, outputs, H, W]."""
        return functional.conv2d(x, self.weight * self.get_buffer("mask"), self.bias, padding=self.padding)


class MaskedBlock(nn.Module):
    """ReLU and 1x1, ReLU and 3x3, ReLU and 1x1 convolutions over half the channels, added to the input."""

    def __init__(self, channels: int, colours: int) -> None:
        super().__init__()
        half = channels // 2
        self.enter = Masked(channels, half, 1, colours=colours, own=True)
        self.inside = Masked(half, half, 3, colours=colours, own=True)
        self.leave = Masked(half, channels, 1, colours=colours, own=True)

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels, H, W] -> the same shape."""
        inside = self.inside(torch.relu(self.enter(torch.relu(x))))
        return x + self.leave(torch.relu(inside))


class Levels(Masked):
    """The logits of every level of every dimension, from features, by a masked 1x1 convolution."""

    def __init__(self, inputs: int, levels: int, colours: int) -> None:
        super().__init__(inputs, colours * levels, 1, colours=colours, own=True)
        self.shape = (colours, levels)

    def forward(self, x: Tensor) -> Tensor:
        """[n, inputs, H, W] -> [n, colours * H * W, levels]."""
        logits = super().forward(torch.relu(x)).unflatten(1, self.shape)
        return logits.movedim(2, -1).flatten(1, 3)


def pixelcnn(colours: int, levels: int, channels: int, blocks: int, window: int) -> nn.Sequential:
    """Inputs [n, colours, H, W] to logits [n, colours * H * W, levels]; `channels` divides by 2 * colours."""
    return chained(
        stem=Masked(colours, channels, window, colours=colours, own=False),
        **{f"block{number}": MaskedBlock(channels, colours) for number in range(1, blocks + 1)},
        relu=nn.ReLU(),
        hidden=Masked(channels, channels, 1, colours=colours, own=True),
        levels=Levels(channels, levels, colours),
    )
