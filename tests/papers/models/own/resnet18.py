"""torchvision.models.resnet18 with group normalisation, an option of its own: digits in three equal colours."""

from torch import nn
from torchvision.models import resnet18

from rebuttal.workloads import load as packaged
from rebuttal.workloads.models import CLASSIFICATION
from rebuttal.workloads.parts import Target
from rebuttal.workloads.workload import assemble


def load(name, data_root=None):
    """The workload; nothing is read from `data_root`."""
    splits = packaged("digits_cnn").splits
    return assemble(
        name,
        source="Data: scikit-learn's digits, 48 of each part. Model: torchvision.models.resnet18.",
        target=Target("accuracy", "none: a test of the model", (0.5, 0.9)),
        build=lambda: resnet18(num_classes=10, norm_layer=lambda channels: nn.GroupNorm(8, channels)),
        splits={
            part: (x[:48].reshape(-1, 1, 8, 8).expand(-1, 3, 8, 8), y[:48]) for part, (x, y) in splits.items()
        },
        objective=CLASSIFICATION,
    )
