"""Partially asynchronous gradient descent: each node updates its block of the weights at an outdated view of the rest.

Tsitsiklis, Bertsekas & Athans (1986), Distributed asynchronous deterministic and stochastic gradient optimization
algorithms, IEEE Transactions on Automatic Control 31(9). Differences from the paper: docs/methods/bounded_delay.md.

    node i, for t = 0, 1, …:  take what has come;  while some copy x_j(τ_j) has τ_j ≤ t − B:  wait for a newer one
                              x_i(t+1) ← x_i(t) − η ∇_i F(batch_t; x_1(τ_1), …, x_n(τ_n)),  t − B < τ_j ≤ t
                              send x_i(t+1) to all others
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import Compute, Program, Recv, Report, Send
from rebuttal.methods.bases import Diagram, Peers


@dataclass(frozen=True)
class BoundedDelay(Peers):
    """Nobody waits as long as no copy of another's block is B or more updates behind its reader."""

    B: int = 4  # 1 is mini-batch SGD, in blocks

    group: ClassVar = "memory"
    at_least: ClassVar = {"B": 1}
    diagram: ClassVar = Diagram(
        "Bounded delay, B = 2: four blocks of the weights, each with its own node", {"B": 2}
    )
    tried_as: ClassVar = {"bounded_delay": {"B": 3}}

    def reads(self, workers: int) -> int:
        """One: all nodes compute the gradient of the same batch."""
        return 1

    def train(self, task: Any, nodes: Sequence[int], i: int) -> Program:
        """Node i: the gradient at its own view, the update of its own block."""
        stages = task.stages(len(nodes))
        # of each block the versions that may be used yet, with their numbers: nobody gets more than B ahead of us
        copies = [deque([(0, stage.start())], maxlen=self.B + 1) for stage in stages]
        t = 0
        while (yield Report(copies[i][-1][1], part=(i, len(nodes)))):
            yield from self.take(copies, nodes[i], t)
            x = [next(w for tau, w in reversed(block) if tau <= t) for block in copies]
            g = yield Compute(task.gradient, (task.joined(*x), (0, t)))
            w = yield Compute(stages[i].update, (x[i], stages[i].part(g)))
            t += 1
            copies[i].append((t, w))
            for node in nodes:
                if node != nodes[i]:
                    yield Send(node, "block", (i, t, w))

    def take(self, copies: list[deque], node: int, t: int) -> Program:
        """Take the mail: up to a note that the node sends itself now, and on until no copy is too old."""
        yield Send(node, "block", None)
        noted = False
        while not noted or min(block[-1][0] for block in copies) <= t - self.B:
            _, message = yield Recv("block")
            if message is None:
                noted = True
            else:
                j, tau, w = message
                copies[j].append((tau, w))
