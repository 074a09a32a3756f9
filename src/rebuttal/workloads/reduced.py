"""MNIST and CIFAR-10 made smaller: part of the images, at half their side, for studies of hundreds of runs on a CPU.

What is kept is the same in every run: the head of the stratified order in which the full workloads are divided, so the
training images here are among the training images there. Figures that rest on them are not figures of the whole sets.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from rebuttal.workloads import cifar10_files, image_files, images, mnist_files, models, reduced_models
from rebuttal.workloads.image_cache import Images
from rebuttal.workloads.mnist import VALIDATION_SHARE
from rebuttal.workloads.parts import Layer, Objective, accuracy
from rebuttal.workloads.splits import stratified
from rebuttal.workloads.workload import Workload, assemble

SIZES = {"training": 5_000, "validation": 500, "test": 1_000}
FEW = 40  # training images of the workload with few samples: four of each class
SOURCE = (
    "{data}, the first {training} training, {validation} validation and {test} test images of a stratified order, "
    "halved to {side} x {side} pixels by means of 2 x 2. Model: {model}"
)
MNIST = "Data: LeCun, Bottou, Bengio and Haffner 1998, MNIST"
CIFAR10 = "Data: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images; read from {files}"


@dataclass(frozen=True)
class Small:
    """A network on reduced images. flat: whether a sample is a row of pixels. training: images that it learns from.

    whole: whether all images of the splits are kept, and not their heads alone.
    """

    build: Callable[[], nn.Sequential]
    words: str
    sweep: tuple[float, float]
    flat: bool = False
    training: int | None = SIZES["training"]
    whole: bool = False
    objective: Objective = models.CLASSIFICATION
    initial: Callable[[Layer, torch.Generator], list[torch.Tensor]] | None = None


MODELS = {
    "mnist_small_deep": Small(
        reduced_models.deep,
        "perceptron of eight layers, 196-48-...-48-10 with ReLU.",
        (0.80, 0.97),
        flat=True,
        initial=models.he_initial,
    ),
    "mnist_small_few": Small(
        reduced_models.few,
        "perceptron of sixteen layers of width 24 with ReLU; multi-margin loss; four images of each class.",
        (0.4, 0.8),
        flat=True,
        training=FEW,
        objective=models.MULTI_MARGIN,
        initial=models.he_initial,
    ),
    "mnist_small_cnn": Small(
        reduced_models.cnn,
        "two 3x3 convolutions and a linear layer.",
        (0.85, 0.99),
        initial=models.default_initial,
    ),
    "mnist_half_cnn": Small(
        reduced_models.cnn,
        "as mnist_small_cnn, two 3x3 convolutions and a linear layer.",
        (0.9, 0.985),
        training=None,
        whole=True,
        initial=models.default_initial,
    ),
    "cifar10_small_cnn": Small(
        reduced_models.colour_cnn,
        "two 3x3 convolutions, each with pooling, and a linear layer.",
        (0.3, 0.6),
        initial=models.default_initial,
    ),
    "cifar10_small_googlenet": Small(
        reduced_models.googlenet,
        "two Inception blocks (Szegedy et al. 2015), see workloads/reduced_models.py.",
        (0.3, 0.7),
    ),
}


def load(name: str, data_root: str | Path | None = None) -> Workload:
    """One of MODELS, from the files that the full workloads read."""
    model = MODELS[name]
    sizes = {} if model.whole else SIZES
    parts = mnist(data_root, sizes) if name.startswith("mnist") else cifar10(data_root)
    splits = images.standardised(_few(parts, model.training))
    if model.flat:
        splits = {split: (x.flatten(1), y) for split, (x, y) in splits.items()}
    return assemble(
        name,
        source=_source(name, model, parts, data_root),
        target=accuracy(model.sweep, large_error=name.startswith("cifar10")),
        build=model.build,
        splits=splits,
        objective=model.objective,
        initial=model.initial,
    )


def mnist(data_root: str | Path | None, sizes: Mapping[str, int] | None = None) -> dict[str, Images]:
    """Reduced MNIST: the heads of the splits of `mnist_cnn`, and of a stratified order of its test file.

    sizes: of the heads, SIZES by default; a split that is not in it is kept whole.
    """
    sizes = SIZES if sizes is None else sizes
    found = {}
    for part in mnist_files.PARTS:
        pixels = mnist_files.images(data_root, part)[..., None]
        found[part] = Images(pixels, mnist_files.labels(data_root, part).astype(np.int64), DIGITS)
    seen, unseen = (found[part] for part in mnist_files.PARTS)
    held_out = len(seen.labels) // VALIDATION_SHARE
    rows = stratified("mnist", seen.labels, (len(seen.labels) - held_out, held_out))
    return {
        "training": _head(seen, rows[0], sizes.get("training")),
        "validation": _head(seen, rows[1], sizes.get("validation")),
        "test": _head_of_test("mnist test", unseen, sizes.get("test")),
    }


def cifar10(data_root: str | Path | None) -> dict[str, Images]:
    """Reduced CIFAR-10: the heads of the splits of the full workloads, and of a stratified order of its test part."""
    parts = image_files.divided(cifar10_files.read(data_root))
    kept = {
        split: _head(parts[split], np.arange(len(parts[split].labels)), SIZES[split])
        for split in ("training", "validation")
    }
    return {**kept, "test": _head_of_test("cifar10 test", parts["test"], SIZES["test"])}


def halved(pixels: np.ndarray) -> np.ndarray:
    """Bytes [n, H, W, C] to bytes [n, H/2, W/2, C]: the mean of 2 x 2 pixels, in whole numbers, halves rounded up."""
    n, height, width, colours = pixels.shape
    blocks = pixels.astype(np.uint16).reshape(n, height // 2, 2, width // 2, 2, colours)
    return ((blocks.sum((2, 4), dtype=np.uint16) + 2) // 4).astype(np.uint8)


def _head(part: Images, rows: np.ndarray, size: int | None) -> Images:
    """The first images of these rows, halved: a head of a stratified order has the classes in proportion."""
    kept = rows[:size]
    return Images(halved(part.pixels[kept]), part.labels[kept], part.classes)


def _head_of_test(name: str, part: Images, size: int | None) -> Images:
    (rows,) = stratified(name, part.labels, (len(part.labels),))
    return _head(part, rows, size)


def _few(parts: Mapping[str, Images], count: int | None) -> dict[str, Images]:
    """The parts, with only the first `count` training images."""
    whole = parts["training"]
    return {**parts, "training": Images(whole.pixels[:count], whole.labels[:count], whole.classes)}


def _source(name: str, model: Small, parts: Mapping[str, Images], data_root: str | Path | None) -> str:
    sizes = {split: f"{len(part.labels):,}" for split, part in parts.items()}
    sizes["training"] = f"{len(parts['training'].labels[: model.training]):,}"
    side = parts["training"].pixels.shape[1]
    files = "" if name.startswith("mnist") else cifar10_files.place(data_root).name
    data = MNIST if name.startswith("mnist") else CIFAR10.format(files=files)
    return SOURCE.format(data=data, side=side, model=model.words, **sizes)


DIGITS = tuple(str(digit) for digit in range(10))
