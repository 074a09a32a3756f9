"""PPRS, pipeline parallel random smoothing: the accelerated gradient of a smoothed loss, in one pipeline fill.

Colin, Dos Santos & Scaman (2019), Theoretical limits of pipeline parallel optimization and application to distributed
deep learning, NeurIPS, arXiv:1910.05104, Algorithm 1. Differences from the paper: docs/methods/pprs.md.

    x_0 ← y_0 ← w_0;  λ_0 ← 1;  λ_{t+1} = (1 + √(1 + 4 λ_t²))/2;  μ_t = (λ_t − 1)/λ_{t+1}
    for t = 0, 1, …:  X_k ~ N(0, I), k = 1 … K;  in one pipeline fill:  g_{k,j} ← ∇F(batch_j; x_t + γ X_k), j = 1 … m
                      y_{t+1} ← x_t − η (1/K) Σ_k (1/m) Σ_j g_{k,j};  x_{t+1} ← (1 + μ_t) y_{t+1} − μ_t y_t
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core import orders
from rebuttal.core.update_rules import extrapolated, mean, moved
from rebuttal.core.verbs import Compute, Program, Report
from rebuttal.methods.acceleration import mu
from rebuttal.methods.bases import Diagram
from rebuttal.methods.pipeline_stages import Passes, Pipe, Pipeline, pipes


@dataclass(frozen=True)
class PPRS(Pipeline):
    """All K m passes of an update are micro-batches of one pipeline; each smoothing sample has weights of its own."""

    K: int = 4  # smoothing samples of an update
    gamma: float = 0.001  # standard deviation of the smoothing; 0 is none
    m: int = 1  # micro-batches of an update; each is one batch of its own shard
    accelerated: bool = True  # whether x is extrapolated beyond y; False is gradient descent
    pipelined: bool = True  # whether passes follow each other through the stages, or one at a time
    averaged: bool = False  # whether the mean of y_1 … y_t is reported, as theory of sub-gradients has it

    group: ClassVar = "acceleration"
    at_least: ClassVar = {"K": 1, "m": 1}
    diagram: ClassVar = Diagram("PPRS, K = 4: four perturbed copies of one batch fill the pipeline", {"K": 4})
    tried_as: ClassVar = {"pprs": {"K": 2, "m": 3, "gamma": 0.01}}

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.gamma < math.inf:
            raise refuse("gamma", self.gamma, "a finite number >= 0")

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """The same program on every stage."""
        return {node: self.train(pipe) for node, pipe in pipes(task, nodes, batches=self.m).items()}

    def train(self, pipe: Pipe) -> Program:
        """Fill and drain, update, extrapolate."""
        x = y = reported = pipe.stage.start()
        for t, by in enumerate(mu()):
            if not (yield Report(reported, part=pipe.part)):
                return
            G = yield from self.gradient(pipe, x, t)
            new = yield Compute(pipe.stage.update, (x, G))
            x, y = extrapolated(new, y, by=by) if self.accelerated else new, new
            reported = moved(reported, y, by=1 / (t + 1)) if self.averaged else y

    def gradient(self, pipe: Pipe, x: Any, t: int) -> Passes:
        """G: the stage's part of the mean gradient; pass i is of smoothing sample i // m and batch i mod m."""
        w = [pipe.stage.perturbed(x, self.gamma, t, k) if self.gamma else x for k in range(self.K)]
        order = orders.gpipe if self.pipelined else orders.one_at_a_time
        h, g = {}, {}
        for kind, i in order(*pipe.part, self.K * self.m):
            if kind == orders.F:
                h[i] = yield from pipe.forward(w[i // self.m], i, t)
            else:
                g[i] = yield from pipe.backward(w[i // self.m], h.pop(i), i, t)
        samples = [mean(*(g[k * self.m + j] for j in range(self.m))) for k in range(self.K)]
        return mean(*samples) if self.K > 1 else samples[0]
