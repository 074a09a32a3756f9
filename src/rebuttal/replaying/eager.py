"""The oracle: the method itself, run on tensors, one gradient at a time.

Nothing of the graph, the merging or the batching takes part: the same programs run on the same virtual clock, with a
task that computes at once.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rebuttal.replaying.executors import Loop
from rebuttal.rules import SGD, Rule, State
from rebuttal.workloads.batches import batch_indices
from rebuttal.workloads.workload import Workload


class EagerTask:
    """The task that a method sees when its values are tensors: start, gradient, update."""

    def __init__(self, workload: Workload, seed: int, learning_rate: float, batch: int, rule: Rule) -> None:
        self._workload, self._rule, self._seed, self._batch = workload, rule, seed, batch
        self._loop = Loop(workload)
        self._rows: dict[int, Tensor] = {}
        self._learning_rate = torch.tensor(
            [learning_rate], dtype=workload.start(seed).dtype, device=workload.device
        )

    def start(self) -> State:
        """The initial state."""
        return self._rule.start(self._workload.start(self._seed))

    def gradient(self, state: State, *batches: tuple[int, int]) -> Tensor:
        """The gradient [P] at the state's weights over the named batches."""
        x, y = self._workload.splits["training"]
        rows = torch.cat([self._batch_rows(shard, step) for shard, step in batches])
        return self._loop.gradient(state[0], x[rows], y[rows])

    def update(self, state: State, gradient: Tensor) -> State:
        """The state after one update."""
        return self._rule.step(state, gradient, self._learning_rate)

    def _batch_rows(self, shard: int, step: int) -> Tensor:
        """Sample numbers [batch] of one step of one shard; drawn ahead in doubling stretches."""
        rows = self._rows.get(shard)
        if rows is None or step >= len(rows):
            size, steps = self._workload.training_size, 2 * step + 64
            drawn = batch_indices(size, self._batch, self._seed, shard, steps)
            rows = self._rows[shard] = torch.from_numpy(drawn).to(self._workload.device)
        return rows[step]


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

    `versions` names those to keep (default: the last).
    """
    task = EagerTask(workload, seed, learning_rate, batch, rule)
    wanted, kept = set(versions or (updates,)), {}

    def on_report(version: int, state: State) -> None:
        if version in wanted:
            kept[version] = state[0].clone()

    rehearse(task, on_report)
    return kept
