"""Seconds read off the record of a probe: of operations, and between them. The first rounds are left out."""

import itertools
from collections.abc import Iterator

import numpy as np

from rebuttal.timeline import Timeline

Key = tuple[str, int, int]  # (operation, stage l, of n stages); (operation, 0, 1) of the whole model
Row = tuple[Key, float, float]  # (operation, start, end)
WARM_UP = 4  # rounds
OF_STAGES = {"forward", "backward", "input_gradient", "weight_gradient", "loss", "part", "perturbed_part",
             "synthesizer", "synthetic", "taught", "classifier", "local_delta", "classifier_gradient"}  # fmt: skip


def key_of(operation: str, numbers: tuple[float, ...]) -> Key:
    """The place in a table of costs of an operation with these arguments."""
    l, n = map(int, numbers[:2]) if operation in OF_STAGES else (0, 1)
    return operation, l, n


def operations(timeline: Timeline) -> dict[Key, float]:
    """Median seconds of every operation in the record."""
    seconds: dict[Key, list[float]] = {}
    for rows in by_node(timeline):
        for key, start_s, end_s in rows:
            seconds.setdefault(key, []).append(end_s - start_s)
    return {key: float(np.median(values)) for key, values in seconds.items()}


def round_s(timeline: Timeline) -> float:
    """Median seconds of a round."""
    return float(np.median(np.diff(timeline.updates["time_s"])[WARM_UP:]))


def gap_s(timeline: Timeline, after: str | None = None) -> float:
    """Median seconds between a computation (of the operation `after`, or any) and the next one on its node."""
    found = [
        then[1] - here[2]
        for rows in by_node(timeline)
        for here, then in itertools.pairwise(rows)
        if after in (None, here[0][0])
    ]
    return float(np.median(found))


def by_node(timeline: Timeline) -> Iterator[list[Row]]:
    """Of each node, its computations in order."""
    graph, table = timeline.graph, timeline.computes
    begin_s = timeline.updates["time_s"][WARM_UP]
    for node in np.unique(table["node"]):
        mine = np.flatnonzero((table["node"] == node) & (table["start_s"] >= begin_s))
        rows = []
        for at in mine[np.argsort(table["start_s"][mine], kind="stable")]:
            value = table["value"][at]
            name = timeline.names[table["operation"][at]]  # a whole backward pass has two values
            operation = name if name == "backward" else graph.operations[value]
            key = key_of(operation, graph.arguments[value])
            rows.append((key, float(table["start_s"][at]), float(table["end_s"][at])))
        yield rows
