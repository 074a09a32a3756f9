"""What a machine is made of: compute costs, links, stragglers, each with its source."""

from dataclasses import dataclass, fields
from typing import Protocol

from rebuttal.errors import refuse
from rebuttal.stragglers import Stragglers


class HasCosts(Protocol):
    """What a workload costs on the profiled device: rebuttal.costs.Costs."""

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
    """Compute costs from the profile stage: of the trained workload, on this device."""

    source: str = "measured: the profile stage, results/profile.json"


@dataclass(frozen=True)
class Stated:
    """Compute costs of another model on another device, for one batch of its size."""

    gradient_s: float
    update_s: float
    weight_bytes: int
    source: str


@dataclass(frozen=True)
class Machine:
    """A cluster of equal workers and a parameter server in `server_shards` pieces, each with a `shard_link`."""

    name: str
    description: str
    worker_link: Link
    shard_link: Link
    server_shards: int
    stragglers: Stragglers
    stragglers_source: str
    compute: Measured | Stated
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.server_shards < 1:
            raise refuse("machine.server_shards", self.server_shards, "a whole number >= 1")

    def gradient_s(self, costs: HasCosts | None, batches: int) -> float:
        """Seconds of one node's gradient over `batches` batches, before straggling.

        Measured: as the device computes them, in one piece. Stated: batches times the cost of one, because the
        device was full with one batch and takes them in turn.
        """
        if isinstance(self.compute, Stated):
            return self.compute.gradient_s * batches
        return self._measured(costs).gradient_s(batches)

    def update_s(self, costs: HasCosts | None) -> float:
        """Seconds to apply one update at the server, all its shards working at once."""
        if isinstance(self.compute, Stated):
            return self.compute.update_s
        return self._measured(costs).update_s / self.server_shards

    def message_bytes(self, costs: HasCosts | None) -> int:
        """Bytes of one set of weights, or of one gradient, on the wire."""
        if isinstance(self.compute, Stated):
            return self.compute.weight_bytes
        return self._measured(costs).weight_bytes

    def _measured(self, costs: HasCosts | None) -> HasCosts:
        if costs is None:
            raise refuse(
                f"costs on machine {self.name}", None, "the workload's costs, from the profile stage"
            )
        return costs

    @property
    def clock_is(self) -> str:
        """'measured here' or 'stated': where the compute costs come from."""
        return "stated" if isinstance(self.compute, Stated) else "measured here"

    @property
    def server_link(self) -> Link:
        """The parameter server's connection as one: every message is split evenly over its shards' links."""
        shard = self.shard_link
        return Link(shard.latency_s, shard.bandwidth_bytes_per_s * self.server_shards, shard.source)

    def sources(self) -> dict[str, str]:
        """Where each figure comes from, by its dotted name."""
        parts = {"worker_link": self.worker_link, "shard_link": self.shard_link, "compute": self.compute}
        found = {
            f"{part}.{field.name}": value.source
            for part, value in parts.items()
            for field in fields(value)
            if field.name != "source"
        }
        return found | {"compute": self.compute.source, "stragglers": self.stragglers_source}
