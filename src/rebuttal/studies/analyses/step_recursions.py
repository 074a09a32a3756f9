"""Seconds of one iteration of data-parallel SGD in each form of the layer-wise paper: recursions over layers.

Every node does the same at the same time, so one node's iteration tells all. Back-propagation goes from the last layer
to the first; the gradient of layer l is ready when its backward pass ends, and its all-reduce begins when the one
before it on its channel has ended: begin_i = max(ready_i, end_{i−1}). These are the oracles of the method files, which
run on the virtual cluster and take whatever it makes of contention, stragglers and servers.

Letters: F, B seconds of the forward and of the backward pass, r communication over computation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rebuttal.core.partition import groups
from rebuttal.machines.collective_costs import Cost, server_in_turn
from rebuttal.machines.costs import Costs
from rebuttal.machines.hardware import Machine
from rebuttal.methods.bucketed import Bucketed

AllReduce = Callable[[float], Cost]


@dataclass(frozen=True)
class Iteration:
    """What one node does and sends in an iteration, by layer that has parameters, first to last."""

    forward_s: tuple[float, ...]
    backward_s: tuple[float, ...]
    update_s: tuple[float, ...]
    layer_bytes: tuple[int, ...]
    all_reduce: AllReduce
    server: Cost
    server_update_s: float

    @property
    def compute_s(self) -> float:
        """F + B."""
        return sum(self.forward_s) + sum(self.backward_s)

    @property
    def communication_s(self) -> float:
        """All-reduce of the whole gradient in one message."""
        return self.all_reduce(sum(self.layer_bytes)).total_s

    @property
    def ratio(self) -> float:
        """r, communication in one message over computation."""
        return self.communication_s / self.compute_s

    @property
    def forward_share(self) -> float:
        """F / (F + B)."""
        return sum(self.forward_s) / self.compute_s

    @property
    def ready_s(self) -> list[float]:
        """When each layer's gradient is there, last layer first, from the beginning of the backward pass."""
        return list(accumulate(reversed(self.backward_s)))


def iteration(costs: Costs, machine: Machine, nodes: int, batches: int = 1) -> Iteration:
    """An iteration of `batches` x costs.batch samples on each of so many nodes."""
    forward_s, backward_s = costs.layers_s(batches)
    counts = costs.layer_parameters or (costs.parameters, *[0] * (len(costs.layer_names) - 1))
    stages = groups(counts)
    shares = [sum(counts[stage.start : stage.stop]) / costs.parameters for stage in stages]
    update_s = machine.update_s(costs, at_server=False)
    return Iteration(
        forward_s=tuple(sum(forward_s[i] for i in stage) for stage in stages),
        backward_s=tuple(sum(backward_s[i] for i in stage) for stage in stages),
        update_s=tuple(update_s * share for share in shares),
        layer_bytes=tuple(round(costs.weight_bytes * share) for share in shares),
        all_reduce=lambda size: machine.all_reduce(nodes, size),
        server=server_in_turn(nodes, costs.weight_bytes, machine.server_link, machine.worker_link),
        server_update_s=machine.update_s(costs),
    )


def all_reduce(work: Iteration) -> float:
    """One communication after the backward pass."""
    return work.compute_s + work.communication_s + sum(work.update_s)


def layer_wise(work: Iteration) -> float:
    """One communication for each layer, all after the backward pass."""
    waiting_s = sum(work.all_reduce(size).total_s for size in work.layer_bytes)
    return work.compute_s + waiting_s + sum(work.update_s)


def layer_wise_overlapped(work: Iteration, channels: int = 1) -> float:
    """Each layer's communication beside the backward passes below it; a wait for all before the update."""
    last_s = max(*ends_s(work, channels), sum(work.backward_s))
    return sum(work.forward_s) + last_s + sum(work.update_s)


def bucketed(work: Iteration, cap_mib: float = 25.0, first_mib: float = 1.0) -> float:
    """As overlapped, with the gradients of neighbouring layers in one message."""
    ready_s, begun = work.ready_s, []
    number = 0
    for bucket in Bucketed(cap_mib, first_mib).buckets(work.layer_bytes):
        number += len(bucket)
        begun.append((ready_s[number - 1], work.all_reduce(sum(work.layer_bytes[l] for l in bucket))))
    last_s = max(*carried_s(begun), sum(work.backward_s))
    return sum(work.forward_s) + last_s + sum(work.update_s)


def layer_wise_asynchronous(work: Iteration) -> float:
    """As overlapped, with each layer updated as soon as its own mean is there, last layer first."""
    now_s = sum(work.backward_s)
    for end_s, update_s in zip(ends_s(work), reversed(work.update_s), strict=True):
        now_s = max(now_s, end_s) + update_s
    return sum(work.forward_s) + now_s


def layer_wise_lazy(work: Iteration) -> float:
    """As asynchronous, with each layer waited for just before its own next forward pass, first layer first."""
    now_s = sum(work.backward_s)
    ends = reversed(ends_s(work))
    for end_s, update_s, forward_s in zip(ends, work.update_s, work.forward_s, strict=True):
        now_s = max(now_s, end_s) + update_s + forward_s
    return now_s


def delayed_all_reduce(work: Iteration) -> float:
    """One communication beside the next iteration, whose gradient is therefore one update old."""
    return max(work.compute_s + sum(work.update_s), work.communication_s)


def synchronous(work: Iteration) -> float:
    """A parameter server that sends its weights to one worker after the other, and waits for every gradient."""
    return work.compute_s + work.server.total_s + work.server_update_s


#: One-communication synchronous SGD, which the others are compared with, comes first.
FORMS: dict[str, Callable[[Iteration], float]] = {
    "all_reduce": all_reduce,
    "layer_wise": layer_wise,
    "layer_wise_overlapped": layer_wise_overlapped,
    "bucketed": bucketed,
    "layer_wise_asynchronous": layer_wise_asynchronous,
    "layer_wise_lazy": layer_wise_lazy,
    "delayed_all_reduce": delayed_all_reduce,
    "synchronous": synchronous,
}


def ends_s(work: Iteration, channels: int = 1) -> list[float]:
    """When each layer's all-reduce has ended, last layer first; layer l uses channel l mod `channels`."""
    begun = list(zip(work.ready_s, map(work.all_reduce, reversed(work.layer_bytes)), strict=True))
    return carried_s(begun, channels)


def carried_s(begun: Sequence[tuple[float, Cost]], channels: int = 1) -> list[float]:
    """Ends of collectives (ready at, cost), counted down to channel 0: channels overlap latency, and share the wire."""
    free_s, wire_s, ends = [0.0] * channels, 0.0, []
    for number, (ready_s, cost) in enumerate(begun):
        channel = (len(begun) - 1 - number) % channels
        wire_s = max(ready_s, free_s[channel], wire_s) + cost.transfer_s
        free_s[channel] = wire_s + cost.latency_s
        ends.append(free_s[channel])
    return ends


def overlap_ceiling(r: float, forward_share: float = 1 / 3) -> float:
    """The most that overlap without staleness gains on one communication: (1 + r) / (F + max(B, r)), F + B = 1.

    Its own maximum, where communication takes as long as the backward pass, is 5/3 for a backward pass of twice the
    forward pass.
    """
    return (1 + r) / (forward_share + max(1 - forward_share, r))


def delay_ceiling(r: float) -> float:
    """The most that a delay of one step gains: (1 + r) / max(1, r), at most 2."""
    return (1 + r) / max(1.0, r)
