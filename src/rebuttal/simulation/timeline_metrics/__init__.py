"""What is read off a timeline: gradients and their staleness, drops, bytes, utilisation, memory, the Gantt table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rebuttal.base.garbage import not_collected
from rebuttal.base.listing import Listing
from rebuttal.core.timeline import Timeline, checked
from rebuttal.simulation.timeline_metrics.gantt_table import gantt
from rebuttal.simulation.timeline_metrics.gradient_table import NOT_USED, columns, gradients
from rebuttal.simulation.timeline_metrics.joined_passes import COMPUTING
from rebuttal.simulation.timeline_metrics.layer_table import by_layer
from rebuttal.simulation.timeline_metrics.memory_use import memory
from rebuttal.simulation.timeline_metrics.staleness import layer_staleness

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "NOT_USED",
    "by_layer",
    "gantt",
    "gradients",
    "layer_staleness",
    "memory",
    "progress",
    "summary",
    "utilisation",
]


@not_collected()
def progress(timeline: Timeline, table: Mapping[Any, Any] | None = None) -> "xr.Dataset":
    """Along `version` 0, 1, …: seconds, batches_applied and batches_computed when that version was made.

    Applied are the batches, (shard, step), that a version rests on; one that was computed several times counts once.
    Computed are all gradients that are complete, times the batches that they average.

    table: what `gradients` says of the timeline, where it was asked for before.
    """
    import xarray as xr  # noqa: PLC0415 - slow to import, and a summary needs no dataset

    table = columns(checked(timeline)) if table is None else table
    seconds = timeline.updates["time_s"]
    computed = np.concatenate([[0], np.cumsum(table["batches"])])
    done_by = np.searchsorted(table["end_s"], seconds, side="right")
    return xr.Dataset(
        {
            "seconds": ("version", seconds),
            "batches_applied": ("version", np.array(_applied(timeline), dtype=int)),
            "batches_computed": ("version", computed[done_by].astype(int)),
        },
        coords={"version": np.arange(len(seconds))},
    )


def _applied(timeline: Timeline) -> list[int]:
    """How many batches each version rests on; the search ends at what was behind an earlier version."""
    graph, seen, counts = timeline.graph, set(), []
    batches: set[tuple[float, float]] = set()
    for version in timeline.updates["value"].tolist():
        stack = [version]
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            if graph.operations[node] in ("gradient", "input"):
                numbers = graph.arguments[node]
                batches.update(zip(numbers[::2], numbers[1::2], strict=True))
            stack.extend(graph.inputs[node])
        counts.append(len(batches))
    return counts


def summary(timeline: Timeline, table: Mapping[Any, Any] | None = None) -> dict[str, float]:
    """The run in a few numbers; seconds are on the timeline's clock, utilisation is the mean over workers.

    table: what `gradients` says of the timeline, where it was asked for before.
    """
    table = columns(checked(timeline)) if table is None else table
    updates = len(timeline.updates["time_s"]) - 1
    stale = np.asarray(table["staleness"])
    stale = stale[~np.isnan(stale)]
    return Listing(
        {
            "updates": updates,
            "seconds_per_update": timeline.end_s / max(1, updates),
            "gradients_computed": len(table["node"]),
            "gradients_applied": len(stale),
            "gradients_dropped": int(np.sum(table["late"])),
            "gradients_abandoned": int((~timeline.computes["completed"]).sum()),
            "bytes_sent": int(timeline.messages["bytes"].sum() + timeline.computes["bytes"].sum()),
            "utilisation": float(np.mean(list(utilisation(timeline).values()))),
            "staleness_mean": float(stale.mean()) if len(stale) else np.nan,
            "staleness_max": float(stale.max()) if len(stale) else np.nan,
            "staleness_q95": float(np.quantile(stale, 0.95)) if len(stale) else np.nan,
        }
    )


def utilisation(timeline: Timeline) -> dict[int, float]:
    """For each node that computes on data: the share of the run in which it does (abandoned work included).

    Forward and backward passes and whole gradients count; updates and communication do not.
    """
    computes = checked(timeline).computes
    computing = np.array([name in COMPUTING for name in timeline.names], dtype=bool)
    rows = computing[computes["operation"]] if len(computing) else np.zeros(0, dtype=bool)
    end_s = max(timeline.end_s, np.finfo(float).tiny)
    busy = np.clip(computes["end_s"][rows], None, end_s) - np.clip(computes["start_s"][rows], None, end_s)
    nodes = computes["node"][rows]
    total = np.bincount(nodes, weights=busy)
    return Listing({int(node): float(total[node] / end_s) for node in np.unique(nodes)})
