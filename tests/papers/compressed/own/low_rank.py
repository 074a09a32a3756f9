"""Synchronous SGD that sends a product of two vectors in the place of each gradient, with error feedback.

PowerSGD (Vogels et al. 2019, arXiv:1905.13727) at rank 1, where the whole gradient is one nearly square matrix A.

    on each of K nodes:  A ← E + ∇F(batch_k; w);  p ← (1/K) Σ_k A q  (all-reduce)
                         q ← (1/K) Σ_k Aᵀ p / ‖p‖  (all-reduce);  E ← A − p qᵀ / ‖p‖;  w ← w − η p qᵀ / ‖p‖
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import normalize, pad

from rebuttal.core.update_rules import scaled, summed
from rebuttal.core.value_operations import operation
from rebuttal.core.verbs import AllReduce, Compute, Program, Report
from rebuttal.methods.bases import Peers

side = lambda numbers: math.isqrt(numbers - 1) + 1  # noqa: E731 - of the matrix
vector = operation(batched=True, size_bytes=lambda numbers: 4 * side(numbers))  # [M, side] goes over the wire


def matrix(a):
    """A gradient [M, P] as [M, side, side], with zeros at the end."""
    s = side(a.shape[1])
    return pad(a, (0, s * s - a.shape[1])).unflatten(1, (s, s))


@vector
def first(w):
    """The q that power iteration starts from, the same on all nodes."""
    drawn = torch.randn(side(w[0].shape[1]), generator=torch.Generator().manual_seed(0))
    return drawn.to(w[0]).expand(len(w[0]), -1)


@vector
def left(a, q):
    """A q."""
    return torch.bmm(matrix(a), q.unsqueeze(2)).squeeze(2)


@vector
def right(a, p):
    """Aᵀ p / ‖p‖."""
    return torch.bmm(matrix(a).mT, normalize(p).unsqueeze(2)).squeeze(2)


@operation(batched=True)
def restored(w, p, q):
    """The gradient p qᵀ / ‖p‖ [M, P] of the weights of w."""
    return (normalize(p).unsqueeze(2) * q.unsqueeze(1)).flatten(1)[:, : w[0].shape[1]]


@dataclass(frozen=True)
class LowRank(Peers):
    """All-reduce SGD of gradients of rank 1, with error feedback."""

    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        w, t, e = task.start(), 0, None
        q = first(w)
        while (yield Report(w)):
            g = yield Compute(task.gradient, (w, (k, t)))
            a = g if e is None else summed(e, g)
            p = yield AllReduce("left", (yield Compute(left, (a, q))), nodes)
            q = yield AllReduce("right", (yield Compute(right, (a, p))), nodes)
            G = yield Compute(restored, (w, p, q))
            e, w, t = summed(a, scaled(G, factor=-1.0)), (yield Compute(task.update, (w, G))), t + 1
