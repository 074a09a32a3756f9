"""n-softsync: the server updates on every c = ⌊λ/n⌋ gradients, from whichever of the λ workers they come.

Zhang, Gupta, Lian & Liu (2016), Staleness-aware async-SGD for distributed deep learning, IJCAI, arXiv:1511.05950.
Differences from the paper: docs/methods/softsync.md.

    server:   collect c gradients, answering each at once with the present weights;  w ← w − α₀ (1/c) Σ g
    worker k: receive w;  g ← ∇F(batch; w);  send g

There is no barrier: 1-softsync is not synchronous SGD. n = λ is asynchronous SGD. The mean staleness is about n.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core.update_rules import mean
from rebuttal.core.verbs import Compute, Program, Recv, Report, Send
from rebuttal.methods.bases import Diagram, ServerAndWorkers


@dataclass(frozen=True)
class Softsync(ServerAndWorkers):
    """Averages c gradients of any age, at a fixed learning rate."""

    n: int = 1  # an update takes the gradients of one n-th of the workers

    at_least: ClassVar = {"n": 1}
    needs_every_worker: ClassVar = False
    diagram: ClassVar = Diagram(
        "Softsync, n = 2: an update for every two gradients, of any age", {"n": 2}, seconds=7.0
    )
    tried_as: ClassVar = {"softsync": {"n": 2}}

    def check(self, workers: int) -> None:
        """n must leave at least one gradient per update."""
        if self.n > workers:
            raise refuse("n", self.n, f"a whole number from 1 to workers = {workers}")

    def serve(self, task: Any, workers: Sequence[int]) -> Program:
        """Collect c gradients, update."""
        c = len(workers) // self.n
        w, t = task.start(), 0
        for worker in workers:
            yield Send(worker, "weights", (w, t))
        while (yield Report(w)):
            worker, (g, u) = yield Recv("gradient")
            G = [self.weighted(g, t - u)]
            while len(G) < c:
                yield Send(worker, "weights", (w, t))
                worker, (g, u) = yield Recv("gradient")
                G.append(self.weighted(g, t - u))
            w = yield Compute(task.update, (w, mean(*G)))
            t += 1
            yield Send(worker, "weights", (w, t))

    def weighted(self, g: Any, tau: int) -> Any:
        """A gradient that is τ updates old: it counts in full."""
        return g
