"""Compiled replay: every method that works on whole models, on every chain of layers, equals the eager replay."""

import functools
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from runs import METHODS, run
from torch import nn

from rebuttal import workloads
from rebuttal.base.errors import InputError
from rebuttal.core.update_rules import SGD, Adam, Momentum, Rule
from rebuttal.replaying.compiled.layer_chain import chain_of
from rebuttal.replaying.compiled.order_tape import STEPS
from rebuttal.replaying.compiled.whole_orders import Compiled
from rebuttal.replaying.engine import Replayer
from rebuttal.replaying.executor_table import Table
from rebuttal.replaying.executors import Loop
from rebuttal.replaying.kernels import UnsupportedError
from rebuttal.workloads.models import CLASSIFICATION
from rebuttal.workloads.workload import assemble

CHAINS = ("digits_mlp", "digits_deep", "digits_cnn")
RULES = {"sgd": SGD(weight_decay=0.01), "momentum": Momentum(0.9), "nesterov": Momentum(0.5, nesterov=True)}
PREFERRED = Table({1: {"loop": {1: 2.0}, "compiled": {1: 1.0}}})
UPDATES, BATCH = 3, 7


@functools.cache
def order_of(name, updates=UPDATES):
    program, options = METHODS[name]
    return run(program, options, updates=updates).order


@functools.cache
def load(name, double=True):
    """A workload with few samples to be evaluated on, of a number that no pass divides."""
    loaded = workloads.load(name)
    some = {
        split: (x[:n], y[:n])
        for (split, (x, y)), n in zip(loaded.splits.items(), (400, 131, 29), strict=True)
    }
    return replace(loaded, splits=some | {"training": loaded.splits["training"]}).to(
        dtype=torch.float64 if double else torch.float32
    )


def whole_of(replayer):
    """What computes whole orders of chains."""
    assert replayer._whole is not None
    return replayer._whole


def curves(workload, order, *, exact=False, rule: Rule = SGD(), seeds=(0,), rates=(0.05,), table=PREFERRED):
    """The curves of an order at all of its versions, and whether they were computed in one compiled call."""
    replayer = Replayer(workload, batch=BATCH, rule=rule, exact=exact, table=table, training_samples=40)
    whole = not exact and whole_of(replayer).serves(replayer.prepare(order), rule)
    found = replayer.run(replayer.prepare(order), seeds, rates, range(len(order.states)))
    return found, whole


def compare(found, expected, tolerance):
    assert set(found.values) == set(expected.values)
    for name, values in expected.values.items():
        np.testing.assert_allclose(found.values[name], values, rtol=tolerance, atol=tolerance, err_msg=name)
    np.testing.assert_array_equal(found.diverged_at, expected.diverged_at)


@functools.cache
def distinct():
    """The orders of all methods, as they are computed: those that are computed whole, equal ones once."""
    replayer = Replayer(load("digits_deep"), table=PREFERRED)
    prepared = {name: replayer.prepare(order_of(name)) for name in METHODS}
    whole = {name: order for name, order in prepared.items() if whole_of(replayer).serves(order, SGD())}
    return {order.key: (name, order) for name, order in whole.items()}.values()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("workload", CHAINS)
def test_equals_the_eager_replay_of_every_method_on_every_chain(workload, rule):
    chosen = RULES[rule]
    for name, order in distinct():
        if {"predicted", "compensated_update"} & set(order.operations) and rule == "nesterov":
            with pytest.raises(InputError, match=r"rule\.nesterov"):
                curves(load(workload), order, rule=chosen)
            continue
        found, whole = curves(load(workload), order, rule=chosen)
        assert whole, name
        compare(found, curves(load(workload), order, exact=True, rule=chosen)[0], 1e-12)


@pytest.mark.parametrize("workload", CHAINS)
@pytest.mark.parametrize("name", ["asynchronous", "synchronous", "softsync", "delayed"])
def test_in_float32_it_differs_by_rounding_only(name, workload):
    single = load(workload, double=False)
    expected, _ = curves(single, order_of(name, 12), exact=True)
    found, whole = curves(single, order_of(name, 12))
    assert whole
    compare(found, expected, 1e-6)


def test_what_works_on_whole_models_is_computed_in_one_call():
    """All that is left out works stage by stage, learns a loss of its own, or draws perturbations."""
    replayer = Replayer(load("digits_deep"), table=PREFERRED)
    others = {
        operation
        for name in METHODS
        if not whole_of(replayer).serves(order := replayer.prepare(order_of(name)), SGD())
        for operation in set(order.operations) - {"gradient", *STEPS}
    }
    served = [name for name in METHODS if whole_of(replayer).serves(replayer.prepare(order_of(name)), SGD())]
    assert len(served) > len(METHODS) / 2
    assert {"asynchronous", "synchronous", "softsync", "backup_workers", "local_sgd", "delayed"} <= set(
        served
    )
    assert others <= {
        "part", "joined", "input", "forward", "loss", "input_gradient", "weight_gradient", "perturbed",
        "perturbed_part", "synthesizer", "synthetic", "taught", "classifier", "local_delta", "classifier_gradient",
    }  # fmt: skip


def test_seeds_and_learning_rates_are_each_as_alone():
    workload, order = load("digits_mlp"), order_of("asynchronous")
    together, _ = curves(workload, order, seeds=(0, 3), rates=(0.1, 0.5))
    for s, seed in enumerate((0, 3)):
        for r, rate in enumerate((0.1, 0.5)):
            alone, _ = curves(workload, order, exact=True, seeds=(seed,), rates=(rate,))
            for name, values in alone.values.items():
                np.testing.assert_allclose(together.values[name][s, r], values[0, 0], rtol=1e-12)


def test_a_run_that_diverges_ends_where_the_eager_one_does():
    workload, order = load("digits_mlp", double=False), order_of("asynchronous", 12)
    expected, _ = curves(workload, order, exact=True, rates=(1e4,))
    found, _ = curves(workload, order, rates=(1e4,))
    assert np.isfinite(expected.diverged_at).all()
    np.testing.assert_array_equal(found.diverged_at, expected.diverged_at)
    for name, values in expected.values.items():
        np.testing.assert_array_equal(np.isnan(found.values[name]), np.isnan(values))


def test_gradients_are_those_of_the_loop_for_groups_of_replicas_and_many_samples():
    workload = load("digits_cnn")
    weights = torch.stack([workload.start(seed) for seed in range(4)])
    x, y = workload.splits["training"]
    x, y = x[:400].unflatten(0, (2, 200)), y[:400].unflatten(0, (2, 200))
    expected = Loop(workload).gradients(weights, x, y)
    torch.testing.assert_close(Compiled(workload).gradients(weights, x, y), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "layers",
    [
        (
            nn.Conv2d(1, 3, (3, 2), padding=(1, 0), bias=False),
            nn.MaxPool2d((3, 2)),
            nn.Flatten(),
            nn.Linear(18, 10),
        ),
        (nn.MaxPool2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(4, 5, bias=False), nn.Linear(5, 10)),
        (nn.Conv2d(1, 2, 1, padding=2), nn.ReLU(), nn.Conv2d(2, 2, 5), nn.Flatten(), nn.Linear(128, 10)),
    ],
    ids=["uneven windows", "starts with pooling", "more padding than window"],
)
def test_layers_of_any_form_give_the_gradients_of_autograd(layers):
    base = load("digits_cnn")
    module = nn.Sequential(*layers).double()
    made = assemble(
        "made", source="test", target=base.target, build=lambda: module, splits=base.splits,
        objective=CLASSIFICATION,
    )  # fmt: skip
    weights = torch.stack([made.start(seed) for seed in range(2)])
    x, y = (part[:10].unsqueeze(0) for part in made.splits["training"])
    expected = Loop(made).gradients(weights, x, y)
    torch.testing.assert_close(Compiled(made).gradients(weights, x, y), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["digits_resnet", "digits_vit", "digits_few", "quadratic"])
def test_other_models_and_losses_are_left_to_the_other_executors(name):
    with pytest.raises(UnsupportedError):
        chain_of(workloads.load(name))


def test_a_rule_that_has_no_step_is_left_to_the_other_executors():
    workload, order = load("digits_mlp"), order_of("asynchronous")
    found, whole = curves(workload, order, rule=Adam())
    assert not whole
    compare(found, curves(workload, order, rule=Adam(), exact=True)[0], 1e-12)


def test_the_table_decides():
    rows = {32: {"loop": {1: 9.0}, "layered": {8: 3.0}, "compiled": {1: 4.0}},
            512: {"loop": {1: 90.0}, "layered": {8: 50.0}, "compiled": {1: 40.0}}}  # fmt: skip
    table = Table(rows, 32)
    assert not table.prefers("compiled", {1: 10})
    assert table.prefers("compiled", {16: 10})
    assert table.prefers("compiled", {1: 10, 16: 1})
    assert not table.prefers("compiled", {1: 11, 16: 1})
    assert not Table({32: {"loop": {1: 9.0}}}, 32).prefers("compiled", {1: 1})


def test_numba_is_imported_by_what_computes_with_it_alone():
    text = (
        "import sys, torch; from rebuttal import workloads; from rebuttal.replaying.engine import Replayer;"
        "Replayer(workloads.load('digits_mlp')); assert 'numba' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", text], check=False).returncode == 0
