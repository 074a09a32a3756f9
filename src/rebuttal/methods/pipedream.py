"""PipeDream: 1F1B without flush; each batch is an update, and is passed back at the weights that it was passed forward.

Narayanan et al. (2019), PipeDream: generalized pipeline parallelism for DNN training, SOSP, doi:10.1145/3341301.3359646
(weight stashing and vertical sync). Differences from the paper: docs/methods/pipedream.md.

    stage l of S, D = S − 1 − l (with vertical sync: S − 1), u = max(0, t − D):
        forward of batch t:   h_t ← f_l(x_t; w_l^(u)), send h_t up
        backward of batch t:  g ← (∂f_l/∂w_l)ᵀ δ_t at w_l^(u), send (∂f_l/∂x)ᵀ δ_t at w_l^(u) down
                              w_l^(t+1) ← w_l^(t) − η g
"""

from dataclasses import dataclass
from typing import ClassVar

from rebuttal.core import orders
from rebuttal.core.verbs import Compute, Program, Report
from rebuttal.methods.bases import Diagram
from rebuttal.methods.pipeline_stages import Pipe, Pipeline


@dataclass(frozen=True)
class PipeDream(Pipeline):
    """Nobody waits once the pipeline is full; stage l computes on weights that are D updates old."""

    vertical: bool = False  # vertical sync: a batch meets the same version at every stage

    diagram: ClassVar = Diagram("PipeDream: every batch is an update, at the weights of its forward pass")
    tried_as: ClassVar = {"pipedream": {}, "pipedream_vertical": {"vertical": True}}

    def train(self, pipe: Pipe) -> Program:
        """`w` holds the stashed versions: at most D and the newest."""
        l, S = pipe.part
        D = S - 1 if self.vertical else S - 1 - l
        w, h = {0: pipe.stage.start()}, {}
        yield Report(w[0], part=pipe.part)
        for kind, t in orders.pipelined(l, S):
            u = max(0, t - D)
            if kind == orders.F:
                h[t] = yield from pipe.forward(w[u], 0, t)
            else:
                g = yield from pipe.backward(w[u], h.pop(t), 0, t)
                w[t + 1] = yield Compute(pipe.stage.update, (w[t], g))
                w.pop(t - D, None)  # no later batch meets it
                if not (yield Report(w[t + 1], part=pipe.part)):
                    return
