"""What one node does layer by layer: passes, all-reduces, updates, and the waits between the last two."""

from typing import Any

import numpy as np

from rebuttal.core.graph import Graph
from rebuttal.core.timeline import Timeline
from rebuttal.simulation.timeline_metrics.dependency_chains import SOURCES
from rebuttal.simulation.timeline_metrics.joined_passes import batches

COLUMNS = ("layer", "kind", "start_s", "end_s", "step")
WHOLE = -1  # in place of a layer: what is done for all layers at once
NO_STEP = -1  # of what rests on no samples
PASSES = ("forward", "input_gradient", "weight_gradient", "classifier_gradient")
NAMED = ("forward", "backward", "gradient", "update")  # operations that are kinds as they are


def by_layer(timeline: Timeline, node: int, until_s: float) -> dict[str, list[Any]]:
    """Columns of what `node` began before `until_s`: layer (0 first, or WHOLE), kind, start_s, end_s, step.

    Kinds: 'forward', 'backward', 'gradient' (of all layers at once), 'all-reduce', 'update', and 'wait', from the end
    of an all-reduce to the beginning of the update that it is for. step: the iteration whose samples it rests on.
    """
    rows: list[tuple[int, str, float, float, int]] = []
    c, graph, batch = timeline.computes, timeline.graph, batches(timeline.graph)
    reduced_s: dict[int, float] = {}
    for row in np.flatnonzero((c["node"] == node) & (c["start_s"] < until_s)).tolist():
        name, value = timeline.names[c["operation"][row]], int(c["value"][row])
        start_s, end_s = float(c["start_s"][row]), float(c["end_s"][row])
        if name.startswith("all_reduce"):
            reduced_s[value] = end_s
            source = _source(graph, value)
            rows.append((_layer(graph, source), "all-reduce", start_s, end_s, _step(graph, batch, source)))
        elif name in NAMED:
            source = _source(graph, graph.inputs[value][1]) if name == "update" else value
            layer, step = _layer(graph, source), _step(graph, batch, source)
            rows.append((layer, name, start_s, end_s, step))
            mean = graph.inputs[value][1] if name == "update" else -1
            if mean in reduced_s and reduced_s[mean] < start_s:
                rows.append((layer, "wait", reduced_s[mean], start_s, step))
    rows.sort(key=lambda one: (one[2], one[3]))
    return (
        dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
        if rows
        else {n: [] for n in COLUMNS}
    )


def _source(graph: Graph, value: int) -> int:
    """The gradient that a value is made of in the first place, such as the first of those that a mean is of."""
    while graph.operations[value] not in SOURCES and graph.inputs[value]:
        value = graph.inputs[value][0]
    return value


def _layer(graph: Graph, value: int) -> int:
    """The layer of a pass or of a gradient of one; WHOLE of anything else."""
    return int(graph.arguments[value][0]) if graph.operations[value] in PASSES else WHOLE


def _step(graph: Graph, batch: list[Any], value: int) -> int:
    """The iteration of the batch that a pass or a gradient is computed from."""
    if graph.operations[value] == "gradient":
        return int(graph.arguments[value][1])
    found = batch[value]
    return found[1] if found else NO_STEP
