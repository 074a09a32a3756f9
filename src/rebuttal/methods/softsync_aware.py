"""n-softsync with a staleness-aware learning rate: a gradient that is τ updates old counts 1/τ.

Zhang, Gupta, Lian & Liu (2016), Staleness-aware async-SGD for distributed deep learning, IJCAI, arXiv:1511.05950.
Differences from the paper: docs/methods/softsync_aware.md.

    server:   collect c = ⌊λ/n⌋ gradients, answering each at once;  w ← w − (1/c) Σ α(τ) g,  α(τ) = α₀ / max(1, τ)
    worker k: receive w;  g ← ∇F(batch; w);  send g
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.update_rules import scaled
from rebuttal.methods.bases import Diagram
from rebuttal.methods.softsync import Softsync


@dataclass(frozen=True)
class SoftsyncAware(Softsync):
    """Averages c gradients of any age, each scaled down by its age."""

    diagram: ClassVar = Diagram(
        "Staleness-aware softsync, n = 2: older gradients count less", {"n": 2}, seconds=7.0, scaled=True
    )
    tried_as: ClassVar = {"softsync_aware": {"n": 2}}

    def weighted(self, g: Any, tau: int) -> Any:
        """A gradient that is τ updates old: it counts 1/τ."""
        return scaled(g, factor=1 / max(1, tau))
