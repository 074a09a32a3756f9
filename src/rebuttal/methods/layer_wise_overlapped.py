"""Synchronous SGD, layer-wise with overlap: a layer's gradient is on its way while the layers below compute theirs.

Daily, Vishnu & Siegel (2017), Leveraging asynchronicity in gradient descent for scalable deep learning; the form of
their code, matex-org/caffe-intel, branch agd, class MPISyncParamsNBCPU. Differences:
docs/methods/layer_wise_overlapped.md.

    on each of K nodes:  forward
                         backward, l = L, …, 1:  g_k^l;  begin G^l ← (1/K) Σ_k g_k^l  (all-reduce, not blocking)
                         wait for all G^l;  w^l ← w^l − η G^l for all l
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import AllReduce, Compute, Program, Report, Wait
from rebuttal.methods.bases import Diagram, Peers
from rebuttal.methods.layer_passes import forward_pass


@dataclass(frozen=True)
class LayerWiseOverlapped(Peers):
    """The collectives run beside the backward pass, each as soon as its gradient is there."""

    channels: int = 1  # communication channels: so many collectives may be under way at once

    at_least: ClassVar = {"channels": 1}
    diagram: ClassVar = Diagram("Overlapped: a layer is reduced while those below still compute")
    tried_as: ClassVar = {"layer_wise_overlapped": {"channels": 2}}

    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """Node number k of the K."""
        layers = task.stages(task.layers)
        w, t = [layer.start() for layer in layers], 0
        while (yield Report(task.joined(*w))):
            h, delta = yield from forward_pass(layers, w, k, t)
            begun, G = {}, {}
            for l in reversed(range(len(layers))):
                delta, g = yield Compute(layers[l].backward, (w[l], h[l], delta))
                c = l % self.channels
                begun[l] = yield AllReduce(f"gradient {l}", g, nodes, blocking=False, channel=c)
            for l, handle in begun.items():
                G[l] = yield Wait(handle)
            for l, mean in G.items():
                w[l] = yield Compute(layers[l].update, (w[l], mean))
            t += 1
