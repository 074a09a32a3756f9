"""Synchronous SGD that sends the largest entries of each gradient, and keeps the rest for the next update.

Stich, Cordonnier & Jaggi (2018), Sparsified SGD with memory, NeurIPS, arXiv:1809.07599.

    on each of K nodes:  a ← e + ∇F(batch_k; w);  c ← top(a);  e ← a − c;  w ← w − η (1/K) Σ_k c_k  (all-gather)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from rebuttal.base.errors import refuse
from rebuttal.core.update_rules import summed
from rebuttal.core.value_operations import operation
from rebuttal.core.verbs import AllReduce, Compute, Program, Report
from rebuttal.methods.bases import Peers


@operation(batched=True, updates=5.0, size_bytes=lambda numbers, share: 8 * max(1, round(share * numbers)))
def top(a, *, share):
    """(indices, values) of the entries of a that are largest in size, each [M, k]: 32 bits for each of them."""
    k = max(1, round(share * a.shape[1]))
    indices = a.abs().topk(k).indices
    return indices.int(), a.gather(1, indices)


@operation(batched=True)
def rest(a, sent):
    """What was not sent of a."""
    return a.scatter(1, sent[0].long(), 0)


@operation(batched=True)
def gathered(*sent):
    """What all nodes sent, side by side, divided by their number."""
    return torch.cat([c[0] for c in sent], 1), torch.cat([c[1] for c in sent], 1) / len(sent)


@operation(batched=True)
def spread(w, sent):
    """The gradient [M, P] of the weights of w with these entries; where there are several, their sum."""
    return torch.zeros_like(w[0]).scatter_add_(1, sent[0].long(), sent[1])


@dataclass(frozen=True)
class TopK(Peers):
    """All-reduce SGD of sparse gradients, with error feedback."""

    share: float = 0.01  # of the entries, that is sent

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise refuse("share", self.share, "a number in (0, 1]")

    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """Node number k of the K."""
        w, t, e = task.start(), 0, None
        while (yield Report(w)):
            g = yield Compute(task.gradient, (w, (k, t)))
            a = g if e is None else summed(e, g)
            c = yield Compute(top.at(share=self.share), (a,))
            e = yield Compute(rest, (a, c))
            C = yield AllReduce("sparse", c, nodes, operation=gathered)
            w = yield Compute(task.update, (w, (yield Compute(spread, (w, C)))))
            t += 1
