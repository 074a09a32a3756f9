"""The parts of a machine: compute costs, links and stragglers, each with its source."""

from dataclasses import dataclass, fields
from typing import Protocol

from rebuttal.base.errors import refuse
from rebuttal.machines import collective_costs
from rebuttal.machines.collective_costs import Cost
from rebuttal.machines.stragglers import Stragglers


class HasCosts(Protocol):
    """The measured costs of a workload on the profiled device: rebuttal.machines.costs.Costs."""

    @property
    def weight_bytes(self) -> int:
        """Bytes of one set of weights, and of one gradient."""
        ...

    @property
    def update_s(self) -> float:
        """Seconds to apply one update."""
        ...

    def gradient_s(self, batches: int) -> float:
        """Seconds of one gradient over `batches` batches, computed as one."""
        ...


@dataclass(frozen=True)
class Link:
    """A node's connection: one message of n bytes holds it for n / bandwidth and arrives `latency_s` later."""

    latency_s: float
    bandwidth_bytes_per_s: float
    source: str

    def __post_init__(self) -> None:
        if not self.latency_s >= 0:
            raise refuse("link.latency_s", self.latency_s, "a number >= 0")
        if not self.bandwidth_bytes_per_s > 0:
            raise refuse(
                "link.bandwidth_bytes_per_s", self.bandwidth_bytes_per_s, "a number > 0, inf for free"
            )


@dataclass(frozen=True)
class Measured:
    """Compute costs of the trained workload, measured on the device that `device_costs` of params.yaml names."""

    source: str = "measured: `rebuttal profile`, in the file of reference/devices that the parameters name"


@dataclass(frozen=True)
class Stated:
    """Compute costs of another model on another device, for one batch of its size."""

    gradient_s: float
    update_s: float
    weight_bytes: int
    source: str


@dataclass(frozen=True)
class Scaled:
    """Compute costs scaled from a device's figures to a model's layers, by `rebuttal.machines.full_size_costs`.

    flops_per_s: peak of the arithmetic that `source` names. memory_bytes_per_s: of the device's own memory.
    efficiency: the share of the peak that large products reach. half_flops: the operations of one product at which
    half of that share is reached. launch_s: what starting a product costs, however small it is.
    """

    flops_per_s: float
    memory_bytes_per_s: float
    efficiency: float
    half_flops: float
    launch_s: float
    source: str

    def __post_init__(self) -> None:
        for name in ("flops_per_s", "memory_bytes_per_s"):
            if not 0 < getattr(self, name) < float("inf"):
                raise refuse(f"compute.{name}", getattr(self, name), "a finite number > 0")
        if not 0 < self.efficiency <= 1:
            raise refuse("compute.efficiency", self.efficiency, "a number above 0, at most 1")
        for name in ("half_flops", "launch_s"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise refuse(f"compute.{name}", getattr(self, name), "a finite number >= 0")


CLOCKS = {Measured: "measured", Scaled: "scaled", Stated: "stated"}


@dataclass(frozen=True)
class Machine:
    """A cluster of equal workers and a parameter server in `server_shards` pieces, each with a `shard_link`.

    `worker_link` is one worker's own share of its host's connection. Where `nodes_per_host` workers share a host, they
    reach each other through `host_link`. All-reduces use the algorithm `collective` (`collective_costs`).
    """

    name: str
    description: str
    worker_link: Link
    shard_link: Link
    server_shards: int
    stragglers: Stragglers
    stragglers_source: str
    compute: Measured | Scaled | Stated
    assumptions: tuple[str, ...] = ()
    collective: str = "ring"
    nodes_per_host: int = 1
    host_link: Link | None = None

    def __post_init__(self) -> None:
        for name in ("server_shards", "nodes_per_host"):
            if getattr(self, name) < 1:
                raise refuse(f"machine.{name}", getattr(self, name), "a whole number >= 1")
        if self.collective not in collective_costs.COLLECTIVES:
            raise refuse("machine.collective", self.collective, collective_costs.COLLECTIVES)
        if self.nodes_per_host > 1 and self.host_link is None:
            raise refuse("machine.host_link", None, f"a Link, with nodes_per_host = {self.nodes_per_host}")

    def gradient_s(self, costs: HasCosts | None, batches: int) -> float:
        """Seconds of one node's gradient over `batches` batches, before straggling.

        Measured and scaled: as the device computes them, in one piece; the costs of a scaled device are those that
        `full_size_costs.scaled_costs` makes for it. Stated: batches times the cost of one, because the device
        was full with one batch and takes them in turn.
        """
        if isinstance(self.compute, Stated):
            return self.compute.gradient_s * batches
        return self._given(costs).gradient_s(batches)

    def update_s(self, costs: HasCosts | None, at_server: bool = True) -> float:
        """Seconds to apply one update: at the server, all its shards working at once, or on one worker."""
        if isinstance(self.compute, Stated):
            return self.compute.update_s * (1 if at_server else self.server_shards)
        return self._given(costs).update_s / (self.server_shards if at_server else 1)

    def message_bytes(self, costs: HasCosts | None) -> int:
        """Bytes of one set of weights, or of one gradient, on the wire."""
        if isinstance(self.compute, Stated):
            return self.compute.weight_bytes
        return self._given(costs).weight_bytes

    def all_reduce(self, nodes: int, size_bytes: float) -> Cost:
        """Seconds of latency, and seconds on the wire, of an all-reduce of so many bytes between so many workers."""
        return collective_costs.all_reduce(
            self.collective, nodes, size_bytes, self.worker_link, self.host_link, self.nodes_per_host
        )

    def _given(self, costs: HasCosts | None) -> HasCosts:
        """The costs, if they are those of this machine's device: scaled ones say for which device they are."""
        device = self.compute if isinstance(self.compute, Scaled) else None
        if costs is None or getattr(costs, "device", None) != device:
            origin = (
                "scaled_costs of a model's layers on its device" if device else "a file of reference/devices"
            )
            given = None if costs is None else "costs of another device"
            raise refuse(f"costs on machine {self.name}", given, f"the workload's costs, from {origin}")
        return costs

    @property
    def clock_is(self) -> str:
        """'measured', 'scaled' or 'stated': where the compute costs come from."""
        return CLOCKS[type(self.compute)]

    @property
    def server_link(self) -> Link:
        """The parameter server's connection as one: every message is split evenly over its shards' links."""
        shard = self.shard_link
        return Link(shard.latency_s, shard.bandwidth_bytes_per_s * self.server_shards, shard.source)

    def sources(self) -> dict[str, str]:
        """Where each figure comes from, by its dotted name."""
        parts = {"worker_link": self.worker_link, "shard_link": self.shard_link, "compute": self.compute}
        if self.host_link is not None:
            parts["host_link"] = self.host_link
        found = {
            f"{part}.{field.name}": value.source
            for part, value in parts.items()
            for field in fields(value)
            if field.name != "source"
        }
        return found | {"compute": self.compute.source, "stragglers": self.stragglers_source}
