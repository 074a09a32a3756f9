"""Asynchronous SGD whose gradients are clipped, each worker's by itself, before they are applied.

Pascanu, Mikolov & Bengio (2013), Algorithm 1, for the clipping; Chen et al. (2016), arXiv:1604.00981, sec. 5, report
that their asynchronous runs needed it (no limit is given). Differences: docs/methods/asynchronous_clipped.md.

    server:   on each g from worker k:  g ← g · min(1, c / ‖g‖₂);  w ← w − η g;  send w to k
    worker k: receive w;  g ← ∇F(batch; w);  send g
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core.update_rules import clipped
from rebuttal.core.verbs import Compute, Program, Recv, Report, Send
from rebuttal.methods.bases import Diagram, ServerAndWorkers


@dataclass(frozen=True)
class AsynchronousClipped(ServerAndWorkers):
    """As asynchronous, with the norm of each gradient at most c."""

    c: float = 1.0  # largest Euclidean norm of one worker's gradient

    needs_every_worker: ClassVar = False
    diagram: ClassVar = Diagram(
        "Asynchronous SGD with clipping: the same clock, shorter steps", {"c": 1.0}, seconds=7.0
    )
    tried_as: ClassVar = {"asynchronous_clipped": {"c": 0.3}}

    def __post_init__(self) -> None:
        if not self.c > 0:
            raise refuse("c", self.c, "a positive number")

    def serve(self, task: Any, workers: Sequence[int]) -> Program:
        """Clip, update, and give the sender the new weights."""
        w, t = task.start(), 0
        for worker in workers:
            yield Send(worker, "weights", (w, t))
        while (yield Report(w)):
            worker, (g, _) = yield Recv("gradient")
            w = yield Compute(task.update, (w, clipped(g, limit=self.c)))
            t += 1
            yield Send(worker, "weights", (w, t))
