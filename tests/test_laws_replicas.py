"""Laws of the methods that keep a replica on every node: one order, its degenerate cases, and what is averaged."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from replicas import FORMS, K
from runs import METHODS, layered_machine, run
from values import eager_weights, weights_of

from rebuttal.base.errors import InputError
from rebuttal.core.update_rules import SGD, Momentum, RMSProp, moved
from rebuttal.core.verbs import Compute, Report
from rebuttal.methods import method
from rebuttal.methods.mini_batch import MiniBatch
from rebuttal.replaying.batch_merging import merged
from rebuttal.simulation.timeline_metrics import layer_staleness, progress
from rebuttal.workloads import load
from rebuttal.workloads.quadratic import Quadratic

every_form = pytest.mark.parametrize("form", FORMS)

REPLICAS = [
    "layer_wise", "layer_wise_overlapped", "bucketed", "layer_wise_asynchronous", "layer_wise_lazy",
    "delayed_all_reduce", "delayed_layer_wise", "local_sgd", "elastic_averaging",
]  # fmt: skip


# --- one order ------------------------------------------------------------------------------------------------


@every_form
def test_all_forms_of_synchronous_sgd_have_one_order_and_are_computed_once(form):
    whole, batch = run(*METHODS["all_reduce"]), run("mini_batch", {"shards": K})
    expected = merged(whole.order).key
    assert merged(run(*FORMS[form]).order).key == expected == merged(batch.order).key


@every_form
def test_the_forms_make_the_weights_of_mini_batch_sgd(deep, form):
    rule = Momentum(0.9)
    one = eager_weights(*FORMS[form], deep, 0.1, workers=K, updates=4, rule=rule)
    two = eager_weights("mini_batch", {"shards": K}, deep, 0.1, updates=4, rule=rule)
    torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-12)


# --- buckets --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first_bytes", "cap_bytes", "buckets"),
    [
        (40, 10_000, [[4, 3], [2, 1, 0]]),  # the last layer's 30 do not fill the first bucket
        (30, 100, [[4], [3, 2], [1], [0]]),  # exactly full is full
        (1, 1, [[4], [3], [2], [1], [0]]),
        (10_000, 1, [[4, 3, 2, 1, 0]]),
    ],
)
def test_buckets_are_closed_once_they_have_their_cap(first_bytes, cap_bytes, buckets):
    made: Any = method("bucketed", first_mib=first_bytes / 2**20, cap_mib=cap_bytes / 2**20)
    assert made.buckets([50, 100, 60, 40, 30]) == buckets


def test_the_default_buckets_of_a_large_model():
    """25 MiB, and 1 MiB for the first: five layers of 10 MiB are 10, 30 and 10."""
    made: Any = method("bucketed")
    assert made.buckets([10 * 2**20] * 5) == [[4], [3, 2, 1], [0]]


# --- delays ---------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class DelayedShards(MiniBatch):
    """The reference: mini-batch SGD over all shards, with gradients on the weights of k updates ago."""

    k: int = 0

    def train(self, task):
        past, t = [task.start()], 0
        while (yield Report(past[-1])):
            old = past[max(0, t - self.k)]
            g = yield Compute(task.gradient, (old, *[(p, t) for p in range(self.shards)]))
            past.append((yield Compute(task.update, (past[-1], g))))
            t += 1


@pytest.mark.parametrize("k", [0, 1, 2, 4, 8])
@pytest.mark.parametrize("name", ["delayed_all_reduce", "delayed_layer_wise"])
def test_delays_across_replicas_are_delayed_sgd_over_all_their_shards(name, k):
    reference: Any = DelayedShards(K, k)
    assert merged(run(name, {"k": k}).order).key == merged(run(reference).order).key
    alone = run(name, {"k": k}, workers=1), run("delayed", {"k": k})
    assert merged(alone[0].order).key == merged(alone[1].order).key


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("name", ["delayed_all_reduce", "delayed_layer_wise"])
def test_delays_make_the_weights_of_delayed_sgd(deep, name, k):
    expected = eager_weights("delayed", {"k": k}, deep, 0.1, updates=6)
    for found in (
        eager_weights(name, {"k": k}, deep, 0.1, workers=1, updates=6),
        weights_of(run(name, {"k": k}, workers=1, updates=6), deep, 0.1),
    ):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("k", [0, 1, 3])
@pytest.mark.parametrize("name", ["delayed_all_reduce", "delayed_layer_wise"])
def test_a_delay_is_the_staleness_of_every_layer(name, k):
    table = layer_staleness(run(name, {"k": k}, workers=3, updates=12))
    for side in ("forward_staleness", "backward_staleness"):
        np.testing.assert_array_equal(table[side], np.minimum(k, table["update"] - 1))


# --- local SGD and elastic averaging --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["batched", "eager"])
@pytest.mark.parametrize("rule", [SGD(), Momentum(0.9), RMSProp()], ids=lambda rule: type(rule).__name__)
def test_one_local_step_is_all_reduce_where_the_rule_is_linear(mlp, rule, path):
    weights = []
    for name, options in (("local_sgd", {"H": 1}), ("all_reduce", {})):
        if path == "eager":
            weights.append(eager_weights(name, options, mlp, 0.1, workers=4, rule=rule))
        else:
            weights.append(weights_of(run(name, options, workers=4, updates=12), mlp, 0.1, rule=rule))
    assert torch.allclose(*weights, rtol=1e-12, atol=1e-12) is not isinstance(rule, RMSProp)


@pytest.mark.parametrize(("H", "post"), [(1, 0), (3, 0), (3, 5)])
def test_a_round_of_local_sgd_counts_all_its_samples(H, post):
    timeline = run("local_sgd", {"H": H, "post": post}, updates=9, machine=layered_machine())
    applied = progress(timeline)["batches_applied"].values
    assert np.diff(applied).tolist() == [K if version < post else K * H for version in range(9)]


def test_an_elastic_move_is_of_both_ends_alike():
    """Whatever the centre gains, the worker loses: for each move of the centre there is the opposite one."""
    timeline = run("elastic_averaging", {"tau": 2, "alpha": 0.15}, updates=40)
    graph = timeline.graph
    moves = {
        (*graph.inputs[node], *graph.arguments[node])
        for node, operation in enumerate(graph.operations)
        if operation == "moved"
    }
    centres = timeline.updates["value"][1:-K].tolist()  # the last moves' other ends are still on their way
    made = [(*graph.inputs[node], *graph.arguments[node]) for node in centres]
    assert len(made) > 20
    assert all((worker, centre, alpha) in moves for centre, worker, alpha in made)
    x, centre = (torch.randn(5, dtype=torch.float64),), (torch.randn(5, dtype=torch.float64),)
    after = moved(x, centre, by=0.15)[0] + moved(centre, x, by=0.15)[0]
    torch.testing.assert_close(after, x[0] + centre[0], rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("tau", [1, 3])
def test_elastic_averaging_of_one_worker_by_hand(tau):
    curvature, rate, alpha = 2.0, 0.1, 0.3
    quadratic = Quadratic([curvature], dtype=torch.float64)
    x = centre = quadratic.start(0)
    for t in range(5 * tau + 1):
        before = x
        if t > 0 and t % tau == 0:
            e = alpha * (x - centre)
            x, centre = x - e, centre + e
        x = x - rate * curvature * before
    found = eager_weights(
        "elastic_averaging", {"tau": tau, "alpha": alpha}, quadratic, rate, workers=1, updates=5
    )
    torch.testing.assert_close(found, centre, rtol=1e-12, atol=1e-12)


# --- edges ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "named"),
    [
        ("layer_wise_overlapped", {"channels": 0}, "channels"),
        ("layer_wise_asynchronous", {"channels": -1}, "channels"),
        ("bucketed", {"cap_mib": 0}, "cap_mib"),
        ("bucketed", {"first_mib": -1.0}, "first_mib"),
        ("delayed_all_reduce", {"k": -1}, "k"),
        ("delayed_layer_wise", {"k": -1}, "k"),
        ("local_sgd", {"H": 0}, "H"),
        ("local_sgd", {"post": -1}, "post"),
        ("elastic_averaging", {"tau": 0}, "tau"),
        ("elastic_averaging", {"alpha": 0.0}, "alpha"),
        ("elastic_averaging", {"alpha": 1.0}, "alpha"),
    ],
)
def test_impossible_options_are_refused_by_name(name, options, named):
    with pytest.raises(InputError, match=rf"^{named}: got .*allowed: .*$"):
        method(name, **options)


@pytest.fixture(scope="module")
def mlp():
    return load("digits_mlp").double()


@pytest.fixture(scope="module")
def deep():
    return load("digits_deep").double()
