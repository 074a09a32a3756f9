"""Synchronous SGD with delayed gradients: what is reduced in one iteration is applied k iterations later.

Daily, Vishnu & Siegel (2017), Leveraging asynchronicity in gradient descent for scalable deep learning, whose abstract
names updates that are delayed a fixed number of times. Differences: docs/methods/delayed_all_reduce.md.

    on each of P nodes, iteration t:  g_p ← ∇F(batch_p; w);  begin G_t ← (1/P) Σ_p g_p  (all-reduce, not blocking)
                                      if t ≥ k:  wait for G_{t−k};  w ← w − η G_{t−k}
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import AllReduce, Compute, Program, Report, Wait
from rebuttal.methods.bases import Diagram, Peers


@dataclass(frozen=True)
class DelayedAllReduce(Peers):
    """Communication has k iterations of computation to hide behind; a gradient is k updates old when it is applied."""

    k: int = 1  # iterations between a gradient and its update; 0 is all-reduce

    at_least: ClassVar = {"k": 0}
    diagram: ClassVar = Diagram("Delayed all-reduce, k = 1: reduced beside the next gradient", {"k": 1})
    tried_as: ClassVar = {"delayed_all_reduce": {"k": 2}}

    def train(self, task: Any, nodes: Sequence[int], p: int) -> Program:
        """Node number p of the P."""
        w, t, begun = task.start(), 0, deque()
        more = yield Report(w)
        while more:
            g = yield Compute(task.gradient, (w, (p, t)))
            begun.append((yield AllReduce("gradient", g, nodes, blocking=False)))
            if t >= self.k:
                w = yield Compute(task.update, (w, (yield Wait(begun.popleft()))))
                more = yield Report(w)
            t += 1
