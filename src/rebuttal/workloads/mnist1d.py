"""MNIST-1D: ten classes of signals of 40 points, made here from a seed, with five small networks. No download.

Greydanus and Kobak 2024, Scaling Down Deep Learning with MNIST-1D, arXiv 2011.14439 (ICML). Each class is a template of
twelve points, and each sample one that was padded, stretched, scaled, shifted round and sheared, with noise. Linear,
fully connected and convolutional networks are far apart on it, as they are on large images; a run takes seconds.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from rebuttal.base.seeding import generator
from rebuttal.workloads import models
from rebuttal.workloads.blocks import Block, Patches, Residual, chained
from rebuttal.workloads.parts import accuracy
from rebuttal.workloads.workload import Split, Workload, assemble

SOURCE = (
    "Data: MNIST-1D (Greydanus and Kobak 2024, arXiv 2011.14439), made anew by its recipe from a seed of its own, so "
    "the samples are not those of the published file. Model: "
)
SIZES = {"training": 4_000, "validation": 1_000, "test": 1_000}  # training and test as published
POINTS = 40  # of a sample
#: The paper's templates (its data set's definition), one row a digit, before they are normalised.
TEMPLATES = np.array(
    [
        [5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5],
        [5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5],
        [5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5],
        [5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5],
        [5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5],
        [5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5],
        [5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5],
        [5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5],
        [5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5],
        [5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5],
    ]
)
# The paper's settings (its table of defaults). Lengths in points of the canvas, before it is resampled to POINTS.
PADDING = (36, 60)  # the fewest and the most zeros behind a template
CANVAS = TEMPLATES.shape[1] + PADDING[1]
HIGH = 1 / 6  # of a template's deviation
SCALE, SHEAR = 0.4, 0.75  # widths of the uniform draws of amplitude and slope
SHIFT = 48  # the circular shift is below this
BACKGROUND, BLUR = (
    0.25,
    2.0,
)  # deviation of the noise around the digit, and of the Gaussian that it is smoothed by
NOISE = 0.02  # deviation of the noise everywhere
GRID = 2**12  # values are whole numbers over this, so that they are the same on every machine


def samples(rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """One signal for each label, float64 [n, POINTS], not standardised."""
    n, at = len(labels), np.arange(CANVAS)
    length = TEMPLATES.shape[1] + rng.integers(PADDING[0], PADDING[1] + 1, (n, 1))
    place = at * ((length - 1) / (CANVAS - 1))  # in points of the template: the padded one fills the canvas
    x = _read(_templates()[labels], place) * (1 + SCALE * (rng.random((n, 1)) - 0.5))
    shifted = (at - rng.integers(SHIFT, size=(n, 1))) % CANVAS
    x, place = (np.take_along_axis(values, shifted, 1) for values in (x, place))
    background = rng.normal(0, BACKGROUND, (n, CANVAS)) @ _blur()
    x = np.where(place < TEMPLATES.shape[1], x, background) + rng.normal(0, NOISE, (n, CANVAS))
    x = x - SHEAR * (rng.random((n, 1)) - 0.5) * (at / (CANVAS - 1) - 0.5)
    resampled = _read(x, np.broadcast_to(np.linspace(0, CANVAS - 1, POINTS), (n, POINTS)))
    return np.round(resampled * GRID) / GRID


def _templates() -> np.ndarray:
    """[10, 12]: of deviation HIGH, beginning and ending at 0."""
    scaled = TEMPLATES / TEMPLATES.std(1, keepdims=True) * HIGH
    return scaled - scaled[:, :1]


def _read(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Rows of values [n, m] at places [n, p], by linear interpolation; 0 beyond the end."""
    padded = np.pad(values, ((0, 0), (0, 2)))
    below = np.minimum(np.floor(place).astype(int), values.shape[1])
    left, right = (np.take_along_axis(padded, below + step, 1) for step in (0, 1))
    return left + (right - left) * np.clip(place - below, 0, 1)


def _blur() -> np.ndarray:
    """[CANVAS, CANVAS]: noise in rows times this is smoothed, the edges reflected."""
    reach = int(4 * BLUR)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / BLUR) ** 2)
    source = np.pad(np.arange(CANVAS), reach, mode="symmetric")
    matrix = np.zeros((CANVAS, CANVAS))
    for offset, weight in enumerate(weights / weights.sum()):
        np.add.at(matrix, (source[offset : offset + CANVAS], np.arange(CANVAS)), weight)
    return matrix


def linear() -> nn.Sequential:
    """40-10."""
    return chained(flatten=nn.Flatten(), linear=nn.Linear(POINTS, 10))


def mlp() -> nn.Sequential:
    """40-100-100-10 with ReLU: the paper's widths."""
    return chained(
        flatten=nn.Flatten(),
        linear1=nn.Linear(POINTS, 100),
        relu1=nn.ReLU(),
        linear2=nn.Linear(100, 100),
        relu2=nn.ReLU(),
        linear3=nn.Linear(100, 10),
    )


def cnn() -> nn.Sequential:
    """Three convolutions of 25 channels with stride 2 and a linear layer: the paper's, for inputs [n, 1, 40]."""
    return chained(
        conv1=nn.Conv1d(1, 25, 5, stride=2, padding=1),
        relu1=nn.ReLU(),
        conv2=nn.Conv1d(25, 25, 3, stride=2, padding=1),
        relu2=nn.ReLU(),
        conv3=nn.Conv1d(25, 25, 3, stride=2, padding=1),
        relu3=nn.ReLU(),
        flatten=nn.Flatten(),
        linear=nn.Linear(125, 10),
    )


def resnet() -> nn.Sequential:
    """A convolution, four residual blocks of 16 and 32 channels with group normalisation, and a linear layer."""
    return chained(
        conv=nn.Conv1d(1, 16, 5, padding=2),
        block1=Residual(16, 16, dimensions=1),
        block2=Residual(16, 32, stride=2, dimensions=1),
        block3=Residual(32, 32, dimensions=1),
        block4=Residual(32, 32, stride=2, dimensions=1),
        flatten=nn.Flatten(),
        linear=nn.Linear(320, 10),
    )


def transformer() -> nn.Sequential:
    """Three blocks of attention of width 32 over ten pieces of four points and a class token, linear 352-10."""
    return chained(
        pieces=Patches(channels=1, side=POINTS, patch=4, width=32, dimensions=1),
        block1=Block(32, heads=2, hidden=64, causal=False),
        block2=Block(32, heads=2, hidden=64, causal=False),
        block3=Block(32, heads=2, hidden=64, causal=False),
        norm=nn.LayerNorm(32, eps=1e-6),
        flatten=nn.Flatten(),
        linear=nn.Linear(11 * 32, 10),
    )


#: Name -> (network, what it is, its sweep of targets).
MODELS: dict[str, tuple[Callable[[], nn.Sequential], str, tuple[float, float]]] = {
    "mnist1d_linear": (linear, "linear, 40-10.", (0.2, 0.35)),
    "mnist1d_mlp": (mlp, "perceptron 40-100-100-10 with ReLU.", (0.4, 0.7)),
    "mnist1d_cnn": (cnn, "three convolutions of stride 2 and a linear layer.", (0.6, 0.95)),
    "mnist1d_resnet": (resnet, "four residual blocks (He et al. 2016) in one dimension.", (0.6, 0.97)),
    "mnist1d_transformer": (transformer, "Transformer, three blocks of width 32.", (0.4, 0.9)),
}


def load(name: str, data_root: str | Path | None = None) -> Workload:  # all loaders are called alike
    """One of MODELS. The data are made, so `data_root` is not used."""
    build, words, sweep = MODELS[name]
    return assemble(
        name,
        source=SOURCE + words,
        target=accuracy(sweep),
        build=build,
        splits=splits(),
        objective=models.CLASSIFICATION,
    )


def splits() -> dict[str, Split]:
    """Signals [n, 1, POINTS], as many of each digit, standardised by mean and deviation of the training set."""
    drawn = {}
    for split, size in SIZES.items():
        rng = generator(0, "mnist1d", split)
        labels = rng.permutation(np.arange(size) % len(TEMPLATES))
        drawn[split] = (samples(rng, labels), labels)
    training, _ = drawn["training"]
    mean, deviation = training.mean(), training.std()
    return {
        split: (
            torch.from_numpy(((x - mean) / deviation).astype(np.float32)[:, None]),
            torch.from_numpy(labels),
        )
        for split, (x, labels) in drawn.items()
    }
