"""Synchronous SGD, layer-wise: after the backward pass, the gradient of one layer after the other is reduced.

Daily, Vishnu & Siegel (2017), Leveraging asynchronicity in gradient descent for scalable deep learning; the form of
their code, matex-org/caffe-intel, branch agd, class MPISyncParamsCPU. Differences: docs/methods/layer_wise.md.

    on each of K nodes:  forward;  backward: g_k^l for l = L, …, 1
                         for l = L, …, 1:  G^l ← (1/K) Σ_k g_k^l  (all-reduce);  w^l ← w^l − η G^l
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import AllReduce, Compute, Program, Report
from rebuttal.methods.bases import Diagram, Peers
from rebuttal.methods.layer_passes import forward_pass


@dataclass(frozen=True)
class LayerWise(Peers):
    """As many collectives as layers, and every one is waited for: nothing overlaps."""

    diagram: ClassVar = Diagram(
        "Layer by layer, blocking: one all-reduce after the other, and nothing overlaps"
    )

    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """Node number k of the K."""
        layers = task.stages(task.layers)
        w, t = [layer.start() for layer in layers], 0
        while (yield Report(task.joined(*w))):
            h, delta = yield from forward_pass(layers, w, k, t)
            g = {}
            for l in reversed(range(len(layers))):
                delta, g[l] = yield Compute(layers[l].backward, (w[l], h[l], delta))
            for l, own in g.items():
                G = yield AllReduce(f"gradient {l}", own, nodes)
                w[l] = yield Compute(layers[l].update, (w[l], G))
            t += 1
