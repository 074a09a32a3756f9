"""Replay of orders that were run stage by stage: one form for what means the same, and the right numbers."""

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import stage_programs as programs
import torch
from values import Keep

from rebuttal.base.errors import InputError
from rebuttal.base.seeding import generator
from rebuttal.core.update_rules import SGD, Momentum, RMSProp, Rule
from rebuttal.replaying.batch_merging import merged, shortened
from rebuttal.replaying.canonical import canonical
from rebuttal.replaying.context import context_of
from rebuttal.replaying.engine import EXACT, Replayer
from rebuttal.replaying.executor_table import Table
from rebuttal.replaying.executors import Loop
from rebuttal.replaying.modules import ModuleStages
from rebuttal.replaying.operations import OPERATIONS, backward
from rebuttal.replaying.oracle import EagerTask, eager
from rebuttal.replaying.samples import Batches
from rebuttal.replaying.staged import KernelStages, stages_of
from rebuttal.workloads import load

SEEDS, RATES = (0, 1), (0.05, 0.1)
CLOSE: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-12}
TABLE = Table({1: {"loop": {1: 1.0}, "layered": {1: 0.9, 4: 0.5, 64: 0.1}}})  # so that nothing is measured
PROGRAMS = {
    "flushed": partial(programs.flushed, n=4, m=2),
    "clipped_by_stage": programs.clipped_by_stage,
    "one_block": programs.one_block,
    "torn": programs.torn,
    "continuous": programs.continuous,
    "continuous, mitigated": partial(programs.continuous, momentum=True),
    "smoothed": programs.smoothed,
    **{f"at random {seed}": programs.at_random(seed) for seed in range(8)},
}


@pytest.fixture(scope="module")
def deep():
    return load("digits_deep").double()


@pytest.fixture(scope="module")
def cnn():
    return load("digits_cnn").double()


# --- one form for what means the same -------------------------------------------------------------------------


def counts(order):
    return Counter(order.operations)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
@pytest.mark.parametrize("m", [1, 3])
def test_a_pipeline_with_flush_is_mini_batch_sgd(n, m):
    staged = programs.order(partial(programs.flushed, n=n, m=m))
    assert merged(staged).key == merged(programs.order(partial(programs.mini_batch, m=m))).key


def test_smoothing_by_stage_is_smoothing():
    assert canonical(programs.order(programs.smoothed)).key == programs.order(programs.smoothed_whole).key


def test_what_is_not_by_element_stays_with_its_part():
    order = canonical(programs.order(programs.clipped_by_stage))
    assert counts(order)["clipped"] == 4 * 3
    assert counts(order)["gradient"] == 3
    assert counts(order)["forward"] == 0


def test_a_pass_of_which_one_part_is_used_is_computed_for_that_part():
    order = programs.order(programs.one_block)
    assert counts(canonical(order))["gradient"] == 0
    assert work(canonical(order)) == work(order)


def test_activations_that_others_need_are_not_computed_twice():
    def program(task):
        stages = task.stages(2)
        w, x = [stage.start() for stage in stages], stages[0].input(0, 0)
        found = programs.gradients(stages, w, (0, 0))
        h = stages[1].forward(w[1], stages[0].forward(w[0], x))
        other = stages[1].weight_gradient(w[1], h, stages[1].loss(h, 1, 0))
        w = [stages[0].update(w[0], found[0]), stages[1].update(stages[1].update(w[1], found[1]), other)]
        return [task.joined(*w)]

    order = canonical(programs.order(program))
    assert counts(order)["gradient"] == 0
    assert counts(order)["forward"] == 2


def test_only_passes_at_the_weights_of_their_forward_pass_are_gradients():
    found = counts(canonical(programs.order(partial(programs.continuous, steps=8))))
    assert found["gradient"] == 1  # the first batch meets the initial weights on both ways
    assert found["forward"] == 7 * 4


def test_parts_of_a_torn_state_are_the_parts_that_were_joined():
    order = canonical(programs.order(programs.torn))
    joined = {node for node, name in enumerate(order.operations) if name == "joined"}
    parts = [node for node, name in enumerate(order.operations) if name == "part"]
    assert not any(order.inputs[node][0] in joined for node in parts)


def work(order):
    """(units of forward and backward passes, units of updates); a unit is one stage's share of four."""
    passes = {"gradient": 11, "forward": 1, "weight_gradient": 1, "input_gradient": 1}
    numbers = range(len(order.operations))
    updates = [
        1 if order.operations[order.inputs[n][1]] in ("part", "weight_gradient") else 4
        for n in numbers
        if order.operations[n] == "update"
    ]
    return sum(passes.get(name, 0) for name in order.operations), sum(updates)


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_computed_more_often(seed):
    order = programs.order(programs.at_random(seed, steps=12))
    found = canonical(order)
    assert work(found)[0] <= work(order)[0]
    assert work(found)[1] <= work(order)[1]
    assert len(found.states) == len(order.states)


def test_the_canonical_form_is_its_own():
    for program in PROGRAMS.values():
        once = canonical(programs.order(program))
        assert canonical(once).key == once.key


def test_a_long_order_is_rewritten_in_linear_time_without_recursion():
    found = merged(programs.order(partial(programs.flushed, n=2, steps=1000)))
    assert counts(found) == {"start": 1, "gradient": 1000, "update": 1000}
    assert len(shortened(found, 10).operations) == 21


# --- stages of a model ----------------------------------------------------------------------------------------


def context(workload, stages, rule: Rule = SGD(), seeds=SEEDS, rates=RATES, batch=32):
    return context_of(workload, rule, seeds, rates, Batches(workload, seeds, batch), stages)


def near_the_start(workload, seed):
    """Weights [M, P] near the replicas' starts."""
    starts = torch.stack([workload.start(s) for s in SEEDS for _ in RATES])
    noise = torch.randn(starts.shape, generator=torch.Generator().manual_seed(seed), dtype=starts.dtype)
    return starts + 0.05 * noise


def passed(where, weights, n, at=None):
    """(each stage's record, each stage's (δ below, gradient)) on batch (0, 3), backward at weights `at`."""

    def apply(name, inputs, *numbers):
        return OPERATIONS[name](where, inputs, tuple(map(float, numbers)))

    def part(of, l):
        return apply("part", [(of,)], l, n)

    h = [apply("input", [], 0, 3)]
    for l in range(n):
        h.append(apply("forward", [part(weights, l), h[-1]], l, n))
    delta, found = apply("loss", [h[-1]], n - 1, n, 0, 3), {}
    for l in reversed(range(n)):
        given = delta.clone()
        found[l] = backward(
            where, [part(weights if at is None else at, l), h[l + 1], delta], (float(l), float(n))
        )
        assert torch.equal(given, delta)  # it is others' too
        delta = found[l][0]
    return h[1:], [found[l] for l in range(n)]


@pytest.mark.parametrize("kind", [KernelStages, ModuleStages])
@pytest.mark.parametrize(("name", "n"), [("deep", 1), ("deep", 3), ("deep", 8), ("cnn", 2), ("cnn", 3)])
def test_stages_together_give_the_whole_gradient(request, kind, name, n):
    workload = request.getfixturevalue(name)
    weights, where = near_the_start(workload, 0), context(workload, kind(workload))
    _, found = passed(where, weights, n)
    x, y = where.samples(0, 3)
    expected = Loop(workload).gradients(weights, x, y)
    torch.testing.assert_close(torch.cat([own for _, own in found], 1), expected, **CLOSE)


@pytest.mark.parametrize(("name", "n"), [("deep", 4), ("cnn", 3)])
def test_a_backward_pass_at_other_weights_mixes_the_same_by_kernels_and_by_autograd(request, name, n):
    workload = request.getfixturevalue(name)
    one, two = near_the_start(workload, 1), near_the_start(workload, 2)
    kernels, modules = (context(workload, kind(workload)) for kind in (KernelStages, ModuleStages))
    h, found = passed(kernels, one, n, at=two)
    k, expected = passed(modules, one, n, at=two)
    same = passed(kernels, one, n)[1]
    for l in range(n):
        torch.testing.assert_close(h[l].flat(), k[l].flat(), **CLOSE)
        torch.testing.assert_close(found[l][1], expected[l][1], **CLOSE)
        assert l == n - 1 or not torch.allclose(found[l][1], same[l][1])
        if l:
            below = [rows[l - 1].flat_delta(some[l][0]) for rows, some in ((h, found), (k, expected))]
            torch.testing.assert_close(*below, **CLOSE)
            assert torch.equal(h[l - 1].delta(below[0]), found[l][0])
            assert torch.equal(k[l - 1].delta(below[1]), expected[l][0])


@pytest.mark.parametrize("kind", [KernelStages, ModuleStages])
def test_the_halves_of_a_backward_pass_are_its_parts_to_the_bit(deep, kind):
    where, weights = context(deep, kind(deep)), near_the_start(deep, 3)
    h, found = passed(where, weights, 2)
    w, delta = (
        OPERATIONS["part"](where, [(weights,)], (1.0, 2.0)),
        where.stages.loss(h[1], where.samples(0, 3)[1]),
    )
    for name, expected in zip(("input_gradient", "weight_gradient"), found[1], strict=True):
        assert torch.equal(OPERATIONS[name](where, [w, h[1], delta], (1.0, 2.0)), expected)


def test_nothing_below_the_first_stage_needs_a_gradient(deep):
    assert passed(context(deep, stages_of(deep)), near_the_start(deep, 0), 2)[1][0][0] is None


# --- operations on states -------------------------------------------------------------------------------------


def test_perturbations_are_the_same_for_all_learning_rates_and_all_cuts(deep):
    where = context(deep, stages_of(deep))
    state = (near_the_start(deep, 0), torch.zeros(4, deep.parameters))
    found = OPERATIONS["perturbed"](where, [state], (0.5, 3.0, 2.0))
    for m, seed in enumerate((0, 0, 1, 1)):
        X = generator(seed, "perturbation", 3, 2).standard_normal(deep.parameters, dtype="float32")
        torch.testing.assert_close(found[0][m], state[0][m] + 0.5 * torch.from_numpy(X).double(), **CLOSE)
    assert found[1] is state[1]
    part = OPERATIONS["part"](where, [state], (1.0, 3.0))
    piece = OPERATIONS["perturbed_part"](where, [part], (1.0, 3.0, 0.5, 3.0, 2.0))
    assert torch.equal(piece[0], OPERATIONS["part"](where, [found], (1.0, 3.0))[0])


def test_weight_prediction_goes_on_with_the_momentum(deep):
    w, v = near_the_start(deep, 0), near_the_start(deep, 1)
    where = context(deep, stages_of(deep), Momentum())
    found = OPERATIONS["predicted"](where, [(w, v)], (3.0,))
    torch.testing.assert_close(found[0], w - where.learning_rates * 3 * v, **CLOSE)
    assert found[1] is v
    plain = context(deep, stages_of(deep))
    assert OPERATIONS["predicted"](plain, [(w,)], (3.0,))[0] is w


@pytest.mark.parametrize("name", ["predicted", "compensated_update"])
def test_mitigations_that_need_a_momentum_refuse_another_rule(deep, name):
    where = context(deep, stages_of(deep), RMSProp())
    with pytest.raises(InputError, match="rule: got 'rmsprop'; allowed: sgd, momentum"):
        OPERATIONS[name](where, [(torch.zeros(4, 1),) * 3, torch.zeros(4, 1)], (1.0,))


@pytest.mark.parametrize("rule", [Momentum(0.9), Momentum(0.5), SGD()], ids=["0.9", "0.5", "none"])
@pytest.mark.parametrize("D", [0, 1, 4, 10])
def test_spike_compensation_restores_the_impulse_response(deep, rule, D):
    """From its arrival on, a gradient that comes D updates late has moved the weights as if it had not been late."""
    where = context(deep, stages_of(deep), rule)
    impulse, nothing = torch.ones(4, 1, dtype=torch.float64), torch.zeros(4, 1, dtype=torch.float64)
    late = punctual = rule.start(nothing)
    for t in range(D + 60):
        late = OPERATIONS["compensated_update"](where, [late, impulse if t == D else nothing], (float(D),))
        punctual = OPERATIONS["update"](where, [punctual, impulse if t == 0 else nothing], ())
        if t >= D:
            torch.testing.assert_close(late[0], punctual[0], **CLOSE)


def test_without_a_delay_spike_compensation_is_the_plain_update(deep):
    for rule in (SGD(), Momentum()):
        where = context(deep, stages_of(deep), rule)
        inputs = [rule.start(near_the_start(deep, 0)), near_the_start(deep, 1)]
        plain = OPERATIONS["update"](where, inputs, ())
        found = OPERATIONS["compensated_update"](where, inputs, (0.0,))
        assert all(torch.equal(*pair) for pair in zip(plain, found, strict=True))


# --- orders, replayed -----------------------------------------------------------------------------------------


def replayed(order, workload, rates, *, exact=False, seeds=(0,), table=TABLE):
    """Final weights [M, P]."""
    replayer = Replayer(workload, exact=exact, rule=Momentum(), table=table)
    keep: Any = Keep()
    replayer._evaluate = keep
    replayer.run(replayer.prepare(order), seeds, rates, [len(order.states) - 1])
    return keep.weights[0]


def run_eagerly(program, workload, rate, *, seed=0):
    """Final weights [P]."""

    def rehearsal(task, on_report):
        for version, state in enumerate(program(task)):
            on_report(version, state)

    last = len(programs.order(program).states) - 1
    return eager(rehearsal, workload, seed=seed, learning_rate=rate, updates=last, rule=Momentum())[last]


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_exact_replay_equals_the_eager_run_to_the_bit(deep, program):
    found = replayed(programs.order(program), deep, [0.05], exact=True)[0]
    assert torch.equal(found, run_eagerly(program, deep, 0.05))


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_batched_replay_equals_the_eager_run(deep, program):
    found = replayed(programs.order(program), deep, [0.01, 0.05], seeds=(0, 1))
    torch.testing.assert_close(found[1], run_eagerly(program, deep, 0.05), rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(found[2], run_eagerly(program, deep, 0.01, seed=1), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("exact", [True, False])
def test_stages_of_convolutions_are_replayed(cnn, exact):
    program = partial(programs.continuous, n=3)
    order = programs.order(program)
    found = replayed(order, cnn, [0.02], exact=exact)[0]
    torch.testing.assert_close(found, run_eagerly(program, cnn, 0.02), rtol=1e-11, atol=1e-12)


def test_a_model_without_kernels_is_replayed_by_autograd(deep):
    class Other(torch.nn.ReLU):
        pass

    layers = [Other() if isinstance(layer, torch.nn.ReLU) else layer for layer in deep.template]
    other = replace(deep, template=torch.nn.Sequential(*layers))
    names = dict(other.template.named_parameters())
    tensors = tuple((name, *rest) for name, (_, *rest) in zip(names, deep.tensors, strict=True))
    other = replace(other, tensors=tensors)
    assert isinstance(stages_of(other), ModuleStages)
    order = programs.order(programs.continuous)
    found = replayed(order, other, [0.01, 0.05], seeds=(0, 1), table=EXACT)
    torch.testing.assert_close(
        found, replayed(order, deep, [0.01, 0.05], seeds=(0, 1)), rtol=1e-11, atol=1e-12
    )


def test_the_eager_task_knows_the_layers(deep):
    task = EagerTask(deep, 0, 0.1, 32, SGD())
    assert task.layers == 8
    assert sum(task.layer_bytes) == 4 * deep.parameters
    w = task.start()
    assert w.symbol.graph.operations == ["start"]
    assert task.stage(1, 4).part(w).value[0].shape == (1, task.layer_bytes[2] // 4 + task.layer_bytes[3] // 4)
