"""Gradients that were computed stage by stage, put together again from the passes of the stages.

The stages of a model compute a batch's gradient one after the other, on one node or on several. A *pass* here is all of
it: it begins with the first forward pass of the batch and is complete when every stage has its weight gradient.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from rebuttal.core.graph import Graph
from rebuttal.core.timeline import Timeline

Batch = tuple[int, int]
#: What a node does on data: this is what counts as computing.
COMPUTING = frozenset({"gradient", "forward", "backward", "input_gradient", "weight_gradient"})


@dataclass(slots=True)
class Pass:
    """One pass of one batch. `sources`: the weight gradient of each stage; node and end_s are the last one's."""

    batch: Batch
    start_s: float
    end_s: float = 0.0
    node: int = 0
    sources: list[int] = field(default_factory=list)


def batches(graph: Graph) -> list[Batch | None]:
    """For each node of a graph that is computed from one batch's data stage by stage: that batch, as (shard, step)."""
    found: list[Batch | None] = []
    for operation, inputs, arguments in zip(graph.operations, graph.inputs, graph.arguments, strict=True):
        batch = None
        if operation == "input":
            batch = int(arguments[0]), int(arguments[1])
        elif operation == "loss":
            batch = int(arguments[2]), int(arguments[3])
        elif operation in ("forward", "input_gradient", "weight_gradient"):
            batch = found[inputs[1]]
        found.append(batch)
    return found


def weight_gradients(graph: Graph) -> dict[int, int]:
    """From each half of a backward pass to the gradient of the weights, where that was asked for."""
    by_inputs: dict[tuple[int, ...], int] = {}
    halves = ("input_gradient", "weight_gradient")
    for node, operation in enumerate(graph.operations):
        if operation == "weight_gradient":
            by_inputs[graph.inputs[node]] = node
    found = ((n, by_inputs.get(graph.inputs[n])) for n, name in enumerate(graph.operations) if name in halves)
    return {node: gradient for node, gradient in found if gradient is not None}


def passes(timeline: Timeline) -> list[Pass]:
    """The passes that are complete, in the order of completion.

    A batch whose gradient is computed several times (at several weights) has several passes: the stages' first
    weight gradients make up the first, and so on. Complete is a pass with as many of them as any pass of the run
    has: all stages', or those that the method asks for.
    """
    graph, gradient_of = timeline.graph, weight_gradients(timeline.graph)
    begun: dict[Batch, list[float]] = defaultdict(list)
    made: dict[tuple[Batch, int], Pass] = {}
    turns: dict[tuple[Batch, float], int] = defaultdict(int)
    for name, value, batch, node, start_s, end_s in _rows(timeline) if gradient_of else ():
        if name == "forward" and not graph.arguments[value][0]:
            begun[batch].append(start_s)
        elif name in ("backward", "weight_gradient"):
            source = gradient_of[value]
            stage = graph.arguments[source][0]
            turn = turns[batch, stage]
            turns[batch, stage] += 1
            one = made.setdefault((batch, turn), Pass(batch, start_s))
            one.node, one.end_s = node, end_s
            one.sources.append(source)
    stages = max((len(one.sources) for one in made.values()), default=0)
    for (batch, turn), one in made.items():
        one.start_s = min([one.start_s, *begun[batch][turn : turn + 1]])
    return sorted((one for one in made.values() if len(one.sources) == stages), key=lambda one: one.end_s)


def _rows(timeline: Timeline) -> Iterator[tuple[str, int, Batch, int, float, float]]:
    """(operation, value, batch, node, start_s, end_s) of what was computed from one batch, in order of the ends."""
    batch, c = batches(timeline.graph), timeline.computes
    rows = np.flatnonzero(c["completed"] & (c["value"] >= 0))
    rows = rows[np.argsort(c["end_s"][rows], kind="stable")]
    columns = (c[name][rows].tolist() for name in ("operation", "value", "node", "start_s", "end_s"))
    for operation, value, node, start_s, end_s in zip(*columns, strict=True):
        which = batch[value]
        if which is not None:
            yield timeline.names[operation], value, which, node, start_s, end_s
