"""Hogwild!: threads that read and write one set of weights in shared memory, without locks.

Niu, Recht, Re & Wright (2011), Hogwild!: a lock-free approach to parallelizing stochastic gradient descent, NIPS 24.
Differences from the paper: docs/methods/hogwild.md.

    on each thread:  for l = 1, …, n:  read w^l;  h^l ← f^l(w^l, h^{l−1})
                     for l = n, …, 1:  (δ^{l−1}, g^l) ← the backward pass of layer l at (w^l, h^l, δ^l)
                                       in shared memory:  w^l ← w^l − η g^l
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import Compute, Modify, Program, Read, Report, Write
from rebuttal.methods.bases import Diagram, Peers


@dataclass(frozen=True)
class Hogwild(Peers):
    """Reads a layer just before its forward pass, and updates it as soon as its gradient is there."""

    group: ClassVar = "memory"
    diagram: ClassVar = Diagram(
        "Hogwild!: four threads on one set of weights, layer by layer, without locks", seconds=7.0
    )

    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """Thread number k; the first one writes the start."""
        stages, t, more = task.stages(task.layers), 0, True
        if k == 0:
            yield Report(task.start(), shared=True)
            for stage in stages:
                yield Write(f"layer {stage.l}", stage.start())
        while more:
            w, h = {}, {-1: stages[0].input(k, t)}
            for stage in stages:
                w[stage.l] = yield Read(f"layer {stage.l}")
                h[stage.l] = yield Compute(stage.forward, (w[stage.l], h[stage.l - 1]))
            delta = stages[-1].loss(h[stages[-1].l], k, t)
            for stage in reversed(stages):
                delta, g = yield Compute(stage.backward, (w[stage.l], h[stage.l], delta))
                w[stage.l] = yield Modify(f"layer {stage.l}", stage.update, (g,))
            more = yield Report(task.joined(*w.values()), shared=True)
            t += 1
