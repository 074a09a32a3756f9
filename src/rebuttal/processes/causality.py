"""Whether a recorded run could have happened: what its rows say of order and time, whatever its method is."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rebuttal.base.errors import RunError
from rebuttal.core.timeline import Timeline

ROUNDING_S = 1e-9
MOST_ERROR_S = 1.0  # of a clock: more, and rows of two nodes have no order
Clocks = np.ndarray


def check(timeline: Timeline, nodes: int, servers: int, clock_offsets: Mapping[str, Any]) -> None:
    """Nodes are there, seconds grow, nothing is used before it was made.

    servers: the first nodes, which do nothing where others reach into their memory.

    Raises:
        RunError: the run cannot have been so; the message names the first row of its table.
    """
    error_s = clock_errors_s(clock_offsets, nodes)
    _check_nodes(timeline, nodes, servers)
    _check_seconds(timeline, error_s)
    _check_alone(timeline, nodes)
    made_s, by = _made(timeline)
    _check_inputs(timeline, made_s, error_s)
    _check_messages(timeline, made_s, error_s)
    _check_updates(timeline, made_s, by, error_s)


def clock_errors_s(offsets: Mapping[str, Any], nodes: int) -> Clocks:
    """By how much each node's clock may be off, [nodes]. Raises RunError: not a pair of numbers for each node."""
    rows = [offsets.get(str(node)) for node in range(nodes)]
    pairs = [row for row in rows if isinstance(row, list) and len(row) == 2]
    sound = all(
        isinstance(one, int | float) and abs(one) <= MOST_ERROR_S * 1e6 for row in pairs for one in row
    )
    if len(pairs) != nodes or len(offsets) != nodes or not sound:
        raise RunError("the record cannot be: clock_offsets has not two numbers for each node")
    errors = np.array([row[1] for row in pairs], dtype=float)
    if (errors < 0).any() or (errors > MOST_ERROR_S).any():
        raise RunError(
            f"the record cannot be: a clock is known to {errors.max():g} s; allowed: 0 to {MOST_ERROR_S}"
        )
    return errors


def _check_nodes(timeline: Timeline, nodes: int, servers: int) -> None:
    for table, column in (("computes", "node"), ("messages", "source"), ("messages", "destination"),
                          ("updates", "node")):  # fmt: skip
        found = getattr(timeline, table)[column]
        _none(table, (found < 0) | (found >= nodes), f"{column} is none of {nodes} nodes")
    silent = (
        set(range(servers, nodes))
        - set(timeline.computes["node"].tolist())
        - set(timeline.messages["source"].tolist())
    )
    silent -= {int(one["node"]) for one in timeline.about.get("lost", ())}
    if silent:
        raise RunError(f"the record cannot be: node {min(silent)} did nothing, and is not among the lost")


def _check_seconds(timeline: Timeline, error_s: Clocks) -> None:
    c, m, u = timeline.computes, timeline.messages, timeline.updates
    for table, columns in (
        ("computes", ("start_s", "end_s")),
        ("messages", ("sent_s",)),
        ("updates", ("time_s",)),
    ):
        for column in columns:
            _none(table, ~np.isfinite(getattr(timeline, table)[column]), f"{column} is no number")
    _none("computes", c["end_s"] < c["start_s"], "ends before it starts")
    apart_s = error_s[m["source"]] + error_s[m["destination"]] + ROUNDING_S
    _none("messages", m["arrived_s"] < m["sent_s"] - apart_s, "arrives before it is sent")
    _none("messages", m["received_s"] < m["arrived_s"], "is received before it arrives")
    _none("messages", ~np.isnan(m["received_s"]) & np.isnan(m["arrived_s"]), "is received and never arrives")
    _none("messages", m["bytes"] <= 0, "has no bytes")
    before = np.diff(u["time_s"], prepend=u["time_s"][:1]) < -(error_s.max() * 2 + ROUNDING_S)
    _none("updates", before, "is made before the version before it")


def _check_alone(timeline: Timeline, nodes: int) -> None:
    """A node does one thing after the other; all-reduces go on beside its work."""
    c = timeline.computes
    beside = [code for code, name in enumerate(timeline.names) if name.startswith("all_reduce")]
    for node in range(nodes):
        rows = np.flatnonzero((c["node"] == node) & ~np.isin(c["operation"], beside))
        rows = rows[np.lexsort((c["end_s"][rows], c["start_s"][rows]))]
        late = c["start_s"][rows][1:] < c["end_s"][rows][:-1] - ROUNDING_S
        if late.any():
            raise _impossible("computes", int(rows[1:][late][0]), f"overlaps with another row of node {node}")


def _made(timeline: Timeline) -> tuple[np.ndarray, np.ndarray]:
    """When each value was there first, and by which node: [nodes of the graph]. What no row made, by -1.

    Such a value (a start, a part, what was put together) is there as soon as what it is made of.
    """
    c, graph = timeline.computes, timeline.graph
    made_s, by = np.full(len(graph), np.inf), np.full(len(graph), -1)
    done = np.flatnonzero((c["value"] >= 0) & c["completed"])
    for row in done[np.argsort(c["end_s"][done], kind="stable")][::-1]:
        made_s[c["value"][row]], by[c["value"][row]] = c["end_s"][row], c["node"][row]
    for number in np.flatnonzero(np.isinf(made_s)):
        made_s[number] = max((made_s[i] for i in graph.inputs[number]), default=-np.inf)
    return made_s, by


def _check_inputs(timeline: Timeline, made_s: np.ndarray, error_s: Clocks) -> None:
    """A computation starts when what it computes with is there. A collective's row starts when the last had come."""
    c, apart_s = timeline.computes, 2 * error_s.max() + ROUNDING_S
    inputs = timeline.graph.inputs
    ready_s = np.array([max((made_s[i] for i in inputs[value]), default=-np.inf) if value >= 0 else -np.inf
                        for value in c["value"].tolist()])  # fmt: skip
    _none("computes", c["start_s"] < ready_s - apart_s, "starts before what it computes with is there")


def _check_messages(timeline: Timeline, made_s: np.ndarray, error_s: Clocks) -> None:
    m, apart_s = timeline.messages, 2 * error_s.max() + ROUNDING_S
    there_s = np.where(m["value"] >= 0, made_s[m["value"]], -np.inf)
    _none("messages", m["sent_s"] < there_s - apart_s, "is sent before its value is made")


def _check_updates(timeline: Timeline, made_s: np.ndarray, by: np.ndarray, error_s: Clocks) -> None:
    u, apart_s = timeline.updates, 2 * error_s.max() + ROUNDING_S
    _none("updates", u["time_s"] < made_s[u["value"]] - apart_s, "is there before it is computed")
    _none("updates", np.isinf(made_s[u["value"]]) & (made_s[u["value"]] > 0), "is computed by nobody")
    c = timeline.computes
    makers = set(zip(c["value"].tolist(), c["node"].tolist(), strict=True))
    pairs = zip(u["value"].tolist(), u["node"].tolist(), strict=True)
    others = np.array([by[value] >= 0 and (value, node) not in makers for value, node in pairs])
    _none("updates", others, "is reported by a node that did not compute it")


def _none(table: str, rows: np.ndarray, what: str) -> None:
    if rows.any():
        raise _impossible(table, int(np.flatnonzero(rows)[0]), what)


def _impossible(table: str, row: int, what: str) -> RunError:
    return RunError(f"the record cannot be: row {row} of {table} {what}")
