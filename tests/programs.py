"""Programs of a few lines on a cluster with round prices, so that every event can be worked out by hand."""

from dataclasses import dataclass, field

from rebuttal.core.graph import Graph
from rebuttal.core.task import Task
from rebuttal.core.timeline import Recorder
from rebuttal.core.verbs import Compute, Recv, Report, Send
from rebuttal.machines.hardware import Link
from rebuttal.simulation.cluster.budget import Budget
from rebuttal.simulation.cluster.virtual import VirtualCluster

FAST = Link(latency_s=0.0, bandwidth_bytes_per_s=float("inf"), source="test")
SLOW = Link(latency_s=0.5, bandwidth_bytes_per_s=10.0, source="test")  # 10 bytes take 1 s, and 0.5 s to begin
NARROW = Link(latency_s=0.0, bandwidth_bytes_per_s=10.0, source="test")


@dataclass
class Prices:
    """A gradient takes a second (times its node's factor), an update 0.25 s; strings weigh a byte a letter."""

    links: dict = field(default_factory=dict)
    factors: dict = field(default_factory=dict)

    def seconds(self, operation, args, stage):
        return {"gradient": 1.0, "update": 0.25}[operation]

    def own_seconds(self, operation, numbers, args):
        return 0.0

    def slowdown(self, node, index):
        return self.factors.get(node, 1.0)

    def size_bytes(self, value):
        if isinstance(value, tuple):
            return sum(map(self.size_bytes, value))
        return len(value) if isinstance(value, str) else 0

    def link(self, node):
        return self.links.get(node, FAST)

    def overhead_s(self, node, request):
        return 0.0

    def is_near(self, node, at):
        return at is None or at == node

    def all_reduce_s(self, nodes, size_bytes):
        return 0.1 * nodes, size_bytes

    def gather_s(self, nodes, size_bytes):
        return 0.1 * nodes, nodes * size_bytes


class Run:
    """Programs by node number on one cluster; `log` is for the programs to write (second, what) into."""

    def __init__(self, *, updates=1, **prices):
        self.log, self.reports, self.graph = [], [], Graph()
        self.task = Task(self.graph.symbol)
        self.recorder = Recorder({"servers": 0})
        report = lambda version, weights: self.reports.append((version, weights))  # noqa: E731
        self.cluster = VirtualCluster(Prices(**prices), Budget(updates=updates), self.recorder, report)

    def note(self, what):
        self.log.append((round(self.cluster._clock.now, 9), what))

    def __call__(self, *programs):
        w = self.task.start()
        self.cluster.run({n: program(self, w) for n, program in enumerate(programs)})
        self.timeline = self.recorder.timeline(self.graph)
        return self

    def messages(self, *columns):
        return list(zip(*(self.timeline.messages[name].tolist() for name in columns), strict=True))

    def computes(self):
        table, names = self.timeline.computes, self.timeline.names
        columns = [table[name].tolist() for name in ("node", "operation", "start_s", "end_s", "completed")]
        return [(node, names[code], *rest) for node, code, *rest in zip(*columns, strict=True)]


def listen(count, tag="m", then=None):
    """Takes `count` messages, notes each, and ends the run."""

    def program(run, w):
        yield Report(w)
        for _ in range(count):
            run.note((yield Recv(tag)))
        yield Compute(run.task.update, (w, run.task.gradient(w, (0, 0))))
        yield Report(w)

    return program


def say(*values, tag="m", to=0):
    def program(run, w):
        for value in values:
            yield Send(to, tag, value)
            run.note("sent")

    return program
