"""Delayed gradients, layer by layer: each layer's mean gradient is applied k iterations later, before its forward pass.

Daily, Vishnu & Siegel (2017), Leveraging asynchronicity in gradient descent for scalable deep learning, whose abstract
names both layer-wise overlap and updates that are delayed a fixed number of times; their meeting is a reconstruction.
Differences: docs/methods/delayed_layer_wise.md.

    on each of P nodes, iteration t:
        forward, l = 1, …, L:   if t > k:  wait for G_{t−1−k}^l;  w^l ← w^l − η G_{t−1−k}^l
                                activations of layer l
        backward, l = L, …, 1:  g_p^l;  begin G_t^l ← (1/P) Σ_p g_p^l  (all-reduce, not blocking)
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import AllReduce, Compute, Program, Report, Wait
from rebuttal.methods.bases import Diagram, Peers


@dataclass(frozen=True)
class DelayedLayerWise(Peers):
    """As delayed all-reduce, but a layer waits for its own gradient only, and only when it is needed."""

    k: int = 1  # iterations that a layer's mean gradient may take beyond its own; 0 is lazy layer-wise asynchronous

    at_least: ClassVar = {"k": 0}
    diagram: ClassVar = Diagram("Delayed layer-wise, k = 1: a layer is updated just before its use", {"k": 1})
    tried_as: ClassVar = {"delayed_layer_wise": {"k": 1}}

    def train(self, task: Any, nodes: Sequence[int], p: int) -> Program:
        """Node number p of the P. A version is reported when its last layer has been updated."""
        layers = task.stages(task.layers)
        w, t, begun = [layer.start() for layer in layers], 0, [deque() for _ in layers]
        more = yield Report(task.joined(*w))
        while more:
            x, h = layers[0].input(p, t), {}
            for l, layer in enumerate(layers):
                if t > self.k:
                    w[l] = yield Compute(layer.update, (w[l], (yield Wait(begun[l].popleft()))))
                    if layer.is_last and not (yield Report(task.joined(*w))):
                        return
                h[l] = x = yield Compute(layer.forward, (w[l], x))
            delta = layers[-1].loss(x, p, t)
            for l in reversed(h):
                delta, g = yield Compute(layers[l].backward, (w[l], h[l], delta))
                begun[l].append((yield AllReduce(f"gradient {l}", g, nodes, blocking=False)))
            t += 1
