"""A workload of large messages: a wide perceptron on the handwritten digits, of a name `file:PATH` to this file.

Its gradient is sent about as long as it is computed, which no workload of the studies is small enough for.
"""

from pathlib import Path

from torch import nn

from rebuttal import workloads
from rebuttal.workloads.blocks import chained
from rebuttal.workloads.models import CLASSIFICATION
from rebuttal.workloads.parts import Target
from rebuttal.workloads.workload import Workload, assemble

WIDTH = 256


def load(name: str, data_root: str | Path | None = None) -> Workload:
    """The workload; the data come with scikit-learn, so `data_root` is not used."""
    digits = workloads.load("digits_deep", data_root)
    return assemble(
        name,
        source=f"{digits.source} Model here: perceptron of five linear layers, 64-{WIDTH}-...-{WIDTH}-10, ReLU.",
        target=Target("accuracy", "None: its values are not looked at.", sweep=(0.8, 0.98)),
        build=_model,
        splits=digits.splits,
        objective=CLASSIFICATION,
    )


def _model() -> nn.Sequential:
    return chained(
        linear1=nn.Linear(64, WIDTH),
        relu1=nn.ReLU(),
        linear2=nn.Linear(WIDTH, WIDTH),
        relu2=nn.ReLU(),
        linear3=nn.Linear(WIDTH, WIDTH),
        relu3=nn.ReLU(),
        linear4=nn.Linear(WIDTH, WIDTH),
        relu4=nn.ReLU(),
        linear5=nn.Linear(WIDTH, 10),
    )
