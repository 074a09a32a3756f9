"""Decoupled neural interfaces: a stage predicts the gradient that would come from above, and does not wait for it.

Jaderberg et al. (2017), Decoupled neural interfaces using synthetic gradients, ICML, arXiv:1608.05343; Czarnecki et al.
(2017), Understanding synthetic gradients and decoupled neural interfaces, ICML, arXiv:1703.00522. Differences from the
papers: docs/methods/synthetic_gradients.md.

    stage l of S:  for t = 0, 1, …:  h_t ← f_l(x_t; w_l), send h_t up
                                     δ̂ ← c_l(h_t) (l = S − 1: δ̂ ← ∂F/∂h_t);   w_l ← w_l − η (∂f_l/∂w_l)ᵀ δ̂
                                     send (∂f_l/∂x)ᵀ δ̂ down
                                     s ← t − lag;  take δ_s from stage l + 1;  c_l learns c_l(h_s) ≈ δ_s
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core.verbs import Compute, Program, Report
from rebuttal.methods.bases import Diagram
from rebuttal.methods.pipeline_stages import Passes, Pipe, Pipeline


@dataclass(frozen=True)
class SyntheticGradients(Pipeline):
    """A stage's synthesizer c is a linear map of its activations, zero at first, which learns by Adam."""

    conditioned: bool = False  # whether synthesizers also read the class of each sample
    rate: float = 0.01  # the size of Adam's steps; that of the weights' updates is the run's learning rate
    lag: int = 1  # how many batches later a stage takes the δ from above; it waits if it is not there

    group: ClassVar = "local_losses"
    at_least: ClassVar = {"lag": 0}
    diagram: ClassVar = Diagram(
        "Synthetic gradients: no stage waits for the loss, and the true δ teaches later"
    )
    tried_as: ClassVar = {
        "synthetic_gradients": {},
        "synthetic_gradients_conditioned": {"conditioned": True, "lag": 2},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.rate < math.inf:
            raise refuse("rate", self.rate, "a finite number > 0")

    def train(self, pipe: Pipe) -> Program:
        """The last stage has the loss; the others have a synthesizer."""
        return self.last(pipe) if pipe.stage.is_last else self.predict(pipe)

    def last(self, pipe: Pipe) -> Program:
        """The last stage: back-propagation from the loss."""
        w, t = pipe.stage.start(), 0
        while (yield Report(w, part=pipe.part)):
            h = yield from pipe.forward(w, 0, t)
            w = yield from self.step(pipe, w, h, pipe.stage.loss(h, 0, t), t)
            t += 1

    def predict(self, pipe: Pipe) -> Program:
        """Any other stage: forward, synthetic gradient, update; then the synthesizer learns from an earlier batch."""
        w, t, seen = pipe.stage.start(), 0, deque()
        c = pipe.stage.local.synthesizer(conditioned=self.conditioned)
        while (yield Report(w, part=pipe.part)):
            h = yield from pipe.forward(w, 0, t)
            delta = yield Compute(pipe.stage.local.synthetic, (c, h, 0, t))
            w = yield from self.step(pipe, w, h, delta, t)
            seen.append((h, t))
            if len(seen) > self.lag:
                h, s = seen.popleft()
                delta = yield from pipe.delta(h, 0, s)
                c = yield Compute(pipe.stage.local.taught, (c, h, delta, 0, s, self.rate))
            t += 1

    def step(self, pipe: Pipe, w: Any, h: Any, delta: Any, t: int) -> Passes:
        """The weights after an update by δ, whose part below teaches the stage below."""
        below, g = yield Compute(pipe.stage.backward, (w, h, delta))
        yield from pipe.down(below, 0, t)
        return (yield Compute(pipe.stage.update, (w, g)))
