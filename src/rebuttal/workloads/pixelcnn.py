"""PixelCNN: how likely a network finds each grey or colour level, given what comes before, in bits per dimension.

Dimensions are in the order in which images are stored (channel, row, column).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from rebuttal.workloads import cifar10_files, digits, mnist_files, reduced
from rebuttal.workloads.image_files import divided
from rebuttal.workloads.likelihood import LIKELIHOOD
from rebuttal.workloads.masked import pixelcnn
from rebuttal.workloads.parts import Target
from rebuttal.workloads.splits import stratified
from rebuttal.workloads.workload import Split, Workload, assemble

SOURCE = (
    "Model: van den Oord, Kalchbrenner and Kavukcuoglu 2016, Pixel Recurrent Neural Networks, arXiv 1601.06759: the "
    "PixelCNN of masked convolutions and residual blocks, smaller than there. Data: "
)
RULE = (
    "The test bits per dimension that the tuned mini-batch SGD baseline ends at (median over seeds) and a sweep above "
    "them, fixed before another method is looked at."
)


LEARNT, SEEN = 2_000, 250  # images of the reduced workload: each has 196 dimensions, and so counts for many


@dataclass(frozen=True)
class Size:
    """Of the network and of what it models: levels of a dimension, and the sweep of targets in bits."""

    levels: int
    channels: int
    blocks: int
    window: int
    sweep: tuple[float, float]
    data: str


SIZES = {
    "digits_pixelcnn": Size(17, 16, 3, 3, (2.0, 3.0), "scikit-learn's digits, all 17 grey levels."),
    "mnist_pixelcnn": Size(16, 32, 5, 7, (0.6, 1.2), "MNIST (LeCun et al. 1998), 16 grey levels."),
    "mnist_small_pixelcnn": Size(
        4,
        16,
        3,
        3,
        (0.5, 1.0),
        "MNIST (LeCun et al. 1998), 2,000 training images of it, at 14 x 14, 4 grey levels; see reduced.py.",
    ),
    "cifar10_pixelcnn": Size(256, 96, 8, 7, (3.2, 5.0), "CIFAR-10 (Krizhevsky 2009), read from {files}."),
}


def load(name: str, data_root: str | Path | None = None) -> Workload:
    """One of SIZES; digits_pixelcnn needs no `data_root`."""
    size, values = SIZES[name], READERS[name](data_root)
    colours = values["training"].shape[1]
    files = cifar10_files.place(data_root).name if name.startswith("cifar10") else ""
    return assemble(
        name,
        source=SOURCE + size.data.format(files=files),
        target=Target("bits per dimension", RULE, size.sweep, lower_is_better=True),
        build=lambda: pixelcnn(colours, size.levels, size.channels, size.blocks, size.window),
        splits={split: _split(part, size.levels) for split, part in values.items()},
        objective=LIKELIHOOD,
    )


def _split(values: np.ndarray, levels: int) -> Split:
    """Inputs in [-1, 1] of the shape of `values` [n, C, H, W], and the values themselves as bytes [n, C * H * W]."""
    levels_of = torch.from_numpy(values)
    return levels_of.float().mul_(2 / (levels - 1)).sub_(1), levels_of.flatten(1)


def _digits(_: str | Path | None) -> dict[str, np.ndarray]:
    images, labels = digits.read()
    rows = stratified("digits", labels, tuple(digits.SIZES.values()))
    values = images.astype(np.uint8).reshape(-1, 1, 8, 8)
    return {split: values[part] for split, part in zip(digits.SIZES, rows, strict=True)}


def _mnist(data_root: str | Path | None) -> dict[str, np.ndarray]:
    """256 grey levels to 16, in the splits of mnist_cnn."""
    seen, unseen = (mnist_files.images(data_root, part)[:, None] >> 4 for part in mnist_files.PARTS)
    held_out = len(seen) // 6
    labels = mnist_files.labels(data_root, mnist_files.PARTS[0])
    training, validation = stratified("mnist", labels, (len(seen) - held_out, held_out))
    return {"training": seen[training], "validation": seen[validation], "test": unseen}


def _mnist_small(data_root: str | Path | None) -> dict[str, np.ndarray]:
    """256 grey levels to 4, of the reduced images of the other small workloads, fewer of them."""
    parts = reduced.mnist(data_root)
    counts = {"training": LEARNT, "validation": SEEN, "test": SEEN}
    return {split: parts[split].pixels[:count, None, :, :, 0] >> 6 for split, count in counts.items()}


def _cifar10(data_root: str | Path | None) -> dict[str, np.ndarray]:
    parts: Mapping = divided(cifar10_files.read(data_root))
    return {split: np.ascontiguousarray(part.pixels.transpose(0, 3, 1, 2)) for split, part in parts.items()}


READERS = {
    "digits_pixelcnn": _digits,
    "mnist_pixelcnn": _mnist,
    "mnist_small_pixelcnn": _mnist_small,
    "cifar10_pixelcnn": _cifar10,
}
