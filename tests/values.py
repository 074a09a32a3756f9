"""Final weights of a run, by replay and by running the method itself on tensors."""

from typing import Any

import torch
from runs import COSTS, machine

from rebuttal.core.update_rules import SGD, Rule
from rebuttal.methods import method
from rebuttal.replaying.engine import Replayer
from rebuttal.replaying.executor_table import SIZES, Table
from rebuttal.replaying.executors import executors_for
from rebuttal.replaying.oracle import eager
from rebuttal.simulation.simulate import rehearse

UPDATES = 12


class Keep:
    """Stands in for the evaluation of a replay: keeps the weights themselves."""

    def __init__(self):
        self.weights = {}

    def __call__(self, weights):
        self.weights[len(self.weights)] = weights.clone()
        return {"training_loss": torch.ones(len(weights), dtype=torch.float64)}


def batched(workload):
    """A table that prefers the batched executor for all there is, so that nothing is measured."""
    _, second, *_ = (executor.name for executor in executors_for(workload))
    return Table({1: {"loop": {1: 1.0}, second: {size: 0.9 / size for size in SIZES}}})


def weights_of(timeline, workload, rate, *, exact=False, rule: Rule = SGD(), batch=32):
    """Final weights [P] by replay."""
    replayer = Replayer(workload, batch=batch, exact=exact, rule=rule, table=batched(workload))
    keep: Any = Keep()
    replayer._evaluate = keep
    order = replayer.prepare(timeline.order)
    replayer.run(order, [0], [rate], [len(order.states) - 1])
    return keep.weights[0][0]


def eager_weights(name, options, workload, rate, **given):
    """Final weights [P] by running the method on tensors; `given`: workers, rule, updates, seed, batch,
    machine."""
    workers, updates, seed = given.get("workers", 6), given.get("updates", UPDATES), given.get("seed", 0)
    rule, batch = given.get("rule", SGD()), given.get("batch", 32)

    def rehearsal(task, on_report):
        program = method(name, **options)
        rehearse(
            program, task, on_report,
            machine=given.get("machine") or machine(), costs=COSTS, workers=workers, seed=seed, updates=updates,
        )  # fmt: skip

    found = eager(rehearsal, workload, seed=seed, learning_rate=rate, updates=updates, rule=rule, batch=batch)
    return found[updates]


def paths_of(timeline, workload, rates, versions, *, rule: Rule = SGD()):
    """The weights at these versions for each learning rate, [versions, rates, P], by batched replay."""
    replayer = Replayer(workload, rule=rule, table=batched(workload))
    keep: Any = Keep()
    replayer._evaluate = keep
    replayer.run(replayer.prepare(timeline.order), [0], rates, versions)
    return torch.stack([keep.weights[number] for number in sorted(keep.weights)]).numpy()
