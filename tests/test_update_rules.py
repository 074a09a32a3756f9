"""Update rules, schedules and averages: against torch.optim, closed forms, and what they are when switched off."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from runs import METHODS, run
from values import Keep, batched, eager_weights, weights_of

from rebuttal.base.errors import InputError
from rebuttal.core.schedules import DECAYS, Schedule
from rebuttal.core.update_rules import (
    RULES,
    SGD,
    Adam,
    AdamW,
    Momentum,
    Recipe,
    described,
    remembered,
    rule,
)
from rebuttal.methods import method, updates
from rebuttal.replaying.batch_merging import merged
from rebuttal.replaying.engine import Replayer, replay
from rebuttal.replaying.horizon import updates_made
from rebuttal.replaying.oracle import eager
from rebuttal.simulation.timeline_metrics import progress
from rebuttal.workloads import load

LINEAR = Recipe(SGD(), Schedule("linear", warm_up=0.25))
FULL = Recipe(AdamW(weight_decay=0.1), Schedule("cosine", warm_up=0.2, final=0.1), average=0.9)
FEW = 5


@pytest.fixture(scope="module")
def mlp():
    return load("digits_mlp")


@pytest.fixture(scope="module")
def deep():
    return load("digits_deep").double()


# --- the rules themselves -----------------------------------------------------------------------------------------

TORCHS = {
    "sgd": (SGD(weight_decay=0.1), lambda p, lr: torch.optim.SGD(p, lr, weight_decay=0.1)),
    "momentum": (Momentum(0.8), lambda p, lr: torch.optim.SGD(p, lr, momentum=0.8)),
    "nesterov": (
        Momentum(0.9, nesterov=True, weight_decay=0.01),
        lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9, nesterov=True, weight_decay=0.01),
    ),
    "adam": (Adam(), torch.optim.Adam),
    "adam, penalised": (
        Adam(0.8, 0.95, 1e-6, 0.1),
        lambda p, lr: torch.optim.Adam(p, lr, (0.8, 0.95), 1e-6, weight_decay=0.1),
    ),
    "adamw": (AdamW(weight_decay=0.2), lambda p, lr: torch.optim.AdamW(p, lr, weight_decay=0.2)),
    "linear": (Recipe(SGD(), Schedule("linear", final=0.1)), torch.optim.SGD),
    "cosine": (Recipe(Adam(), Schedule("cosine")), torch.optim.Adam),
}
UPDATES, RATE = 50, 0.01


def torch_weights(workload, optimiser_of, scheduler_of=None):
    """The weights after as many batches of mini-batch SGD's shard 0, by torch's own loop."""
    module = workload.module(workload.start(0))
    optimiser = optimiser_of(module.parameters(), RATE)
    scheduler = scheduler_of(optimiser) if scheduler_of else None
    for rows in workload.batches(32, 0, 0, UPDATES):
        x, y = workload.samples(torch.from_numpy(rows))
        optimiser.zero_grad()
        workload.loss(module(x), y).backward()
        optimiser.step()
        if scheduler:
            scheduler.step()
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


@pytest.mark.parametrize("name", TORCHS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 5e-6)], ids=str)
def test_fifty_updates_of_mini_batch_are_those_of_torch_optim(mlp, name, dtype, tolerance):
    made, optimiser_of = TORCHS[name]
    schedulers = {
        "linear": lambda o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.1, UPDATES),
        "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, UPDATES),
    }
    workload = mlp.to(dtype=dtype)
    timeline = run("mini_batch", {"shards": 1}, updates=UPDATES)
    found = weights_of(timeline, workload, RATE, rule=made)
    expected = torch_weights(workload, optimiser_of, schedulers.get(name))
    assert (expected - workload.start(0)).abs().max() > 0.01
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


def test_adam_without_memory_takes_steps_of_the_size_of_the_rate():
    weights, gradient = torch.zeros(1, 4), torch.tensor([[3.0, -0.02, 0.0, 1e4]])
    made = Adam(beta1=0.0, beta2=0.0, epsilon=1e-12)
    state = made.start(weights)
    for count in (1, 2):
        state = made.step(state, gradient, 0.1)
        torch.testing.assert_close(state[0], -0.1 * count * gradient.sign())


@pytest.mark.parametrize("name", RULES)
def test_no_weight_decay_is_none_and_a_large_one_shrinks(name):
    weights, nothing, rate = torch.ones(1, 3), torch.zeros(1, 3), torch.tensor(0.1)
    kept, shrunk = (rule(name, weight_decay=decay) for decay in (0.0, 0.5))
    assert torch.equal(kept.step(kept.start(weights), nothing, rate)[0], weights)
    assert (shrunk.step(shrunk.start(weights), nothing, rate)[0] < weights).all()


@pytest.mark.parametrize("made", [*(kind() for kind in RULES.values()), LINEAR, FULL, FULL.over(7)], ids=str)
def test_a_rule_is_made_again_of_its_description(made):
    assert rule(**described(made)) == made


def test_what_a_rule_remembers_does_not_count_its_count():
    kept = {name: remembered(kind()) for name, kind in RULES.items()}
    assert kept == {"sgd": 0, "momentum": 1, "rmsprop": 2, "adam": 2, "adamw": 2}
    assert remembered(FULL) == 2


# --- schedules and averages: switched off, they are nothing -------------------------------------------------------


@pytest.mark.parametrize("exact", [False, True], ids=["batched", "exact"])
@pytest.mark.parametrize("plain", [SGD(), Momentum(0.9), Adam()], ids=lambda one: type(one).__name__)
def test_a_constant_schedule_and_no_average_are_the_plain_rule_to_the_bit(mlp, plain, exact):
    timeline = run("asynchronous", updates=12)
    expected = weights_of(timeline, mlp, 0.05, rule=plain, exact=exact)
    flat = Recipe(plain, Schedule("linear", final=1.0))  # computed as a schedule, of which every factor is 1
    for made in (Recipe(plain), flat, Recipe(plain, Schedule("constant"), average=0.0)):
        assert torch.equal(weights_of(timeline, mlp, 0.05, rule=made, exact=exact), expected)
    assert not torch.equal(
        weights_of(timeline, mlp, 0.05, rule=Recipe(plain, average=0.5), exact=exact), expected
    )


@pytest.mark.parametrize("decay", DECAYS)
def test_factors_begin_at_one_end_at_the_last_and_rise_over_the_warm_up(decay):
    final = 0.25
    plain, warm = Schedule(decay, final=final), Schedule(decay, warm_up=0.5, final=final)
    factors = [plain.factor(made, 100) for made in range(101)]
    assert factors[0] == 1
    assert factors[-1] == pytest.approx(1 if decay == "constant" else final)
    assert factors == sorted(factors, reverse=True)
    rising = [warm.factor(made, 100) for made in range(50)]
    assert rising == pytest.approx([(made + 1) / 50 for made in range(50)])
    assert [warm.factor(50 + 5 * made, 100) for made in range(10)] == pytest.approx(
        [plain.factor(10 * made, 100) for made in range(10)]
    )
    assert plain.factor(150, 100) == factors[-1]  # an update beyond the last one that is reported


def test_the_average_is_of_the_versions_and_begins_as_a_mean_of_few(mlp):
    timeline = run("asynchronous", updates=30)
    versions = list(range(31))
    plain, averaged = (paths(timeline, mlp, made, versions) for made in (SGD(), Recipe(SGD(), average=0.8)))
    assert torch.equal(plain[0], averaged[0])
    a = plain[0]
    for t in versions[1:]:
        d = min(0.8, (1 + t) / (10 + t))
        a = a * d + plain[t] * (1 - d)
        assert torch.equal(averaged[t], a)
    some = paths(timeline, mlp, Recipe(SGD(), average=0.8), [0, 17, 30])
    assert torch.equal(torch.stack([averaged[v] for v in (0, 17, 30)]), some)


def paths(timeline, workload, made, versions):
    replayer, keep = Replayer(workload, rule=made, table=batched(workload)), Keep()
    replayer._evaluate = keep  # pyright: ignore[reportAttributeAccessIssue]
    replayer.run(replayer.prepare(timeline.order), [0], [0.1], versions)
    return torch.stack([keep.weights[number][0] for number in sorted(keep.weights)])


# --- every method ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", METHODS)
def test_replay_of_a_recipe_equals_the_eager_run_to_the_bit_if_exact_and_to_rounding_if_batched(deep, name):
    program, options = METHODS[name]
    timeline = run(program, options, updates=FEW)
    expected = eager_weights(program, options, deep, 0.02, rule=FULL, updates=FEW)
    assert torch.equal(weights_of(timeline, deep, 0.02, exact=True, rule=FULL), expected)
    torch.testing.assert_close(weights_of(timeline, deep, 0.02, rule=FULL), expected, rtol=1e-9, atol=1e-9)


WHOLE = ("all_reduce", "bucketed", "synchronous", "gpipe", "one_forward_one_backward", "zero_bubble")


@pytest.mark.parametrize("name", WHOLE)
def test_replicas_and_stages_with_a_recipe_are_mini_batch_sgd_with_it(deep, name):
    """On tensors, nothing merged: each node, or stage, has its own part of Adam's averages and its own count."""
    program, options = METHODS[name]
    found = eager_weights(program, options, deep, 0.02, rule=FULL, updates=FEW)
    one = eager_weights("mini_batch", {"shards": 6}, deep, 0.02, rule=FULL, updates=FEW)
    if name in ("gpipe", "one_forward_one_backward", "zero_bubble"):
        orders = {merged(run(*METHODS[other], updates=FEW).order).key for other in (name, "gpipe")}
        assert len(orders) == 1
        one = weights_of(run(program, options, updates=FEW), deep, 0.02, rule=FULL)
    torch.testing.assert_close(found, one, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in METHODS if name != "one_sided_lossy"])
def test_progress_is_the_share_of_the_samples_applied(name):
    program, options = METHODS[name]
    timeline, made = run(program, options, updates=24), method(program, **options)
    if updates(made, 24):
        assert updates_made(timeline.order) == updates(made, 24)
    along, order = progress(timeline)["batches_applied"].values, timeline.order
    share = [updates_made(type(order)(order.operations, order.inputs, order.arguments, order.states[: v + 1]))
             for v in range(1, 25)]  # fmt: skip
    assert np.abs(np.array(share) / share[-1] - along[1:] / along[-1]).max() < 0.2


def test_with_decay_the_last_updates_are_small(deep):
    timeline = run("backup_workers", {"b": 2}, updates=40)
    plain, decayed = (
        paths(timeline, deep, made, [0, 1, 39, 40]) for made in (SGD(), Recipe(SGD(), Schedule("linear")))
    )
    first, last = ((one[1] - one[0]).norm() for one in (plain, decayed)), (decayed[3] - decayed[2]).norm()
    assert math.isclose(*first)
    assert last < 0.1 * (plain[3] - plain[2]).norm()


def test_momentum_that_makes_up_for_delay_follows_the_schedule(deep):
    for mitigation in ("spike", "prediction"):
        options = {"mitigation": mitigation}
        made: Any = Recipe(Momentum(0.9), Schedule("linear"))
        timeline = run("continuous_propagation", options, workers=3, updates=9)
        eagerly = eager_weights(
            "continuous_propagation", options, deep, 0.01, workers=3, updates=9, rule=made
        )
        assert torch.equal(weights_of(timeline, deep, 0.01, exact=True, rule=made), eagerly)
        plain = eager_weights(
            "continuous_propagation", options, deep, 0.01, workers=3, updates=9, rule=Momentum(0.9)
        )
        assert not torch.allclose(plain, eagerly)
        for refused in (Adam(), Recipe(Adam(), Schedule("linear"))):
            with pytest.raises(InputError, match="rule: got 'adam'; allowed: sgd, momentum"):
                weights_of(timeline, deep, 0.01, rule=refused)
        with pytest.raises(InputError, match=r"rule\.nesterov: got True; allowed: false"):
            weights_of(timeline, deep, 0.01, rule=Momentum(nesterov=True))


def test_curves_of_a_recipe_through_the_front_door(mlp):
    timelines = [run("asynchronous", updates=16, seed=seed) for seed in (0, 1)]
    made = rule("adamw", weight_decay=0.01, schedule={"decay": "cosine"}, average=0.99)
    curves = replay(
        timelines, learning_rates=[0.001, 0.01], rule=made, workload=mlp, points=3, table=batched(mlp)
    )
    alone = replay(timelines[1], learning_rates=[0.01], rule=made, workload=mlp, points=3, exact=True)
    found = curves.test_loss.sel(seed=[1], learning_rate=[0.01])
    assert np.allclose(found, alone.test_loss, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (
            lambda: Schedule("liner"),
            "schedule.decay: got 'liner'; allowed: constant, linear, cosine, exponential",
        ),
        (lambda: Schedule("linear", warm_up=1.0), "schedule.warm_up: got 1.0; allowed: a share of the run"),
        (lambda: Schedule("exponential"), r"schedule.final: got 0.0; allowed: .* above 0"),
        (lambda: Recipe(SGD(), average=1.0), r"average: got 1.0; allowed: a number in \[0, 1\)"),
        (lambda: rule("adam", beta=0.9), "rule.adam: got 'beta'; allowed: beta1, beta2"),
        (
            lambda: rule("sgd", schedule={"warmup": 0.1}),
            "schedule: got 'warmup'; allowed: decay, warm_up, final",
        ),
        (lambda: rule("sgd", weight_decay=-1.0), "weight_decay: got -1.0; allowed: a number >= 0"),
        (lambda: Adam(beta2=1.0), r"beta2: got 1.0; allowed: a number in \[0, 1\)"),
        (lambda: Adam(epsilon=0.0), "epsilon: got 0.0; allowed: a positive number"),
        (lambda: LINEAR.over(0), "schedule.decay: got 'linear'; allowed: constant where"),
    ],
)
def test_refusals_are_one_line(make, line):
    with pytest.raises(InputError, match=line):
        make()


def test_the_oracle_reports_averages_too(mlp):
    kept = {}
    for made in (Recipe(SGD(), average=0.5), SGD()):

        def rehearsal(task, on_report):
            w = task.start()
            on_report(0, w)
            on_report(1, task.update(w, task.gradient(w, (0, 0))))

        kept[type(made)] = eager(
            rehearsal, mlp, seed=0, learning_rate=1.0, updates=1, rule=made, versions=(0, 1)
        )
    d = 2 / 11
    expected = kept[SGD][0] * d + kept[SGD][1] * (1 - d)
    assert torch.equal(kept[Recipe][1], expected)
