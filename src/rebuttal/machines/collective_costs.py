"""The cost of a collective: closed forms in the latency and the bandwidth of a link.

P nodes, S bytes, a latency α per message and B bytes per second in each direction. A cost has two parts, because a
clock overlaps the latencies of collectives that are under way at once, and lines their bytes up on the wire.

| collective           | latency      | transfer          | source                                       |
|----------------------|--------------|-------------------|----------------------------------------------|
| `ring`               | 2(P−1) α     | 2(P−1)/P · S/B    | Patarasu & Yuan (2009)                       |
| `halving_doubling`   | 2⌈log₂P⌉ α   | 2(P−1)/P · S/B    | Thakur, Rabenseifner & Gropp (2005)          |
| `tree`               | 2⌈log₂P⌉ α   | 2 S/B             | Sanders, Speck & Träff (2009), two trees     |
| `hierarchical`       | the sum of its parts             || ring inside each host, across hosts, inside  |
| `parameter_server`   | 2 α          | 2 P S / (k B)     | k shards, each with a link of its own        |
| `server_in_turn`     | 2 α          | (P+1) S/(k B)     | as above, full duplex, one after the other   |
| `lower_bound`        | 0            | 2(P−1)/P · S/B    | no node can do with less (without in-network sums) |

Halving and doubling is stated for a power of two; in as many rounds and with as few bytes other numbers of nodes need
a circulant pattern of partners. The tree's latency leaves out the filling of its pipeline with pieces of the message.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from rebuttal.base.errors import refuse


class Wire(Protocol):
    """A link: rebuttal.machines.hardware.Link."""

    @property
    def latency_s(self) -> float:
        """Seconds from the sending to the arrival of an empty message."""
        ...

    @property
    def bandwidth_bytes_per_s(self) -> float:
        """Bytes per second in each direction."""
        ...


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of waiting for messages, and seconds during which the wire is busy."""

    latency_s: float
    transfer_s: float

    @property
    def total_s(self) -> float:
        """Seconds of the collective when it is alone."""
        return self.latency_s + self.transfer_s

    def __add__(self, other: "Cost") -> "Cost":
        """The two, one after the other."""
        return Cost(self.latency_s + other.latency_s, self.transfer_s + other.transfer_s)


def ring(nodes: int, size_bytes: float, link: Wire) -> Cost:
    """2(P−1) rounds of a P-th of the bytes, each node with its neighbour."""
    _check(nodes, size_bytes)
    return Cost(2 * (nodes - 1) * link.latency_s, _least_transfer_s(nodes, size_bytes, link))


def halving_doubling(nodes: int, size_bytes: float, link: Wire) -> Cost:
    """Recursive halving, then doubling: partners at distance P/2, P/4, …, and back."""
    _check(nodes, size_bytes)
    return Cost(2 * rounds(nodes) * link.latency_s, _least_transfer_s(nodes, size_bytes, link))


def tree(nodes: int, size_bytes: float, link: Wire) -> Cost:
    """Up and down two binary trees at once, each with half of the bytes: inside one, a node is a leaf of the other."""
    _check(nodes, size_bytes)
    transfer_s = 2 * size_bytes / link.bandwidth_bytes_per_s if nodes > 1 else 0.0
    return Cost(2 * rounds(nodes) * link.latency_s, transfer_s)


def hierarchical(nodes: int, size_bytes: float, link: Wire, host_link: Wire, per_host: int) -> Cost:
    """A ring's first half inside each host, a ring across hosts for each piece, a ring's second half inside.

    `link` is a node's own share of its host's connection. A last host that is not full counts as a full one.
    """
    _check(nodes, size_bytes)
    if per_host < 1:
        raise refuse("per_host", per_host, "a whole number >= 1")
    inside = min(nodes, per_host)
    hosts = math.ceil(nodes / per_host)
    return ring(inside, size_bytes, host_link) + ring(hosts, size_bytes / inside, link)


def parameter_server(workers: int, size_bytes: float, link: Wire, shards: int = 1) -> Cost:
    """Every worker sends S bytes to the server and gets S back; each of the k shards takes a k-th through its link.

    The server's links are the bottleneck: all gradients come in at once, then all weights go out. They do not overlap.
    """
    _check(workers, size_bytes)
    if shards < 1:
        raise refuse("shards", shards, "a whole number >= 1")
    return Cost(2 * link.latency_s, 2 * workers * size_bytes / (shards * link.bandwidth_bytes_per_s))


def server_in_turn(workers: int, size_bytes: float, server_link: Wire, worker_link: Wire) -> Cost:
    """A server that sends its weights to one worker after the other, and takes gradients in the meantime.

    The last worker's weights wait for all others'; its gradient finds the server's link free. `server_link` is that
    of all shards together. This is what a full-duplex network makes of workers that are equally fast.
    """
    _check(workers, size_bytes)
    slower = min(server_link.bandwidth_bytes_per_s, worker_link.bandwidth_bytes_per_s)
    waiting_s = (workers - 1) * size_bytes / server_link.bandwidth_bytes_per_s
    return Cost(server_link.latency_s + worker_link.latency_s, waiting_s + 2 * size_bytes / slower)


def lower_bound(nodes: int, size_bytes: float, link: Wire) -> Cost:
    """A lower bound for every all-reduce between nodes: each node must send and receive this much."""
    _check(nodes, size_bytes)
    return Cost(0.0, _least_transfer_s(nodes, size_bytes, link))


def rounds(nodes: int) -> int:
    """⌈log₂ P⌉, in whole numbers."""
    return (nodes - 1).bit_length()


#: Between equal links; `hierarchical` and `best` need more than that.
FLAT: dict[str, Callable[[int, float, Wire], Cost]] = {
    "ring": ring,
    "tree": tree,
    "halving_doubling": halving_doubling,
}
COLLECTIVES = (*FLAT, "hierarchical", "best")


def all_reduce(
    name: str, nodes: int, size_bytes: float, link: Wire, host_link: Wire | None = None, per_host: int = 1
) -> Cost:
    """The cost of the named algorithm between nodes of which `per_host` share a host.

    Within one host, every algorithm uses `host_link`. Across hosts, the flat ones go at the pace of `link`, their
    slowest part; `best` is the cheapest of `ring`, `tree` and `hierarchical` for this size, as libraries choose.

    Raises:
        InputError: an unknown algorithm, or counts and sizes that make no sense.
    """
    if name not in COLLECTIVES:
        raise refuse("collective", name, COLLECTIVES)
    inner = host_link or link
    if name == "best":
        return _cheapest(
            all_reduce(each, nodes, size_bytes, link, host_link, per_host)
            for each in ("ring", "tree", "hierarchical")
        )
    if name == "hierarchical":
        return hierarchical(nodes, size_bytes, link, inner, per_host)
    return FLAT[name](nodes, size_bytes, inner if nodes <= per_host else link)


def _cheapest(costs: Iterable[Cost]) -> Cost:
    """The first of those with the smallest total."""
    return min(costs, key=lambda cost: cost.total_s)


def _least_transfer_s(nodes: int, size_bytes: float, link: Wire) -> float:
    """2(P−1)/P · S/B."""
    return 2 * (nodes - 1) / nodes * size_bytes / link.bandwidth_bytes_per_s


def _check(nodes: int, size_bytes: float) -> None:
    if nodes < 1:
        raise refuse("nodes", nodes, "a whole number >= 1")
    if not size_bytes >= 0:
        raise refuse("size_bytes", size_bytes, "a number >= 0")
