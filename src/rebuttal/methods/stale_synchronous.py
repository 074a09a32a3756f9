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

from rebuttal.core.update_rules import mean
from rebuttal.core.verbs import Compute, Program, Recv, Report, Send
from rebuttal.methods.bases import Diagram, ServerAndWorkers


@dataclass(frozen=True)
class StaleSynchronous(ServerAndWorkers):
    """Between synchronous (s = 0) and asynchronous SGD (s without bound)."""

    s: int = 1  # clocks (gradients of its own) by which a worker may be ahead of the slowest

    at_least: ClassVar = {"s": 0}
    diagram: ClassVar = Diagram(
        "Stale synchronous parallel, s = 1: at most one gradient ahead of the slowest", {"s": 1}
    )
    tried_as: ClassVar = {"stale_synchronous": {"s": 2}}

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
