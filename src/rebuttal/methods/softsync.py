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
from rebuttal.methods.worker import pull_compute_push


@dataclass(frozen=True)
class Softsync:
    """Averages c gradients of any age, at a fixed learning rate."""

    n: int = 1  # an update takes the gradients of one n-th of the workers

    servers: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.n < 1:
            raise refuse("n", self.n, "a whole number >= 1")

    def check(self, workers: int) -> None:
        """n must leave at least one gradient per update."""
        if self.n > workers:
            raise refuse("n", self.n, f"a whole number from 1 to workers = {workers}")

    def nodes(self, workers: int) -> int:
        """The server and the workers."""
        return 1 + workers

    def may_lose(self, workers: int) -> int:
        """All but one: nobody waits for a worker."""
        return workers - 1

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """The server's program and the workers'."""
        server, *workers = nodes
        pushing = {worker: pull_compute_push(task, server, k) for k, worker in enumerate(workers)}
        return {server: self.serve(task, workers), **pushing}

    def serve(self, task: Any, workers: Sequence[int]) -> Program:
        """Collect c gradients, update."""
        c = len(workers) // self.n
        w, t = task.start(), 0
        for worker in workers:
            yield Send(worker, "weights", (w, t))
        while (yield Report(w)):
            worker, (g, _) = yield Recv("gradient")
            G = [g]
            while len(G) < c:
                yield Send(worker, "weights", (w, t))
                worker, (g, _) = yield Recv("gradient")
                G.append(g)
            w = yield Compute(task.update, (w, mean(*G)))
            t += 1
            yield Send(worker, "weights", (w, t))
