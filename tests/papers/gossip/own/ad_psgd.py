"""Asynchronous SGD in which each node averages its weights with those of a neighbour that it draws.

AD-PSGD (Lian et al. 2018, arXiv:1710.06952), algorithm 1. Differs from the paper: averaging is atomic at the neighbour
alone, so what others change here in the meantime is lost.

    on each of K nodes, its weights w_k in a cell of its own that others change:
        w ← w_k;  g ← ∇F(batch_k; w);  j drawn;  w_j ← w_k ← (w_j + w_k) / 2;  w_k ← w_k − η g
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.update_rules import averaged
from rebuttal.core.verbs import Compute, Modify, Program, Read, Report, Write
from rebuttal.methods.bases import Peers


@dataclass(frozen=True)
class ADPSGD(Peers):
    """Gossip: no server, no barrier, and one message each way for a gradient."""

    draws: ClassVar = True

    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """Node number k of the K; every update is a version, the mean of what each node had after its last."""
        me, t = nodes[k], 0
        w = task.start()
        yield Write("w", w, at=me)
        while (yield Report(w, shared=True, replica=(k, len(nodes)))):
            w = yield Read("w", at=me)
            g = yield Compute(task.gradient, (w, (k, t)))
            if len(nodes) > 1:
                j = nodes[(k + 1 + task.drawn(len(nodes) - 1, k, t)) % len(nodes)]
                w = yield Modify("w", averaged, ((yield Read("w", at=me)),), at=j)
                yield Write("w", w, at=me)
            w = yield Modify("w", task.update, (g,), at=me)
            t += 1
