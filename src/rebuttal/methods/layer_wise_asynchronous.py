"""Asynchronous layer-wise gradient descent: reduced into a second buffer, and waited for layer by layer.

Daily, Vishnu & Siegel (2017), Leveraging asynchronicity in gradient descent for scalable deep learning (AGD); the
form of their code, matex-org/caffe-intel, branch agd, class MPIAsyncParamsCPU. Differences:
docs/methods/layer_wise_asynchronous.md.

    on each of K nodes:  forward                       (lazy: before layer l:  wait for G^l;  w^l ← w^l − η G^l)
                         backward, l = L, …, 1:  g_k^l;  begin G^l ← (1/K) Σ_k g_k^l into the second buffer
                         for l = L, …, 1:  wait for G^l;  w^l ← w^l − η G^l        (lazy: not here)

Nothing is stale: a layer's forward pass comes after its update.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import AllReduce, Compute, Program, Report, Wait
from rebuttal.methods.bases import Diagram, Peers


@dataclass(frozen=True)
class LayerWiseAsynchronous(Peers):
    """A layer is updated as soon as its own mean is there; lazily, only when it is needed."""

    lazy: bool = False  # whether a layer is waited for and updated only just before its own next forward pass
    channels: int = 1  # communication channels: so many collectives may be under way at once

    at_least: ClassVar = {"channels": 1}
    diagram: ClassVar = Diagram("AGD: each layer is reduced, waited for and updated by itself")
    tried_as: ClassVar = {"layer_wise_asynchronous": {}, "layer_wise_lazy": {"lazy": True}}

    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """Node number k of the K. A version is reported when its last layer has been updated."""
        layers = task.stages(task.layers)
        w, t, G = [layer.start() for layer in layers], 0, {}
        more = yield Report(task.joined(*w))
        while more:
            x, h = layers[0].input(k, t), {}
            for l, layer in enumerate(layers):
                if l in G:
                    w[l] = yield Compute(layer.update, (w[l], (yield Wait(G.pop(l)))))
                    if layer.is_last and not (yield Report(task.joined(*w))):
                        return
                h[l] = x = yield Compute(layer.forward, (w[l], x))
            delta = layers[-1].loss(x, k, t)
            for l in reversed(h):
                delta, g = yield Compute(layers[l].backward, (w[l], h[l], delta))
                c = l % self.channels
                G[l] = yield AllReduce(f"gradient {l}", g, nodes, blocking=False, channel=c)
            if not self.lazy:
                for l in reversed(h):
                    w[l] = yield Compute(layers[l].update, (w[l], (yield Wait(G.pop(l)))))
                more = yield Report(task.joined(*w))
            t += 1
