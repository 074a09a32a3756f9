"""A residual and an attention network for the 8 x 8 digits: small enough for a CPU, and without torchvision."""

from torch import nn

from rebuttal.workloads.blocks import Block, Patches, Residual, chained

WIDTH = 32


def resnet() -> nn.Sequential:
    """Four residual blocks of 8 and 16 channels, for inputs [n, 1, 8, 8]."""
    return chained(
        conv=nn.Conv2d(1, 8, 3, padding=1),
        block1=Residual(8, 8),
        block2=Residual(8, 16, stride=2),
        block3=Residual(16, 16),
        block4=Residual(16, 16),
        flatten=nn.Flatten(),
        linear=nn.Linear(256, 10),
    )


def vit() -> nn.Sequential:
    """Three blocks of attention over 16 patches of 2 x 2 and a class token, for inputs [n, 1, 8, 8].

    All positions go into the classifier, for from the class token alone it takes several times as long to learn.
    """
    return chained(
        patches=Patches(channels=1, side=8, patch=2, width=WIDTH),
        block1=Block(WIDTH, heads=2, hidden=2 * WIDTH, causal=False),
        block2=Block(WIDTH, heads=2, hidden=2 * WIDTH, causal=False),
        block3=Block(WIDTH, heads=2, hidden=2 * WIDTH, causal=False),
        norm=nn.LayerNorm(WIDTH, eps=1e-6),
        flatten=nn.Flatten(),
        linear=nn.Linear(17 * WIDTH, 10),
    )
