"""What is read off a timeline: gradients and their staleness, drops, bytes, utilisation, the Gantt table."""

from typing import Any

import numpy as np
import xarray as xr

from rebuttal.graph import Graph
from rebuttal.timeline import Timeline

NOT_USED = -1


def gradients(timeline: Timeline) -> xr.Dataset:
    """One row per completed gradient, in the order of completion.

    Variables along `gradient`: node, value (graph node), start_s, end_s, version_read (version of the weights that
    it was computed on), update (the version it became part of, NOT_USED if none), staleness (updates between read
    and write; NaN if not used), batches (how many batches it averages), late (delivered to a program, before the
    end, that did not use it).
    """
    computes = timeline.computes
    rows = np.flatnonzero(_is_operation(timeline, "gradient") & computes["completed"])
    rows = rows[computes["end_s"][rows] <= timeline.end_s]
    rows = rows[np.argsort(computes["end_s"][rows], kind="stable")]
    values = computes["value"][rows]
    graph, version = timeline.graph, _versions(timeline)
    used = _used_by(graph, timeline.updates["value"].tolist())
    read = np.array([version.get(graph.inputs[v][0], NOT_USED) for v in values.tolist()], dtype=int)
    update = np.array([used.get(v, NOT_USED) for v in values.tolist()], dtype=int)
    columns = {
        "node": computes["node"][rows],
        "value": values,
        "start_s": computes["start_s"][rows],
        "end_s": computes["end_s"][rows],
        "version_read": read,
        "update": update,
        "staleness": np.where(update != NOT_USED, update - 1 - read, np.nan),
        "batches": np.array([len(graph.arguments[v]) // 2 for v in values.tolist()], dtype=int),
        "late": (update == NOT_USED) & np.isin(values, _delivered(timeline)),
    }
    return xr.Dataset(
        {name: ("gradient", column) for name, column in columns.items()}, attrs=dict(timeline.about)
    )


def progress(timeline: Timeline) -> xr.Dataset:
    """Along `version` 0, 1, …: seconds, batches_applied and batches_computed when that version was made."""
    table = gradients(timeline)
    seconds = timeline.updates["time_s"]
    versions = np.arange(len(seconds))
    batches, update = table["batches"].values, table["update"].values
    applied = np.bincount(update[update >= 0], weights=batches[update >= 0], minlength=len(versions))
    computed = np.concatenate([[0], np.cumsum(batches)])
    done_by = np.searchsorted(table["end_s"].values, seconds, side="right")
    return xr.Dataset(
        {
            "seconds": ("version", seconds),
            "batches_applied": ("version", np.cumsum(applied).astype(int)),
            "batches_computed": ("version", computed[done_by].astype(int)),
        },
        coords={"version": versions},
    )


def summary(timeline: Timeline) -> dict[str, float]:
    """The run in a few numbers; seconds are on the timeline's clock, utilisation is the mean over workers."""
    table = gradients(timeline)
    updates = len(timeline.updates["time_s"]) - 1
    stale = table["staleness"].values
    stale = stale[~np.isnan(stale)]
    return {
        "updates": updates,
        "seconds_per_update": timeline.end_s / max(1, updates),
        "gradients_computed": table.sizes["gradient"],
        "gradients_applied": len(stale),
        "gradients_dropped": int(table["late"].sum()),
        "gradients_abandoned": int((~timeline.computes["completed"]).sum()),
        "bytes_sent": int(timeline.messages["bytes"].sum()),
        "utilisation": float(np.mean(list(utilisation(timeline).values()))),
        "staleness_mean": float(stale.mean()) if len(stale) else np.nan,
        "staleness_max": float(stale.max()) if len(stale) else np.nan,
        "staleness_q95": float(np.quantile(stale, 0.95)) if len(stale) else np.nan,
    }


def utilisation(timeline: Timeline) -> dict[int, float]:
    """For each node that computes gradients: the share of the run in which it does (abandoned ones included)."""
    computes = timeline.computes
    rows = _is_operation(timeline, "gradient")
    end_s = max(timeline.end_s, np.finfo(float).tiny)
    busy = np.clip(computes["end_s"][rows], None, end_s) - np.clip(computes["start_s"][rows], None, end_s)
    nodes = computes["node"][rows]
    total = np.bincount(nodes, weights=busy)
    return {int(node): float(total[node] / end_s) for node in np.unique(nodes)}


def gantt(timeline: Timeline, until_s: float | None = None) -> dict[str, list[Any]]:
    """Columns of a Gantt chart: node, kind, start_s, end_s, label, version, dropped, staleness.

    Kinds are 'gradient', 'update', 'message' (drawn on the receiving node, from sent to arrived) and 'all-reduce'.
    """
    until_s = timeline.end_s if until_s is None else until_s
    table = gradients(timeline)
    fate = {
        value: (bool(late), float(stale), int(read))
        for value, late, stale, read in zip(
            table["value"].values,
            table["late"].values,
            table["staleness"].values,
            table["version_read"].values,
            strict=True,
        )
    }
    columns: dict[str, list[Any]] = {
        name: [] for name in ("node", "kind", "start_s", "end_s", "label", "version", "dropped", "staleness")
    }
    computes = timeline.computes
    for row in np.flatnonzero(computes["start_s"] < until_s):
        name = timeline.names[computes["operation"][row]]
        late, stale, read = fate.get(int(computes["value"][row]), (False, np.nan, NOT_USED))
        dropped = late or not computes["completed"][row]
        kind = name.split()[0].replace("_", "-")
        span = (float(computes["start_s"][row]), min(float(computes["end_s"][row]), until_s))
        _append(columns, int(computes["node"][row]), kind, *span, name, read, dropped, stale)
    messages = timeline.messages
    for row in np.flatnonzero(messages["arrived_s"] < until_s):
        span = (float(messages["sent_s"][row]), float(messages["arrived_s"][row]))
        tag = timeline.names[messages["tag"][row]]
        _append(columns, int(messages["destination"][row]), "message", *span, tag, NOT_USED, False, np.nan)
    return columns


def _append(columns: dict[str, list[Any]], *values: Any) -> None:
    for column, value in zip(columns.values(), values, strict=True):
        column.append(value)


def _is_operation(timeline: Timeline, name: str) -> np.ndarray:
    if name not in timeline.names:
        return np.zeros(len(timeline.computes["operation"]), dtype=bool)
    return timeline.computes["operation"] == timeline.names.index(name)


def _versions(timeline: Timeline) -> dict[int, int]:
    """Graph node of a state -> its version."""
    return {value: version for version, value in enumerate(timeline.updates["value"].tolist())}


def _used_by(graph: Graph, states: list[int]) -> dict[int, int]:
    """Graph node of a gradient -> the first version that rests on it through no earlier version."""
    used: dict[int, int] = {}
    seen: set[int] = set()
    for version, state in enumerate(states):
        stack = [state]
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            if graph.operations[node] == "gradient":
                used[node] = version
            stack.extend(graph.inputs[node])
    return used


def _delivered(timeline: Timeline) -> np.ndarray:
    """Values of messages that a program took before the run ended."""
    messages = timeline.messages
    return messages["value"][messages["received_s"] <= timeline.end_s]
