"""Laws: what every method must be in its degenerate case, and what theory says of clocks and staleness.

Values are compared in float64 on the batched, the exact and the eager path; orders on the symbolic one.
"""

import math

import numpy as np
import pytest
import torch
from runs import METHODS, Fixed, layered_costs, machine, run
from values import UPDATES, eager_weights, weights_of

from rebuttal.core.update_rules import Momentum, RMSProp
from rebuttal.machines import order_statistics
from rebuttal.machines.stragglers import Exponential, NoStragglers, Pareto, ShiftedExponential
from rebuttal.replaying.batch_merging import merged
from rebuttal.replaying.curves import Curves, Evaluator
from rebuttal.replaying.engine import Replayer, replay
from rebuttal.simulation.timeline_metrics import gradients, summary
from rebuttal.workloads import load

RATES, SEEDS = (0.05, 0.2), (0, 1)


@pytest.fixture(scope="module")
def deep():
    return load("digits_deep").double()


@pytest.fixture(scope="module")
def cnn():
    return load("digits_cnn").double()


# --- replay equals the oracle, for every method ---------------------------------------------------------------


@pytest.mark.parametrize("name", METHODS)
def test_replay_equals_the_eager_run_to_the_bit_if_exact_and_to_rounding_if_batched(deep, name):
    program, options = METHODS[name]
    timeline, expected = run(program, options, updates=UPDATES), eager_weights(program, options, deep, 0.2)
    assert torch.equal(weights_of(timeline, deep, 0.2, exact=True), expected)
    torch.testing.assert_close(weights_of(timeline, deep, 0.2), expected, rtol=1e-12, atol=1e-12)


# A rule's state goes through a run as the weights do, all 12 updates of it above; here are enough for it to be used.
FEW = 5


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("rule", [Momentum(0.9), RMSProp()], ids=lambda rule: type(rule).__name__)
def test_exact_replay_with_a_rule_that_has_a_state_equals_the_eager_run_to_the_bit(deep, name, rule):
    program, options = METHODS[name]
    found = weights_of(run(program, options, updates=FEW), deep, 0.05, exact=True, rule=rule)
    assert torch.equal(found, eager_weights(program, options, deep, 0.05, rule=rule, updates=FEW))


# Of one worker, options that need several.
ALONE = {"softsync": {"n": 1}, "softsync_aware": {"n": 1}, "backup_workers": {"b": 0}, "k_sync": {"b": 0}}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("layers", [1, 8])
def test_one_worker_is_enough_and_so_is_one_layer(name, layers):
    program, options = METHODS[name]
    alone = ALONE.get(program, options)
    timeline = run(program, alone, workers=1, costs=layered_costs(layers), updates=7)
    assert len(set(timeline.updates["value"].tolist())) == 8


@pytest.mark.parametrize("batch", [1, 7], ids=["one sample", "a batch that does not divide"])
@pytest.mark.parametrize("name", METHODS)
def test_batches_of_any_size_replay_as_they_run(deep, name, batch):
    program, options = METHODS[name]
    given = ALONE.get(program, options)
    found = weights_of(run(program, given, workers=2, updates=3), deep, 0.01, batch=batch)
    expected = eager_weights(program, given, deep, 0.01, workers=2, updates=3, batch=batch)
    assert expected.isfinite().all()
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["asynchronous", "backup_workers", "delayed"])
def test_batched_replay_equals_the_eager_run_on_convolutions(cnn, name):
    program, options = METHODS[name]
    found = weights_of(run(program, options, updates=UPDATES), cnn, 0.2)
    torch.testing.assert_close(found, eager_weights(program, options, cnn, 0.2), rtol=1e-11, atol=1e-11)


def test_the_parameter_server_in_float32_equals_the_eager_run_over_200_updates():
    """16 workers, 5 seeds, 5 learning rates, side by side: 1e-5 relative, in the arithmetic that studies use."""
    workload, rates, updates = load("digits_mlp"), (0.01, 0.02, 0.03, 0.04, 0.05), 200
    timelines = [run("asynchronous", workers=16, updates=updates, seed=seed) for seed in range(5)]
    found = replay(timelines, workload=workload, learning_rates=rates, points=2)
    evaluate = Evaluator(workload, ("test",), 128)
    for seed in range(5):
        rate = rates[
            (2 * seed + 1) % 5
        ]  # each seed and each rate once; that every pair is as alone is the next law
        end = eager_weights("asynchronous", {}, workload, rate, workers=16, updates=updates, seed=seed)
        expected = evaluate(end[None])["test_loss"].item()
        loss = found.test_loss.sel(seed=seed, learning_rate=rate).values[-1]
        assert loss == pytest.approx(expected, rel=1e-5)


def test_learning_rates_and_seeds_in_lockstep_equal_each_alone(deep):
    replayer = Replayer(deep)
    for name in ("synchronous", "asynchronous"):
        timeline = run(name, updates=UPDATES)
        order = replayer.prepare(timeline.order)
        together = replayer.run(order, SEEDS, RATES, [UPDATES]).values["test_loss"]
        for s, seed in enumerate(SEEDS):
            for r, rate in enumerate(RATES):
                alone = replayer.run(order, [seed], [rate], [UPDATES]).values["test_loss"]
                np.testing.assert_allclose(together[s, r], alone[0, 0], rtol=1e-12)


# --- degenerate cases -----------------------------------------------------------------------------------------


def final(name, options, workload, *, workers, exact=False, where=None):
    timeline = run(name, options, workers=workers, updates=UPDATES, machine=where or machine())
    return weights_of(timeline, workload, 0.1, exact=exact)


SAME = [
    ("all_reduce", {}, 4, "mini_batch", {"shards": 4}),
    ("synchronous", {}, 4, "mini_batch", {"shards": 4}),
    ("backup_workers", {"b": 0}, 4, "synchronous", {}),
    ("k_sync", {"b": 0}, 4, "synchronous", {}),
    ("delayed", {"k": 0}, 1, "mini_batch", {}),
    ("asynchronous", {}, 1, "mini_batch", {}),
    ("asynchronous_clipped", {"c": 1e9}, 4, "asynchronous", {}),
    ("softsync", {"n": 1}, 1, "mini_batch", {}),
    ("softsync", {"n": 4}, 4, "asynchronous", {}),
    ("softsync_aware", {"n": 1}, 1, "mini_batch", {}),
]


@pytest.mark.parametrize(("name", "options", "workers", "other", "other_options"), SAME)
@pytest.mark.parametrize("exact", [False, True], ids=["batched", "exact"])
def test_degenerate_cases(deep, name, options, workers, other, other_options, exact):
    one = final(name, options, deep, workers=workers, exact=exact)
    two = final(other, other_options, deep, workers=workers, exact=exact)
    torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "options", "workers", "other", "other_options"), SAME)
def test_degenerate_cases_eagerly(deep, name, options, workers, other, other_options):
    one = eager_weights(name, options, deep, 0.1, workers=workers)
    two = eager_weights(other, other_options, deep, 0.1, workers=workers)
    torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-12)


ONE_ORDER = ("all_reduce", "synchronous", "backup_workers", "k_sync", "softsync")


@pytest.mark.parametrize(
    ("name", "options", "workers", "other", "other_options"),
    [row for row in SAME if row[0] in ONE_ORDER and row[2] > 1],
)
def test_degenerate_cases_have_one_order_and_are_computed_once(name, options, workers, other, other_options):
    orders = [run(*which, workers=workers).order for which in ((name, options), (other, other_options))]
    assert merged(orders[0]).key == merged(orders[1]).key


def test_synchronous_sgd_has_one_order_on_every_machine():
    machines = [machine(Exponential()), machine(NoStragglers(), update_s=0.1), machine(Pareto(2.5))]
    assert len({run("synchronous", machine=where).order.key for where in machines}) == 1
    assert len({run("asynchronous", machine=where).order.key for where in machines}) == 3


def test_asynchronous_sgd_with_equal_workers_is_delayed_sgd(deep):
    """Equal durations make a round robin: staleness is 0, 1, ..., N-1 and N-1 from then on."""
    timeline = run("asynchronous", workers=4, updates=30, machine=machine(NoStragglers()))
    table = gradients(timeline)
    stale = table["staleness"].values[table["update"].values >= 0]
    assert stale[:4].tolist() == [0, 1, 2, 3]
    assert set(stale[4:].tolist()) == {3}


# --- repeats --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", METHODS)
def test_a_virtual_run_repeats_to_the_bit(name):
    program, options = METHODS[name]
    one, two = run(program, options), run(program, options)
    for part in ("computes", "messages", "updates"):
        for column in getattr(one, part):
            np.testing.assert_array_equal(getattr(one, part)[column], getattr(two, part)[column])
    assert one.order.key == two.order.key
    assert run(program, options, seed=1).updates["time_s"].tolist() != one.updates["time_s"].tolist()


# --- clocks ---------------------------------------------------------------------------------------------------

DISTRIBUTIONS = {
    "exponential": Exponential(),
    "shifted exponential": ShiftedExponential(shift=0.5),
    "pareto 2.5": Pareto(2.5),
}


@pytest.mark.parametrize("stragglers", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
@pytest.mark.parametrize(("workers", "b"), [(8, 0), (16, 4)])
def test_iteration_times_are_those_of_order_statistics(stragglers, workers, b):
    """K-sync: the N-th of N + b arrivals; b = 0: the last. Within four standard errors of the mean."""
    timeline = run("k_sync", {"b": b}, workers=workers, updates=1500, machine=machine(stragglers))
    steps = np.diff(timeline.updates["time_s"])
    expected = order_statistics.iteration_time(stragglers, workers, b)
    error = steps.std(ddof=1) / math.sqrt(len(steps))
    assert abs(steps.mean() - expected) < 4 * error
    assert error < 0.1 * expected  # the test would see a tenth


def test_exponential_workers_take_harmonic_numbers():
    """N of N + b exponential workers take H_(N+b) - H_b."""
    H = [0.0, *np.cumsum(1 / np.arange(1, 21))]
    assert order_statistics.iteration_time(Exponential(), 20, 4) == pytest.approx(H[20] - H[4], rel=1e-12)


def test_dropping_late_gradients_is_slower_than_abandoning_them():
    """A late worker of the paper's method finishes first, so the order statistic is a lower bound of its step."""
    drop, abandon = (
        summary(run(name, {"b": 4}, workers=16, updates=400))["seconds_per_update"]
        for name in ("backup_workers", "k_sync")
    )
    assert drop > 1.1 * abandon


@pytest.mark.parametrize("workers", [4, 24])
@pytest.mark.parametrize(
    "stragglers", [NoStragglers(), Exponential(), Pareto(2.5)], ids=["none", "exponential", "pareto"]
)
def test_mean_asynchronous_staleness_is_one_less_than_the_workers(workers, stragglers):
    """Exactly N-1 in the long run: what is in flight at the end and the start-up are the only difference.

    Their share is 1 / (2 x updates of each worker), a quarter of what is allowed.
    """
    updates = 100 * workers
    found = summary(run("asynchronous", workers=workers, updates=updates, machine=machine(stragglers)))
    assert found["staleness_mean"] == pytest.approx(workers - 1, rel=0.02)


@pytest.mark.parametrize("n", [1, 4, 30])
def test_mean_staleness_of_softsync_is_about_n(n):
    """Zhang et al. 2016, figure 4: lambda = 30 learners."""
    found = summary(run("softsync", {"n": n}, workers=30, updates=300 * n))
    assert found["staleness_mean"] == pytest.approx(n, rel=0.1)


@pytest.mark.parametrize("n", [1, 4])
def test_softsync_waits_for_nobody(n):
    found = run("softsync", {"n": n}, workers=8, updates=100, machine=machine(Pareto(2.5)))
    assert summary(found)["utilisation"] == pytest.approx(1.0)


# --- divergence -----------------------------------------------------------------------------------------------


def test_divergence_is_a_marked_result(deep):
    replayer = Replayer(deep)
    order = replayer.prepare(run("asynchronous", updates=60).order)
    curves: Curves = replayer.run(order, [0], [0.05, 1e6], list(range(0, 61, 5)))
    assert np.isnan(curves.diverged_at[0, 0])
    assert 0 < curves.diverged_at[0, 1] <= 60
    assert np.isfinite(curves.values["test_loss"][0, 0]).all()


# --- events by hand -------------------------------------------------------------------------------------------


def test_backup_workers_by_hand():
    """Workers take 1, 2 and 4.5 s, b = 1: steps end at 2, 4, 6, ...; the slow one comes late at 4.5 and 9."""
    where = machine(Fixed(factors=(1.0, 2.0, 4.5)))
    timeline = run("backup_workers", {"b": 1}, workers=3, updates=5, machine=where)
    assert timeline.updates["time_s"].tolist() == [0, 2, 4, 6, 8, 10]
    table = gradients(timeline)
    slow = table.isel(gradient=np.flatnonzero(table["node"] == 3))
    assert slow["end_s"].values.tolist() == [4.5, 9]
    assert slow["version_read"].values.tolist() == [0, 2]
    assert slow["late"].values.tolist() == [True, True]
    assert (slow["update"] == -1).all()
