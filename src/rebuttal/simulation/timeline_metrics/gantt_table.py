"""The Gantt table of a run: every computation and message, with what it read and what became of it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rebuttal.base import arguments
from rebuttal.core.timeline import Timeline, checked
from rebuttal.simulation.timeline_metrics.dependency_chains import Chains, versions
from rebuttal.simulation.timeline_metrics.gradient_table import NOT_USED, gradients
from rebuttal.simulation.timeline_metrics.joined_passes import COMPUTING, batches, weight_gradients
from rebuttal.simulation.timeline_metrics.staleness import by_gradient, uses

COLUMNS = ("node", "kind", "start_s", "end_s", "label", "version", "dropped", "staleness")
Fate = tuple[bool, float, int]  # came too late, staleness, version read
UNKNOWN: Fate = (False, np.nan, NOT_USED)


def gantt(timeline: Timeline, until_s: float | None = None) -> dict[str, list[Any]]:
    """Columns of a Gantt chart: node, kind, start_s, end_s, label, version, dropped, staleness.

    Kinds are the operations, with hyphens ('gradient', 'forward', 'backward', 'update', ...), 'all-reduce', and
    'message' (drawn on the receiving node, from sent to arrived). `version` is that of the weights which a gradient or
    a pass was computed on; a pass is named with its batch (shard, step).
    """
    checked(timeline)
    until_s = timeline.end_s if until_s is None else arguments.number("until_s", until_s, 0)
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    fate, label = _fates(timeline), _labels(timeline)
    computes = timeline.computes
    for row in np.flatnonzero(computes["start_s"] < until_s):
        name, value = timeline.names[computes["operation"][row]], int(computes["value"][row])
        late, stale, read = fate(name, value)
        dropped = late or not computes["completed"][row]
        kind = name.split()[0].replace("_", "-")
        span = (float(computes["start_s"][row]), min(float(computes["end_s"][row]), until_s))
        _append(columns, int(computes["node"][row]), kind, *span, label(name, value), read, dropped, stale)
    messages = timeline.messages
    for row in np.flatnonzero(messages["arrived_s"] < until_s):
        span = (float(messages["sent_s"][row]), float(messages["arrived_s"][row]))
        tag = timeline.names[messages["tag"][row]]
        _append(columns, int(messages["destination"][row]), "message", *span, tag, NOT_USED, False, np.nan)
    return columns


def _fates(timeline: Timeline) -> Callable[[str, int], Fate]:
    """From an operation and its value to what became of it."""
    table = gradients(timeline)
    names = ("value", "late", "staleness", "version_read")
    whole = {v: fate for v, *fate in zip(*(table[name].values.tolist() for name in names), strict=True)}
    gradient_of, chains = weight_gradients(timeline.graph), Chains(timeline.graph)
    staged = by_gradient(uses(timeline, chains)) if gradient_of else {}
    version = versions(timeline, chains) if gradient_of else []

    def fate(name: str, value: int) -> Fate:
        if name not in COMPUTING or value < 0:
            return UNKNOWN
        if name == "gradient":
            late, stale, read = whole.get(value, UNKNOWN)
            return bool(late), float(stale), int(read)
        _, stale = staged.get(gradient_of.get(value, NOT_USED), (NOT_USED, np.nan))
        return False, float(stale), version[timeline.graph.inputs[value][0]]

    return fate


def _labels(timeline: Timeline) -> Callable[[str, int], str]:
    """From an operation and its value to its name in words."""
    batch = batches(timeline.graph)

    def label(name: str, value: int) -> str:
        which = batch[value] if value >= 0 else None
        return name if which is None else f"{name} of batch {which[0]}, {which[1]}"

    return label


def _append(columns: dict[str, list[Any]], *values: Any) -> None:
    for column, value in zip(columns.values(), values, strict=True):
        column.append(value)
