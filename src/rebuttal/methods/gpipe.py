"""GPipe: the mini-batch is cut into micro-batches that follow each other through the stages, and then drained.

Huang et al. (2019), GPipe: efficient training of giant neural networks using pipeline parallelism, NeurIPS,
arXiv:1811.06965. Differences from the paper: docs/methods/gpipe.md.

    stage l of S:  for i = 0 … m − 1:  h_i ← f_l(x_i; w_l), send h_i up
                   for i = m − 1 … 0:  g_i ← (∂f_l/∂w_l)ᵀ δ_i, send (∂f_l/∂x)ᵀ δ_i down
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
class GPipe:
    """All passes of an update are made at the same weights, so the update is that of one node."""

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
        """Fill, drain, update."""
        w, t = pipe.stage.start(), 0
        while (yield Report(w, part=pipe.part)):
            h, g = {}, {}
            for kind, i in orders.gpipe(*pipe.part, self.m):
                if kind == orders.F:
                    h[i] = yield from pipe.forward(w, i, t)
                else:
                    g[i] = yield from pipe.backward(w, h.pop(i), i, t)
            w = yield Compute(pipe.stage.update, (w, mean(*(g[i] for i in range(self.m)))))
            t += 1
