"""The training samples of each gradient of an order, for all seeds at once."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rebuttal.graph import Order
from rebuttal.workloads.batches import batch_indices
from rebuttal.workloads.workload import Workload


class Batches:
    """The training samples of each (shard, step), for all seeds at once."""

    def __init__(self, order: Order, workload: Workload, seeds: Sequence[int], batch: int) -> None:
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

    def rows(self, gradients: Sequence[np.ndarray]) -> Tensor:
        """Sample numbers [g·S, n] of g gradients, each over its own (shard, step) pairs in order."""
        return torch.cat([self._of_one(pairs) for pairs in gradients])

    def _of_one(self, pairs: np.ndarray) -> Tensor:
        """Sample numbers [S, n] of the batches of one gradient."""
        parts = [self._rows[shard][:, step] for shard, step in pairs.tolist()]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
