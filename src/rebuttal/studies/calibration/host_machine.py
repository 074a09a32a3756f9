"""The virtual machine that this host is: the virtual clock's prices, each of them measured in real processes."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rebuttal.core.graph import Arguments, Graph, Symbol
from rebuttal.core.partition import cut
from rebuttal.core.verbs import AllReduce, Modify, Program, Read, Request, Send, Wait, Write
from rebuttal.machines import Link, Machine, Measured
from rebuttal.machines.costs import Costs
from rebuttal.machines.stragglers import STRAGGLERS
from rebuttal.simulation.cluster.request_costs import STRAGGLING, MachinePricing, Overhead
from rebuttal.studies.calibration.host import Host
from rebuttal.studies.calibration.spans import Key, key_of

SOURCE = "measured: probes in as many processes of this host as the run has, just before it"


def machine(host: Host, stragglers: str = "none") -> Machine:
    """The host as a machine: what a message takes beside the time for which it holds its sender is the link's."""
    way = host.hop.less(host.sending)
    link = Link(way.fixed_s, 1 / way.byte_s if way.byte_s else math.inf, SOURCE)
    return Machine(
        name="this_host",
        description=f"{host.nodes} processes of this host",
        worker_link=link,
        shard_link=link,
        server_shards=1,
        stragglers=STRAGGLERS[stragglers],
        stragglers_source="assumed: the draws that are injected into the processes as well",
        compute=Measured(SOURCE),
    )


def costs(host: Host) -> Costs:
    """Seconds of each layer with parameters, as a stage of its own in a process; such a layer counts as one."""
    count, shape = host.shape.layers, host.shape
    stages = cut(shape.parameters, count)
    forward_s, backward_s = (
        tuple(host.operation_s[operation, l, count] for l in range(count))
        for operation in ("forward", "backward")
    )
    return Costs(
        workload=host.workload,
        parameters=sum(shape.parameters),
        weight_bytes=4 * sum(shape.parameters),
        batch=host.batch,
        training_size=host.batch,
        layer_names=tuple(f"layer {l}" for l in range(count)),
        forward_s={host.batch: forward_s},
        backward_s={host.batch: backward_s},
        update_s=host.operation_s["update", 0, 1],
        layer_parameters=tuple(sum(shape.parameters[layers.start : layers.stop]) for layers in stages),
        layer_outputs=tuple(shape.outputs[layers.stop - 1] for layers in stages),
    )


class NotingGraph(Graph):
    """A graph that also notes each operation as often as it is asked for, though equal ones are one node."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[Key] = []

    def symbol(self, operation: str, inputs: Iterable[Symbol] = (), arguments: Arguments = ()) -> Symbol:
        """As of any graph."""
        self.noted.append(key_of(operation, arguments))
        return super().symbol(operation, inputs, arguments)


@dataclass
class HostPricing(MachinePricing):
    """Costs of one run on processes of a host; a computation on data lasts at least `pace_s` times its straggler.

    What a program computes by the way (a loss, a mean, a join) takes no time on other virtual machines. Here it holds
    the node, as in a process: `listening` to the programs tells of it.
    """

    host: Host = field(kw_only=True)
    pace_s: float = field(default=0.0, kw_only=True)
    graph: NotingGraph = field(default_factory=NotingGraph, init=False)
    _owed_s: dict[int, float] = field(default_factory=dict, init=False)
    _begun: dict[int, list[int]] = field(default_factory=dict, init=False)
    _cell_bytes: dict[str, int] = field(default_factory=dict, init=False)

    def listening(self, number: int, program: Program) -> Program:
        """The same program; what it computes between two requests is noted as owed by its node."""
        answer = None
        while True:
            self.graph.noted.clear()
            try:
                request = program.send(answer)
            except StopIteration:
                return
            self._owe(number, sum(map(self._operation_s, self.graph.noted)))
            answer = yield request

    @property
    def overhead_s(self) -> Overhead:
        """Of any request, of a message for as long as it holds its sender, of memory; and what the node owes."""
        return self._overhead_s

    def _overhead_s(self, node: int, request: Request) -> float:
        owed_s = self._owed_s.pop(node, 0.0)
        self._reduce_later(node, request)
        return owed_s + self.host.request_s + self._held_s(request)

    def seconds(self, operation: str, args: tuple, stage: Any = None) -> float:
        """As measured; of an operation that was not, what an update costs. An injected wait is a little too long."""
        l, n = getattr(stage, "l", 0), getattr(stage, "n", 1)
        own_s = self._operation_s((operation, l, n)) * (len(args) - 1 if operation == "gradient" else 1)
        if operation in STRAGGLING and self.pace_s:
            return max(own_s, self.pace_s + self.host.oversleep_s)
        return own_s

    def all_reduce_s(self, nodes: int, size_bytes: int) -> tuple[float, float]:
        """What an all-reduce takes beside its messages' sending and its sum, which hold the nodes."""
        way = self.host.exchange.less(self.host.sending, nodes - 1).less(self.host.reducing)
        return way.fixed_s, way.byte_s * size_bytes

    def gather_s(self, nodes: int, size_bytes: int) -> tuple[float, float]:
        """The same: every process sends its value to every other, whatever is made of them."""
        return self.all_reduce_s(nodes, size_bytes)

    def is_near(self, node: int, at: int | None) -> bool:
        """All cells are files that every process maps."""
        return True

    def _operation_s(self, key: Key) -> float:
        known = self.host.operation_s
        return known.get(key, known["update", 0, 1])

    def _update_s(self, l: int, n: int) -> float:
        return self._operation_s(("update", l, n))

    def _held_s(self, request: Request) -> float:
        match request:
            case Send():
                return self.host.sending(self.size_bytes(request.value))
            case AllReduce():
                each_s = self.host.sending(self.size_bytes(request.value))
                return (len(request.participants) - 1) * each_s
            case Write():
                size = self._cell_bytes[request.cell] = self.size_bytes(request.value)
                return self.host.writing(size)
            case Read():
                return self.host.reading(self._cell_bytes.get(request.cell, 0))
            case Modify():
                size = self._cell_bytes.get(request.cell, 0)
                return self.host.reading(size) + self.host.writing(size)
        return 0.0

    def _reduce_later(self, node: int, request: Request) -> None:
        """A sum holds its node once the values are there: when its all-reduce, or the wait for it, is over."""
        begun = self._begun.setdefault(node, [])
        if isinstance(request, AllReduce):
            begun.append(self.size_bytes(request.value))
        if isinstance(request, Wait) or (isinstance(request, AllReduce) and request.blocking):
            self._owe(node, self.host.reducing(begun.pop(0)))

    def _owe(self, node: int, seconds: float) -> None:
        self._owed_s[node] = self._owed_s.get(node, 0.0) + seconds
