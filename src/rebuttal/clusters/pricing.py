"""What each request costs on a machine: the virtual clock's only source of seconds and bytes."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from rebuttal.costs import Costs
from rebuttal.errors import refuse
from rebuttal.machines import Link, Machine


class Pricing(Protocol):
    """What the clock needs to know: seconds of an operation, bytes of a value, links of a node."""

    def seconds(self, operation: str, args: tuple) -> float:
        """Seconds of an operation on these arguments, without straggling."""
        ...

    def slowdown(self, worker: int, index: int) -> float:
        """The factor by which a worker's `index`-th gradient takes longer."""
        ...

    def size_bytes(self, value: Any) -> int:
        """Bytes of a value on the wire."""
        ...

    def link(self, node: int) -> Link:
        """The connection of a node."""
        ...

    def all_reduce_s(self, nodes: int, size_bytes: int) -> float:
        """Seconds of an all-reduce over so many nodes."""
        ...


@dataclass
class MachinePricing:
    """Costs of one workload on one machine in one seeded run.

    `costs` are those of the workload's gradient and update on this device (a machine with stated costs needs none);
    the first `servers` nodes have the machine's server link, the others its worker link.
    """

    machine: Machine
    costs: Costs | None
    seed: int
    servers: int
    _slowdowns: dict[int, np.ndarray] = field(default_factory=dict, init=False)

    def seconds(self, operation: str, args: tuple) -> float:
        """Seconds of an operation without straggling."""
        if operation == "gradient":
            return self.machine.gradient_s(self.costs, len(args) - 1)
        if operation == "update":
            return self.machine.update_s(self.costs)
        raise refuse("operation", operation, ("gradient", "update"))

    def slowdown(self, worker: int, index: int) -> float:
        """The straggler's factor for the `index`-th gradient of a worker (by shard): equal across methods."""
        drawn = self._slowdowns.get(worker)
        if drawn is None or index >= len(drawn):
            count = 64 if drawn is None else 2 * len(drawn)
            drawn = self._slowdowns[worker] = self.machine.stragglers.slowdowns(self.seed, worker, count)
        return float(drawn[index])

    def size_bytes(self, value: Any) -> int:
        """Bytes on the wire: one set of weights for a state or a gradient, nothing for a number or None."""
        if isinstance(value, tuple) and not _is_state(value):
            return sum(self.size_bytes(part) for part in value)
        if value is None or isinstance(value, (bool, int, float)):
            return 0
        return self.machine.message_bytes(self.costs)

    def link(self, node: int) -> Link:
        """The link of a node."""
        return self.machine.server_link if node < self.servers else self.machine.worker_link

    def all_reduce_s(self, nodes: int, size_bytes: int) -> float:
        """A ring all-reduce: 2(K−1) messages of 1/K of the bytes (Patarasu & Yuan 2009)."""
        link = self.machine.worker_link
        steps = 2 * (nodes - 1)
        return steps * (link.latency_s + size_bytes / nodes / link.bandwidth_bytes_per_s)


def _is_state(value: tuple) -> bool:
    """Whether a tuple is an eager state (all tensors) rather than a message of several parts."""
    return bool(value) and all(hasattr(part, "dtype") for part in value)
