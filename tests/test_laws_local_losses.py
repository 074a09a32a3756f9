"""Laws of synthetic gradients and of decoupled greedy learning."""

import pytest
import torch
from runs import COSTS, layered_costs, layered_machine, machine, run
from torch.nn import functional
from values import UPDATES, eager_weights, weights_of

from rebuttal.base.errors import InputError
from rebuttal.core.update_rules import SGD
from rebuttal.methods import method
from rebuttal.replaying.batch_merging import merged
from rebuttal.replaying.context import context_of
from rebuttal.replaying.modules import ModuleStages
from rebuttal.replaying.operations import OPERATIONS
from rebuttal.replaying.oracle import eager
from rebuttal.replaying.samples import Batches
from rebuttal.replaying.staged import KernelStages
from rebuttal.simulation.simulate import rehearse
from rebuttal.workloads import load
from rebuttal.workloads.convex import max_abs

LOCAL = ["synthetic_gradients", "greedy"]
STAGES, RATE = 4, 0.05


@pytest.fixture(scope="module")
def deep():
    return load("digits_deep").double()


def part(workload, l):
    return ModuleStages(workload).part(l, STAGES)


# --- degenerate cases -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOCAL)
def test_one_stage_has_only_the_true_loss_and_is_mini_batch_sgd(deep, name):
    one = run(name, workers=1, updates=UPDATES)
    assert merged(one.order).key == merged(run("mini_batch", updates=UPDATES).order).key
    expected = eager_weights("mini_batch", {}, deep, RATE)
    torch.testing.assert_close(
        eager_weights(name, {}, deep, RATE, workers=1), expected, rtol=1e-12, atol=1e-12
    )
    for exact in (False, True):
        torch.testing.assert_close(weights_of(one, deep, RATE, exact=exact), expected, rtol=1e-12, atol=1e-12)


def sgd_path(workload):
    """The weights [P] of mini-batch SGD at each version."""

    def rehearsal(task, on_report):
        rehearse(
            method("mini_batch"), task, on_report,
            machine=machine(), costs=COSTS, workers=1, seed=0, updates=UPDATES,
        )  # fmt: skip

    every = tuple(range(UPDATES + 1))
    return eager(rehearsal, workload, seed=0, learning_rate=RATE, updates=UPDATES, versions=every)


def oracle(path):
    """A synthesizer that knows the weights of the stages above, and so the δ that they would send."""

    def synthetic(context, inputs, arguments):
        (_, h), (l, n, shard, step) = inputs, map(int, arguments)
        weights = path[step].expand(context.replicas, -1)
        above = {s: weights[:, context.stages.part(s, n)] for s in range(l + 1, n)}
        records = {}
        for s, w in above.items():
            h = records[s] = context.stages.forward(s, n, w, h)
        delta = context.stages.loss(h, context.samples(shard, step)[1])
        for s in reversed(above):
            delta, _ = context.stages.backward(s, n, above[s], records[s], delta, below=True, own=False)
        return delta

    return synthetic


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_an_oracle_synthesizer_makes_it_back_propagation(deep, monkeypatch, lag):
    """By eager run, exact and batched replay: every stage moves along the path of mini-batch SGD."""
    path = sgd_path(deep)
    options = {"lag": lag}
    timeline = run("synthetic_gradients", options, workers=STAGES, updates=UPDATES)
    unaided = weights_of(timeline, deep, RATE)
    monkeypatch.setitem(OPERATIONS, "synthetic", oracle(path))
    found = [
        eager_weights("synthetic_gradients", options, deep, RATE, workers=STAGES),
        weights_of(timeline, deep, RATE),
        weights_of(timeline, deep, RATE, exact=True),
    ]
    for weights in found:
        torch.testing.assert_close(weights, path[UPDATES], rtol=1e-12, atol=1e-12)
    assert (unaided - path[UPDATES]).abs().max() > 1e-3


@pytest.mark.parametrize("conditioned", [False, True])
def test_a_zero_synthesizer_moves_no_stage_but_the_last_at_first(deep, conditioned):
    """A synthesizer that was never taught answers 0; the one below the last stage is the first to be taught."""
    options, start = {"conditioned": conditioned, "lag": 0}, deep.start(0)
    after = [
        eager_weights("synthetic_gradients", options, deep, RATE, workers=STAGES, updates=t) for t in (1, 2)
    ]
    last, below = part(deep, STAGES - 1), part(deep, STAGES - 2)
    assert torch.equal(after[0][: last.start], start[: last.start])
    assert not torch.equal(after[0][last], start[last])
    assert torch.equal(after[1][: below.start], start[: below.start])
    assert not torch.equal(after[1][below], start[below])


def test_synthetic_gradients_taught_late_stay_zero_for_longer(deep):
    """With lag s the first lesson comes after batch s, so s + 1 updates move the last stage alone."""
    start, last = deep.start(0), part(deep, STAGES - 1)
    for lag in (0, 1, 2):
        still, moved = (
            eager_weights("synthetic_gradients", {"lag": lag}, deep, RATE, workers=STAGES, updates=t)
            for t in (lag + 1, lag + 2)
        )
        assert torch.equal(still[: last.start], start[: last.start])
        assert not torch.equal(moved[: last.start], start[: last.start])


# --- what the learners are ------------------------------------------------------------------------------------


def prepared(workload, kind):
    """(context, record of stage 1 of 4 on batch (0, 0), for 4 replicas) with this kind of stages."""
    rates, seeds = (0.1, 0.2), (0, 1)
    context = context_of(workload, SGD(), seeds, rates, Batches(workload, seeds, 32), kind(workload))
    weights, h = context.starts, context.stages.input(context.samples(0, 0)[0])
    for l in (0, 1):
        h = context.stages.forward(l, STAGES, weights[:, context.stages.part(l, STAGES)], h)
    return context, h


KINDS = pytest.mark.parametrize("kind", [ModuleStages, KernelStages])


@KINDS
@pytest.mark.parametrize("name", ["digits_deep", "digits_cnn"])
def test_a_local_classifier_has_the_gradients_of_autograd(kind, name):
    workload = load(name).double()
    stages = min(STAGES, 3 if name == "digits_cnn" else STAGES)
    rates, seeds = (0.1, 0.2), (0, 1)
    context = context_of(workload, SGD(), seeds, rates, Batches(workload, seeds, 32), kind(workload))
    x, y = context.samples(0, 0)
    h = context.stages.forward(
        0, stages, context.starts[:, context.stages.part(0, stages)], context.stages.input(x)
    )
    place = (0.0, float(stages))
    c = OPERATIONS["classifier"](context, (), place)
    batch = (*place, 0.0, 0.0)
    delta = h.flat_delta(OPERATIONS["local_delta"](context, (c, h), batch))
    gradient = OPERATIONS["classifier_gradient"](context, (c, h), batch)
    for m in range(4):
        flat, weights = h.flat()[m].clone().requires_grad_(), c[0][m].clone().requires_grad_()
        width = flat.shape[1]
        outputs = flat @ weights[: 10 * width].view(10, width).T + weights[10 * width :]
        loss = functional.cross_entropy(outputs, y[m // 2])
        expected = torch.autograd.grad(loss, (flat, weights))
        torch.testing.assert_close(delta[m], expected[0], rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(gradient[m], expected[1], rtol=1e-10, atol=1e-12)


@KINDS
@pytest.mark.parametrize("conditioned", [False, True])
def test_a_synthesizer_learns_by_torchs_adam(kind, conditioned):
    workload = load("digits_deep").double()
    context, h = prepared(workload, kind)
    place = (1.0, float(STAGES))
    batch, target = (*place, 0.0, 0.0), torch.randn(4, 32, 48, dtype=torch.float64)
    c = OPERATIONS["synthesizer"](context, (), (*place, float(conditioned)))
    assert not OPERATIONS["synthetic"](context, (c, h), batch).any()
    for _ in range(5):
        c = OPERATIONS["taught"](context, (c, h, h.delta(target)), (*batch, 0.01))
    classes = functional.one_hot(context.samples(0, 0)[1], 10).double()
    for m in range(4):
        read = torch.cat(
            [h.flat()[m], torch.ones(32, 1), *([classes[m // 2]] if conditioned else [])], 1
        ).double()
        weights = torch.zeros(read.shape[1], 48, dtype=torch.float64, requires_grad=True)
        adam = torch.optim.Adam([weights], lr=0.01)
        for _ in range(5):
            adam.zero_grad()
            (((read @ weights - 32 * target[m]) ** 2).sum() / 32).backward()
            adam.step()
        torch.testing.assert_close(c[0][m], weights.detach(), rtol=1e-9, atol=1e-12)
        found = h.flat_delta(OPERATIONS["synthetic"](context, (c, h), batch))[m]
        torch.testing.assert_close(found, read @ weights.detach() / 32, rtol=1e-9, atol=1e-12)


def test_a_classifier_is_drawn_from_the_seed_alone(deep):
    drawn = []
    for seeds in ((0, 1), (1,)):
        context = context_of(deep, SGD(), seeds, (0.1,), Batches(deep, seeds, 32), KernelStages(deep))
        drawn.append(OPERATIONS["classifier"](context, (), (1.0, 4.0))[0])
    assert torch.equal(drawn[0][1], drawn[1][0])
    assert not torch.equal(drawn[0][0], drawn[0][1])


# --- training, clocks, orders ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "rate"),
    [("greedy", {}, 0.1), ("synthetic_gradients", {"conditioned": True}, 0.003)],
)
def test_every_stage_learns_without_a_gradient_from_above(deep, name, options, rate):
    """The loss of the model falls well below that of training its last stage alone."""
    updates = 200
    end = weights_of(run(name, options, workers=STAGES, updates=updates), deep, rate)
    last, frozen = part(deep, STAGES - 1), deep.start(0)
    frozen[last] = end[last]
    x, y = deep.splits["training"]
    before, after, still = (float(deep.loss(deep.predict(w, x), y)) for w in (deep.start(0), end, frozen))
    assert after < 0.6 * before
    assert after < still


@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.parametrize("stages", [1, 2, 4, 8])
def test_no_stage_waits_for_those_above(name, stages):
    """After the fill, an update takes one forward and one backward pass of one stage, however many stages there are."""
    timeline = run(
        name, workers=stages, updates=10, machine=layered_machine(), costs=layered_costs(stages, 1.0, 2.0)
    )
    assert timeline.updates["time_s"].tolist() == [0, *(stages - 1 + 3 * t for t in range(1, 11))]


def test_greedy_learning_sends_nothing_back():
    timeline = run("greedy", workers=4)
    assert (timeline.messages["destination"] == timeline.messages["source"] + 1).all()
    back = run("synthetic_gradients", workers=4).messages
    assert (back["destination"] == back["source"] - 1).any()


@pytest.mark.parametrize("name", LOCAL)
def test_local_losses_have_one_order_on_every_machine(name):
    assert (
        run(name).order.key
        == run(name, machine=layered_machine(), costs=layered_costs(8, 1.0, 5.0)).order.key
    )


# --- refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "given"),
    [("rate", 0.0), ("rate", float("nan")), ("rate", float("inf")), ("lag", -1)],
)
def test_refuses_impossible_synthesizers_by_name(option, given):
    with pytest.raises(InputError, match=rf"\b{option}: got"):
        run("synthetic_gradients", {option: given})


@pytest.mark.parametrize("name", LOCAL)
def test_refuses_more_stages_than_layers_by_name(name):
    with pytest.raises(InputError, match=r"^workers: got 9"):
        run(name, workers=9)


def test_greedy_learning_refuses_a_workload_without_classes():
    with pytest.raises(InputError, match=r"^workload: got 'max_abs'"):
        weights_of(run("greedy", workers=2, updates=1), max_abs().double(), 0.1)
