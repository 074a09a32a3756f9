"""The oracle: the method itself, run on tensors, one gradient at a time.

Nothing of merging, lockstep, kernels or executors' tables takes part: the same programs run on the same virtual clock,
with a task that computes at once, by autograd on the ordinary module. Each value also carries its symbol, by which the
clock prices it as it prices a run without values.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from rebuttal.core.graph import Arguments, Graph, Order, Symbol, order_of
from rebuttal.core.partition import groups
from rebuttal.core.task import Derive, Draws, Task
from rebuttal.core.update_rules import SGD, Recipe, Rule
from rebuttal.replaying.context import Context, context_of
from rebuttal.replaying.executors import Loop
from rebuttal.replaying.horizon import Shown, over_order
from rebuttal.replaying.modules import ModuleStages
from rebuttal.replaying.operations import operation_named
from rebuttal.replaying.samples import Batches
from rebuttal.workloads.workload import Workload


@dataclass(frozen=True, slots=True, eq=False)
class Valued:
    """A value of one replica with the symbol that says how it was computed.

    `value` is what operations.py says, for M = 1: tensors [1, P] of a gradient, tuples of them of a state.
    """

    symbol: Symbol
    value: Any = field(repr=False)
    computed: Derive = field(repr=False)

    def derive(self, operation: str, values: tuple["Valued", ...], numbers: Arguments) -> "Valued":
        """The value of an operation on values."""
        return self.computed(operation, values, numbers)


class EagerTask(Task):
    """The task that a method sees when its values are computed at once."""

    def __init__(self, workload: Workload, seed: int, learning_rate: float, batch: int, rule: Rule) -> None:
        compute = Computer.of(workload, seed, learning_rate, batch, rule)
        super().__init__(_Deriving(compute).derive, wire_bytes(workload), Draws(seed))


def wire_bytes(workload: Workload) -> tuple[int, ...]:
    """Bytes of the float32 gradient of each layer that has parameters: a task's `layer_bytes`."""
    sizes = [layer.parameters.stop - layer.parameters.start for layer in workload.layers]
    return tuple(4 * sum(sizes[group.start : group.stop]) for group in groups(tuple(sizes)))


@dataclass(frozen=True)
class Computer:
    """The value of any operation for one replica, from the values of its inputs."""

    context: Context
    loop: Loop

    @staticmethod
    def of(workload: Workload, seed: int, learning_rate: float, batch: int, rule: Rule) -> "Computer":
        """For one seed and one learning rate, by autograd on ordinary modules."""
        batches = Batches(workload, [seed], batch)
        context = context_of(workload, rule, [seed], [learning_rate], batches, ModuleStages(workload))
        return Computer(context, Loop(workload))

    def __call__(self, operation: str, values: Sequence[Any], arguments: Arguments) -> Any:
        """What operations.py says, for M = 1."""
        if operation == "gradient":
            return self._gradient(values[0][0], arguments)
        return operation_named(operation)(self.context, values, arguments)

    def _gradient(self, weights: Tensor, arguments: Arguments) -> Tensor:
        """The gradient [1, P] at weights [1, P] over the batches that (shard, step) pairs name."""
        pairs = zip(arguments[::2], arguments[1::2], strict=True)
        drawn = [self.context.samples(int(shard), int(step)) for shard, step in pairs]
        x, y = (torch.cat(column, 1)[0] for column in zip(*drawn, strict=True))
        return self.loop.gradient(weights[0], x, y).unsqueeze(0)


@dataclass(frozen=True)
class _Deriving:
    """Derives values by computing them, and notes their symbols."""

    compute: Computer
    graph: Graph = field(default_factory=Graph)

    def derive(self, operation: str, inputs: tuple[Valued, ...], arguments: Arguments) -> Valued:
        symbol = self.graph.symbol(operation, [one.symbol for one in inputs], arguments)
        return Valued(symbol, self.compute(operation, [one.value for one in inputs], arguments), self.derive)


def eager(
    rehearse: Any,
    workload: Workload,
    *,
    seed: int,
    learning_rate: float,
    updates: int,
    batch: int = 32,
    rule: Rule = SGD(),
    versions: Sequence[int] = (),
) -> dict[int, Tensor]:
    """Weights [P] by version, from `rehearse(task, on_report)`, which runs a method's programs with this task.

    `versions` names those to keep (default: the last). Where the rule has a schedule, the programs run once before,
    without values, to see how many updates it is over.
    """
    if isinstance(rule, Recipe):
        rule = over_order(rule, _order(rehearse, workload, seed))
    task = EagerTask(workload, seed, learning_rate, batch, rule)
    wanted, kept, shown = set(versions or (updates,)), {}, Shown(rule)

    def on_report(version: int, state: Valued) -> None:
        weights = shown(version, state.value[0])
        if version in wanted:
            kept[version] = weights[0].clone()

    rehearse(task, on_report)
    return kept


def _order(rehearse: Any, workload: Workload, seed: int) -> Order:
    """The order of a run, of its symbols alone."""
    graph, states = Graph(), {}
    rehearse(
        Task(graph.symbol, wire_bytes(workload), Draws(seed)),
        lambda version, state: states.update({version: state.number}),
    )
    return order_of(graph, [states[version] for version in sorted(states)])
