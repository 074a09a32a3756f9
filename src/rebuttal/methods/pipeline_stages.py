"""What a stage of a pipeline does with its neighbours; the methods differ in the order and the weights of its passes.

Letters: x activations that come from below, h what the stage's forward pass made of them, δ gradient with respect to
activations, i number of a micro-batch, t step.
"""

from abc import abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rebuttal.core.verbs import Compute, Program, Recv, Request, Send
from rebuttal.methods.bases import BaseMethod

Passes = Generator[Request, Any, Any]  # a piece of a program that returns a value


@dataclass
class Pipe:
    """A stage's place in the pipeline: node l of `nodes` is stage l.

    Messages name their micro-batch, so it does not matter in which order they come. Where an update makes more passes
    than it has batches, `batches` says how many these are: pass i is of batch i mod batches.
    """

    stage: Any
    nodes: Sequence[int]
    batches: int | None = None
    _mail: dict[tuple, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def part(self) -> tuple[int, int]:
        """(l, n): which part of the weights is here."""
        return self.stage.l, self.stage.n

    def activations(self, i: int, t: int) -> Passes:
        """x: the data at the first stage, else what the stage below sends."""
        if self.stage.is_first:
            return self.stage.input(self._batch(i), t)
        return (yield from self._take("activations", i, t))

    def delta(self, h: Any, i: int, t: int) -> Passes:
        """δ at h: the loss's at the last stage, else what the stage above sends."""
        if self.stage.is_last:
            return self.stage.loss(h, self._batch(i), t)
        return (yield from self._take("deltas", i, t))

    def up(self, h: Any, i: int, t: int) -> Passes:
        """Give h to the stage above, if there is one."""
        if not self.stage.is_last:
            yield Send(self.nodes[self.stage.l + 1], "activations", (i, t, h))

    def down(self, delta: Any, i: int, t: int) -> Passes:
        """Give δ to the stage below, if there is one."""
        if not self.stage.is_first:
            yield Send(self.nodes[self.stage.l - 1], "deltas", (i, t, delta))

    def forward(self, w: Any, i: int, t: int) -> Passes:
        """The whole forward pass of a micro-batch at weights w: returns h."""
        x = yield from self.activations(i, t)
        h = yield Compute(self.stage.forward, (w, x))
        yield from self.up(h, i, t)
        return h

    def backward(self, w: Any, h: Any, i: int, t: int) -> Passes:
        """The whole backward pass of a micro-batch at weights w: returns the gradient of the stage's weights."""
        delta = yield from self.delta(h, i, t)
        below, g = yield Compute(self.stage.backward, (w, h, delta))
        yield from self.down(below, i, t)
        return g

    def _batch(self, i: int) -> int:
        return i if self.batches is None else i % self.batches

    def _take(self, tag: str, i: int, t: int) -> Passes:
        """The value for this micro-batch, whatever comes before it."""
        while (tag, i, t) not in self._mail:
            _, (*which, value) = yield Recv(tag)
            self._mail[tag, *which] = value
        return self._mail.pop((tag, i, t))


def pipes(task: Any, nodes: Sequence[int], batches: int | None = None) -> dict[int, Pipe]:
    """Each node's place in a pipeline over all of them; `batches` as of `Pipe`. Raises InputError: too many nodes."""
    stages = [task.stage(l, len(nodes)) for l in range(len(nodes))]
    return {node: Pipe(stage, nodes, batches) for node, stage in zip(nodes, stages, strict=True)}


class Pipeline(BaseMethod):
    """One node for each stage of the model, and the same program on all of them."""

    group: ClassVar[str] = "layers"

    def nodes(self, workers: int) -> int:
        """One for each stage; the task refuses more stages than the model has layers."""
        return workers

    def reads(self, workers: int) -> int:
        """One, or one for each micro-batch of an update."""
        return getattr(self, "m", 1)

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """The same program on every stage."""
        return {node: self.train(pipe) for node, pipe in pipes(task, nodes).items()}

    @abstractmethod
    def train(self, pipe: Pipe) -> Program:
        """The program of one stage."""
