"""Stale synchronous parallel: a worker may be at most s clocks ahead of the slowest one.

Ho et al. (2013), More effective distributed ML via a stale synchronous parallel parameter server, NIPS 26.
Differences from the paper: docs/methods/stale_synchronous.md.

    server:   on g from worker k:  w ← w − η g;  c_k ← c_k + 1
              (s = 0: once all g of a clock are there,  w ← w − η (1/P) Σ_k g_k)
              send w to each waiting worker k with  c_k − min_j c_j ≤ s
    worker k: receive w;  g ← ∇F(batch; w);  send g
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core.update_rules import mean
from rebuttal.core.verbs import Compute, Program, Recv, Report, Send
from rebuttal.methods.worker import pull_compute_push


@dataclass(frozen=True)
class StaleSynchronous:
    """Between synchronous (s = 0) and asynchronous SGD (s without bound)."""

    s: int = 1  # clocks (gradients of its own) by which a worker may be ahead of the slowest

    servers: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.s < 0:
            raise refuse("s", self.s, "a whole number >= 0")

    def nodes(self, workers: int) -> int:
        """The server and the workers."""
        return 1 + workers

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """The server's program and the workers'."""
        server, *workers = nodes
        pushing = {worker: pull_compute_push(task, server, k) for k, worker in enumerate(workers)}
        return {server: self.serve(task, workers), **pushing}

    def serve(self, task: Any, workers: Sequence[int]) -> Program:
        """Apply gradients, and let those go on who are not too far ahead."""
        w, t, G = task.start(), 0, {}
        clock, waiting = dict.fromkeys(workers, 0), set(workers)
        more = yield Report(w)
        while more:
            for k in [k for k in workers if k in waiting and clock[k] - min(clock.values()) <= self.s]:
                yield Send(k, "weights", (w, t))
                waiting.remove(k)
            k, (G[k], _) = yield Recv("gradient")
            clock[k] += 1
            waiting.add(k)
            if self.s > 0 or len(G) == len(workers):
                w = yield Compute(task.update, (w, mean(*(G[j] for j in sorted(G)))))
                G, t = {}, t + 1
                more = yield Report(w)
