"""Synchronous SGD with a parameter server: the server waits for every worker.

Dean et al. (2012), Large scale distributed deep networks, for the server; Chen et al. (2016), arXiv:1604.00981,
sec. 1.2, where this is Sync-Opt without backups. Differences from the papers: docs/methods/synchronous.md.

    server:   send (w, t) to all;  receive g_k from each of the N workers;  w ← w − η (1/N) Σ_k g_k;  t ← t + 1
    worker k: receive (w, t);  g_k ← ∇F(batch_k; w);  send g_k
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.update_rules import mean
from rebuttal.core.verbs import Compute, Program, Recv, Report, Send
from rebuttal.methods.bases import Diagram, ServerAndWorkers


@dataclass(frozen=True)
class Synchronous(ServerAndWorkers):
    """An update uses one gradient of every worker."""

    diagram: ClassVar = Diagram("Synchronous SGD: the server waits for the slowest of four workers")

    def serve(self, task: Any, workers: Sequence[int]) -> Program:
        """Send, gather, update."""
        w, t = task.start(), 0
        while (yield Report(w)):
            for worker in workers:
                yield Send(worker, "weights", (w, t))
            G = {}
            while len(G) < len(workers):
                worker, (g, _) = yield Recv("gradient")
                G[worker] = g
            w = yield Compute(task.update, (w, mean(*(G[k] for k in workers))))
            t += 1
