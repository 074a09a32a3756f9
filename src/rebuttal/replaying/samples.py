"""The training samples of each batch of a run, for all seeds at once."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from rebuttal.core.graph import Order
from rebuttal.workloads.workload import Workload

LEAST_STEPS = 64  # drawn ahead where it is not known how many a shard will have
PLACES = {
    "gradient": 0,
    "input": 0,
    "loss": 2,
}  # where in an operation's arguments its (shard, step) pairs begin


class Batches:
    """The samples of each (shard, step), for all seeds at once, as numbers that `Workload.samples` reads.

    `expected` is how many steps each shard will have, as far as that is known; a later step is drawn when it is asked
    for, and leaves the earlier ones as they were.
    """

    def __init__(
        self, workload: Workload, seeds: Sequence[int], batch: int, expected: Mapping[int, int] | None = None
    ) -> None:
        self._workload, self._seeds, self._batch = workload, seeds, batch
        self._rows = {shard: self._drawn(shard, steps) for shard, steps in (expected or {}).items()}

    def at(self, shard: int, step: int) -> Tensor:
        """Samples [S, n] of one batch."""
        rows = self._rows.get(shard)
        if rows is None or step >= rows.shape[1]:
            rows = self._rows[shard] = self._drawn(shard, max(LEAST_STEPS, 2 * step))
        return rows[:, step]

    def rows(self, gradients: Sequence[np.ndarray]) -> Tensor:
        """Samples [g·S, n] of g gradients, each over its own (shard, step) pairs in order."""
        return torch.cat([self._of_one(pairs) for pairs in gradients])

    def _of_one(self, pairs: np.ndarray) -> Tensor:
        """Samples [S, n] of the batches of one gradient."""
        parts = [self.at(shard, step) for shard, step in pairs.tolist()]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def _drawn(self, shard: int, steps: int) -> Tensor:
        drawn = [self._workload.batches(self._batch, seed, shard, steps) for seed in self._seeds]
        return torch.stack([torch.from_numpy(rows) for rows in drawn]).to(self._workload.device)


def steps_of(order: Order) -> dict[int, int]:
    """How many steps of each shard an order's gradients, inputs and losses are on."""
    steps: dict[int, int] = {}
    for operation, arguments in zip(order.operations, order.arguments, strict=True):
        if operation in PLACES:
            pairs = np.asarray(arguments[PLACES[operation] :], dtype=np.int64).reshape(-1, 2)
            for shard, step in pairs.tolist():
                steps[shard] = max(steps.get(shard, 0), step + 1)
    return steps
