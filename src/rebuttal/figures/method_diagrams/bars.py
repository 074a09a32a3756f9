"""What a picture draws of a timeline: gradients with their fate, passes, the reign of each version, messages."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rebuttal.core.timeline import Timeline
from rebuttal.simulation.timeline_metrics import NOT_USED, gradients
from rebuttal.simulation.timeline_metrics.dependency_chains import SOURCES, Chains, versions
from rebuttal.simulation.timeline_metrics.joined_passes import COMPUTING, batches


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
    one_sided: bool


@dataclass(frozen=True)
class StagePass:
    """One pass of one batch through stage l. `kind` is the operation, `version` that of the weights it read."""

    node: int
    start_s: float
    end_s: float
    kind: str
    version: int
    l: int
    shard: int
    step: int


def gradients_of(timeline: Timeline, until_s: float) -> list[Gradient]:
    """Gradients in one piece, begun before `until_s`, in the order in which they began."""
    fates, version = _fates(timeline), _version_read(timeline)
    found = []
    c = timeline.computes
    whole = np.array([name.startswith("gradient") for name in timeline.names], dtype=bool)[c["operation"]]
    for row in np.flatnonzero(whole & (c["start_s"] < until_s)).tolist():
        value = int(c["value"][row])
        late, stale = fates.get(value, (False, 0))
        fate = "dropped" if late else "used"
        fate = fate if c["completed"][row] else "abandoned"
        span = (float(c["start_s"][row]), float(c["end_s"][row]))
        found.append(Gradient(int(c["node"][row]), *span, version(value), fate, stale))
    return found


def passes_of(timeline: Timeline, until_s: float) -> list[StagePass]:
    """Passes through stages, begun before `until_s`, in the order in which they began."""
    batch, version, graph = batches(timeline.graph), _version_read(timeline), timeline.graph
    c, found = timeline.computes, []
    for row in np.flatnonzero(c["start_s"] < until_s).tolist():
        kind, value = timeline.names[c["operation"][row]], int(c["value"][row])
        which = batch[value] if kind in COMPUTING and value >= 0 else None
        if which is None:
            continue
        span = (float(c["start_s"][row]), float(c["end_s"][row]))
        read, l = version(graph.inputs[value][0]), int(graph.arguments[value][0])
        found.append(StagePass(int(c["node"][row]), *span, kind, read, l, *which))
    return found


def messages_of(timeline: Timeline, until_s: float) -> list[Message]:
    """Messages with weights or gradients, sent before `until_s`."""
    fates, version = _fates(timeline), _version_read(timeline)
    m = timeline.messages
    chains, batch, found = Chains(timeline.graph), batches(timeline.graph), []
    for row in np.flatnonzero(
        (m["sent_s"] < until_s) & ~np.isnan(m["arrived_s"]) & (m["value"] >= 0)
    ).tolist():
        value = int(m["value"][row])
        if batch[value] is not None and timeline.graph.operations[value] not in SOURCES:
            continue  # activations
        is_gradient = chains.depth[value] is None
        one_sided = timeline.names[m["tag"][row]].startswith(("read ", "write "))
        ends = (int(m["source"][row]), int(m["destination"][row]))
        span = (float(m["sent_s"][row]), float(m["arrived_s"][row]))
        dropped = fates.get(value, (False, 0))[0]
        found.append(Message(*ends, *span, version(value), is_gradient, dropped, one_sided))
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
    chains = Chains(timeline.graph)
    version = versions(timeline, chains)

    def read(value: int) -> int:
        while chains.depth[value] is None:
            value = timeline.graph.inputs[value][0]
        return version[value]

    return read
