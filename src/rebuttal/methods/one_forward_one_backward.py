"""1F1B with flush: GPipe's updates, with each backward pass as early as it can be, so that fewer activations wait.

Fan et al. (2021), DAPPLE, PPoPP, arXiv:2007.01045; Narayanan et al. (2021), Memory-efficient pipeline-parallel DNN
training, ICML, arXiv:2006.09503 (PipeDream-Flush). Differences: docs/methods/one_forward_one_backward.md.

    stage l of S:  S − 1 − l forward passes;  then forward, backward, forward, backward, …;  then backward passes
                   forward:   h_i ← f_l(x_i; w_l), send h_i up
                   backward:  g_i ← (∂f_l/∂w_l)ᵀ δ_i, send (∂f_l/∂x)ᵀ δ_i down
                   w_l ← w_l − η (1/m) Σ_i g_i
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from rebuttal.core import orders
from rebuttal.methods.bases import Diagram
from rebuttal.methods.gpipe import GPipe


@dataclass(frozen=True)
class OneForwardOneBackward(GPipe):
    """At most S − l micro-batches wait at stage l, however many an update has."""

    diagram: ClassVar = Diagram(
        "1F1B, m = 4: GPipe's update, with each backward pass as early as it can be", {"m": 4}
    )
    tried_as: ClassVar = {"one_forward_one_backward": {"m": 6}}

    def order(self, l: int, S: int) -> Iterator[orders.Pass]:
        """The passes of stage l for one update: fill, forward and backward in turn, drain."""
        return orders.one_forward_one_backward(l, S, self.m)
