"""Networks for images of half the side (14 x 14 grey, 16 x 16 colour), sized for many runs on a CPU."""

from torch import nn

from rebuttal.workloads.blocks import chained
from rebuttal.workloads.vision_models import ConvNorm, inception

PIXELS = 14 * 14


def deep() -> nn.Sequential:
    """Eight linear layers, 196-48-...-48-10 with ReLU, for inputs [n, 196]: deep enough to be cut into stages."""
    return _perceptron(layers=8, width=48)


def few() -> nn.Sequential:
    """Sixteen linear layers, 196-24-...-24-10 with ReLU, for inputs [n, 196]: deep, narrow and full of kinks."""
    return _perceptron(layers=16, width=24)


def _perceptron(layers: int, width: int) -> nn.Sequential:
    """So many linear layers with ReLU between them, of one width inside."""
    sizes = (PIXELS, *[width] * (layers - 1), 10)
    children: dict[str, nn.Module] = {}
    for number in range(1, layers + 1):
        children[f"linear{number}"] = nn.Linear(sizes[number - 1], sizes[number])
        if number < layers:
            children[f"relu{number}"] = nn.ReLU()
    return chained(**children)


def cnn() -> nn.Sequential:
    """Two 3x3 convolutions of 8 and 16 channels, each with max-pooling, for inputs [n, 1, 14, 14]."""
    return _cnn(colours=1, widths=(8, 16), pixels=3 * 3)


def colour_cnn() -> nn.Sequential:
    """Two 3x3 convolutions of 12 and 24 channels, each with max-pooling, for inputs [n, 3, 16, 16]."""
    return _cnn(colours=3, widths=(12, 24), pixels=4 * 4)


def _cnn(colours: int, widths: tuple[int, int], pixels: int) -> nn.Sequential:
    return chained(
        conv1=nn.Conv2d(colours, widths[0], 3, padding=1),
        relu1=nn.ReLU(),
        pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(widths[0], widths[1], 3, padding=1),
        relu2=nn.ReLU(),
        pool2=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
        linear=nn.Linear(widths[1] * pixels, 10),
    )


def googlenet() -> nn.Sequential:
    """Two of torchvision's Inception blocks (Szegedy et al. 2015, arXiv 1409.4842), for inputs [n, 3, 16, 16]."""
    return chained(
        stem=ConvNorm(3, 16, kernel_size=3, padding=1),
        pool1=nn.MaxPool2d(2),
        inception1=inception(16, 8, 8, 16, 8, 8, 8),
        pool2=nn.MaxPool2d(2),
        inception2=inception(40, 16, 16, 24, 8, 8, 8),
        pool3=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        linear=nn.Linear(56, 10),
    )
