"""The convex problems: their loss, their slope, their lowest point."""

from itertools import pairwise

import pytest
import torch

from rebuttal.base.errors import InputError
from rebuttal.replaying.executors import Loop, Vectorised
from rebuttal.workloads import load
from rebuttal.workloads.convex import FACTORIES, hinge, max_abs, optimum, quadratic_strong, quadratic_weak

every_problem = pytest.mark.parametrize("name", FACTORIES)


def loss(workload, weights, split="training"):
    x, y = workload.splits[split]
    return workload.loss(workload.predict(weights, x), y)


def gradient(workload, weights):
    weights = weights.detach().requires_grad_()
    return torch.autograd.grad(loss(workload, weights), weights)[0]


def spread(workload, count, scale):
    """Starts of several seeds, at several distances."""
    return [workload.start(seed) * scale * (1 + seed % 3) for seed in range(count)]


@every_problem
def test_no_chord_lies_below_the_loss(name):
    workload = load(name).double()
    points = spread(workload, 12, 2.0)
    for u, v in pairwise(points):
        for share in (0.25, 0.5, 0.9):
            between = float(loss(workload, share * u + (1 - share) * v))
            chord = share * float(loss(workload, u)) + (1 - share) * float(loss(workload, v))
            assert between <= chord + 1e-12


@every_problem
def test_a_gradient_is_a_sub_gradient(name):
    """f(v) >= f(u) + g(u)·(v − u), also where f has a kink."""
    workload = load(name).double()
    points = [*spread(workload, 8, 1.0), torch.zeros_like(workload.start(0))]
    for u in points:
        g = gradient(workload, u)
        for v in points:
            assert float(loss(workload, v)) >= float(loss(workload, u) + g @ (v - u)) - 1e-12


@every_problem
def test_no_point_is_lower_than_the_optimum(name):
    workload = load(name).double()
    lowest = optimum(workload)
    assert all(float(loss(workload, w)) >= lowest for w in spread(workload, 12, 1.0))


@pytest.mark.parametrize("name", [name for name in FACTORIES if name != "hinge"])
def test_the_optimum_is_at_the_origin(name):
    workload = load(name).double()
    assert float(loss(workload, torch.zeros_like(workload.start(0)))) == optimum(workload) == 0


def test_sub_gradients_come_to_the_optimum_of_hinge():
    """The best of many steps of decreasing size is within 0.2 % of the linear program's value, from above."""
    workload = load("hinge").double()
    lowest, w = optimum(workload), workload.start(0)
    best = float("inf")
    for t in range(1, 4001):
        g = gradient(workload, w)
        w = w - g / g.norm() / t**0.75
        best = min(best, float(loss(workload, w)))
    assert lowest <= best <= 1.002 * lowest
    assert 0.05 < lowest < 0.6  # neither separable nor hopeless


@pytest.mark.parametrize("stages", [1, 5, 12])
def test_max_abs_is_the_largest_value_however_it_is_cut(stages):
    workload = max_abs(12, stages).double()
    assert len(workload.layers) == stages
    for seed in range(5):
        w = workload.start(seed)
        assert float(loss(workload, w)) == float(w.abs().max())
        assert float(w.norm()) == pytest.approx(1, rel=1e-6)
        g = gradient(workload, w)
        assert g.count_nonzero() == 1
        assert float(g.norm()) == 1


def test_among_equals_one_index_of_max_abs_has_the_slope():
    workload = max_abs(6, 3).double()
    g = gradient(workload, torch.tensor([0.5, -0.5, 0.5, 0.1, -0.5, 0.5], dtype=torch.float64))
    assert g.abs().tolist() == [1, 0, 0, 0, 0, 0]


def test_the_quadratics_have_the_curvatures_that_they_are_named_for():
    strong = next(iter(quadratic_strong(8, 50.0).template.buffers()))
    weak = next(iter(quadratic_weak(8, 3).template.buffers()))
    assert strong.min() == pytest.approx(1 / 50)
    assert strong.max() == weak.max() == 1
    assert (weak == 0).tolist() == [False] * 5 + [True] * 3


@every_problem
def test_executors_agree_on_many_replicas_at_once(name):
    workload = load(name).double()
    x, y = (part[:16].unsqueeze(0) for part in workload.splits["training"])
    weights = torch.stack(spread(workload, 6, 1.0))
    one, many = (kind(workload).gradients(weights, x, y) for kind in (Loop, Vectorised))
    torch.testing.assert_close(one, many, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("factory", "key", "given"),
    [
        (max_abs, "dimensions", {"dimensions": 0}),
        (max_abs, "stages", {"dimensions": 3, "stages": 4}),
        (max_abs, "stages", {"stages": 0}),
        (hinge, "points", {"points": 1}),
        (hinge, "features", {"features": 0}),
        (quadratic_strong, "condition", {"condition": 0.5}),
        (quadratic_strong, "spectrum", {"dimensions": 0}),
        (quadratic_weak, "flat", {"flat": 0}),
        (quadratic_weak, "flat", {"dimensions": 4, "flat": 4}),
    ],
)
def test_impossible_problems_are_refused_by_name(factory, key, given):
    with pytest.raises(InputError, match=f"^{key}: got"):
        factory(**given)


def test_other_workloads_have_no_known_optimum():
    with pytest.raises(InputError, match=r"^workload: got 'digits_mlp'"):
        optimum(load("digits_mlp"))
