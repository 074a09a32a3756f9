"""SGD with delayed gradients: simulated staleness on one node, every gradient k updates old.

Chen, Pan, Monga, Bengio & Jozefowicz (2016), arXiv:1604.00981, sec. 2.1 (the staleness study). Differences from the
paper: docs/methods/delayed.md.

    for t = 0, 1, …:  w_{t+1} ← w_t − η ∇F(batch_t; w_{t−k}),  with w_s = w_0 for s < 0
"""

from collections import deque
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import Compute, Program, Report
from rebuttal.methods.bases import Diagram, OneNode


@dataclass(frozen=True)
class Delayed(OneNode):
    """Every gradient is computed on the weights of k updates ago (at the start: on the first weights)."""

    k: int = 0  # staleness in updates; 0 is mini-batch SGD

    at_least: ClassVar = {"k": 0}
    diagram: ClassVar = Diagram(
        "Delayed gradients, k = 2: computed on the weights of two updates ago", {"k": 2}
    )
    tried_as: ClassVar = {"delayed": {"k": 3}}

    def train(self, task: Any) -> Program:
        """Gradient on the oldest of the last k + 1 weights, update of the newest."""
        w, t = task.start(), 0
        past = deque([w], maxlen=self.k + 1)
        while (yield Report(w)):
            g = yield Compute(task.gradient, (past[0], (0, t)))
            w = yield Compute(task.update, (w, g))
            past.append(w)
            t += 1
