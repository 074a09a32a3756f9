"""Laws of PPRS and of the accelerated gradient: values, rates of convergence, and time against depth."""

import math

import numpy as np
import pytest
import torch
from runs import layered_costs, layered_machine, run
from values import UPDATES, eager_weights, weights_of

from rebuttal.base.errors import InputError
from rebuttal.methods.acceleration import paper_settings
from rebuttal.replaying.batch_merging import merged
from rebuttal.replaying.engine import Replayer
from rebuttal.replaying.executor_table import SIZES, Table
from rebuttal.replaying.reordering import perturbations_first
from rebuttal.site.special_cases import CASES
from rebuttal.workloads import load
from rebuttal.workloads.convex import max_abs, optimum, quadratic_strong, quadratic_weak

PLAIN = {"K": 1, "gamma": 0.0}
SUBGRADIENT = PLAIN | {"accelerated": False, "averaged": True}
# Stated, not measured: batched calls are taken wherever there are several replicas.
TABLE = Table({1: {"loop": {1: 1.0}, "vectorised": {size: 0.9 / size for size in SIZES}}})


@pytest.fixture(scope="module")
def deep():
    return load("digits_deep").double()


def losses(name, options, workload, rate, versions, seeds=(0, 1)):
    """Test losses [seed, version] of a run on one stage; the problem's loss is the same for every batch."""
    timeline = run(name, options, workers=1, updates=versions[-1], batch=1)
    replayer = Replayer(workload, batch=1, table=TABLE, splits=("test",))
    found = replayer.run(replayer.prepare(timeline.order), list(seeds), [rate], list(versions))
    return found.values["test_loss"][:, 0]


# --- degenerate cases -----------------------------------------------------------------------------------------

SAME = [(case.method, case.options, case.other, case.other_options) for case in CASES]


@pytest.mark.parametrize(("name", "options", "other", "other_options"), SAME)
def test_smoothing_of_nothing_is_the_accelerated_gradient(deep, name, options, other, other_options):
    """γ = 0 and K = 1; without acceleration it is gradient descent; without the pipeline only the clock differs."""
    one, two = (
        run(*which, workers=4, updates=UPDATES) for which in ((name, options), (other, other_options))
    )
    assert merged(one.order).key == merged(two.order).key
    expected = eager_weights(other, other_options, deep, 0.05, workers=4)
    found = eager_weights(name, options, deep, 0.05, workers=4)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    for exact in (False, True):
        torch.testing.assert_close(weights_of(one, deep, 0.05, exact=exact), expected, rtol=1e-12, atol=1e-12)


def test_smoothing_does_not_depend_on_how_the_model_is_cut(deep):
    options = {"K": 3, "m": 2, "gamma": 0.01}
    orders = [merged(run("pprs", options, workers=n, updates=UPDATES).order).key for n in (1, 2, 5, 8)]
    assert len(set(orders)) == 1
    one = eager_weights("pprs", options, deep, 0.05, workers=1)
    torch.testing.assert_close(
        eager_weights("pprs", options, deep, 0.05, workers=5), one, rtol=1e-12, atol=1e-12
    )
    assert (one - eager_weights("pprs", options | {"gamma": 0.0}, deep, 0.05, workers=1)).abs().max() > 1e-6


def test_averaged_reports_are_means_of_the_others(deep):
    """ȳ_t = (y_1 + … + y_t)/t, which does not change what is computed from it."""
    options = {"K": 2, "gamma": 0.01, "m": 2}
    each = [eager_weights("pprs", options, deep, 0.05, workers=2, updates=t) for t in (1, 2, 3)]
    mean = eager_weights("pprs", options | {"averaged": True}, deep, 0.05, workers=2, updates=3)
    torch.testing.assert_close(mean, sum(each) / 3, rtol=1e-12, atol=1e-12)


def test_perturbations_of_one_state_stand_side_by_side_in_groups():
    order = merged(run("pprs", {"K": 5, "gamma": 0.01}, workers=2, updates=2).order)
    grouped = perturbations_first(order, 3)
    kinds = [name for name in grouped.operations if name in ("perturbed", "gradient")]
    assert kinds == (["perturbed"] * 3 + ["gradient"] * 3 + ["perturbed"] * 2 + ["gradient"] * 2) * 2
    assert all(i < node for node, inputs in enumerate(grouped.inputs) for i in inputs)
    assert perturbations_first(order, 1) == order


# --- rates of convergence -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [quadratic_strong, quadratic_weak])
@pytest.mark.parametrize("options", [{}, {"pipelined": True}], ids=["one node", "pipelined"])
def test_the_accelerated_gradient_obeys_its_bound_on_quadratics(make, options):
    """f(y_T) − f* <= 2 L R²/(T + 1)² with η = 1/L (Nesterov 1983; Beck & Teboulle 2009)."""
    workload, updates = make().double(), range(1, 121)
    curved = next(iter(workload.template.buffers())) > 0
    bound = {s: 2 * float((workload.start(s)[curved] ** 2).sum()) for s in (0, 1)}
    found = losses("nesterov", options, workload, 1.0, updates) - optimum(workload)
    assert all((found[s] * (np.array(updates) + 1) ** 2 <= bound[s]).all() for s in (0, 1))
    assert (found >= 0).all()


def slope(updates, errors):
    """d log(error) / d log(T), by least squares over means of seeds."""
    return np.polyfit(np.log(updates), np.log(np.mean(errors, axis=1)), 1)[0]


def test_the_error_falls_as_one_over_t_where_that_of_sub_gradients_falls_as_one_over_its_root():
    """On max_i |w_i| with L = R = 1, each with its theory's step for the horizon T."""
    d, horizons = 100, (50, 100, 200, 400)
    workload = max_abs(d, stages=1).double()
    smoothed, plain = [], []
    for T in horizons:
        paper = paper_settings(T, d)
        options = {"K": int(paper["K"]), "gamma": paper["gamma"]}
        smoothed.append(losses("pprs", options, workload, paper["eta"], [T])[:, 0])
        plain.append(losses("pprs", SUBGRADIENT, workload, 1 / math.sqrt(T), [T])[:, 0])
    assert slope(horizons, smoothed) < -0.95
    assert -0.65 < slope(horizons, plain) < -0.25
    assert (np.mean(smoothed, axis=1) <= 2 * d**0.25 / np.array(horizons)).all()
    assert np.mean(smoothed[-1]) < np.mean(plain[-1]) / 2


# --- time against depth ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 2, 8, 20])
@pytest.mark.parametrize(("K", "m"), [(1, 1), (4, 1), (3, 5)])
def test_an_update_takes_the_pipeline_units_of_the_paper(depth, K, m):
    """2 (m K + Δ − 1) in one pipeline fill, 2 m K Δ one pass after the other, with unit passes and free links."""
    for pipelined, units in ((True, 2 * (m * K + depth - 1)), (False, 2 * m * K * depth)):
        timeline = run(
            "pprs",
            {"K": K, "m": m, "pipelined": pipelined},
            workers=depth,
            updates=3,
            machine=layered_machine(),
            costs=layered_costs(depth, 1.0, 1.0),
        )
        assert timeline.updates["time_s"].tolist() == [0, units, 2 * units, 3 * units]


def test_a_deep_problem_costs_little_more_than_a_shallow_one():
    """From depth 2 to 20 PPRS takes (m K + 19)/(m K + 1) times as long, and gradient descent 10 times."""
    K, seconds = 50, {}
    for depth in (2, 20):
        for name, options in (("pprs", {"K": K}), ("model_parallel", {})):
            where = {"machine": layered_machine(), "costs": layered_costs(depth, 1.0, 1.0)}
            seconds[name, depth] = run(name, options, workers=depth, updates=2, **where).end_s
    assert seconds["pprs", 20] / seconds["pprs", 2] == pytest.approx((K + 19) / (K + 1))
    assert seconds["model_parallel", 20] / seconds["model_parallel", 2] == pytest.approx(10)


# --- settings -------------------------------------------------------------------------------------------------


def test_the_settings_scale_with_radius_and_slope():
    assert paper_settings(399, 256) == {
        "K": 25,
        "gamma": pytest.approx(1 / 1600),
        "eta": pytest.approx(1 / 1600),
    }
    assert paper_settings(399, 256, R=2.0, L=4.0)["eta"] == pytest.approx(2 / 6400)


@pytest.mark.parametrize(
    ("name", "option", "given"),
    [
        ("pprs", "K", 0),
        ("pprs", "m", 0),
        ("pprs", "gamma", -1.0),
        ("pprs", "gamma", math.inf),
        ("pprs", "gamma", math.nan),
        ("nesterov", "m", 0),
    ],
)
def test_refuses_impossible_smoothing_by_name(name, option, given):
    with pytest.raises(InputError, match=rf"\b{option}: got"):
        run(name, {option: given})


@pytest.mark.parametrize("given", [{"T": 0}, {"d": 0}, {"R": 0.0}, {"L": -1.0}])
def test_refuses_impossible_problems_by_name(given):
    with pytest.raises(InputError, match=f"^{next(iter(given))}: got"):
        paper_settings(**({"T": 10, "d": 4} | given))
