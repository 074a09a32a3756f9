"""Continuous propagation: one batch per tick, never drained; a layer is updated the moment its gradient is there.

Continuous Propagation: Layer-Parallel Training (2018), a submission of which the abstract and a review were read, so
this is a reconstruction; Pétrowski, Dreyfus & Girault (1993) for pipelined back-propagation; Kosson et al. (2021),
arXiv:2003.11666, for both mitigations. Differences from the papers: docs/methods/continuous_propagation.md.

    stage l of S, D = 2 (S − 1 − l), in each tick:
        forward of batch t + D:  h ← f_l(x; v), send h up;  v = w_l  (prediction: w_l − η D × its momentum)
        backward of batch t:     g, δ ← (∂f_l/∂w_l)ᵀ δ_t, (∂f_l/∂x)ᵀ δ_t, send δ down
                                 store: h as kept, Jacobians at w_l;  recompute: h ← f_l(x; w_l) first
                                 stash: h as kept, Jacobians at v
                                 w_l ← w_l − η g  (spike: with momentum, as if g had not been late)
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core import orders
from rebuttal.core.verbs import Compute, Program, Report
from rebuttal.methods.bases import Diagram
from rebuttal.methods.pipeline_stages import Passes, Pipe, Pipeline

FORMS, MITIGATIONS = ("store", "recompute", "stash"), ("none", "spike", "prediction")


@dataclass(frozen=True)
class ContinuousPropagation(Pipeline):
    """All stages work all the time; a gradient at stage l is D updates late."""

    form: str = "store"  # what the backward pass is made at: store, recompute or stash
    mitigation: str = "none"  # what is done about the delay: none, spike or prediction

    diagram: ClassVar = Diagram(
        "Continuous propagation: never drained, and the first stage is six updates late"
    )
    tried_as: ClassVar = {
        "continuous_propagation": {},
        "continuous_recompute": {"form": "recompute"},
        "continuous_stash": {"form": "stash"},
    }

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise refuse("form", self.form, FORMS)
        if self.mitigation not in MITIGATIONS:
            raise refuse("mitigation", self.mitigation, MITIGATIONS)

    def train(self, pipe: Pipe) -> Program:
        """Forward and backward in turn, an update after each backward pass."""
        stage = pipe.stage
        D = 2 * (stage.n - 1 - stage.l)
        update, late = (stage.update, ()) if self.mitigation != "spike" else (stage.compensated_update, (D,))
        w, kept = stage.start(), {}
        yield Report(w, part=pipe.part)
        for kind, t in orders.continuous(*pipe.part):
            if kind == orders.F:
                kept[t] = yield from self.forward(pipe, w, D, t)
            else:
                g = yield from self.backward(pipe, w, t, *kept.pop(t))
                w = yield Compute(update, (w, g, *late))
                if not (yield Report(w, part=pipe.part)):
                    return

    def forward(self, pipe: Pipe, w: Any, D: int, t: int) -> Passes:
        """What the form keeps for the backward pass: (v, or None for the newest weights; h, or x to recompute it)."""
        v = (yield Compute(pipe.stage.predicted, (w, D))) if self.mitigation == "prediction" else w
        x = yield from pipe.activations(0, t)
        h = yield Compute(pipe.stage.forward, (v, x))
        yield from pipe.up(h, 0, t)
        return v if self.form == "stash" else None, x if self.form == "recompute" else h

    def backward(self, pipe: Pipe, w: Any, t: int, v: Any, kept: Any) -> Passes:
        """The gradient, in the form's way."""
        h = (yield Compute(pipe.stage.forward, (w, kept))) if self.form == "recompute" else kept
        return (yield from pipe.backward(w if v is None else v, h, 0, t))
