"""Mini-batch SGD on one node: the baseline that every other method is held against.

Robbins & Monro (1951); Bottou, Curtis & Nocedal (2018), Optimization methods for large-scale machine learning, sec. 4.
Differences from the literature: docs/methods/mini_batch.md.

    w ← w₀
    for t = 0, 1, …:
        w ← w − η · mean over the mini-batch of ∇F(x; w)
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import Compute, Program, Report
from rebuttal.methods.bases import Diagram, OneNode


@dataclass(frozen=True)
class MiniBatch(OneNode):
    """One node computes the whole mini-batch."""

    shards: int = 1  # the mini-batch is this many batches, so that K shards see what K workers see

    at_least: ClassVar = {"shards": 1}
    diagram: ClassVar = Diagram("Mini-batch SGD: one node computes all four batches itself", {"shards": 4})
    tried_as: ClassVar = {"mini_batch": {"shards": 6}}

    def reads(self, workers: int) -> int:
        """As many as there are in its mini-batch."""
        return self.shards

    def train(self, task: Any) -> Program:
        """Gradient, update, report."""
        w, t = task.start(), 0
        while (yield Report(w)):
            g = yield Compute(task.gradient, (w, *[(k, t) for k in range(self.shards)]))
            w = yield Compute(task.update, (w, g))
            t += 1
