"""Nesterov's accelerated gradient, on one node or over the stages of a pipeline.

Nesterov (1983), A method for solving the convex programming problem with convergence rate O(1/k²), Soviet Mathematics
Doklady 27; pipelined as in Colin, Dos Santos & Scaman (2019), arXiv:1910.05104. Differences from the papers:
docs/methods/nesterov.md.

    x_0 ← y_0 ← w_0;  λ_0 ← 1
    for t = 0, 1, …:  y_{t+1} ← x_t − η ∇F(x_t);  x_{t+1} ← (1 + μ_t) y_{t+1} − μ_t y_t
                      with λ_{t+1} = (1 + √(1 + 4 λ_t²))/2 and μ_t = (λ_t − 1)/λ_{t+1}
"""

from dataclasses import dataclass
from typing import ClassVar

from rebuttal.core import orders
from rebuttal.core.update_rules import extrapolated, mean
from rebuttal.core.verbs import Compute, Program, Report
from rebuttal.methods.acceleration import mu
from rebuttal.methods.bases import Diagram
from rebuttal.methods.pipeline_stages import Pipe, Pipeline


@dataclass(frozen=True)
class Nesterov(Pipeline):
    """The gradient is taken at x, ahead of the weights y that are reported."""

    m: int = 1  # micro-batches of an update; each is one batch of its own shard
    pipelined: bool = False  # over as many stages as there are workers, filled and drained as GPipe is

    group: ClassVar = "acceleration"
    at_least: ClassVar = {"m": 1}
    diagram: ClassVar = Diagram(
        "Nesterov's accelerated gradient, m = 4, in a pipeline that is filled and drained",
        {"m": 4, "pipelined": True},
    )
    tried_as: ClassVar = {"nesterov": {"m": 6}, "nesterov_pipelined": {"m": 6, "pipelined": True}}

    def nodes(self, workers: int) -> int:
        """One, or one per stage; the task refuses more stages than the model has layers."""
        return workers if self.pipelined else 1

    def train(self, pipe: Pipe) -> Program:
        """Fill, drain, update, extrapolate."""
        x = y = pipe.stage.start()
        for t, by in enumerate(mu()):
            if not (yield Report(y, part=pipe.part)):
                return
            h, g = {}, {}
            for kind, j in orders.gpipe(*pipe.part, self.m):
                if kind == orders.F:
                    h[j] = yield from pipe.forward(x, j, t)
                else:
                    g[j] = yield from pipe.backward(x, h.pop(j), j, t)
            new = yield Compute(pipe.stage.update, (x, mean(*(g[j] for j in range(self.m)))))
            x, y = extrapolated(new, y, by=by), new
