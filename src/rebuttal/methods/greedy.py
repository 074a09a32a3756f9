"""Decoupled greedy learning: each stage learns from a small classifier of its own, and nothing is sent back.

Belilovsky, Eickenberg & Oyallon (2020), Decoupled greedy learning of CNNs, ICML, arXiv:1901.08164. Differences from
the paper: docs/methods/greedy.md.

    stage l of S:  for t = 0, 1, …:  h ← f_l(x_t; w_l), send h up
                                     δ ← ∂F_l(h; c_l)/∂h, with F_l the loss of classifier c_l (l = S − 1: the model's)
                                     w_l ← w_l − η (∂f_l/∂w_l)ᵀ δ;   c_l ← c_l − η ∂F_l(h; c_l)/∂c_l
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import Compute, Program, Report
from rebuttal.methods.bases import Diagram
from rebuttal.methods.pipeline_stages import Passes, Pipe, Pipeline


@dataclass(frozen=True)
class Greedy(Pipeline):
    """Messages go up only, so no stage waits for a later one."""

    group: ClassVar = "local_losses"
    diagram: ClassVar = Diagram(
        "Decoupled greedy learning: each stage has a loss of its own; nothing is sent back"
    )

    def train(self, pipe: Pipe) -> Program:
        """Forward, local loss, backward, update; at the last stage with the model's own loss."""
        stage, t = pipe.stage, 0
        w, c = stage.start(), None if stage.is_last else stage.local.classifier()
        while (yield Report(w, part=pipe.part)):
            h = yield from pipe.forward(w, 0, t)
            delta, c = yield from self.local_loss(stage, c, h, t)
            _, g = yield Compute(stage.backward, (w, h, delta))
            w = yield Compute(stage.update, (w, g))
            t += 1

    def local_loss(self, stage: Any, c: Any, h: Any, t: int) -> Passes:
        """(δ at h, the classifier after its own update)."""
        if stage.is_last:
            return stage.loss(h, 0, t), c
        delta = yield Compute(stage.local.local_delta, (c, h, 0, t))
        g = yield Compute(stage.local.classifier_gradient, (c, h, 0, t))
        c = yield Compute(stage.update, (c, g))
        return delta, c
