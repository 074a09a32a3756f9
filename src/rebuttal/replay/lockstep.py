"""Compute an order's values for many replicas at once.

A replica is one (seed, learning rate) of one order; all M = S·R of them advance node by node. Values are [M, P], seeds
outermost, so the R learning rates of a seed share its batches.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rebuttal.graph import Order
from rebuttal.replay.executors import Executor
from rebuttal.replay.merging import Ready, use_counts
from rebuttal.replay.probe import Table
from rebuttal.rules import OPERATIONS, Rule
from rebuttal.workloads.batches import batch_indices
from rebuttal.workloads.workload import Workload

Values = dict[int, Any]  # node -> a gradient [M, P], or a state: a tuple of such tensors


@dataclass(frozen=True)
class Gradients:
    """Gradients by the executor that the table says is fastest for the number of replicas at hand."""

    executors: dict[str, Executor]
    table: Table

    def __call__(self, weights: Tensor, x: Tensor, y: Tensor, batches: int) -> Tensor:
        """weights [M, P], x [G, n, ...], y [G, n] -> [M, P]."""
        shared = len(weights) // len(x)
        name, calls = self.table.calls(batches, len(weights))
        serve = self.executors[name].gradients
        groups = -(-len(x) // calls)
        if calls == 1 or groups == len(x) or name == "loop":
            return serve(weights, x, y)
        parts = zip(weights.split(groups * shared), x.split(groups), y.split(groups), strict=True)
        return torch.cat([serve(*part) for part in parts])


class Batches:
    """The training samples of each (shard, step), for all seeds at once."""

    def __init__(self, order: Order, workload: Workload, seeds: Sequence[int], batch: int) -> None:
        self._x, self._y = workload.splits["training"]
        steps: dict[int, int] = {}
        for node, operation in enumerate(order.operations):
            if operation == "gradient":
                for shard, step in order.batches(node).tolist():
                    steps[shard] = max(steps.get(shard, 0), step + 1)
        self._rows = {
            shard: torch.stack(
                [
                    torch.from_numpy(batch_indices(workload.training_size, batch, seed, shard, count))
                    for seed in seeds
                ]
            ).to(workload.device)
            for shard, count in steps.items()
        }

    def samples(self, gradients: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        """x [g·S, n, ...] and y [g·S, n] of g gradients, each over its own (shard, step) pairs in order."""
        rows = torch.cat([self._of_one(pairs) for pairs in gradients])
        return self._x[rows], self._y[rows]

    def _of_one(self, pairs: np.ndarray) -> Tensor:
        """Sample numbers [S, n] of the batches of one gradient."""
        parts = [self._rows[shard][:, step] for shard, step in pairs.tolist()]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


class Lockstep:
    """One order, for all seeds and learning rates; `run` calls `observe(version, weights [M, P])`."""

    def __init__(
        self,
        order: Order,
        workload: Workload,
        rule: Rule,
        gradients: Gradients,
        seeds: Sequence[int],
        learning_rates: Sequence[float],
        batch: int,
    ) -> None:
        self._order = order
        self._rule = rule
        self._gradients = gradients
        self._batches = Batches(order, workload, seeds, batch)
        starts = [workload.start(seed) for seed in seeds]
        self._start = torch.stack([start for start in starts for _ in learning_rates])
        rates = torch.tensor(learning_rates, dtype=self._start.dtype, device=self._start.device)
        self._learning_rates = rates.repeat(len(seeds)).unsqueeze(1)
        self._width = max(1, gradients.table.widest(1) // len(self._start))

    def run(self, observe: Callable[[int, Tensor], bool], versions: set[int]) -> None:
        """Advance to the last of `versions`, observing each; stop early when `observe` returns False.

        A value is let go when nothing more rests on it, so memory is bounded by the values in flight.
        """
        order, uses = self._order, use_counts(self._order)
        values: Values = {}
        ready = Ready(order)
        version_of = {state: version for version, state in enumerate(order.states)}

        def release(number: int) -> None:
            uses[number] -= 1
            if uses[number] == 0:
                del values[number]

        for node in range(len(order.operations)):
            for number, value in self._computed(node, values, ready):
                values[number] = value
                for i in order.inputs[number]:
                    release(i)
            ready.known(node)
            if node in version_of:
                version = version_of[node]
                if version in versions and not observe(version, values[node][0]):
                    return
                release(node)

    def _computed(self, node: int, values: Values, ready: Ready) -> list[tuple[int, Any]]:
        """The node's value, if it is not there; for a gradient also others that one call can compute with it."""
        if node in values:
            return []
        operation = self._order.operations[node]
        inputs = [values[i] for i in self._order.inputs[node]]
        if operation == "gradient":
            return self._ready_gradients(values, ready)
        if operation == "start":
            return [(node, self._rule.start(self._start))]
        if operation == "update":
            return [(node, self._rule.step(inputs[0], inputs[1], self._learning_rates))]
        function, names = OPERATIONS[operation]
        return [(node, function(*inputs, **dict(zip(names, self._order.arguments[node], strict=True))))]

    def _ready_gradients(self, values: Values, ready: Ready) -> list[tuple[int, Any]]:
        nodes = ready.take(self._width)
        batches = [self._order.batches(node) for node in nodes]
        x, y = self._batches.samples(batches)
        states = [values[self._order.inputs[node][0]][0] for node in nodes]
        weights = states[0] if len(nodes) == 1 else torch.cat(states)
        gradients = self._gradients(weights, x, y, len(batches[0]))
        return list(zip(nodes, gradients.split(len(states[0])), strict=True))
