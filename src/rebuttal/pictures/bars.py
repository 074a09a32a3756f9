"""What a picture draws of a timeline: gradients with their fate, the reign of each version, messages."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rebuttal.readings import NOT_USED, gradients
from rebuttal.timeline import Timeline


@dataclass(frozen=True)
class Gradient:
    """One gradient on one node. `fate` is 'used', 'dropped' (came too late) or 'abandoned' (given up)."""

    node: int
    start_s: float
    end_s: float
    version: int
    fate: str
    staleness: int


@dataclass(frozen=True)
class Message:
    """Weights or a gradient on the way; `version` is that of the weights sent, or read by the gradient."""

    source: int
    destination: int
    sent_s: float
    arrived_s: float
    version: int
    is_gradient: bool
    dropped: bool


def gradients_of(timeline: Timeline, until_s: float) -> list[Gradient]:
    """Gradients begun before `until_s`, in the order in which they began."""
    fates, version = _fates(timeline), _version_read(timeline)
    found = []
    for row, value in rows_of(timeline, "gradient", until_s):
        c = timeline.computes
        late, stale = fates.get(value, (False, 0))
        fate = "dropped" if late else "used"
        fate = fate if c["completed"][row] else "abandoned"
        span = (float(c["start_s"][row]), float(c["end_s"][row]))
        found.append(Gradient(int(c["node"][row]), *span, version(value), fate, stale))
    return found


def rows_of(timeline: Timeline, prefix: str, until_s: float) -> list[tuple[int, int]]:
    """(row, value) of the computations before `until_s` whose name begins with `prefix`."""
    c = timeline.computes
    named = [name.startswith(prefix) for name in timeline.names]
    rows = [row for row in np.flatnonzero(c["start_s"] < until_s).tolist() if named[c["operation"][row]]]
    return [(row, int(c["value"][row])) for row in rows]


def messages_of(timeline: Timeline, until_s: float) -> list[Message]:
    """Messages sent before `until_s`."""
    fates, version = _fates(timeline), _version_read(timeline)
    m = timeline.messages
    found = []
    for row in np.flatnonzero((m["sent_s"] < until_s) & ~np.isnan(m["arrived_s"])).tolist():
        value = int(m["value"][row])
        is_gradient = timeline.names[m["tag"][row]] == "gradient"
        ends = (int(m["source"][row]), int(m["destination"][row]))
        span = (float(m["sent_s"][row]), float(m["arrived_s"][row]))
        dropped = fates.get(value, (False, 0))[0]
        found.append(Message(*ends, *span, version(value), is_gradient, dropped))
    return found


def reigns(timeline: Timeline, until_s: float) -> list[tuple[int, float, float]]:
    """(version, from, to): when each version of the weights was the newest."""
    starts = timeline.updates["time_s"].tolist()
    ends = [*starts[1:], timeline.end_s]
    spans = zip(range(len(starts)), starts, ends, strict=True)
    return [(version, start, min(end, until_s)) for version, start, end in spans if start < until_s]


def _fates(timeline: Timeline) -> dict[int, tuple[bool, int]]:
    """Graph node of a completed gradient -> (came too late, staleness)."""
    table = gradients(timeline)
    stale = np.where(table["update"] != NOT_USED, table["staleness"], 0).astype(int).tolist()
    fates = zip(table["late"].values.tolist(), stale, strict=True)
    return dict(zip(table["value"].values.tolist(), fates, strict=True))


def _version_read(timeline: Timeline) -> Callable[[int], int]:
    """From the graph node of a state to its version, of a gradient to the version that it read."""
    version = {value: number for number, value in enumerate(timeline.updates["value"].tolist())}
    inputs = timeline.graph.inputs
    return lambda value: version[value] if value in version else version[inputs[value][0]]
