"""How far a method's weights are from those of another, both computed by the oracle.

Nothing is merged, rewritten or batched here: every node of a method computes its own gradients by autograd, layer by
layer where the method does so. Methods that are equal in exact arithmetic then differ by what rounding makes of
another order of the same sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rebuttal.core.update_rules import Rule
from rebuttal.replaying.oracle import eager
from rebuttal.workloads import load


@dataclass(frozen=True)
class Values:
    """What the weights of a run rest on besides the method. dtype: "float32" or "float64"."""

    workload: str
    dtype: str
    seed: int
    batch: int
    learning_rate: float
    rule: Rule


def distances(
    reference: Any, others: Sequence[Any], updates: Sequence[int], values: Values
) -> tuple[np.ndarray, np.ndarray]:
    """(largest difference of any weight from the reference's, the same over the way travelled), [others, updates].

    Each method is given as `eager`'s `rehearse`. The way travelled is the largest change of any weight of the
    reference since the start.
    """
    torch.set_num_threads(1)
    workload = load(values.workload).to(dtype=getattr(torch, values.dtype))

    def weights(rehearse: Any) -> Tensor:
        kept = eager(rehearse, workload, seed=values.seed, learning_rate=values.learning_rate, updates=max(updates),
                     batch=values.batch, rule=values.rule, versions=updates)  # fmt: skip
        return torch.stack([kept[update] for update in updates]).double()

    expected = weights(reference)
    travelled = (expected - workload.start(values.seed)).abs().amax(1)
    largest = torch.stack([(weights(other) - expected).abs().amax(1) for other in others])
    return largest.numpy(), (largest / travelled).numpy()
