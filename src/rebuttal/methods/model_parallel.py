"""Sequential back-propagation over stages: the model is spread over nodes, and one of them works at a time.

Rumelhart, Hinton & Williams (1986) for back-propagation; Huang et al. (2019), arXiv:1811.06965, for its naive spread
over devices, from which GPipe starts. Differences from the papers: docs/methods/model_parallel.md.

    stage l of S:  x ← data (l = 0) or h of stage l − 1;   h ← f_l(x; w_l)
                   δ ← ∂F/∂h (l = S − 1) or δ of stage l + 1;   g ← (∂f_l/∂w_l)ᵀ δ;   δ ← (∂f_l/∂x)ᵀ δ
                   w_l ← w_l − η g
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import Compute, Program, Report
from rebuttal.methods.pipeline_stages import Pipe, pipes


@dataclass(frozen=True)
class ModelParallel:
    """One batch at a time goes up through all stages and down again; S nodes are as fast as one."""

    servers: ClassVar[int] = 0

    def nodes(self, workers: int) -> int:
        """One per stage; the task refuses more stages than the model has layers."""
        return workers

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """The same program on every stage."""
        return {node: self.train(pipe) for node, pipe in pipes(task, nodes).items()}

    def train(self, pipe: Pipe) -> Program:
        """Forward, backward, update."""
        w, t = pipe.stage.start(), 0
        while (yield Report(w, part=pipe.part)):
            h = yield from pipe.forward(w, 0, t)
            g = yield from pipe.backward(w, h, 0, t)
            w = yield Compute(pipe.stage.update, (w, g))
            t += 1
