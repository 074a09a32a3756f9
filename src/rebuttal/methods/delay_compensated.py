"""Delay-compensated asynchronous SGD: a late gradient is corrected to what it would be at the present weights.

Zheng et al. (2017), Asynchronous stochastic gradient descent with delay compensation, ICML, arXiv:1609.08326.
Differences from the paper: docs/methods/delay_compensated.md.

    server:   on each g from worker k:  w ← w − η (g + λ g ⊙ g ⊙ (w − w_k));  w_k ← w;  send w to k
              λ = λ₀, or adaptive:  s ← m s + (1 − m) g ⊙ g,  λ = λ₀ / √(s + 10⁻⁷)
    worker k: receive w;  g ← ∇F(batch; w);  send g
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core.update_rules import compensated, compensated_adaptively, mean_square, scaled
from rebuttal.core.verbs import Compute, Program, Recv, Report, Send
from rebuttal.methods.bases import Diagram, ServerAndWorkers

M = 0.95  # decay of the mean square


@dataclass(frozen=True)
class DelayCompensated(ServerAndWorkers):
    """As asynchronous, with each gradient moved along a diagonal estimate of the Hessian."""

    by: float = 0.04  # λ₀; 0 is asynchronous SGD
    adaptive: bool = False  # whether λ falls where gradients are large

    needs_every_worker: ClassVar = False
    diagram: ClassVar = Diagram(
        "Delay-compensated asynchronous SGD: late gradients are corrected on arrival",
        {"by": 0.04},
        seconds=7.0,
    )
    tried_as: ClassVar = {
        "delay_compensated": {"by": 0.5},
        "delay_compensated_adaptively": {"by": 0.2, "adaptive": True},
    }

    def __post_init__(self) -> None:
        if not self.by >= 0:
            raise refuse("by", self.by, "a number >= 0")

    def serve(self, task: Any, workers: Sequence[int]) -> Program:
        """Correct, update, and give the sender the new weights."""
        w, t, square = task.start(), 0, None
        sent = dict.fromkeys(workers, w)  # the paper's w_bak
        for worker in workers:
            yield Send(worker, "weights", (w, t))
        while (yield Report(w)):
            worker, (g, _) = yield Recv("gradient")
            if self.adaptive:
                square = mean_square(scaled(g, factor=0.0) if square is None else square, g, decay=M)
                g = compensated_adaptively(g, w, sent[worker], square, by=self.by)
            else:
                g = compensated(g, w, sent[worker], by=self.by)
            w = sent[worker] = yield Compute(task.update, (w, g))
            t += 1
            yield Send(worker, "weights", (w, t))
