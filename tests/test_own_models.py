"""Models as people write them: any nn.Module as one stage, and one line that names the layer for what cannot be."""

from typing import Any

import pytest
import torch
import torchvision
from runs import run
from torch import nn
from torch.nn import functional

from rebuttal import workloads
from rebuttal.base.errors import InputError
from rebuttal.replaying.engine import EXACT, replay
from rebuttal.replaying.executors import executors_for
from rebuttal.replaying.probe import measure
from rebuttal.workloads.model_trial import try_model
from rebuttal.workloads.models import CLASSIFICATION
from rebuttal.workloads.parts import Target
from rebuttal.workloads.workload import assemble

CLASSES = 4


class Recurrent(nn.Module):
    """An LSTM over rows of numbers, and its last output."""

    def __init__(self, **options):
        super().__init__()
        self.lstm = nn.LSTM(6, 8, batch_first=True, **options)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class Dense(nn.Module):
    """Two linear layers, with what a test adds to them."""

    def __init__(self, **layers):
        super().__init__()
        self.first, self.second = nn.Linear(6, 8), nn.Linear(8, CLASSES)
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.second(self.hidden(torch.relu(self.first(x))))

    def hidden(self, h):
        norm: Any = getattr(self, "norm", None)
        return h if norm is None else norm(h)


def made(build, *shape, samples=24):
    x = torch.randn(samples, *shape, generator=torch.Generator().manual_seed(0))
    split = (x, torch.arange(samples) % CLASSES)
    return assemble(
        "tried", source="drawn", target=Target("accuracy", "none", (0.5, 0.9)), build=build,
        splits=dict.fromkeys(("training", "validation", "test"), split), objective=CLASSIFICATION,
    )  # fmt: skip


def resnet(**options):
    return torchvision.models.resnet18(num_classes=CLASSES, **options)


def grouped(channels):
    return nn.GroupNorm(8, channels)


@pytest.mark.parametrize(
    ("build", "shape", "rate"),
    [(lambda: resnet(norm_layer=grouped), (3, 8, 8), 0.002), (Recurrent, (5, 6), 0.5), (Dense, (6,), 0.2)],
    ids=["resnet18", "lstm", "module"],
)
def test_a_module_trains_as_it_comes(build, shape, rate):
    workload = made(build, *shape)
    try_model(workload)
    assert [layer.name for layer in workload.layers] == ["model"]
    timeline = run("mini_batch", {"shards": 1}, updates=6, batch=8)
    curves = replay(timeline, workload=workload, learning_rates=[rate], points=2, table=EXACT)
    loss = curves.training_loss.squeeze().values
    assert loss[1] < loss[0]


def test_it_is_what_torch_computes():
    workload = made(Recurrent, 5, 6)
    torch.manual_seed(0)
    model, (x, _) = Recurrent(), workload.splits["training"]
    weights = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    torch.testing.assert_close(workload.predict(weights, x), model(x))
    assert workload.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert float(workload.start(0)[:10].std()) > 0.1  # uniform within 1/sqrt(8), as torch's own


def test_recurrent_layers_are_served_by_the_loop_alone():
    assert [one.name for one in executors_for(made(Recurrent, 5, 6))] == ["loop"]
    assert [one.name for one in executors_for(made(Dense, 6))] == ["loop", "vectorised"]


def test_what_cannot_be_batched_stays_in_the_loop():
    class Looping(Dense):
        def hidden(self, h):
            return h if float(h.detach().sum()) < 1e9 else -h  # no rule for this over several replicas

    (row,) = measure(made(Looping, 6), 8, [1]).seconds.values()
    assert row["loop"]
    assert not row["vectorised"]


class Masked(Dense):
    def hidden(self, h):
        return functional.dropout(h, 0.5)


class Centred(Dense):
    def hidden(self, h):
        return h - h.mean(0)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 6), nn.Linear(6, 6)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(self.first(x))


class Frozen(Dense):
    def __init__(self):
        super().__init__()
        self.first.weight.requires_grad = False


class Symbols(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(10, 8), nn.Linear(8, CLASSES)

    def forward(self, x):
        return self.head(self.embedding(x).mean(1))


BAD = [
    (resnet, (3, 8, 8), "model.bn1: got 'BatchNorm2d'; allowed: GroupNorm or LayerNorm"),
    (lambda: Dense(norm=nn.BatchNorm1d(8)), (6,), "model.norm: got 'BatchNorm1d'; allowed: GroupNorm"),
    (lambda: Dense(norm=nn.Dropout(0.5)), (6,), "model.norm: got 'Dropout'; allowed: a dropout of 0"),
    (lambda: Recurrent(num_layers=2, dropout=0.1), (5, 6), "model.lstm: got 'LSTM'; allowed: a dropout of 0"),
    (Tied, (6,), "model.second.weight: got 'the same weights as model.first.weight'; allowed: weights of"),
    (Frozen, (6,), "model.first.weight: got 'a parameter that is not trained'; allowed: a buffer"),
    (Symbols, (6,), "model.embedding: got samples [3, 6] of torch.float32, on which it fails with RuntimeError"),
    (Masked, (6,), "model: got 'two outputs for the same samples'; allowed: nothing drawn or kept"),
    (Centred, (6,), "model: got 'outputs of a sample that depend on the others'; allowed: a row of outputs"),
    (lambda: Dense(unused=nn.Linear(2, 2)), (6,), "model.unused.weight: got 'weights that the loss does not"),
    (lambda: nn.LSTM(6, 8), (5, 6), "model: got 'outputs that are a tuple'; allowed: a tensor"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("build", "shape", "said"), BAD, ids=lambda one: one[:24] if isinstance(one, str) else ""
)
def test_a_model_that_cannot_be_trained_is_refused_in_one_line(build, shape, said):
    with pytest.raises(InputError) as caught:
        try_model(made(build, *shape))
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_a_file_with_such_a_model_is_refused_when_it_is_loaded(project):
    (project / "bad.py").write_text(
        "import test_own_models\n\n\ndef load(name, data_root=None):\n"
        "    return test_own_models.made(test_own_models.Masked, 6)\n"
    )
    with pytest.raises(InputError, match=r"^model: got 'two outputs for the same samples'"):
        workloads.load("file:bad.py")


def test_nothing_overwrites_what_it_is_given():
    """A model whose first layer works in place leaves the samples as they are."""
    workload = made(lambda: nn.Sequential(nn.ReLU(inplace=True), nn.Linear(6, CLASSES)), 6)
    before = workload.splits["training"][0].clone()
    try_model(workload)
    assert torch.equal(workload.splits["training"][0], before)
