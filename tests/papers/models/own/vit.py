"""torchvision's vision Transformer as it comes, small: handwritten digits in three equal colours."""

from torchvision.models import VisionTransformer

from rebuttal.workloads import load as packaged
from rebuttal.workloads.models import CLASSIFICATION
from rebuttal.workloads.parts import Target
from rebuttal.workloads.workload import assemble


def load(name, data_root=None):
    """The workload; nothing is read from `data_root`."""
    splits = packaged("digits_cnn").splits
    return assemble(
        name,
        source="Data: 200 of scikit-learn's digits for each part. Model: torchvision.models.VisionTransformer.",
        target=Target("accuracy", "none: a test of the model", (0.5, 0.9)),
        build=lambda: VisionTransformer(
            image_size=8, patch_size=4, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=10
        ),
        splits={
            part: (x[:200].reshape(-1, 1, 8, 8).expand(-1, 3, 8, 8), y[:200])
            for part, (x, y) in splits.items()
        },
        objective=CLASSIFICATION,
    )
