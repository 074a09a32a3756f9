"""Asynchronous SGD with a parameter server: every gradient is an update, on whatever the weights have become.

Dean et al. (2012), Downpour SGD with fetch and push at every step; Chen et al. (2016), arXiv:1604.00981, sec. 1.1
(Async-Opt). Differences from the papers: docs/methods/asynchronous.md.

    server:   on each g from worker k:  w ← w − η g;  send w to k
    worker k: receive w;  g ← ∇F(batch; w);  send g
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import Compute, Program, Recv, Report, Send
from rebuttal.methods.bases import Diagram, ServerAndWorkers


@dataclass(frozen=True)
class Asynchronous(ServerAndWorkers):
    """Nobody waits for anybody; a gradient is as stale as the updates made since its weights were read."""

    needs_every_worker: ClassVar = False
    diagram: ClassVar = Diagram(
        "Asynchronous SGD: every gradient is an update, and nobody waits", seconds=7.0
    )

    def serve(self, task: Any, workers: Sequence[int]) -> Program:
        """Update on each gradient, and give its sender the new weights."""
        w, t = task.start(), 0
        for worker in workers:
            yield Send(worker, "weights", (w, t))
        while (yield Report(w)):
            worker, (g, _) = yield Recv("gradient")
            w = yield Compute(task.update, (w, g))
            t += 1
            yield Send(worker, "weights", (w, t))
