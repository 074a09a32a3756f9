"""scikit-learn's handwritten digits, with a small MLP and a small CNN. No download."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from rebuttal.base.errors import refuse
from rebuttal.workloads import digits_models, models
from rebuttal.workloads.parts import accuracy
from rebuttal.workloads.splits import stratified
from rebuttal.workloads.workload import Split, Workload, assemble

SOURCE = (
    "Data: Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI repository, doi "
    "10.24432/C50P49; its test part of 1,797 images, as scikit-learn's load_digits ships it. "
)
MODELS = {
    "digits_mlp": (models.digits_mlp, (64,), "Model: perceptron 64-128-10 with ReLU."),
    "digits_deep": (
        models.digits_deep,
        (64,),
        "Model: perceptron of eight layers, 64-48-...-48-10 with ReLU.",
    ),
    "digits_few": (
        models.digits_few,
        (64,),
        "Model: perceptron of sixteen layers of width 24 with ReLU; multi-margin loss; four images of each class.",
    ),
    "digits_cnn": (models.digits_cnn, (1, 8, 8), "Model: two 3x3 convolutions and a linear layer."),
    "digits_resnet": (digits_models.resnet, (1, 8, 8), "Model: four residual blocks (He et al. 2016)."),
    "digits_vit": (
        digits_models.vit,
        (1, 8, 8),
        "Model: a vision transformer (Dosovitskiy et al. 2021), 3 blocks.",
    ),
}
INITIAL = {  # of the others: as their layers say
    "digits_mlp": models.default_initial,
    "digits_deep": models.he_initial,
    "digits_few": models.he_initial,
    "digits_cnn": models.default_initial,
}
OBJECTIVES = {"digits_few": models.MULTI_MARGIN}  # of the others: cross-entropy
TRAINED_ON = {
    "digits_few": 40
}  # the first so many training images, the classes in proportion; of the others: all
SIZES = {"training": 1078, "validation": 359, "test": 360}  # 60, 20 and 20 per cent
TARGET = accuracy((0.80, 0.98))


def load(name: str, data_root: str | Path | None = None) -> Workload:  # all loaders are called alike
    """One of MODELS. The data come with scikit-learn, so `data_root` is not used."""
    build, shape, model_source = MODELS[name]
    splits = _splits(shape)
    x, y = splits["training"]
    splits["training"] = (x[: TRAINED_ON.get(name)], y[: TRAINED_ON.get(name)])
    return assemble(
        name,
        source=SOURCE + model_source,
        target=TARGET,
        build=build,
        splits=splits,
        objective=OBJECTIVES.get(name, models.CLASSIFICATION),
        initial=INITIAL.get(name),
    )


def _splits(shape: tuple[int, ...]) -> dict[str, Split]:
    """The three splits, scaled to [0, 1] and standardised by mean and deviation of the training set."""
    images, labels = read()
    parts = dict(zip(SIZES, stratified("digits", labels, tuple(SIZES.values())), strict=True))
    scaled = images / 16
    training = scaled[parts["training"]]
    inputs = ((scaled - training.mean()) / training.std()).astype(np.float32).reshape(-1, *shape)
    return {
        split: (torch.from_numpy(inputs[part]), torch.from_numpy(labels[part].astype(np.int64)))
        for split, part in parts.items()
    }


def read() -> tuple[np.ndarray, np.ndarray]:
    """Images [1797, 64], grey values from 0 to 16, and their digits, from the file that scikit-learn ships.

    `sklearn.datasets.load_digits` gives the same; importing it takes longer than a stage's own work.
    """
    package = find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise refuse(
            "workload digits", "no package scikit-learn", "scikit-learn installed, which ships the data"
        )
    path = Path(package.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
    rows = np.loadtxt(path, delimiter=",")
    return rows[:, :-1], rows[:, -1].astype(np.int64)
