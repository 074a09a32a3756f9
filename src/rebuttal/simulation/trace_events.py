"""A timeline in the Chrome trace event format, which chrome://tracing and ui.perfetto.dev open.

Format: "Trace Event Format", Google, complete events ('X'), flow events ('s', 'f') and metadata ('M'). Each node is a
thread; times are microseconds.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from rebuttal.base import arguments
from rebuttal.base.atomic_write import write_text
from rebuttal.core.timeline import Timeline
from rebuttal.simulation.timeline_metrics import gradients

MICROSECONDS = 1e6


def trace(timeline: Timeline) -> dict[str, Any]:
    """The trace as a JSON-ready object."""
    servers = int(timeline.about.get("servers", 0))
    nodes = np.union1d(timeline.computes["node"], timeline.messages["destination"]).tolist()
    events = [_thread(node, "server" if node < servers else "worker") for node in nodes]
    events += _computes(timeline)
    events += _messages(timeline)
    return {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {k: str(v) for k, v in timeline.about.items()},
    }


def write_trace(timeline: Timeline, path: str | Path) -> None:
    """Write the trace to `path` (.json); the file appears whole or not at all."""
    write_text(arguments.path("path", path), json.dumps(trace(timeline), separators=(",", ":")))


def _thread(node: int, role: str) -> dict[str, Any]:
    return {
        "ph": "M",
        "name": "thread_name",
        "pid": 0,
        "tid": node,
        "args": {"name": f"node {node} ({role})"},
    }


def _computes(timeline: Timeline) -> list[dict[str, Any]]:
    """One complete event per computation, a gradient's with its staleness and its fate."""
    fates = _fates(timeline)
    c = timeline.computes
    return [
        {
            "ph": "X",
            "pid": 0,
            "tid": int(c["node"][row]),
            "name": timeline.names[c["operation"][row]],
            "cat": "compute",
            "ts": float(c["start_s"][row]) * MICROSECONDS,
            "dur": float(c["end_s"][row] - c["start_s"][row]) * MICROSECONDS,
            "args": {"completed": bool(c["completed"][row]), **fates.get(int(c["value"][row]), {})},
        }
        for row in range(len(c["node"]))
    ]


def _fates(timeline: Timeline) -> dict[int, dict[str, Any]]:
    table = gradients(timeline)
    names = ("value", "version_read", "update", "late")
    rows = zip(*(table[name].values.tolist() for name in names), strict=True)
    return {
        value: {"version_read": read, "update": update, "dropped": late} for value, read, update, late in rows
    }


def _messages(timeline: Timeline) -> list[dict[str, Any]]:
    """A flow arrow per message that arrived."""
    m, events = timeline.messages, []
    for row in np.flatnonzero(~np.isnan(m["arrived_s"])).tolist():
        common = {"pid": 0, "cat": "message", "name": timeline.names[m["tag"][row]], "id": row}
        sent, arrived = float(m["sent_s"][row]) * MICROSECONDS, float(m["arrived_s"][row]) * MICROSECONDS
        events.append({"ph": "s", "tid": int(m["source"][row]), "ts": sent, **common})
        events.append({"ph": "f", "bp": "e", "tid": int(m["destination"][row]), "ts": arrived, **common})
    return events
