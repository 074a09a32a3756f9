"""Local SGD: every worker makes H updates of its own, then all take the mean of their states.

Stich (2019), Local SGD converges fast and communicates little, ICLR, arXiv:1805.09767. Synchronous until update
`post` (post-local SGD): Lin, Stich, Patel & Jaggi (2020), Don't use large mini-batches, use local SGD, ICLR,
arXiv:1808.07217. Differences: docs/methods/local_sgd.md.

    on each of K nodes:  repeat:
        H times:  g ← ∇F(batch_k; w_k);  w_k ← w_k − η g
        w_k ← (1/K) Σ_j w_j  (all-reduce)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.update_rules import averaged
from rebuttal.core.verbs import AllReduce, Compute, Program, Report
from rebuttal.methods.bases import Diagram, Peers


@dataclass(frozen=True)
class LocalSGD(Peers):
    """Communicates once in H steps; a version is the mean of the K states after a round."""

    H: int = 4  # local updates between two averagings
    post: int = 0  # updates at the beginning that are synchronous, by all-reduce of the gradients

    at_least: ClassVar = {"H": 1, "post": 0}
    diagram: ClassVar = Diagram("Local SGD, H = 2: two updates of one's own, then the mean of all", {"H": 2})
    tried_as: ClassVar = {"local_sgd": {"H": 2, "post": 3}}

    def updates(self, versions: int) -> int:
        """How many updates a node's state has had by that version."""
        return min(versions, self.post) + max(0, versions - self.post) * self.H

    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """Node number k of the K."""
        w, t = task.start(), 0
        while (yield Report(w)):
            if t < self.post:
                g = yield Compute(task.gradient, (w, (k, t)))
                G = yield AllReduce("gradient", g, nodes)
                w = yield Compute(task.update, (w, G))
                t += 1
            else:
                for _ in range(self.H):
                    g = yield Compute(task.gradient, (w, (k, t)))
                    w = yield Compute(task.update, (w, g))
                    t += 1
                w = yield AllReduce("state", w, nodes, operation=averaged)
