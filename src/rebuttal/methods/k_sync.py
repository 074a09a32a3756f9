"""K-sync SGD: as backup workers, but a late worker abandons its gradient when the next step begins.

Dutta, Joshi, Ghosh, Dube & Nagpurkar (2018), Slow and stale gradients can win the race, AISTATS, arXiv:1803.01113,
sec. 2. This is what the order-statistics formulas assume. Differences from the paper: docs/methods/k_sync.md.

    server:   send (w, t) to all;  gather the first N gradients of step t;  w ← w − η (1/N) Σ g;  t ← t + 1
    worker k: receive the newest (w, t);  g ← ∇F(batch_k; w), given up as soon as new weights come;  send (g, t)
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import Compute, Program, Recv, Send
from rebuttal.methods.backup_workers import BackupWorkers
from rebuttal.methods.bases import Diagram


@dataclass(frozen=True)
class KSync(BackupWorkers):
    """An update uses N of the N + b workers' gradients; the others start afresh with it."""

    b: int = 1  # workers that are not waited for; K = N = W − b of W

    diagram: ClassVar = Diagram("K-sync, b = 1: three of four, and the fourth gives up at once", {"b": 1})
    tried_as: ClassVar = {"k_sync": {"b": 2}}

    def work(self, task: Any, server: int, k: int) -> Program:
        """Compute on the newest weights, start afresh when newer ones come."""
        t = 0
        while True:
            _, (w, u) = yield Recv("weights", latest=True)
            g = yield Compute(task.gradient, (w, (k, t)), unless="weights")
            if g is not None:
                yield Send(server, "gradient", (g, u))
            t += 1
