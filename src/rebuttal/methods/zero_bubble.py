"""Zero-bubble H1: 1F1B with each backward pass in two halves, of which the second fills the pipeline's bubbles.

Qi, Wan, Huang & Lin (2024), Zero bubble pipeline parallelism, ICLR, arXiv:2401.10241 (schedule ZB-H1). Differences
from the paper: docs/methods/zero_bubble.md.

    stage l of S, in the order of 1F1B:
        F(i):  h_i ← f_l(x_i; w_l), send h_i up
        B(i):  send (∂f_l/∂x)ᵀ δ_i down
        W(i):  g_i ← (∂f_l/∂w_l)ᵀ δ_i;  comes l backward passes after B(i)
    w_l ← w_l − η (1/m) Σ_i g_i
"""

from dataclasses import dataclass
from typing import ClassVar

from rebuttal.core import orders
from rebuttal.core.update_rules import mean
from rebuttal.core.verbs import Compute, Program, Report
from rebuttal.methods.bases import Diagram
from rebuttal.methods.pipeline_stages import Pipe, Pipeline


@dataclass(frozen=True)
class ZeroBubble(Pipeline):
    """δ goes down before the gradient of the weights is computed, so the stage below begins sooner."""

    m: int = 4  # micro-batches of an update; each is one batch of its own shard

    at_least: ClassVar = {"m": 1}
    diagram: ClassVar = Diagram(
        "Zero-bubble H1, m = 4: the weights' gradients fill what 1F1B leaves idle", {"m": 4}
    )
    tried_as: ClassVar = {"zero_bubble": {"m": 6}}

    def train(self, pipe: Pipe) -> Program:
        """All passes in the order of H1, then the update."""
        w, t = pipe.stage.start(), 0
        while (yield Report(w, part=pipe.part)):
            h, delta, g = {}, {}, {}
            for kind, i in orders.zero_bubble_h1(*pipe.part, self.m):
                if kind == orders.F:
                    h[i] = yield from pipe.forward(w, i, t)
                elif kind == orders.B:
                    delta[i] = yield from pipe.delta(h[i], i, t)
                    below = yield Compute(pipe.stage.input_gradient, (w, h[i], delta[i]))
                    yield from pipe.down(below, i, t)
                else:
                    g[i] = yield Compute(pipe.stage.weight_gradient, (w, h.pop(i), delta.pop(i)))
            w = yield Compute(pipe.stage.update, (w, mean(*(g[i] for i in range(self.m)))))
            t += 1
