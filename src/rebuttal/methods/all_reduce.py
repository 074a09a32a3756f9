"""Synchronous SGD by all-reduce: every node keeps a replica, and all apply the same mean gradient.

Patarasu & Yuan (2009) for the collective; Goyal et al. (2017), arXiv:1706.02677, for the method in its present form.
Differences from the papers: docs/methods/all_reduce.md.

    on each of K nodes:  g_k ← ∇F(batch_k; w);  G ← (1/K) Σ_k g_k  (all-reduce);  w ← w − η G
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import AllReduce, Compute, Program, Report
from rebuttal.methods.bases import Diagram, Peers


@dataclass(frozen=True)
class AllReduceSGD(Peers):
    """One communication after the backward pass; no server."""

    diagram: ClassVar = Diagram("All-reduce: four equal replicas, and everyone waits for the slowest")

    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """Node number k of the K."""
        w, t = task.start(), 0
        while (yield Report(w)):
            g = yield Compute(task.gradient, (w, (k, t)))
            G = yield AllReduce("gradient", g, nodes)
            w = yield Compute(task.update, (w, G))
            t += 1
