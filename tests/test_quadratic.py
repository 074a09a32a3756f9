"""The noisy quadratic against its closed forms."""

import pytest
import torch

from rebuttal.base.errors import InputError
from rebuttal.workloads.quadratic import Quadratic

SPECTRUM = (3.0, 1.0, 0.1)


def flat_gradient(workload, weights, x, y):
    weights = weights.detach().requires_grad_()
    return torch.autograd.grad(workload.loss(workload.predict(weights, x), y), weights)[0]


def test_full_batch_gradient_is_the_curvature_times_the_weights():
    workload = Quadratic(SPECTRUM, noise=0.7, dtype=torch.float64)
    weights = workload.start(0)
    expected = torch.tensor(SPECTRUM, dtype=torch.float64) * weights
    gradient = flat_gradient(workload, weights, *workload.splits["training"])
    torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-12)


def test_noise_of_one_sample_is_its_vector_times_the_deviation():
    workload = Quadratic(SPECTRUM, noise=0.7, dtype=torch.float64)
    x, y = (part[:1] for part in workload.splits["training"])
    noisy = flat_gradient(workload, torch.zeros(3, dtype=torch.float64), x, y)
    torch.testing.assert_close(noisy, 0.7 * x[0])


def test_test_loss_is_noise_free():
    workload = Quadratic(SPECTRUM, noise=5.0, dtype=torch.float64)
    weights, (x, y) = workload.start(4), workload.splits["test"]
    outputs = workload.predict(weights, x)
    expected = 0.5 * sum(h * w**2 for h, w in zip(SPECTRUM, weights.tolist(), strict=True))
    assert float(workload.loss(outputs, y)) == pytest.approx(expected)
    assert float(workload.metric(outputs, y)) == pytest.approx(expected)


def test_gradient_descent_follows_its_closed_form():
    workload = Quadratic(SPECTRUM, dtype=torch.float64)
    start, (x, y), rate = workload.start(0), workload.splits["training"], 0.3
    weights = start
    for _ in range(20):
        weights = weights - rate * flat_gradient(workload, weights, x, y)
    factors = torch.tensor([(1 - rate * h) ** 20 for h in SPECTRUM], dtype=torch.float64)
    torch.testing.assert_close(weights, factors * start)


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("spectrum", {"spectrum": []}),
        ("spectrum", {"spectrum": [1, -1]}),
        ("spectrum", {"spectrum": [float("nan")]}),
        ("noise", {"spectrum": [1.0], "noise": -1.0}),
        ("samples", {"spectrum": [1.0], "samples": 0}),
    ],
)
def test_impossible_ones_are_refused(key, given):
    with pytest.raises(InputError, match=f"^{key}: got"):
        Quadratic(**given)
