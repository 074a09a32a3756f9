"""Sequential back-propagation over stages: the model is spread over nodes, and one of them works at a time.

Rumelhart, Hinton & Williams (1986) for back-propagation; Huang et al. (2019), arXiv:1811.06965, for its naive spread
over devices, from which GPipe starts. Differences from the papers: docs/methods/model_parallel.md.

    stage l of S:  x ← data (l = 0) or h of stage l − 1;   h ← f_l(x; w_l)
                   δ ← ∂F/∂h (l = S − 1) or δ of stage l + 1;   g ← (∂f_l/∂w_l)ᵀ δ;   δ ← (∂f_l/∂x)ᵀ δ
                   w_l ← w_l − η g
"""

from dataclasses import dataclass
from typing import ClassVar

from rebuttal.core.verbs import Compute, Program, Report
from rebuttal.methods.bases import Diagram
from rebuttal.methods.pipeline_stages import Pipe, Pipeline


@dataclass(frozen=True)
class ModelParallel(Pipeline):
    """One batch at a time goes up through all stages and down again; S nodes are as fast as one."""

    diagram: ClassVar = Diagram("Model parallelism without a pipeline: one of four stages works at a time")

    def train(self, pipe: Pipe) -> Program:
        """Forward, backward, update."""
        w, t = pipe.stage.start(), 0
        while (yield Report(w, part=pipe.part)):
            h = yield from pipe.forward(w, 0, t)
            g = yield from pipe.backward(w, h, 0, t)
            w = yield Compute(pipe.stage.update, (w, g))
            t += 1
