"""K-sync SGD: as backup workers, but a late worker abandons its gradient when the next step begins.

Dutta, Joshi, Ghosh, Dube & Nagpurkar (2018), Slow and stale gradients can win the race, AISTATS, arXiv:1803.01113,
sec. 2. This is what the order-statistics formulas assume. Differences from the paper: docs/methods/k_sync.md.

    server:   send (w, t) to all;  gather the first N gradients of step t;  w ← w − η (1/N) Σ g;  t ← t + 1
    worker k: receive the newest (w, t);  g ← ∇F(batch_k; w), given up as soon as new weights come;  send (g, t)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core.update_rules import mean
from rebuttal.core.verbs import Compute, Program, Recv, Report, Send


@dataclass(frozen=True)
class KSync:
    """An update uses N of the N + b workers' gradients; the others start afresh with it."""

    b: int = 1  # workers that are not waited for; K = N = W − b of W

    servers: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.b < 0:
            raise refuse("b", self.b, "a whole number >= 0")

    def check(self, workers: int) -> None:
        """At least one gradient must be needed."""
        if self.b >= workers:
            raise refuse("b", self.b, f"a whole number from 0 to workers - 1 = {workers - 1}")

    def nodes(self, workers: int) -> int:
        """The server and the N + b workers."""
        return 1 + workers

    def may_lose(self, workers: int) -> int:
        """Whoever is not waited for."""
        return self.b

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """The server's program and the workers'."""
        server, *workers = nodes
        computing = {worker: self.work(task, server, k) for k, worker in enumerate(workers)}
        return {server: self.serve(task, workers), **computing}

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
                if u == t:  # a gradient may have been on its way when the step ended
                    G[worker] = g
            w = yield Compute(task.update, (w, mean(*(G[k] for k in sorted(G)))))
            t += 1

    def work(self, task: Any, server: int, k: int) -> Program:
        """Compute on the newest weights, start afresh when newer ones come."""
        t = 0
        while True:
            _, (w, u) = yield Recv("weights", latest=True)
            g = yield Compute(task.gradient, (w, (k, t)), unless="weights")
            if g is not None:
                yield Send(server, "gradient", (g, u))
            t += 1
