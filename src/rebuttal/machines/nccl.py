"""NCCL's own estimate of an all-reduce, with the constants that its tuning table publishes, to compare ours with.

Source: NVIDIA/nccl, src/graph/tuning.cc at 01afd20a. A time there is a base latency, plus steps times a latency per
hop, plus bytes over an algorithm's bandwidth. Left out: the protocol LL128, in-network sums, and the static factors
that lower a tree's bandwidth at medium sizes.
"""

import math
from dataclasses import dataclass

from rebuttal.base.errors import refuse
from rebuttal.machines.collective_costs import Cost

PROTOCOLS = ("ll", "simple")
TREE_SHARE = 0.9  # of a ring's bandwidth that a tree reaches
TREE_MOST = {True: 110e9, False: 80e9}  # bytes per second: on at most two hosts, on more
LL_SHARE = {
    "ring": 1 / 4,
    "tree": 1 / 3.8,
}  # half of LL's bytes are flags; the rest is what waiting for them costs
PLATEAU = 1.9  # on the latency of a simple ring across hosts, once messages are large


@dataclass(frozen=True)
class Hops:
    """Seconds: before the first byte, and for one hop inside a host and between hosts."""

    base_s: float
    inside_s: dict[str, float]
    between_s: float


LATENCY = {
    ("ring", "ll"): Hops(3.6e-6, {"nvlink": 0.47e-6, "pci": 1.0e-6}, 2.7e-6),
    ("ring", "simple"): Hops(8.4e-6, {"nvlink": 3.4e-6, "pci": 5.7e-6}, 9.6e-6),
    ("tree", "ll"): Hops(4.4e-6, {"nvlink": 0.52e-6, "pci": 1.0e-6}, 5.0e-6),
    ("tree", "simple"): Hops(0.0, {"nvlink": 28e-6, "pci": 28e-6}, 50e-6),
}


@dataclass(frozen=True)
class Boxes:
    """GPUs on equal hosts; `bus_bytes_per_s` is what all channels of a GPU carry together, on the slowest hop."""

    gpus: int
    hosts: int
    bus_bytes_per_s: float
    inside: str = "nvlink"

    def __post_init__(self) -> None:
        if self.hosts < 1 or self.gpus < self.hosts or self.gpus % self.hosts:
            raise refuse("gpus", (self.gpus, self.hosts), "a multiple of the number of hosts, which is >= 1")
        if self.inside not in ("nvlink", "pci"):
            raise refuse("inside", self.inside, ("nvlink", "pci"))


def ring(boxes: Boxes, size_bytes: float, protocol: str = "simple") -> Cost:
    """2(P−1) steps, of which 2(hosts−1) cross the network."""
    hops = _hops("ring", protocol)
    steps, between = 2 * (boxes.gpus - 1), 2 * (boxes.hosts - 1)
    latency_s = hops.base_s + (steps - between) * _inside_s(hops, boxes, protocol) + between * hops.between_s
    if boxes.hosts > 1 and protocol == "simple" and size_bytes >= boxes.gpus / 16 * 65536:
        latency_s *= PLATEAU
    bus = boxes.bus_bytes_per_s * (LL_SHARE["ring"] if protocol == "ll" else 1.0)
    return Cost(latency_s, size_bytes * steps / (boxes.gpus * bus))


def tree(boxes: Boxes, size_bytes: float, protocol: str = "simple") -> Cost:
    """Along a chain inside each host and a binary tree between hosts, up and down."""
    hops = _hops("tree", protocol)
    chain, depth = boxes.gpus // boxes.hosts - 1, int(math.log2(boxes.hosts))
    latency_s = hops.base_s + 2 * (chain * _inside_s(hops, boxes, protocol) + depth * hops.between_s)
    bus = min(TREE_SHARE * boxes.bus_bytes_per_s, TREE_MOST[boxes.hosts <= 2])
    bus *= LL_SHARE["tree"] if protocol == "ll" else 1.0
    return Cost(latency_s, 2 * size_bytes / bus)


def best(boxes: Boxes, size_bytes: float) -> Cost:
    """The cheapest algorithm and protocol for this size: nothing on one GPU."""
    if boxes.gpus == 1:
        return Cost(0.0, 0.0)
    costs = [algorithm(boxes, size_bytes, p) for algorithm in (ring, tree) for p in PROTOCOLS]
    return min(costs, key=lambda cost: cost.total_s)


def _hops(algorithm: str, protocol: str) -> Hops:
    if protocol not in PROTOCOLS:
        raise refuse("protocol", protocol, PROTOCOLS)
    return LATENCY[algorithm, protocol]


def _inside_s(hops: Hops, boxes: Boxes, protocol: str) -> float:
    """A hop inside a host; LL's are slower by a factor once there are several hosts."""
    return hops.inside_s[boxes.inside] * (1.8 if boxes.hosts > 1 and protocol == "ll" else 1.0)
