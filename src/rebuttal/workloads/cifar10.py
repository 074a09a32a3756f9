"""CIFAR-10 with small networks of torchvision's blocks."""

from pathlib import Path

from rebuttal.workloads import cifar10_files
from rebuttal.workloads.images import classifier
from rebuttal.workloads.workload import Workload

SOURCE = (
    "Data: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images; read from {files}. "
    "Model: {model}, see workloads/vision_models.py."
)


def load(name: str, data_root: str | Path | None = None) -> Workload:
    """cifar10_MODEL, a model of vision_models.MODELS, from what `cifar10_files.read` finds under the data root."""
    model = name.removeprefix("cifar10_")
    source = SOURCE.format(files=cifar10_files.place(data_root).name, model=model)
    return classifier(name, model, cifar10_files.read(data_root), source)
