"""torch.nn.LSTM as it comes: handwritten digits, read row by row."""

from torch import nn

from rebuttal.workloads import load as packaged
from rebuttal.workloads.models import CLASSIFICATION
from rebuttal.workloads.parts import Target
from rebuttal.workloads.workload import assemble


class LastRow(nn.Module):
    """The class of an image from what the network remembers after its last row."""

    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(8, 16, batch_first=True), nn.Linear(16, 10)

    def forward(self, x):
        """Logits [n, 10] of images [n, 8, 8]."""
        return self.head(self.lstm(x)[0][:, -1])


def load(name, data_root=None):
    """The workload; nothing is read from `data_root`."""
    splits = packaged("digits_cnn").splits
    return assemble(
        name,
        source="Data: 200 of scikit-learn's digits for each part. Model: torch.nn.LSTM, 16 units.",
        target=Target("accuracy", "none: a test of the model", (0.5, 0.9)),
        build=LastRow,
        splits={part: (x[:200].reshape(-1, 8, 8), y[:200]) for part, (x, y) in splits.items()},
        objective=CLASSIFICATION,
    )
