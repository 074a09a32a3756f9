"""Decentralised parallel SGD: nodes on a ring average their weights with their neighbours', and with nobody else's.

Lian, Zhang, Zhang, Hsieh, Zhang & Liu (2017), Can decentralized algorithms outperform centralized algorithms?, NIPS,
arXiv:1705.09056, Algorithm 1 (D-PSGD), with the ring and the equal weights of its experiments.

    on each node i of a ring:  send w_i to both neighbours
                               g ← ∇F(batch_i; w_i)
                               w_i ← (w_{i−1} + w_i + w_{i+1}) / 3 − η g

A version is the mean of all nodes' weights, as in the paper. Differences from it: what an update rule keeps beside the
weights is averaged with them; weights travel while the gradient is computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.update_rules import averaged
from rebuttal.core.verbs import Compute, Program, Recv, Report, Send


@dataclass(frozen=True)
class DPSGD:
    """Every node has weights of its own, and takes the mean with its two neighbours on a ring before each update."""

    servers: ClassVar[int] = 0

    def nodes(self, workers: int) -> int:
        """One per worker."""
        return workers

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """The same program on every node."""
        return {node: self.train(task, nodes, i) for i, node in enumerate(nodes)}

    def train(self, task: Any, nodes: Sequence[int], i: int) -> Program:
        """Node number i of the ring."""
        w, t, here = task.start(), 0, nodes[i]
        around = sorted(
            {nodes[i - 1], here, nodes[(i + 1) % len(nodes)]}
        )  # the order in which they are summed
        while (yield Report(w, replica=(i, len(nodes)))):
            for other in around:
                if other != here:
                    yield Send(other, "weights", w)
            g = yield Compute(task.gradient, (w, (i, t)))
            held = {here: w}
            for other in around:
                if other != here:
                    _, held[other] = yield Recv("weights", source=other)
            w = yield Compute(task.update, (averaged(*(held[node] for node in around)), g))
            t += 1
