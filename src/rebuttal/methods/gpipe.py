"""GPipe: the mini-batch is cut into micro-batches that follow each other through the stages, and then drained.

Huang et al. (2019), GPipe: efficient training of giant neural networks using pipeline parallelism, NeurIPS,
arXiv:1811.06965. Differences from the paper: docs/methods/gpipe.md.

    stage l of S:  for i = 0 … m − 1:  h_i ← f_l(x_i; w_l), send h_i up
                   for i = m − 1 … 0:  g_i ← (∂f_l/∂w_l)ᵀ δ_i, send (∂f_l/∂x)ᵀ δ_i down
                   w_l ← w_l − η (1/m) Σ_i g_i
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from rebuttal.core import orders
from rebuttal.core.update_rules import mean
from rebuttal.core.verbs import Compute, Program, Report
from rebuttal.methods.bases import Diagram
from rebuttal.methods.pipeline_stages import Pipe, Pipeline


@dataclass(frozen=True)
class GPipe(Pipeline):
    """All passes of an update are made at the same weights, so the update is that of one node."""

    m: int = 4  # micro-batches of an update; each is one batch of its own shard

    at_least: ClassVar = {"m": 1}
    diagram: ClassVar = Diagram(
        "GPipe, m = 4: four micro-batches go up, all come down, and then the update", {"m": 4}
    )
    tried_as: ClassVar = {"gpipe": {"m": 6}}

    def order(self, l: int, S: int) -> Iterator[orders.Pass]:
        """The passes of stage l for one update: fill, then drain."""
        return orders.gpipe(l, S, self.m)

    def train(self, pipe: Pipe) -> Program:
        """All passes in their order, then the update."""
        w, t = pipe.stage.start(), 0
        while (yield Report(w, part=pipe.part)):
            h, g = {}, {}
            for kind, i in self.order(*pipe.part):
                if kind == orders.F:
                    h[i] = yield from pipe.forward(w, i, t)
                else:
                    g[i] = yield from pipe.backward(w, h.pop(i), i, t)
            w = yield Compute(pipe.stage.update, (w, mean(*(g[i] for i in range(self.m)))))
            t += 1
