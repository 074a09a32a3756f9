"""MNIST with the four-layer CNN of the staleness study, through torchvision, from a configurable root."""

from pathlib import Path

import torch
from torch import Tensor

from rebuttal.workloads import mnist_files, models
from rebuttal.workloads.parts import accuracy
from rebuttal.workloads.splits import stratified
from rebuttal.workloads.workload import Split, Workload, assemble

SOURCE = (
    "Data: LeCun, Bottou, Bengio and Haffner 1998, MNIST, through torchvision. "
    "Model: a reconstruction of the four-layer CNN of the staleness study of Chen, Pan, Monga, Bengio and "
    "Jozefowicz 2016, arXiv 1604.00981; its widths are not published; its weight normalisation and "
    "augmentation are left out."
)
VALIDATION_SHARE = 6  # a sixth of the training file is held out: 10,000 of 60,000
TARGET = accuracy((0.90, 0.995))


def load(name: str, data_root: str | Path | None = None) -> Workload:
    """mnist_cnn, from the four files under `data_root`/MNIST/raw; nothing is downloaded."""
    return assemble(
        name,
        source=SOURCE,
        target=TARGET,
        build=models.mnist_cnn,
        splits=_splits(mnist_files.folder(data_root)),
        objective=models.CLASSIFICATION,
        initial=models.default_initial,
    )


def _splits(root: Path) -> dict[str, Split]:
    """Training and validation out of the training file, test from its own file."""
    from torchvision.datasets import MNIST  # noqa: PLC0415 - slow to import, and few processes need it

    seen, unseen = (MNIST(root, train=train, download=False) for train in (True, False))
    held_out = len(seen.targets) // VALIDATION_SHARE
    sizes = (len(seen.targets) - held_out, held_out)
    training, validation = map(torch.from_numpy, stratified("mnist", seen.targets.numpy(), sizes))
    splits = {
        "training": (_inputs(seen.data[training]), seen.targets[training]),
        "validation": (_inputs(seen.data[validation]), seen.targets[validation]),
        "test": (_inputs(unseen.data), unseen.targets),
    }
    return _standardised(splits)


def _inputs(images: Tensor) -> Tensor:
    """Bytes [n, 28, 28] as float32 [n, 1, 28, 28] in [0, 1]."""
    return images.unsqueeze(1).float().div_(255)


def _standardised(splits: dict[str, Split]) -> dict[str, Split]:
    """Inputs less the mean of the training set, over its deviation, in place (they were made for it)."""
    x, _ = splits["training"]
    deviation, mean = (float(value) for value in torch.std_mean(x))
    return {name: (x.sub_(mean).div_(deviation), y) for name, (x, y) in splits.items()}
