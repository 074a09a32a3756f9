"""Mini-batch SGD on one node: the baseline that every other method is held against.

Robbins & Monro (1951); Bottou, Curtis & Nocedal (2018), Optimization methods for large-scale machine learning, sec. 4.
Differences from the literature: docs/methods/mini_batch.md.

    w ← w₀
    for t = 0, 1, …:
        w ← w − η · mean over the mini-batch of ∇F(x; w)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core.verbs import Compute, Program, Report


@dataclass(frozen=True)
class MiniBatch:
    """One node computes the whole mini-batch."""

    shards: int = 1  # the mini-batch is this many batches, so that K shards see what K workers see

    servers: ClassVar[int] = 0

    def __post_init__(self) -> None:
        if self.shards < 1:
            raise refuse("shards", self.shards, "a whole number >= 1")

    def nodes(self, workers: int) -> int:
        """One, however many workers the others have."""
        return 1

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """One program."""
        (node,) = nodes
        return {node: self.train(task)}

    def train(self, task: Any) -> Program:
        """Gradient, update, report."""
        w, t = task.start(), 0
        while (yield Report(w)):
            g = yield Compute(task.gradient, (w, *[(k, t) for k in range(self.shards)]))
            w = yield Compute(task.update, (w, g))
            t += 1
