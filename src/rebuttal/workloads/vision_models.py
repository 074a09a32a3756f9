"""Small networks for colour images of 32 x 32 pixels, of torchvision's blocks, with group or layer normalisation.

Normalisation over a batch would tie its samples together, and a gradient over K batches would no longer be the mean of
K gradients; so there is none here. Each network is a chain whose children are layers or whole blocks.
"""

from functools import partial

import torch
from torch import Tensor, nn

from rebuttal.workloads import chains
from rebuttal.workloads.blocks import Mixed, chained

GROUPS = 8
norm = partial(nn.GroupNorm, GROUPS)


class Scale(nn.Module):
    """Outputs times a constant: the temperature of a classifier."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return self.factor * x


class ConvNorm(nn.Module):
    """Convolution without bias, group normalisation, ReLU: what torchvision's Inception is built from here."""

    def __init__(self, inputs: int, outputs: int, kernel_size: int, padding: int = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel_size, padding=padding, bias=False)
        self.norm = norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """[n, inputs, H, W] -> [n, outputs, H', W']."""
        return torch.relu(self.norm(self.conv(x)))


class Twice(nn.Module):
    """Two ConvNorms, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(channels, channels, kernel_size=3, padding=1)
        self.conv2 = ConvNorm(channels, channels, kernel_size=3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x + self.conv2(self.conv1(x))


def alexnet(classes: int) -> nn.Sequential:
    """AlexNet's five convolutions and three linear layers, most weights in the first linear one, as there.

    Krizhevsky 2014 (arXiv 1404.5997) in torchvision's widths, but for windows that suit 32 pixels and smaller linear
    layers; no dropout.
    """
    widths = (64, 192, 384, 256, 256)
    layers: dict[str, nn.Module] = {}
    for number, (inputs, outputs) in enumerate(zip((3, *widths), widths, strict=False), 1):
        layers[f"conv{number}"] = nn.Conv2d(inputs, outputs, 3, padding=1)
        layers[f"relu{number}"] = nn.ReLU()
        if number in {1, 2, 5}:
            layers[f"pool{number}"] = nn.MaxPool2d(2)
    return chained(
        **layers,
        flatten=nn.Flatten(),
        linear6=nn.Linear(256 * 4 * 4, 1024),
        relu6=nn.ReLU(),
        linear7=nn.Linear(1024, 1024),
        relu7=nn.ReLU(),
        linear8=nn.Linear(1024, classes),
    )


def googlenet(classes: int) -> nn.Sequential:
    """Four of torchvision's Inception blocks (Szegedy et al. 2015, arXiv 1409.4842), two at each of two scales."""
    return chained(
        stem=ConvNorm(3, 64, kernel_size=3, padding=1),
        inception1=inception(64, 32, 32, 64, 8, 16, 16),
        inception2=inception(128, 48, 48, 96, 8, 24, 24),
        pool1=nn.MaxPool2d(2),
        inception3=inception(192, 64, 48, 96, 8, 32, 32),
        inception4=inception(224, 96, 64, 128, 16, 48, 48),
        pool2=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        linear=nn.Linear(320, classes),
    )


def inception(*channels: int) -> nn.Module:
    """torchvision's Inception block with group normalisation; channels: what comes in, then of each branch."""
    from torchvision.models.googlenet import Inception  # noqa: PLC0415 - slow to import, and few processes need it

    return Inception(*channels, conv_block=ConvNorm)


def resnet(classes: int) -> nn.Sequential:
    """The 20-layer network for CIFAR-10 of He et al. 2016 (arXiv 1512.03385, section 4.2), of torchvision's blocks.

    Group for batch normalisation, and projections where the shape changes.
    """
    blocks = {}
    for number, (inputs, outputs) in enumerate(
        [(16, 16)] * 3 + [(16, 32)] + [(32, 32)] * 2 + [(32, 64)] + [(64, 64)] * 2, 1
    ):
        blocks[f"block{number}"] = _basic(inputs, outputs)
    return chained(
        stem=ConvNorm(3, 16, kernel_size=3, padding=1),
        **blocks,
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        linear=nn.Linear(64, classes),
    )


def _basic(inputs: int, outputs: int) -> nn.Module:
    """torchvision's block; where the width grows, the size is halved."""
    from torchvision.models.resnet import BasicBlock  # noqa: PLC0415 - as in `inception`

    if inputs == outputs:
        return BasicBlock(inputs, outputs, norm_layer=norm)
    shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, 2, bias=False), norm(outputs))
    return BasicBlock(inputs, outputs, 2, shortcut, norm_layer=norm)


def resnet9(classes: int) -> nn.Sequential:
    """The nine-layer residual network of the DAWNBench speed records on CIFAR-10 (Page 2018), by its description.

    A reconstruction: group for batch normalisation.
    """
    return chained(
        prepare=ConvNorm(3, 64, kernel_size=3, padding=1),
        conv1=ConvNorm(64, 128, kernel_size=3, padding=1),
        pool1=nn.MaxPool2d(2),
        residual1=Twice(128),
        conv2=ConvNorm(128, 256, kernel_size=3, padding=1),
        pool2=nn.MaxPool2d(2),
        conv3=ConvNorm(256, 512, kernel_size=3, padding=1),
        pool3=nn.MaxPool2d(2),
        residual3=Twice(512),
        pool4=nn.MaxPool2d(4),
        flatten=nn.Flatten(),
        linear=nn.Linear(512, classes, bias=False),
        scale=Scale(0.125),
    )


def resnet9_bf16(classes: int) -> nn.Sequential:
    """The same network in mixed precision, channels last: the form in which a GPU with tensor cores is fast."""
    return chained(**{name: Mixed(layer) for name, layer in resnet9(classes).named_children()})


def vit(classes: int) -> nn.Sequential:
    """torchvision's VisionTransformer (Dosovitskiy et al. 2021, arXiv 2010.11929): 4 x 4 patches, 6 blocks of 192."""
    from torchvision.models.vision_transformer import VisionTransformer  # noqa: PLC0415 - as in `inception`

    whole = VisionTransformer(
        image_size=32,
        patch_size=4,
        num_layers=6,
        num_heads=3,
        hidden_dim=192,
        mlp_dim=384,
        num_classes=classes,
    )
    return chains.vision_transformer(whole, plain_attention=True)


MODELS = {
    "alexnet": alexnet,
    "googlenet": googlenet,
    "resnet": resnet,
    "resnet9": resnet9,
    "resnet9_bf16": resnet9_bf16,
    "vit": vit,
}
