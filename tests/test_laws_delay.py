"""Delayed gradients on a quadratic are stable exactly below the bound, by whatever method they come to be delayed.

Without momentum: η λ < 2 sin(π / (2 (2τ + 1))). With momentum m, w_{t+1} = w_t + m (w_t − w_{t−1}) − η λ w_{t−τ} is
stable while all roots of z^{τ+2} − (1 + m) z^{τ+1} + m z^τ + η λ z lie inside the unit circle.
"""

import math

import numpy as np
import pytest
import torch
from quadratic_chain import quadratic_chain
from runs import layered_costs, layered_machine, machine, run
from values import eager_weights, paths_of

from rebuttal.core.update_rules import SGD, Momentum
from rebuttal.machines.stragglers import NoStragglers
from rebuttal.workloads.quadratic import Quadratic

CURVATURE = 2.0
MOMENTUM = 0.9


def bound(tau, momentum=0.0):
    """The largest stable η λ."""
    if not momentum:
        return 2 * math.sin(math.pi / (2 * (2 * tau + 1)))
    low, high = 0.0, 4.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if largest_root(middle, tau, momentum) < 1 else (low, middle)
    return low


def largest_root(a, tau, m):
    """Modulus of the largest root, z = 0 left out."""
    polynomial = np.zeros(tau + 3)
    polynomial[:3] = 1, -(1 + m), m
    polynomial[tau + 1] += a
    return np.abs(np.roots(polynomial)).max()


def test_the_roots_agree_with_the_closed_form_and_with_known_values():
    for tau in range(17):
        assert largest_root(bound(tau), tau, 0.0) == pytest.approx(1, abs=1e-9)
    assert bound(0, MOMENTUM) == pytest.approx(2 * (1 + MOMENTUM))
    assert bound(1, MOMENTUM) == pytest.approx(1 - MOMENTUM)


def stable_exactly_below(tau, momentum, timeline_of, workload, coordinate=0):
    """The path shrinks 2 % below the bound and grows 2 % above it: the last quarter against the one before.

    A quarter is several of the slowest oscillation's periods long.
    """
    rule = Momentum(momentum) if momentum else SGD()
    quarter = 8 * (tau + 1) * (2 if momentum else 1)
    rates = [factor * bound(tau, momentum) / CURVATURE for factor in (0.98, 1.02)]
    late = list(range(2 * quarter + 1, 4 * quarter + 1))
    path = np.abs(paths_of(timeline_of(4 * quarter), workload, rates, late, rule=rule)[:, :, coordinate])
    growth = path[quarter:].max(0) / path[:quarter].max(0)
    assert growth[0] < 1 < growth[1]


every_rule = pytest.mark.parametrize("momentum", [0.0, MOMENTUM])
ONE = Quadratic([CURVATURE], dtype=torch.float64)  # without noise: one sample is as another
CASES = [("delayed", tau) for tau in (0, 1, 2, 3, 4, 8, 16)]
CASES += [(name, tau) for name in ("delayed_all_reduce", "delayed_layer_wise") for tau in (0, 1, 8)]


@every_rule
@pytest.mark.parametrize(("name", "tau"), CASES)
def test_delayed_gradients_on_a_quadratic_are_stable_exactly_below_the_bound(name, tau, momentum):
    stable_exactly_below(tau, momentum, lambda n: run(name, {"k": tau}, workers=1, updates=n), ONE)


@every_rule
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_so_is_asynchronous_sgd_with_equal_workers(workers, momentum):
    where = machine(NoStragglers())
    run_of = lambda n: run("asynchronous", workers=workers, updates=n, machine=where)  # noqa: E731 - a local rule
    stable_exactly_below(workers - 1, momentum, run_of, ONE)


PIPELINES = [
    ("pipedream", {}, lambda s, S: S - 1 - s),
    ("pipedream", {"vertical": True}, lambda _, S: S - 1),
    ("continuous_propagation", {"form": "stash"}, lambda s, S: 2 * (S - 1 - s)),
]


@every_rule
@pytest.mark.parametrize(("S", "s"), [(1, 0), (3, 1), (4, 0)])
@pytest.mark.parametrize(("name", "options", "delay"), PIPELINES)
def test_so_is_every_stage_of_a_pipeline_at_its_own_delay(name, options, delay, S, s, momentum):
    """Stage s has curvature; the others are flat and do not move."""
    chain = quadratic_chain([CURVATURE * (layer == s) for layer in range(S)])
    given = {"workers": S, "costs": layered_costs(S), "machine": layered_machine()}
    stable_exactly_below(delay(s, S), momentum, lambda n: run(name, options, updates=n, **given), chain, s)


@pytest.mark.parametrize("tau", [0, 2])
def test_the_eager_run_has_the_same_bound(tau):
    quadratic = Quadratic([CURVATURE], dtype=torch.float64)
    start = quadratic.start(0).abs()
    for factor, shrinks in ((0.98, True), (1.02, False)):
        rate, updates = factor * bound(tau) / CURVATURE, 400 * (tau + 1)
        end = eager_weights("delayed", {"k": tau}, quadratic, rate, updates=updates)
        assert (end.abs() < start).item() is shrinks
