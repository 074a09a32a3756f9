"""Seconds read off the record of a probe: of its operations, and between them. The first rounds are left out."""

import itertools
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from rebuttal.core.timeline import Timeline

Key = tuple[str, int, int]  # (operation, stage l, of n stages); (operation, 0, 1) of the whole model
Row = tuple[Key, float, float]  # (operation, start, end)
WARM_UP = 4  # rounds
TURNS = 2  # rounds with small and with large messages take turns
OF_STAGES = {"forward", "backward", "input_gradient", "weight_gradient", "loss", "part", "perturbed_part",
             "synthesizer", "synthetic", "taught", "classifier", "local_delta", "classifier_gradient"}  # fmt: skip


def key_of(operation: str, numbers: tuple[float, ...]) -> Key:
    """The place in a table of costs of an operation with these arguments."""
    l, n = map(int, numbers[:2]) if operation in OF_STAGES else (0, 1)
    return operation, l, n


def operations(timeline: Timeline) -> dict[Key, float]:
    """Median seconds of every operation in the record."""
    seconds: dict[Key, list[float]] = defaultdict(list)
    for rows in by_node(timeline):
        own: dict[Key, list[float]] = defaultdict(list)
        for key, start_s, end_s in rows:
            own[key].append(end_s - start_s)
        for key, lasted in own.items():
            seconds[key] += lasted[WARM_UP:]
    return {key: float(np.median(lasted)) for key, lasted in seconds.items()}


def round_s(timeline: Timeline, turn: int) -> float:
    """Median seconds of the rounds of one turn."""
    return float(np.median(np.diff(timeline.updates["time_s"])[WARM_UP + turn :: TURNS]))


def lasting_s(timeline: Timeline, operation: str, turn: int) -> float:
    """Median seconds of an operation that a round has once, in the rounds of one turn."""
    each = [
        [end_s - start_s for key, start_s, end_s in rows if key[0] == operation] for rows in by_node(timeline)
    ]
    return _median(each, turn)


def gap_s(timeline: Timeline, after: str, turn: int) -> float:
    """Median seconds between an operation that a round has once and the next one on its node, of one turn."""
    return _median([list(_gaps(rows, after)) for rows in by_node(timeline)], turn)


def any_gap_s(timeline: Timeline) -> float:
    """Median seconds between two computations that follow each other on a node."""
    return float(np.median([gap for rows in by_node(timeline) for gap in _gaps(rows)]))


def by_node(timeline: Timeline) -> Iterator[list[Row]]:
    """Of each node, its computations in order."""
    graph, table = timeline.graph, timeline.computes
    for node in np.unique(table["node"]):
        mine = np.flatnonzero(table["node"] == node)
        rows = []
        for at in mine[np.argsort(table["start_s"][mine], kind="stable")]:
            value = table["value"][at]
            name = timeline.names[table["operation"][at]]
            operation = (
                name if name == "backward" else graph.operations[value]
            )  # a backward pass has two values
            key = key_of(operation, graph.arguments[value])
            rows.append((key, float(table["start_s"][at]), float(table["end_s"][at])))
        yield rows


def _gaps(rows: list[Row], after: str | None = None) -> Iterator[float]:
    for here, then in itertools.pairwise(rows):
        if after in (None, here[0][0]):
            yield then[1] - here[2]


def _median(each: list[list[float]], turn: int) -> float:
    return float(np.median([seconds for rounds in each for seconds in rounds[WARM_UP + turn :: TURNS]]))
