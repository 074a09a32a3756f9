"""Synchronous SGD, bucketed: the gradients of neighbouring layers travel together, beside the backward pass.

Li et al. (2020), PyTorch distributed: experiences on accelerating data parallel training, VLDB, arXiv:2006.15704
(DistributedDataParallel). Differences: docs/methods/bucketed.md.

    buckets:             layers L, …, 1 in turn; a bucket is closed once it has `first_mib` (the first) or `cap_mib`
    on each of K nodes:  forward
                         backward, l = L, …, 1:  g_k^l;  if l is its bucket's last:  begin the bucket's all-reduce
                         wait for all buckets;  w^l ← w^l − η G^l for all l
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core.verbs import AllReduce, Compute, Program, Report, Wait
from rebuttal.methods.bases import Diagram, Peers
from rebuttal.methods.layer_passes import forward_pass

MIB = 2**20


@dataclass(frozen=True)
class Bucketed(Peers):
    """Fewer and longer messages than layer by layer, and the same overlap but for the last bucket."""

    cap_mib: float = 25.0  # a bucket is closed once it has so many MiB
    first_mib: float = 1.0  # as cap_mib, for the first bucket: small, so that communication begins early

    # in the picture two of four layers, of 25 bytes each, make a bucket
    diagram: ClassVar = Diagram(
        "Buckets of two layers: fewer messages, and nearly the same overlap",
        {"first_mib": 40 / MIB, "cap_mib": 40 / MIB},
    )
    tried_as: ClassVar = {"bucketed": {"first_mib": 0.0001, "cap_mib": 0.0003}}

    def __post_init__(self) -> None:
        for name in ("cap_mib", "first_mib"):
            if not getattr(self, name) > 0:
                raise refuse(name, getattr(self, name), "a positive number, in MiB")

    def buckets(self, layer_bytes: Sequence[int]) -> list[list[int]]:
        """The numbers of the layers in each bucket, in the order in which their gradients come."""
        buckets, filled, cap = [[]], 0.0, self.first_mib * MIB
        for l in reversed(range(len(layer_bytes))):
            if filled >= cap:
                buckets.append([])
                filled, cap = 0.0, self.cap_mib * MIB
            buckets[-1].append(l)
            filled += layer_bytes[l]
        return buckets

    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """Node number k of the K."""
        layers, buckets = task.stages(task.layers), self.buckets(task.layer_bytes)
        w, t = [layer.start() for layer in layers], 0
        while (yield Report(task.joined(*w))):
            h, delta = yield from forward_pass(layers, w, k, t)
            begun, G = [], {}
            for b, bucket in enumerate(buckets):
                g = {}
                for l in bucket:
                    delta, g[l] = yield Compute(layers[l].backward, (w[l], h[l], delta))
                begun.append((yield AllReduce(f"bucket {b}", tuple(g.values()), nodes, blocking=False)))
            for bucket, handle in zip(buckets, begun, strict=True):
                G |= zip(bucket, (yield Wait(handle)), strict=True)
            for l, mean in G.items():
                w[l] = yield Compute(layers[l].update, (w[l], mean))
            t += 1
