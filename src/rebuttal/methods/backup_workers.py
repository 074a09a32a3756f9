"""Synchronous SGD with b backup workers: the first N of N + b gradients make the update, the late ones are dropped.

Chen, Pan, Monga, Bengio & Jozefowicz (2016), Revisiting distributed synchronous SGD, arXiv:1604.00981, Algorithms 3
and 4. Differences from the paper: docs/methods/backup_workers.md.

    server:   send (w, t) to all;  𝒢 ← ∅;  while |𝒢| < N: receive (g, u), keep it iff u = t, else drop it;
              w ← w − η (1/N) Σ_𝒢 g;  t ← t + 1
    worker k: receive the newest (w, t);  g ← ∇F(batch_k; w);  send (g, t)

A late worker finishes its gradient before it reads again, so it may miss a step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core.update_rules import mean
from rebuttal.core.verbs import Compute, Program, Recv, Report, Send
from rebuttal.methods.bases import Diagram, ServerAndWorkers


@dataclass(frozen=True)
class BackupWorkers(ServerAndWorkers):
    """An update uses N of the N + b workers' gradients, all computed on the present weights."""

    b: int = 1  # backup workers; of W workers in all, N = W − b are needed

    at_least: ClassVar = {"b": 0}
    diagram: ClassVar = Diagram(
        "Backup workers, b = 1: the first three of four gradients make an update", {"b": 1}
    )
    tried_as: ClassVar = {"backup_workers": {"b": 2}}

    def check(self, workers: int) -> None:
        """At least one gradient must be needed."""
        if self.b >= workers:
            raise refuse("b", self.b, f"a whole number from 0 to workers - 1 = {workers - 1}")

    def may_lose(self, workers: int) -> int:
        """Whoever is not waited for."""
        return self.b

    def serve(self, task: Any, workers: Sequence[int]) -> Program:
        """Send, gather the first N of this step, update."""
        N = len(workers) - self.b
        w, t = task.start(), 0
        while (yield Report(w)):
            for worker in workers:
                yield Send(worker, "weights", (w, t))
            G = {}
            while len(G) < N:
                worker, (g, u) = yield Recv("gradient")
                if u == t:  # else it is late: of an earlier step
                    G[worker] = g
            w = yield Compute(task.update, (w, mean(*(G[k] for k in sorted(G)))))
            t += 1
