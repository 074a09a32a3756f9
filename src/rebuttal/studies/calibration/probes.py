"""Programs that measure this host: ordinary methods, run and recorded as every other one.

Each of them makes one report per round, so a run of n updates is n rounds. None of them changes the weights.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.update_rules import (
    averaged,
    clipped,
    compensated,
    extrapolated,
    mean,
    moved,
    scaled,
    summed,
)
from rebuttal.core.verbs import AllReduce, Compute, Program, Read, Recv, Report, Send, Write

Work = Callable[[], Any]


def sizes(task: Any, whole: Any) -> tuple[Any, Any]:
    """The last layer's part of a state or a gradient, and all of it: the messages of two rounds, which take turns."""
    return task.stage(task.layers - 1, task.layers).part(whole), whole


@dataclass(frozen=True)
class Probe(ABC):
    """As many nodes as there are workers, each with the program `train`."""

    servers: ClassVar[int] = 0

    def nodes(self, workers: int) -> int:
        """One per worker."""
        return workers

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """The same program on every node."""
        return {node: self.train(task, nodes, k) for k, node in enumerate(nodes)}

    @abstractmethod
    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """Node number k."""


@dataclass(frozen=True)
class Operations(Probe):
    """Every operation that methods ask for, on all nodes at once, without a message.

    cuts: into how many stages the model is cut, each in turn.
    """

    cuts: tuple[int, ...] = (2,)

    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """The whole model first, then stage by stage."""
        w, t = task.start(), 0
        while (yield Report(w)):
            g = yield Compute(task.gradient, (w, (k, t)))
            for work in on_weights(task, w, g, t):
                yield Compute(work)
            for n in self.cuts:
                stages = task.stages(n)
                yield from passes(stages, w, g, (k, t))
                for stage in stages:  # each with a draw of its own, as on nodes of their own
                    yield Compute(stage.perturbed, (stage.part(w), 0.1, t, n * n + stage.l))
            t += 1


def on_weights(task: Any, w: Any, g: Any, t: int) -> Iterator[Work]:
    """What is done to whole states and gradients."""
    yield lambda: task.update(w, g)
    yield lambda: task.perturbed(w, 0.1, t, 0)
    yield lambda: task.predicted(w, 1)
    yield lambda: task.compensated_update(w, g, 1)
    yield lambda: mean(g, g)
    yield lambda: summed(g, g)
    yield lambda: averaged(w, w)
    yield lambda: moved(w, w, by=0.5)
    yield lambda: extrapolated(w, w, by=0.5)
    yield lambda: scaled(g, factor=0.5)
    yield lambda: clipped(g, limit=1.0)
    yield lambda: compensated(g, w, w, by=0.5)


def passes(stages: Sequence[Any], w: Any, g: Any, batch: tuple[int, int]) -> Program:
    """A backward pass of each stage, whole and in halves, with what local losses compute."""
    parts = [stage.part(w) for stage in stages]
    h = {-1: (yield Compute(lambda: stages[0].input(*batch)))}
    for stage, part in zip(stages, parts, strict=True):
        yield Compute(stage.part, (g,))
        h[stage.l] = yield Compute(stage.forward, (part, h[stage.l - 1]))
    yield Compute(stages[0].task.joined, tuple(parts))
    delta = yield Compute(stages[-1].loss, (h[len(stages) - 1], *batch))
    for stage in reversed(stages):
        yield from local_losses(stage.local, h[stage.l], delta, batch)
        args = (parts[stage.l], h[stage.l], delta)
        yield Compute(stage.input_gradient, args)
        yield Compute(stage.weight_gradient, args)
        delta, _ = yield Compute(stage.backward, args)


def local_losses(local: Any, h: Any, delta: Any, batch: tuple[int, int]) -> Program:
    """A synthesizer's and a classifier's operations."""
    c, synthesizer = local.classifier(), local.synthesizer(conditioned=False)
    yield Compute(lambda: local.synthetic(synthesizer, h, *batch))
    yield Compute(lambda: local.taught(synthesizer, h, delta, *batch, 0.001))
    yield Compute(lambda: local.local_delta(c, h, *batch))
    yield Compute(lambda: local.classifier_gradient(c, h, *batch))


@dataclass(frozen=True)
class Relay(Probe):
    """Pairs of nodes give each other weights in turn, and compute a gradient before they answer."""

    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """Even nodes lead and count the rounds; the computation after a sending shows when it was over."""
        w, t, other = task.start(), 0, nodes[k ^ 1]
        values, leads = sizes(task, w), k % 2 == 0
        while not leads or (yield Report(w)):
            if not leads:
                yield Recv("turn")
            g = yield Compute(task.gradient, (w, (k, t)))
            yield Send(other, "turn", values[t % 2])
            yield Compute(task.update, (w, g))
            if leads:
                yield Recv("turn")
            t += 1


@dataclass(frozen=True)
class Exchange(Probe):
    """An all-reduce after each gradient."""

    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """Gradient, all-reduce of another one, whose parts are there from the start."""
        w, t = task.start(), 0
        values = sizes(task, task.gradient(w, (k, 0)))
        while (yield Report(w)):
            yield Compute(task.gradient, (w, (k, t)))
            yield AllReduce("gradient", values[t % 2], nodes)
            t += 1


@dataclass(frozen=True)
class Memory(Probe):
    """Weights written to memory of the host, and read from it, every node in a cell of its own."""

    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """Between two computations is one access."""
        w, t = task.start(), 0
        values = sizes(task, w)
        while (yield Report(w)):
            yield Compute(lambda: task.predicted(w, 1))
            yield Write(f"cell {k}", values[t % 2])
            yield Compute(lambda: moved(w, w, by=0.5))
            yield Read(f"cell {k}")
            t += 1
