"""What is recorded at a point of a curve: of every kind of target, whatever is evaluated at once."""

from dataclasses import replace

import pytest
import torch

from rebuttal import workloads
from rebuttal.replaying import curves
from rebuttal.replaying.curves import Evaluator

# Targets [n] by kernels, [n] by modules, [n, T], and images of levels.
KINDS = ("digits_cnn", "digits_resnet", "pydoc_transformer", "digits_pixelcnn")


@pytest.fixture(scope="module", params=KINDS)
def workload(request):
    loaded = workloads.load(request.param)
    small = {name: (x[:21], y[:21]) for name, (x, y) in loaded.splits.items()}
    return replace(loaded, splits=small)


def test_losses_and_metrics_are_those_of_each_replica_alone(workload):
    weights = torch.stack([workload.start(seed) for seed in range(3)])
    found = Evaluator(workload, ("test",), 8)(weights)
    x, y = workload.splits["test"]
    for row, w in enumerate(weights):
        outputs = workload.predict(w, x)
        for name in ("loss", "metric"):
            expected = float(getattr(workload, name)(outputs, y))
            assert float(found[f"test_{name}"][row]) == pytest.approx(expected, rel=1e-5)


def test_samples_a_few_at_a_time_give_the_same(workload, monkeypatch):
    weights = torch.stack([workload.start(seed) for seed in range(3)])
    whole = Evaluator(workload, ("training", "test"), 21)(weights)
    evaluate = Evaluator(workload, ("training", "test"), 21)
    monkeypatch.setattr(curves, "VALUES_AT_ONCE", 4 * 3 * evaluate._widest)  # 21 samples: 4 at a time, then 1
    seen = []
    monkeypatch.setattr(evaluate, "_of_some", noting(evaluate._of_some, seen))
    for name, column in evaluate(weights).items():
        torch.testing.assert_close(column, whole[name], rtol=1e-5, atol=0)
        assert column.dtype == torch.float64
    assert seen == [4, 4, 4, 4, 4, 1] * 2


def noting(score, seen):
    def scored(weights, x, y):
        seen.append(len(x))
        return score(weights, x, y)

    return scored


def test_a_share_is_counted_exactly_in_half_precision():
    workload = workloads.load("digits_cnn").to(dtype=torch.bfloat16)
    found = Evaluator(workload, ("test",), 8)(workload.start(0).unsqueeze(0))
    x, y = workload.splits["test"]
    right = int((workload.predict(workload.start(0), x).argmax(-1) == y).sum())
    assert float(found["test_metric"][0]) == pytest.approx(right / len(y), abs=1e-6)
