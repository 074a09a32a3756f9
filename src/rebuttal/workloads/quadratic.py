"""A noisy quadratic, whose training is known in closed form: the workload of the oracles."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from rebuttal.base import seeding
from rebuttal.base.errors import refuse
from rebuttal.workloads.parts import Layer, Objective, Target
from rebuttal.workloads.workload import Split, Workload, assemble

SOURCE = (
    "Data: none, the noise is drawn. Model: a noisy quadratic with independent noise of one deviation, after "
    "Zhang et al. 2019, Which Algorithmic Choices Matter at Which Batch Sizes?, arXiv 1907.04164."
)
TARGET = Target(
    metric="loss",
    rule="The noise-free loss that the tuned mini-batch SGD baseline ends at (median over seeds).",
    sweep=(0.01, 1.0),
    lower_is_better=True,
)
DIMENSIONS, NOISE, SAMPLES = 32, 0.1, 1024


class QuadraticForm(nn.Module):
    """Outputs 1/2 sum_i h_i w_i^2 + sigma x.w of each noise vector in x [n, P], with h the spectrum."""

    def __init__(self, spectrum: Tensor, noise: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros_like(spectrum))
        self.register_buffer("spectrum", spectrum)
        self.noise = noise

    def forward(self, x: Tensor) -> Tensor:
        """One loss for each noise vector: [n]."""
        return 0.5 * (self.get_buffer("spectrum") * self.weight**2).sum() + self.noise * (x @ self.weight)


def load(name: str, data_root: str | Path | None = None) -> Workload:  # all loaders are called alike
    """The default noisy quadratic: curvatures h_i = 1/i. It has no data, so `data_root` is not used."""
    return Quadratic([1 / index for index in range(1, DIMENSIONS + 1)], NOISE)


def Quadratic(
    spectrum: Sequence[float],
    noise: float = 0.0,
    dtype: torch.dtype = torch.float32,
    samples: int = SAMPLES,
) -> Workload:
    """A workload with loss 1/2 sum_i h_i w_i^2 + sigma xi.w, h = `spectrum` and sigma = `noise`.

    The noise vectors xi of the `samples` training samples are standard normal less their mean, so the
    full-batch gradient is h w; validation and test have none, so their loss is the noise-free one, which is
    also the metric. The start is standard normal.

    Raises:
        InputError: an empty spectrum, a curvature or deviation that is negative or no number, or no sample.
    """
    curvatures = torch.tensor([float(value) for value in spectrum], dtype=torch.float64)
    if not len(curvatures) or not bool((curvatures.isfinite() & (curvatures >= 0)).all()):
        raise refuse("spectrum", list(spectrum), "at least one finite curvature, none below 0")
    if not 0 <= noise < float("inf"):
        raise refuse("noise", noise, "a finite deviation of at least 0")
    if samples < 1:
        raise refuse("samples", samples, "at least 1")
    return assemble(
        "quadratic",
        source=SOURCE,
        target=TARGET,
        build=lambda: nn.Sequential(OrderedDict(form=QuadraticForm(curvatures.to(dtype), noise))),
        splits=_splits(samples, len(curvatures), dtype),
        objective=Objective(loss=_mean, losses=_each, metric=_mean),
        initial=_normal,
    )


def _splits(samples: int, dimensions: int, dtype: torch.dtype) -> dict[str, Split]:
    """Noise vectors for training; one zero vector each, the noise-free quadratic, for validation and test."""
    drawn = seeding.generator(0, "quadratic").standard_normal((samples, dimensions))
    noise = torch.from_numpy(drawn - drawn.mean(axis=0)).to(dtype)
    none = (torch.zeros(1, dimensions, dtype=dtype), torch.zeros(1, dtype=torch.int64))
    return {
        "training": (noise, torch.zeros(samples, dtype=torch.int64)),
        "validation": none,
        "test": none,
    }


def _mean(outputs: Tensor, y: Tensor) -> Tensor:  # a quadratic has no targets
    """The mean of the outputs, which are losses already."""
    return outputs.mean()


def _each(outputs: Tensor, y: Tensor) -> Tensor:  # a quadratic has no targets
    """The outputs, which are losses already."""
    return outputs


def _normal(layer: Layer, generator: torch.Generator) -> list[Tensor]:
    """A standard normal start."""
    return [torch.randn(shape, generator=generator) for shape in layer.shapes]
