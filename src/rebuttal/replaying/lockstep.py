"""Compute the values of orders for many replicas at once.

A replica is one (seed, learning rate) of one order; all M = S·R of them advance node by node. Values are [M, P], seeds
outermost, so the R learning rates of a seed share its batches. Several orders advance side by side: each asks for the
gradients that it needs next, and what all of them ask for is computed in one call.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rebuttal.core.graph import Order
from rebuttal.core.update_rules import Rule
from rebuttal.replaying.batch_merging import HALVES, Ready, other_halves, use_counts
from rebuttal.replaying.context import Stages, context_of
from rebuttal.replaying.executor_table import Table
from rebuttal.replaying.executors import Executor
from rebuttal.replaying.horizon import Shown
from rebuttal.replaying.operations import backward, operation_named
from rebuttal.replaying.reordering import perturbations_first
from rebuttal.replaying.samples import Batches, steps_of
from rebuttal.workloads.workload import Workload

Values = dict[int, Any]  # node -> what operations.py says


@dataclass(frozen=True)
class Request:
    """Gradients at some weights, each [M, P], on the samples `rows` [g·S, n], each over so many batches."""

    weights: list[Tensor]
    rows: Tensor
    batches: int


Steps = Generator[Request, Tensor, None]


@dataclass(frozen=True)
class Gradients:
    """Gradients by the executor that the table says is fastest for the number of replicas at hand."""

    executors: dict[str, Executor]
    table: Table
    workload: Workload

    def __call__(self, requests: Sequence[Request]) -> Tensor:
        """The gradients that requests over equally many batches ask for, one request after the other."""
        weights = _joined([one for request in requests for one in request.weights])
        rows = _joined([request.rows for request in requests])
        x, y = self.workload.samples(rows)
        shared = len(weights) // len(x)
        name, calls = self.table.calls(requests[0].batches, len(weights))
        serve = self.executors[name].gradients
        groups = -(-len(x) // calls)
        if groups == len(x) or name == "loop":
            return serve(weights, x, y)
        parts = zip(weights.split(groups * shared), x.split(groups), y.split(groups), strict=True)
        return torch.cat([serve(*part) for part in parts])


def _joined(tensors: list[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors)


class Lockstep:
    """One order, for all its seeds and learning rates. `most` bounds the replicas that it asks for at a time.

    A rule with a schedule has to know how many updates the run makes (`horizon.over_order`).
    """

    def __init__(
        self,
        order: Order,
        workload: Workload,
        rule: Rule,
        seeds: Sequence[int],
        learning_rates: Sequence[float],
        batch: int,
        most: int,
        stages: Stages,
    ) -> None:
        self._context = context_of(
            workload, rule, seeds, learning_rates, Batches(workload, seeds, batch, steps_of(order)), stages
        )
        self._width = max(1, most // self._context.replicas)
        self._order = perturbations_first(order, self._width)
        self._other_half = other_halves(self._order)

    def steps(self, observe: Callable[[int, Tensor], bool], versions: set[int]) -> Steps:
        """Advance to the last of `versions`, asking for gradients on the way.

        `observe(version, weights [M, P])` sees each of the versions, or the average up to it where the rule asks for
        one, and ends the run early by answering False. A value is let go when nothing more rests on it, so memory is
        bounded by the values in flight.
        """
        order, uses = self._order, use_counts(self._order)
        values: Values = {}
        ready = Ready(order)
        shown = Shown(self._context.rule)
        versions_of = _versions_of(order)

        def release(number: int) -> None:
            uses[number] -= 1
            if uses[number] == 0:
                del values[number]

        for node in range(len(order.operations)):
            for number, value in (yield from self._computed(node, values, ready)):
                values[number] = value
                for i in order.inputs[number]:
                    release(i)
            ready.known(node)
            for version in versions_of.get(node, ()):
                weights = shown(version, values[node][0])
                if version in versions and not observe(version, weights):
                    return
                release(node)

    def _computed(
        self, node: int, values: Values, ready: Ready
    ) -> Generator[Request, Tensor, list[tuple[int, Any]]]:
        """The node's value, if it is not there; also others that one call can compute with it."""
        if node in values:
            return []
        operation = self._order.operations[node]
        if operation == "gradient":
            nodes = ready.take(self._width)
            gradients = yield self._request(nodes, values)
            return list(zip(nodes, gradients.split(self._context.replicas), strict=True))
        inputs, arguments = [values[i] for i in self._order.inputs[node]], self._order.arguments[node]
        if node in self._other_half:
            both = backward(self._context, inputs, arguments)
            return [
                (node, both[HALVES.index(operation)]),
                (self._other_half[node], both[operation == HALVES[0]]),
            ]
        return [(node, operation_named(operation)(self._context, inputs, arguments))]

    def _request(self, nodes: Sequence[int], values: Values) -> Request:
        """What asks for the gradients of these nodes, all at once."""
        batches = [self._order.batches(node) for node in nodes]
        states = [values[self._order.inputs[node][0]] for node in nodes]
        rows = self._context.batches.rows(batches)
        return Request([state[0] for state in states], rows, len(batches[0]))


def _versions_of(order: Order) -> dict[int, list[int]]:
    """State -> its versions: one may be reported again."""
    found: dict[int, list[int]] = {}
    for version, state in enumerate(order.states):
        found.setdefault(state, []).append(version)
    return found


def advance(some: Sequence[Steps], gradients: Gradients) -> None:
    """Run orders side by side to their ends. All must have equally many learning rates."""
    waiting = {number: request for number, steps in enumerate(some) if (request := next(steps, None))}
    while waiting:
        size = next(iter(waiting.values())).batches
        alike = {number: request for number, request in waiting.items() if request.batches == size}
        found = gradients(list(alike.values()))
        counts = [sum(map(len, request.weights)) for request in alike.values()]
        for number, part in zip(alike, found.split(counts), strict=True):
            del waiting[number]
            try:
                waiting[number] = some[number].send(part)
            except StopIteration:
                continue
