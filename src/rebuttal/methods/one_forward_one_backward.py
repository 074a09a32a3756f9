"""1F1B with flush: GPipe's updates, with each backward pass as early as it can be, so that fewer activations wait.

Fan et al. (2021), DAPPLE, PPoPP, arXiv:2007.01045; Narayanan et al. (2021), Memory-efficient pipeline-parallel DNN
training, ICML, arXiv:2006.09503 (PipeDream-Flush). Differences: docs/methods/one_forward_one_backward.md.

    stage l of S:  S − 1 − l forward passes;  then forward, backward, forward, backward, …;  then backward passes
                   forward:   h_i ← f_l(x_i; w_l), send h_i up
                   backward:  g_i ← (∂f_l/∂w_l)ᵀ δ_i, send (∂f_l/∂x)ᵀ δ_i down
                   w_l ← w_l − η (1/m) Σ_i g_i
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core import orders
from rebuttal.core.update_rules import mean
from rebuttal.core.verbs import Compute, Program, Report
from rebuttal.methods.pipeline_stages import Pipe, pipes


@dataclass(frozen=True)
class OneForwardOneBackward:
    """At most S − l micro-batches wait at stage l, however many an update has."""

    m: int = 4  # micro-batches of an update; each is one batch of its own shard

    servers: ClassVar[int] = 0

    def __post_init__(self) -> None:
        if self.m < 1:
            raise refuse("m", self.m, "a whole number >= 1")

    def nodes(self, workers: int) -> int:
        """One per stage; the task refuses more stages than the model has layers."""
        return workers

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """The same program on every stage."""
        return {node: self.train(pipe) for node, pipe in pipes(task, nodes).items()}

    def train(self, pipe: Pipe) -> Program:
        """Fill, forward and backward in turn, drain, update."""
        w, t = pipe.stage.start(), 0
        while (yield Report(w, part=pipe.part)):
            h, g = {}, {}
            for kind, i in orders.one_forward_one_backward(*pipe.part, self.m):
                if kind == orders.F:
                    h[i] = yield from pipe.forward(w, i, t)
                else:
                    g[i] = yield from pipe.backward(w, h.pop(i), i, t)
            w = yield Compute(pipe.stage.update, (w, mean(*(g[i] for i in range(self.m)))))
            t += 1
