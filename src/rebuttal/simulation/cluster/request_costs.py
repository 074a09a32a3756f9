"""What each request costs on a machine: the virtual clock's only source of seconds and bytes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from rebuttal.core import value_operations
from rebuttal.core.graph import Arguments, Symbol
from rebuttal.core.value_operations import ValueOperation
from rebuttal.core.verbs import Request
from rebuttal.machines import Link, Machine
from rebuttal.machines.costs import Costs
from rebuttal.simulation.cluster.value_sizes import NOTHING, NUMBER_BYTES, Extent, Extents

#: Operations on data, which a straggler slows down; all others are on weights alone.
STRAGGLING = ("gradient", "forward", "backward", "input_gradient", "weight_gradient")
FORWARD_SHARE = (
    1 / 3
)  # of a gradient, where only the whole was stated: a backward pass is two products, a forward one


Overhead = Callable[[int, Request], float]  # of a node's request


class Pricing(Protocol):
    """What the clock needs to know: seconds of an operation, bytes of a value, links of a node."""

    def seconds(self, operation: str, args: tuple, stage: Any) -> float:
        """Seconds of an operation on these arguments, without straggling; `stage`: whose it is, if any."""
        ...

    def own_seconds(self, operation: ValueOperation, numbers: Arguments, args: tuple) -> float:
        """Seconds of an operation of a method's own, with its numbers, on these values."""
        ...

    def slowdown(self, node: int, index: int) -> float:
        """The factor by which a node's `index`-th operation of one kind takes longer."""
        ...

    def size_bytes(self, value: Any) -> int:
        """Bytes of a value on the wire."""
        ...

    def link(self, node: int) -> Link:
        """The connection of a node."""
        ...

    def all_reduce_s(self, nodes: int, size_bytes: int) -> tuple[float, float]:
        """Seconds of latency, and seconds on the wire, of an all-reduce over so many nodes."""
        ...

    def gather_s(self, nodes: int, size_bytes: int) -> tuple[float, float]:
        """As `all_reduce_s`, where every node gets the values of all others as they are."""
        ...

    @property
    def overhead_s(self) -> Overhead | None:
        """Seconds for which a request holds the node before anything else happens: what its runtime costs."""
        ...

    def is_near(self, node: int, at: int | None) -> bool:
        """Whether a node reaches the cells at `at` without a network."""
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
    _extents: Extents = field(default_factory=Extents, init=False)
    # a run asks for the same few costs again and again, and each is a sum over layers
    _seconds: dict[tuple[str, int, int, int], float] = field(default_factory=dict, init=False)
    _bytes: dict[Extent, int] = field(default_factory=dict, init=False)

    def seconds(self, operation: str, args: tuple, stage: Any = None) -> float:
        """Seconds of an operation without straggling; what is done to weights alone costs as much as an update."""
        batches = len(args) - 1 if operation == "gradient" else 1
        key = (operation, batches, getattr(stage, "l", 0), getattr(stage, "n", 1))
        if key not in self._seconds:
            self._seconds[key] = self._operation_s(*key)
        return self._seconds[key]

    def own_seconds(self, operation: ValueOperation, numbers: Arguments, args: tuple) -> float:
        """As it states for so many numbers as its first value is about, or as many updates of them."""
        symbol = _symbol(args[0] if args else None)
        extent = NOTHING if symbol is None else self._extents.of(symbol)
        dense = self._dense_bytes(extent) // NUMBER_BYTES
        stated = operation.costs("seconds", dense, numbers)
        if stated is not None:
            return stated
        return operation.updates * self._update_s(extent.l, extent.n)

    def _operation_s(self, operation: str, batches: int, l: int, n: int) -> float:
        if operation == "gradient":
            return self.machine.gradient_s(self.costs, batches)
        if operation in ("forward", "backward", "input_gradient", "weight_gradient"):
            return self._pass_s(operation, l, n)
        return self._update_s(l, n)

    def _update_s(self, l: int, n: int) -> float:
        return self.machine.update_s(self.costs, at_server=self.servers > 0) * self._share(l, n)

    def _pass_s(self, operation: str, l: int, n: int) -> float:
        """A stage's share of one batch's gradient; the halves of a backward pass are taken as equal."""
        whole_s = self.machine.gradient_s(self.costs, 1)
        if self.costs is None:
            parts_s = (FORWARD_SHARE * whole_s, (1 - FORWARD_SHARE) * whole_s)
        else:
            scale = whole_s / (self.costs.gradient_s(1) or 1.0)
            forward_s, backward_s = self.costs.stage_s(l, n, 1)
            parts_s = (forward_s * scale, backward_s * scale)
        return parts_s[operation != "forward"] / (2 if operation.endswith("_gradient") else 1)

    def _share(self, l: int, n: int) -> float:
        """The share of the parameters that stage l of n has."""
        if n == 1 or self.costs is None:
            return 1.0
        return self.costs.stage_parameters(l, n) / self.costs.parameters

    def slowdown(self, node: int, index: int) -> float:
        """The straggler's factor for a worker's `index`-th batch: equal across methods, and for all its layers."""
        worker = max(0, node - self.servers)
        drawn = self._slowdowns.get(worker)
        if drawn is None or index >= len(drawn):
            count = 256 if drawn is None else 2 * len(drawn)  # hardly slower to draw than one
            drawn = self._slowdowns[worker] = self.machine.stragglers.slowdowns(self.seed, worker, count)
        return drawn.item(index)

    def size_bytes(self, value: Any) -> int:
        """Bytes on the wire: of the weights alone for a state, of float32 activations, nothing for a number or None.

        What a method's own operation made is as large as that says.
        """
        total = 0
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, tuple):
                total += self.size_bytes(part)
            elif (symbol := _symbol(part)) is not None:
                extent = self._extents.of(symbol)
                size = self._bytes.get(extent)
                if size is None:
                    size = self._bytes[extent] = extent.size_bytes(self._dense_bytes(extent))
                total += size
        return total

    def _dense_bytes(self, extent: Extent) -> int:
        l, n = extent.l, extent.n
        if extent.kind == "weights":
            return round(self.machine.message_bytes(self.costs) * self._share(l, n))
        return NUMBER_BYTES * self._batch_values(l, n) if extent.kind == "activations" else 0

    def _batch_values(self, l: int, n: int) -> int:
        return self.costs.stage_outputs(l, n) * self.costs.batch if self.costs else 0

    def link(self, node: int) -> Link:
        """The link of a node."""
        return self.machine.server_link if node < self.servers else self.machine.worker_link

    def all_reduce_s(self, nodes: int, size_bytes: int) -> tuple[float, float]:
        """By the machine's own algorithm (rebuttal.machines.collective_costs)."""
        cost = self.machine.all_reduce(nodes, size_bytes)
        return cost.latency_s, cost.transfer_s

    def gather_s(self, nodes: int, size_bytes: int) -> tuple[float, float]:
        """In a ring a node passes on K − 1 values, and 2 (K − 1) / K of one where they are summed on the way."""
        return self.all_reduce_s(nodes, gathered_bytes(nodes, size_bytes))

    @property
    def overhead_s(self) -> Overhead | None:
        """None: a machine's compute costs include what starts them."""
        return None

    def is_near(self, node: int, at: int | None) -> bool:
        """Its own cells, and those of the machine that all nodes run on."""
        return at is None or at == node


def seconds_of(pricing: Pricing, called: Callable, args: tuple) -> float:
    """What an operation that a request names takes on these values, without straggling."""
    own = value_operations.of(called)
    if own:
        return pricing.own_seconds(*own, args)
    return pricing.seconds(called.__name__, args, getattr(called, "__self__", None))


def gathered_bytes(nodes: int, size_bytes: int) -> int:
    """The bytes of a sum for which a node of a ring sends as much as for everybody's value of `size_bytes`."""
    return nodes * size_bytes // 2


def _symbol(value: Any) -> Symbol | None:
    """The symbol of a value; None for a number or nothing."""
    return value if isinstance(value, Symbol) else getattr(value, "symbol", None)


def layer_bytes(machine: Machine, costs: Costs | None) -> tuple[int, ...]:
    """Bytes on the wire of each layer's gradient on this machine; of the whole where layers are not known."""
    if costs is None:
        return (machine.message_bytes(None),)
    scale = machine.message_bytes(costs) / costs.weight_bytes
    return tuple(round(size * scale) for size in costs.layer_bytes)
